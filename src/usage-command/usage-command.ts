import type { UsageLedger, UsageSum } from '../ports/usage.ts';
import type { UsageArguments } from './arguments.ts';

/** The text of `npm run usage`: what questions took, put together as asked. `nowMs` in ms since 1970. */
export async function usageReport(
  { sinceMs, by, format }: UsageArguments,
  store: Pick<UsageLedger, 'usageBy'>,
  nowMs: number,
): Promise<string> {
  const now = new Date(nowMs);
  const since = sinceMs ?? Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), 1);
  const sums = await store.usageBy(by, since);
  switch (format) {
    case 'json':
      return `${JSON.stringify(sums.map(recordOf), null, 1)}\n`;
    case 'csv':
      return [[by, ...columns.map(({ name }) => name)], ...sums.map(valuesOf)]
        .map((row) => `${row.map(csvCell).join(',')}\r\n`)
        .join('');
    case 'table':
      if (sums.length === 0) return `No questions since ${new Date(since).toISOString()}.\n`;
      return table([[by, ...columns.map(({ title }) => title)], ...sums.map(shownOf)]);
    default:
      return format satisfies never;
  }
}

/** `name` for programs, with its unit, and `title` for people. Money is beside them: there may be more than one currency. */
const columns: readonly {
  readonly name: string;
  readonly title: string;
  readonly of: (sum: UsageSum) => number | string;
}[] = [
  { name: 'tasks', title: 'questions', of: (sum) => sum.tasks },
  { name: 'refused', title: 'refused', of: (sum) => sum.refused },
  { name: 'failed', title: 'failed', of: (sum) => sum.failed },
  { name: 'modelTurns', title: 'model turns', of: (sum) => sum.modelTurns },
  { name: 'inputTokens', title: 'tokens in', of: (sum) => sum.inputTokens },
  { name: 'cachedInputTokens', title: 'cached', of: (sum) => sum.cachedInputTokens },
  { name: 'outputTokens', title: 'tokens out', of: (sum) => sum.outputTokens },
  { name: 'reasoningTokens', title: 'reasoning', of: (sum) => sum.reasoningTokens },
  { name: 'sandboxSeconds', title: 'sandbox s', of: (sum) => Math.round(sum.sandboxMs) / 1000 },
  { name: 'bytesIn', title: 'bytes in', of: (sum) => sum.bytesIn },
  { name: 'bytesOut', title: 'bytes out', of: (sum) => sum.bytesOut },
  { name: 'money', title: 'money', of: moneyOf },
];

function moneyOf({ money }: UsageSum): string {
  return money.map(({ currency, micros }) => `${currency} ${(micros / 1_000_000).toFixed(6)}`).join(' + ');
}

function recordOf(sum: UsageSum): Readonly<Record<string, unknown>> {
  const numbers = columns.filter(({ name }) => name !== 'money').map(({ name, of }) => [name, of(sum)]);
  const money = sum.money.map(({ currency, micros }) => ({ currency, amount: micros / 1_000_000 }));
  return { group: sum.group, ...Object.fromEntries(numbers), money };
}

function valuesOf(sum: UsageSum): readonly string[] {
  return [sum.group, ...columns.map(({ of }) => String(of(sum)))];
}

function shownOf(sum: UsageSum): readonly string[] {
  const shown = columns.map(({ of }) => {
    const value = of(sum);
    return typeof value === 'number' ? value.toLocaleString('en', { maximumFractionDigits: 1 }) : value;
  });
  return [sum.group === '' ? '(forgotten, or none)' : readable(sum.group), ...shown];
}

/** The parts of a group are percent-encoded; what terminals would obey is not shown. */
function readable(group: string): string {
  return group
    .split('/')
    .map(decodeURIComponent)
    .join('/')
    .replaceAll(/[\p{Cc}\p{Cf}]/gu, '\u{fffd}');
}

function csvCell(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** Words to the left, numbers to the right; a column that holds nothing anywhere is left out. */
function table(rows: readonly (readonly string[])[]): string {
  const [head = [], ...body] = rows;
  const used = head
    .map((_, index) => index)
    .filter((index) => body.some((row) => !['', '0'].includes(row[index] ?? '')));
  const widths = used.map((index) => Math.max(...rows.map((row) => (row[index] ?? '').length)));
  const line = (row: readonly string[]): string =>
    used
      .map((index, place) => {
        const [text, width] = [row[index] ?? '', widths[place] ?? 0];
        return index === 0 ? text.padEnd(width) : text.padStart(width);
      })
      .join('  ')
      .trimEnd();
  return `${rows.map(line).join('\n')}\n`;
}
