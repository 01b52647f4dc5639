import { array, assert, constantFrom, property, string } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { displayWidth } from '../../adapters/display-width.ts';
import { harmless } from '../../adapters/format.ts';
import { inlineImage } from '../../adapters/terminal/images.ts';
import { safeName, withCounter } from '../../adapters/terminal/names.ts';
import { renderArtifact, renderMarkdown, renderProgress, renderTable } from '../../adapters/terminal/render.ts';
import { createStyle, highlightPython, terminalFeatures } from '../../adapters/terminal/style.ts';
import type { Artifact, TableData } from '../../src/types.ts';

const plain = createStyle(false);
const table: TableData = {
  columns: [
    { name: '都市', type: 'text' },
    { name: 'Revenue', type: 'number' },
  ],
  rows: [
    ['東京', 1234.5],
    ['Zürich 🎉', 7],
    ['\u001b[31mred\nline', null],
  ],
  rowCount: 88,
};

describe('tables', () => {
  it('lines up wide characters, numbers to the right, and says where the rest is', () => {
    expect(renderTable(table, 'out/t.csv', 60, plain).split('\n')).toEqual([
      '┌───────────────────────┐',
      '│ 都市          Revenue │',
      '├───────────────────────┤',
      '│ 東京           1234.5 │',
      '│ Zürich 🎉           7 │',
      '│ [31mred line        – │',
      '└───────────────────────┘',
      '… 85 more rows in out/t.csv',
    ]);
  });

  it('is a straight frame within the width, whatever is in it', () => {
    const cell = string({ unit: constantFrom('a', ' ', '漢', '🎉', '👩‍👩‍👧', 'é', '\n', '\t', '\u001b', '|', '𝒳') });
    assert(
      property(array(array(cell, { minLength: 6, maxLength: 6 }), { minLength: 1, maxLength: 20 }), (rows) => {
        const columns = rows[0]!.map((name) => ({ name, type: 'text' as const }));
        const lines = renderTable({ columns, rows, rowCount: rows.length }, 'f', 50, plain).split('\n');
        const frame = lines.filter((line) => /^[┌│├└]/.test(line));
        expect(new Set(frame.map(displayWidth)).size).toBe(1);
        expect(displayWidth(frame[0]!)).toBeLessThanOrEqual(50);
        expect(frame.length).toBeLessThanOrEqual(15 + 4);
      }),
    );
  });
});

describe('text', () => {
  it('renders Markdown lightly, also without colours', () => {
    const markdown =
      '# Title\n- **bold** and `code`\n* [site](https://x.org)\n> quote\n```python\nx = 1\n```\n2 * 3 * 4, snake_case_name';
    expect(renderMarkdown(markdown, plain).split('\n')).toEqual([
      'Title',
      '• bold and `code`',
      '• site (https://x.org)',
      '│ quote',
      '  x = 1',
      '2 * 3 * 4, snake_case_name',
    ]);
    expect(renderMarkdown('**b**', createStyle(true))).toBe('\u001b[1mb\u001b[22m');
  });

  it('shows signs behind a backslash, which are no Markdown, as they are', () => {
    expect(renderMarkdown('separated by “\\|”, \\*not bold\\*, `a\\b`', plain)).toBe(
      'separated by “|”, *not bold*, `a\\b`',
    );
  });

  it('lets no control character through', () => {
    const dangerous = '\u001b]52;c;ZXZpbA==\u0007\u001b[2J\u009b31mx\r\u202ey\u0008\u0000\ttab\r\nnext';
    expect(harmless(dangerous)).toBe(']52;c;ZXZpbA==[2J31mxy\ttab\nnext');
    assert(
      property(string({ unit: 'binary' }), (text) => {
        // oxlint-disable-next-line no-control-regex
        expect(renderMarkdown(text, plain)).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/);
      }),
    );
    const chart: Artifact = {
      kind: 'chart',
      title: 'a\u001b[2Jb',
      file: { name: 'c.png', mimeType: 'image/png', sizeBytes: 2048, sha256: '' },
      altText: 'falls\u001b[1m\nfast',
      table: null,
      chart: null,
    };
    expect(renderArtifact(chart, '/out/c.png', 80, plain)).toBe('📈 a [2Jb\n   /out/c.png (2 KB)\n   falls [1m fast');
  });

  it('stays quick on text that is made to be slow', () => {
    const startedMs = performance.now();
    for (const unit of ['[', '`', '**', '*a', '_', '](']) renderMarkdown(unit.repeat(50_000), plain);
    expect(performance.now() - startedMs).toBeLessThan(3000);
  });

  it('colours Python and changes nothing else in it', () => {
    const source = 'def f(x):  # note\n    return "a # b" + str(12.5)\n';
    expect(highlightPython(source, plain)).toBe(source);
    const coloured = highlightPython(source, createStyle(true));
    expect(coloured).toContain('\u001b[36mdef\u001b[39m');
    expect(coloured).toContain('\u001b[32m"a # b"\u001b[39m');
    // oxlint-disable-next-line no-control-regex
    expect(coloured.replace(/\u001b\[\d+m/g, '')).toBe(source);
  });

  it('gives one line per step, none wider than the terminal', () => {
    const steps = [
      { title: 'Read the file', state: 'done' },
      { title: 'Draw', state: 'failed' },
      { title: '漢'.repeat(50), state: 'running' },
    ] as const;
    const lines = renderProgress({ personId: 'U1', running: true, taskId: 't', steps, note: '' }, 40, plain, 0);
    expect(lines.slice(0, 2)).toEqual(['✓ Read the file', '✗ Draw']);
    expect(lines.every((line) => displayWidth(line) <= 40)).toBe(true);
    expect(
      renderProgress({ personId: 'U1', running: true, taskId: 't', steps: [], note: 'Waiting' }, 40, plain, 0)[0],
    ).toContain('Waiting');
  });
});

