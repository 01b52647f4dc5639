import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { ModelUsage } from '../types.ts';
import type { Measures, Sources } from './measures.ts';

/** From a warm answer without a model to the longest task. */
const taskSeconds = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800];
/** From a cell of one line to the longest one. */
const cellSeconds = [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];

/** Longest time that a scrape waits for the queue. */
const sourceTimeoutMs = 2000;

export interface Metrics extends Measures {
  readonly contentType: string;
  /** In Prometheus' text format. */
  text(): Promise<string>;
  /** Where the gauges look; until then they are empty. */
  watch(sources: Sources): void;
}

/** What Prometheus scrapes, in a registry of its own. Labels have few values: no ids, no names of people, files or models. */
export function createMetrics(about: { readonly version: string }): Metrics {
  const registry = new Registry();
  const registers = [registry];
  let sources: Sources | null = null;
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: 100 });

  const counter = <L extends string>(name: string, help: string, labelNames: readonly L[]): Counter<L> =>
    new Counter({ name: `plotline_${name}`, help, labelNames, registers });
  const histogram = <L extends string>(
    name: string,
    help: string,
    labelNames: readonly L[],
    buckets: number[],
  ): Histogram<L> => new Histogram({ name: `plotline_${name}`, help, labelNames, buckets, registers });
  const gauge = <L extends string>(
    name: string,
    help: string,
    labelNames: readonly L[],
    read: (gauge: Gauge<L>, from: Sources) => void | Promise<void>,
  ): Gauge<L> =>
    new Gauge({
      name: `plotline_${name}`,
      help,
      labelNames,
      registers,
      async collect() {
        this.reset();
        // A source that does not answer must not take the other metrics with it; readiness tells of it.
        if (sources !== null) await Promise.resolve(read(this, sources)).catch(() => this.reset());
      },
    });

  const tasks = counter('tasks_total', 'Tasks that ended.', ['platform', 'outcome']);
  const retries = counter('task_retries_total', 'Runs of tasks that had been started before.', ['platform']);
  const interruptions = counter('task_interruptions_total', 'Runs of tasks that ended without an end of the task.', [
    'platform',
  ]);
  const wait = histogram('task_wait_seconds', 'From accepting a task to starting it.', ['platform'], taskSeconds);
  const firstSign = histogram(
    'task_first_progress_seconds',
    'From accepting a task to its first progress in the thread.',
    ['platform'],
    taskSeconds,
  );
  const reply = histogram('task_reply_seconds', 'From accepting a task to its end.', ['platform'], taskSeconds);
  const refusals = counter('refusals_total', 'People who were told that they may not ask here.', ['platform']);
  const cells = counter('cells_total', 'Cells that ran for answers.', ['status']);
  const cellTime = histogram('cell_seconds', 'How long cells ran.', ['status'], cellSeconds);
  const turns = counter('model_turns_total', 'Turns of the model, by how they ended.', ['reason']);
  const turnTime = histogram('model_turn_seconds', 'How long turns of the model took.', [], taskSeconds);
  const tokens = counter('model_tokens_total', 'Tokens as the server counted them; cached ones are part of input.', [
    'kind',
  ]);
  const posts = counter('posts_total', 'Attempts to post.', ['platform', 'kind', 'result']);
  const postRetries = counter('post_retries_total', 'Attempts to post that followed an earlier one.', ['platform']);
  const edits = counter('edits_total', 'Edits of posted messages.', ['platform', 'result']);
  const downloads = counter('downloads_total', 'Attachments that were fetched.', ['platform', 'result']);
  const downloadBytes = counter('download_bytes_total', 'Bytes of attachments that were fetched.', ['platform']);
  const sandboxTime = histogram(
    'sandbox_wait_seconds',
    'How long a thread waited for a sandbox.',
    ['result'],
    taskSeconds,
  );

  gauge('queue_depth', 'Threads with work, over all processes.', ['state'], async (own, from) => {
    const { waiting, running } = await from.depth(AbortSignal.timeout(sourceTimeoutMs));
    own.set({ state: 'waiting' }, waiting);
    own.set({ state: 'running' }, running);
  });
  gauge('sandboxes', 'Containers by what they are for.', ['engine', 'state'], (own, from) => {
    for (const { name, warm, inUse } of from.engines()) {
      own.set({ engine: name, state: 'warm' }, warm);
      own.set({ engine: name, state: 'in-use' }, inUse);
    }
  });
  gauge('sandboxes_max', 'Containers that an engine may hold.', ['engine'], (own, from) => {
    for (const { name, max } of from.engines()) own.set({ engine: name }, max);
  });
  gauge(
    'sandbox_engine_up',
    '1 where the engine is asked for sandboxes, 0 while it is set aside.',
    ['engine'],
    (own, from) => {
      for (const { name, isServing } of from.engines()) own.set({ engine: name }, isServing ? 1 : 0);
    },
  );
  new Gauge({ name: 'plotline_build_info', help: 'Always 1.', labelNames: ['version'], registers }).set(about, 1);

  const countTokens = ({ inputTokens, cachedInputTokens, outputTokens }: ModelUsage): void => {
    tokens.inc({ kind: 'input' }, inputTokens);
    tokens.inc({ kind: 'cached-input' }, cachedInputTokens);
    tokens.inc({ kind: 'output' }, outputTokens);
  };

  return {
    contentType: registry.contentType,
    text: () => registry.metrics(),
    watch: (given) => {
      sources = given;
    },
    taskStarted: ({ platform, waitMs, isRetry }) => {
      if (isRetry) retries.inc({ platform });
      else wait.observe({ platform }, seconds(waitMs));
    },
    firstProgress: ({ platform, afterMs }) => firstSign.observe({ platform }, seconds(afterMs)),
    taskEnded: ({ platform, outcome, afterMs }) => {
      tasks.inc({ platform, outcome });
      reply.observe({ platform }, seconds(afterMs));
    },
    taskInterrupted: ({ platform }) => interruptions.inc({ platform }),
    refused: ({ platform }) => refusals.inc({ platform }),
    cell: ({ status, durationMs }) => {
      cells.inc({ status });
      cellTime.observe({ status }, seconds(durationMs));
    },
    modelTurn: ({ reason, durationMs, usage }) => {
      turns.inc({ reason });
      turnTime.observe(seconds(durationMs));
      countTokens(usage);
    },
    post: ({ platform, kind, result, isRepeat }) => {
      posts.inc({ platform, kind, result });
      if (isRepeat) postRetries.inc({ platform });
    },
    edit: (labels) => edits.inc(labels),
    download: ({ platform, result, bytes }) => {
      downloads.inc({ platform, result });
      downloadBytes.inc({ platform }, bytes);
    },
    sandbox: ({ result, waitMs }) => sandboxTime.observe({ result }, seconds(waitMs)),
  };
}

/** Clocks of two machines may differ. */
function seconds(ms: number): number {
  return Math.max(0, ms) / 1000;
}
