import { describe, expect, test } from 'vitest';
import { createPace } from '../../adapters/slack/pace.ts';
import type { Clock } from '../../adapters/slack/pace.ts';
import type { SlackWeb } from '../../adapters/slack/web.ts';
import { AppError } from '../../src/errors.ts';

/** Time that passes only where someone sleeps; sleepers wake in order. */
function createFakeClock(): Clock & { readonly settle: () => Promise<void> } {
  let nowMs = 1_000_000;
  const sleepers: { readonly atMs: number; readonly wake: () => void }[] = [];
  const drain = async (): Promise<void> => {
    for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
  };
  return {
    now: () => nowMs,
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason), { once: true });
        sleepers.push({ atMs: nowMs + ms, wake: resolve });
      }),
    settle: async () => {
      for (await drain(); sleepers.length > 0; await drain()) {
        sleepers.sort((left, right) => left.atMs - right.atMs);
        const next = sleepers.shift();
        nowMs = Math.max(nowMs, next?.atMs ?? 0);
        next?.wake();
      }
    },
  };
}

interface Call {
  readonly method: string;
  readonly channel: unknown;
  readonly atMs: number;
}

/** Slack as far as its limits go: the first `limited` calls in a channel are answered with 429. */
function createSlack(now: () => number, limited: Readonly<Record<string, { times: number; waitMs: number }>> = {}) {
  const calls: Call[] = [];
  const left = new Map(Object.entries(limited).map(([channel, { times }]) => [channel, times]));
  const web: SlackWeb = {
    call: async (method, args) => {
      const channel = String(args['channel']);
      calls.push({ method, channel, atMs: now() });
      const times = left.get(channel) ?? 0;
      if (times === 0) return { ok: true };
      left.set(channel, times - 1);
      throw new AppError('platform-rate-limited', 'Wait.', {
        retryable: true,
        retryAfterMs: limited[channel]?.waitMs ?? 0,
      });
    },
  };
  return { web, calls };
}

const never = new AbortController().signal;

describe('Slack: the pace of calls', () => {
  test('a channel gets a short burst and then one message a second; another channel does not wait for it', async () => {
    const clock = createFakeClock();
    const { web, calls } = createSlack(clock.now);
    const paced = createPace(clock).of(web, 'T1');
    const startMs = clock.now();
    const posts = ['busy', 'busy', 'busy', 'busy', 'busy', 'busy', 'busy', 'calm'].map((channel) =>
      paced.call('chat.postMessage', { channel }, never),
    );
    await clock.settle();
    await Promise.all(posts);
    const at = (channel: string) => calls.filter((call) => call.channel === channel).map(({ atMs }) => atMs - startMs);
    expect(at('busy')).toEqual([0, 0, 0, 0, 1000, 2000, 3000]);
    expect(at('calm')).toEqual([0]);
  });

  test('a line longer than a few seconds is the caller’s to wait for, and takes no place in it', async () => {
    const clock = createFakeClock();
    const { web, calls } = createSlack(clock.now);
    const paced = createPace(clock).of(web, 'T1');
    const outcomes = Array.from({ length: 12 }, () =>
      paced.call('chat.postMessage', { channel: 'C1' }, never).then(
        () => 0,
        (error: unknown) => (error instanceof AppError ? error.retryAfterMs : -1),
      ),
    );
    await clock.settle();
    // 4 at once, 4 within the four seconds that a call waits; the rest would come a second later.
    expect(await Promise.all(outcomes)).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 5000, 5000, 5000, 5000]);
    expect(calls).toHaveLength(8);
  });

  test('a long "too many requests" blocks its channel and method only, without a call to Slack', async () => {
    const clock = createFakeClock();
    const { web, calls } = createSlack(clock.now, { C1: { times: 1, waitMs: 30_000 } });
    const paced = createPace(clock).of(web, 'T1');
    const limited = { code: 'platform-rate-limited', retryable: true, retryAfterMs: 30_000 };
    await expect(paced.call('chat.postMessage', { channel: 'C1' }, never)).rejects.toMatchObject(limited);
    await expect(paced.call('chat.postMessage', { channel: 'C1' }, never)).rejects.toMatchObject(limited);
    expect(calls).toHaveLength(1);
    await paced.call('chat.postMessage', { channel: 'C2' }, never);
    await paced.call('conversations.replies', { channel: 'C1' }, never);
    await createPace(clock).of(web, 'T2').call('chat.postMessage', { channel: 'C1' }, never);
    expect(calls).toHaveLength(4);
  });

  test('a short one is waited out, also by those behind it, in their order and without a burst', async () => {
    const clock = createFakeClock();
    const { web, calls } = createSlack(clock.now, { C1: { times: 4, waitMs: 900 } });
    const paced = createPace(clock).of(web, 'T1');
    const startMs = clock.now();
    const done: number[] = [];
    const posts = [1, 2, 3, 4, 5].map(async (n) => {
      await paced.call('chat.postMessage', { channel: 'C1' }, never);
      done.push(n);
    });
    await clock.settle();
    await Promise.all(posts);
    expect(calls.map(({ atMs }) => atMs - startMs)).toEqual([0, 0, 0, 0, 900, 1900, 2900, 3900, 4900]);
    expect(done).toEqual([1, 2, 3, 4, 5]);
  });

  test('edits of one message are a second apart after the first two; those of another message are not held up', async () => {
    const clock = createFakeClock();
    const { web, calls } = createSlack(clock.now);
    const paced = createPace(clock).of(web, 'T1');
    const startMs = clock.now();
    const edits = ['1.1', '1.1', '1.1', '1.1', '2.2'].map((ts) =>
      paced.call('chat.update', { channel: 'C1', ts }, never),
    );
    await clock.settle();
    await Promise.all(edits);
    expect(calls.map(({ atMs }) => atMs - startMs)).toEqual([0, 0, 0, 1000, 2000]);
  });

  test('who waits in line can be stopped', async () => {
    const clock = createFakeClock();
    const { web } = createSlack(clock.now);
    const paced = createPace(clock).of(web, 'T1');
    for (let n = 0; n < 4; n += 1) await paced.call('chat.postMessage', { channel: 'C1' }, never);
    const stop = new AbortController();
    const waiting = paced.call('chat.postMessage', { channel: 'C1' }, stop.signal);
    stop.abort();
    await expect(waiting).rejects.toMatchObject({ code: 'cancelled' });
  });

  test('with real timers: a blocked channel waits, its neighbour posts meanwhile', async () => {
    const { web, calls } = createSlack(Date.now, { blocked: { times: 1, waitMs: 400 } });
    const paced = createPace().of(web, 'T1');
    const startMs = Date.now();
    const blocked = paced.call('chat.postMessage', { channel: 'blocked' }, never);
    await paced.call('chat.postMessage', { channel: 'free' }, never);
    expect(Date.now() - startMs).toBeLessThan(200);
    await blocked;
    expect(calls.map(({ channel }) => channel)).toEqual(['blocked', 'free', 'blocked']);
    expect(Date.now() - startMs).toBeGreaterThanOrEqual(390);
  });
});
