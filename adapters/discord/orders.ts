import type { GatewayHandlers, PersonOverview } from '../../src/ports/platforms.ts';
import type { InboxEntry } from '../../src/ports/store.ts';
import type { Person, ThreadRef } from '../../src/types.ts';
import { codeBlock } from '../escape.ts';
import { codeFileName, codeText } from '../shown-code.ts';
import { firstTaskIdOf, workspaceOf } from './message.ts';
import type { Place } from './message.ts';
import type { Saying } from './speech.ts';

/** Who gives an order, and where. */
export interface Giver {
  readonly person: Person;
  readonly place: Place;
  /** The conversation of the place; `null` in a channel, which holds many. */
  readonly thread: ThreadRef | null;
  readonly isModerator: boolean;
}

export type Forgetting = 'thread' | 'channel' | 'everywhere';

/** Orders to the bot, however they are given: by a word, a command or a button. Each resolves to what to say. */
export interface Orders {
  stop(giver: Giver): Promise<string>;
  stopTask(taskId: string, giver: Giver): Promise<string>;
  /** `null`: it is gone. */
  deleteTask(taskId: string, giver: Giver): Promise<string | null>;
  /** Why this person may not decide on the offer to answer an edited question; else `null`. */
  refusalToAnswerOffer(taskId: string, giver: Giver): Promise<string | null>;
  forget(what: Forgetting, giver: Giver): Promise<string>;
  /** The code of the task, or of the thread's newest answer. */
  code(thread: ThreadRef, taskId: string | null): Promise<Saying>;
}

/** Code that fits a message is shown, longer code is a file. */
const messageCharacters = 2000;

const unknown = 'I do not have this question any more.';

export function createOrders(handlers: GatewayHandlers): Orders {
  const overview = ({ person, place }: Giver): Promise<PersonOverview> =>
    handlers.onOverview({
      platform: 'discord',
      workspaceId: workspaceOf(place.guildId),
      personId: person.id,
    });

  const refusalOn = (known: InboxEntry, giver: Giver, verb: string): string | null =>
    giver.isModerator || known.task.person.id === giver.person.id
      ? null
      : `Only who asked, or a member with Manage Messages, can ${verb} this.`;

  return {
    stop: async (giver) => {
      const { person, place, thread, isModerator } = giver;
      const unfinished = (await overview(giver)).threads.filter(
        ({ state }) => state === 'waiting' || state === 'running',
      );
      const own = unfinished
        .map((entry) => entry.thread)
        .filter(({ channelId, threadId }) =>
          thread === null ? channelId === place.id : channelId === thread.channelId && threadId === thread.threadId,
        );
      const isEverything = thread !== null && isModerator;
      let stopped = 0;
      for (const each of isEverything ? [thread] : own) {
        stopped += await (isEverything
          ? handlers.onCancel(each, person.id)
          : handlers.onCancel(each, person.id, { askedBy: person.id }));
      }
      if (stopped > 0) return 'Stopping.';
      const whose = isModerator && thread !== null ? 'Nothing' : 'Nothing of yours';
      const who = isModerator ? '' : ' Who asked can stop a question, and members with Manage Messages.';
      return `${whose} is running in this ${thread === null ? 'channel' : 'conversation'}.${who}`;
    },

    stopTask: async (taskId, giver) => {
      const known = await handlers.findTask(taskId);
      if (known === null) return unknown;
      const refusal = refusalOn(known, giver, 'stop');
      if (refusal !== null) return refusal;
      const stopped = await handlers.onCancel(known.task.thread, giver.person.id, { taskId });
      return stopped > 0 ? 'Stopping.' : 'It has ended already.';
    },

    deleteTask: async (taskId, giver) => {
      const known = await handlers.findTask(taskId);
      if (known === null) return `${unknown} A moderator can delete the message by hand.`;
      const refusal = refusalOn(known, giver, 'delete');
      if (refusal !== null) return refusal;
      // A re-run, or a notebook, goes with the question it is of: that one may be somebody else's.
      const base = await handlers.findTask(firstTaskIdOf(taskId));
      if (base !== null && refusalOn(base, giver, 'delete') !== null) {
        return 'This belongs to a question of somebody else, and would take their answers with it. Who asked that, or a member with Manage Messages, can delete it.';
      }
      await handlers.onDelete(taskId);
      return null;
    },

    refusalToAnswerOffer: async (taskId, giver) => {
      const known = await handlers.findTask(taskId);
      return known === null ? null : refusalOn(known, giver, 'decide on');
    },

    forget: async (what, giver) => {
      const { person, place, thread, isModerator } = giver;
      if (what === 'thread') {
        if (thread === null)
          return 'This is no thread. Say it in the thread that shall be forgotten, or use `/plotline forget` with `channel` or `everywhere`.';
        // Of a direct message there is nobody else; of a thread who asked first counts, whoever made the thread itself.
        const isTheirs = isModerator || place.kind === 'direct';
        const forgotten = await handlers.onForget(
          isTheirs ? { thread, by: person.id } : { thread, begunBy: person.id, by: person.id },
        );
        if (forgotten === 0) {
          return 'Only who asked first in this thread, or a member with Manage Messages, can have it forgotten.';
        }
        return 'This thread is forgotten: its questions, files, code and answers are not kept here any more. What is posted stays until you delete it.';
      }
      const forgotten = await handlers.onForget({
        person: { platform: 'discord', workspaceId: workspaceOf(place.guildId), personId: person.id },
        channelId: what === 'channel' ? (place.parentId ?? place.id) : null,
      });
      const where = what === 'channel' ? 'in this channel' : place.guildId === null ? 'in this chat' : 'on this server';
      if (forgotten === 0) return `You began no threads ${where} that I still have.`;
      return `Forgotten: ${forgotten} ${forgotten === 1 ? 'thread' : 'threads'} that you began ${where}. What is posted stays until you delete it.`;
    },

    code: async (thread, taskId) => {
      const code = codeText(await handlers.onShowCode(thread, taskId)).trimEnd();
      if (code === '') return { text: 'No code ran for this yet.' };
      const shown = codeBlock(code, 'python');
      return shown.length <= messageCharacters
        ? { text: shown }
        : { text: 'The code, as it ran.', file: { name: codeFileName, text: code } };
    },
  };
}
