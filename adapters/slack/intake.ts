import type { GatewayHandlers } from '../../src/ports.ts';
import { commandIn } from '../command-words.ts';
import type { Commands } from './commands.ts';
import { asArray, asObject, asText } from '../json.ts';
import type { Json } from '../json.ts';
import { readFile, readMessage, taskIdOf, threadOf } from './message.ts';
import type { SlackMessage, SlackSelf } from './message.ts';
import { mentions, plainText } from './text.ts';

/** Turns events into tasks and orders. */
export interface Intake {
  /** `body` is the envelope of an `app_mention` or `message` event. Resolves once it is handed over, or is nothing for us. */
  hear(body: unknown): Promise<void>;
}

/** Subtypes that are a person talking; every other one is an edit, a deletion or a notice of Slack's. */
const talkSubtypes = new Set(['file_share', 'thread_broadcast']);

const rememberedMessages = 2000;

export function createIntake(deps: {
  readonly self: SlackSelf;
  readonly handlers: GatewayHandlers;
  readonly commands: Commands;
}): Intake {
  const { self, handlers } = deps;
  /** Ids that were handed over with their files: the message's other event has nothing to add. Only spares calls to Slack. */
  const handedOver = new Set<string>();

  const hear = async (body: unknown): Promise<void> => {
    const envelope = asObject(body);
    const event = asObject(envelope['event']);
    const channelId = asText(event['channel']);
    const message = readMessage(event);
    if (channelId === null || message === null) return;
    const isDirect = event['channel_type'] === 'im' || channelId.startsWith('D');
    const isMention = event['type'] === 'app_mention';
    const { userId } = message;
    if (userId === null || !isForUs(message, { isDirect, isMention })) return;

    const teamId = teamOf(envelope);
    const id = taskIdOf(teamId, channelId, message.ts);
    const thread = threadOf(teamId, channelId, message);
    const text = plainText(message.text, self.userId);

    const command = message.files.length === 0 ? commandIn(text) : null;
    if (command !== null) {
      // In channels both events come for it, perhaps to two processes: one of them is the order.
      if (isMention || isDirect) await deps.commands.run(command, thread, id, userId);
      return;
    }
    if (handedOver.has(id)) return;

    const attachments = message.files.flatMap((file) => readFile(file, teamId) ?? []);
    await handlers.onTask({
      id,
      thread,
      messageId: message.ts,
      // The name comes with the admission: nothing is asked of Slack before the event is acknowledged.
      person: { id: userId, displayName: userId },
      text,
      attachments,
      receivedAtMs: Date.now(),
      lookAgain: isMention && attachments.length === 0,
    });
    if (handedOver.size >= rememberedMessages) handedOver.clear();
    handedOver.add(id);
  };

  const isForUs = (
    message: SlackMessage,
    kind: { readonly isDirect: boolean; readonly isMention: boolean },
  ): boolean => {
    if (message.botId !== null || message.userId === self.userId || message.userId === 'USLACKBOT') return false;
    if (message.subtype !== null && !talkSubtypes.has(message.subtype)) return false;
    // A mention inside a direct message also arrives as the message itself.
    if (kind.isDirect) return !kind.isMention;
    return kind.isMention || mentions(message.text, self.userId);
  };

  /** The workspace that installed the app. In shared channels the envelope's `team_id` may be somebody else's. */
  const teamOf = (envelope: Json): string =>
    asText(asObject(asArray(envelope['authorizations'])[0])['team_id']) ??
    asText(envelope['context_team_id']) ??
    (self.teamId || (asText(envelope['team_id']) ?? ''));

  return { hear };
}
