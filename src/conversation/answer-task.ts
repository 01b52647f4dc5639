import type { AgentEvent, AgentLimits, AgentOutcome } from '../agent/agent-types.ts';
import { runAgent } from '../agent/agent-loop.ts';
import { threadHistory } from '../agent/history.ts';
import { userMessage } from '../agent/user-message.ts';
import { cardsLine } from '../answer/card-text.ts';
import type { CollectLimits } from '../answer/collect.ts';
import { withCoverage } from '../answer/coverage.ts';
import type { Delivery } from '../answer/deliver.ts';
import { fitArtifacts } from '../answer/fit.ts';
import type { ProgressReporter } from '../answer/progress.ts';
import type { Logger } from '../log.ts';
import type { Audit } from '../ports/audit.ts';
import type { Blobs } from '../ports/blobs.ts';
import type { Model } from '../ports/model.ts';
import type { PlatformClient } from '../ports/platforms.ts';
import type { SandboxSession } from '../ports/sandbox.ts';
import type { Store, ThreadFile } from '../ports/store.ts';
import type { Telemetry } from '../ports/telemetry.ts';
import { threadKeyOf } from '../types.ts';
import type { FileCard, Reply, Task } from '../types.ts';
import { takeAttachments } from './attachments.ts';
import { createCardPosts } from './card-posts.ts';
import type { CardPosts } from './card-posts.ts';
import { createTaskCells } from './cells.ts';
import type { TaskCells } from './cells.ts';
import { detailsReply } from './details-reply.ts';
import { isDetailsRequest } from './details-request.ts';
import { fileCard } from './file-cards.ts';
import { notebookReply } from './notebook-reply.ts';
import type { NotebookDeps } from './notebook-reply.ts';
import type { TaskLimits } from './limits.ts';
import type { Meter } from './meter.ts';
import { withMeter } from './metered-sessions.ts';
import { isNotebookRequest } from './notebook-request.ts';
import type { Sessions } from './sessions.ts';
import { sleep } from './sleep.ts';
import { withWaitingNotes } from './waiting-note.ts';

export interface AnswerDeps extends Pick<NotebookDeps, 'about'> {
  readonly store: Store;
  readonly blobs: Blobs;
  readonly sessions: Sessions;
  readonly delivery: Delivery;
  readonly audit: Audit;
  readonly model: Model;
  readonly instructions: string;
  readonly limits: AgentLimits;
  readonly taskLimits: TaskLimits;
  readonly cellTimeoutMs: number;
  readonly attachmentBytes: number;
  readonly collect: CollectLimits;
  readonly telemetry: Telemetry;
  readonly log: Logger;
}

/**
 * From a task to its reply: files, cards, the agent's loop, what goes out. Keeps the turn and its usage in the store. Rejects
 * with an `AppError` where something is broken; the caller turns that into the reply.
 */
export async function answerTask(
  task: Task,
  client: PlatformClient,
  progress: ProgressReporter,
  deps: AnswerDeps,
  signal: AbortSignal,
): Promise<Reply> {
  const meter = deps.taskLimits.meter(task, deps.model.name);
  try {
    return await answerMetered(task, client, progress, meter, deps, signal);
  } finally {
    await meter.flush();
  }
}

