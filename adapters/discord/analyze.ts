import type { Logger } from '../../src/log.ts';
import type { Attachment, Person } from '../../src/types.ts';
import { breakMentions, codeSpan, defangLinks } from '../escape.ts';
import { harmless, shorten } from '../format.ts';
import type { Drafts, Question } from './drafts.ts';
import { discordLimits } from './limits.ts';
import type { Responder } from './responder.ts';

/** Of a message's 2,000 characters; names of files and the frame take the rest. */
const shownQuestionCharacters = 1200;
const shownFiles = 5;
const shownNameCharacters = 80;

/** Stands for a question that is empty. */
const defaultQuestion = 'What is in it?';

const broken = 'That failed on my side, and nothing came of it. Try it again in a minute.';

/**
 * A question that came by a command or a form. What answers it is the message of the question: others see there what was asked, and
 * the thread begins from it. It is kept before Discord is answered; from the answer on, whatever happens to this process, it is
 * taken up. Resolves once the store has the task, or once the person was told that it has not.
 */
export async function askByCommand(
  question: Question,
  /** Link to the message whose files are asked about. */
  about: string | null,
  responder: Pick<Responder, 'announce' | 'apologize'>,
  deps: { readonly drafts: Drafts; readonly log: Logger; readonly signal: AbortSignal },
): Promise<void> {
  const { drafts, log, signal } = deps;
  await drafts.keep(question);
  const shown = await responder.announce({ text: questionText({ ...question, about }) });
  const { interactionId } = question;
  let messageId: string | null;
  try {
    // Where the answer to our answer was lost, the channel tells whether it counts.
    messageId = shown.kind === 'unknown' ? await drafts.find(question, signal) : shown.messageId;
  } catch (error) {
    log.error({ interactionId, error: String(error) }, 'a question is left to the next start');
    return;
  }
  if (messageId === null) return await drafts.drop(question);
  try {
    await drafts.takeUp(question, messageId);
  } catch (error) {
    log.error({ interactionId, error: String(error) }, 'a question could not be taken');
    await responder.apologize(broken);
    await drafts.drop(question);
  }
}

function questionText(asked: {
  readonly person: Person;
  readonly text: string;
  readonly attachments: readonly Attachment[];
  readonly about: string | null;
}): string {
  const { person, text, attachments, about } = asked;
  const files = attachments.slice(0, shownFiles).map(({ name }) => codeSpan(shorten(name, shownNameCharacters)));
  const more = attachments.length > shownFiles ? [`${attachments.length - shownFiles} more`] : [];
  const what = [...files, ...more].join(', ') || 'no file';
  const words = breakMentions(defangLinks(harmless(shorten(text, shownQuestionCharacters)))).trim();
  const quoted = (words || defaultQuestion).split('\n').map((line) => `> ${line}`);
  const head = `<@${person.id}> asks about ${what}${about === null ? '' : ` of ${about}`}:`;
  return shorten([head, ...quoted].join('\n'), discordLimits.contentCharacters);
}

/** What `questionText` shows as asked; of an empty question the first file. For naming the thread. */
export function questionIn(content: string): string {
  const [head = '', ...lines] = content.split('\n');
  const asked = lines.map((line) => line.replace(/^> ?/, '')).join('\n');
  const [, fileName] = /asks about `+\s?([^`]+?)\s?`/.exec(head) ?? [];
  return asked === defaultQuestion ? (fileName ?? asked) : asked;
}
