import { PermissionFlagsBits } from 'discord.js';
import type { Place } from './message.ts';

/** All that the bot uses: the `permissions` of its invite link. Its messages hold no embeds and suppress previews of links. */
export const invitePermissions =
  PermissionFlagsBits.ViewChannel |
  PermissionFlagsBits.SendMessages |
  PermissionFlagsBits.SendMessagesInThreads |
  PermissionFlagsBits.CreatePublicThreads |
  PermissionFlagsBits.AttachFiles |
  PermissionFlagsBits.ReadMessageHistory;

/** As Discord's settings name them in English. */
const names: readonly (readonly [bit: bigint, name: string])[] = [
  [PermissionFlagsBits.ViewChannel, 'View Channel'],
  [PermissionFlagsBits.SendMessages, 'Send Messages'],
  [PermissionFlagsBits.CreatePublicThreads, 'Create Public Threads'],
  [PermissionFlagsBits.SendMessagesInThreads, 'Send Messages in Threads'],
  [PermissionFlagsBits.AttachFiles, 'Attach Files'],
  [PermissionFlagsBits.ReadMessageHistory, 'Read Message History'],
];

/**
 * What must be granted before a question asked in the place can be answered; empty where nothing is missing. `has` are the bot's
 * permissions in the channel itself, overwrites counted. A channel where no thread can be made is answered in directly.
 */
export function missingPermissions(has: bigint, kind: Place['kind']): readonly string[] {
  if (kind === 'direct' || isGranted(has, PermissionFlagsBits.Administrator)) return [];
  return names
    .filter(([bit]) => neededIn(kind, has).some((needed) => needed === bit) && !isGranted(has, bit))
    .map(([, name]) => name);
}

/** Whether a line can be said where the question was asked. */
export function canSpeak(has: bigint, kind: Place['kind']): boolean {
  if (kind === 'direct' || isGranted(has, PermissionFlagsBits.Administrator)) return true;
  const bit = kind === 'thread' ? PermissionFlagsBits.SendMessagesInThreads : PermissionFlagsBits.SendMessages;
  return isGranted(has, PermissionFlagsBits.ViewChannel) && isGranted(has, bit);
}

export function isModerator(has: bigint): boolean {
  return isGranted(has, PermissionFlagsBits.ManageMessages) || isGranted(has, PermissionFlagsBits.Administrator);
}

const always = [
  PermissionFlagsBits.ViewChannel,
  PermissionFlagsBits.AttachFiles,
  PermissionFlagsBits.ReadMessageHistory,
];

function neededIn(kind: Place['kind'], has: bigint): readonly bigint[] {
  if (kind === 'thread') return [...always, PermissionFlagsBits.SendMessagesInThreads];
  if (kind === 'flat' || isGranted(has, PermissionFlagsBits.SendMessages)) {
    return [...always, PermissionFlagsBits.SendMessages];
  }
  return [...always, PermissionFlagsBits.CreatePublicThreads, PermissionFlagsBits.SendMessagesInThreads];
}

function isGranted(has: bigint, bit: bigint): boolean {
  return (has & bit) === bit;
}
