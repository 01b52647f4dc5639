import { toAppError } from '../errors.ts';
import type { Bytes } from '../ports/blobs.ts';
import type { PlatformClient } from '../ports/platforms.ts';
import type { CallResult, Measures, PostedKind } from './measures.ts';
import type { TaskTelemetry } from './telemetry.ts';
import type { Tracer } from './tracer.ts';

/** The client, with its posts, edits, refusals and downloads counted, and spans around what a task waits for. */
export function observeClient(
  platform: string,
  client: PlatformClient,
  deps: { readonly measures: Measures; readonly tracer: Tracer; readonly telemetry: TaskTelemetry },
): PlatformClient {
  const { measures, tracer, telemetry } = deps;

  /** One attempt to post. */
  const posting = async <T>(kind: PostedKind, isRepeat: boolean, work: () => Promise<T>): Promise<T> => {
    const count = (result: CallResult): void => measures.post({ platform, kind, result, isRepeat });
    return await tracer.span('post', { attributes: { 'plotline.post.kind': kind } }, () => counted(count, work));
  };

  async function* download(...call: Parameters<PlatformClient['download']>): Bytes {
    let bytes = 0;
    let result: CallResult = 'cancelled';
    try {
      for await (const chunk of client.download(...call)) {
        bytes += chunk.length;
        yield chunk;
      }
      result = 'ok';
    } catch (error) {
      result = resultOf(error);
      throw error;
    } finally {
      measures.download({ platform, result, bytes });
    }
  }

  return {
    ...client,
    download,
    admit: (...call) =>
      tracer.span('admit', { attributes: {} }, async (span) => {
        const admission = await client.admit(...call);
        span.set({ 'plotline.admission': admission.kind });
        if (admission.kind === 'refused') measures.refused({ platform });
        return admission;
      }),
    post: async (thread, message, context) => {
      const receipt = await posting(message.kind, context.isRepeat, () => client.post(thread, message, context));
      if (message.kind === 'progress' && !context.isRepeat) telemetry.progressPosted();
      return receipt;
    },
    upload: (thread, files, text, context) =>
      posting('upload', context.isRepeat, () => client.upload(thread, files, text, context)),
    edit: (...call) =>
      counted(
        (result) => measures.edit({ platform, result }),
        () => client.edit(...call),
      ),
  };
}

async function counted<T>(count: (result: CallResult) => void, work: () => Promise<T>): Promise<T> {
  try {
    const value = await work();
    count('ok');
    return value;
  } catch (error) {
    count(resultOf(error));
    throw error;
  }
}

export function resultOf(error: unknown): CallResult {
  const { code } = toAppError(error);
  if (code === 'platform-rate-limited') return 'rate-limited';
  return code === 'cancelled' ? 'cancelled' : 'failed';
}
