import type { Logger } from '../../src/log.ts';
import type { GatewayHandlers, PersonOverview, PersonRef } from '../../src/ports/platforms.ts';
import type { SlackAccess } from './access.ts';
import { workspaceIdOf } from './envelope.ts';
import { homeView, refusedView } from './home-view.ts';
import type { HomeThread } from './home-view.ts';
import { asObject, asText } from '../json.ts';
import type { Json } from '../json.ts';
import type { StatusOverview } from './status-text.ts';
import type { SlackWeb } from './web.ts';
import type { SlackWorkspaces } from './workspaces.ts';

/** The App Home tab and the prompts above an empty conversation. */
export interface Home {
  /** `envelope` is that of `app_home_opened` or `assistant_thread_started`. Never rejects: both are extras. */
  opened(envelope: Json): Promise<void>;
  /** Shows the Home tab as it is now. Rejects where Slack refuses it. */
  publish(workspaceId: string, userId: string): Promise<void>;
  /** What one person is told about their own use. `withLinks`: asks Slack for the address of each thread. */
  overview(workspaceId: string, userId: string, withLinks: boolean): Promise<StatusOverview>;
}

const callTimeoutMs = 10_000;

/** Links are special-tier calls: those of the newest threads are enough. */
const linkedThreads = 10;

/** At most four, by Slack's rule. */
const prompts = [
  { title: 'Look at a file', message: 'What is in the attached file, and what is wrong with it?' },
  { title: 'Draw a chart', message: 'Draw the attached data as a chart that shows its trend.' },
  { title: 'Total by group', message: 'Total the attached data by month and by category.' },
  { title: 'Clean a file', message: 'Clean the attached file and give it back as a workbook.' },
];

export function createHome(deps: {
  readonly workspaces: SlackWorkspaces;
  readonly handlers: GatewayHandlers;
  readonly followUps: 'mention' | 'thread';
  /** The model's name, as people are told it. */
  readonly model: string;
  /** Whoever may not use the bot is shown why, and nothing to use. */
  readonly access: SlackAccess;
  readonly log: Logger;
}): Home {
  const { workspaces, handlers, log } = deps;

  const webOf = async (workspaceId: string): Promise<SlackWeb> =>
    (await workspaces.open(workspaceId, AbortSignal.timeout(callTimeoutMs))).web;

  const linkOf = async (
    web: SlackWeb,
    { thread, messageId }: PersonOverview['threads'][number],
  ): Promise<string | null> => {
    try {
      const args = { channel: thread.channelId, message_ts: messageId };
      return asText((await web.call('chat.getPermalink', args, AbortSignal.timeout(callTimeoutMs)))['permalink']);
    } catch (error) {
      log.debug({ error: String(error) }, 'a thread has no link');
      return null;
    }
  };

  const overview: Home['overview'] = async (workspaceId, personId, withLinks) => {
    const who: PersonRef = { platform: 'slack', workspaceId, personId };
    const { threads, usage, limits, everyone } = await handlers.onOverview(who);
    const web = withLinks && threads.length > 0 ? await webOf(workspaceId) : null;
    const shown = threads.map(async (entry, index): Promise<HomeThread> => {
      const link = web !== null && index < linkedThreads ? await linkOf(web, entry) : null;
      return { question: entry.question, link, askedAtMs: entry.askedAtMs, state: entry.state };
    });
    return { threads: await Promise.all(shown), usage, limits, everyone, model: deps.model, followUps: deps.followUps };
  };

  const publish: Home['publish'] = async (workspaceId, userId) => {
    await show(workspaceId, userId, homeView(await overview(workspaceId, userId, true)));
  };

  const show = async (workspaceId: string, userId: string, view: Json): Promise<void> => {
    const web = await webOf(workspaceId);
    await web.call('views.publish', { user_id: userId, view }, AbortSignal.timeout(callTimeoutMs));
  };

  const suggest = async (workspaceId: string, channelId: string, threadTs: string | null): Promise<void> => {
    const args = { channel_id: channelId, prompts, ...(threadTs === null ? {} : { thread_ts: threadTs }) };
    const web = await webOf(workspaceId);
    await web.call('assistant.threads.setSuggestedPrompts', args, AbortSignal.timeout(callTimeoutMs));
  };

  return {
    overview,
    publish,
    opened: async (envelope) => {
      const event = asObject(envelope['event']);
      const workspaceId = workspaceIdOf(envelope);
      const thread = asObject(event['assistant_thread']);
      const userId = asText(event['user']) ?? asText(thread['user_id']);
      const channelId = asText(event['channel']) ?? asText(thread['channel_id']);
      if (userId === null) return;
      try {
        const who = { workspaceId, channelId: null, userId, userTeamId: null };
        const refusal = await deps.access(who, AbortSignal.timeout(callTimeoutMs));
        if (event['type'] === 'app_home_opened' && event['tab'] === 'home') {
          await (refusal === null ? publish(workspaceId, userId) : show(workspaceId, userId, refusedView(refusal)));
        } else if (channelId !== null && refusal === null) {
          await suggest(workspaceId, channelId, asText(thread['thread_ts']));
        }
      } catch (error) {
        // Not every plan has prompts, and a Home tab is no answer to anything.
        log.info({ event: event['type'], error: String(error) }, 'a view of Slack could not be filled');
      }
    },
  };
}
