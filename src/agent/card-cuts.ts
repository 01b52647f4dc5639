import type { CardColumn, CardTable, FileCard } from '../types.ts';

type Warning = FileCard['warnings'][number];

/** The intake puts every further line of one finding into a warning of its own. */
const furtherLine = /^The same on (?:line|row) /;

/** Lines that one finding names beside its sentence. */
const namedLines = 20;

/**
 * A card with every finding in one warning, its lines behind the sentence: `… (also on lines 9, 12 and 38 more)`. Says the same in
 * a fraction of the characters. Every result is still a `FileCard`.
 */
export function foldLines(card: FileCard): FileCard {
  const warnings: Warning[] = [];
  let further: number[] = [];
  const close = (): void => {
    const head = warnings.at(-1);
    if (head !== undefined && further.length > 0) {
      const rest = further.length > namedLines ? ` and ${further.length - namedLines} more` : '';
      const named = further.slice(0, namedLines).join(', ');
      warnings.splice(-1, 1, { ...head, message: `${head.message} Also on ${named}${rest}.` });
    }
    further = [];
  };
  for (const warning of card.warnings) {
    const head = warnings.at(-1);
    if (head?.code === warning.code && warning.line !== null && furtherLine.test(warning.message)) {
      further.push(warning.line);
    } else {
      close();
      warnings.push(warning);
    }
  }
  close();
  return { ...card, warnings };
}

/**
 * The card in at most `budget` characters of JSON as `encode` writes it. What tells least goes first: examples, rare values, lines
 * beyond the first, all values, columns and tables beyond the first, hints; what a column is, how many rows there are and the
 * gravest warnings stay to the end. A cut card carries the warning `card-cut`, which says what is missing.
 */
export function fitCard(card: FileCard, budget: number, encode: (card: FileCard) => string): string {
  const folded = foldLines(card);
  let text = encode(folded);
  for (const cut of cuts) {
    if (text.length <= budget) return text;
    text = encode(cutTo(folded, cut));
  }
  return text.length <= budget ? text : encode(barest(folded, budget));
}

interface Cut {
  readonly rejected: number;
  readonly warnings: number;
  readonly top: number;
  readonly examples: boolean;
  readonly columns: number;
  readonly tables: number;
  /** Of one message, name or value. */
  readonly characters: number;
}

const cuts: readonly Cut[] = [
  { rejected: 100, warnings: 100, top: 50, examples: false, columns: 1000, tables: 200, characters: 400 },
  { rejected: 50, warnings: 50, top: 20, examples: false, columns: 1000, tables: 200, characters: 300 },
  { rejected: 20, warnings: 40, top: 8, examples: false, columns: 1000, tables: 200, characters: 200 },
  { rejected: 20, warnings: 40, top: 3, examples: false, columns: 1000, tables: 200, characters: 200 },
  { rejected: 20, warnings: 30, top: 0, examples: false, columns: 250, tables: 100, characters: 200 },
  { rejected: 10, warnings: 20, top: 0, examples: false, columns: 120, tables: 60, characters: 200 },
  { rejected: 10, warnings: 15, top: 0, examples: false, columns: 60, tables: 40, characters: 200 },
  { rejected: 5, warnings: 12, top: 0, examples: false, columns: 25, tables: 30, characters: 150 },
  { rejected: 3, warnings: 8, top: 0, examples: false, columns: 10, tables: 12, characters: 120 },
  { rejected: 1, warnings: 4, top: 0, examples: false, columns: 5, tables: 5, characters: 80 },
  { rejected: 0, warnings: 2, top: 0, examples: false, columns: 0, tables: 3, characters: 60 },
];

function cutTo(card: FileCard, cut: Cut): FileCard {
  const tables = card.tables.slice(0, cut.tables).map((table) => cutTable(table, cut));
  const rejected = card.rejected
    .slice(0, cut.rejected)
    .map((one) => ({ ...one, table: short(one.table, cut), reason: short(one.reason, cut) }));
  const warnings = card.warnings.slice(0, cut.warnings).map((warning) => ({
    ...warning,
    message: short(warning.message, cut),
    table: warning.table === null ? null : short(warning.table, cut),
  }));
  return {
    ...card,
    error: card.error === null ? null : short(card.error, cut),
    tables,
    rejected,
    warnings: [...warnings, cutNote(card, cut)],
  };
}

function cutTable(table: CardTable, cut: Cut): CardTable {
  return {
    ...table,
    name: short(table.name, cut),
    columns_info: table.columns_info.slice(0, cut.columns).map((column) => cutColumn(column, cut)),
  };
}

function cutColumn({ readings, header, ...column }: CardColumn, cut: Cut): CardColumn {
  const kept = readings?.map((reading) => ({ ...reading, examples: reading.examples.slice(0, 1) }));
  return {
    ...column,
    name: short(column.name, cut),
    top: column.top.slice(0, cut.top).map(({ value, count }) => ({ value: short(value, cut), count })),
    examples: cut.examples ? column.examples : [],
    ...(header === undefined || !cut.examples ? {} : { header }),
    ...(kept === undefined ? {} : { readings: kept }),
  };
}

/** What is not said any more, with how to see it. The counts of rows, columns and rejected lines are whole in the card itself. */
function cutNote(card: FileCard, cut: Cut): Warning {
  const wide = card.tables.slice(0, cut.tables).filter(({ columns_info }) => columns_info.length > cut.columns);
  const parts = [
    ...wide
      .slice(0, 5)
      .map(
        (table) =>
          `${table.columns_info.length - cut.columns} more columns of table ${JSON.stringify(short(table.name, cut))}`,
      ),
    ...(wide.length > 5 ? [`columns of ${wide.length - 5} more tables`] : []),
    ...more(card.tables.length - cut.tables, 'tables'),
    ...more(card.warnings.length - cut.warnings, 'warnings'),
    ...more(card.rejected.length - cut.rejected, 'rejected lines'),
    ...(hasMoreValues(card, cut) ? [cut.top === 0 ? 'values of columns' : 'rare values and examples'] : []),
  ];
  const what = parts.length === 0 ? 'ends of long texts' : parts.join(', ');
  const message = `Not described here to save space: ${what}. plotline.tables and plotline.load give them all.`;
  return { code: 'card-cut', message, table: null, line: null };
}

function hasMoreValues(card: FileCard, cut: Cut): boolean {
  return card.tables.some(({ columns_info }) =>
    columns_info.some(({ top, examples }) => top.length > cut.top || examples.length > 0),
  );
}

function more(count: number, noun: string): readonly string[] {
  return count > 0 ? [`${count} more ${noun}`] : [];
}

/** For budgets that no table fits into: which file it is, and that the rest is not said. */
function barest(card: FileCard, budget: number): FileCard {
  const message = `Only the file is named here, to save space: it has ${card.tables.length} tables, ${card.rejected_count} rejected lines and ${card.warnings.length} warnings. Look with plotline.tables and plotline.load.`;
  // The name stays whole, for without it the file cannot be opened: it alone may go over the budget.
  const error = card.error === null ? null : card.error.slice(0, Math.max(40, Math.floor(budget / 8))).toWellFormed();
  return {
    ...card,
    error,
    dialect: null,
    tables: [],
    rejected: [],
    warnings: [{ code: 'card-cut', message, table: null, line: null }],
  };
}

function short(text: string, { characters }: Cut): string {
  return text.length <= characters ? text : `${text.slice(0, characters - 1).toWellFormed()}…`;
}
