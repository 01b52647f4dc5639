import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { AppError } from '../errors.ts';

export interface CardArguments {
  readonly help: boolean;
  readonly json: boolean;
  /** Where the cells go, as it was given; `null`: nowhere. */
  readonly exportDir: string | null;
  /** As they were given, in order. */
  readonly files: readonly string[];
}

export const cardUsage = `npm run card -- FILE…                         what is in the files, and what to know before using them
npm run card -- --json FILE…                  the same as one line of JSON for each file
               [--export DIR]                 also writes the cells of every table, as loaded, as CSV files
               [--files-from LIST]            more files, one path a line ("-": from standard input); a command line
                                              of npm holds about 100 kB`;

/** Reads the arguments behind `npm run card --`. Throws `AppError` (`config`) that ends with the usage. */
export function parseCardArguments(argv: readonly string[]): CardArguments {
  const { values, positionals } = parsed(argv);
  const { help = false, json = false, export: exportDir = null, 'files-from': list = null } = values;
  const files = list === null ? positionals : [...positionals, ...listedFiles(list)];
  if (exportDir === '') throw wrong('--export needs a folder after it.');
  if (files.length === 0 && !help) throw wrong('Which files? There is none in the command.');
  return { help, json, exportDir, files };
}

function parsed(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      options: {
        help: { type: 'boolean', short: 'h' },
        json: { type: 'boolean' },
        export: { type: 'string' },
        'files-from': { type: 'string' },
      },
      allowPositionals: true,
    });
  } catch (error) {
    throw wrong(error instanceof Error ? error.message : String(error));
  }
}

/** Lists with NUL bytes (`find -print0`) are split there, so that names may hold line ends. */
function listedFiles(list: string): readonly string[] {
  let text: string;
  try {
    text = readFileSync(list === '-' ? 0 : list, 'utf8');
  } catch (error) {
    throw wrong(`--files-from ${list}: it cannot be read (${error instanceof Error ? error.message : String(error)}).`);
  }
  return text.split(text.includes('\0') ? '\0' : /\r?\n/).filter((path) => path !== '');
}

function wrong(problem: string): AppError {
  return new AppError('config', `${problem}\n\n${cardUsage}`);
}
