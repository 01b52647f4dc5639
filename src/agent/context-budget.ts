import type { ModelMessage } from '../ports/model.ts';
import { oneLine } from './cut.ts';

/**
 * How hard the conversation is squeezed for the model's context window: 0 not at all, 1 older tool outputs become one line,
 * 2 the thread before this question is dropped as well and long code and outputs are shortened. The transcript that is kept stays whole.
 */
export type Squeeze = 0 | 1 | 2;
export const hardestSqueeze: Squeeze = 2;

/** Room for the answer, which counts against the same window. In tokens. */
export function outputTokensFor(squeeze: Squeeze): number {
  return squeeze === 0 ? 16_000 : squeeze === 1 ? 4000 : 2000;
}

/** Characters a tool output or a piece of code keeps at the hardest squeeze. */
const shortCharacters = 2000;

/** `questionIndex`: where this task's question is; everything before it is older history. */
export function squeezed(
  messages: readonly ModelMessage[],
  questionIndex: number,
  squeeze: Squeeze,
): readonly ModelMessage[] {
  if (squeeze === 0) return messages;
  const lastTurn = messages.findLastIndex(({ role }) => role === 'assistant');
  const lighter = messages.map((message, index) => (index < lastTurn ? withoutOutput(message) : message));
  if (squeeze === 1) return lighter;
  const [question, ...rest] = lighter.slice(questionIndex).map(short);
  if (question?.role !== 'user') return lighter.slice(questionIndex).map(short);
  // The note travels inside the question: two user messages in a row are refused by some servers.
  return [questionIndex > 0 ? { ...question, text: `${droppedNote}\n\n${question.text}` } : question, ...rest];
}

const droppedNote =
  '[Earlier messages of this thread were left out to save space. Their files are still in /mnt/data: see plotline.tables(path).]';

function withoutOutput(message: ModelMessage): ModelMessage {
  return message.role === 'tool' ? { ...message, text: summaryOf(message.text) } : message;
}

/** The status line, and for a failure its first words. */
export function summaryOf(output: string): string {
  if (output.length <= 300) return output;
  const [status = '', ...rest] = output.split('\n');
  const error = rest[0] === '## error' ? ` ${rest[1] ?? ''}` : '';
  return `${oneLine(`${status}${error}`, 240)} [output left out to save space]`;
}

function short(message: ModelMessage): ModelMessage {
  if (message.role === 'user') return message;
  if (message.role === 'tool') return { ...message, text: cut(message.text) };
  // Code that is cut would no longer be JSON; a stand-in is, and the calls stay paired with their results.
  const toolCalls = message.toolCalls.map((call) =>
    call.argumentsText.length <= shortCharacters
      ? call
      : {
          ...call,
          argumentsText: JSON.stringify({ title: 'Left out to save space', code: '# left out to save space' }),
        },
  );
  return { ...message, toolCalls, providerItems: null };
}

function cut(text: string): string {
  if (text.length <= shortCharacters) return text;
  const half = shortCharacters / 2;
  return `${text.slice(0, half).toWellFormed()}\n[… left out to save space …]\n${text.slice(-half).toWellFormed()}`;
}
