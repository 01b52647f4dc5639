import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';

const count = z.int().nonnegative();
const value = z.union([z.number(), z.string()]).nullable();

const column = z.looseObject({
  name: z.string(),
  type: z.string(),
  unit: z.string().nullable(),
  missing: count,
  distinct: count,
  min: value,
  max: value,
  top: z.array(z.looseObject({ value: z.string(), count })),
  examples: z.array(z.string()),
});

/** A line of `npm run card -- --json`, as its contract lists the keys, and the three that the card has beside them. */
const line = z.strictObject({
  file: z.string(),
  ok: z.boolean(),
  error: z.string().min(1).nullable(),
  seconds: z.number().nonnegative(),
  dialect: z
    .strictObject({
      encoding: z.string(),
      delimiter: z.string(),
      quote: z.string().nullable(),
      escape: z.string().nullable(),
    })
    .nullable(),
  tables: z.array(
    z.strictObject({
      name: z.string(),
      hidden: z.boolean(),
      range: z.string(),
      rows: count,
      columns: count,
      header_rows: count,
      cells_file: z.string().nullable(),
      columns_info: z.array(column),
    }),
  ),
  rejected: z.array(z.strictObject({ table: z.string(), line: z.int().positive(), reason: z.string().min(1) })),
  warnings: z.array(
    z.strictObject({
      code: z.string(),
      message: z.string().min(1),
      table: z.string().nullable(),
      line: z.int().positive().nullable(),
    }),
  ),
  sheets: z
    .array(
      z.strictObject({
        name: z.string(),
        hidden: z.boolean(),
        rows: count,
        columns: count,
        cells_file: z.string().nullable(),
      }),
    )
    .optional(),
  kind: z.string(),
  size_bytes: count,
  rejected_count: count,
});

export type Line = z.infer<typeof line>;

export interface CardRun {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The command that `npm run card` ends in, as a process of its own. */
export function runCard(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<CardRun> {
  const root = fileURLToPath(new URL('../../', import.meta.url));
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      ['--disable-warning=ExperimentalWarning', 'src/main.ts', 'card', ...args],
      { cwd: root, env: { ...process.env, ...env }, timeout: 110_000, maxBuffer: 256 * 1024 * 1024 },
      (_, stdout, stderr) => resolve({ exitCode: child.exitCode, stdout, stderr }),
    );
  });
}

/** Throws where a line is not what the contract says. */
export function linesOf({ stdout }: CardRun): readonly Line[] {
  expectEnd(stdout);
  return stdout
    .split('\n')
    .slice(0, -1)
    .map((text) => line.parse(JSON.parse(text)));
}

function expectEnd(stdout: string): void {
  if (!stdout.endsWith('\n')) throw new Error('the last line has no end');
}

/** RFC 4180, strictly: CRLF after every record, quotes only around whole fields and doubled inside. Throws otherwise. */
export function cellsOf(bytes: Uint8Array): readonly (readonly string[])[] {
  const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  const rows: string[][] = [];
  let row: string[] = [];
  const field = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/gy;
  while (field.lastIndex < text.length) {
    const at = field.lastIndex;
    const found = field.exec(text);
    if (found === null) throw new Error(`not RFC 4180 at ${at}: ${JSON.stringify(text.slice(at, at + 40))}`);
    row.push(found[1]?.replaceAll('""', '"') ?? found[2] ?? '');
    if (found[3] === ',') continue;
    rows.push(row);
    row = [];
  }
  if (row.length > 0) throw new Error('the last record has no end');
  return rows;
}
