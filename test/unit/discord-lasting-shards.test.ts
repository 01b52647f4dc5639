import type { EventEmitter } from 'node:events';
import { Client, GatewayIntentBits } from 'discord.js';
import type { IShardingStrategy } from 'discord.js';
import { expect, it } from 'vitest';
import { createLastingShards } from '../../adapters/discord/lasting-shards.ts';
import { startFakeDiscord } from '../fakes/discord/fake-discord.ts';
import { createOpenApiOracle } from '../fakes/discord/openapi.ts';

it('a connection that breaks after it was given up ends nothing', async () => {
  await using discord = await startFakeDiscord({ oracle: createOpenApiOracle() });
  const strategies: IShardingStrategy[] = [];
  const client = new Client({
    intents: [GatewayIntentBits.Guilds],
    rest: { api: discord.api },
    ws: {
      buildStrategy: (manager) => {
        const strategy = createLastingShards(manager);
        strategies.push(strategy);
        return strategy;
      },
    },
  });
  await client.login(discord.token);
  const shards = Reflect.get(strategies[0] ?? {}, 'shards') as ReadonlyMap<number, { readonly connection: Socket }>;
  const connections = [...shards.values()].map(({ connection }) => connection);
  expect(connections).toHaveLength(1);
  const [connection] = connections;
  if (connection === undefined) throw new Error('no connection');
  // The library is told to end a connection that is closing already.
  connection.close();
  await client.destroy();
  expect(() => connection.emit('error', new Error('read ECONNRESET'))).not.toThrow();
});

interface Socket extends EventEmitter {
  close(): void;
}
