import { toAppError } from '../../src/errors.ts';
import type { GatewayHandlers, PlatformClient, PlatformGateway } from '../../src/ports/platforms.ts';
import { harmless } from '../format.ts';
import { demoUsage } from './arguments.ts';
import type { DemoArguments } from './arguments.ts';
import { createTerminalClient } from './client.ts';
import { openKeyboard } from './keyboard.ts';
import { createQuestions } from './questions.ts';
import { createScreen } from './screen.ts';
import { createStyle, terminalFeatures } from './style.ts';
import { createTranscript } from './transcript.ts';

export { parseDemoArguments } from './arguments.ts';

export interface TerminalPlatform {
  readonly gateway: PlatformGateway;
  readonly client: PlatformClient;
  /**
   * Settles once the conversation is over. With asks: true when each got its final reply. At the keyboard: true when the
   * person left. False when the gateway was stopped before. Never rejects.
   */
  readonly finished: Promise<boolean>;
}

/**
 * A conversation in the terminal: the given asks, one after the other, or whatever is typed. All of it is one thread, new
 * for each call. `env` is only asked what the terminal can show.
 */
export function createTerminalPlatform(
  options: DemoArguments & {
    readonly input: NodeJS.ReadableStream & { readonly isTTY?: boolean };
    readonly output: NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number };
    readonly env: Readonly<Record<string, string | undefined>>;
  },
): TerminalPlatform {
  const { input, output, outDir } = options;
  const features = terminalFeatures(options.env, output.isTTY === true);
  const style = createStyle(features.colour);
  const screen = createScreen(output, features.isTty);
  const transcript = createTranscript(outDir);
  const questions = createQuestions(transcript);
  const client = createTerminalClient({
    screen,
    transcript,
    style,
    features,
    onReply: ({ taskId }) => questions.onReply(taskId),
  });
  const { promise: finished, resolve: finish } = Promise.withResolvers<boolean>();
  let stopHearing = (): Promise<void> => Promise.resolve();
  let stopped = false;

  const askAll = async (handlers: GatewayHandlers): Promise<void> => {
    for (const { text, files } of options.asks) {
      if (stopped) return;
      screen.print(`${style.bold('›')} ${harmless(text)}`);
      const { replied } = await questions.ask(handlers, text, files);
      await Promise.race([replied, finished]);
    }
  };

  return {
    finished,
    client,
    gateway: {
      name: 'terminal',
      isConnected: () => true,
      start: async (handlers) => {
        if (options.help) {
          screen.print(demoUsage);
          return finish(true);
        }
        await transcript.prepare();
        if (options.asks.length > 0) {
          const asked = askAll(handlers).then(
            () => finish(true),
            (error: unknown) => {
              screen.print(toAppError(error).userMessage);
              finish(false);
            },
          );
          stopHearing = () => asked;
          return;
        }
        const keyboard = openKeyboard({
          input,
          output,
          outDir,
          isTty: features.isTty,
          screen,
          style,
          transcript,
          questions,
          handlers,
          finished,
          onEnd: () => finish(true),
        });
        stopHearing = () => keyboard.close();
      },
      stop: async () => {
        stopped = true;
        finish(false);
        await stopHearing();
      },
    },
  };
}
