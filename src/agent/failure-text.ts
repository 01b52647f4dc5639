import type { ModelError } from '../ports/model.ts';
import type { AgentCell, AgentLimits } from './agent-types.ts';
import type { StopReason } from './stop-conditions.ts';

/** One clear sentence or two for each way a model can fail a task: what happened, and what to do. Never the provider's words. */
export function modelErrorText(error: ModelError): string {
  switch (error.code) {
    case 'rate-limited':
      if (error.retryAfterMs !== null) {
        return `The model server is at its rate limit. Please ask again in ${duration(error.retryAfterMs)}.`;
      }
      if (error.retryable)
        return 'The model server is at its rate limit and stayed there while I tried. Please ask again in a few minutes.';
      return 'The model account has used up its quota. The operator of this bot needs to look at its billing; asking again will not help until then.';
    case 'server-error':
      return 'The model server failed several times in a row. That is on its side, not in your file; please ask again in a few minutes.';
    case 'unreachable':
      return 'I could not reach the model server. The operator of this bot should check OPENAI_BASE_URL and that the server behind it is running.';
    case 'interrupted':
      return 'The connection to the model server broke off several times before it had answered. Please ask again; if it goes on, the operator should look at LLM_TIMEOUT_SECONDS and the network to OPENAI_BASE_URL.';
    case 'context-overflow':
      return 'This is more text than the model can take in at once, even after I left out what I could. Please ask in a new thread, with a shorter question or fewer files at a time.';
    case 'auth':
      return 'The model server refused the API key. The operator of this bot should check OPENAI_API_KEY and that it is valid for OPENAI_BASE_URL and LLM_MODEL.';
    case 'rejected':
      return 'The model server refused the request. The operator of this bot should check LLM_MODEL, LLM_API and OPENAI_BASE_URL; the exact words of the server are in the log.';
    default:
      return error.code satisfies never;
  }
}

export const waitingTexts = {
  'rate-limited': 'The model server is busy',
  'server-error': 'The model server failed',
  unreachable: 'The model server cannot be reached',
  interrupted: 'The connection to the model server broke off',
} as const;

export const emptyAnswerText =
  'The model gave no answer, also when it was asked once more. Please ask again, perhaps in other words.';
export const filteredText =
  'The model server withheld the answer because of its content rules. Asking in other words may help.';
export const cutAnswerText = 'This answer was cut off at the length limit; ask for the rest.';

/** Why the task stopped before it was done, for the person. */
export function stopText(reason: Exclude<StopReason, 'allowance'>, limits: AgentLimits): string {
  switch (reason) {
    case 'steps':
      return `I stopped after ${limits.maxSteps} steps, the limit for one question.`;
    case 'tokens':
      return `I stopped at the limit of ${limits.maxTokens.toLocaleString('en')} tokens for one question.`;
    case 'wall-clock':
      return `I stopped at the time limit of ${duration(limits.maxWallMs)} for one question.`;
    case 'repeated-failure':
      return 'I stopped because the same step failed three times in a row.';
    default:
      return reason satisfies never;
  }
}

/** Added to the instructions of the last turn of a task that met a stop condition; `why` is said to the person as well. */
export function wrapUpInstruction(why: string): string {
  return `# Now\n${why} No tool can be called any more. Answer now, from what the outputs above show, and say plainly what is still missing and what the person could do. Numbers that no output shows must not appear.`;
}

export const nudgeInstruction =
  '# Now\nYour last response was empty. Either call run_python or write the answer for the person.';

/** What was done, from the record of it: the answer when the model can give none. */
export function doneText(cells: readonly AgentCell[]): string {
  if (cells.length === 0) return 'Nothing had been computed by then.';
  const steps = cells.map(
    ({ title, execution }) => `- ${title}: ${execution.status === 'ok' ? 'done' : `failed (${execution.status})`}`,
  );
  return `Done by then:\n${steps.join('\n')}`;
}

/** Whole seconds, minutes or hours, rounded up: a promise of when to come back must not be early. */
export function duration(ms: number): string {
  const inSeconds = Math.max(1, Math.ceil(ms / 1000));
  if (inSeconds < 120) return inSeconds === 1 ? '1 second' : `${inSeconds} seconds`;
  if (inSeconds < 7200) return `${Math.ceil(inSeconds / 60)} minutes`;
  return `${Math.ceil(inSeconds / 3600)} hours`;
}
