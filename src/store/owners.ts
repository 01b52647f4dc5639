import type { PersonRef } from '../ports/platforms.ts';
import type { Task } from '../types.ts';
import type { TasksTable } from './schema.ts';

/** The columns by which a task is found again. */
export function ownersOf({
  thread,
  person,
  receivedAtMs,
}: Task): Pick<TasksTable, 'workspace_key' | 'person_key' | 'received_at_ms'> {
  const { platform, workspaceId } = thread;
  return {
    workspace_key: workspaceKeyOf(platform, workspaceId),
    person_key: personKeyOf({ platform, workspaceId, personId: person.id }),
    received_at_ms: Math.round(receivedAtMs),
  };
}

export function workspaceKeyOf(platform: string, workspaceId: string): string {
  return [platform, workspaceId].map(encodeURIComponent).join('/');
}

export function personKeyOf({ platform, workspaceId, personId }: PersonRef): string {
  return [platform, workspaceId, personId].map(encodeURIComponent).join('/');
}
