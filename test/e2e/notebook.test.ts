import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { Reply } from '../../src/types.ts';
import { provideJupyterImage } from '../fakes/jupyter-image.ts';
import { createScriptedModel, pythonCall } from '../fakes/scripted-model.ts';
import { startTestBot } from '../fakes/test-bot.ts';
import type { TestBot } from '../fakes/test-bot.ts';

/** A thread of every kind of cell, asked for as a notebook, which then runs in a Jupyter kernel where nothing of this project is installed. */

const jupyterImage = await provideJupyterImage().catch((error: unknown) => {
  if (process.env['CI'] === 'true') throw error;
  process.stderr.write(`\nSKIPPED: notebooks in a Jupyter kernel; its image could not be built. ${String(error)}\n\n`);
  return null;
});

const sales = readFileSync(new URL('../../examples/sales.xlsx', import.meta.url));
const runner = readFileSync(new URL('../images/jupyter/run_notebook.py', import.meta.url));

const cellOutputs = z.record(
  z.string(),
  z.object({
    stdout: z.string(),
    stderr: z.string(),
    shown: z.array(z.array(z.string())),
    errors: z.array(z.string()),
  }),
);
const runResult = z.object({
  version: z.tuple([z.number(), z.number()]),
  plotlineInstalled: z.boolean(),
  before: cellOutputs,
  after: cellOutputs,
});

/** Answers a question with the cells whose code stands behind its number. */
const steps: Readonly<Record<string, readonly string[]>> = {
  'Question 1': [
    [
      'import matplotlib.pyplot as plt',
      'import plotline',
      'data = plotline.load("sales.xlsx")',
      'months = data.groupby(data["Date"].dt.to_period("M"))["Revenue (EUR)"].sum()',
      'print(months.round(2).head(3))',
      'fig, ax = plt.subplots()',
      'ax.plot(months.index.to_timestamp(), months.values)',
      'ax.set_title("Revenue by month")',
    ].join('\n'),
    'plotline.show(months.reset_index().head(4), title="First months")',
  ],
  'Question 2': [
    'print("before"); data["nothing"]',
    'import random, numpy as np\nprint(random.random(), np.random.rand(), np.random.default_rng().random(), data.sample(3).index.tolist())',
    'with open("/mnt/data/täglich é.csv", "w") as file:\n    file.write("a;b\\n1;2\\n")\nprint("written to /mnt/data/")',
  ],
  'Question 3': ['import time\ntime.sleep(60)'],
  'Question 4': ['import plotline\nprint(len(plotline.load("/mnt/data/sales.xlsx")))\nprint("x" * 100_000)'],
  'Question 5': ['import os\nprint(os.urandom(8).hex())'],
};

const hostile = 'Question 2 <img src=x onerror=alert(1)>\n```\n# not a heading, $1 and $2, [link](http://a/b)\n---';

/** Runs the folder's notebook as somebody without this project would: another folder, no network, `plotline` not installed. */
function runElsewhere(folder: string): { readonly stdout: string; readonly stderr: string } {
  const limits = ['--network', 'none', '--memory', '1g', '--tmpfs', '/tmp', '--env', 'PYTHONPATH='];
  const place = ['-v', `${folder}:/home/ada`, '-w', '/home/ada', '--entrypoint', 'python3', jupyterImage ?? ''];
  const args = ['run', '--rm', '-i', ...limits, ...place, '-', 'sales.ipynb'];
  return spawnSync('docker', args, { input: runner, encoding: 'utf8', timeout: 180_000 });
}

