import type { Facts } from './facts.ts';
import { listed, plainText, plural } from './format.ts';
import type { RunPlan, Source } from './plan.ts';

/** The lines under an answer: which rows were used, which not and why, how tables were joined, what was assumed. */

const linesNamed = 10;

/** Rejected lines by reason: `lines 17 and 88 (5 fields, 4 expected)`. */
export function rejectedText(rejected: readonly Facts[], count: number): string {
  const byReason = new Map<string, string[]>();
  for (const entry of rejected) {
    const reason = plainText(entry.text('reason') ?? 'unreadable').replace(/\.$/, '');
    byReason.set(reason, [...(byReason.get(reason) ?? []), entry.text('line') ?? '?']);
  }
  const groups = [...byReason].slice(0, 6).map(([reason, lines]) => {
    const named = lines.slice(0, linesNamed);
    const more = lines.length > named.length ? `, … ${lines.length} in all` : '';
    return `${lines.length === 1 ? 'line' : 'lines'} ${more === '' ? listed(named) : named.join(', ')}${more}: ${reason}`;
  });
  const rest = count > rejected.length ? `; ${plural(count - rejected.length, 'more line')} not listed here` : '';
  return `${plural(count, 'line')} could not be read (${groups.join('; ')}${rest})`;
}

/** Values that were there but fit no number or date: `“n/a” in GDP (lines 12 and 40)`. */
function unusableText(cells: readonly Facts[]): string {
  const byValue = new Map<string, string[]>();
  for (const cell of cells) {
    const key = `“${plainText(cell.text('value') ?? '').slice(0, 40)}” in ${plainText(cell.text('column') ?? '')}`;
    byValue.set(key, [...(byValue.get(key) ?? []), cell.text('line') ?? '?']);
  }
  const groups = [...byValue]
    .slice(0, 6)
    .map(
      ([key, lines]) =>
        `${key} (${lines.length === 1 ? 'line' : 'lines'} ${listed(lines.slice(0, linesNamed))}${lines.length > linesNamed ? ', …' : ''})`,
    );
  return `${groups.join(', ')}${byValue.size > 6 ? ', …' : ''}`;
}

/** "Rows used: 1,985 of 2,000. Not used: …", "All rows used."; in place of the line that answers about tables get. */
export function usageText(facts: Facts): string {
  const read = facts.number('read');
  if (read === null) return '';
  const rejected = facts.number('rejected_count') ?? 0;
  const kept = facts.number('kept');
  const used = facts.number('newest_rows') ?? facts.number('used') ?? kept ?? read;
  const unit = facts.flag('cells') ? 'values' : 'rows';
  const parts: string[] = [];
  if (rejected > 0) parts.push(rejectedText(facts.objects('rejected'), rejected));
  const gaps = facts.object('missing')?.numbers() ?? [];
  const gapRows = facts.texts('gap_rows');
  if (gaps.length > 0) {
    const total = (kept ?? read) - (facts.number('used') ?? 0) - (facts.number('copies') ?? 0);
    const named =
      gapRows.length > 0 ? `: ${gapRows.map(plainText).join(', ')}${total > gapRows.length ? ', …' : ''}` : '';
    parts.push(
      `${gaps.map(([name, count]) => `${plural(count, unit === 'rows' ? 'row' : 'value')} without ${plainText(name)}`).join(', ')}${named}`,
    );
  }
  if (kept !== null && kept < read) parts.push(`${plural(read - kept, 'row')} outside your filter`);
  const totals = facts.texts('totals');
  if (totals.length > 0)
    parts.push(
      `${totals.length === 1 ? 'line' : 'lines'} ${listed(totals.slice(0, linesNamed))}${totals.length > linesNamed ? ', …' : ''}, which ${totals.length === 1 ? 'adds' : 'add'} up the others`,
    );
  const unusable = facts.objects('unusable');
  if (unusable.length > 0) parts.push(`of these, unreadable values: ${unusableText(unusable)}`);
  const copies = facts.number('copies') ?? 0;
  if (copies > 0) parts.push(plural(copies, 'exact copy of another row', 'exact copies of other rows'));
  const newest = facts.text('newest');
  if (newest !== null) parts.push(`rows of other times than ${newest}, the newest in the file`);
  const repeated = copies > 0 || newest !== null || unit !== 'rows' ? 0 : (facts.number('repeated') ?? 0);
  const including = repeated > 0 ? `, including ${plural(repeated, 'repeated row')}` : '';
  const all = read + rejected + (facts.flag('cells') ? 0 : totals.length);
  const head = `${unit === 'rows' ? 'Rows' : 'Values'} used: ${used.toLocaleString('en-US')} of ${all.toLocaleString('en-US')}${including}.`;
  if (parts.length === 0 && repeated === 0 && used === all && unit === 'rows') return 'All rows used.';
  return parts.length === 0 ? head : `${head} Not used: ${parts.join('; ')}.`;
}

export function joinTexts(facts: Facts, source: Source): readonly string[] {
  return facts.objects('joins').map((join) => {
    const key =
      join.text('left') === join.text('right')
        ? `“${plainText(join.text('left') ?? '')}”`
        : `“${plainText(join.text('left') ?? '')}” = “${plainText(join.text('right') ?? '')}”`;
    const rows = join.number('rows') ?? 0;
    const matched = join.number('matched') ?? 0;
    const missing = join.texts('missing').map(plainText);
    const notes = [
      `${matched.toLocaleString('en-US')} of ${rows.toLocaleString('en-US')} rows found their match`,
      ...(matched < rows
        ? [
            `${plural(rows - matched, 'row')} did not${missing.length > 0 ? ` (${missing.join(', ')}${missing.length === 5 ? ', …' : ''})` : ''}`,
          ]
        : []),
      ...((join.number('unused') ?? 0) > 0
        ? [
            `${plural(join.number('unused') ?? 0, 'entry', 'entries')} of ${plainText(join.text('table') ?? '')} had none`,
          ]
        : []),
      ...((join.number('repeated') ?? 0) > 0
        ? [`${plural(join.number('repeated') ?? 0, 'repeated key')} there, the first was taken`]
        : []),
    ];
    return `Joined ${plainText(source.table.table)} with ${plainText(join.text('table') ?? '')} on ${key}: ${notes.join('; ')}.`;
  });
}

/** What every answer about tables ends with. */
export function footer(plan: RunPlan, facts: Facts): readonly string[] {
  if (!('source' in plan)) return [];
  const found = facts.object('found_in');
  const { table } = plan.source;
  const sheet =
    table.oneOfMany && plan.source.joins.length === 0
      ? [`Sheet: ${plainText(table.table)} of ${plainText(table.file)}.`]
      : [];
  return [
    ...plan.assumptions.map((line) => line.replace(/([*_`])/g, '\\$1')),
    ...(found === null
      ? []
      : [`“${plainText(found.text('value') ?? '')}” stands in the column ${plainText(found.text('column') ?? '')}.`]),
    ...joinTexts(facts, plan.source),
    ...sheet,
    usageText(facts),
  ].filter((line) => line !== '');
}
