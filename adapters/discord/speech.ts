import { MessageFlags, Routes } from 'discord.js';
import type { APIChannel, APIMessage, APIMessageTopLevelComponent, REST } from 'discord.js';
import { nonceOf } from './ids.ts';

/** A short message of the bot that is no answer to a question: a notice, a refusal, an offer. */
export interface Saying {
  readonly text: string;
  readonly components?: readonly APIMessageTopLevelComponent[];
  readonly file?: { readonly name: string; readonly text: string };
}

export interface Speech {
  /** Posts in a channel or thread, once for the same `key` within some minutes. `replyTo` is a message in it. */
  say(
    to: { readonly channelId: string; readonly replyTo: string | null },
    saying: Saying,
    key: string,
  ): Promise<APIMessage>;
  /** In a direct message. Rejects where the person takes none. */
  tell(userId: string, saying: Saying, key: string): Promise<APIMessage>;
}

const sayTimeoutMs = 15_000;

export function createSpeech({ rest }: { readonly rest: Pick<REST, 'post'> }): Speech {
  const post = async (channelId: string, replyTo: string | null, saying: Saying, key: string): Promise<APIMessage> => {
    const body = {
      ...bodyOf(saying),
      nonce: nonceOf(key, 'saying'),
      enforce_nonce: true,
      ...(replyTo === null ? {} : { message_reference: { message_id: replyTo, fail_if_not_exists: false } }),
    };
    const signal = AbortSignal.timeout(sayTimeoutMs);
    const request = { body, signal, ...filesOf(saying) };
    return (await rest.post(Routes.channelMessages(channelId), request)) as APIMessage;
  };

  return {
    say: ({ channelId, replyTo }, saying, key) => post(channelId, replyTo, saying, key),
    tell: async (userId, saying, key) => {
      const signal = AbortSignal.timeout(sayTimeoutMs);
      const channel = (await rest.post(Routes.userChannels(), {
        body: { recipient_id: userId },
        signal,
      })) as APIChannel;
      return await post(channel.id, null, saying, key);
    },
  };
}

/** The message's JSON. Nobody is pinged by it, and it shows no previews of links. */
export function bodyOf({ text, components, file }: Saying) {
  return {
    content: text,
    allowed_mentions: { parse: [] },
    flags: MessageFlags.SuppressEmbeds,
    ...(components === undefined ? {} : { components }),
    ...(file === undefined ? {} : { attachments: [{ id: '0', filename: file.name }] }),
  };
}

export function filesOf({ file }: Saying) {
  return file === undefined ? {} : { files: [{ name: file.name, data: Buffer.from(`${file.text}\n`) }] };
}
