import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AppError } from '../../src/errors.ts';
import { createLogger } from '../../src/log.ts';
import type { SandboxProvider, SandboxSession } from '../../src/ports/sandbox.ts';
import type { Store } from '../../src/ports/store.ts';
import { createSqliteStore } from '../../src/store/sqlite-store.ts';
import type { Execution, Reply, Task } from '../../src/types.ts';
import { attachmentOf, createCore, taskOf, testThread, testThreadKey, until } from '../fakes/core.ts';
import type { Core } from '../fakes/core.ts';
import { createFakeSandbox } from '../fakes/fake-sandbox.ts';
import type { FakeSandbox } from '../fakes/fake-sandbox.ts';
import { executionOf } from '../fakes/fake-session.ts';
import { createMemoryBlobs } from '../fakes/memory-blobs.ts';
import { createScriptedModel, pythonCall } from '../fakes/scripted-model.ts';
import type { ScriptedModel } from '../fakes/scripted-model.ts';
import { createStrictPlatform } from '../fakes/strict-platform.ts';
import type { StrictPlatform } from '../fakes/strict-platform.ts';
import { plainRecord } from '../fakes/cells.ts';

interface ReadCell {
  readonly id: string;
  readonly cell_type: string;
  readonly source: readonly string[];
  readonly outputs?: readonly {
    readonly output_type: string;
    readonly text?: readonly string[];
    readonly data?: object;
  }[];
}

const facts = {
  python: '3.13.5',
  packages: { pandas: 'pandas 2.2.3' },
  table_options: { 'display.width': 200 },
  archive: 'UEsFBg==',
};

/** The fake sandbox, in which the notebook's own two cells work too; `instead` says what is run in the place of a cell. */
function withNotebookCells(
  sandbox: FakeSandbox,
  instead: ReadonlyMap<string, string>,
  filesAtSetUp: string[],
): SandboxProvider {
  const withCells = (session: SandboxSession): SandboxSession => ({
    ...session,
    get alive() {
      return session.alive;
    },
    run: (code, options): Promise<Execution> => {
      if (code.includes('notebook.describe()')) {
        return Promise.resolve(executionOf({ results: [{ 'application/vnd.plotline.notebook+json': facts }] }));
      }
      if (code.startsWith('# Written by Plotline.')) {
        const files = sandbox.containers.at(-1)?.files;
        filesAtSetUp.push(...(files?.keys() ?? []));
        for (const [, name = '', text = ''] of code.matchAll(/^ {4}("\.output.*?"): (".*"),$/gm)) {
          files?.set(JSON.parse(name) as string, Buffer.from(JSON.parse(text) as string));
        }
        return Promise.resolve(executionOf({ stdout: 'Ready.\n' }));
      }
      return session.run(instead.get(code) ?? code, options);
    },
  });
  return { ...sandbox, acquire: async (...given) => withCells(await sandbox.acquire(...given)) };
}

