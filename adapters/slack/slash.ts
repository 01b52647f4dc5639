import type { GatewayHandlers } from '../../src/ports/platforms.ts';
import { forgetActionId } from './home-view.ts';
import type { Home } from './home.ts';
import { asText } from '../json.ts';
import type { Json } from '../json.ts';
import { helpText, statusText, usageText } from './status-text.ts';
import type { Visit } from './visit.ts';

/** *Forget* for one channel, whose id is its value. */
export const forgetChannelActionId = 'plotline-forget-channel';

/** Only the person sees it. `text` is `mrkdwn`. */
export interface SlashAnswer {
  readonly text: string;
  readonly blocks: readonly Json[];
}

/** `/plotline status|stop|forget|usage|help`, whatever the command is called in the workspace. */
export function createSlash(deps: {
  readonly handlers: GatewayHandlers;
  readonly home: Home;
}): (visit: Visit) => Promise<SlashAnswer> {
  const { handlers, home } = deps;

  /** The threads of this channel in which this person's newest question runs or waits; in others' threads all goes on. */
  const stop = async ({ workspaceId, channelId, userId }: Visit): Promise<string> => {
    const who = { platform: 'slack', workspaceId, personId: userId };
    const { threads } = await handlers.onOverview(who);
    const open = threads.filter(
      ({ thread, state }) => thread.channelId === channelId && (state === 'running' || state === 'waiting'),
    );
    const counts = await Promise.all(open.map(({ thread }) => handlers.onCancel(thread, userId, { askedBy: userId })));
    const stopped = counts.reduce((sum, count) => sum + count, 0);
    if (stopped === 0) return 'Nothing of yours is running or waiting in this channel.';
    return `Stopping ${stopped} ${stopped === 1 ? 'question' : 'questions'}.`;
  };

  return async (visit) => {
    const { workspaceId, userId, channelId, payload } = visit;
    const command = asText(payload['command']) ?? '/plotline';
    const word = (asText(payload['text']) ?? 'help').trim().toLowerCase();
    switch (word) {
      case 'status':
        return plain(statusText(await home.overview(workspaceId, userId, true)));
      case 'usage':
        return plain(usageText(await home.overview(workspaceId, userId, false)));
      case 'stop':
        return plain(await stop(visit));
      case 'forget':
        return forgetAnswer(channelId);
      default: {
        const help = helpText(await home.overview(workspaceId, userId, false)).replaceAll('/plotline', command);
        return plain(word === 'help' ? help : `I do not know that word.\n${help}`);
      }
    }
  };
}

function plain(text: string): SlashAnswer {
  return { text, blocks: [] };
}

function forgetAnswer(channelId: string | null): SlashAnswer {
  const text =
    'I delete what I keep of the threads that you began: files, code, results and the conversation. What is running is ' +
    'stopped. The messages in Slack stay. This cannot be undone.';
  const buttons = [
    ...(channelId === null ? [] : [forgetButton('Forget those in this channel', forgetChannelActionId, channelId)]),
    forgetButton('Forget all of mine', forgetActionId, 'all'),
  ];
  const blocks = [
    { type: 'section', text: { type: 'mrkdwn', text } },
    { type: 'actions', elements: buttons },
  ];
  return { text, blocks };
}

function forgetButton(label: string, actionId: string, value: string): Json {
  return {
    type: 'button',
    action_id: actionId,
    value,
    style: 'danger',
    text: { type: 'plain_text', text: label },
    confirm: {
      title: { type: 'plain_text', text: 'Forget them?' },
      text: { type: 'plain_text', text: 'This cannot be undone.' },
      confirm: { type: 'plain_text', text: 'Forget' },
      deny: { type: 'plain_text', text: 'Keep' },
      style: 'danger',
    },
  };
}
