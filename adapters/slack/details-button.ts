import type { Logger } from '../../src/log.ts';
import type { GatewayHandlers } from '../../src/ports.ts';
import { detailsView } from './details-view.ts';
import { asArray, asObject, asText } from '../json.ts';
import type { SlackSelf } from './message.ts';
import type { SlackWeb } from './web.ts';

/** Slack takes a modal within three seconds of the click; past it there is nobody to show it to. */
const openTimeoutMs = 5000;

const noLonger = 'I do not have the details of this file any more. Send it again to have it looked at anew.';
const tooLate = 'The details could not be opened in time. Press the button once more, or mention me with *details*.';

/** *Details* under a file card: opens the card, read from the store, for the person who pressed. */
export interface DetailsButton {
  /** `body` is the `block_actions` payload. Resolves once it is answered; rejects where Slack cannot be reached. */
  open(body: unknown): Promise<void>;
}

export function createDetailsButton(deps: {
  readonly web: SlackWeb;
  readonly handlers: GatewayHandlers;
  readonly self: SlackSelf;
  readonly log: Logger;
}): DetailsButton {
  const { web, handlers, self, log } = deps;

  const whisper = async (to: { channelId: string; threadTs: string; userId: string }, text: string): Promise<void> => {
    const args = { channel: to.channelId, thread_ts: to.threadTs, user: to.userId, text };
    await web.call('chat.postEphemeral', args, AbortSignal.timeout(openTimeoutMs));
  };

  return {
    open: async (body) => {
      const payload = asObject(body);
      const message = asObject(payload['message']);
      const channelId = asText(asObject(payload['channel'])['id']);
      const userId = asText(asObject(payload['user'])['id']);
      const threadTs = asText(message['thread_ts']) ?? asText(message['ts']);
      const file = asText(asObject(asArray(payload['actions'])[0])['value']);
      if (channelId === null || userId === null || threadTs === null || file === null) return;
      // In shared channels the payload's team may be the clicker's own.
      const workspaceId = self.teamId || (asText(asObject(payload['team'])['id']) ?? '');
      const thread = { platform: 'slack', workspaceId, channelId, threadId: threadTs };
      const [details] = await handlers.onShowDetails(thread, file);
      const person = { channelId, threadTs, userId };
      if (details === undefined) return whisper(person, noLonger);
      try {
        const args = { trigger_id: asText(payload['trigger_id']), view: detailsView(details) };
        await web.call('views.open', args, AbortSignal.timeout(openTimeoutMs));
      } catch (error) {
        log.warn({ file, error: String(error) }, 'the details could not be opened');
        await whisper(person, tooLate);
      }
    },
  };
}
