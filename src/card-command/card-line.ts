import { z } from 'zod';
import type { CardColumn } from '../types.ts';

/**
 * One line of `npm run card -- --json`. What comes out of a sandbox is checked here for its shape: the file it looked at may have
 * been made to take it over. Keys that the card has beside these are passed on.
 */

const count = z.int().nonnegative();
const cellsFile = z.string().nullable();

const table = z.looseObject({
  name: z.string(),
  hidden: z.boolean(),
  range: z.string(),
  rows: count,
  columns: count,
  header_rows: count,
  cells_file: cellsFile,
  // Only passed on.
  columns_info: z.array(z.custom<CardColumn>()),
});

const sheet = z.looseObject({
  name: z.string(),
  hidden: z.boolean(),
  rows: count,
  columns: count,
  cells_file: cellsFile,
});

export const cardLine = z.looseObject({
  file: z.string(),
  ok: z.boolean(),
  error: z.string().nullable(),
  kind: z.string(),
  size_bytes: count,
  seconds: z.number().nonnegative(),
  dialect: z
    .looseObject({
      encoding: z.string(),
      delimiter: z.string(),
      quote: z.string().nullable(),
      escape: z.string().nullable(),
    })
    .nullable(),
  tables: z.array(table),
  /** Workbooks only: every sheet as its whole grid. */
  sheets: z.array(sheet).optional(),
  /** All of them. */
  rejected: z.array(z.looseObject({ table: z.string(), line: z.int(), reason: z.string() })),
  rejected_count: count,
  warnings: z.array(
    z.looseObject({
      code: z.string(),
      message: z.string(),
      table: z.string().nullable(),
      line: z.int().nullable(),
    }),
  ),
});

export type CardLine = z.infer<typeof cardLine>;

/** The line of a file that was not, or could not be, looked at. */
export function failedLine(file: string, error: string, sizeBytes: number, seconds: number): CardLine {
  return {
    file,
    ok: false,
    error,
    kind: 'other',
    size_bytes: sizeBytes,
    seconds,
    dialect: null,
    tables: [],
    rejected: [],
    rejected_count: 0,
    warnings: [],
  };
}
