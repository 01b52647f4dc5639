import type { ToolCall } from '../ports/model.ts';
import type { Execution } from '../types.ts';
import type { AgentCell, AgentInput, ToolMessage } from './agent-types.ts';
import { parseCall } from './run-python-tool.ts';
import type { StopConditions } from './stop-conditions.ts';
import { toolOutput } from './tool-output.ts';

/**
 * Runs the calls of one turn in order and answers every one of them exactly once, whatever happens: also those that come after
 * a stop, a limit or broken infrastructure. `broken` is what `runCell` rejected with, `null` when it did not.
 */
export async function answerCalls(
  calls: readonly ToolCall[],
  cut: boolean,
  task: Pick<AgentInput, 'runCell' | 'saveOutput' | 'onEvent'> & {
    readonly cells: AgentCell[];
    readonly stops: StopConditions;
    readonly signal: AbortSignal;
  },
): Promise<{ readonly results: readonly ToolMessage[]; readonly broken: { readonly error: unknown } | null }> {
  const results: ToolMessage[] = [];
  let broken: { readonly error: unknown } | null = null;

  const answer = async (call: ToolCall): Promise<string> => {
    if (broken !== null) return 'not run: the sandbox is not available';
    if (task.signal.aborted) return 'not run: stopped';
    if (task.stops.reason() === 'repeated-failure') return 'not run: the calls before it failed three times in a row';
    const parsed = parseCall(call, cut);
    if (!parsed.ok) {
      task.stops.callFinished(`${call.name} ${call.argumentsText}`, parsed.problem);
      return parsed.problem;
    }
    task.onEvent({ type: 'step-started', title: parsed.title });
    let execution: Execution;
    try {
      execution = await task.runCell(parsed.title, parsed.code, task.signal, (stream, text) =>
        task.onEvent({ type: 'output', stream, text }),
      );
    } catch (error) {
      task.onEvent({ type: 'step-finished', status: 'lost' });
      if (task.signal.aborted) return 'not run: stopped';
      broken = { error };
      return 'not run: the sandbox is not available';
    }
    task.onEvent({ type: 'step-finished', status: execution.status });
    task.cells.push({ title: parsed.title, source: parsed.code, execution });
    task.stops.callFinished(parsed.code, failureOf(execution));
    return toolOutput(execution, call.id, task.saveOutput, task.signal);
  };

  for (const call of calls) results.push({ role: 'tool', callId: call.id, text: await answer(call) });
  return { results, broken };
}

function failureOf(execution: Execution): string | null {
  if (execution.status === 'ok' || execution.status === 'cancelled') return null;
  return `${execution.status} ${execution.error?.name ?? ''} ${execution.error?.message ?? ''}`;
}
