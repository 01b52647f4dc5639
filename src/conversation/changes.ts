import type { ForgetReason } from '../ports/audit.ts';
import type { GatewayHandlers } from '../ports/platforms.ts';
import type { InboxEntry } from '../ports/store.ts';
import { threadKeyOf } from '../types.ts';
import type { ThreadKey, ThreadRef } from '../types.ts';
import type { ConversationDeps } from './conversation.ts';
import { removeBlobs } from './retention.ts';
import { takeBack } from './taking-back.ts';
import { wakeToTidy } from './wake-for.ts';

type Changes = Pick<GatewayHandlers, 'onEdit' | 'onDelete' | 'onRerun' | 'onForget'>;

/** What people do to a question after they asked it: edit it, delete it, ask it again, have it forgotten. */
export function createChanges(deps: ConversationDeps, onTask: GatewayHandlers['onTask']): Changes {
  const { store, dispatcher, audit, log } = deps;

  /** Interrupts what runs in the thread; what was not meant is taken up again. */
  const interrupt = async (threadKey: ThreadKey, personId: string): Promise<void> => {
    await dispatcher.cancel(threadKey);
    await dispatcher.wake(threadKey, wakeToTidy(personId));
  };

  const forgetThread = async (threadKey: ThreadKey, personId: string | null, reason: ForgetReason): Promise<void> => {
    const unneeded = await store.forgetThread(threadKey);
    audit.record({ event: 'forgot', threadKey, personId, reason });
    // Begun at once: the longer it takes, the likelier is it that somebody sends one of these files again meanwhile.
    const removed = removeBlobs(unneeded, deps);
    await interrupt(threadKey, '');
    await deps.endSession(threadKey);
    await removed;
    log.info({ threadKey, blobs: unneeded.length }, 'thread forgotten');
  };

  const thatThread = async (what: {
    readonly thread: ThreadRef;
    readonly begunBy?: string;
  }): Promise<readonly ThreadKey[]> => {
    const threadKey = threadKeyOf(what.thread);
    if (what.begunBy === undefined) return [threadKey];
    const first = (await store.tasks(threadKey)).find(isRemembered);
    return first?.task.person.id === what.begunBy ? [threadKey] : [];
  };

  return {
    onEdit: async (task) => {
      const known = await store.task(task.id);
      if (known === null) return 'unknown';
      if (known.task.text === task.text) return 'unchanged';
      const before = await store.reviseTask(task);
      if (before === null) return 'answered';
      log.info({ taskId: task.id, before }, 'question edited');
      audit.record({ event: 'question-edited', task });
      if (before === 'running') await interrupt(threadKeyOf(task.thread), task.person.id);
      return 'restarted';
    },

    onDelete: async (taskId) => {
      const known = await store.task(taskId);
      if (known === null) return;
      const { thread, messageId } = known.task;
      const threadKey = threadKeyOf(thread);
      const ofThread = (await store.tasks(threadKey)).filter(isRemembered);
      const ofMessage = ofThread.filter(({ task }) => task.messageId === messageId);
      log.info({ threadKey, tasks: ofMessage.length }, 'question deleted');
      audit.record({ event: 'question-deleted', task: known.task });
      const removal = await store.forgetQuestion(ofMessage.map(({ task }) => task.id));
      if (ofMessage.length === ofThread.length) await forgetThread(threadKey, null, 'deletion');
      else if (ofMessage.some(({ state }) => state === 'running')) await interrupt(threadKey, known.task.person.id);
      // Not awaited: the platform wants its acknowledgement now. If the process dies here, a later round takes them back.
      if (removal !== null) void takeBack(removal, deps);
    },

    onRerun: async (taskId, again) => {
      const known = await store.task(taskId);
      if (known === null) return false;
      const { id, person, text } = again;
      await onTask({ ...known.task, id, person, text: text ?? known.task.text, receivedAtMs: Date.now() });
      return true;
    },

    onForget: async (what) => {
      const threadKeys = 'thread' in what ? await thatThread(what) : await begunBy(what, deps);
      // Noted first: the person is told that all of it is gone, so a process that dies half-way must not leave the rest.
      await store.noteForgetting(threadKeys);
      const personId = 'thread' in what ? (what.by ?? what.begunBy ?? null) : what.person.personId;
      for (const threadKey of threadKeys) await forgetThread(threadKey, personId, 'person');
      return threadKeys.length;
    },
  };
}

async function begunBy(
  { person, channelId }: Exclude<Parameters<GatewayHandlers['onForget']>[0], { readonly thread: unknown }>,
  { store }: ConversationDeps,
): Promise<readonly ThreadKey[]> {
  const begun = await store.threadsBegunBy(person);
  return begun.filter((threadKey) => channelId === null || channelOf(threadKey) === channelId);
}

/** The third part of a thread's key. */
function channelOf(threadKey: ThreadKey): string {
  return decodeURIComponent(threadKey.split('/')[2] ?? '');
}

function isRemembered({ task }: InboxEntry): boolean {
  return task.person.id !== '';
}
