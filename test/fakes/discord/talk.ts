import { setTimeout as sleep } from 'node:timers/promises';
import type { FakeDiscord } from './fake-discord.ts';
import type { InteractionState } from './interactions.ts';
import type { MessageState } from './state.ts';

/** What a person sees of the bot, for tests of the whole process. */
export interface Talk {
  /** Looks every 50 ms until there is something; rejects after a minute. */
  until<T>(what: string, look: () => T | null | undefined | false): Promise<T>;
  fromBot(channelId: string): readonly MessageState[];
  /** All words of the bot there, those of its components too. */
  said(channelId: string): string;
  /** The bot's first message that has the button, or waits for it. */
  button(channelId: string, action: string): Promise<{ readonly message: MessageState; readonly id: string }>;
  /** Presses it and resolves to what only that person is told. */
  press(channelId: string, action: string, author?: string): Promise<string>;
  /** The answer to a command, once it has words. */
  answerTo(interaction: InteractionState): Promise<MessageState>;
}

const waitMs = 60_000;

export function talkWith(discord: FakeDiscord): Talk {
  const until: Talk['until'] = async (what, look) => {
    const deadline = Date.now() + waitMs;
    while (Date.now() < deadline) {
      const found = look();
      if (found !== null && found !== undefined && found !== false) return found;
      await sleep(50);
    }
    throw new Error(`waited ${waitMs / 1000} s for ${what}`);
  };

  const fromBot: Talk['fromBot'] = (channelId) =>
    discord.messages(channelId).filter(({ authorId }) => authorId === discord.state.botId);

  const button: Talk['button'] = (channelId, action) =>
    until(`the button ${action}`, () => {
      for (const message of fromBot(channelId)) {
        const id = new RegExp(`"custom_id":"(${action}:[^"]+)"`).exec(wordsOf(message))?.[1];
        if (id !== undefined) return { message, id };
      }
      return null;
    });

  const answerTo: Talk['answerTo'] = ({ id }) =>
    until('the answer to a command', () => {
      const message = discord.state.messages.get(discord.interactions.get(id)?.responseId ?? '');
      return message !== undefined && message.content !== '' ? message : null;
    });

  return {
    until,
    fromBot,
    said: (channelId) => fromBot(channelId).map(wordsOf).join('\n'),
    button,
    press: async (channelId, action, author = discord.setting.ada.id) => {
      const { message, id } = await button(channelId, action);
      return (await answerTo(discord.press(message.id, id, { author }))).content;
    },
    answerTo,
  };
}

export function wordsOf(message: MessageState): string {
  return message.content + JSON.stringify(message.components);
}