describe('a thread as a notebook', () => {
  let store: Store;
  let platform: StrictPlatform;
  let sandbox: FakeSandbox;
  let blobs: ReturnType<typeof createMemoryBlobs>;
  let model: ScriptedModel;
  let core: Core;
  let instead: Map<string, string>;
  let filesAtSetUp: string[];

  const settled = async (...ids: readonly string[]): Promise<void> =>
    until(`the end of ${ids.join()}`, async () => {
      const entries = await store.tasks(testThreadKey);
      return ids.every((id) => ['done', 'cancelled'].includes(entries.find(({ task }) => task.id === id)?.state ?? ''));
    });
  const ask = async (task: Task): Promise<Reply> => {
    await core.handlers.onTask(task);
    await settled(task.id);
    const replies = platform.replies(task.id);
    expect(replies).toHaveLength(1);
    return replies[0] as Reply;
  };
  const notebookIn = (reply: Reply): readonly ReadCell[] => {
    expect(reply.artifacts).toHaveLength(1);
    const bytes = blobs.stored.get(reply.artifacts[0]?.file.sha256 ?? '');
    const notebook = JSON.parse(String(bytes)) as { nbformat: number; cells: readonly ReadCell[] };
    expect(notebook.nbformat).toBe(4);
    return notebook.cells;
  };
  const text = (cells: readonly ReadCell[], id: string): string => {
    const found = cells.find((cell) => cell.id === id);
    if (found === undefined) throw new Error(`no cell ${id} among ${cells.map((cell) => cell.id).join()}`);
    return found.source.join('');
  };

  beforeEach(async () => {
    store = await createSqliteStore({ path: ':memory:', log: createLogger('silent') });
    platform = createStrictPlatform();
    sandbox = createFakeSandbox();
    blobs = createMemoryBlobs();
    model = createScriptedModel([], ({ messages }) => {
      const last = messages.at(-1);
      const code = last?.role === 'user' ? /run: (.*)$/m.exec(last.text)?.[1] : undefined;
      return code === undefined ? { text: 'The answer.' } : { calls: [pythonCall(code.replaceAll('; ', '\n'))] };
    });
    instead = new Map();
    filesAtSetUp = [];
    const provider = withNotebookCells(sandbox, instead, filesAtSetUp);
    core = createCore({ store, blobs, client: platform.client, provider, model });
    await core.start();
  });
  afterEach(async () => {
    await core.dispatcher.close({ graceMs: 0 });
    await core.sessions[Symbol.asyncDispose]();
    await store[Symbol.asyncDispose]();
  });

  it('is re-run in a container of its own, which goes; the model is not asked', async () => {
    await ask(
      taskOf('t1', { text: 'run: print("1"); chart("Revenue")', attachments: [attachmentOf('f1', 'Sales 2025.csv')] }),
    );
    await ask(taskOf('t2', { text: 'run: print("2")' }));
    const asked = model.requests.length;
    const turns = await store.turns(testThreadKey);
    const reply = await ask(taskOf('t3', { text: 'notebook, please' }));
    expect(model.requests).toHaveLength(asked);
    expect(await store.turns(testThreadKey)).toEqual(turns);
    expect(await store.cells(testThreadKey)).toHaveLength(2);
    expect(sandbox.containers.map(({ alive }) => alive)).toEqual([true, false]);
    expect(sandbox.containers[1]?.ran).toEqual(['print("1")\nchart("Revenue")', 'print("2")']);
    expect([...(sandbox.containers[1]?.files.keys() ?? [])]).toEqual(['Sales 2025.csv']);
    expect(reply).toMatchObject({
      outcome: 'answered',
      text: 'Here is this thread as a notebook, `sales-2025.ipynb`. Its 2 cells re-ran in a fresh sandbox, identical. Put `Sales 2025.csv` beside it to run it.',
      artifacts: [{ kind: 'file', file: { name: 'sales-2025.ipynb', mimeType: 'application/x-ipynb+json' } }],
      notices: [],
    });
    const progress = platform.messages.find(({ postId }) => postId === 't3-progress');
    expect(JSON.stringify(progress?.content)).toContain('Running the thread again in a fresh sandbox');
    const cells = notebookIn(reply);
    expect(text(cells, 'header')).toContain('Re-ran, identical.');
    expect(text(cells, 'header')).toContain('`fake-image:latest` (`sha256:fake`)');
    expect(text(cells, 'question-1')).toContain('- 1 row looks like totals.');
    expect(cells.find(({ id }) => id === 'cell-1')?.outputs).toMatchObject([
      { output_type: 'stream', text: ['1\n'] },
      { output_type: 'display_data', data: { 'image/png': Buffer.from('png Revenue').toString('base64') } },
    ]);
    expect(text(cells, 'answer-2')).toBe('The answer.');
  });

  it('without any cell is refused in words, without a container', async () => {
    await ask(taskOf('t1', { text: 'hello' }));
    const reply = await ask(taskOf('t2', { text: 'notebook' }));
    expect(reply.text).toMatch(/^There is nothing to put into a notebook yet/);
    expect(reply.artifacts).toEqual([]);
    expect(sandbox.containers).toEqual([]);
  });

  it('names a cell that differs, at its top and in the reply', async () => {
    await ask(taskOf('t1', { text: 'run: print("1")' }));
    await ask(taskOf('t2', { text: 'run: count()' }));
    const reply = await ask(taskOf('t3', { text: 'notebook' }));
    expect(reply.text).toContain('1 gave something else, named at its top');
    const cells = notebookIn(reply);
    expect(text(cells, 'header')).toContain('Re-ran, 1 cell differs.');
    expect(text(cells, 'header')).toMatch(
      /- Cell \\\[3\\\] \(Working\) printed something else \(`\d` where `2` is shown\)\./,
    );
    // What the answer in the thread was made from stays what is shown.
    expect(cells.find(({ id }) => id === 'cell-2')?.outputs).toMatchObject([{ text: ['2\n'] }]);
  });

  it('shows the chart that the thread showed, also where the re-run drew another', async () => {
    await ask(taskOf('t1', { text: 'run: chart("A")' }));
    instead.set('chart("A")', 'chart("B")');
    const cells = notebookIn(await ask(taskOf('t2', { text: 'notebook' })));
    expect(text(cells, 'header')).toContain('Cell \\[2\\] (Working) drew another chart.');
    expect(cells.find(({ id }) => id === 'cell-1')?.outputs).toMatchObject([
      { data: { 'image/png': Buffer.from('png A').toString('base64') } },
    ]);
  });

  it('needs the file of a killed cell that a later one reads: it is there before the first cell, and named', async () => {
    await ask(taskOf('t1', { text: 'run: write("half.csv", "1")' }));
    const [killed] = await store.cells(testThreadKey);
    if (killed === undefined) throw new Error('no cell was kept');
    await store.dropCells(testThreadKey, 't1');
    await store.addCell(testThreadKey, {
      ...killed,
      execution: { ...killed.execution, status: 'timeout', stateKept: false },
    });
    await ask(taskOf('t2', { text: 'run: lines("half.csv")' }));
    const reply = await ask(taskOf('t3', { text: 'notebook' }));
    expect(filesAtSetUp).toEqual(['half.csv']);
    expect(reply.text).toContain('identical. Put `half.csv` beside it to run it.');
    expect(sandbox.containers.at(-1)?.ran).toEqual(['lines("half.csv")']);
  });

  it('brings along the long output that a later cell reads', async () => {
    await ask(taskOf('t1', { text: 'run: flood()' }));
    await ask(taskOf('t2', { text: 'run: flood()' }));
    const names = (await store.files(testThreadKey)).map(({ name }) => name);
    await ask(taskOf('t3', { text: `run: lines("${names[0]}")` }));
    const cells = notebookIn(await ask(taskOf('t4', { text: 'notebook' })));
    expect(text(cells, 'header')).toContain('Re-ran, identical.');
    expect(text(cells, 'set-up')).toContain('line 500\\nline 501');
    expect(text(cells, 'set-up').match(/line 500\\n/g)).toHaveLength(1);
  });

  it('says which cells were not run again where one ends the container', async () => {
    await ask(taskOf('t1', { text: 'run: print("1")' }));
    await ask(taskOf('t2', { text: 'run: print("2")' }));
    instead.set('print("1")', 'die()');
    const header = text(notebookIn(await ask(taskOf('t3', { text: 'notebook' }))), 'header');
    expect(header).toContain('Re-ran, 2 cells differ.');
    expect(header).toMatch(/Cell \\\[2\\\] \(Working\) did not run there as it did before/);
    expect(header).toContain('Cell \\[3\\] (Working) was not run again, because the sandbox had ended before it.');
  });

  it('begins once more where the container is lost', async () => {
    await ask(taskOf('t1', { text: 'run: print("1")' }));
    instead.set('print("1")', 'dieOnce()\nprint("1")');
    const reply = await ask(taskOf('t2', { text: 'notebook' }));
    expect(sandbox.containers).toHaveLength(3);
    expect(text(notebookIn(reply), 'header')).toContain('Re-ran, identical.');
  });

  it('of a thread in which every cell was killed runs nothing', async () => {
    await ask(taskOf('t1', { text: 'run: die()' }));
    const reply = await ask(taskOf('t2', { text: 'notebook' }));
    expect(reply.text).toContain('nothing to run again');
    expect(text(notebookIn(reply), 'step-1')).toContain('```python\ndie()\n```');
  });

  it('of a thread from before results were kept shows those of the re-run, and says so', async () => {
    await store.accept(taskOf('t1', { text: 'old' }));
    await store.takeNext(testThreadKey);
    const old = {
      taskId: 't1',
      index: 0,
      title: 'Old',
      source: 'chart("A")',
      seed: null,
      startedAtMs: 0,
      execution: plainRecord,
    };
    await store.addCell(testThreadKey, old);
    await store.finish('t1', 'done');
    const cells = notebookIn(await ask(taskOf('t2', { text: 'notebook' })));
    expect(text(cells, 'header')).toContain('Re-ran, identical.');
    expect(text(cells, 'header')).toContain('their charts and tables are those of the re-run');
    expect(cells.find(({ id }) => id === 'cell-1')?.outputs).toMatchObject([
      { data: { 'image/png': Buffer.from('png A').toString('base64') } },
    ]);
  });

  it('takes a picture whose bytes are gone from the re-run', async () => {
    await ask(taskOf('t1', { text: 'run: chart("A")' }));
    (blobs.stored as Map<string, Buffer>).clear();
    const cells = notebookIn(await ask(taskOf('t2', { text: 'notebook' })));
    expect(cells.find(({ id }) => id === 'cell-1')?.outputs).toMatchObject([
      { data: { 'image/png': Buffer.from('png A').toString('base64') } },
    ]);
  });

  it('stops when it is told to, and leaves no container', async () => {
    await ask(taskOf('t1', { text: 'run: print("1")' }));
    instead.set('print("1")', 'wait()');
    await core.handlers.onTask(taskOf('t2', { text: 'notebook' }));
    await until('the re-run', () => sandbox.containers[1]?.ran.length === 1);
    await core.handlers.onCancel(testThread, 'p');
    await settled('t2');
    expect(platform.replies('t2')).toMatchObject([{ outcome: 'cancelled', artifacts: [] }]);
    await until('the container to go', () => sandbox.containers[1]?.alive === false);
    expect(await ask(taskOf('t3', { text: 'hello' }))).toMatchObject({ text: 'The answer.' });
  });

  it('without Docker is refused in words', async () => {
    await ask(taskOf('t1', { text: 'run: print("1")' }));
    sandbox.failure = new AppError('docker-unavailable', 'Docker does not answer.', { retryable: true });
    expect(await ask(taskOf('t2', { text: 'notebook' }))).toMatchObject({
      outcome: 'failed',
      text: expect.stringContaining('Docker does not answer.') as string,
    });
  });

  it('leaves the place it took to others', async () => {
    await ask(taskOf('t1', { text: 'run: print("1")' }));
    for (const id of ['t2', 't3', 't4', 't5']) await ask(taskOf(id, { text: 'notebook' }));
    expect(sandbox.living()).toBeLessThanOrEqual(1);
    expect(await ask(taskOf('t6', { text: 'run: print("2")' }))).toMatchObject({ text: 'The answer.' });
  });
});
