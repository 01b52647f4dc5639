import type { Logger } from '../log.ts';
import type { TracesConfig } from '../operations-config.ts';
import type { Model } from '../ports/model.ts';
import type { WakeHandler } from '../ports/dispatcher.ts';
import type { GatewayHandlers, PlatformClient } from '../ports/platforms.ts';
import type { SandboxProvider } from '../ports/sandbox.ts';
import type { Telemetry } from '../ports/telemetry.ts';
import { noMeasures } from './measures.ts';
import type { Metrics } from './metrics.ts';
import { observeClient } from './observed-client.ts';
import { observeModel } from './observed-model.ts';
import { observeSandboxes } from './observed-sandboxes.ts';
import { createTelemetry } from './telemetry.ts';
import { noTracer } from './tracer.ts';

/** Everything that is observed of one process: parts of the bot go in and come out with their calls counted, timed and traced. */
export interface Observation extends AsyncDisposable {
  readonly telemetry: Telemetry;
  /** `null` where nobody can ask for them. */
  readonly metrics: Metrics | null;
  client(platform: string, client: PlatformClient): PlatformClient;
  model(model: Model): Model;
  sandboxes(provider: SandboxProvider): SandboxProvider;
  handlers(handlers: GatewayHandlers): GatewayHandlers;
  threadHandler(handler: WakeHandler): WakeHandler;
}

/**
 * `hasMetrics` and `traces` decide what is loaded: where nobody looks, only the log knows its tasks. Disposing sends the last spans.
 */
export async function createObservation(deps: {
  readonly hasMetrics: boolean;
  readonly traces: TracesConfig | null;
  readonly version: string;
  readonly log: Logger;
}): Promise<Observation> {
  const { hasMetrics, traces, version, log } = deps;
  const metrics = hasMetrics ? (await import('./metrics.ts')).createMetrics({ version }) : null;
  const tracer =
    traces === null ? noTracer : (await import('./otlp-tracer.ts')).createOtlpTracer({ traces, version, log });
  const measures = metrics ?? noMeasures;
  const telemetry = createTelemetry({ log, measures, tracer });
  const observers = { log, measures, tracer, telemetry };
  return {
    telemetry,
    metrics,
    client: (platform, client) => observeClient(platform, client, observers),
    model: (model) => observeModel(model, observers),
    sandboxes: (provider) => observeSandboxes(provider, observers),
    handlers: (handlers) => ({
      ...handlers,
      onTask: (task) => telemetry.about(task, () => handlers.onTask(task)),
      onEdit: (task) => telemetry.about(task, () => handlers.onEdit(task)),
    }),
    // Whoever woke the thread may have done so for another task.
    threadHandler: (handler) => (threadKey, signal) => log.within({ threadKey }, () => handler(threadKey, signal)),
    [Symbol.asyncDispose]: () => tracer[Symbol.asyncDispose](),
  };
}
