import { slackCodeOf } from './errors.ts';
import { workspaceIdOfPayload } from './envelope.ts';
import { asArray, asObject, asText } from '../json.ts';
import type { Json } from '../json.ts';
import { slackLimits } from './limits.ts';
import { escapeWithin } from './text.ts';
import { whisper } from './whisper.ts';
import type { SlackWorkspace, SlackWorkspaces } from './workspaces.ts';

/** One click, command, shortcut or submitted view: who, where, on what. All of it is from the payload. */
export interface Visit {
  readonly workspaceId: string;
  /** `null` in the Home tab and in views. */
  readonly channelId: string | null;
  readonly threadTs: string | null;
  readonly userId: string;
  readonly userTeamId: string | null;
  readonly triggerId: string | null;
  readonly actionId: string;
  readonly value: string;
  /** Of this one click. Slack sends the same again when it sends the click again. */
  readonly actionTs: string;
  readonly payload: Json;
}

/** `null` for a payload without a person. */
export function readVisit(raw: unknown): Visit | null {
  const payload = asObject(raw);
  const user = asObject(payload['user']);
  const userId = asText(user['id']) ?? asText(payload['user_id']);
  if (userId === null) return null;
  const message = asObject(payload['message']);
  // An ephemeral message is in no payload: its container says where it was.
  const container = asObject(payload['container']);
  const action = asObject(asArray(payload['actions'])[0]);
  return {
    workspaceId: workspaceIdOfPayload(payload),
    channelId:
      asText(asObject(payload['channel'])['id']) ?? asText(payload['channel_id']) ?? asText(container['channel_id']),
    threadTs: asText(message['thread_ts']) ?? asText(container['thread_ts']) ?? asText(message['ts']),
    userId,
    userTeamId: asText(user['team_id']) ?? asText(asObject(payload['team'])['id']) ?? asText(payload['team_id']),
    triggerId: asText(payload['trigger_id']),
    actionId: asText(action['action_id']) ?? '',
    value: asText(action['value']) ?? '',
    actionTs: asText(action['action_ts']) ?? asText(payload['action_ts']) ?? '',
    payload,
  };
}

const callTimeoutMs = 10_000;

/** Slack takes a modal within three seconds of the click; past it there is nobody to show it to. */
const openTimeoutMs = 5000;

/** What the bot can do for one visitor. */
export interface Desk {
  open(workspaceId: string): Promise<SlackWorkspace>;
  /** To this person alone: where they are, or, where the bot is no member, in their direct messages. */
  tell(visit: Visit, text: string, blocks?: readonly Json[]): Promise<void>;
  /** Resolves to whether Slack showed it. */
  show(visit: Visit, view: Json): Promise<boolean>;
}

export function createDesk(workspaces: SlackWorkspaces): Desk {
  const open: Desk['open'] = (workspaceId) => workspaces.open(workspaceId, AbortSignal.timeout(callTimeoutMs));
  return {
    open,
    tell: async (visit, text, blocks) => {
      const { channelId, userId } = visit;
      const isRoot = visit.threadTs === asText(asObject(visit.payload['message'])['ts']);
      const threadTs = isRoot ? null : visit.threadTs;
      const { web } = await open(visit.workspaceId);
      if (channelId !== null) {
        try {
          return await whisper(web, { channelId, threadTs, userId }, text, blocks);
        } catch (error) {
          if (slackCodeOf(error) === null) throw error;
        }
      }
      const args = { channel: userId, text: escapeWithin(text, slackLimits.textCharacters) };
      await web.call('chat.postMessage', args, AbortSignal.timeout(callTimeoutMs));
    },
    show: async (visit, view) => {
      try {
        const { web } = await open(visit.workspaceId);
        const args = { trigger_id: visit.triggerId, view };
        await web.call('views.open', args, AbortSignal.timeout(openTimeoutMs));
        return true;
      } catch {
        // Whatever it was, the trigger is used up or too old by now: the visitor is told instead.
        return false;
      }
    },
  };
}