async function answerMetered(
  task: Task,
  client: PlatformClient,
  progress: ProgressReporter,
  meter: Meter,
  deps: AnswerDeps,
  signal: AbortSignal,
): Promise<Reply> {
  const { store, blobs, telemetry } = deps;
  const threadKey = threadKeyOf(task.thread);
  const sources = { client, store, blobs, audit: deps.audit, maxBytes: deps.attachmentBytes };
  const intake = await telemetry.step('files', () => takeAttachments(task, sources, signal));
  meter.broughtIn(intake.files.reduce((bytes, { sizeBytes }) => bytes + sizeBytes, 0));
  const sessions = withMeter(withWaitingNotes(deps.sessions, progress), meter.ran);
  if (isDetailsRequest(task)) return detailsReply(task, client, deps);
  if (isNotebookRequest(task)) return notebookReply(task, client, progress, { ...deps, sessions }, signal);
  const cells = createTaskCells(task, { ...deps, sessions });
  const cardPosts = createCardPosts(task, deps);
  try {
    // A killed attempt at this very task may have left its own turn.
    const earlier = (await store.turns(threadKey)).filter(({ taskId }) => taskId !== task.id);
    const unseen = filesWithoutTurn(await store.files(threadKey), intake.files, earlier);
    const keep = (card: FileCard): Promise<void> => store.putCard(threadKey, card);
    const cards = await telemetry.step('cards', () =>
      makeCards([...unseen, ...intake.files], { cells, posts: cardPosts, keep, progress, signal }),
    );
    const outcome = await runAgent({
      model: deps.model,
      instructions: deps.instructions,
      messages: [...threadHistory(earlier), userMessage(task.text, cards)],
      runCell: (...cell) => telemetry.cell(() => cells.run(...cell)),
      saveOutput: (...output) => cells.save(...output),
      limits: deps.limits,
      signal,
      onUsage: meter.turn,
      allowance: meter.allowance,
      onEvent: (event) => show(event, progress),
      sleep,
    });
    deps.log.info(
      { taskId: task.id, outcome: outcome.outcome, reason: outcome.reason, cells: outcome.cells.length },
      'task answered',
    );
    await store.putTurn(threadKey, task.id, outcome.messages);
    const fitting = fitArtifacts(keepsArtifacts(outcome) ? await cells.artifacts() : [], client.limits);
    return {
      taskId: task.id,
      outcome: outcome.outcome,
      text: isAnswer(outcome) ? withCoverage(outcome.text, cells.ledger) : outcome.text,
      artifacts: fitting.artifacts,
      notices: [...intake.notices, ...(await cardPosts.unposted()), ...cells.notices, ...fitting.notices],
      code: cells.shown,
    };
  } finally {
    await cardPosts.unposted();
  }
}

/** Attachments of earlier questions that ended before the model was asked (Docker was down): it has seen no card of them. */
function filesWithoutTurn(
  files: readonly ThreadFile[],
  own: readonly ThreadFile[],
  turns: readonly { readonly taskId: string }[],
): readonly ThreadFile[] {
  const seen = new Set(turns.map(({ taskId }) => taskId));
  const names = new Set(own.map(({ name }) => name));
  return files.filter(({ origin, taskId, name }) => origin === 'attachment' && !seen.has(taskId) && !names.has(name));
}

/** A card for each file that is new to the model, made in the sandbox and, where there is something to say, posted. */
async function makeCards(
  files: readonly ThreadFile[],
  deps: {
    readonly cells: TaskCells;
    readonly posts: CardPosts;
    readonly keep: (card: FileCard) => Promise<void>;
    readonly progress: ProgressReporter;
    readonly signal: AbortSignal;
  },
): Promise<readonly FileCard[]> {
  const { cells, posts, keep, progress, signal } = deps;
  if (files.length === 0) return [];
  progress.stepStarted(files.length === 1 ? `Looking at ${files[0]?.name}` : `Looking at ${files.length} files`);
  const cards: FileCard[] = [];
  for (const file of files) {
    const session = { run: (...run: Parameters<SandboxSession['run']>) => cells.look(file.name, ...run) };
    const card = await fileCard(session, file.name, file.sizeBytes, signal);
    cards.push(card);
    // Kept before it is posted: its details can be asked for from then on.
    await keep(card);
    posts.add(file, card);
  }
  progress.stepFinished(
    cards.every(({ ok }) => ok),
    cardsLine(cards),
  );
  return cards;
}

function show(event: AgentEvent, progress: ProgressReporter): void {
  switch (event.type) {
    case 'step-started':
      return progress.stepStarted(event.title);
    case 'step-finished':
      return progress.stepFinished(event.status === 'ok');
    case 'waiting':
      return progress.note(event.text);
    case 'text-delta':
    case 'turn-restarted':
    case 'output':
      return undefined;
  }
}

/** A stopped task keeps what it made to itself; the person asked for quiet. */
function keepsArtifacts(outcome: AgentOutcome): boolean {
  return outcome.outcome !== 'cancelled';
}

function isAnswer({ outcome }: AgentOutcome): boolean {
  return outcome === 'answered' || outcome === 'partial';
}