describe('terminal', () => {
  it('knows colours and images from the environment, on a TTY only', () => {
    const kitty = { TERM: 'xterm-kitty' };
    expect(terminalFeatures(kitty, true)).toEqual({ isTty: true, colour: true, kitty: true, iterm: false });
    expect(terminalFeatures(kitty, false)).toEqual({ isTty: false, colour: false, kitty: false, iterm: false });
    expect(terminalFeatures({ NO_COLOR: '1' }, true).colour).toBe(false);
    expect(terminalFeatures({ NO_COLOR: '' }, true).colour).toBe(true);
    expect(terminalFeatures({ TERM: 'dumb' }, true).colour).toBe(false);
    expect(terminalFeatures({ TERM_PROGRAM: 'iTerm.app' }, true).iterm).toBe(true);
  });

  it('sends an image whole, in the pieces that kitty takes', () => {
    const image = Buffer.from(Array.from({ length: 10_000 }, (_, index) => index % 256));
    const sequence = inlineImage(image, 'image/png', { isTty: true, colour: true, kitty: true, iterm: false }) ?? '';
    // oxlint-disable-next-line no-control-regex
    const pieces = [...sequence.matchAll(/\u001b_G([^;]*);([^\u001b]*)\u001b\\/g)];
    expect(pieces.map(([, control]) => control)).toEqual(['a=T,f=100,m=1', 'm=1', 'm=1', 'm=0']);
    expect(pieces.every(([, , data = '']) => data.length <= 4096)).toBe(true);
    expect(Buffer.compare(Buffer.from(pieces.map(([, , data]) => data).join(''), 'base64'), image)).toBe(0);
    expect(inlineImage(image, 'image/png', { isTty: true, colour: true, kitty: false, iterm: false })).toBeNull();
    expect(inlineImage(image, 'image/gif', { isTty: true, colour: true, kitty: false, iterm: true })).toContain(
      'size=10000',
    );
  });
});

describe('file names', () => {
  it('makes one harmless segment of at most 200 bytes from anything', () => {
    expect(safeName('../../etc/passwd')).toBe('_.._etc_passwd');
    expect(safeName('a\nb\u202etxt.exe')).toBe('a_b_txt.exe');
    expect(['', '..', '...', ' '].map(safeName)).toEqual(['file', 'file', 'file', 'file']);
    expect(withCounter('chart.png', 3)).toBe('chart (3).png');
    assert(
      property(string({ unit: 'binary', maxLength: 400 }), (name) => {
        const safe = withCounter(safeName(name), 99_999);
        expect(Buffer.byteLength(safe)).toBeLessThanOrEqual(200);
        expect(safe).not.toMatch(/[/\\\n\r]|^\.{1,2}$/);
      }),
    );
    expect(safeName(`${'漢'.repeat(300)}.xlsx`)).toMatch(/漢\.xlsx$/);
  });
});
