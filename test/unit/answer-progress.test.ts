import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createProgressReporter } from '../../src/answer/progress.ts';
import type { ProgressReporter } from '../../src/answer/progress.ts';
import { createLogger } from '../../src/log.ts';
import type { Progress } from '../../src/types.ts';

const intervalMs = 1000;

describe('progress', () => {
  let sent: { readonly progress: Progress; readonly atMs: number }[];
  let inFlight: number;
  let mostInFlight: number;
  let editMs: number;
  let fails: boolean;
  let reporter: ProgressReporter;

  beforeEach(() => {
    vi.useFakeTimers({ now: 0 });
    [sent, inFlight, mostInFlight, editMs, fails] = [[], 0, 0, 100, false];
    reporter = createProgressReporter({
      taskId: 't',
      personId: 'U1',
      editIntervalMs: intervalMs,
      edit: async (message) => {
        if (message.kind !== 'progress') throw new Error('not progress');
        inFlight += 1;
        mostInFlight = Math.max(mostInFlight, inFlight);
        sent.push({ progress: message.progress, atMs: Date.now() });
        await new Promise((resolve) => setTimeout(resolve, editMs));
        inFlight -= 1;
        if (fails) throw new Error('the platform is down');
      },
      log: createLogger('silent'),
    });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  const titles = (index: number): readonly string[] =>
    sent[index]?.progress.steps.map(({ title, state }) => `${title} ${state}`) ?? [];

  it('sends the first change at once and then the newest one per interval', async () => {
    for (let step = 1; step <= 50; step += 1) {
      reporter.stepStarted(`s${step}`);
      await vi.advanceTimersByTimeAsync(100);
    }
    expect(sent.length).toBeLessThanOrEqual(6);
    expect(titles(0)).toEqual(['s1 running']);
    expect(titles(1).at(-1)).toMatch(/^s1[0-2] running$/);
    expect(mostInFlight).toBe(1);
    const gaps = sent.slice(1).map(({ atMs }, index) => atMs - (sent[index]?.atMs ?? 0));
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(intervalMs);
  });

  it('has at most one edit in flight, however slow it is', async () => {
    editMs = 5000;
    for (let step = 1; step <= 20; step += 1) {
      reporter.stepStarted(`s${step}`);
      await vi.advanceTimersByTimeAsync(700);
    }
    const finished = reporter.finish(true, 'Done.');
    await vi.advanceTimersByTimeAsync(20_000);
    await finished;
    expect(mostInFlight).toBe(1);
    expect(titles(sent.length - 1).at(-1)).toBe('s20 done');
  });

  it('ends with the last state, does not wait out the interval, and ignores what comes later', async () => {
    reporter.stepStarted('one');
    await vi.advanceTimersByTimeAsync(200);
    const finished = reporter.finish(false, 'unused');
    await vi.advanceTimersByTimeAsync(150);
    await finished;
    expect(sent.at(-1)?.progress).toEqual({
      taskId: 't',
      personId: 'U1',
      running: false,
      steps: [{ title: 'one', state: 'failed' }],
      note: '',
    });
    expect(sent.slice(0, -1).every(({ progress }) => progress.running)).toBe(true);
    const count = sent.length;
    reporter.stepStarted('late');
    await vi.advanceTimersByTimeAsync(5000);
    expect(sent).toHaveLength(count);
  });

  it('shows the closing note where there were no steps', async () => {
    const finished = reporter.finish(true, 'Done.');
    await vi.advanceTimersByTimeAsync(200);
    await finished;
    expect(sent.at(-1)?.progress.note).toBe('Done.');
  });

  it('goes on after an edit that failed', async () => {
    fails = true;
    reporter.stepStarted('one');
    await vi.advanceTimersByTimeAsync(200);
    fails = false;
    reporter.stepFinished(true);
    await vi.advanceTimersByTimeAsync(2000);
    expect(titles(sent.length - 1)).toEqual(['one done']);
  });

  it('a new step closes the one before it and takes the place of a note', async () => {
    reporter.note('The model server is busy');
    reporter.stepStarted('one');
    reporter.stepStarted('two');
    await vi.advanceTimersByTimeAsync(2000);
    expect(titles(sent.length - 1)).toEqual(['one done', 'two running']);
    expect(sent.at(-1)?.progress.note).toBe('');
  });
});
