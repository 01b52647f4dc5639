import { homedir } from 'node:os';
import { basename, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { toAppError } from '../../src/errors.ts';
import type { GatewayHandlers } from '../../src/ports/platforms.ts';
import { whyUnreadable } from './arguments.ts';
import type { Questions } from './questions.ts';
import { renderCells, renderDetails } from './render.ts';
import type { Screen } from './screen.ts';
import type { Style } from './style.ts';
import type { Transcript } from './transcript.ts';

const help = `Ask in your own words. A line that is a path attaches that file to your next question.
  /file PATH  attach a file       /files  what you gave and what I made
  /details    all I noticed in your files
  /code       the last code       /stop   stop what runs (also Ctrl-C)
  /help       this                /quit   leave (also Ctrl-D)
Ask for the “notebook” to get the conversation as a Jupyter notebook.`;

/** Reads lines until the person leaves: then `onEnd` is called, once. */
export function openKeyboard(deps: {
  readonly input: NodeJS.ReadableStream & { readonly isTTY?: boolean };
  readonly output: NodeJS.WritableStream;
  readonly outDir: string;
  readonly isTty: boolean;
  readonly screen: Screen;
  readonly style: Style;
  readonly transcript: Transcript;
  readonly questions: Questions;
  readonly handlers: GatewayHandlers;
  /** Settles when nobody waits for replies any more. */
  readonly finished: Promise<unknown>;
  readonly onEnd: () => void;
}): { close(): Promise<void> } {
  const { screen, style, transcript, questions, handlers } = deps;
  const isLive = deps.isTty && deps.input.isTTY === true;
  const lines = createInterface({
    input: deps.input,
    output: isLive ? deps.output : undefined,
    terminal: isLive,
    prompt: '› ',
  });
  let nextFiles: string[] = [];
  let stopAsked = false;
  let handled: Promise<void> = Promise.resolve();

  const attach = (path: string): void => {
    const problem = whyUnreadable(path);
    if (problem !== null) return screen.print(`${style.red('✗')} ${path}: ${problem}.`);
    nextFiles.push(path);
    screen.print(`${style.green('✓')} ${basename(path)} goes with your next question.`);
  };

  const ask = async (text: string): Promise<void> => {
    const files = nextFiles;
    nextFiles = [];
    stopAsked = false;
    const { replied } = await questions.ask(handlers, text, files);
    // Lines from a pipe are a script: each waits for the answer before it.
    if (!isLive) await Promise.race([replied, deps.finished]);
  };

  const stop = async (): Promise<void> => {
    if (questions.open() === 0) return screen.print('Nothing is running.');
    stopAsked = true;
    await questions.stop(handlers);
  };

  const listFiles = (): void => {
    const of = (from: 'person' | 'bot'): readonly string[] =>
      transcript
        .entries()
        .flatMap((entry) => (entry.from === from ? entry.files.map(({ path }) => resolve(deps.outDir, path)) : []));
    const section = (title: string, paths: readonly string[]): readonly string[] =>
      paths.length === 0 ? [] : [style.bold(title), ...paths.map((path) => `  ${path}`)];
    const text = [...section('From you', [...of('person'), ...nextFiles]), ...section('Made here', of('bot'))];
    screen.print(text.length === 0 ? 'No files yet.' : text.join('\n'));
  };

  const onLine = async (line: string): Promise<void> => {
    const text = line.trim();
    const [, command = '', rest = ''] = /^\/(\w+)(?:\s+(.*))?$/s.exec(text) ?? [];
    if (text === '') return;
    if (whyUnreadable(asPath(text)) === null) return attach(asPath(text));
    switch (command) {
      case '':
        return ask(text);
      case 'file':
        return rest === '' ? screen.print('Which file? /file PATH') : attach(asPath(rest));
      case 'files':
        return listFiles();
      case 'code':
        return screen.print(renderCells(await questions.code(handlers), style));
      case 'details':
        return screen.print(renderDetails(await questions.details(handlers), style));
      case 'stop':
        return stop();
      case 'help':
        return screen.print(help);
      case 'quit':
      case 'exit':
        return lines.close();
      default:
        return screen.print(`I do not know /${command}.\n${help}`);
    }
  };

  const handle = (work: () => Promise<void>): void => {
    handled = handled
      .then(work)
      .catch((error: unknown) => screen.print(`${style.red('✗')} ${toAppError(error).userMessage}`));
  };

  lines.on('line', (line) => {
    screen.lineEntered(line);
    handle(async () => {
      await onLine(line);
      if (isLive && !isClosed) lines.prompt(true);
    });
  });
  // Not behind the lines: it must work while one of them is being handled.
  lines.on('SIGINT', () => {
    if (questions.open() === 0 || stopAsked) lines.close();
    else stop().catch((error: unknown) => screen.print(toAppError(error).userMessage));
  });
  let isClosed = false;
  lines.on('close', () => {
    isClosed = true;
    screen.useInput(null);
    handle(async () => {
      if (isLive && questions.open() > 0) await questions.stop(handlers);
    });
    void handled.then(deps.onEnd);
  });

  screen.print(`${style.bold('Plotline')} ${style.dim('— drop a file here, then ask. /help lists the commands.')}`);
  if (isLive) {
    screen.useInput(lines);
    lines.prompt();
  }
  return {
    close: async () => {
      if (!isClosed) lines.close();
      await handled;
    },
  };
}

/** A path as typed, pasted or dragged into a terminal: quoted, with escaped spaces, as a `file:` address, or from the home folder. */
function asPath(text: string): string {
  const unquoted = /^(['"])(.*)\1$/s.exec(text)?.[2] ?? text.replace(/\\(.)/g, '$1');
  if (unquoted.startsWith('file://')) {
    try {
      return fileURLToPath(unquoted);
    } catch {
      return unquoted;
    }
  }
  return resolve(unquoted.replace(/^~(?=\/)/, homedir()));
}
