import { ApplicationCommandOptionType } from 'discord.js';
import type { APIChatInputApplicationCommandInteraction } from 'discord.js';
import type { GatewayHandlers } from '../../src/ports/platforms.ts';
import { workspaceOf } from './message.ts';
import type { Forgetting, Giver, Orders } from './orders.ts';
import { helpText, statusText, usageText } from './overview-text.ts';

/** `/plotline …`: resolves to what only the person sees. */
export async function plotlineText(
  { data }: APIChatInputApplicationCommandInteraction,
  giver: Giver,
  deps: {
    readonly handlers: GatewayHandlers;
    readonly orders: Orders;
    readonly botUserId: string;
    readonly hasMessageContent: boolean;
  },
): Promise<string> {
  const { handlers, orders } = deps;
  const overview = () =>
    handlers.onOverview({
      platform: 'discord',
      workspaceId: workspaceOf(giver.place.guildId),
      personId: giver.person.id,
    });
  const [chosen] = data.options ?? [];
  if (chosen?.type !== ApplicationCommandOptionType.Subcommand) return helpText(deps.botUserId, deps.hasMessageContent);
  switch (chosen.name) {
    case 'status':
      return statusText(await overview());
    case 'usage':
      return usageText(await overview());
    case 'stop':
      return await orders.stop(giver);
    case 'forget': {
      const what = chosen.options?.find(({ name }) => name === 'what');
      const value = what !== undefined && 'value' in what ? String(what.value) : null;
      return await orders.forget(forgettingOf(value, giver), giver);
    }
    default:
      return helpText(deps.botUserId, deps.hasMessageContent);
  }
}

function forgettingOf(value: string | null, { thread }: Giver): Forgetting {
  if (value === 'thread' || value === 'channel' || value === 'everywhere') return value;
  return thread === null ? 'channel' : 'thread';
}
