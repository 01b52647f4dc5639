import type { Reply, Task } from '../types.ts';

/** A reply that is one text: no artifacts, notices or code. */
export function stoppedReply(task: Task, text: string): Reply {
  return { taskId: task.id, outcome: 'cancelled', text, artifacts: [], notices: [], code: [] };
}

export function failedReply(task: Task, text: string): Reply {
  return { ...stoppedReply(task, text), outcome: 'failed' };
}

/** Only the person sees it. */
export function refusedReply(task: Task, text: string): Reply {
  return { ...stoppedReply(task, text), outcome: 'refused' };
}
