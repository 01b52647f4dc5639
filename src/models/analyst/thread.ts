import type { ModelMessage } from '../../ports/model.ts';
import type { JsonValue } from '../../types.ts';
import { collectFiles, parseUserText } from './cards.ts';
import type { Files } from './cards.ts';
import type { RunPlan } from './plan.ts';

/** What the analyst reads from the messages of a thread. */
export interface Thread {
  readonly question: string;
  readonly files: Files;
  /** The newest question came with files of its own. */
  readonly fresh: boolean;
  /** The plan of the last answered question. */
  readonly previous: RunPlan | null;
  /** Texts of the tool results since the newest question, oldest first. */
  readonly results: readonly string[];
  /** The bot has not answered in this thread before. */
  readonly isFirstReply: boolean;
  readonly messageCount: number;
}

export const adapterName = 'analyst';

export function readThread(messages: readonly ModelMessage[]): Thread {
  const lastUser = messages.findLastIndex((message) => message.role === 'user');
  const users = messages.flatMap((message) => (message.role === 'user' ? [parseUserText(message.text)] : []));
  const newest = users.at(-1) ?? { question: '', cards: [] };
  const earlier = messages.slice(0, Math.max(0, lastUser));
  return {
    question: newest.question,
    files: collectFiles(users.map(({ cards }) => cards)),
    fresh: newest.cards.length > 0,
    previous: previousPlan(earlier),
    results: messages.slice(lastUser + 1).flatMap((message) => (message.role === 'tool' ? [message.text] : [])),
    isFirstReply: !earlier.some(
      (message) => message.role === 'assistant' && message.toolCalls.length === 0 && message.text !== '',
    ),
    messageCount: messages.length,
  };
}

function previousPlan(messages: readonly ModelMessage[]): RunPlan | null {
  for (const message of messages.toReversed()) {
    if (message.role !== 'assistant' || message.providerItems?.adapter !== adapterName || message.toolCalls.length > 0)
      continue;
    const plan = message.providerItems.items[0];
    if (isPlan(plan)) return plan;
  }
  return null;
}

/** Only this adapter writes items under its name, so a kind is proof enough. */
function isPlan(value: JsonValue | undefined): value is JsonValue & RunPlan {
  return typeof value === 'object' && value !== null && 'kind' in value;
}
