import { describe, expect, it } from 'vitest';
import { parseCall } from '../../src/agent/run-python-tool.ts';
import { executionText, toolOutput } from '../../src/agent/tool-output.ts';
import type { MimeBundle } from '../../src/types.ts';
import { executionOf } from '../fakes/fake-session.ts';

const signal = new AbortController().signal;

function parse(argumentsText: string, name = 'run_python', cut = false): unknown {
  return parseCall({ id: 'x', name, argumentsText }, cut);
}

describe('reading a call', () => {
  const wanted = { ok: true, title: 'Add', code: 'a = 1\nprint("x")' };

  it.each([
    ['as asked', '{"title":"Add","code":"a = 1\\nprint(\\"x\\")"}'],
    ['with raw line breaks', '{"title":"Add","code":"a = 1\nprint(\\"x\\")"}'],
    ['encoded twice', JSON.stringify('{"title":"Add","code":"a = 1\\nprint(\\"x\\")"}')],
    ['in a Markdown block', '```json\n{"title":"Add","code":"a = 1\\nprint(\\"x\\")"}\n```'],
    ['with code in a Markdown block', '{"title":"Add","code":"```python\\na = 1\\nprint(\\"x\\")\\n```"}'],
    ['with code as lines', '{"title":"Add","code":["a = 1","print(\\"x\\")"]}'],
  ])('takes one %s', (_how, argumentsText) => {
    expect(parse(argumentsText)).toEqual(wanted);
  });

  it('takes the tool under a namespace', () => {
    expect(parse('{"title":"Add","code":"1"}', 'functions.run_python')).toMatchObject({ ok: true });
    expect(parse('{"title":"Add","code":"1"}', 'python')).toMatchObject({ ok: false });
  });

  it('finds a title of one short line', () => {
    expect(parse('{"code":"# Read the file\\nx"}')).toMatchObject({ title: 'Read the file' });
    expect(parse('{"title":7,"code":"x"}')).toMatchObject({ title: 'Running Python' });
    const long = parse(JSON.stringify({ title: `a\nb ${'c'.repeat(100)}`, code: 'x' })) as { readonly title: string };
    expect(long.title).toMatch(/^a b c+…$/);
    expect(long.title).toHaveLength(80);
  });

  it('leaves Markdown inside code alone', () => {
    const code = 'text = """\n```\nx\n```\n"""';
    expect(parse(JSON.stringify({ title: 't', code }))).toMatchObject({ code });
  });

  it.each([
    ['', /not valid JSON/],
    ['[]', /not valid JSON/],
    ['print(1)', /not valid JSON/],
    ['{"title":"t"}', /no "code"/],
    ['{"title":"t","code":7}', /no "code"/],
    ['{"title":"t","code":"  "}', /empty/],
  ])('refuses %j in words that say how to call', (argumentsText, expected) => {
    expect(parse(argumentsText)).toMatchObject({ ok: false, problem: expect.stringMatching(expected) });
    expect(parse(argumentsText)).toMatchObject({ problem: expect.stringContaining('{"title": "short text"') });
  });

  it('never mends what was cut', () => {
    expect(parse('{"title":"t","code":"import os', 'run_python', true)).toMatchObject({
      ok: false,
      problem: expect.stringContaining('cut off'),
    });
  });
});

describe('what the model sees of an execution', () => {
  it('has a section for everything that is there, in order', () => {
    const results: readonly MimeBundle[] = [
      {
        'application/vnd.plotline.chart+json': { title: 'Revenue' },
        'image/png': new Uint8Array(9),
        'text/plain': 'line chart',
      },
      {
        'application/vnd.plotline.table+json': { columns: [{ name: 'a', type: 'number' }], rows: [], rowCount: 12 },
        'text/plain': '   a\n0  1',
        'text/html': '<table>',
      },
      { 'text/html': '<div>', 'text/plain': 'Chart\n(...)' },
      { 'image/png': new Uint8Array(9) },
      { 'text/plain': '42' },
    ];
    const execution = executionOf({
      status: 'error',
      durationMs: 420,
      stdout: 'out\n',
      stderr: 'careful\n',
      error: { name: 'KeyError', message: "'x'", traceback: 'Traceback\n  line 1' },
      results,
      files: [
        { path: 'a.csv', sizeBytes: 1229, sha256: '', change: 'new', formulas: null },
        { path: 'b.png', sizeBytes: 3, sha256: '', change: 'changed', formulas: null },
      ],
    });
    expect(executionText(execution)).toBe(
      [
        'status: error (0.42 s)',
        "## error\nKeyError: 'x'\nTraceback\n  line 1",
        '## stdout\nout',
        '## stderr\ncareful',
        '## results\n[chart] Revenue\n[table 12 rows x 1 columns]\n   a\n0  1\n[html] Chart (...)\n[image]\n42',
        '## files\nnew a.csv (1.2 KB)\nchanged b.png (3 bytes)',
      ].join('\n'),
    );
    expect(executionText(executionOf({ durationMs: 5 }))).toBe('status: ok (0.01 s)');
  });

  async function shown(stdout: string, save = async () => {}): Promise<string> {
    return toolOutput(executionOf({ stdout }), 'call/1 ä', save, signal);
  }

  it('keeps head and tail of many lines and saves the whole', async () => {
    const saved = new Map<string, string>();
    const stdout = Array.from({ length: 1000 }, (_, index) => `line ${index}`).join('\n');
    const text = await toolOutput(
      executionOf({ stdout, files: [{ path: 'a.csv', sizeBytes: 1, sha256: '', change: 'new', formulas: null }] }),
      'call/1 ä',
      async (name, whole) => {
        saved.set(name, whole);
      },
      signal,
    );
    const lines = text.split('\n');
    expect(lines).toHaveLength(201);
    expect(lines[0]).toMatch(/^status: ok/);
    expect(lines[2]).toBe('line 0');
    expect(text).toMatch(/line 999\n## files\nnew a\.csv/);
    expect(text).toContain('[… 804 lines, 7.1 KB cut here; the whole output is in .output-call1.txt …]');
    expect([...saved.keys()]).toEqual(['.output-call1.txt']);
    expect(saved.get('.output-call1.txt')).toContain(stdout);
  });

  it.each([
    ['one long line', 'é'.repeat(50_000)],
    ['one long line of emoji', '😀'.repeat(20_000)],
    ['long lines', Array.from({ length: 50 }, () => 'x'.repeat(1000)).join('\n')],
    ['a long line after short ones', `${'short\n'.repeat(50)}${'😀'.repeat(20_000)}\nend`],
  ])('stays within 12 KB for %s and splits no character', async (_what, stdout) => {
    const text = await shown(stdout);
    expect(Buffer.byteLength(text)).toBeLessThan(12 * 1024 + 200);
    expect(Buffer.byteLength(text)).toBeGreaterThan(6 * 1024);
    expect(text.isWellFormed()).toBe(true);
    expect(text).not.toContain('\uFFFD');
  });

  it('says when the rest could not be kept', async () => {
    const text = await shown('x\n'.repeat(500), () => Promise.reject(new Error('no space')));
    expect(text).toContain('could not be kept');
  });

  it('leaves what fits as it is', async () => {
    expect(await shown('x\n'.repeat(197))).toBe(`status: ok (0.01 s)\n## stdout\n${'x\n'.repeat(196)}x`);
  });
});
