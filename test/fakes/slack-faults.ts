import { setTimeout as delay } from 'node:timers/promises';

/** What happens to one call, decided by its method and how often that method was called before (0, 1, 2 …). */
export type Fault =
  | { readonly kind: 'none' }
  /** It takes effect, and its answer is lost. */
  | { readonly kind: 'answer-lost' }
  /** It never arrives. */
  | { readonly kind: 'not-sent' }
  | { readonly kind: 'rate-limited'; readonly retryAfterSeconds: number }
  | { readonly kind: 'error'; readonly code: string }
  | { readonly kind: 'slow'; readonly ms: number };

/**
 * A `fetch` for Slack's Web API with faults, and with what local-slack lacks: messages keep their `metadata`, as Slack's do.
 * `counts` tells how often each method was tried.
 */
export function createFaultyFetch(decide: (method: string, earlierCalls: number) => Fault): {
  readonly fetch: typeof globalThis.fetch;
  readonly counts: ReadonlyMap<string, number>;
} {
  const counts = new Map<string, number>();
  const metadata = new Map<string, unknown>();

  const faulty: typeof globalThis.fetch = async (input, init) => {
    const url = String(input instanceof Request ? input.url : input);
    const method = /\/api\/([\w.]+)$/.exec(url)?.[1];
    if (method === undefined) return await fetch(input, init);
    const earlier = counts.get(method) ?? 0;
    counts.set(method, earlier + 1);
    const fault = decide(method, earlier);

    if (fault.kind === 'not-sent') throw new TypeError('fetch failed');
    if (fault.kind === 'error') return Response.json({ ok: false, error: fault.code });
    if (fault.kind === 'rate-limited') {
      return new Response('', { status: 429, headers: { 'retry-after': String(fault.retryAfterSeconds) } });
    }
    if (fault.kind === 'slow') await delay(fault.ms);
    const answer = (await (await fetch(input, init)).json()) as { ts?: string; messages?: { ts: string }[] };
    const sent = new URLSearchParams(typeof init?.body === 'string' ? init.body : '').get('metadata');
    if (method === 'chat.postMessage' && sent !== null) metadata.set(answer.ts ?? '', JSON.parse(sent));
    if (fault.kind === 'answer-lost') throw new TypeError('fetch failed');
    const messages = answer.messages?.map((message) => ({ ...message, metadata: metadata.get(message.ts) }));
    return Response.json({ ...answer, ...(messages === undefined ? {} : { messages }) });
  };
  return { fetch: faulty, counts };
}
