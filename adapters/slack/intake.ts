import { toAppError } from '../../src/errors.ts';
import type { Logger } from '../../src/log.ts';
import type { GatewayHandlers } from '../../src/ports/platforms.ts';
import type { Task } from '../../src/types.ts';
import { commandIn } from '../command-words.ts';
import type { Command } from '../command-words.ts';
import type { SlackAccess } from './access.ts';
import type { Rest } from './acknowledge.ts';
import { rerunActionId } from './buttons.ts';
import type { Commands } from './commands.ts';
import { changeIn, hearEdit } from './edits.ts';
import { botUserIdOf, workspaceIdOf } from './envelope.ts';
import { asObject, asText } from '../json.ts';
import type { Json } from '../json.ts';
import type { LateFiles } from './late-files.ts';
import { readMessage, taskIdOf, taskOf } from './message.ts';
import type { SlackMessage } from './message.ts';
import { blocksMention } from './rich-text.ts';
import { mentions } from './text.ts';
import { readOneMessage } from './thread.ts';
import type { SlackWeb } from './web.ts';
import { whisper } from './whisper.ts';
import type { SlackWorkspaces } from './workspaces.ts';

/** Turns what people write into tasks and orders. */
export interface Intake {
  /**
   * `body` is the envelope of an `app_mention`, `message` or `file_shared` event. Resolves once the store has what it says, to
   * what is left to do; rejects where the store could not take it.
   */
  hear(body: unknown): Promise<Rest>;
}

/** Subtypes that are a person talking; every other one is an edit, a deletion or a notice of Slack's. */
const talkSubtypes = new Set(['file_share', 'thread_broadcast']);

const openTimeoutMs = 5000;
const lookTimeoutMs = 10_000;
const rememberedTasks = 2000;

/** Where a message was written, and who the bot is there. */
interface Place {
  readonly workspaceId: string;
  readonly channelId: string;
  readonly botUserId: string;
  /** A conversation with the bot alone: every message is for it. */
  readonly isDirect: boolean;
  /** Slack announced it as a mention. */
  readonly isMention: boolean;
}

