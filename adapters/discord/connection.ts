import { setTimeout as delay } from 'node:timers/promises';
import { Client, Events, GatewayIntentBits, Options, Partials, Routes, Status } from 'discord.js';
import type { APIGatewayBotInfo, GatewayDispatchPayload, REST } from 'discord.js';
import type { AppError } from '../../src/errors.ts';
import type { Logger } from '../../src/log.ts';
import { createLastingShards } from './lasting-shards.ts';
import { apiRoot } from './rest.ts';
import { closeError, startError } from './start-errors.ts';
import { connectionTimes, createCloseCounter, pauseMs, sessionWaitMs } from './watchdog.ts';
import type { ConnectionTimes } from './watchdog.ts';

/** The connection to Discord's gateway: discord.js resumes and shards it; what it would repeat for ever is ended here, and begun anew after a pause. */
export interface Connection {
  /** The client in use; another one after a restart of the connection. Only once `open` was called. */
  client(): Client;
  /** Resolves when all shards are ready. Rejects with `config` for what somebody must change, `platform-failed` where Discord is out of reach. */
  open(): Promise<void>;
  /** All shards are ready. */
  isReady(): boolean;
  close(): Promise<void>;
}

export interface ConnectionOptions {
  readonly token: string;
  readonly rest: Pick<REST, 'get'>;
  readonly apiUrl: string;
  readonly hasMessageContent: boolean;
  readonly onDispatch: (payload: GatewayDispatchPayload) => void;
  readonly log: Logger;
  readonly times?: ConnectionTimes;
}

/** Why a client is given up. `error`: what stays wrong until somebody changes it. */
type End = { readonly why: string; readonly error: AppError | null };

export function createConnection(options: ConnectionOptions): Connection {
  const { token, rest, log } = options;
  const times = options.times ?? connectionTimes;
  const closing = new AbortController();
  let current: Client | null = null;
  let supervision: Promise<void> = Promise.resolve();

  /** Ready, or why not. Afterwards `ended` tells when this client is of no more use. */
  const attempt = async (): Promise<{ readonly ready: boolean; readonly ended: Promise<End> }> => {
    await waitForSessions(rest, closing.signal, log);
    const client = createClient(options);
    current = client;
    const ended = Promise.withResolvers<End>();
    const isReady = Promise.withResolvers<boolean>();
    watch(client, times, log, ended.resolve);
    client.once(Events.ClientReady, () => isReady.resolve(true));
    void ended.promise.then(() => isReady.resolve(false));
    const deadline = setTimeout(
      () => ended.resolve({ why: `not ready in ${times.readyMs} ms`, error: null }),
      times.readyMs,
    );
    // It may resolve before the client is ready, and hang where it never is.
    client.login(token).catch((error: unknown) => {
      const failure = startError(error);
      ended.resolve({ why: failure.message, error: failure.code === 'config' ? failure : null });
    });
    const ready = await isReady.promise;
    clearTimeout(deadline);
    return { ready, ended: ended.promise };
  };

  /** A client that cannot even be ended is left behind: the next one must not wait for it. */
  const giveUp = async (): Promise<void> => {
    await current?.destroy().catch((error: unknown) => {
      log.warn({ error: String(error) }, 'a Discord client could not be ended in order');
    });
  };

  /** Lives as long as the connection: the next client comes after a pause that grows until one has become ready. */
  const supervise = async (first: Promise<End>): Promise<void> => {
    let ended = first;
    let failures = 0;
    while (!closing.signal.aborted) {
      const end = await Promise.race([ended, whenAborted(closing.signal)]);
      if (end === null) return;
      await giveUp();
      const pause = end.error === null ? pauseMs(failures, times) : times.longestPauseMs;
      log.error({ why: end.why, pauseMs: pause }, 'not connected to Discord; it is tried again after a pause');
      await delay(pause, undefined, { signal: closing.signal, ref: false }).catch(() => undefined);
      if (closing.signal.aborted) return;
      failures += 1;
      try {
        const next = await attempt();
        if (next.ready) failures = 0;
        ended = next.ended;
      } catch (error) {
        const failure = startError(error);
        ended = Promise.resolve({ why: failure.message, error: failure.code === 'config' ? failure : null });
      }
    }
  };

  return {
    client: () => {
      if (current === null) throw new Error('the connection to Discord is not open');
      return current;
    },

    isReady: () => current?.isReady() === true && current.ws.shards.every(({ status }) => status === Status.Ready),

    open: async () => {
      let failures = 0;
      for (;;) {
        const { ready, ended } = await attempt().catch((error: unknown) => Promise.reject(startError(error)));
        if (ready) {
          supervision = supervise(ended);
          return;
        }
        const end = await ended;
        await giveUp();
        if (end.error !== null) throw end.error;
        const pause = pauseMs(failures, times);
        failures += 1;
        log.error({ why: end.why, pauseMs: pause }, 'Discord did not become ready; it is tried again after a pause');
        await delay(pause, undefined, { signal: closing.signal });
      }
    },

    close: async () => {
      closing.abort();
      await giveUp();
      await supervision;
    },
  };
}

