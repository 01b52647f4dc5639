import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from '../../src/log.ts';
import type { Progress, ThreadRef } from '../../src/types.ts';
import { isAmbiguous, slackCodeOf } from './errors.ts';
import { createMissingFeatures } from './features.ts';
import { asText } from '../json.ts';
import type { Json } from '../json.ts';
import { isMarked, marked, markOf, partsOf } from './marks.ts';
import type { SlackMessage } from './message.ts';
import { askedTs } from './post-plan.ts';
import { progressChunks, renderProgress } from './render-progress.ts';
import { readThread } from './thread.ts';
import type { SlackWeb } from './web.ts';
import { partsOf as partsOfWorkspace } from './workspaces.ts';

/**
 * Progress as one of Slack's native streams: a plan whose steps tick off, with *Stop* below it. Only some workspaces, channels and
 * people can have one, it lives for five minutes, and it holds 12,000 characters; whatever ends it, the same message goes on as
 * one that is edited. A stream is known to the process that began it: another one, or this one after a restart, ends it first.
 */
export interface ProgressStreams {
  /** The stream's message, or `null` where progress has to be a posted message. */
  start(web: SlackWeb, thread: ThreadRef, progress: Progress, post: StreamPost): Promise<string | null>;
  /**
   * The stream that a process which is gone began for the post, where Slack does not show its mark: the first behind the post's
   * question that nobody here knows.
   */
  find(messages: readonly SlackMessage[], thread: ThreadRef, postId: string): string | null;
  /** Shows the newest progress, in the stream while there is one. One call at a time for each message. */
  edit(web: SlackWeb, thread: ThreadRef, ts: string, progress: Progress, signal: AbortSignal): Promise<void>;
}

export interface StreamPost {
  readonly postId: string;
  readonly partId: string;
  readonly signal: AbortSignal;
}

/** Slack ends a stream after about 5 minutes, with an error on what follows; ended before, nobody notices. */
const maxAgeMs = 230_000;
/** `stopStream` fails from 12,000 on, task cards included. */
const maxCharacters = 10_000;
const closeTimeoutMs = 15_000;

interface Stream {
  readonly startedAtMs: number;
  characters: number;
  /** As the stream shows it. */
  shown: Progress;
  /** Newer than `shown` where the last call failed. */
  newest: Progress;
  readonly expiry: NodeJS.Timeout;
}

