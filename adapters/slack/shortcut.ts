import type { GatewayHandlers } from '../../src/ports/platforms.ts';
import { slackCodeOf } from './errors.ts';
import { asObject, asText } from '../json.ts';
import { readMessage, taskOf } from './message.ts';
import type { SlackMessage } from './message.ts';
import { questionBlockId, questionInputId, questionView } from './question-view.ts';
import { readOneMessage } from './thread.ts';
import type { Desk, Visit } from './visit.ts';

export const analyzeCallbackId = 'analyze_message';

const noFile = 'This message has no file that I could look at. Use *Analyze this file* on a message with one.';
const notMember =
  'I am not a member of that channel. Invite me there with `/invite`, then use *Analyze this file* again.';
const gone = 'The message with the file is not there any more.';
const tooLate = 'The question could not be opened in time. Use *Analyze this file* once more.';

/** While the trigger of the shortcut is good. */
const lookTimeoutMs = 2000;
const readTimeoutMs = 10_000;

interface Target {
  readonly channelId: string;
  readonly ts: string;
  readonly threadTs: string;
}

/** *Analyze this file* on anybody's message: asks for the question, then answers in that message's thread. */
export interface Shortcut {
  /** The shortcut was used. */
  asked(visit: Visit): Promise<void>;
  /** The question was submitted; `visit` is where `placed` put it. */
  submitted(visit: Visit): Promise<void>;
}

/** A submitted question belongs to the channel of its message, which only the view itself names. */
export function placed(visit: Visit): Visit {
  const target = readTarget(asObject(visit.payload['view'])['private_metadata']);
  if (target === null) return visit;
  const isRoot = target.ts === target.threadTs;
  return { ...visit, channelId: target.channelId, threadTs: isRoot ? null : target.threadTs };
}

export function createShortcut(deps: { readonly handlers: GatewayHandlers; readonly desk: Desk }): Shortcut {
  const { handlers, desk } = deps;

  /** Says why not, where the bot cannot see the message. */
  const read = async (visit: Visit, target: Target, timeoutMs: number): Promise<SlackMessage | null> => {
    const { web } = await desk.open(visit.workspaceId);
    try {
      const message = await readOneMessage(web, target, AbortSignal.timeout(timeoutMs));
      if (message === null) await desk.tell(visit, gone);
      return message;
    } catch (error) {
      const code = slackCodeOf(error);
      if (code !== 'not_in_channel' && code !== 'channel_not_found' && code !== 'thread_not_found') throw error;
      await desk.tell(visit, code === 'thread_not_found' ? gone : notMember);
      return null;
    }
  };

  return {
    asked: async (visit) => {
      const { channelId, payload } = visit;
      const message = readMessage(payload['message']);
      if (channelId === null || message === null) return;
      if (message.files.length === 0) return desk.tell(visit, noFile);
      const target: Target = { channelId, ts: message.ts, threadTs: message.threadTs };
      if ((await read(visit, target, lookTimeoutMs)) === null) return;
      const names = message.files.map((file) => asText(file['name']) ?? '');
      if (!(await desk.show(visit, questionView(names, JSON.stringify(target))))) await desk.tell(visit, tooLate);
    },
    submitted: async (visit) => {
      const view = asObject(visit.payload['view']);
      const target = readTarget(view['private_metadata']);
      const viewId = asText(view['id']);
      const values = asObject(asObject(asObject(view['state'])['values'])[questionBlockId]);
      const text = asText(asObject(values[questionInputId])['value']) ?? '';
      if (target === null || viewId === null) return;
      const message = await read(visit, target, readTimeoutMs);
      if (message === null) return;
      const { self } = await desk.open(visit.workspaceId);
      const at = { workspaceId: visit.workspaceId, channelId: target.channelId, userId: visit.userId };
      const task = taskOf(message, { ...at, botUserId: self.userId });
      if (task.attachments.length === 0) return desk.tell(visit, noFile);
      await handlers.onTask({ ...task, id: `${task.id}-shortcut-${viewId}`, text });
    },
  };
}

/** Of our own making, but it went through the person's client. */
function readTarget(metadata: unknown): Target | null {
  let fields;
  try {
    fields = asObject(JSON.parse(asText(metadata) ?? ''));
  } catch {
    return null;
  }
  const channelId = asText(fields['channelId']);
  const ts = asText(fields['ts']);
  const threadTs = asText(fields['threadTs']);
  return channelId === null || ts === null || threadTs === null ? null : { channelId, ts, threadTs };
}