describe.skipIf(jupyterImage === null)('a thread as a notebook', () => {
  let bot: TestBot;
  let folder: string;
  let reply: Reply;
  let notebook: { readonly cells: readonly { readonly id: string; readonly source: readonly string[] }[] };
  let result: z.infer<typeof runResult>;

  const textOf = (id: string): string => {
    const found = notebook.cells.find((cell) => cell.id === id);
    return found === undefined ? `no cell ${id}` : found.source.join('');
  };

  beforeAll(async () => {
    const model = createScriptedModel([], ({ messages }) => {
      const question = messages.findLast(({ role }) => role === 'user');
      const asked = question === undefined || question.role !== 'user' ? '' : question.text;
      const code = Object.entries(steps).find(([name]) => asked.startsWith(name))?.[1] ?? [];
      const done = messages.length - 1 - messages.lastIndexOf(question as (typeof messages)[number]);
      const next = code[Math.floor(done / 2)];
      return next === undefined
        ? { text: 'From $5 to **$9**.' }
        : { calls: [pythonCall(next, `Part ${done / 2 + 1} of *it*`)] };
    });
    bot = await startTestBot({ SANDBOX_RUNTIME: 'runc', SANDBOX_CELL_SECONDS: '5' }, model);
    const { platform } = bot;
    await platform.ask('t', 'Question 1', [{ name: 'sales.xlsx', bytes: sales }]);
    for (const question of [hostile, 'Question 3', 'Question 4', 'Question 5']) await platform.ask('t', question);
    const post = await platform.ask('t', 'Give me this as a notebook, please.');
    reply = post.reply;
    folder = mkdtempSync(join(tmpdir(), 'plotline-notebook-'));
    chmodSync(folder, 0o777);
    writeFileSync(join(folder, 'sales.ipynb'), post.files[0]?.bytes ?? '');
    writeFileSync(join(folder, 'sales.xlsx'), sales);
    notebook = JSON.parse(readFileSync(join(folder, 'sales.ipynb'), 'utf8')) as typeof notebook;
    const { stdout, stderr } = runElsewhere(folder);
    if (!stdout.startsWith('{')) throw new Error(`the notebook did not run:\n${stderr}`);
    result = runResult.parse(JSON.parse(stdout));
  }, 300_000);

  afterAll(async () => {
    rmSync(folder, { recursive: true, force: true });
    await bot[Symbol.asyncDispose]();
  });

  it('is valid nbformat 4.5 and runs to its end without this project', () => {
    expect(result.version).toEqual([4, 5]);
    expect(result.plotlineInstalled).toBe(false);
    expect(Object.keys(result.after)).toEqual([
      'set-up',
      'cell-1',
      'cell-2',
      'cell-3',
      'cell-4',
      'cell-5',
      'cell-7',
      'cell-8',
    ]);
    expect(result.after['set-up']).toEqual({ stdout: 'Ready: the file is here.\n', stderr: '', shown: [], errors: [] });
  });

  it('gives there what it showed: numbers, charts, tables, errors, random numbers', () => {
    for (const id of ['set-up', 'cell-1', 'cell-2', 'cell-3', 'cell-4', 'cell-5']) {
      expect([id, result.after[id]?.stdout]).toEqual([id, result.before[id]?.stdout]);
    }
    expect(result.before['cell-1']?.stdout).toContain('2024-10');
    expect(result.before['cell-1']?.shown).toEqual([['image/png', 'text/plain']]);
    expect(result.after['cell-1']?.shown.at(-1)).toContain('image/png');
    expect(result.before['cell-2']?.shown).toEqual([['text/html', 'text/plain']]);
    expect(result.after['cell-2']?.shown).toEqual([['text/html', 'text/plain']]);
    expect([result.before['cell-3']?.errors, result.after['cell-3']?.errors]).toEqual([['KeyError'], ['KeyError']]);
    expect(result.before['cell-4']?.stdout).toMatch(/^0\.\d+ 0\.\d+ 0\.\d+ \[\d+, \d+, \d+\]\n$/);
    expect(readFileSync(join(folder, 'täglich é.csv'), 'utf8')).toBe('a;b\n1;2\n');
  });

  it('says at its top what differs, and nothing else', () => {
    const header = textOf('header');
    expect(header).toContain('Re-ran, 1 cell differs.');
    expect(header.match(/^- /gm)).toHaveLength(1);
    expect(header).toMatch(
      /^- Cell \\\[8\\\] \(Part 1 of \\\*it\\\*\) printed something else \(`[0-9a-f]{16}` where `[0-9a-f]{16}` is shown\)\.$/m,
    );
    expect(reply.text).toContain('1 gave something else, named at its top');
    expect(reply.notices).toEqual([]);
  });

  it('names the file, its hash, the image and the versions', () => {
    const header = textOf('header');
    expect(header).toContain(`| sales\\.xlsx | 27,802 | \`${createHash('sha256').update(sales).digest('hex')}\` |`);
    expect(header).toMatch(
      /image `plotline-sandbox:[\w.-]+` \(`sha256:[0-9a-f]{64}`\), Python 3\.\d+\.\d+ with .*pandas \d/,
    );
  });

  it('shows the killed cell with its reason, unrun', () => {
    expect(textOf('step-6')).toContain('```python\nimport time\ntime.sleep(60)\n```');
    expect(textOf('step-6')).toMatch(/5 s/);
  });

  it('takes questions as text and cuts floods', () => {
    expect(textOf('question-2')).toContain('&lt;img src=x onerror=alert\\(1\\)&gt;');
    expect(
      textOf('question-2')
        .split('\n')
        .slice(4)
        .every((line) => line.startsWith('>')),
    ).toBe(true);
    expect(textOf('answer-1')).toBe('From \\$5 to **\\$9**.\n\nAll rows used.');
    expect(result.before['cell-7']?.stdout.length).toBeLessThan(66_000);
  });

  it('asks for a file that is not beside it', () => {
    rmSync(join(folder, 'sales.xlsx'));
    const { stderr } = runElsewhere(folder);
    expect(stderr).toContain('Put these files into /home/ada and run this cell again: sales.xlsx');
  }, 200_000);
});
