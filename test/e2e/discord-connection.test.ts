import { expect, it } from 'vitest';
import { createConnection } from '../../adapters/discord/connection.ts';
import { createDiscordRest } from '../../adapters/discord/rest.ts';
import { connectionTimes } from '../../adapters/discord/watchdog.ts';
import { createLogger } from '../../src/log.ts';
import { startFakeDiscord } from '../fakes/discord/fake-discord.ts';
import { createOpenApiOracle } from '../fakes/discord/openapi.ts';

it('a client that cannot be ended in order holds up neither the next one nor the end', async () => {
  await using discord = await startFakeDiscord({ oracle: createOpenApiOracle() });
  const at = { token: discord.token, apiUrl: discord.api };
  const connection = createConnection({
    ...at,
    rest: createDiscordRest(at),
    hasMessageContent: false,
    onDispatch: () => undefined,
    log: createLogger('silent'),
    times: { ...connectionTimes, firstPauseMs: 20, longestPauseMs: 50 },
  });
  await connection.open();
  const [first, endFirst] = breakEnd(connection.client());
  // Discord ends it for good: the connection is begun anew with another client.
  discord.gateway.close(4004);
  await expect.poll(() => discord.gateway.identifies.length, { timeout: 10_000 }).toBe(2);
  await expect
    .poll(() => connection.client() !== first && connection.client().isReady(), { timeout: 10_000 })
    .toBe(true);
  const [, endSecond] = breakEnd(connection.client());
  await expect(connection.close()).resolves.toBeUndefined();
  await Promise.all([endFirst(), endSecond()]);
}, 30_000);

/** From now on the client's `destroy` rejects; the function given back ends it all the same. */
function breakEnd<Client extends { destroy(): Promise<void> }>(client: Client): readonly [Client, () => Promise<void>] {
  const destroy = client.destroy.bind(client);
  client.destroy = () => Promise.reject(new Error('already closing'));
  return [client, destroy];
}
