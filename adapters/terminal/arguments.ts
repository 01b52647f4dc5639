import { accessSync, constants, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { AppError } from '../../src/errors.ts';

/** A question and the files that were named before it, as absolute paths. */
export interface DemoAsk {
  readonly text: string;
  readonly files: readonly string[];
}

export interface DemoArguments {
  readonly help: boolean;
  /** Empty: a conversation at the keyboard. */
  readonly asks: readonly DemoAsk[];
  readonly outDir: string;
}

export const demoUsage = `npm run demo                                  a conversation in this terminal
npm run demo -- --file FILE --ask QUESTION    one question, then the end; both may be repeated, in order
               [--out DIR]                    where charts, files and thread.json go (default: out)`;

/**
 * Reads the arguments behind `npm run demo --`. Each `--ask` takes the `--file`s before it. Relative paths start at `cwd`.
 * Throws one `AppError` (`config`) that lists every problem, among them files that cannot be read.
 */
export function parseDemoArguments(argv: readonly string[], cwd: string = process.cwd()): DemoArguments {
  const problems: string[] = [];
  const asks: DemoAsk[] = [];
  let files: string[] = [];
  let outDir = resolve(cwd, 'out');
  let help = false;

  const words = argv.flatMap(splitAtEquals);
  while (words.length > 0) {
    const option = words.shift() ?? '';
    if (option === '--help' || option === '-h') {
      help = true;
      continue;
    }
    if (!['--file', '--ask', '--out'].includes(option)) {
      problems.push(`I do not know "${option}".`);
      continue;
    }
    const value = words.shift();
    if (value === undefined || value.trim() === '') {
      problems.push(`${option} needs ${option === '--ask' ? 'a question' : 'a path'} after it.`);
    } else if (option === '--ask') {
      asks.push({ text: value, files });
      files = [];
    } else if (option === '--file') {
      files.push(resolve(cwd, value));
      const problem = whyUnreadable(resolve(cwd, value));
      if (problem !== null) problems.push(`--file ${value}: ${problem}.`);
    } else {
      outDir = resolve(cwd, value);
    }
  }
  if (files.length > 0) problems.push('The last --file has no question: put an --ask behind it.');
  if (problems.length > 0 && !help) throw new AppError('config', `${problems.join('\n')}\n\n${demoUsage}`);
  return { help, asks, outDir };
}

/** `null` when the path is a file that can be read; else the reason in words. */
export function whyUnreadable(path: string): string | null {
  try {
    if (!statSync(path).isFile()) return 'this is a folder or a device, not a file';
    accessSync(path, constants.R_OK);
    return null;
  } catch (error) {
    return unreadableReason(error);
  }
}

export function unreadableReason(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : null;
  if (code === 'ENOENT' || code === 'ENOTDIR') return 'there is no such file';
  if (code === 'EACCES' || code === 'EPERM') return 'I may not read it';
  return `it cannot be read (${error instanceof Error ? error.message : String(error)})`;
}

function splitAtEquals(word: string): readonly string[] {
  const match = /^(--(?:file|ask|out))=(.*)$/s.exec(word);
  return match === null ? [word] : [match[1] ?? '', match[2] ?? ''];
}
