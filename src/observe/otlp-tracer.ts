import { ROOT_CONTEXT, SpanStatusCode, trace } from '@opentelemetry/api';
import type { Context, Span } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BasicTracerProvider, BatchSpanProcessor } from '@opentelemetry/sdk-trace-base';
import type { SpanExporter } from '@opentelemetry/sdk-trace-base';
import { AsyncLocalStorage } from 'node:async_hooks';
import { toAppError } from '../errors.ts';
import type { Logger } from '../log.ts';
import type { TracesConfig } from '../operations-config.ts';
import type { Attributes, OpenSpan, Tracer } from './tracer.ts';

/** An export takes no longer; a collector that is away costs its spans and nothing else. */
const exportTimeoutMs = 5000;
const delayMs = 2000;
const closeTimeoutMs = 1500;
/** A collector that stays away is mentioned so often. */
const complainEveryMs = 60_000;

/** OpenTelemetry spans to a collector, by OTLP over HTTP as JSON. Nothing global is set: what others in this process trace stays theirs. */
export function createOtlpTracer(deps: {
  readonly traces: TracesConfig;
  readonly version: string;
  readonly log: Logger;
}): Tracer {
  const { traces, version, log } = deps;
  const exporter = new OTLPTraceExporter({
    url: `${traces.endpoint}/v1/traces`,
    headers: { ...traces.headers },
    timeoutMillis: exportTimeoutMs,
  });
  const provider = new BasicTracerProvider({
    resource: resourceFromAttributes({ 'service.name': traces.serviceName, 'service.version': version }),
    spanProcessors: [
      new BatchSpanProcessor(complaining(exporter, log), {
        scheduledDelayMillis: delayMs,
        exportTimeoutMillis: exportTimeoutMs,
      }),
    ],
  });
  const tracer = provider.getTracer('plotline', version);
  const current = new AsyncLocalStorage<Context>();

  const begin = (name: string, attributes: Attributes, parent: Context): Span =>
    tracer.startSpan(name, { attributes: { ...attributes } }, parent);

  return {
    span: async (name, { attributes, isRoot = false }, work) => {
      const parent = isRoot ? ROOT_CONTEXT : (current.getStore() ?? ROOT_CONTEXT);
      const span = begin(name, attributes, parent);
      const open = toOpenSpan(span);
      try {
        const result = await current.run(trace.setSpan(parent, span), () => work(open));
        open.end();
        return result;
      } catch (error) {
        open.end(toAppError(error).code);
        throw error;
      }
    },
    start: (name, attributes) => toOpenSpan(begin(name, attributes, current.getStore() ?? ROOT_CONTEXT)),
    [Symbol.asyncDispose]: async () => {
      const { promise, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, closeTimeoutMs);
      // A last export that fails has been complained of.
      await Promise.race([provider.shutdown().catch(() => {}), promise]);
      clearTimeout(timer);
    },
  };
}

/** Ending twice is harmless: the first end counts. */
function toOpenSpan(span: Span): OpenSpan {
  return {
    set: (attributes) => void span.setAttributes({ ...attributes }),
    end: (failure) => {
      if (!span.isRecording()) return;
      if (failure !== undefined) span.setStatus({ code: SpanStatusCode.ERROR, message: failure });
      span.end();
    },
  };
}

/** The exporter's failures as lines of the log, which the library would keep to itself. */
function complaining(exporter: OTLPTraceExporter, log: Logger): SpanExporter {
  let complainedAtMs = Number.NEGATIVE_INFINITY;
  return {
    export: (spans, done) => {
      exporter.export(spans, (result) => {
        const nowMs = performance.now();
        if (result.error !== undefined && nowMs > complainedAtMs + complainEveryMs) {
          complainedAtMs = nowMs;
          log.warn({ spans: spans.length, error: String(result.error) }, 'the collector of traces took no spans');
        }
        done(result);
      });
    },
    shutdown: () => exporter.shutdown(),
    forceFlush: () => exporter.forceFlush(),
  };
}