export function createProgressStreams(deps: {
  readonly log: Logger;
  readonly now: () => number;
  readonly settleMs: number;
  /** How long before Slack's own limit a stream is ended; the tests are not that patient. */
  readonly maxAgeMs?: number;
}): ProgressStreams {
  const { log } = deps;
  const ageMs = deps.maxAgeMs ?? maxAgeMs;
  const missing = createMissingFeatures(deps.now);
  const streams = new Map<string, Stream>();
  /** The last edit of each message that is not over yet. */
  const underWay = new Map<string, Promise<unknown>>();

  const keyOf = (thread: ThreadRef, ts: string): string => JSON.stringify([thread.workspaceId, thread.channelId, ts]);

  const inTurn = async <Value>(key: string, work: () => Promise<Value>): Promise<Value> => {
    const turn = (underWay.get(key) ?? Promise.resolve()).then(work, work);
    const settled = turn.catch(() => undefined);
    underWay.set(key, settled);
    try {
      return await turn;
    } finally {
      if (underWay.get(key) === settled) underWay.delete(key);
    }
  };

  const begin = (web: SlackWeb, thread: ThreadRef, ts: string, progress: Progress, characters: number): string => {
    const key = keyOf(thread, ts);
    const expiry = setTimeout(() => {
      void inTurn(key, async () => {
        const stream = streams.get(key);
        streams.delete(key);
        if (stream !== undefined) {
          await goOnAsMessage(web, thread, ts, stream.newest, AbortSignal.timeout(closeTimeoutMs));
        }
      }).catch((error: unknown) => log.warn({ ts, error: String(error) }, 'a stream could not be ended in time'));
    }, ageMs);
    expiry.unref();
    streams.set(key, { startedAtMs: deps.now(), characters, shown: progress, newest: progress, expiry });
    return ts;
  };

  const forget = (key: string): void => {
    clearTimeout(streams.get(key)?.expiry);
    streams.delete(key);
  };

  const start: ProgressStreams['start'] = async (web, thread, progress, { postId, partId, signal }) => {
    const keys = [
      thread.workspaceId,
      `${thread.workspaceId} ${thread.channelId}`,
      `${thread.workspaceId} ${progress.personId}`,
    ];
    if (!progress.running || keys.some((key) => missing.isMissing(key))) return null;
    const chunks = [...progressChunks(progress, null), stopChunk(progress, markOf(postId, [partId]))];
    try {
      const answer = await web.call(
        'chat.startStream',
        {
          channel: thread.channelId,
          thread_ts: thread.threadId,
          recipient_team_id: partsOfWorkspace(thread.workspaceId).teamId ?? thread.workspaceId,
          recipient_user_id: progress.personId,
          task_display_mode: 'plan',
          chunks,
        },
        signal,
      );
      const ts = asText(answer['ts']);
      return ts === null ? null : begin(web, thread, ts, progress, sizeOf(chunks));
    } catch (error) {
      if (signal.aborted) throw error;
      log.info({ workspaceId: thread.workspaceId, error: String(error) }, 'progress goes without a native stream');
      missing.note(keyOfRefusal(error, keys), error);
      if (!isAmbiguous(error)) return null;
      // Its answer was lost: the thread knows.
      await delay(deps.settleMs, undefined, { signal });
      const messages = await readThread(web, thread, { signal });
      const known = partsOf(messages, postId).find((part) => part.partId === partId);
      const ts = known?.messageId ?? find(messages, thread, postId);
      return ts === null ? null : begin(web, thread, ts, progress, sizeOf(chunks));
    }
  };

  const find: ProgressStreams['find'] = (messages, thread, postId) =>
    messages.find(
      (message) =>
        message.isStreaming &&
        message.botId !== null &&
        !isMarked(message) &&
        Number(message.ts) > askedTs(postId) &&
        !streams.has(keyOf(thread, message.ts)),
    )?.ts ?? null;

  const edit: ProgressStreams['edit'] = (web, thread, ts, progress, signal) => {
    const key = keyOf(thread, ts);
    return inTurn(key, async () => {
      const stream = streams.get(key);
      if (stream === undefined) return await update(web, thread, ts, progress, signal);
      stream.newest = progress;
      const chunks = progressChunks(progress, stream.shown);
      const size = sizeOf(chunks);
      const isOver = !progress.running || deps.now() - stream.startedAtMs >= ageMs;
      if (isOver || stream.characters + size > maxCharacters) {
        return await goOnAsMessage(web, thread, ts, progress, signal);
      }
      if (chunks.length === 0) return;
      try {
        await web.call('chat.appendStream', { channel: thread.channelId, ts, chunks }, signal);
      } catch (error) {
        // A limit passes, and a step that is sent twice is shown once; any other answer means that the stream is over.
        if (slackCodeOf(error) === null || isAmbiguous(error)) throw error;
        log.info({ ts, error: String(error) }, 'a stream ended early');
        return await goOnAsMessage(web, thread, ts, progress, signal);
      }
      stream.characters += size;
      stream.shown = progress;
    });
  };

  /** Ends the stream; from then on its message is one that is edited, which also takes *Stop* off it in the end. */
  const goOnAsMessage = async (
    web: SlackWeb,
    thread: ThreadRef,
    ts: string,
    progress: Progress,
    signal: AbortSignal,
  ): Promise<void> => {
    await stop(web, thread, ts, signal);
    await update(web, thread, ts, progress, signal);
    // Only now: where it failed, the next edit or the stream's expiry tries it again.
    forget(keyOf(thread, ts));
  };

  const stop = async (web: SlackWeb, thread: ThreadRef, ts: string, signal: AbortSignal): Promise<void> => {
    try {
      await web.call('chat.stopStream', { channel: thread.channelId, ts }, signal);
    } catch (error) {
      // It ended by itself, or the update below says that it did not.
      log.debug({ ts, error: String(error) }, 'a stream was not stopped');
    }
  };

  const update = async (
    web: SlackWeb,
    thread: ThreadRef,
    ts: string,
    progress: Progress,
    signal: AbortSignal,
  ): Promise<void> => {
    const part = renderProgress(progress);
    const args = { channel: thread.channelId, ts, text: part.text, blocks: part.blocks };
    try {
      await web.call('chat.update', args, signal);
    } catch (error) {
      if (slackCodeOf(error) !== 'streaming_state_conflict') throw error;
      await stop(web, thread, ts, signal);
      await web.call('chat.update', args, signal);
    }
  };

  return { start, find, edit };
}

/** The button that the posted form has as well; its block carries the mark, for streams take no metadata. */
function stopChunk(progress: Progress, mark: string): Json {
  const buttons = renderProgress(progress).blocks.filter(({ type }) => type === 'actions');
  return { type: 'blocks', blocks: marked(buttons, mark) };
}

/** Of the workspace's, the channel's and the person's key the one that the refusal is about. */
function keyOfRefusal(error: unknown, [workspace = '', channel = '', person = '']: readonly string[]): string {
  const code = slackCodeOf(error) ?? '';
  if (/^(?:user|team)_not_found$|recipient/.test(code)) return person;
  return /channel|thread|not_in/.test(code) || code === '' ? channel : workspace;
}

function sizeOf(chunks: readonly Json[]): number {
  return chunks.length === 0 ? 0 : JSON.stringify(chunks).length;
}
