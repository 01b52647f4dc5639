import { ChannelType, DiscordAPIError } from 'discord.js';
import type { Client } from 'discord.js';
import { expect, it } from 'vitest';
import { createIntake } from '../../adapters/discord/intake.ts';
import type { HeardMessage } from '../../adapters/discord/intake.ts';
import { createOrders } from '../../adapters/discord/orders.ts';
import { createSurroundings } from '../../adapters/discord/surroundings.ts';
import { createLogger } from '../../src/log.ts';
import { createHandlers } from '../fakes/handlers.ts';

const log = createLogger('silent');
const threadId = '100000000000000001';
const guildId = '100000000000000002';
const thread = { id: threadId, type: ChannelType.PublicThread, parent_id: '100000000000000003' };
const nobody = { guilds: [], channels: [], roles: [], users: [] };

/** Of a server that the gateway has not told about yet. */
function surroundingsAsking(answer: () => Promise<unknown>) {
  const empty = { cache: new Map() };
  const client = { channels: empty, guilds: empty, user: { id: '9' }, application: null } as unknown as Client;
  return createSurroundings({
    client: () => client,
    rest: { get: answer },
    signal: new AbortController().signal,
    log,
  });
}

function heard(text: string): HeardMessage {
  return {
    id: '100000000000000004',
    type: 0,
    channel_id: threadId,
    guild_id: guildId,
    content: text,
    author: { id: '8', username: 'ada', global_name: null },
    mentions: [{ id: '9', username: 'plotline', global_name: null }],
    mention_roles: [],
    mention_everyone: false,
    attachments: [],
  } as unknown as HeardMessage;
}

it('a place that is not known is asked for again where the answer was lost, and then remembered', async () => {
  let asked = 0;
  const surroundings = surroundingsAsking(() => {
    asked += 1;
    return asked === 1 ? Promise.reject(new Error('socket hang up')) : Promise.resolve(thread);
  });
  const place = { id: threadId, kind: 'thread', parentId: thread.parent_id, guildId };
  expect(await surroundings.place(threadId, guildId)).toEqual(place);
  expect(await surroundings.place(threadId, guildId)).toEqual(place);
  expect(asked).toBe(2);
});

it('a place that Discord refuses to tell about is none, and is asked for once', async () => {
  let asked = 0;
  const refusal = new DiscordAPIError({ code: 10_003, message: 'Unknown Channel' }, 10_003, 404, 'GET', '', {});
  const surroundings = surroundingsAsking(() => {
    asked += 1;
    return Promise.reject(refusal);
  });
  expect(await surroundings.place(threadId, guildId)).toBeNull();
  expect(asked).toBe(1);
});

it('a question whose place cannot be found out is not dropped in silence', async () => {
  const handlers = createHandlers();
  const said: string[] = [];
  const intake = createIntake({
    surroundings: {
      ...surroundingsAsking(() => Promise.resolve(thread)),
      place: () => Promise.reject(new Error('socket hang up')),
      botRoleId: () => null,
    },
    handlers,
    orders: createOrders(handlers),
    speech: {
      say: async (to, { text }) => {
        said.push(`${to.channelId}: ${text}`);
        return { id: '1' } as never;
      },
      tell: () => Promise.reject(new Error('nothing to tell')),
    },
    permissions: { allows: () => Promise.resolve(true) },
    access: { allow: nobody, deny: nobody, cooldownMs: 0 },
    hasMessageContent: false,
    log,
  });
  await expect(intake.hear(heard('<@9> totals'))).rejects.toThrow('socket hang up');
  expect(said).toEqual([`${threadId}: ${expectedWords}`]);
  await intake.hear(heard('talk among people <@8>'));
  expect(said).toHaveLength(1);
});

const expectedWords = 'I could not take this question: something failed on my side. Ask it again in a minute.';
