import type { DiscordState, MessageState } from './state.ts';

/**
 * Whether the bot sees content, embeds, files and components of a message. Without the MessageContent intent only of its own, in
 * private conversations, and where it is mentioned; a mention of its role is none, and neither is the ping of a reply to its answer
 * to a command. Source: docs, events/gateway, message content intent; reference, section 1.1.
 */
export function isContentVisible(state: DiscordState, message: MessageState, hasContent: boolean): boolean {
  if (hasContent || message.authorId === state.botId || message.guildId === null) return true;
  if (isNamed(state, message.content)) return true;
  if (!message.mentions.includes(state.botId)) return false;
  const answered = message.reference?.kind === 'reply' ? state.messages.get(message.reference.messageId) : undefined;
  return answered?.interaction === null;
}

function isNamed({ botId }: DiscordState, content: string): boolean {
  return content.includes(`<@${botId}>`) || content.includes(`<@!${botId}>`);
}
