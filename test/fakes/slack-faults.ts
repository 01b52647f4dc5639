import { setTimeout as delay } from 'node:timers/promises';
import { createFakeFiles } from './slack-fake-files.ts';
import type { FileBehaviour } from './slack-fake-files.ts';
import { createFakeStreams } from './slack-fake-streams.ts';
import type { StreamBehaviour } from './slack-fake-streams.ts';

/** What happens to one call, decided by its method and how often that method was called before (0, 1, 2 …). */
export type Fault =
  | { readonly kind: 'none' }
  /** It takes effect, and its answer is lost. */
  | { readonly kind: 'answer-lost' }
  /** It takes effect, and a proxy answers with an error page: status 502, or 200 as a sign-in page does. */
  | { readonly kind: 'page'; readonly status: number }
  /** It never arrives. */
  | { readonly kind: 'not-sent' }
  | { readonly kind: 'rate-limited'; readonly retryAfterSeconds: number }
  | { readonly kind: 'error'; readonly code: string; readonly messages?: readonly string[] }
  | { readonly kind: 'slow'; readonly ms: number };

export type SlackArguments = Readonly<Record<string, unknown>>;

/** Passes a call on to local-slack and resolves to its answer. */
export type CallThrough = (method: string, args: SlackArguments) => Promise<SlackAnswer>;

export type SlackAnswer = Readonly<Record<string, unknown>> & { readonly ok: boolean };

export interface FaultyFetch {
  readonly fetch: typeof globalThis.fetch;
  /** How often each method was tried. */
  readonly counts: ReadonlyMap<string, number>;
  /** All calls that arrived, oldest first. */
  readonly calls: readonly { readonly method: string; readonly args: SlackArguments }[];
}

/**
 * A `fetch` for Slack's Web API with faults, and with what local-slack lacks: messages keep their `metadata`, `markdown` blocks
 * lose their ids, images have to be processed before they are shown, uploads refuse `markdown` blocks, and (where `streams` is
 * given) native streams, agent sessions and statuses.
 */
export function createFaultyFetch(
  decide: (method: string, earlierCalls: number, args: SlackArguments) => Fault,
  behaviour: { readonly files?: FileBehaviour; readonly streams?: StreamBehaviour } = {},
): FaultyFetch {
  const counts = new Map<string, number>();
  const calls: { method: string; args: SlackArguments }[] = [];
  const metadata = new Map<string, unknown>();
  const files = createFakeFiles(behaviour.files ?? {});
  const streams = behaviour.streams === undefined ? null : createFakeStreams(behaviour.streams);

  const answerOf = async (method: string, args: SlackArguments, through: CallThrough): Promise<SlackAnswer> => {
    const refused = files.refusal(method, args);
    if (refused !== null) return refused;
    const streamed = await streams?.answer(method, args, through);
    if (streamed !== undefined && streamed !== null) return streamed;
    return await files.answer(method, withoutMarkdownIds(args), through);
  };

  const faulty: typeof globalThis.fetch = async (input, init) => {
    const url = String(input instanceof Request ? input.url : input);
    const method = /\/api\/([\w.]+)$/.exec(url)?.[1];
    if (method === undefined) return await fetch(input, init);
    const args = argumentsOf(init?.body);
    const earlier = counts.get(method) ?? 0;
    counts.set(method, earlier + 1);
    const fault = decide(method, earlier, args);

    if (fault.kind === 'not-sent') throw new TypeError('fetch failed');
    if (fault.kind === 'error') {
      const response_metadata = { messages: fault.messages ?? [] };
      return Response.json({ ok: false, error: fault.code, response_metadata });
    }
    if (fault.kind === 'rate-limited') {
      return new Response('', { status: 429, headers: { 'retry-after': String(fault.retryAfterSeconds) } });
    }
    if (fault.kind === 'slow') await delay(fault.ms);
    calls.push({ method, args });
    const through: CallThrough = async (name, sent) => {
      const body = new URLSearchParams();
      for (const [key, value] of Object.entries(sent)) {
        if (value !== undefined) body.set(key, typeof value === 'string' ? value : JSON.stringify(value));
      }
      const headers = { ...Object.fromEntries(new Headers(init?.headers)), 'content-type': formType };
      return (await (
        await fetch(url.replace(method, name), { method: 'POST', headers, body: body.toString() })
      ).json()) as SlackAnswer;
    };
    const answer = await answerOf(method, args, through);
    if (method === 'chat.postMessage' && args['metadata'] !== undefined)
      metadata.set(String(answer['ts']), args['metadata']);
    if (fault.kind === 'answer-lost') throw new TypeError('fetch failed');
    if (fault.kind === 'page') {
      return new Response('<!DOCTYPE html><title>Sign in</title>', {
        status: fault.status,
        headers: { 'content-type': 'text/html' },
      });
    }
    const messages = (answer['messages'] as { ts: string }[] | undefined)?.map((message) => ({
      ...message,
      metadata: metadata.get(message.ts),
    }));
    return Response.json({ ...answer, ...(messages === undefined ? {} : { messages }) });
  };
  return { fetch: faulty, counts, calls };
}

const formType = 'application/x-www-form-urlencoded';

function argumentsOf(body: unknown): SlackArguments {
  const fields: Record<string, unknown> = {};
  for (const [key, value] of new URLSearchParams(typeof body === 'string' ? body : '')) {
    fields[key] = /^[[{]/.test(value) ? (JSON.parse(value) as unknown) : value;
  }
  return fields;
}

/** Slack keeps no ids of `markdown` blocks. */
function withoutMarkdownIds(args: SlackArguments): SlackArguments {
  const blocks = args['blocks'] as readonly Record<string, unknown>[] | undefined;
  if (!Array.isArray(blocks)) return args;
  return {
    ...args,
    blocks: blocks.map((block) => (block['type'] === 'markdown' ? { ...block, block_id: undefined } : block)),
  };
}
