import { toAppError } from '../errors.ts';
import type { ModelMessage } from '../ports/model.ts';
import type { AgentCell, AgentInput, AgentOutcome, AssistantMessage } from './agent-types.ts';
import {
  cutAnswerText,
  doneText,
  emptyAnswerText,
  filteredText,
  modelErrorText,
  nudgeInstruction,
  stopText,
  wrapUpInstruction,
} from './failure-text.ts';
import type { ModelUsage } from '../types.ts';
import { createTurnTaker } from './model-turn.ts';
import type { Finish } from './model-turn.ts';
import { createStopConditions } from './stop-conditions.ts';
import type { StopReason } from './stop-conditions.ts';
import { answerCalls } from './tool-calls.ts';

/** What the wrap-up turn may take at most, on top of the task's own limits. */
const longestWrapUpMs = 60_000;

type Ending = Pick<AgentOutcome, 'outcome' | 'text' | 'reason'>;

/**
 * Answers one question: model turn, tool calls, results, and again, until the model answers or a stop condition holds, which
 * ends in a last turn without tools. Model failures, limits and stops are outcomes in words; it rejects only for bugs.
 */
export async function runAgent(input: AgentInput): Promise<AgentOutcome> {
  const { limits, signal } = input;
  const earlier = input.messages.slice(0, -1);
  const transcript: ModelMessage[] = input.messages.slice(-1);
  const cells: AgentCell[] = [];
  const deadline = AbortSignal.timeout(limits.maxWallMs);
  const stops = createStopConditions(limits, deadline);
  const countUsage = (usage: ModelUsage): void => {
    stops.addUsage(usage);
    input.onUsage(usage);
  };
  const takeTurn = createTurnTaker({ ...input, questionIndex: earlier.length, onUsage: countUsage });
  const untilDeadline = AbortSignal.any([signal, deadline]);

  const end = (ending: Ending): AgentOutcome => {
    if (transcript.at(-1)?.role !== 'assistant') transcript.push(spoken(ending.text));
    return { ...ending, messages: transcript, cells, usage: stops.usage };
  };

  const turn = (toolChoice: 'auto' | 'none', addition: string, until: AbortSignal): ReturnType<typeof takeTurn> =>
    takeTurn({
      // An addition goes into the instructions and not into the conversation: it is not the person who says it.
      instructions: addition === '' ? input.instructions : `${input.instructions}\n\n${addition}`,
      messages: [...earlier, ...transcript],
      toolChoice,
      signal: until,
    });

  const stopped = (): AgentOutcome =>
    end({ outcome: 'cancelled', text: `Stopped. ${doneText(cells)}`, reason: 'stopped by the person' });

  const wrapUp = async (stop: StopReason, why: string): Promise<AgentOutcome> => {
    const until = AbortSignal.any([signal, AbortSignal.timeout(Math.min(longestWrapUpMs, limits.maxWallMs))]);
    const result = await turn('none', wrapUpInstruction(why), until);
    if (signal.aborted) return stopped();
    // Servers that ignore the tool choice may still send calls; only the text counts here.
    const text = result.kind === 'finished' ? result.finish.message.text.trim() : '';
    if (text === '') {
      return end({
        outcome: 'partial',
        text: `${why} ${doneText(cells)}`,
        reason: `${stop}, no wrap-up`,
      });
    }
    return end({ outcome: 'partial', text: `${text}\n\n${why}`, reason: stop });
  };

  for (let addition = ''; ;) {
    if (signal.aborted) return stopped();
    const stop = stops.reason();
    if (stop !== null) return await wrapUp(stop, stopText(stop, limits));
    const spent = await input.allowance();
    if (spent !== null) return await wrapUp('allowance', spent);

    const result = await turn('auto', addition, untilDeadline);
    if (result.kind === 'aborted') continue;
    if (result.kind === 'failed') {
      const { code, detail } = result.error;
      const done = cells.length === 0 ? '' : `\n\n${doneText(cells)}`;
      return end({
        outcome: 'failed',
        text: `${modelErrorText(result.error)}${done}`,
        reason: `model ${code}: ${detail}`,
      });
    }

    const { finish } = result;
    if (finish.message.toolCalls.length === 0 || finish.reason === 'content-filter') {
      if (finish.message.text.trim() === '' && finish.reason !== 'content-filter' && addition === '') {
        addition = nudgeInstruction;
        continue;
      }
      const ending = answerOf(finish);
      // What the model said is kept with what was replayed for it; a sentence of ours is kept in its place.
      if (ending.outcome === 'answered') transcript.push(finish.message);
      return end(ending);
    }

    addition = '';
    const message = withUniqueIds(finish.message, [...earlier, ...transcript]);
    transcript.push(message);
    const { results, broken } = await answerCalls(message.toolCalls, finish.reason === 'length', {
      ...input,
      cells,
      stops,
      signal: untilDeadline,
    });
    transcript.push(...results);
    stops.countStep();
    if (broken !== null) {
      const { code, userMessage, message: detail } = toAppError(broken.error);
      return end({ outcome: 'failed', text: userMessage, reason: `sandbox ${code}: ${detail}` });
    }
  }
}

/** The end of a task whose last turn called nothing. */
function answerOf(finish: Finish): Ending {
  const text = finish.message.text.trim();
  if (finish.reason === 'content-filter') {
    return {
      outcome: text === '' ? 'failed' : 'partial',
      text: `${text}\n\n${filteredText}`.trim(),
      reason: 'content-filter',
    };
  }
  if (text === '') return { outcome: 'failed', text: emptyAnswerText, reason: 'empty answer' };
  if (finish.reason === 'length') return { outcome: 'partial', text: `${text}\n\n${cutAnswerText}`, reason: 'length' };
  return { outcome: 'answered', text, reason: 'answered' };
}

function spoken(text: string): AssistantMessage {
  return { role: 'assistant', text, toolCalls: [], providerItems: null };
}

/** Some servers repeat ids (`call_0` in every turn); results could then not be told apart. */
function withUniqueIds(message: AssistantMessage, conversation: readonly ModelMessage[]): AssistantMessage {
  const taken = new Set(
    conversation.flatMap((earlier) => (earlier.role === 'assistant' ? earlier.toolCalls.map(({ id }) => id) : [])),
  );
  let changed = false;
  const toolCalls = message.toolCalls.map((call, index) => {
    const id = call.id === '' || taken.has(call.id) ? `${call.id}_${taken.size}_${index}` : call.id;
    changed ||= id !== call.id;
    taken.add(id);
    return { ...call, id };
  });
  return changed ? { ...message, toolCalls, providerItems: null } : message;
}