function createClient({ apiUrl, hasMessageContent, onDispatch }: ConnectionOptions): Client {
  const client: Client = new Client({
    intents: [
      GatewayIntentBits.Guilds,
      GatewayIntentBits.GuildMessages,
      GatewayIntentBits.DirectMessages,
      ...(hasMessageContent ? [GatewayIntentBits.MessageContent] : []),
    ],
    partials: [Partials.Channel],
    shards: 'auto',
    ws: { buildStrategy: createLastingShards },
    rest: { api: apiRoot(apiUrl) },
    allowedMentions: { parse: [] },
    // Messages are read as the gateway tells them; of members only the bot itself is needed, for its permissions.
    makeCache: Options.cacheWithLimits({
      ...Options.DefaultMakeCacheSettings,
      MessageManager: 0,
      ReactionManager: 0,
      PresenceManager: 0,
      VoiceStateManager: 0,
      GuildEmojiManager: 0,
      GuildMemberManager: { maxSize: 0, keepOverLimit: ({ id }) => id === client.user?.id },
      UserManager: { maxSize: 0, keepOverLimit: ({ id }) => id === client.user?.id },
    }),
  });
  // As it comes, before the library looks at it: it drops messages of channels that it does not have.
  client.on(Events.Raw, (payload: GatewayDispatchPayload) => onDispatch(payload));
  return client;
}

function watch(client: Client, times: ConnectionTimes, log: Logger, end: (end: End) => void): void {
  const counter = createCloseCounter(times);
  client.on(Events.ShardReconnecting, (shard) => {
    log.warn({ shard }, 'the connection to Discord was closed; it is resumed');
    if (counter.closed(Date.now())) end({ why: `closed ${times.closes} times in a row`, error: null });
  });
  client.on(Events.ShardReady, () => counter.ready());
  client.on(Events.ShardResume, (shard, replayed) => {
    counter.ready();
    log.info({ shard, replayed }, 'the connection to Discord was resumed');
  });
  client.on(Events.ShardDisconnect, ({ code }) => {
    const error = closeError(code);
    end({ why: error?.message ?? `Discord closed the connection for good (${code})`, error });
  });
  client.on(Events.ShardError, (error, shard) =>
    log.warn({ shard, error: String(error) }, 'the socket to Discord failed'),
  );
  client.on(Events.Error, (error) => log.warn({ error: String(error) }, 'the Discord client failed'));
  client.on(Events.Warn, (message) => log.warn({ message }, 'the Discord client warns'));
  client.on(Events.Invalidated, () => end({ why: 'the session was made invalid', error: null }));
}

/** Each try costs a session of the day's; with none left Discord resets the token. */
async function waitForSessions(rest: Pick<REST, 'get'>, signal: AbortSignal, log: Logger): Promise<void> {
  const info = (await rest.get(Routes.gatewayBot(), { signal })) as APIGatewayBotInfo;
  const waitMs = sessionWaitMs(info.session_start_limit, info.shards);
  if (waitMs === 0) return;
  log.error(
    { waitMs, left: info.session_start_limit.remaining },
    'hardly any sessions are left today: waiting for new ones',
  );
  await delay(waitMs, undefined, { signal });
}

async function whenAborted(signal: AbortSignal): Promise<null> {
  if (signal.aborted) return null;
  const { promise, resolve } = Promise.withResolvers<null>();
  signal.addEventListener('abort', () => resolve(null), { once: true });
  return promise;
}
