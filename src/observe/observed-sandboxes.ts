import type { Logger } from '../log.ts';
import type { SandboxProvider } from '../ports/sandbox.ts';
import type { Measures } from './measures.ts';
import { resultOf } from './observed-client.ts';
import type { Tracer } from './tracer.ts';

/** The provider, with the waiting for its sandboxes timed. A line of the log says which container a task got. */
export function observeSandboxes(
  provider: SandboxProvider,
  deps: { readonly measures: Measures; readonly tracer: Tracer; readonly log: Logger },
): SandboxProvider {
  const { measures, tracer, log } = deps;
  return {
    sweep: () => provider.sweep(),
    acquire: (...call) =>
      tracer.span('sandbox', { attributes: {} }, async () => {
        const startedAtMs = performance.now();
        const waitMs = (): number => performance.now() - startedAtMs;
        try {
          const session = await provider.acquire(...call);
          measures.sandbox({ result: 'ok', waitMs: waitMs() });
          log.info({ container: session.id.slice(0, 12), waitMs: Math.round(waitMs()) }, 'sandbox taken');
          return session;
        } catch (error) {
          measures.sandbox({ result: resultOf(error), waitMs: waitMs() });
          throw error;
        }
      }),
    [Symbol.asyncDispose]: () => provider[Symbol.asyncDispose](),
  };
}
