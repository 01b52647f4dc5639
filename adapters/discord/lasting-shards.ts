import { SimpleShardingStrategy } from 'discord.js';
import type { IShardingStrategy } from 'discord.js';

type Manager = ConstructorParameters<typeof SimpleShardingStrategy>[0];

/** A shard's connection, as far as it matters here. */
interface Connection {
  on(event: 'error', listener: () => void): void;
}

/**
 * The library's own strategy: all shards in this process. Where it gives up a connection that is closing already it takes its
 * listener for errors off; the connection that then breaks (`read ECONNRESET`) ends the process, for nobody listens. So each
 * connection gets a listener that stays. Of @discordjs/ws 1.2, whose names are private: a test tells when they change.
 */
export function createLastingShards(manager: Manager): IShardingStrategy {
  const strategy = new SimpleShardingStrategy(manager);
  return Object.assign(strategy, {
    spawn: async (shardIds: number[]): Promise<void> => {
      await SimpleShardingStrategy.prototype.spawn.call(strategy, shardIds);
      const shards = Reflect.get(strategy, 'shards') as ReadonlyMap<number, object>;
      for (const shard of shards.values()) listenForGood(shard);
    },
  });
}

function listenForGood(shard: object): void {
  let connection: Connection | null = null;
  Object.defineProperty(shard, 'connection', {
    configurable: true,
    enumerable: true,
    get: () => connection,
    set: (given: Connection | null) => {
      connection = given;
      // The library's own listener, while it is there, says what went wrong.
      given?.on('error', () => {});
    },
  });
}
