import { readFileSync, readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { cardText } from '../../src/answer/card-text.ts';
import type { FileCard } from '../../src/types.ts';
import { plainCard } from '../fakes/fake-sandbox.ts';

const card = (given: Partial<FileCard>): FileCard => ({ ...plainCard('a.csv'), warnings: [], ...given });
const warning = (code: string, message: string): FileCard['warnings'][number] => ({
  code,
  message,
  table: null,
  line: null,
});
const rejected = (...lines: readonly (readonly [number, string])[]): Pick<FileCard, 'rejected' | 'rejected_count'> => ({
  rejected: lines.map(([line, reason]) => ({ table: 'a', line, reason })),
  rejected_count: lines.length,
});

describe('cardText', () => {
  it('says nothing about a sound file, nor about one that the answer itself must refuse', () => {
    expect(cardText(card({}))).toBeNull();
    expect(cardText(card({ warnings: [warning('constant-column', 'Year is 2024 in every row.')] }))).toBeNull();
    expect(cardText(card({ ok: false, error: 'It is locked.', warnings: [warning('totals-row', 'x')] }))).toBeNull();
  });

  it('names rejected lines with their reasons, equal ones together', () => {
    const text = cardText(card(rejected([7, 'has 5 fields'], [9, 'has 5 fields'], [12, 'is a comment'])));
    expect(text).toContain('• 3 lines could not be loaded: line 7, 9 each has 5 fields; line 12 is a comment.');
    expect(cardText(card(rejected([7, 'is a comment'])))).toContain(
      '• 1 line could not be loaded: line 7 is a comment.',
    );
  });

  it('counts the rejected lines that it does not name', () => {
    const many = rejected(...Array.from({ length: 12 }, (_, index) => [index, 'is a comment'] as const));
    expect(cardText(card({ ...many, rejected_count: 1234 }))).toMatch(/1,234 lines .*and 1226 more\.$/m);
  });

  it('is at most five short lines, the gravest first, and counts the rest', () => {
    const warnings = [
      'cells-outside',
      'date-order',
      'duplicate-rows',
      'totals-row',
      'instruction-like-text',
      'sampled',
    ].map((code) => warning(code, `${code} ${'x'.repeat(500)}`));
    const lines = cardText(card({ warnings }))?.split('\n') ?? [];
    expect(lines).toHaveLength(5);
    expect(lines[1]).toMatch(/instruction-like-text/);
    expect(lines[4]).toBe('• and 3 more like these.');
    for (const line of lines) expect(line.length).toBeLessThan(320);
  });

  it('says numbers as a person would', () => {
    const said = (message: string): string | null => cardText(card({ warnings: [warning('duplicate-rows', message)] }));
    expect(said('1 row(s) repeat an earlier row (line 3).')).toContain('• 1 row repeats an earlier row');
    expect(said('2 row(s) repeat an earlier row (line 3).')).toContain('• 2 rows repeat an earlier row');
    expect(
      cardText({ ...plainCard('a.csv'), tables: [{ ...plainCard('a.csv').tables[0]!, rows: 1, columns: 1 }] }),
    ).toMatch(/^`a.csv` \(1 row × 1 column\)/);
  });

  it('does not call a file without tables a table', () => {
    const zip = card({
      file: 'photos.zip',
      kind: 'zip',
      tables: [],
      warnings: [warning('not-read', 'a.png: damaged')],
    });
    expect(cardText(zip)).toMatch(/^`photos.zip`, before I use it:\n• a.png: damaged$/);
  });

  it('says the same finding on several lines once', () => {
    const warnings = [
      warning('mixed-encoding', 'Line 3 is in another encoding.'),
      warning('mixed-encoding', 'The same on line 9.'),
    ];
    expect(cardText(card({ warnings }))?.split('\n')).toHaveLength(2);
  });

  it('knows only warnings that the intake gives', () => {
    const folder = new URL('../../sandbox/python/plotline/intake/', import.meta.url);
    const intake = readdirSync(folder)
      .filter((name) => name.endsWith('.py'))
      .map((name) => readFileSync(new URL(name, folder), 'utf8'))
      .join('\n');
    const source = readFileSync(new URL('../../src/answer/card-text.ts', import.meta.url), 'utf8');
    const codes = [
      ...(/worthSaying: readonly string\[\] = \[([^\]]+)\]/.exec(source)?.[1] ?? '').matchAll(/'([a-z-]+)'/g),
    ];
    expect(codes.length).toBeGreaterThan(10);
    for (const [, code] of codes) expect(intake).toContain(`"${code}"`);
  });
});
