import { Routes } from 'discord.js';
import type { APIMessage, APIMessageComponentInteraction, REST } from 'discord.js';
import type { GatewayHandlers } from '../../src/ports/platforms.ts';
import type { ThreadRef } from '../../src/types.ts';
import { readCustomId } from './custom-ids.ts';
import type { CustomIdAction } from './custom-ids.ts';
import { detailsSaying } from './details-text.ts';
import { questionOf } from './ids.ts';
import { contentOf, rerunIdOf, workspaceOf } from './message.ts';
import type { Intake } from './intake.ts';
import type { Giver, Orders } from './orders.ts';
import type { Responder } from './responder.ts';
import type { Saying } from './speech.ts';

/** The buttons under the bot's messages. */
export interface ButtonPresses {
  press(interaction: APIMessageComponentInteraction, giver: Giver, responder: Responder): Promise<void>;
}

const readTimeoutMs = 5000;

/** Those that are answered in words. */
type WordyAction = Exclude<CustomIdAction, 'dismiss' | 'rerun-edited'>;

const noLonger = 'I do not have this question any more. Ask it again.';

export function createButtonPresses(deps: {
  readonly handlers: GatewayHandlers;
  readonly orders: Orders;
  readonly intake: Intake;
  readonly rest: Pick<REST, 'get'>;
  /** Why this person may not ask now; `null`: they may. */
  readonly refusalToAsk: (giver: Giver, key: string) => string | null;
}): ButtonPresses {
  const { handlers, orders, intake } = deps;

  /** Resolves to what to say to the person. */
  const again = async (taskId: string, giver: Giver, interactionId: string, text: string | null): Promise<string> => {
    const id = rerunIdOf(taskId, interactionId);
    const refusal = deps.refusalToAsk(giver, id);
    if (refusal !== null) return refusal;
    return (await handlers.onRerun(taskId, { id, person: giver.person, text })) ? 'Asked again.' : noLonger;
  };

  /** The same as writing the word in the thread. */
  const notebook = async (taskId: string, giver: Giver, interactionId: string): Promise<string> => {
    const known = await handlers.findTask(taskId);
    if (known === null) return noLonger;
    const id = rerunIdOf(taskId, interactionId);
    const order = { person: giver.person, text: 'notebook', attachments: [], receivedAtMs: Date.now() };
    await handlers.onTask({ ...known.task, ...order, id });
    return 'The notebook follows in the thread.';
  };

  /** The question with the text it has now; `null` where the message is gone or cannot be read. */
  const editedText = async (taskId: string): Promise<string | null> => {
    const known = await handlers.findTask(taskId);
    const question = questionOf(taskId);
    if (known === null || question === null) return null;
    const { thread } = known.task;
    const { channelId, messageId } = question;
    const signal = AbortSignal.timeout(readTimeoutMs);
    try {
      const message = (await deps.rest.get(Routes.channelMessage(channelId, messageId), { signal })) as APIMessage;
      if (contentOf(message) === '') return null;
      const guildId = thread.workspaceId === '@me' ? {} : { guild_id: thread.workspaceId };
      return intake.taskOf({ ...message, ...guildId }, thread).text;
    } catch {
      return null;
    }
  };

  /** The task's thread; else the one the button is in, which holds for tasks that are forgotten. */
  const threadOf = async (taskId: string, giver: Giver): Promise<ThreadRef | null> =>
    (await handlers.findTask(taskId))?.task.thread ?? giver.thread;

  const withWords = async (
    { action, target }: { readonly action: WordyAction; readonly target: string },
    giver: Giver,
    responder: Responder,
    interactionId: string,
  ): Promise<void> => {
    const say = async (text: string): Promise<void> => void (await responder.answer({ text }));
    switch (action) {
      case 'stop':
        return await say(await orders.stopTask(target, giver));
      case 'delete': {
        const problem = await orders.deleteTask(target, giver);
        return await say(problem ?? 'Deleted, and forgotten here.');
      }
      case 'show-code': {
        const thread = await threadOf(target, giver);
        await responder.answer(thread === null ? { text: noLonger } : await orders.code(thread, target));
        return;
      }
      case 'details':
        await responder.answer(await details(target, giver));
        return;
      case 'good':
      case 'bad':
        await handlers.onFeedback(target, giver.person.id, action);
        return await say(
          action === 'good' ? 'Thank you.' : 'Thank you; what was wrong? Write it here, and I try again.',
        );
      case 'rerun':
        return await say(await again(target, giver, interactionId, null));
      case 'notebook':
        return await say(await notebook(target, giver, interactionId));
    }
  };

  const details = async (file: string, { thread }: Giver): Promise<Saying> => {
    const [found] = thread === null ? [] : await handlers.onShowDetails(thread, file);
    return found === undefined
      ? { text: 'I do not have the details of this file any more. Send it again to have it looked at anew.' }
      : detailsSaying(found);
  };

  /** Answers the new text and takes the offer away. */
  const answerEdited = async (
    taskId: string,
    giver: Giver,
    responder: Responder,
    interactionId: string,
  ): Promise<void> => {
    const text = await editedText(taskId);
    if (text === null) return await responder.whisper('I cannot read the question any more. Ask it again.');
    const said = await again(taskId, giver, interactionId, text);
    if (said === 'Asked again.') await responder.remove();
    else await responder.whisper(said);
  };

  return {
    press: async (interaction, giver, responder) => {
      const button = readCustomId(interaction.data.custom_id);
      if (button === null) {
        await responder.refuse('This button is of an older version of me, and does nothing any more.');
        return;
      }
      const { action, target } = button;
      if (action !== 'details' && !isOfHere(target, giver)) {
        await responder.refuse('This button is of another channel: press it there.');
        return;
      }
      if (action === 'dismiss' || action === 'rerun-edited') {
        if (!(await responder.deferUpdate())) return;
        const refusal = await orders.refusalToAnswerOffer(target, giver);
        if (refusal !== null) await responder.whisper(refusal);
        else if (action === 'dismiss') await responder.remove();
        else await answerEdited(target, giver, responder, interaction.id);
      } else if (await responder.defer()) {
        await withWords({ action, target }, giver, responder, interaction.id);
      }
    },
  };
}

/** A task's id names its server and channel; the button is there, or in a thread of that channel. */
function isOfHere(taskId: string, { place }: Giver): boolean {
  const [, workspaceId, channelId] = taskId.split('-');
  return workspaceId === workspaceOf(place.guildId) && (channelId === place.id || channelId === place.parentId);
}
