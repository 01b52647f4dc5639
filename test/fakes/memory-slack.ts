import { AppError } from '../../src/errors.ts';
import { slackError } from '../../adapters/slack/errors.ts';
import type { SlackWeb } from '../../adapters/slack/web.ts';
import { WebAPIPlatformError } from '@slack/web-api';
import { createFakeStreams } from './slack-fake-streams.ts';
import type { StreamBehaviour } from './slack-fake-streams.ts';

export interface MemoryMessage {
  readonly ts: string;
  readonly bot_id: string;
  readonly text: string;
  readonly blocks: readonly Readonly<Record<string, unknown>>[];
  readonly metadata?: unknown;
}

export interface MemorySlack {
  readonly web: SlackWeb;
  readonly messages: () => readonly MemoryMessage[];
  readonly calls: readonly { readonly method: string; readonly args: Readonly<Record<string, unknown>> }[];
  /** What happens to a call instead of its answer; `lost`: after it took effect. */
  fail: (method: string, earlier: number) => AppError | 'lost' | null;
}

/** One channel of Slack in memory: messages, streams and statuses, as far as progress needs them. */
export function createMemorySlack(behaviour: StreamBehaviour): MemorySlack {
  const messages = new Map<string, MemoryMessage>();
  const streams = createFakeStreams(behaviour);
  const calls: { method: string; args: Readonly<Record<string, unknown>> }[] = [];

  const through = async (method: string, args: Readonly<Record<string, unknown>>) => {
    if (method === 'chat.postMessage' || method === 'chat.update') {
      const ts =
        method === 'chat.update' ? String(args['ts']) : `1790000000.${String(messages.size + 1).padStart(6, '0')}`;
      if (method === 'chat.update' && !messages.has(ts)) return { ok: false, error: 'message_not_found' };
      const blocks = (args['blocks'] ?? []) as MemoryMessage['blocks'];
      messages.set(ts, { ts, bot_id: 'B1', text: String(args['text']), blocks, metadata: args['metadata'] });
      return { ok: true, ts };
    }
    if (method === 'conversations.replies') return { ok: true, messages: [...messages.values()] };
    return { ok: false, error: 'unknown_method' };
  };

  const slack: MemorySlack = {
    messages: () => [...messages.values()],
    calls,
    fail: () => null,
    web: {
      call: async (method, args, signal) => {
        signal.throwIfAborted();
        const earlier = calls.filter((call) => call.method === method).length;
        calls.push({ method, args });
        const failure = slack.fail(method, earlier);
        if (failure instanceof AppError) throw failure;
        const answer = (await streams.answer(method, args, through)) ?? (await through(method, args));
        if (failure === 'lost') throw slackError(new TypeError('fetch failed'), method);
        if (!answer.ok) throw slackError(new WebAPIPlatformError(answer as never), method);
        return answer;
      },
    },
  };
  return slack;
}

export function rateLimited(retryAfterMs: number): AppError {
  return new AppError('platform-rate-limited', 'Wait.', { retryable: true, retryAfterMs });
}
