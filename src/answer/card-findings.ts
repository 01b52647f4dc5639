import type { CardColumn, CardReading, FileCard } from '../types.ts';

/** One thing to say about a file: the code of the intake's warning, and a sentence for a person. */
export interface CardFinding {
  readonly code: string;
  readonly text: string;
}

/** The intake puts every further line of one finding into a warning of its own; its sentence names the lines already. */
const furtherLine = 'The same on ';

/** All findings of a card as sentences, each once, in the card's order: the most useful first. Rejected lines are first. */
export function cardFindings(card: FileCard): readonly CardFinding[] {
  const warnings = card.warnings
    .filter(({ code, message }) => code !== 'rejected-lines' && !message.startsWith(furtherLine))
    .map(({ code, message, table }) => ({
      code,
      text: inItsTable(card, table, ambiguity(card, code, table, message) ?? withPlural(message)),
    }));
  const distinct = new Map([...rejectedLines(card), ...warnings].map((finding) => [finding.text, finding]));
  return [...distinct.values()];
}

/** Rejected lines that are named with their reason; the rest are counted. */
const namedLines = 8;

/** Lines of one reason are named together. */
function rejectedLines(card: FileCard): readonly CardFinding[] {
  const count = card.rejected_count;
  if (count === 0) return [];
  const isSheet = card.warnings.some(({ code, message }) => code === 'rejected-lines' && message.includes('. Row '));
  const place = isSheet ? 'row' : 'line';
  const named = card.rejected.slice(0, namedLines);
  // A reason of two halves would read like two lines.
  const byReason = Map.groupBy(named, ({ reason }) => reason.replace(/; (.*)$/s, ' ($1)'));
  const groups = [...byReason].map(([reason, lines]) => {
    const numbers = listed(lines.map(({ line }) => String(line)));
    return lines.length > 1 ? `${place}s ${numbers} ${ofSeveral(reason)}` : `${place} ${numbers} ${reason}`;
  });
  const more = count > named.length ? `; and ${personCount(count - named.length)} more` : '';
  return [
    { code: 'rejected-lines', text: `${counted(count, place)} could not be loaded: ${groups.join('; ')}${more}.` },
  ];
}

/** The reason of one line as that of several: `has 5 fields` -> `have 5 fields`. */
function ofSeveral(reason: string): string {
  const [, verb, rest] = /^(has|holds|repeats) (.*)$/s.exec(reason) ?? [];
  return verb === undefined ? `each ${reason}` : `${verb === 'has' ? 'have' : verb.slice(0, -1)} ${rest}`;
}

/** What a person must decide is asked, with both readings as they would come out. */
function ambiguity(card: FileCard, code: string, table: string | null, message: string): string | null {
  if (code !== 'ambiguous-dates' && code !== 'ambiguous-decimals') return null;
  const column = columnOf(card, table, message);
  const [one, other] = column?.readings ?? [];
  const [written, first] = readExample(one);
  const [, second] = readExample(other);
  if (column === undefined || written === undefined || first === undefined || second === undefined) return null;
  if (code === 'ambiguous-dates') {
    return `${column.name}: ${written} may be ${first} or ${second}, and no row decides. I keep these dates as text; tell me which it is.`;
  }
  // The intake reads a single mark as an English speaker would: 1.234 has decimals, 1,234 thousands.
  const taken = written.includes('.') ? first : second;
  return `${column.name}: ${written} may be ${first} or ${second}, and no row decides. I take it as ${taken}; tell me if that is wrong.`;
}

/** What was written, and what it is read as: numbers as a person writes them. */
function readExample(reading: CardReading | undefined): readonly (string | undefined)[] {
  const [written, value = ''] = reading?.examples[0]?.split(' = ') ?? [];
  const number = Number(value);
  return [
    written,
    value === '' || Number.isNaN(number)
      ? value || undefined
      : number.toLocaleString('en-US', { maximumFractionDigits: 6 }),
  ];
}

function columnOf(card: FileCard, table: string | null, message: string): CardColumn | undefined {
  const columns = card.tables.filter(({ name }) => name === table).flatMap((found) => found.columns_info);
  return columns.find(({ name, readings }) => readings !== undefined && message.startsWith(`${name}: `));
}

/** With several tables each finding says whose it is. */
function inItsTable(card: FileCard, table: string | null, text: string): string {
  const isNamed = table === null || card.tables.length < 2 || text.includes(table);
  return isNamed ? text : `${table}: ${text}`;
}

/** The readers write `3 row(s)`: right in every number, and read by a model. A person gets the right form. */
export function withPlural(message: string): string {
  return message
    .replaceAll(/\b(\d[\d,]*) ([a-z ]+?)\(s\)/g, (_, count: string, noun: string) =>
      count === '1' ? `1 ${noun}` : `${count} ${noun}s`,
    )
    .replaceAll('(s)', 's')
    .replace(/^(1 [a-z]+) (repeat|look|hold|lie|end|have|run)\b/, (_, subject: string, verb: string) =>
      verb === 'have' ? `${subject} has` : `${subject} ${verb}s`,
    )
    .replace(/^(1 [a-z]+) are\b/, '$1 is')
    .replace(/^(1 [a-z]+ is .*) and were\b/, '$1 and was');
}

/** `7`, `7 and 9`, `7, 9 and 12`. */
function listed(items: readonly string[]): string {
  return items.length < 2 ? items.join('') : `${items.slice(0, -1).join(', ')} and ${items.at(-1)}`;
}

/** `1 row`, `1,204 rows`. */
export function counted(count: number, noun: string): string {
  return `${personCount(count)} ${noun}${count === 1 ? '' : 's'}`;
}

export function personCount(count: number): string {
  return count.toLocaleString('en-US');
}
