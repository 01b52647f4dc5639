import type { WakeFor } from '../ports/dispatcher.ts';
import type { Task } from '../types.ts';

/** Whose turn a wake for this task takes. `wasAsked`: its thread holds a question that was dealt with before. */
export function wakeFor({ person, attachments }: Task, wasAsked: boolean): WakeFor {
  return { personId: person.id, isFollowUp: wasAsked && attachments.length === 0 };
}

/** For what only has to be put away: there is nothing to compute. */
export function wakeToTidy(personId: string): WakeFor {
  return { personId, isFollowUp: true };
}
