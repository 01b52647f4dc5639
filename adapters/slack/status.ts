import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from '../../src/log.ts';
import type { ThreadRef } from '../../src/types.ts';
import { createMissingFeatures } from './features.ts';
import type { Json } from '../json.ts';
import type { SlackWeb } from './web.ts';

/**
 * Slack's "is working" sign. An app that is an agent has sessions: `processing` shows it together with Slack's own *Stop*. Elsewhere
 * it is the status of an assistant thread. A workspace may have neither; then the progress message has to do.
 */
export interface StatusSigns {
  /** `null` clears it. Never rejects. */
  set(web: SlackWeb, thread: ThreadRef, text: string | null, signal: AbortSignal): Promise<void>;
  /** The task still runs: a sign that would soon expire is set again. Never rejects. */
  refresh(web: SlackWeb, thread: ThreadRef, signal: AbortSignal): Promise<void>;
}

/** Slack clears an assistant's status after two minutes; a session's after an hour, which no task takes. */
const refreshMs = 90_000;
/** Of threads whose sign was never cleared here, the oldest are forgotten. */
const maxThreads = 1000;
/** A sign that sticks misleads, so clearing is tried more than once. */
const clearTries = 3;

export function createStatusSigns(deps: {
  readonly log: Logger;
  readonly now: () => number;
  /** Before clearing is tried again. */
  readonly settleMs: number;
}): StatusSigns {
  const missing = createMissingFeatures(deps.now);
  /** Assistant statuses that are on, by thread. */
  const shown = new Map<string, { readonly text: string; readonly setAtMs: number }>();

  const call = async (web: SlackWeb, thread: ThreadRef, method: string, more: Json, signal: AbortSignal) => {
    const key = `${method} ${thread.workspaceId}`;
    if (missing.isMissing(key)) return 'missing';
    try {
      await web.call(method, { channel_id: thread.channelId, thread_ts: thread.threadId, ...more }, signal);
      return 'done';
    } catch (error) {
      deps.log.debug({ method, error: String(error) }, 'the status was not set');
      return missing.note(key, error) ? 'missing' : 'failed';
    }
  };

  const setOnce = async (web: SlackWeb, thread: ThreadRef, text: string | null, signal: AbortSignal) => {
    const status = text === null ? 'active' : 'processing';
    const session = await call(web, thread, 'agents.sessions.setStatus', { status }, signal);
    if (session !== 'missing') return session;
    return await setAssistants(web, thread, text, signal);
  };

  const setAssistants = async (web: SlackWeb, thread: ThreadRef, text: string | null, signal: AbortSignal) => {
    const outcome = await call(web, thread, 'assistant.threads.setStatus', { status: text ?? '' }, signal);
    if (outcome === 'done' && text !== null) remember(threadKey(thread), text);
    return outcome;
  };

  /** It was set this way, so it is there to clear, whatever was answered since. */
  const clearShown = async (web: SlackWeb, thread: ThreadRef, signal: AbortSignal): Promise<void> => {
    for (let tries = 1; tries <= clearTries && !signal.aborted; tries += 1) {
      missing.forget(`assistant.threads.setStatus ${thread.workspaceId}`);
      if ((await setAssistants(web, thread, null, signal)) === 'done') return;
      await delay(deps.settleMs * tries);
    }
  };

  const remember = (key: string, text: string): void => {
    shown.delete(key);
    shown.set(key, { text, setAtMs: deps.now() });
    const [oldest] = shown.keys();
    if (shown.size > maxThreads && oldest !== undefined) shown.delete(oldest);
  };

  return {
    set: async (web, thread, text, signal) => {
      if (text === null && shown.delete(threadKey(thread))) return await clearShown(web, thread, signal);
      for (let tries = 1; ; tries += 1) {
        const outcome = await setOnce(web, thread, text, signal);
        if (outcome !== 'failed' || text !== null || tries === clearTries || signal.aborted) return;
        await delay(deps.settleMs * tries);
      }
    },

    refresh: async (web, thread, signal) => {
      const sign = shown.get(threadKey(thread));
      if (sign === undefined || deps.now() - sign.setAtMs < refreshMs) return;
      await setOnce(web, thread, sign.text, signal);
    },
  };
}

function threadKey({ workspaceId, channelId, threadId }: ThreadRef): string {
  return JSON.stringify([workspaceId, channelId, threadId]);
}
