import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { endPython } from '../../src/conversation/replay.ts';
import { createLogger } from '../../src/log.ts';
import type { Store } from '../../src/ports/store.ts';
import { createSqliteStore } from '../../src/store/sqlite-store.ts';
import type { Cell, Reply } from '../../src/types.ts';
import { attachmentOf, createCore, taskOf, testThreadKey, until } from '../fakes/core.ts';
import type { Core } from '../fakes/core.ts';
import { createFakeSandbox, plainCard } from '../fakes/fake-sandbox.ts';
import type { FakeSandbox } from '../fakes/fake-sandbox.ts';
import { createMemoryBlobs } from '../fakes/memory-blobs.ts';
import { createScriptedModel, pythonCall } from '../fakes/scripted-model.ts';
import type { ScriptedModel } from '../fakes/scripted-model.ts';
import { createStrictPlatform } from '../fakes/strict-platform.ts';
import type { StrictPlatform } from '../fakes/strict-platform.ts';

const oldDayMs = Date.UTC(2024, 1, 28, 12);

/** The core with a model that runs, for each question, the cells after `run:`, one for each line, `; ` between their statements. */
describe('a thread outlives its container', () => {
  let store: Store;
  let platform: StrictPlatform;
  let sandbox: FakeSandbox;
  let model: ScriptedModel;
  let core: Core;
  const blobs = createMemoryBlobs();
  let dying = new Set<string>();

  const ask = async (id: string, cells: readonly string[], files: readonly string[] = []): Promise<Reply> => {
    const attachments = files.map((name) => attachmentOf(`${id}-${name}`, name));
    await core.handlers.onTask(taskOf(id, { text: `run:${cells.join('|')}`, attachments }));
    await until(`the end of ${id}`, async () =>
      (await store.tasks(testThreadKey)).some(({ task, state }) => task.id === id && state === 'done'),
    );
    const [reply] = platform.replies(id);
    if (reply === undefined) throw new Error(`no reply to ${id}`);
    return reply;
  };
  /** As after a restart on another day: no container, and cells that were run then. */
  const forget = async (change: (cell: Cell) => Partial<Cell> = () => ({})): Promise<void> => {
    await core.sessions.drop(testThreadKey);
    const cells = await store.cells(testThreadKey);
    for (const taskId of new Set(cells.map((cell) => cell.taskId))) await store.dropCells(testThreadKey, taskId);
    for (const cell of cells) {
      await store.addCell(testThreadKey, { ...cell, startedAtMs: oldDayMs, ...change(cell) });
    }
  };
  const ran = () => sandbox.containers.map((container) => container.ran);
  const lastToolText = (): string => {
    const last = model.requests.at(-1)?.messages.findLast(({ role }) => role === 'tool');
    return last?.role === 'tool' ? last.text : '';
  };

  beforeEach(async () => {
    store = await createSqliteStore({ path: ':memory:', log: createLogger('silent') });
    platform = createStrictPlatform();
    dying = new Set();
    sandbox = createFakeSandbox((name) => {
      if (dying.delete(name)) sandbox.containers.at(-1)?.die();
      return plainCard(name);
    });
    model = createScriptedModel([], ({ messages }) => {
      const last = messages.at(-1);
      const code = last?.role === 'user' ? /run:(.*)$/m.exec(last.text)?.[1] : undefined;
      if (code === undefined) return { text: 'Done.' };
      return { calls: code.split('|').map((cell) => pythonCall(cell.replaceAll('; ', '\n'))) };
    });
    core = createCore({ store, blobs, client: platform.client, provider: sandbox, model });
    await core.start();
  });
  afterEach(async () => {
    await core.dispatcher.close({ graceMs: 0 });
    await core.sessions[Symbol.asyncDispose]();
    await store[Symbol.asyncDispose]();
  });

  it('the first cell of each run of cells begins at a seed; the others go on', async () => {
    await ask('t1', ['draw()', 'draw()', 'die()', 'draw()', 'raise("x")', 'draw()']);
    const seeds = (await store.cells(testThreadKey)).map(({ seed }) => seed);
    expect(seeds.map((seed) => seed !== null)).toEqual([true, false, false, true, false, false]);
    expect(new Set(seeds).size).toBe(2);
  });

  it('seeds, clocks and results come back as they were, and nobody hears of it', async () => {
    const cells = ['draw()', 'today()', 'show("a"); chart("Revenue")', 'write("a.txt", "1")', 'draw()'];
    await ask('t1', cells);
    await forget(({ source, execution }) =>
      source === 'today()' ? { execution: { ...execution, stdout: '2024-02-28\n', stdoutSha256: null } } : {},
    );
    expect(await ask('t2', ['draw()'])).toMatchObject({ outcome: 'answered', notices: [] });
    expect(ran()).toEqual([cells.map((cell) => cell.replaceAll('; ', '\n')), [...(ran()[0] ?? []), 'draw()']]);
  });

  it('names the step that printed something else, and not what it gave as before', async () => {
    await ask('t1', ['count(); chart("a")']);
    await forget();
    const { notices } = await ask('t2', ['print("x")']);
    expect(notices).toEqual([expect.stringMatching(/step 1 \(“Working”\) printed something else\.$/)]);
  });

  it('names charts, results and files that differ, and few steps in full', async () => {
    await ask('t1', ['chart("a")', 'show("b")', 'write("c.txt", "1")', 'print("d")', 'print("e")']);
    await forget(({ source }) => ({ source: source.replace(/"(\w)"\)/, '"$1!")') }));
    expect((await ask('t2', ['print("x")'])).notices).toEqual([
      'This thread was rebuilt in a fresh sandbox; step 1 (“Working”) drew another chart.',
      'This thread was rebuilt in a fresh sandbox; step 2 (“Working”) gave another result.',
      'This thread was rebuilt in a fresh sandbox; step 3 (“Working”) wrote another `c.txt`.',
      'Also steps 4 and 5 differ from the first run.',
    ]);
  });

  it('results that were never recorded are not missed', async () => {
    await ask('t1', ['chart("a"); write("a.txt", "1")']);
    await forget(({ execution }) => ({ startedAtMs: 0, execution: { ...execution, results: [] } }));
    expect((await ask('t2', ['print("x")'])).notices).toEqual([]);
  });

  it('what a killed cell wrote is there for the cells after it', async () => {
    await ask('t1', ['write("half.csv", "1")', 'lines("half.csv")']);
    await forget(({ index, execution }) => ({
      execution: index === 0 ? { ...execution, status: 'timeout', stateKept: false } : execution,
    }));
    expect((await ask('t2', ['print("x")'])).notices).toEqual([]);
    expect(ran().at(-1)).toEqual([endPython, 'lines("half.csv")', 'print("x")']);
    expect(sandbox.containers.at(-1)?.files.get('half.csv')?.toString()).toBe('1');
  });

  it('cells that run again find the files that were there then, and those kept for the model', async () => {
    await ask('t1', ['list()', 'flood()'], ['a.csv']);
    const saved = /\.output-\w+\.txt/.exec(lastToolText())?.[0] ?? 'nothing was saved';
    await ask('t2', [`lines("${saved}")`, 'list()'], ['b.csv']);
    const printed = (await store.cells(testThreadKey)).map(({ execution }) => execution.stdout);
    expect([printed[0], Number(printed[2]) > 1000, printed[3]]).toEqual(['a.csv\n', true, 'a.csv b.csv\n']);
    await forget();
    expect((await ask('t3', ['list()'])).notices).toEqual([]);
  });

  it('a sandbox that is lost under a cell: it runs once more in a rebuilt one; person and model are told', async () => {
    const reply = await ask('t1', ['print("before")', 'dieOnce(); print("after")']);
    expect(reply.notices).toEqual(['The sandbox was lost while “Working” ran; I ran it again in a new one.']);
    expect(lastToolText()).toMatch(
      /^status: ok .*## stdout\nafter\n## stderr\n\[the sandbox was lost while this cell ran/s,
    );
    expect(ran()).toEqual([
      ['print("before")', 'dieOnce()\nprint("after")'],
      ['print("before")', 'dieOnce()\nprint("after")'],
    ]);
    expect((await store.cells(testThreadKey)).map(({ execution }) => execution.status)).toEqual(['ok', 'ok']);
  });

  it('one that is lost again is not tried a third time', async () => {
    const reply = await ask('t1', ['die()']);
    expect(sandbox.containers).toHaveLength(2);
    expect(reply.code.map(({ status }) => status)).toEqual(['lost']);
  });

  it('a sandbox that is lost over a file’s card: the file is looked at again in a new one', async () => {
    dying.add('a.csv');
    const reply = await ask('t1', ['print("x")'], ['a.csv']);
    expect(reply.notices).toEqual(['The sandbox was lost while I looked at `a.csv`; I looked again in a new one.']);
    expect(ran()).toEqual([[], ['print("x")']]);
  });

  it('a Python process that ended between two cells is told to the person', async () => {
    const note = 'since the last cell the Python process ended (exit code 1) and its variables are gone';
    const { notices } = await ask('t1', [`warn("[${note}]")`, 'warn("[since when]")']);
    expect(notices).toEqual(['Since the last cell the Python process ended (exit code 1) and its variables are gone.']);
  });
});
