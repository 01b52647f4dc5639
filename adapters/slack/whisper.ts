import type { Json } from '../json.ts';
import { escapeWithin } from './text.ts';
import { slackLimits } from './limits.ts';
import type { SlackWeb } from './web.ts';

const whisperTimeoutMs = 10_000;

/**
 * Says something to one person alone. `threadTs`: in this thread, which must have a reply, for without one Slack shows nobody what
 * is said in it; `null`: in the channel. `text` is plain text. Rejects with Slack's reason.
 */
export async function whisper(
  web: SlackWeb,
  to: { readonly channelId: string; readonly threadTs: string | null; readonly userId: string },
  text: string,
  blocks: readonly Json[] = [],
): Promise<void> {
  const shown = escapeWithin(text, slackLimits.textCharacters);
  const args = {
    channel: to.channelId,
    user: to.userId,
    text: shown,
    ...(to.threadTs === null ? {} : { thread_ts: to.threadTs }),
    ...(blocks.length === 0
      ? {}
      : { blocks: [{ type: 'section', text: { type: 'mrkdwn', text: shown, verbatim: true } }, ...blocks] }),
  };
  await web.call('chat.postEphemeral', args, AbortSignal.timeout(whisperTimeoutMs));
}
