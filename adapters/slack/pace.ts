import { setTimeout as delay } from 'node:timers/promises';
import { AppError } from '../../src/errors.ts';
import { cancelled } from './errors.ts';
import { asText } from '../json.ts';
import type { Json } from '../json.ts';
import type { SlackWeb } from './web.ts';

/**
 * Calls at the pace Slack asks for, each channel in a line of its own: a busy or blocked channel never holds up another one.
 * All of it is in this process's memory; where several processes post, Slack's own answers (429) say the rest.
 */
export interface Pace {
  /** The same calls, paced. `workspaceId` keeps workspaces apart that share a channel. */
  of(web: SlackWeb, workspaceId: string): SlackWeb;
}

export interface Clock {
  now(): number;
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  sleep: async (ms, signal) => {
    await delay(ms, undefined, { signal });
  },
};

/** A longer wait is the dispatcher's: a thread that waits takes no place of a worker. */
const maxWaitMs = 4000;
/** How often one call is tried again after a short "too many requests". */
const maxTries = 3;
const maxLines = 2000;

interface Rate {
  readonly intervalMs: number;
  /** So many may go at once after a pause. */
  readonly burst: number;
}

/** One message a second and channel, short bursts allowed. */
const posts: Rate = { intervalMs: 1000, burst: 4 };
/** Edits of one message: tier 3 (50 a minute) allows no more, and a reader sees no more. */
const edits: Rate = { intervalMs: 1000, burst: 2 };

const rates: ReadonlyMap<string, Rate> = new Map([
  ['chat.postMessage', posts],
  ['chat.postEphemeral', posts],
  ['chat.startStream', posts],
  ['chat.update', edits],
  ['chat.appendStream', edits],
]);

interface Line {
  /** When the line would be empty if nothing more came. */
  emptyAtMs: number;
  blockedUntilMs: number;
  /** How often it was blocked: places taken before the last time do not count any more. */
  blocks: number;
}

export function createPace(clock: Clock = systemClock): Pace {
  const lines = new Map<string, Line>();

  const lineOf = (key: string): Line => {
    const line = lines.get(key) ?? { emptyAtMs: 0, blockedUntilMs: 0, blocks: 0 };
    lines.set(key, line);
    if (lines.size > maxLines) {
      const nowMs = clock.now();
      for (const [other, { emptyAtMs, blockedUntilMs }] of lines) {
        if (other !== key && emptyAtMs <= nowMs && blockedUntilMs <= nowMs) lines.delete(other);
      }
    }
    return line;
  };

  /** Takes the next place in the line; resolves when it is the call's turn. A block that came meanwhile means a new place. */
  const takeTurn = async (line: Line, rate: Rate | null, method: string, signal: AbortSignal): Promise<void> => {
    let blocks: number;
    do {
      blocks = line.blocks;
      const nowMs = clock.now();
      const freeMs = rate === null ? nowMs : line.emptyAtMs - (rate.burst - 1) * rate.intervalMs;
      const atMs = Math.max(nowMs, freeMs, line.blockedUntilMs);
      if (atMs - nowMs > maxWaitMs) throw tooBusy(method, atMs - nowMs);
      if (rate !== null) line.emptyAtMs = Math.max(line.emptyAtMs, atMs) + rate.intervalMs;
      if (atMs > nowMs) await clock.sleep(atMs - nowMs, signal);
    } while (line.blocks !== blocks);
  };

  /** All who wait line up again behind the block, and no burst follows it. */
  const block = (line: Line, rate: Rate | null, waitMs: number): void => {
    const untilMs = clock.now() + waitMs;
    // Calls that were sent together are refused together.
    if (untilMs <= line.blockedUntilMs) return;
    line.blockedUntilMs = untilMs;
    line.blocks += 1;
    if (rate !== null) line.emptyAtMs = untilMs + (rate.burst - 1) * rate.intervalMs;
  };

  const call = async (
    web: SlackWeb,
    workspaceId: string,
    method: string,
    args: Json,
    signal: AbortSignal,
  ): Promise<Json> => {
    const rate = rates.get(method) ?? null;
    const line = lineOf(JSON.stringify([workspaceId, method, channelOf(args), rate === edits ? args['ts'] : null]));
    for (let tries = 1; ; tries += 1) {
      try {
        await takeTurn(line, rate, method, signal);
      } catch (error) {
        if (signal.aborted) throw cancelled(signal, method);
        throw error;
      }
      try {
        return await web.call(method, args, signal);
      } catch (error) {
        if (!(error instanceof AppError) || error.code !== 'platform-rate-limited') throw error;
        const waitMs = error.retryAfterMs ?? 1000;
        block(line, rate, waitMs);
        if (waitMs > maxWaitMs || tries >= maxTries) throw error;
      }
    }
  };

  return {
    of: (web, workspaceId) => ({ call: (method, args, signal) => call(web, workspaceId, method, args, signal) }),
  };
}

function channelOf(args: Json): string | null {
  return asText(args['channel']) ?? asText(args['channel_id']);
}

function tooBusy(method: string, waitMs: number): AppError {
  const seconds = Math.ceil(waitMs / 1000);
  return new AppError('platform-rate-limited', `Slack lets me post in this channel again in ${seconds} s.`, {
    retryable: true,
    retryAfterMs: waitMs,
    detail: `${method}: this channel's line is ${waitMs} ms long`,
  });
}
