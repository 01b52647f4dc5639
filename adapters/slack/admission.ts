import { toAppError } from '../../src/errors.ts';
import type { Logger } from '../../src/log.ts';
import type { Admission } from '../../src/ports/platforms.ts';
import type { Attachment, Person, Task } from '../../src/types.ts';
import type { SlackAccess } from './access.ts';
import { readFile } from './message.ts';
import type { People } from './people.ts';
import { readOneMessage } from './thread.ts';
import type { SlackWeb } from './web.ts';
import { wholeFile } from './whole-file.ts';
import type { SlackWorkspace, SlackWorkspaces } from './workspaces.ts';

/** Slack is asked for at most this long for what the answer can do without. */
const lookTimeoutMs = 5000;

/** `PlatformClient.admit`: who may ask is decided here and what the event did not bring is looked up, off the path of its acknowledgement. */
export function createAdmission(deps: {
  readonly workspaces: SlackWorkspaces;
  readonly people: People;
  readonly access: SlackAccess;
  readonly log: Logger;
}): (task: Task, signal: AbortSignal) => Promise<Admission> {
  const { workspaces, people, access, log } = deps;

  /** A name that does not come in time, or at all, is the person's id. Who was let in by what is known of them is known already. */
  const named = async (workspace: SlackWorkspace, userId: string): Promise<Person> => {
    try {
      const { displayName } = await people.look(workspace, userId, AbortSignal.timeout(lookTimeoutMs));
      return { id: userId, displayName };
    } catch (error) {
      log.debug({ userId, error: String(error) }, 'a name could not be looked up');
      return { id: userId, displayName: userId };
    }
  };

  /** A mention may arrive without the files that its message has: then the message is read again. */
  const attachmentsOf = async (web: SlackWeb, task: Task): Promise<readonly Attachment[]> => {
    const { workspaceId, channelId, threadId } = task.thread;
    let attachments = [...task.attachments];
    if (task.lookAgain === true && attachments.length === 0) {
      const at = { channelId, threadTs: threadId, ts: task.messageId };
      try {
        const message = await readOneMessage(web, at, AbortSignal.timeout(lookTimeoutMs));
        attachments = (message?.files ?? []).flatMap((file) => readFile(file, workspaceId) ?? []);
      } catch (error) {
        // Tried again with the whole task: an answer without the file it is about helps nobody.
        if (toAppError(error).retryable) throw error;
        log.warn({ taskId: task.id, error: String(error) }, 'a mention could not be read again');
      }
    }
    const at = { channelId, personId: task.person.id, log };
    return await Promise.all(attachments.map((attachment) => wholeFile(web, attachment, at)));
  };

  return async (task, signal) => {
    const { workspaceId, channelId } = task.thread;
    const refusal = await access({ workspaceId, channelId, userId: task.person.id, userTeamId: null }, signal);
    if (refusal !== null) return { kind: 'refused', text: refusal };
    const workspace = await workspaces.open(workspaceId, signal);
    const [person, attachments] = await Promise.all([
      named(workspace, task.person.id),
      attachmentsOf(workspace.web, task),
    ]);
    return { kind: 'admitted', task: { ...task, person, attachments, lookAgain: false } };
  };
}
