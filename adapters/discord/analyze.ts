import { Routes } from 'discord.js';
import type { APIMessage, REST } from 'discord.js';
import type { Logger } from '../../src/log.ts';
import type { GatewayHandlers } from '../../src/ports/platforms.ts';
import type { Attachment } from '../../src/types.ts';
import { breakMentions, codeSpan, defangLinks } from '../escape.ts';
import { harmless, shorten } from '../format.ts';
import { discordLimits } from './limits.ts';
import { taskIdOf, threadAt } from './message.ts';
import type { Giver } from './orders.ts';
import type { Responder } from './responder.ts';
import { threadName } from './thread.ts';

/** Of a message's 2,000 characters; names of files and the frame take the rest. */
const shownQuestionCharacters = 1200;
const shownFiles = 5;
const shownNameCharacters = 80;

const threadTimeoutMs = 10_000;

/**
 * A question that came by a command. What the command answers becomes the message of the question: others see there what was
 * asked, and the thread begins from it. Resolves once the store has the task.
 */
export async function askByCommand(
  asked: {
    readonly giver: Giver;
    readonly question: string;
    readonly attachments: readonly Attachment[];
    /** Link to the message whose files are asked about. */
    readonly about: string | null;
  },
  responder: Pick<Responder, 'answer'>,
  deps: {
    readonly handlers: Pick<GatewayHandlers, 'onTask'>;
    readonly rest: Pick<REST, 'post'>;
    readonly log: Logger;
  },
): Promise<void> {
  const { giver, question, attachments } = asked;
  const message = await responder.answer({ text: questionText(asked) });
  if (giver.place.kind === 'text') await beginThread(message, question || (attachments[0]?.name ?? ''), deps);
  await deps.handlers.onTask({
    id: taskIdOf(giver.place.guildId, channelOf(message, giver), message.id),
    thread: threadAt(giver.place, message.id),
    messageId: message.id,
    person: giver.person,
    text: question,
    attachments,
    receivedAtMs: Date.now(),
  });
}

/** Named from the question alone; where it cannot be made, the answer finds its place by itself. */
async function beginThread(
  { id, channel_id: channelId }: APIMessage,
  question: string,
  { rest, log }: { readonly rest: Pick<REST, 'post'>; readonly log: Logger },
): Promise<void> {
  const body = { name: threadName({ content: question }), auto_archive_duration: discordLimits.autoArchiveMinutes };
  await rest
    .post(Routes.threads(channelId, id), { body, signal: AbortSignal.timeout(threadTimeoutMs) })
    .catch((error: unknown) => log.warn({ channelId, error: String(error) }, 'no thread could be made for a command'));
}

function channelOf(message: APIMessage, { place }: Giver): string {
  return message.channel_id ?? place.id;
}

function questionText({ giver, question, attachments, about }: Parameters<typeof askByCommand>[0]): string {
  const files = attachments.slice(0, shownFiles).map(({ name }) => codeSpan(shorten(name, shownNameCharacters)));
  const more = attachments.length > shownFiles ? [`${attachments.length - shownFiles} more`] : [];
  const what = [...files, ...more].join(', ') || 'no file';
  const words = breakMentions(defangLinks(harmless(shorten(question, shownQuestionCharacters)))).trim();
  const quoted = (words || 'What is in it?').split('\n').map((line) => `> ${line}`);
  const head = `<@${giver.person.id}> asks about ${what}${about === null ? '' : ` of ${about}`}:`;
  return shorten([head, ...quoted].join('\n'), discordLimits.contentCharacters);
}
