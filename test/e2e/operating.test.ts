import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createEngine } from '../../sandbox/engine.ts';
import { AppError } from '../../src/errors.ts';
import { createLogger } from '../../src/log.ts';
import type { ModelRequest } from '../../src/ports/model.ts';
import type { PlatformClient } from '../../src/ports/platforms.ts';
import { until } from '../fakes/core.ts';
import { freePort } from '../fakes/free-port.ts';
import { startOtlpReceiver } from '../fakes/otlp-receiver.ts';
import type { OtlpReceiver, ReceivedSpan } from '../fakes/otlp-receiver.ts';
import { scrape } from '../fakes/scrape.ts';
import { createScriptedModel, pythonCall } from '../fakes/scripted-model.ts';
import type { ScriptedTurn } from '../fakes/scripted-model.ts';
import { startTestBot } from '../fakes/test-bot.ts';
import type { TestBot } from '../fakes/test-bot.ts';

const engine = createEngine({
  endpoint: null,
  image: process.env['SANDBOX_IMAGE'] ?? 'plotline-sandbox:latest',
  runtime: 'auto',
});
const isThere = await engine.check().then(
  () => true,
  (error: unknown) => {
    if (process.env['CI'] === 'true') throw error;
    process.stderr.write(
      `\nSKIPPED: what operators see. ${error instanceof AppError ? error.userMessage : String(error)}\n\n`,
    );
    return false;
  },
);

/** What must not be found in any line of the log, any metric, any span. Those of the cell's output exist nowhere but in its output. */
const canaries = {
  question: 'CANARYQUESTION',
  code: 'CANARYCODE',
  output: 'CANARYOUTPUT',
  stderr: 'CANARYSTDERR',
  traceback: 'CANARYTRACEBACK',
  contents: 'CANARYCONTENTS',
  answer: 'CANARYANSWER',
  person: 'CANARYPERSON',
  header: 'CANARYHEADER',
} as const;

const csv = Buffer.from(`Name,Value\n${canaries.contents},1\nb,2\n`);
const reversed = (text: string): string => text.split('').toReversed().join('');
const goodCode = [
  `# ${canaries.code}`,
  'import sys, plotline',
  'frame = plotline.load("a.csv")',
  `print("${reversed(canaries.output)}"[::-1], len(frame))`,
  `print("${reversed(canaries.stderr)}"[::-1], file=sys.stderr)`,
].join('\n');
const badCode = `raise ValueError("${reversed(canaries.traceback)}"[::-1])`;

/** Says what it is told to do by a word of the question. */
function turnFor({ messages }: ModelRequest): ScriptedTurn {
  const asked = messages.findLast(({ role }) => role === 'user');
  const question = asked?.role === 'user' ? asked.text : '';
  const toolsDone = messages.slice(messages.lastIndexOf(asked!)).filter(({ role }) => role === 'tool').length;
  if (question.includes('please fail')) return { error: { code: 'auth', retryable: false } };
  if (question.includes('please hang')) return { hangs: true };
  if (question.includes('please compute') && toolsDone === 0)
    return { calls: [pythonCall(goodCode)], usage: { cachedInputTokens: 4 } };
  if (question.includes('please compute') && toolsDone === 1) return { calls: [pythonCall(badCode)] };
  return { text: `${canaries.answer}.` };
}

/** Refuses one question, and is out of order for the first reply to another. */
function troubled(client: PlatformClient): PlatformClient {
  let failures = 0;
  return {
    ...client,
    admit: async (task, signal) =>
      task.text.includes('please refuse') ? { kind: 'refused', text: 'Not here.' } : await client.admit(task, signal),
    post: async (thread, message, context) => {
      if (message.kind === 'reply' && thread.threadId === 'retried' && failures === 0) {
        failures += 1;
        throw new AppError('platform-rate-limited', 'Slow down.', { retryable: true, retryAfterMs: 10 });
      }
      return await client.post(thread, message, context);
    },
  };
}

