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
    return await answers[fault ?? 'none'](send);
  };
}

const refused = (code: string) => async (): Promise<Response> => Response.json({ ok: false, error: code });

/** What comes back, given the way to let the call have its effect. */
const answers: Readonly<Record<SlackFault | 'none', (send: () => Promise<Response>) => Promise<Response>>> = {
  none: (send) => send(),
  slow: async (send) => {
    await new Promise((resolve) => setTimeout(resolve, slowMs));
    return await send();
  },
  'not-sent': () => Promise.reject(new TypeError('fetch failed')),
  'answer-lost': async (send) => {
    await send();
    throw new TypeError('fetch failed');
  },
  'http-503': async () => new Response('', { status: 503 }),
  'http-503-after': async (send) => {
    await send();
    return new Response('', { status: 503 });
  },
  'rate-limited': async () => new Response('', { status: 429, headers: { 'retry-after': '0' } }),
  html: async () => new Response('<!doctype html><title>Sign in</title>', { headers: { 'content-type': 'text/html' } }),
  internal_error: async (send) => {
    await send();
    return Response.json({ ok: false, error: 'internal_error' });
  },
  invalid_blocks: refused('invalid_blocks'),
  msg_too_long: refused('msg_too_long'),
  message_not_in_streaming_state: refused('message_not_in_streaming_state'),
};
