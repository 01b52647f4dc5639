import type { ModelMessage } from '../ports/model.ts';

/** Room for the thread before the question, in tokens, beside the instructions, the question and this task's own turns. */
const historyTokens = 48_000;

/** A rule of thumb for English text and code with common tokenizers. */
const charactersPerToken = 4;

/** Room for the cards of dropped tasks, in characters. */
const droppedCardsCharacters = 16_000;

export interface StoredTurn {
  readonly messages: readonly ModelMessage[];
}

/**
 * The thread so far for the model, oldest first. Whole tasks are dropped from the oldest on when they do not fit, so a tool call
 * and its result always stay together; a message in their place says how many, with the cards of their files.
 */
export function threadHistory(
  turns: readonly StoredTurn[],
  maxTokens: number = historyTokens,
): readonly ModelMessage[] {
  let room = maxTokens;
  let first = turns.length;
  for (const [index, turn] of [...turns.entries()].toReversed()) {
    room -= tokensOf(turn.messages);
    if (room < 0) break;
    first = index;
  }
  return withNote(
    turns.slice(0, first),
    turns.slice(first).flatMap(({ messages }) => messages),
  );
}

/** An estimate: servers count differently, and the loop recovers from a context that turns out too long. */
export function tokensOf(messages: readonly ModelMessage[]): number {
  const characters = messages.reduce((sum, message) => sum + charactersOf(message), 0);
  return Math.ceil(characters / charactersPerToken);
}

function charactersOf(message: ModelMessage): number {
  if (message.role !== 'assistant') return message.text.length;
  const calls = message.toolCalls.reduce((sum, call) => sum + call.name.length + call.argumentsText.length, 0);
  const replayed = message.providerItems === null ? 0 : JSON.stringify(message.providerItems.items).length;
  return Math.max(message.text.length + calls, replayed);
}

/** What is left of dropped tasks: how many there were, and the cards of their files, which are still in the sandbox. */
function withNote(dropped: readonly StoredTurn[], messages: readonly ModelMessage[]): readonly ModelMessage[] {
  if (dropped.length === 0) return messages;
  const count = dropped.length === 1 ? 'The oldest question' : `The ${dropped.length} oldest questions`;
  const note = `[${count} of this thread and the work on them were left out to save space; files and variables made then are still there.]`;
  const cards = cardLines(dropped.flatMap((turn) => turn.messages));
  const block = cards.length === 0 ? '' : `\n\n<file_cards>\n${cards.join('\n')}\n</file_cards>`;
  // Answered, because some servers refuse two user messages in a row.
  const answer: ModelMessage = { role: 'assistant', text: 'Noted.', toolCalls: [], providerItems: null };
  return [{ role: 'user', text: `${note}${block}` }, answer, ...messages];
}

/** The newest cards that fit, in their order. */
function cardLines(messages: readonly ModelMessage[]): readonly string[] {
  const lines = messages.flatMap((message) =>
    message.role === 'user'
      ? (/\n<file_cards>\n([\s\S]*)\n<\/file_cards>$/.exec(message.text)?.[1] ?? '').split('\n')
      : [],
  );
  let room = droppedCardsCharacters;
  const kept: string[] = [];
  for (const line of lines.toReversed()) {
    room -= line.length;
    if (line !== '' && room >= 0) kept.push(line);
  }
  return kept.toReversed();
}
