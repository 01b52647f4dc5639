import { setTimeout as delay } from 'node:timers/promises';
import { App, SocketModeReceiver } from '@slack/bolt';
import { AppError } from '../../src/errors.ts';
import type { Logger } from '../../src/log.ts';
import type { GatewayHandlers, PlatformGateway } from '../../src/ports.ts';
import { createSlackClient } from './client.ts';
import { createCommands } from './commands.ts';
import { createDetailsButton } from './details-button.ts';
import { detailsActionId } from './details-view.ts';
import { slackCodeOf } from './errors.ts';
import { createIntake } from './intake.ts';
import { asText } from '../json.ts';
import type { SlackSelf } from './message.ts';
import { sdkLogger } from './sdk-log.ts';
import { createSlackWeb } from './web.ts';
import type { SlackWeb } from './web.ts';
import { createSingleWorkspace } from './workspaces.ts';

export interface SlackGatewayOptions {
  readonly botToken: string;
  readonly appToken: string;
  readonly apiUrl: string;
  readonly log: Logger;
}

const startTimeoutMs = 30_000;
const closeTimeoutMs = 3000;

/**
 * Slack over Socket Mode. Bolt acknowledges an event before its listeners run, so nothing here can make Slack send it again
 * for being slow; whatever arrives twice all the same has the same task id.
 */
export function createSlackGateway(options: SlackGatewayOptions): PlatformGateway {
  const { botToken, appToken, apiUrl, log } = options;
  const web = createSlackWeb({ token: botToken, apiUrl, log });
  const underWay = new Set<Promise<void>>();
  let receiver: SocketModeReceiver | null = null;
  let stopping = false;

  const track = (work: Promise<void>): Promise<void> => {
    const settled = work
      .catch((error: unknown) => log.error({ error: String(error) }, 'a Slack event could not be handled'))
      .finally(() => underWay.delete(settled));
    underWay.add(settled);
    return settled;
  };

  const start = async (handlers: GatewayHandlers): Promise<void> => {
    stopping = false;
    const self = await checkBotToken(web);
    await checkAppToken(createSlackWeb({ token: appToken, apiUrl, log }));

    // No `retryConfig` for Bolt's or the socket's own client: with few retries a dropped connection ends the process.
    const clientOptions = { slackApiUrl: apiUrl, logger: sdkLogger(log) };
    receiver = new SocketModeReceiver({
      appToken,
      logger: sdkLogger(log),
      installerOptions: { clientOptions: { ...clientOptions } },
    });
    const app = new App({
      receiver,
      token: botToken,
      botId: self.botId,
      botUserId: self.userId,
      tokenVerificationEnabled: false,
      convoStore: false,
      logger: sdkLogger(log),
      clientOptions,
    });

    const client = createSlackClient({ workspaces: createSingleWorkspace({ botToken, apiUrl, log }), apiUrl, log });
    const details = createDetailsButton({ web, handlers, self, log });
    const intake = createIntake({
      self,
      handlers,
      commands: createCommands({ client, handlers, log }),
    });
    app.event('app_mention', ({ body }) => (stopping ? Promise.resolve() : track(intake.hear(body))));
    app.event('message', ({ body }) => (stopping ? Promise.resolve() : track(intake.hear(body))));
    app.action(detailsActionId, async ({ ack, body }) => {
      await ack();
      if (!stopping) await track(details.open(body));
    });
    app.error(async (error) => log.error({ error: String(error) }, 'Bolt could not handle an event'));
    await app.start();
    log.info({ team: self.teamId, bot: self.userId }, 'listening to Slack');
  };

  return {
    name: 'slack',
    start,
    stop: async () => {
      stopping = true;
      // Bolt's own `stop` does not wait for the socket to close.
      const closed = receiver?.client.disconnect() ?? Promise.resolve();
      await Promise.race([closed, delay(closeTimeoutMs, undefined, { ref: false })]);
      await Promise.all(underWay);
    },
  };
}

async function checkBotToken(web: SlackWeb): Promise<SlackSelf> {
  try {
    const answer = await web.call('auth.test', {}, AbortSignal.timeout(startTimeoutMs));
    return {
      teamId: asText(answer['team_id']) ?? '',
      userId: asText(answer['user_id']) ?? '',
      botId: asText(answer['bot_id']) ?? '',
    };
  } catch (error) {
    throw startError(error, 'SLACK_BOT_TOKEN', 'the bot token (xoxb-…) from the page "OAuth & Permissions" of the app');
  }
}

/** Opens no socket. Without this check a token without its scope would be tried for ever, in silence. */
async function checkAppToken(web: SlackWeb): Promise<void> {
  try {
    await web.call('apps.connections.open', {}, AbortSignal.timeout(startTimeoutMs));
  } catch (error) {
    throw startError(
      error,
      'SLACK_APP_TOKEN',
      'an app-level token (xapp-…) with the scope connections:write, with Socket Mode switched on for the app',
    );
  }
}

function startError(error: unknown, setting: string, expected: string): AppError {
  const code = slackCodeOf(error);
  if (code === null) {
    return new AppError('platform-failed', 'Slack cannot be reached: check the network and SLACK_API_URL.', {
      cause: error,
      retryable: true,
      detail: `Slack cannot be reached: ${String(error)}`,
    });
  }
  return new AppError('config', `Slack does not accept ${setting} (${code}). It must be ${expected}.`, {
    cause: error,
  });
}
