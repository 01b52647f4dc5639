import type { GatewayHandlers, PlatformClient } from '../../src/ports/platforms.ts';
import type { InboxEntry } from '../../src/ports/store.ts';
import type { Person, ThreadRef } from '../../src/types.ts';
import { feedbackActionId, notebookActionId, rerunActionId, showCodeActionId, stopActionId } from './buttons.ts';
import { codeText } from '../shown-code.ts';
import { codeView } from './code-view.ts';
import { postCodeFile } from './commands.ts';
import { detailsActionId, detailsView } from './details-view.ts';
import { forgetActionId } from './home-view.ts';
import type { Home } from './home.ts';
import { questionOf, taskIdOf } from './message.ts';
import { forgetChannelActionId } from './slash.ts';
import { readOneMessage } from './thread.ts';
import type { Desk, Visit } from './visit.ts';
import { partsOf } from './workspaces.ts';

const readTimeoutMs = 10_000;

const unknownQuestion = 'I do not know this question any more. Ask it again with its files.';
const noLonger = 'I do not have the details of this file any more. Send it again to have it looked at anew.';
const tooLate = 'This could not be opened in time. Press the button once more.';

/** Buttons. Everything they need is in their value and in the store, so they work after a restart, in any process. */
export function createActions(deps: {
  readonly handlers: GatewayHandlers;
  readonly client: PlatformClient;
  readonly desk: Desk;
  readonly home: Home;
}): (visit: Visit) => Promise<void> {
  const { handlers, client, desk, home } = deps;

  const showDetails = async (visit: Visit): Promise<void> => {
    const thread = threadOfVisit(visit);
    const [details] = thread === null ? [] : await handlers.onShowDetails(thread, visit.value);
    if (details === undefined) return desk.tell(visit, noLonger);
    if (!(await desk.show(visit, detailsView(details)))) await desk.tell(visit, tooLate);
  };

  const showCode = async (visit: Visit, { task }: InboxEntry): Promise<void> => {
    const cells = await handlers.onShowCode(task.thread, task.id);
    if (cells.length === 0) return desk.tell(visit, 'No code ran for this answer.');
    const view = codeView(cells);
    if (view === null) {
      await postCodeFile(client, task.thread, codeText(cells), `${task.id}-code-${visit.actionTs}`);
    } else if (!(await desk.show(visit, view))) {
      await desk.tell(visit, tooLate);
    }
  };

  const notebook = async ({ userId, actionTs }: Visit, { task }: InboxEntry): Promise<void> => {
    const { thread, messageId } = task;
    const id = `${baseIdOf(task)}-notebook-${actionTs}`;
    const rest = { attachments: [], receivedAtMs: Date.now() };
    await handlers.onTask({ id, thread, messageId, person: personOf(userId), text: 'notebook', ...rest });
  };

  const rerun = async (visit: Visit, { task }: InboxEntry): Promise<void> => {
    const id = `${baseIdOf(task)}-rerun-${visit.actionTs}`;
    const again = { id, person: personOf(visit.userId), text: await currentText({ task }) };
    if (!(await handlers.onRerun(task.id, again))) await desk.tell(visit, unknownQuestion);
  };

  /** What the question says now; `null` where its words are not those of a message, or it cannot be read. */
  const currentText = async ({ task }: Pick<InboxEntry, 'task'>): Promise<string | null> => {
    const base = baseIdOf(task);
    if (task.id !== base && !task.id.startsWith(`${base}-rerun-`)) return null;
    const { workspaceId, channelId, threadId } = task.thread;
    try {
      const { web, self } = await desk.open(workspaceId);
      const at = { channelId, threadTs: threadId, ts: task.messageId };
      const message = await readOneMessage(web, at, AbortSignal.timeout(readTimeoutMs));
      return message === null ? null : questionOf(message, self.userId);
    } catch {
      // The words that are known are asked again.
      return null;
    }
  };

  const stop = async (visit: Visit, { task }: InboxEntry): Promise<void> => {
    const stopped = await handlers.onCancel(task.thread, visit.userId, { taskId: task.id });
    if (stopped === 0) await desk.tell(visit, 'Nothing is running here any more.');
  };

  const feedback = async (visit: Visit, { task }: InboxEntry): Promise<void> => {
    const word = visit.value.split(' ')[0] === 'good' ? 'good' : 'bad';
    await handlers.onFeedback(task.id, visit.userId, word);
    const more = word === 'good' ? '' : ' Write in the thread what was wrong, and I try again.';
    await desk.tell(visit, `Thank you, noted.${more}`);
  };

  const forget = async (visit: Visit, channelId: string | null): Promise<void> => {
    const { workspaceId, userId } = visit;
    const person = { platform: 'slack', workspaceId, personId: userId };
    const count = await handlers.onForget({ person, channelId });
    if (visit.channelId === null) await home.publish(workspaceId, userId);
    else
      await desk.tell(visit, `Forgotten: ${count} ${count === 1 ? 'thread' : 'threads'}. The messages stay in Slack.`);
  };

  const withTask = async (
    visit: Visit,
    work: (visit: Visit, entry: InboxEntry) => Promise<void>,
    taskId = visit.value,
  ): Promise<void> => {
    const entry = await handlers.findTask(taskId);
    await (entry === null || !isAt(visit, entry) ? desk.tell(visit, unknownQuestion) : work(visit, entry));
  };

  return async (visit) => {
    switch (visit.actionId) {
      case detailsActionId:
        return await showDetails(visit);
      case showCodeActionId:
        return await withTask(visit, showCode);
      case notebookActionId:
        return await withTask(visit, notebook);
      case rerunActionId:
        return await withTask(visit, rerun);
      case stopActionId:
        return await withTask(visit, stop);
      case feedbackActionId:
        return await withTask(visit, feedback, visit.value.split(' ')[1]);
      case forgetActionId:
        return await forget(visit, null);
      case forgetChannelActionId:
        return await forget(visit, visit.value);
      default:
      // A link, or a button of an older version.
    }
  };
}

/**
 * A button is where its task is: a value that names a task of another channel or workspace reaches nothing. Only what Slack showed
 * to one person does not say whose message it was; in a channel shared with others it names the workspace of who clicked.
 */
function isAt({ workspaceId, channelId, userId }: Visit, { task: { thread, person } }: InboxEntry): boolean {
  const isSameWorkspace =
    thread.workspaceId === workspaceId || partsOf(thread.workspaceId).teamId === partsOf(workspaceId).teamId;
  return thread.channelId === channelId && (isSameWorkspace || person.id === userId);
}

function threadOfVisit({ workspaceId, channelId, threadTs }: Visit): ThreadRef | null {
  return channelId === null || threadTs === null
    ? null
    : { platform: 'slack', workspaceId, channelId, threadId: threadTs };
}

/** The id of the task that the message itself was: the ids of what is pressed for it begin with it. */
function baseIdOf({ thread, messageId }: { readonly thread: ThreadRef; readonly messageId: string }): string {
  return taskIdOf(thread.workspaceId, thread.channelId, messageId);
}

/** The name comes with the admission. */
function personOf(userId: string): Person {
  return { id: userId, displayName: userId };
}
