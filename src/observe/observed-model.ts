import type { Model } from '../ports/model.ts';
import type { Measures } from './measures.ts';
import type { Tracer } from './tracer.ts';

/** The model, with its turns timed and its tokens counted. */
export function observeModel(
  model: Model,
  { measures, tracer }: { readonly measures: Measures; readonly tracer: Tracer },
): Model {
  async function* stream(...call: Parameters<Model['stream']>): ReturnType<Model['stream']> {
    const startedAtMs = performance.now();
    const span = tracer.start('model turn', {});
    try {
      for await (const event of model.stream(...call)) {
        if (event.type === 'finish') {
          const { reason, usage, error } = event;
          measures.modelTurn({ reason, durationMs: performance.now() - startedAtMs, usage });
          span.set({
            'plotline.turn.reason': reason,
            'plotline.turn.input_tokens': usage.inputTokens,
            'plotline.turn.output_tokens': usage.outputTokens,
          });
          span.end(error?.code);
        }
        yield event;
      }
    } finally {
      // Whoever listens may stop before the end.
      span.end('interrupted');
    }
  }

  return { name: model.name, builtIn: model.builtIn, stream };
}
