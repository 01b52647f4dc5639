import type { Logger } from '../../src/log.ts';
import { asNumber, asObject } from '../json.ts';
import { discordLimits } from './limits.ts';
import type { DiscordApi } from './rest.ts';

const rememberedMs = 60 * 60_000;
const rememberedGuilds = 1000;

/** How large a file a guild takes: Discord says so only by its boost level. */
export interface FileLimits {
  /** For files of `largestBytes` at most: Discord is not asked where every guild takes them. Never rejects. */
  of(guildId: string, largestBytes: number, signal: AbortSignal): Promise<number>;
}

/** `fixedBytes`: the same for every guild, instead of asking. */
export function createFileLimits(deps: {
  readonly api: DiscordApi;
  readonly fixedBytes: number | null;
  readonly log: Logger;
}): FileLimits {
  const known = new Map<string, { readonly bytes: number; readonly untilMs: number }>();
  const [smallest] = discordLimits.fileBytesByTier;
  return {
    of: async (guildId, largestBytes, signal) => {
      if (deps.fixedBytes !== null) return deps.fixedBytes;
      if (largestBytes <= smallest || !/^\d+$/.test(guildId)) return smallest;
      const before = known.get(guildId);
      if (before !== undefined && before.untilMs > Date.now()) return before.bytes;
      try {
        const guild = asObject(await deps.api.call('GET', `/guilds/${guildId}`, { signal }));
        const bytes = discordLimits.fileBytesByTier[asNumber(guild['premium_tier']) ?? 0] ?? smallest;
        if (known.size >= rememberedGuilds) known.clear();
        known.set(guildId, { bytes, untilMs: Date.now() + rememberedMs });
        return bytes;
      } catch (error) {
        deps.log.warn({ guildId, error: String(error) }, 'the boost level of the server is not known');
        return smallest;
      }
    },
  };
}
