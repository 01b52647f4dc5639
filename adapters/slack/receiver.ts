import type { Server } from 'node:http';
import { HTTPReceiver, SocketModeReceiver } from '@slack/bolt';
import type { App, Receiver } from '@slack/bolt';
import { AppError } from '../../src/errors.ts';
import type { Logger } from '../../src/log.ts';
import type { Acknowledgements } from './acknowledge.ts';
import type { SlackInstaller } from './installer.ts';
import { sdkLogger } from './sdk-log.ts';

/** How Slack reaches the bot. */
export type SlackTransport =
  | { readonly kind: 'socket'; readonly appToken: string }
  /** `port`: where `/slack/events` is served; 0 for any free one. */
  | { readonly kind: 'http'; readonly signingSecret: string; readonly port: number };

type InstallerOptions = NonNullable<NonNullable<ConstructorParameters<typeof HTTPReceiver>[0]>['installerOptions']> &
  NonNullable<ConstructorParameters<typeof SocketModeReceiver>[0]['installerOptions']>;

/** A receiver of Bolt's, and how it stops. */
export interface Transport {
  readonly receiver: Receiver;
  /** Rejects with `config` where the port is taken. Resolves to it; to `null` for a socket. */
  start(start: () => Promise<unknown>): Promise<number | null>;
  /** Slack's events can arrive now. */
  isOpen(): boolean;
  /** Hears nothing more. */
  close(): Promise<unknown>;
}

export const eventsPath = '/slack/events';

export function createTransport(options: {
  readonly transport: SlackTransport;
  readonly installer: SlackInstaller | null;
  readonly apiUrl: string;
  readonly log: Logger;
}): Transport {
  const { transport, apiUrl, log } = options;
  const logger = sdkLogger(log);
  // No `retryConfig` for Bolt's or the socket's own client: with few retries a dropped connection ends the process.
  const clientOptions = { slackApiUrl: apiUrl, logger };
  const { installerOptions: given, ...installer } = options.installer ?? {};
  const installerOptions = Object.assign({ ...given } as InstallerOptions, {
    clientOptions: { ...clientOptions, ...given?.clientOptions },
  });
  if (transport.kind === 'socket') {
    const { appToken } = transport;
    const receiver = new SocketModeReceiver({
      ...installer,
      appToken,
      logger,
      installerOptions,
      // Also for an acknowledgement whose socket was cut: Slack sends the event again, and its task is known.
      processEventErrorHandler: async ({ error }) => {
        log.warn({ error: String(error) }, 'a Slack event was not acknowledged');
        return false;
      },
    });
    return {
      receiver,
      start: async (start) => {
        try {
          await Promise.race([start(), pagesFailure(receiver, log)]);
        } catch (error) {
          await receiver.client.disconnect().catch(() => {});
          throw error;
        }
        return null;
      },
      isOpen: () => receiver.client.websocket?.isActive() ?? false,
      close: async () => {
        // Bolt's own `stop` does not wait for the socket to close; it only closes the pages for installing.
        await Promise.all([receiver.stop(), receiver.client.disconnect()]);
      },
    };
  }
  const { signingSecret, port } = transport;
  const receiver = new HTTPReceiver({
    ...installer,
    signingSecret,
    port,
    logger,
    endpoints: [eventsPath],
    installerOptions,
    processEventErrorHandler: async ({ error, response }) => {
      log.warn({ error: String(error) }, 'a Slack event was not acknowledged');
      if (!response.headersSent) response.writeHead(503).end();
      return false;
    },
    unhandledRequestHandler: ({ response }) => {
      if (!response.headersSent) response.writeHead(503).end();
    },
  });
  return {
    receiver,
    start: async (start) => {
      try {
        return portOf(await start()) ?? port;
      } catch (error) {
        throw portError(port, "Slack's events", error);
      }
    },
    isOpen: () => true,
    close: () => receiver.stop(),
  };
}

/**
 * Rejects where the server of the pages for installing fails, which Bolt leaves to nobody: without a listener its error would end
 * the process. It is private in Bolt's class. A failure after the start is logged.
 */
function pagesFailure(receiver: SocketModeReceiver, log: Logger): Promise<never> {
  const { httpServer, httpServerPort } = receiver as unknown as { httpServer?: Server; httpServerPort?: number };
  const failure = Promise.withResolvers<never>();
  httpServer?.on('error', (error) => {
    log.error({ error: String(error) }, 'the pages for installing the app cannot be served');
    failure.reject(portError(httpServerPort ?? 0, 'the pages for installing the app', error));
  });
  failure.promise.catch(() => {});
  return failure.promise;
}

/** The receiver without its pages for installing: beside them Bolt's `App` takes no `authorize` of ours. */
export function eventsOf(receiver: Receiver): Receiver {
  return {
    init: (app) => receiver.init(app),
    start: (...options) => receiver.start(...options),
    stop: (...options) => receiver.stop(...options),
  };
}

/**
 * Puts our acknowledgement where Bolt's would be: Bolt acknowledges an event at once, whether or not anybody has it. Everything
 * else (clicks, views, shortcuts, slash commands) is acknowledged by its listener.
 */
export function acknowledgeBy(receiver: Receiver, app: App, acknowledgements: Acknowledgements): void {
  const processEvent: App['processEvent'] = async (event) => {
    const { body, ack } = event;
    if (body['type'] !== 'event_callback') return await app.processEvent(event);
    let then = (): void => {};
    const acknowledge: typeof ack = async (response) => {
      then = await acknowledgements.take(body);
      await ack(response);
    };
    try {
      await app.processEvent({ ...event, ack: acknowledge });
    } finally {
      then();
    }
  };
  receiver.init({ processEvent } as App);
}

function portOf(server: unknown): number | null {
  const address = (server as { address?: () => unknown } | undefined)?.address?.();
  return typeof address === 'object' && address !== null && 'port' in address ? Number(address.port) : null;
}

function portError(port: number, what: string, error: unknown): AppError {
  return new AppError(
    'config',
    `The port ${port} for ${what} cannot be used (${codeOf(error)}): set another SLACK_PORT.`,
    {
      cause: error,
    },
  );
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : String(error);
}