describe.skipIf(!isThere)('what operators see of a bot that answers, fails, is stopped, refuses and repeats', () => {
  const lines: string[] = [];
  let collector: OtlpReceiver;
  let bot: TestBot;
  let base: string;
  let early: { readonly status: number; readonly body: unknown };
  let metrics: ReadonlyMap<string, number>;

  beforeAll(async () => {
    collector = await startOtlpReceiver();
    const port = await freePort();
    base = `http://127.0.0.1:${port}`;
    const starting = startTestBot(
      {
        HTTP_PORT: String(port),
        OTEL_EXPORTER_OTLP_ENDPOINT: `${collector.endpoint}/`,
        OTEL_EXPORTER_OTLP_HEADERS: `x-key=${canaries.header}`,
        OTEL_SERVICE_NAME: 'plotline-test',
      },
      createScriptedModel([], turnFor),
      { log: createLogger('debug', (line) => lines.push(line)), client: troubled },
    );
    early = await readiness(true);
    bot = await starting;
    const { platform } = bot;
    const question = `${canaries.question} ${canaries.person}`;
    await platform.ask('answered', `please compute ${question}`, [{ name: 'a.csv', bytes: csv }]);
    await platform.ask('failed', `please fail ${question}`);
    await platform.ask('retried', `please answer ${question}`);
    await platform.say('refused', `please refuse ${question}`);
    await platform.say('stopped', `please hang ${question}`);
    await until('the question to be worked on', () =>
      platform.posts.some(({ threadId, message }) => threadId === 'stopped' && message.kind === 'progress'),
    );
    await platform.stop('stopped');
    await until(
      'all tasks to end',
      async () => {
        metrics = await scrape(base);
        return sum('plotline_task_reply_seconds_count') === 5;
      },
      30_000,
    );
  }, 180_000);

  afterAll(async () => {
    await bot?.[Symbol.asyncDispose]();
    await collector?.[Symbol.asyncDispose]();
  });

  const readiness = async (isEarly = false): Promise<{ readonly status: number; readonly body: unknown }> => {
    for (;;) {
      const response = await fetch(`${base}/readyz`).catch(() => null);
      if (response !== null) return { status: response.status, body: await response.json() };
      if (!isEarly) throw new Error('nobody listens');
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  };

  const sample = (name: string): number | undefined => metrics.get(name);
  const sum = (name: string): number =>
    [...metrics].reduce((total, [key, value]) => (key.split('{')[0] === name ? total + value : total), 0);

  it('may be asked before it is ready, and is ready then', async () => {
    expect(early).toMatchObject({
      status: 503,
      body: {
        ready: false,
        checks: {
          store: 'ok',
          queue: 'ok',
          blobs: 'ok',
          sandbox: 'the first containers are being started',
          platforms: 'not connected: recording',
        },
      },
    });
    expect(await readiness()).toEqual({
      status: 200,
      body: {
        ready: true,
        draining: false,
        checks: { store: 'ok', blobs: 'ok', queue: 'ok', sandbox: 'ok', platforms: 'ok' },
      },
    });
    const health = await fetch(`${base}/healthz`);
    expect([health.status, await health.json()]).toMatchObject([200, { alive: true }]);
  });

  it('counts every task once, by its end', () => {
    const ended = (outcome: string) => sample(`plotline_tasks_total{platform="recording",outcome="${outcome}"}`);
    expect({
      answered: ended('answered'),
      failed: ended('failed'),
      cancelled: ended('cancelled'),
      refused: ended('refused'),
    }).toEqual({
      answered: 2,
      failed: 1,
      cancelled: 1,
      refused: 1,
    });
    expect(sum('plotline_tasks_total')).toBe(5);
    expect(sample('plotline_task_interruptions_total{platform="recording"}')).toBe(1);
    expect(sample('plotline_task_retries_total{platform="recording"}')).toBe(1);
    expect(sample('plotline_refusals_total{platform="recording"}')).toBe(1);
    // A run that is repeated does not wait again.
    expect(sample('plotline_task_wait_seconds_count{platform="recording"}')).toBe(5);
    // The refused one has no progress.
    expect(sample('plotline_task_first_progress_seconds_count{platform="recording"}')).toBe(4);
    const waited = sample('plotline_task_wait_seconds_sum{platform="recording"}') ?? 0;
    const replied = sample('plotline_task_reply_seconds_sum{platform="recording"}') ?? 0;
    expect(waited).toBeGreaterThanOrEqual(0);
    expect(replied).toBeGreaterThan(waited);
    expect(replied).toBeLessThan(120);
  });

  it('counts cells, turns and tokens', () => {
    expect(sample('plotline_cells_total{status="ok"}')).toBe(1);
    expect(sample('plotline_cells_total{status="error"}')).toBe(1);
    expect(sum('plotline_cell_seconds_count')).toBe(2);
    // Three turns of the computed answer, one each of the others that came to the model.
    expect(sample('plotline_model_turns_total{reason="tool-calls"}')).toBe(2);
    expect(sample('plotline_model_turns_total{reason="stop"}')).toBe(2);
    expect(sample('plotline_model_turns_total{reason="error"}')).toBe(1);
    expect(sample('plotline_model_turns_total{reason="cancelled"}')).toBe(1);
    expect(sample('plotline_model_tokens_total{kind="input"}')).toBe(60);
    expect(sample('plotline_model_tokens_total{kind="cached-input"}')).toBe(4);
    expect(sample('plotline_model_tokens_total{kind="output"}')).toBe(30);
    expect(sample('plotline_model_turn_seconds_count')).toBe(6);
  });

  it('counts what went to the platform and came from it', () => {
    const posted = (kind: string, result: string) =>
      sample(`plotline_posts_total{platform="recording",kind="${kind}",result="${result}"}`);
    expect(posted('reply', 'ok')).toBe(4);
    expect(posted('reply', 'rate-limited')).toBe(1);
    expect(posted('refusal', 'ok')).toBe(1);
    expect(posted('progress', 'ok')).toBe(4);
    expect(sample('plotline_post_retries_total{platform="recording"}')).toBe(1);
    expect(sample('plotline_edits_total{platform="recording",result="ok"}')).toBeGreaterThan(0);
    expect(sample('plotline_downloads_total{platform="recording",result="ok"}')).toBe(1);
    expect(sample('plotline_download_bytes_total{platform="recording"}')).toBe(csv.length);
  });

  it('shows the queue and the sandboxes as they are', () => {
    expect(sample('plotline_queue_depth{state="waiting"}')).toBe(0);
    expect(sample('plotline_queue_depth{state="running"}')).toBe(0);
    expect(sample('plotline_sandboxes{engine="local",state="in-use"}')).toBeGreaterThanOrEqual(1);
    expect(sample('plotline_sandboxes_max{engine="local"}')).toBe(4);
    expect(sample('plotline_sandbox_engine_up{engine="local"}')).toBe(1);
    expect(sample('plotline_sandbox_wait_seconds_count{result="ok"}')).toBe(1);
    expect(sum('plotline_build_info')).toBe(1);
    expect(sum('process_resident_memory_bytes')).toBeGreaterThan(1e6);
  });

  it('names the task and its thread in every line of its work', () => {
    const entries = lines.map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>);
    const taken = entries.find(({ msg }) => msg === 'sandbox taken');
    expect(taken).toMatchObject({ taskId: 'recording-answered-1', threadKey: 'recording/w/c/answered' });
    for (const words of ['task accepted', 'task answered', 'stop asked for', 'thread handler failed']) {
      const said = entries.filter(({ msg }) => msg === words);
      expect(said.length, words).toBeGreaterThan(0);
      expect(
        said.filter(({ threadKey }) => threadKey === undefined),
        words,
      ).toEqual([]);
    }
    // No line says two things: whichever task woke another's thread, or was worked on before.
    const answered = entries.filter(({ taskId, threadKey }) => taskId !== undefined && threadKey !== undefined);
    expect(answered.length).toBeGreaterThan(8);
    expect(
      answered.filter(
        ({ taskId, threadKey }) => !String(taskId).startsWith(`recording-${String(threadKey).split('/')[3]}-`),
      ),
    ).toEqual([]);
    // The next container is started because a task took one, but it is not this task's.
    const starts = entries.filter(({ taskId, msg }) => taskId !== undefined && /warm|orphan/.test(String(msg)));
    expect(starts).toEqual([]);
  });

  it('traces a task through its parts', async () => {
    const { spans } = collector;
    const rootOf = (threadId: string): ReceivedSpan | undefined =>
      spans.find(
        ({ name, attributes }) => name === 'task' && attributes['plotline.thread.key'] === `recording/w/c/${threadId}`,
      );
    await until(
      'the spans of the answered task',
      () => rootOf('answered') !== undefined && spans.filter(({ name }) => name === 'task').length === 6,
      10_000,
    );
    const root = rootOf('answered');
    expect(root).toMatchObject({
      parentSpanId: '',
      status: { code: 0 },
      attributes: {
        'plotline.task.id': 'recording-answered-1',
        'plotline.platform': 'recording',
        'plotline.attempt': 1,
        'plotline.outcome': 'answered',
      },
    });
    const own = spans.filter(({ traceId }) => traceId === root?.traceId);
    const children = own.filter(({ parentSpanId }) => parentSpanId === root?.spanId).map(({ name }) => name);
    expect(new Set(children)).toEqual(new Set(['admit', 'files', 'cards', 'model turn', 'cell', 'settle', 'post']));
    expect(children.filter((name) => name === 'model turn')).toHaveLength(3);
    expect(
      own
        .filter(({ name }) => name === 'cell')
        .map(({ status, attributes }) => [status.code, attributes['plotline.cell.status']]),
    ).toEqual([
      [0, 'ok'],
      [2, 'error'],
    ]);
    const sandbox = own.find(({ name }) => name === 'sandbox');
    expect(own.find(({ spanId }) => spanId === sandbox?.parentSpanId)?.name).toBe('cards');

    expect(rootOf('failed')).toMatchObject({ status: { code: 2, message: 'failed' } });
    expect(rootOf('refused')).toMatchObject({ status: { code: 0 }, attributes: { 'plotline.outcome': 'refused' } });
    expect(rootOf('stopped')).toMatchObject({ status: { code: 0 }, attributes: { 'plotline.outcome': 'cancelled' } });
    const retried = spans.filter(
      ({ name, attributes }) => name === 'task' && attributes['plotline.thread.key'] === 'recording/w/c/retried',
    );
    expect(retried.map(({ status, attributes }) => [attributes['plotline.attempt'], status.message])).toEqual([
      [1, 'platform-rate-limited'],
      [2, undefined],
    ]);
    expect(collector.resource).toMatchObject({ 'service.name': 'plotline-test' });
    expect(collector.headers[0]).toMatchObject({ 'x-key': canaries.header });
  });

  it('tells nobody what people wrote, what code ran, or what it said', async () => {
    // They were all there to be told.
    const { platform } = bot;
    expect(platform.replies('answered')[0]?.text).toContain(canaries.answer);
    expect(platform.replies('answered')[0]?.code[0]?.source).toContain(canaries.code);
    const { header, ...told } = canaries;
    const seen = {
      log: lines.join(''),
      metrics: await (await fetch(`${base}/metrics`)).text(),
      spans: collector.bodies.join(''),
    };
    for (const [where, text] of Object.entries(seen)) {
      expect(text.length, where).toBeGreaterThan(1000);
      expect(
        [...Object.values(told), header].filter((canary) => text.includes(canary)),
        where,
      ).toEqual([]);
    }
    expect(seen.metrics).not.toMatch(/recording-(answered|failed)|threadKey/);
  });

  it('says that it is ending, and then serves nothing more', async () => {
    const ended = bot[Symbol.asyncDispose]();
    expect(await readiness()).toEqual({ status: 503, body: { ready: false, draining: true, checks: {} } });
    expect((await fetch(`${base}/healthz`)).status).toBe(200);
    await ended;
    await expect(fetch(`${base}/healthz`)).rejects.toThrow('fetch failed');
  });
});