export function createIntake(deps: {
  readonly workspaces: SlackWorkspaces;
  readonly handlers: GatewayHandlers;
  readonly commands: Commands;
  readonly lateFiles: LateFiles;
  /** `thread`: in a thread that the bot knows people need not mention it. */
  readonly followUps: 'mention' | 'thread';
  readonly access: SlackAccess;
  readonly log: Logger;
}): Intake {
  const { workspaces, handlers, lateFiles, log } = deps;

  const webOf = async (workspaceId: string): Promise<SlackWeb> =>
    (await workspaces.open(workspaceId, AbortSignal.timeout(openTimeoutMs))).web;

  const placeOf = async (envelope: Json, channelId: string): Promise<Place> => {
    const event = asObject(envelope['event']);
    const workspaceId = workspaceIdOf(envelope);
    const signal = AbortSignal.timeout(openTimeoutMs);
    const botUserId = botUserIdOf(envelope) ?? (await workspaces.open(workspaceId, signal)).self.userId;
    const isDirect = event['channel_type'] === 'im' || channelId.startsWith('D');
    return { workspaceId, channelId, botUserId, isDirect, isMention: event['type'] === 'app_mention' };
  };

  const hear = async (body: unknown): Promise<Rest> => {
    const envelope = asObject(body);
    const event = asObject(envelope['event']);
    const channelId = asText(event['channel']) ?? asText(event['channel_id']);
    if (channelId === null) return null;
    if (event['type'] === 'file_shared') return hintOf(envelope, channelId);
    const change = changeIn(event);
    if (change?.kind === 'deleted') {
      await handlers.onDelete(taskIdOf(workspaceIdOf(envelope), channelId, change.ts));
      return null;
    }
    const message = change?.message ?? readMessage(event);
    if (message === null || (change === null && event['hidden'] === true)) return null;
    lateFiles.heard(message.files.flatMap(({ id }) => asText(id) ?? []));
    const { userId, subtype } = message;
    const isTalk = subtype === null || talkSubtypes.has(subtype);
    if (!isTalk || userId === null || message.botId !== null || userId === 'USLACKBOT') return null;
    const place = await placeOf(envelope, channelId);
    if (userId === place.botUserId) return null;
    return change === null ? hearNew(message, userId, place) : hearChanged(message, userId, place);
  };

  /** Being stored, or stored: a mention without files adds nothing to that. Only spares the store its writes. */
  const handedOver = new Map<string, Promise<void>>();

  const handOver = async (task: Task): Promise<void> => {
    const earlier = handedOver.get(task.id);
    if (earlier !== undefined && task.lookAgain === true) return await earlier;
    if (handedOver.size >= rememberedTasks) handedOver.clear();
    const stored = handlers.onTask(task);
    handedOver.set(task.id, stored);
    try {
      await stored;
    } catch (error) {
      handedOver.delete(task.id);
      throw error;
    }
  };

  const hearNew = async (message: SlackMessage, userId: string, place: Place): Promise<Rest> => {
    const task = taskOf(message, { ...place, userId });
    const isMention = place.isMention || isMentioned(message, place);
    // A mention inside a direct message also arrives as the message itself.
    if (place.isDirect ? place.isMention : !isMention && !(await isFollowUp(message, task, place))) return null;
    const command = message.files.length === 0 ? commandIn(task.text) : null;
    if (command === null) {
      await handOver({ ...task, lookAgain: place.isMention && task.attachments.length === 0 });
      return null;
    }
    // In channels both events come for a mention, perhaps to two processes: one of them is the order.
    const isTheOrder = place.isMention || place.isDirect || !isMention;
    return isTheOrder ? await hearOrder(command, task) : null;
  };

  /** Everybody who can read a thread may stop what runs in it; the other orders are for those who may ask. */
  const hearOrder = async (command: Command, { id, thread, messageId, person }: Task): Promise<Rest> => {
    const carryOut = (): Promise<Rest> => deps.commands.run(command, thread, id, person.id);
    if (command === 'stop') return await carryOut();
    return async () => {
      const { workspaceId, channelId, threadId } = thread;
      // A message that begins a thread has no reply yet.
      const threadTs = messageId === threadId ? null : threadId;
      const userId = person.id;
      const tell = async (text: string): Promise<void> =>
        whisper(await webOf(workspaceId), { channelId, threadTs, userId }, text);
      try {
        const who = { workspaceId, channelId, userId, userTeamId: null };
        const refusal = await deps.access(who, AbortSignal.timeout(lookTimeoutMs));
        await (refusal === null ? (await carryOut())?.() : tell(refusal));
      } catch (error) {
        log.error({ command, error: String(error) }, 'an order was not carried out');
        await tell(`That did not work: ${toAppError(error).userMessage} Say it once more.`);
      }
    };
  };

  const hearChanged = async (message: SlackMessage, userId: string, place: Place): Promise<Rest> => {
    const task = taskOf(message, { ...place, userId });
    const isForUs = place.isDirect || isMentioned(message, place);
    if (message.files.length === 0 && commandIn(task.text) !== null) return null;
    if ((await hearEdit(handlers, task, isForUs)) === 'nothing more') return null;
    return async () => {
      const to = { channelId: place.channelId, threadTs: task.thread.threadId, userId };
      const text = 'I answered this question as it was before you edited it.';
      await whisper(await webOf(place.workspaceId), to, text, [rerunOffer(task.id)]);
    };
  };

  const isMentioned = (message: SlackMessage, { botUserId }: Place): boolean =>
    mentions(message.text, botUserId) || blocksMention(message.blocks, botUserId);

  const isFollowUp = async (message: SlackMessage, task: Task, { botUserId }: Place): Promise<boolean> => {
    if (deps.followUps === 'mention' || message.threadTs === message.ts) return false;
    const [, named] = /^\s*<@([A-Z0-9]+)[|>]/.exec(message.text) ?? [];
    // Whoever is named first is who is talked to.
    if (named !== undefined && named !== botUserId) return false;
    return await handlers.knowsThread(task.thread);
  };

  /** A late hint that needs Slack's answers: nothing of it before the acknowledgement. */
  const hintOf = (envelope: Json, channelId: string): Rest => {
    const event = asObject(envelope['event']);
    const fileId = asText(event['file_id']) ?? asText(asObject(event['file'])['id']);
    if (fileId === null) return null;
    return async () => {
      try {
        const workspaceId = workspaceIdOf(envelope);
        for (const { ts, threadTs } of await lateFiles.messagesOf(() => webOf(workspaceId), fileId, channelId)) {
          if ((await handlers.findTask(taskIdOf(workspaceId, channelId, ts))) !== null) continue;
          const at = { channelId, threadTs, ts };
          const message = await readOneMessage(await webOf(workspaceId), at, AbortSignal.timeout(lookTimeoutMs));
          if (message === null || message.userId === null || message.botId !== null) continue;
          const place = await placeOf(envelope, channelId);
          if (message.userId !== place.botUserId) await (await hearNew(message, message.userId, place))?.();
        }
      } catch (error) {
        log.warn({ fileId, error: String(error) }, 'a shared file could not be looked up');
      }
    };
  };

  return { hear };
}

function rerunOffer(taskId: string): Json {
  const text = { type: 'plain_text', text: 'Re-run with the edited question' };
  return { type: 'actions', elements: [{ type: 'button', action_id: rerunActionId, value: taskId, text }] };
}
