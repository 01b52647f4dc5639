import type { GatewayHandlers, PersonOverview } from '../../src/ports/platforms.ts';
import type { Draft, InboxEntry } from '../../src/ports/store.ts';
import { threadKeyOf } from '../../src/types.ts';
import type { Cell, Task, ThreadRef } from '../../src/types.ts';
import { createHandlers } from './handlers.ts';

/** Handlers that remember what a gateway handed over, as the core would, without answering anything. */
export interface HearingCore {
  readonly handlers: GatewayHandlers;
  /** Each task once, in the order they came; edits replace the text. */
  readonly tasks: readonly Task[];
  /** Questions whose message is not known yet. */
  readonly drafts: readonly Draft[];
  /** What was asked besides, as `name argument`. */
  readonly calls: readonly string[];
  /** The task has its reply from now on. */
  answer(taskId: string): void;
  cells: readonly Cell[];
}

export function createHearingCore(): HearingCore {
  const tasks = new Map<string, Task>();
  const answered = new Set<string>();
  const calls: string[] = [];
  const core = { cells: [] as readonly Cell[] };

  const entryOf = (task: Task): InboxEntry => ({
    task,
    state: answered.has(task.id) ? 'done' : 'running',
    attempts: 1,
    fence: 1,
  });
  const inThread = (thread: ThreadRef): readonly Task[] =>
    [...tasks.values()].filter((task) => threadKeyOf(task.thread) === threadKeyOf(thread));

  const overview = (personId: string): PersonOverview => ({
    threads: [...tasks.values()]
      .filter(({ person }) => person.id === personId)
      .toReversed()
      .map((task) => ({
        thread: task.thread,
        question: task.text,
        messageId: task.messageId,
        askedAtMs: task.receivedAtMs,
        state: entryOf(task).state,
      })),
    usage: {
      questions: 3,
      inputTokens: 12_345,
      cachedInputTokens: 0,
      outputTokens: 67,
      sandboxMs: 4200,
      sinceMs: 0,
      money: [],
    },
    limits: [],
    everyone: { running: tasks.size - answered.size, waiting: 0 },
  });

  const drafts = new Map<string, Draft>();
  const handlers = createHandlers({
    keepDraft: async (draft) => void (drafts.has(draft.id) || drafts.set(draft.id, draft)),
    drafts: async (platform) => [...drafts.values()].filter((draft) => draft.platform === platform),
    dropDraft: async (id) => void drafts.delete(id),
    onTask: async (task) => {
      if (!tasks.has(task.id)) tasks.set(task.id, task);
    },
    onCancel: async (thread, personId, only) => {
      const isMeant = ({ id, person }: Task): boolean =>
        only === undefined || ('taskId' in only ? id === only.taskId : person.id === only.askedBy);
      const open = inThread(thread).filter((task) => !answered.has(task.id) && isMeant(task));
      calls.push(`cancel ${thread.threadId} by ${personId}`);
      for (const { id } of open) answered.add(id);
      return open.length;
    },
    onEdit: async (task) => {
      const known = tasks.get(task.id);
      if (known === undefined) return 'unknown';
      if (known.text === task.text) return 'unchanged';
      if (answered.has(task.id)) return 'answered';
      tasks.set(task.id, task);
      return 'restarted';
    },
    onDelete: async (taskId) => {
      if (!tasks.has(taskId)) return;
      calls.push(`delete ${taskId}`);
      tasks.delete(taskId);
    },
    onRerun: async (taskId, again) => {
      const known = tasks.get(taskId);
      if (known === undefined) return false;
      const { id, person } = again;
      if (!tasks.has(id)) tasks.set(id, { ...known, id, person, text: again.text ?? known.text });
      return true;
    },
    onFeedback: async (taskId, personId, value) => void calls.push(`feedback ${taskId} ${personId} ${value}`),
    knowsThread: async (thread) => inThread(thread).length > 0,
    findTask: async (taskId) => {
      const task = tasks.get(taskId);
      return task === undefined ? null : entryOf(task);
    },
    onOverview: async ({ personId }) => overview(personId),
    onForget: async (what) => {
      const isOthers =
        'thread' in what && what.begunBy !== undefined && inThread(what.thread)[0]?.person.id !== what.begunBy;
      if (isOthers) return 0;
      calls.push(`forget ${'thread' in what ? what.thread.threadId : `${what.person.personId} in ${what.channelId}`}`);
      return 1;
    },
    onShowCode: async () => core.cells,
    onShowDetails: async (_thread, file) => {
      const known = { file: 'sales.csv', sections: [{ title: 'File', lines: ['CSV, 60 bytes'] }] };
      return file === null || file === known.file ? [known] : [];
    },
  });

  return {
    handlers,
    get drafts() {
      return [...drafts.values()];
    },
    get tasks() {
      return [...tasks.values()];
    },
    calls,
    answer: (taskId) => void answered.add(taskId),
    get cells() {
      return core.cells;
    },
    set cells(cells) {
      core.cells = cells;
    },
  };
}
