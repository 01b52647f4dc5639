import { describe, expect, it } from 'vitest';
import { collectFiles } from '../../src/models/analyst/cards.ts';
import { codeFor } from '../../src/models/analyst/python.ts';
import { chartTypeOf } from '../../src/models/analyst/python-chart.ts';
import type { AnalysisPlan } from '../../src/models/analyst/plan.ts';
import { planFor } from '../../src/models/analyst/question.ts';
import type { FileCard } from '../../src/types.ts';
import { gdp, sales, umsatz, wide } from './analyst-cards.ts';

/** Tables as people keep them: totals under the rows, months as columns, German questions. */

function analysis(card: FileCard, question: string): AnalysisPlan {
  const plan = planFor(question, collectFiles([[card]]), null, true);
  if (plan.kind !== 'analysis') throw new Error(`${question}: ${plan.kind}`);
  return plan;
}

const table = sales.tables[0]?.name ?? '';

describe('tables as people keep them', () => {
  it('leaves out the rows that add up the others, where the card names them', () => {
    const warned = { ...sales, warnings: [{ code: 'totals-row', message: '', table, line: 9 }] };
    const drop = 'data = data.drop(index=[total["row"] for total in totals])';
    expect(codeFor(analysis(warned, 'total revenue'), false)).toContain(drop);
    expect(codeFor(analysis(sales, 'total revenue'), false)).not.toContain('totals');
  });

  it('reads one column per month as one row per month, without the column that adds them up', () => {
    const [first] = wide.tables;
    const [country, ...years] = first?.columns_info ?? [];
    if (first === undefined || country === undefined) throw new Error('the card has no table');
    const names = ['Jan', 'Feb', 'Mar', 'Total'];
    const columns = [country, ...years.map((column, at) => ({ ...column, name: names[at] ?? '' }))];
    const card = { ...wide, file: 'budget.csv', tables: [{ ...first, columns_info: columns }] };
    const plan = analysis(card, 'budget by month');
    expect(plan.source.table.wide).toEqual({
      period: 'Month',
      ids: ['Country'],
      columns: ['Jan', 'Feb', 'Mar'],
      valueName: 'Budget',
    });
    expect(plan.dimensions.map(({ column }) => [column.name, column.order])).toEqual([['Month', 'months']]);
  });

  it('draws lines for the top of a course over time', () => {
    expect(chartTypeOf(analysis(gdp, 'GDP over the years for the top 5 countries'))).toBe('line');
    expect(chartTypeOf(analysis(gdp, 'GDP over the years for the top 5 countries as bars'))).toBe('bar');
  });

  it('understands "pro Monat"', () => {
    expect(analysis(umsatz, 'Umsatz pro Monat').dimensions.map(({ grain }) => grain)).toEqual(['month']);
  });
});
