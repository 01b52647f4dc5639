import Bull from 'bull';
import { AppError } from '../errors.ts';
import type { Logger } from '../log.ts';
import { within } from './within.ts';

/** ioredis as Bull brings it. */
export type Redis = Bull.Queue['client'];

/** How long one call may take while Redis does not answer. */
const commandTimeoutMs = 3000;

/** A lost connection is tried again after at most so long: threads wait for it. */
const longestReconnectMs = 1000;

/** Messages of a connection that is down repeat with every attempt; one in this time is logged. */
const quietMs = 10_000;

/** Of all keys in Redis. Its braces keep them in one slot. */
export const defaultPrefix = '{plotline}';

export interface RedisQueue {
  /** Carries the wakes. Its own connections wait for Redis as long as it takes. */
  readonly queue: Bull.Queue<Carrier>;
  /** For calls that somebody waits for: they reject within seconds where Redis does not answer. */
  readonly commands: Redis;
  /** One more connection, which waits as the queue's do; for subscriptions. */
  connect(): Redis;
  /** Also where Redis does not answer. */
  close(): Promise<void>;
}

/** What a job in Bull says: for the operators' board, and no contents. */
export interface Carrier {
  /** The thread that it was added for, then the one that it runs. */
  readonly thread: string;
}

/** Jobs that have ended stay for the board, as many as this. */
const keptJobs = 200;

/**
 * Bull's queue of `{prefix}` at `url` (redis:// or, with TLS, rediss://), and connections beside it. Connections are opened at once and
 * come back by themselves; that Redis is away is logged.
 */
export function openRedis(options: {
  readonly url: string;
  readonly prefix: string;
  readonly log: Logger;
}): RedisQueue {
  const { url, prefix, log } = options;
  const queue = new Bull<Carrier>('wakes', {
    prefix,
    redis: connectionOf(url),
    defaultJobOptions: { attempts: 1, removeOnComplete: keptJobs, removeOnFail: keptJobs },
    settings: {
      lockDuration: 30_000,
      stalledInterval: 15_000,
      // A job that comes back only takes whichever thread is next: there is nothing in it that could end a process again and again.
      maxStalledCount: 1000,
      retryProcessDelay: 1000,
    },
  });
  const note = quietly((error) => log.warn({ error: error.message }, 'Redis does not answer'));
  queue.on('error', note);
  const connections: Redis[] = [];
  const connect = (given: Parameters<Redis['duplicate']>[0] = {}): Redis => {
    const connection = queue.client.duplicate(given);
    connection.on('error', note);
    connections.push(connection);
    return connection;
  };
  const commands = connect({
    maxRetriesPerRequest: 20,
    commandTimeout: commandTimeoutMs,
    // Whether a call took effect is not known when the connection breaks: its caller decides, not the connection.
    autoResendUnfulfilledCommands: false,
    // After a start Redis first reads its data: a call then waits for that rather than fail.
    enableReadyCheck: true,
  });
  return {
    queue,
    commands,
    connect: () => connect(),
    close: async () => {
      const closed = queue.close(true).catch((error: unknown) => note(error as Error));
      if (!(await within(commandTimeoutMs, closed))) queue.client.disconnect();
      for (const connection of connections) connection.disconnect();
    },
  };
}

function connectionOf(url: string): Bull.QueueOptions['redis'] & object {
  const { protocol, hostname, port, username, password, pathname } = new URL(url);
  return {
    host: hostname.replace(/^\[(.*)\]$/, '$1'),
    port: Number(port || '6379'),
    db: Number(pathname.slice(1) || '0'),
    ...(username === '' ? {} : { username: decodeURIComponent(username) }),
    ...(password === '' ? {} : { password: decodeURIComponent(password) }),
    ...(protocol === 'rediss:' ? { tls: {} } : {}),
    // Bull asks for both of its blocking connections.
    maxRetriesPerRequest: null,
    enableReadyCheck: false,
    retryStrategy: (attempt: number) => Math.min(50 * attempt, longestReconnectMs),
  };
}

function quietly(say: (error: Error) => void): (error: Error) => void {
  let saidAtMs = -Infinity;
  return (error) => {
    if (performance.now() - saidAtMs < quietMs) return;
    saidAtMs = performance.now();
    say(error);
  };
}

/** `work`, or a rejection when it takes longer than a call may; it may still be done afterwards. */
export async function bounded(work: Promise<unknown>): Promise<void> {
  if (await within(commandTimeoutMs, work)) return;
  work.catch(() => {});
  throw queueAway(new Error(`no answer within ${commandTimeoutMs} ms`));
}

export function queueAway(cause: unknown): AppError {
  return new AppError('internal', 'My queue does not answer right now. What you asked is kept; I will get to it.', {
    cause,
    retryable: true,
    detail: `Redis: ${cause instanceof Error ? cause.message : String(cause)}`,
  });
}
