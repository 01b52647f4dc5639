import { setTimeout as delay } from 'node:timers/promises';
import { App } from '@slack/bolt';
import { AppError } from '../../src/errors.ts';
import type { Logger } from '../../src/log.ts';
import type { GatewayHandlers, PlatformClient, PlatformGateway } from '../../src/ports/platforms.ts';
import type { SlackAccess } from './access.ts';
import { createAcknowledgements } from './acknowledge.ts';
import type { Acknowledgements } from './acknowledge.ts';
import { createCommands } from './commands.ts';
import { slackCodeOf } from './errors.ts';
import { createEvents } from './events.ts';
import type { OnUninstalled } from './events.ts';
import { createHome } from './home.ts';
import { createIntake } from './intake.ts';
import type { SlackInstaller } from './installer.ts';
import { listenToSurfaces } from './interactions.ts';
import { createLateFiles } from './late-files.ts';
import type { LateFiles } from './late-files.ts';
import { acknowledgeBy, createTransport, eventsOf, eventsPath } from './receiver.ts';
import type { SlackTransport, Transport } from './receiver.ts';
import { sdkLogger } from './sdk-log.ts';
import { helpText } from './status-text.ts';
import { createSlackWeb } from './web.ts';
import type { SlackWeb } from './web.ts';
import type { SlackWorkspaces } from './workspaces.ts';

export interface SlackGatewayOptions {
  readonly transport: SlackTransport;
  readonly workspaces: SlackWorkspaces;
  /** What answers to orders and buttons go out by; the one that replies go out by, so that both keep one pace. */
  readonly client: PlatformClient;
  /** All workspaces have the one bot token of the settings: it is tried when starting. */
  readonly singleTeam: boolean;
  /** Whether a thread that the bot knows goes on without mentions. */
  readonly followUps: 'mention' | 'thread';
  /** The model's name, as people are told it. */
  readonly model: string;
  readonly apiUrl: string;
  readonly log: Logger;
  /** Pages for installing the app, served beside the events. */
  readonly installer?: SlackInstaller;
  /** Who may press buttons and use commands; everyone where it is absent. */
  readonly access?: SlackAccess;
  readonly onUninstalled?: OnUninstalled;
}

const startTimeoutMs = 30_000;
const closeTimeoutMs = 3000;

/**
 * Slack over Socket Mode or signed HTTP. An event is acknowledged once the store has it, so whatever a crash takes away Slack
 * sends again; whatever arrives twice has the same task id.
 */
export function createSlackGateway(options: SlackGatewayOptions): PlatformGateway {
  const { transport: kind, workspaces, client, apiUrl, log } = options;
  let started: {
    readonly transport: Transport;
    readonly acknowledgements: Acknowledgements;
    readonly surfaces: { drain(): Promise<void> };
    readonly lateFiles: LateFiles;
  } | null = null;
  let stopping = new AbortController();

  const start = async (handlers: GatewayHandlers): Promise<void> => {
    stopping = new AbortController();
    const { signal } = stopping;
    if (options.singleTeam) await checkBotToken(workspaces, signal);
    if (kind.kind === 'socket') await checkAppToken(createSlackWeb({ token: kind.appToken, apiUrl, log }), signal);
    if (signal.aborted) return;

    const access: SlackAccess = options.access ?? (async () => null);
    const home = createHome({ ...options, access, handlers });
    const lateFiles = createLateFiles();
    const usage = { questions: 0, inputTokens: 0, outputTokens: 0, sandboxMs: 0, sinceMs: 0, money: [] };
    // Its bold is Slack's own markup; notices are Markdown.
    const help = helpText({ ...options, threads: [], usage, limits: [] }).replace(/\*([^*\n]+)\*/g, '**$1**');
    const commands = createCommands({ client, handlers, help, log });
    const intake = createIntake({ ...options, access, handlers, commands, lateFiles });
    const hear = createEvents({ intake, home, handlers, onUninstalled: options.onUninstalled ?? null });
    const acknowledgements = createAcknowledgements({ hear, log });

    const transport = createTransport({ transport: kind, installer: options.installer ?? null, apiUrl, log });
    const app = new App({
      receiver: eventsOf(transport.receiver),
      // Bolt's own client is not used: nothing is asked, of the store or of Slack, before an event is acknowledged.
      authorize: async () => ({}),
      ignoreSelf: false,
      convoStore: false,
      logger: sdkLogger(log),
      clientOptions: { slackApiUrl: apiUrl, logger: sdkLogger(log) },
    });
    acknowledgeBy(transport.receiver, app, acknowledgements);
    const surfaces = listenToSurfaces(app, {
      workspaces,
      handlers,
      client,
      home,
      access,
      log,
    });
    app.error(async (error) => log.error({ error: String(error) }, 'Bolt could not handle an event'));
    const port = await transport.start(() => app.start());
    started = { transport, acknowledgements, surfaces, lateFiles };
    // A stop that came meanwhile found nothing to close.
    if (signal.aborted) return await stop();
    log.info(port === null ? {} : { port, path: eventsPath }, 'listening to Slack');
  };

  const stop = async (): Promise<void> => {
    stopping.abort();
    if (started === null) return;
    const { transport, acknowledgements, surfaces, lateFiles } = started;
    started = null;
    lateFiles.stop();
    const closed = transport.close().catch((error: unknown) => log.debug({ error: String(error) }, 'not closed'));
    await Promise.race([closed, delay(closeTimeoutMs, undefined, { ref: false })]);
    await Promise.all([acknowledgements.drain(), surfaces.drain()]);
  };

  return {
    name: 'slack',
    start,
    isConnected: () => started?.transport.isOpen() ?? false,
    stop,
  };
}

async function checkBotToken(workspaces: SlackWorkspaces, stopped: AbortSignal): Promise<void> {
  try {
    await workspaces.open('', AbortSignal.any([stopped, AbortSignal.timeout(startTimeoutMs)]));
  } catch (error) {
    throw startError(error, 'SLACK_BOT_TOKEN', 'the bot token (xoxb-…) from the page "OAuth & Permissions" of the app');
  }
}

/** Opens no socket. Without this check a token without its scope would be tried for ever, in silence. */
async function checkAppToken(web: SlackWeb, stopped: AbortSignal): Promise<void> {
  try {
    await web.call('apps.connections.open', {}, AbortSignal.any([stopped, AbortSignal.timeout(startTimeoutMs)]));
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
