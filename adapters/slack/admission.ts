import type { Logger } from '../../src/log.ts';
import type { Admission } from '../../src/ports.ts';
import type { Attachment, Task } from '../../src/types.ts';
import { asObject } from '../json.ts';
import type { Json } from '../json.ts';
import { readFile, readSource } from './message.ts';
import { createPeople } from './people.ts';
import { readOneMessage } from './thread.ts';
import type { SlackWeb } from './web.ts';
import type { SlackWorkspaces } from './workspaces.ts';

/** Slack is asked for at most this long for what the answer can do without. */
const lookTimeoutMs = 5000;

/** `PlatformClient.admit`: what the event did not bring is looked up here, off the path of its acknowledgement. */
export function createAdmission(deps: {
  readonly workspaces: SlackWorkspaces;
  readonly log: Logger;
}): (task: Task, signal: AbortSignal) => Promise<Admission> {
  const { workspaces, log } = deps;
  const people = createPeople({ log });

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
        log.warn({ taskId: task.id, error: String(error) }, 'a mention could not be read again');
      }
    }
    return await Promise.all(attachments.map((attachment) => wholeFile(web, attachment)));
  };

  /** Of a file from another organisation the event has only the id. */
  const wholeFile = async (web: SlackWeb, attachment: Attachment): Promise<Attachment> => {
    const source = readSource(attachment.source);
    if (source?.kind !== 'stub') return attachment;
    try {
      const answer = await web.call('files.info', { file: source.fileId }, AbortSignal.timeout(lookTimeoutMs));
      const file: Json = asObject(answer['file']);
      return readFile(file, source.workspaceId) ?? attachment;
    } catch (error) {
      // Handed over as it is: the download asks again, and says what is wrong.
      log.warn({ file: source.fileId, error: String(error) }, 'a shared file could not be looked up');
      return attachment;
    }
  };

  return async (task, signal) => {
    const { web } = await workspaces.open(task.thread.workspaceId, signal);
    const [person, attachments] = await Promise.all([
      people.person(web, task.person.id, lookTimeoutMs),
      attachmentsOf(web, task),
    ]);
    return { kind: 'admitted', task: { ...task, person, attachments, lookAgain: false } };
  };
}
