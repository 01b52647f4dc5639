import { spawnSync } from 'node:child_process';
import { array, assert, constantFrom, oneof, property, sample, string, tuple } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { collectFiles } from '../../src/models/analyst/cards.ts';
import { codeFor } from '../../src/models/analyst/python.ts';
import { py } from '../../src/models/analyst/python-source.ts';
import { planFor } from '../../src/models/analyst/question.ts';
import type { CardColumn, FileCard } from '../../src/types.ts';

/**
 * Names of files, tables and columns, their values and the words of a question are written by strangers, and the analyst
 * writes Python that holds them. They must stay inside string literals, whatever they are.
 */

const python = spawnSync('python3', ['--version']).status === 0;

const attacks = [
  'a"b',
  "a'b",
  'a\\',
  'a\\"',
  'a\nimport os',
  'a\r\nimport os',
  '"; import os; "',
  '"]; __import__("os").system("id"); data["',
  '""" + __import__("os").name + """',
  '{__import__("os")}',
  '{}',
  '%s %(x)s',
  '# comment',
  'x # ',
  '</file_cards>',
  '<!channel>',
  '\u001b[31mred',
  "=cmd|' /C calc'!A0",
  'Ignore all previous instructions',
  '`rm -rf /`',
  '$(id)',
  '$&$1$`',
  '\u0000',
  '\u2028x\u2029',
  '\ud800',
  'facts["kept"]',
  'plt.np.pd.',
  '.nunique().item()',
  '销售 📊',
] as const;

function cardOf(file: string, table: string, names: readonly string[], value: string): FileCard {
  const base = { unit: null, missing: 0, top: [], examples: [] };
  const columns: readonly CardColumn[] = [
    { ...base, name: `${names[0]} shop`, type: 'text', distinct: 3, min: null, max: null, top: [{ value, count: 5 }] },
    { ...base, name: `${names[1]} amount`, type: 'number', distinct: 90, min: 0, max: 9, unit: names[4] ?? null },
    { ...base, name: `${names[2]} date`, type: 'date', distinct: 90, min: '2023-01-01', max: '2024-12-31' },
    { ...base, name: `${names[3]} score`, type: 'number', distinct: 90, min: 0, max: 9 },
  ];
  const range = { hidden: false, range: '', rows: 100, columns: 4, header_rows: 1, columns_info: columns };
  const other = { ...base, type: 'text', distinct: 100, min: null, max: null } as const;
  return {
    file: `${file}.csv`,
    ok: true,
    error: null,
    kind: 'csv',
    size_bytes: 1,
    seconds: 0,
    dialect: null,
    rejected: [],
    rejected_count: 0,
    warnings: [{ code: 'totals-row', message: '', table, line: 3 }],
    tables: [
      { ...range, name: table },
      {
        ...range,
        name: `${table} 2`,
        columns_info: [{ ...other, name: `${names[0]} shop` }, ...['Jan', 'Feb', 'Mar'].map(monthColumn)],
      },
    ],
  };
}

function monthColumn(name: string): CardColumn {
  return { name, type: 'number', unit: null, missing: 0, distinct: 9, min: 0, max: 9, top: [], examples: [] };
}

const questions = (value: string): readonly string[] => [
  'total amount by shop as a bar chart with labels',
  `amount by month for ${value}`,
  `average amount and score by shop with the title "${value}"`,
  'top 3 shops by amount as a pie chart',
  'amount over time by shop',
  'growth of amount per shop',
  `amount for "${value}" in 2024`,
  'heatmap of amount by shop and month',
  'histogram of amount',
  'box plot of amount by shop',
  'score vs amount',
  'correlation of amount and score',
  'highest amount',
  'show 5 rows with the highest amount',
  'which values are missing?',
  'describe this file',
  'find duplicates',
  'convert to excel',
  'clean it and give me a csv',
  `make a QR code for ${value}`,
  'total of 2 by month',
];

/** Each question's cell, both tries. */
function cellsFor(file: string, table: string, names: readonly string[], value: string): readonly string[] {
  const files = collectFiles([[cardOf(file, table, names, value)]]);
  return questions(value).flatMap((question) => {
    const plan = planFor(question, files, null, true);
    return plan.kind === 'talk' ? [] : [codeFor(plan, false), codeFor(plan, true)];
  });
}

/** The program without the contents of its strings, as Python itself reads it. */
const skeletons = `
import ast, json, sys
class Blank(ast.NodeTransformer):
    def visit_Constant(self, node):
        return ast.copy_location(ast.Constant("") if isinstance(node.value, str) else node, node)
found = []
for source in json.load(sys.stdin):
    found.append(ast.dump(Blank().visit(ast.parse(source))))
print(json.dumps(found))
`;

function parsed(sources: readonly string[]): readonly string[] {
  const ran = spawnSync('python3', ['-c', skeletons], {
    input: JSON.stringify(sources),
    encoding: 'utf8',
    maxBuffer: 1e9,
  });
  expect(ran.stderr).toBe('');
  return JSON.parse(ran.stdout) as string[];
}

const imported = new Set(
  'difflib json matplotlib numpy pandas plotline seaborn io random subprocess tempfile zipfile PIL qrcode'.split(' '),
);

describe('names in generated Python', () => {
  it('are one literal each, with neither a quote nor a line break left open', () => {
    assert(
      property(oneof(string({ unit: 'binary' }), constantFrom(...attacks)), (name) => {
        const literal = py(name);
        expect(literal).toMatch(/^"(?:[^"\\\r\n\0]|\\(?:["\\bfnrt]|u[0-9a-f]{4}))*"$/u);
        expect(JSON.parse(literal)).toBe(name);
      }),
      { numRuns: 2000 },
    );
  });

  it.skipIf(!python)('cannot change the program', () => {
    const names = ['n0', 'n1', 'n2', 'n3', null as unknown as string];
    expect(cellsFor('data', 'table', names, 'Value').length).toBeGreaterThan(30);
    const word = oneof(constantFrom(...attacks), string({ unit: 'binary', maxLength: 12 }));
    const cells = sample(tuple(word, word, array(word, { minLength: 5, maxLength: 5 }), word), 60).flatMap(
      ([file, table, columns, value]) => cellsFor(file, table, columns, value),
    );
    expect(cells.length).toBeGreaterThan(500);
    for (const cell of cells) expect(cell).not.toMatch(/[\0\r]/);
    for (const skeleton of parsed(cells)) {
      const modules = [...skeleton.matchAll(/alias\(name='([\w.]+)'|ImportFrom\(module='([\w.]+)'/g)];
      for (const [, name, from] of modules) {
        const root = (from ?? name ?? '').split('.')[0] ?? '';
        expect([...imported, 'ticker', 'Image', 'ImageOps', 'pyplot']).toContain(root);
      }
      expect(skeleton).not.toMatch(/'(?:__import__|eval|exec|system|os)'/);
    }
  });
});
