import { GatewayDispatchEvents } from 'discord.js';
import type { GatewayDispatchPayload, REST } from 'discord.js';
import type { Logger } from '../../src/log.ts';
import type { GatewayHandlers, PlatformGateway } from '../../src/ports/platforms.ts';
import type { AccessRules } from './access.ts';
import { createMessageChanges } from './changes.ts';
import { commandDefinitions } from './command-definitions.ts';
import { registerCommands } from './commands-registry.ts';
import { createConnection } from './connection.ts';
import { createDrafts } from './drafts.ts';
import type { Drafts } from './drafts.ts';
import { createIntake } from './intake.ts';
import { createInteractions } from './interactions.ts';
import { createOrders } from './orders.ts';
import { createPermissionCheck } from './permission-check.ts';
import { createDiscordApi } from './rest.ts';
import { createSpeech } from './speech.ts';
import { createSurroundings } from './surroundings.ts';
import type { ConnectionTimes } from './watchdog.ts';

export interface DiscordGatewayOptions {
  readonly token: string;
  /** Shared with the client of the same process, so that both know the same rate limits. */
  readonly rest: REST;
  /** `null`: the one that the token is of. */
  readonly applicationId: string | null;
  readonly apiUrl: string;
  readonly hasMessageContent: boolean;
  readonly access: AccessRules;
  readonly log: Logger;
  readonly connectionTimes?: ConnectionTimes;
  /** How long the answer to a command may still take effect, in ms. */
  readonly answerWindowMs?: number;
}

/**
 * Discord over its gateway. Events are taken as plain data; whatever is delivered twice, after a resume or by a second process,
 * has the same task id.
 */
export function createDiscordGateway(options: DiscordGatewayOptions): PlatformGateway {
  const { rest, log, access, hasMessageContent } = options;
  const underWay = new Set<Promise<void>>();
  /** The last event of each message that is being dealt with: an edit waits for the question it edits. */
  const ofMessage = new Map<string, Promise<void>>();
  let stopping = new AbortController();
  let dispatch: (payload: GatewayDispatchPayload) => Promise<void> | null = () => null;

  const connection = createConnection({
    ...options,
    ...(options.connectionTimes === undefined ? {} : { times: options.connectionTimes }),
    onDispatch: (payload) => {
      const work = stopping.signal.aborted ? null : dispatch(payload);
      if (work !== null) track(work);
    },
  });

  const track = (work: Promise<void>): void => {
    const settled = work
      .catch((error: unknown) => log.error({ error: String(error) }, 'a Discord event could not be handled'))
      .finally(() => underWay.delete(settled));
    underWay.add(settled);
  };

  const inOrder = (messageId: string, work: () => Promise<void>): Promise<void> => {
    const before = ofMessage.get(messageId) ?? Promise.resolve();
    const done = before.catch(() => undefined).then(work);
    ofMessage.set(messageId, done);
    const forget = (): void => {
      if (ofMessage.get(messageId) === done) ofMessage.delete(messageId);
    };
    done.then(forget, forget);
    return done;
  };

  const listen = (handlers: GatewayHandlers): Drafts => {
    const { signal } = stopping;
    const drafts = createDrafts({ handlers, api: createDiscordApi(rest), log, ...windowOf(options) });
    const speech = createSpeech({ rest });
    const surroundings = createSurroundings({ client: () => connection.client(), rest, signal, log });
    const permissions = createPermissionCheck({ surroundings, speech, log });
    const orders = createOrders(handlers);
    const deps = {
      handlers,
      orders,
      speech,
      surroundings,
      permissions,
      hasMessageContent,
      access,
      drafts,
      signal,
      rest,
      log,
    };
    const intake = createIntake(deps);
    const changes = createMessageChanges({ ...deps, intake });
    const interactions = createInteractions({ ...deps, intake });

    dispatch = ({ t: type, d: data }) => {
      if (type === GatewayDispatchEvents.MessageCreate) return inOrder(data.id, () => intake.hear(data));
      if (type === GatewayDispatchEvents.MessageUpdate) return inOrder(data.id, () => changes.edited(data));
      if (type === GatewayDispatchEvents.MessageDelete) {
        return inOrder(data.id, () => changes.deleted([data.id], data.channel_id, data.guild_id ?? null));
      }
      if (type === GatewayDispatchEvents.MessageDeleteBulk) {
        return changes.deleted(data.ids, data.channel_id, data.guild_id ?? null);
      }
      return type === GatewayDispatchEvents.InteractionCreate ? interactions.handle(data) : null;
    };
    return drafts;
  };

  /** Mentions work without commands: a Discord that does not take them now is told to whoever reads the log. */
  const register = async (): Promise<void> => {
    const applicationId = options.applicationId ?? connection.client().application?.id ?? '';
    await registerCommands(rest, applicationId, commandDefinitions, log).catch((error: unknown) =>
      log.error({ error: String(error) }, 'the commands could not be registered with Discord'),
    );
  };

  return {
    name: 'discord',
    start: async (handlers) => {
      stopping = new AbortController();
      const drafts = listen(handlers);
      await connection.open();
      track(drafts.recover(stopping.signal));
      await register();
      const { user, guilds } = connection.client();
      log.info({ bot: user?.id, servers: guilds.cache.size, hasMessageContent }, 'listening to Discord');
    },
    isConnected: () => !stopping.signal.aborted && connection.isReady(),
    stop: async () => {
      stopping.abort();
      await Promise.all(underWay);
      await connection.close();
    },
  };
}

function windowOf({ answerWindowMs }: DiscordGatewayOptions): { readonly windowMs?: number } {
  return answerWindowMs === undefined ? {} : { windowMs: answerWindowMs };
}
