import { describe, expect, it } from 'vitest';
import { parseChartData } from '../../src/answer/chart-data.ts';
import type { CellArtifact } from '../../src/answer/collect.ts';
import { formulaNotices, parseFormulaCells } from '../../src/answer/formulas.ts';
import type { FormulaCells } from '../../src/types.ts';

function file(name: string, sha256: string, formulas: FormulaCells | null): CellArtifact {
  const stored = { name, mimeType: 'text/csv', sizeBytes: 1, sha256 };
  return {
    artifact: { kind: 'file', title: name, file: stored, altText: '', table: null, chart: null },
    path: name,
    marked: false,
    formulas,
  };
}

function noticesOf(name: string, formulas: FormulaCells | null): readonly string[] {
  const entry = file(name, 'a', formulas);
  return formulaNotices([{ status: 'ok', artifacts: [entry] }], [entry.artifact]);
}

const two: FormulaCells = { count: 2, examples: [{ cell: 'B7', text: "=cmd|' /C calc'!A0" }], partial: false };

describe('formulaNotices', () => {
  it('names the file, how many, the first cell, and what to do', () => {
    expect(noticesOf('orders.csv', two)).toEqual([
      "`orders.csv` has 2 cells with text that Excel, LibreOffice or Google Sheets would run as a formula, the first in B7: `=cmd|' /C calc'!A0`. " +
        'Where you do not expect that, import the file with its columns as text, or ask me for it as .xlsx with text cells.',
    ]);
  });

  it('says of a workbook that its formulas reach out of it', () => {
    const [notice] = noticesOf('orders.xlsx', { ...two, count: 1, partial: true });
    expect(notice).toMatch(/^`orders\.xlsx` has at least 1 cell with a formula that reaches outside the workbook/);
  });

  it('a file that was too large to look through is said, one without formulas is not', () => {
    expect(noticesOf('big.csv', { count: 0, examples: [], partial: true })[0]).toContain('too large');
    expect(noticesOf('fine.csv', null)).toEqual([]);
  });

  it('an example stays one line in its code span', () => {
    const text = `=A1\`\n<!channel>\u202e${'x'.repeat(90)}`;
    const [notice] = noticesOf('a.csv', { count: 1, examples: [{ cell: 'A`1', text }], partial: false });
    expect(notice?.split('`')).toHaveLength(5);
    expect(notice).not.toMatch(/[\n\u202e]/);
  });

  it('only what is posted counts, and only as it was at the end', () => {
    const [before, after] = [file('a.csv', 'old', two), file('a.csv', 'new', null)];
    expect(formulaNotices([{ status: 'ok', artifacts: [before, after] }], [after.artifact])).toEqual([]);
  });
});

describe('JSON from the sandbox', () => {
  it('is taken as formula cells only where it is some', () => {
    expect(parseFormulaCells(two)).toEqual(two);
    for (const bad of [null, undefined, 'x', [], { count: -1, examples: [] }, { count: 'x' }, { count: 1 }]) {
      expect(parseFormulaCells(bad)).toBeNull();
    }
  });

  it('is taken as a chart only where it is one; what it lacks is left empty', () => {
    const series = [{ name: 'a', x: [1, 'b', null, {}], y: [1] }, 'no series'];
    expect(parseChartData({ type: 'bar', title: 5, xUnit: 'EUR', yScale: 'log', xScale: 'odd', series })).toEqual({
      type: 'bar',
      title: '',
      xLabel: '',
      yLabel: '',
      xUnit: 'EUR',
      yUnit: null,
      xScale: 'other',
      yScale: 'log',
      series: [{ name: 'a', x: [1, 'b', null, null], y: [1] }],
    });
    for (const bad of [null, 'x', {}, { type: 'pie' }, { type: 'map', series: [] }])
      expect(parseChartData(bad)).toBeNull();
  });
});
