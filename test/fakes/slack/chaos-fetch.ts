/** What goes wrong with one call of Slack's Web API, or with one download. */
export type SlackFault =
  /** The request never arrives. */
  | 'not-sent'
  /** It takes effect, and the answer is lost. */
  | 'answer-lost'
  | 'http-503'
  /** It takes effect, and the answer is a server error. */
  | 'http-503-after'
  | 'rate-limited'
  /** Slack's own failure, after which nobody knows. */
  | 'internal_error'
  | 'invalid_blocks'
  | 'msg_too_long'
  | 'message_not_in_streaming_state'
  /** A sign-in page instead of an answer. */
  | 'html'
  | 'slow';

/** The fault of the nth call (from 0) of a method, or of a download (`download`). */
export interface PlannedFault {
  readonly method: string;
  readonly call: number;
  readonly fault: SlackFault;
}

const slowMs = 40;

/**
 * A `fetch` for Slack's client that breaks calls as planned. `step` is awaited before and after each call has its effect: a process
 * that ends there never comes back from it.
 */
export function createChaosFetch(plan: readonly PlannedFault[], step: () => Promise<void>): typeof globalThis.fetch {
  const counts = new Map<string, number>();

  return async (input, init) => {
    const url = String(input instanceof Request ? input.url : input);
    const method = /\/api\/([\w.]+)$/.exec(url)?.[1] ?? 'download';
    const call = counts.get(method) ?? 0;
    counts.set(method, call + 1);
    const fault = plan.find((planned) => planned.method === method && planned.call === call)?.fault ?? null;
    const send = async (): Promise<Response> => {
      await step();
      const response = await fetch(input, init);
      await step();
      return response;
    };
    switch (fault) {
      case null:
        return await send();
      case 'slow':
        await new Promise((resolve) => setTimeout(resolve, slowMs));
        return await send();
      case 'not-sent':
        throw new TypeError('fetch failed');
      case 'answer-lost':
        await send();
        throw new TypeError('fetch failed');
      case 'http-503':
        return new Response('', { status: 503 });
      case 'http-503-after':
        await send();
        return new Response('', { status: 503 });
      case 'rate-limited':
        return new Response('', { status: 429, headers: { 'retry-after': '0' } });
      case 'html':
        return new Response('<!doctype html><title>Sign in</title>', { headers: { 'content-type': 'text/html' } });
      case 'internal_error':
        await send();
        return Response.json({ ok: false, error: fault });
      case 'invalid_blocks':
      case 'msg_too_long':
      case 'message_not_in_streaming_state':
        return Response.json({ ok: false, error: fault });
    }
  };
}
