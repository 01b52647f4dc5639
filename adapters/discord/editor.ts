import type { ThreadRef } from '../../src/types.ts';
import { hasCode, isFormRefused } from './errors.ts';
import { componentMessage, layOut, plainMessage } from './layout.ts';
import { contentBudget } from './limits.ts';
import { splitForDiscord } from './markdown.ts';
import type { RenderedPost } from './rendered-post.ts';
import type { DiscordApi } from './rest.ts';

/** Changes messages of ours, and takes them away. */
export interface Editor {
  /** What does not fit one message is left out, and that is said. */
  edit(thread: ThreadRef, messageId: string, rendered: RenderedPost, signal: AbortSignal): Promise<void>;
  /** Messages that are gone already are no failure. */
  remove(thread: ThreadRef, messageIds: readonly string[], signal: AbortSignal): Promise<void>;
}

const shortened = '\n-# Shortened to fit one message.';

export function createEditor(deps: { readonly api: DiscordApi }): Editor {
  const { api } = deps;

  /** Where no thread could be made, and for refusals, a thread's messages stand in the channel around it. */
  const wherever = async (thread: ThreadRef, act: (channelId: string) => Promise<void>): Promise<void> => {
    try {
      await act(thread.threadId);
    } catch (error) {
      const mayBeAround = thread.channelId !== thread.threadId && hasCode(error, 'unknownChannel', 'unknownMessage');
      if (!mayBeAround) throw error;
      await act(thread.channelId);
    }
  };

  const patch = async (channelId: string, messageId: string, body: unknown, signal: AbortSignal): Promise<void> => {
    const route = `/channels/${channelId}/messages/${messageId}` as const;
    try {
      await api.call('PATCH', route, { body, signal });
    } catch (error) {
      if (!hasCode(error, 'archivedThread')) throw error;
      await api.call('PATCH', `/channels/${channelId}`, { body: { archived: false }, signal });
      await api.call('PATCH', route, { body, signal });
    }
  };

  return {
    edit: async (thread, messageId, rendered, signal) => {
      const fit = (text: string, isCut: boolean): string => (isCut ? text + shortened : text);
      const [first = ''] = rendered.texts;
      const [part] = layOut({ ...rendered, texts: [fit(first, rendered.texts.length > 1)] }, []);
      if (part === undefined) return;
      await wherever(thread, async (channelId) => {
        try {
          // It may have gone out as a plain message: beside components Discord takes no content, not even what is there.
          const { body } = componentMessage(part, messageId);
          await patch(channelId, messageId, { content: null, ...body }, signal);
        } catch (error) {
          if (!isFormRefused(error)) throw error;
          const [text = '', ...rest] = splitForDiscord(part.text, contentBudget - shortened.length);
          const plain = plainMessage({ ...part, text: fit(text, rest.length > 0) }).body;
          await patch(channelId, messageId, { components: [], ...plain }, signal);
        }
      });
    },

    remove: async (thread, messageIds, signal) => {
      for (const messageId of messageIds) {
        try {
          await wherever(thread, async (channelId) => {
            await api.call('DELETE', `/channels/${channelId}/messages/${messageId}`, { signal });
          });
        } catch (error) {
          if (!hasCode(error, 'unknownMessage', 'unknownChannel')) throw error;
        }
      }
    },
  };
}
