import Docker from 'dockerode';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createEngine } from '../../sandbox/engine.ts';
import { createOwnerId, labelNames } from '../../sandbox/owner.ts';
import { withoutChance } from '../../src/conversation/same-text.ts';
import { createLogger } from '../../src/log.ts';
import { createSqliteStore } from '../../src/store/sqlite-store.ts';
import { threadKeyOf } from '../../src/types.ts';
import type { Cell } from '../../src/types.ts';
import { createScriptedModel, pythonCall } from '../fakes/scripted-model.ts';
import type { ScriptedModel } from '../fakes/scripted-model.ts';
import { startTestBot } from '../fakes/test-bot.ts';
import type { TestBot } from '../fakes/test-bot.ts';

const image = process.env['SANDBOX_IMAGE'] ?? 'plotline-sandbox:latest';
const engine = createEngine({ endpoint: null, image, runtime: 'runc' });
const isAvailable = await engine.check().then(
  () => true,
  (error: unknown) => {
    if (process.env['CI'] === 'true') throw error;
    process.stderr.write('\nSKIPPED: every test of restored threads. Docker or the sandbox image is not there.\n\n');
    return false;
  },
);

const threadKey = threadKeyOf({ platform: 'recording', workspaceId: 'w', channelId: 'c', threadId: 'thread' });
const twoDaysMs = 2 * 24 * 3600 * 1000;
const sales = Buffer.from('region,revenue\nnorth,10\nsouth,20\nwest,5\n');

const firstTurn = [
  `
import datetime, random
import numpy as np
import pandas as pd
frame = pd.read_csv("sales.csv")
a, b, c = random.random(), np.random.default_rng().normal(), np.random.rand()
today, now = datetime.date.today(), datetime.datetime.now()
print(a, b, c)
print(today, now, object())
`,
  `
open("notes.txt", "w").write("kept")
frame["noise"] = np.random.normal(size=len(frame)).round(6)
frame.to_csv("noise.csv", index=False)
frame.to_excel("noise.xlsx", index=False)
frame.style.format(precision=2)
`,
  `
import matplotlib.pyplot as plt
fig, ax = plt.subplots()
ax.bar(frame["region"], frame["noise"])
ax.set(title="Noise by region", xlabel="Region", ylabel="Noise")
names = {"north", "south", "west", "east"}
print(list(names), pd.Timestamp.now().date())
for ending in ("svg", "pdf", "png"):
    fig.savefig(f"chart.{ending}")
`,
  `
import plotly.express as px
from sklearn.ensemble import RandomForestRegressor
page = px.bar(frame, x="region", y="revenue", title="Revenue")
page.write_html("page.html", include_plotlyjs=False)
page.show()
print(RandomForestRegressor(5).fit(frame[["revenue"]], frame["noise"]).predict(frame[["revenue"]]))
print("\\n".join(f"line {number}" for number in range(1000)))
`,
];
const followUp =
  'print(a, b, c)\nprint(today)\nprint(open("notes.txt").read(), frame["noise"].tolist(), plt.__name__)\nimport glob; print(len(open(glob.glob(".output-*")[0]).read()) > 7000)';

/** Runs the cells of the question's script, then answers. */
function modelFor(scripts: Readonly<Record<string, readonly string[]>>): ScriptedModel {
  return createScriptedModel([], ({ messages }) => {
    const last = messages.at(-1);
    const script = last?.role === 'user' ? Object.keys(scripts).find((name) => last.text.includes(name)) : undefined;
    if (script === undefined) return { text: 'Done.' };
    return { calls: (scripts[script] ?? []).map((code) => pythonCall(code, `Cell of ${script}`)) };
  });
}

describe.skipIf(!isAvailable)('a thread outlives its container', () => {
  let dataDir: string;

  const start = (model: ScriptedModel): Promise<TestBot> =>
    startTestBot({ DATA_DIR: dataDir, SANDBOX_RUNTIME: 'runc', SANDBOX_IMAGE: image }, model);
  /** Rewrites the stored cells while no bot runs. */
  const change = async (changed: (cell: Cell) => Cell): Promise<readonly Cell[]> => {
    await using store = await createSqliteStore({
      path: join(dataDir, 'plotline.sqlite'),
      log: createLogger('silent'),
    });
    const cells = await store.cells(threadKey);
    for (const taskId of new Set(cells.map((cell) => cell.taskId))) await store.dropCells(threadKey, taskId);
    for (const cell of cells) await store.addCell(threadKey, changed(cell));
    return await store.cells(threadKey);
  };
  const outputOf = (model: ScriptedModel): string => {
    const last = model.requests.at(-1)?.messages.findLast(({ role }) => role === 'tool');
    return last?.role === 'tool' ? (/## stdout\n([\s\S]*?)(\n## |$)/.exec(last.text)?.[1] ?? '') : '';
  };
  /** The first turn under one bot, the follow-up under the next, which has a thread before this one. */
  const askAcrossRestart = async (cells: readonly string[], changed: (cell: Cell) => Cell) => {
    const model = modelFor({ FIRST: cells, SECOND: [followUp] });
    {
      await using bot = await start(model);
      const { reply } = await bot.platform.ask('thread', 'FIRST', [{ name: 'sales.csv', bytes: sales }]);
      expect(reply).toMatchObject({ outcome: 'answered', notices: [] });
      expect(reply.code.map(({ status }) => status)).toEqual(cells.map(() => 'ok'));
    }
    const stored = await change(changed);
    await using bot = await start(model);
    await bot.platform.ask('other', 'Hello');
    const { reply } = await bot.platform.ask('thread', 'SECOND');
    return { reply, stored, output: outputOf(model) };
  };

  beforeEach(() => {
    dataDir = mkdtempSync(join(tmpdir(), 'plotline-restore-'));
  });
  afterEach(() => {
    rmSync(dataDir, { recursive: true, force: true });
  });

  it('two days later, in another process: variables, random numbers, dates and files of the first turn, and no word', async () => {
    const dateOf = (ms: number): string => new Date(ms).toISOString().slice(0, 10);
    const { reply, stored, output } = await askAcrossRestart(firstTurn, (cell) => {
      const startedAtMs = cell.startedAtMs - twoDaysMs;
      const stdout = cell.execution.stdout.replaceAll(dateOf(cell.startedAtMs), dateOf(startedAtMs));
      const stdoutSha256 = createHash('sha256').update(withoutChance(stdout)).digest('hex');
      return { ...cell, startedAtMs, execution: { ...cell.execution, stdout, stdoutSha256 } };
    });
    const [numbers, rest] = stored[0]?.execution.stdout.split('\n') ?? [];
    const oldDate = dateOf(stored[0]?.startedAtMs ?? 0);
    expect(rest).toMatch(new RegExp(`^${oldDate} `));
    expect(output.split('\n').slice(0, 2)).toEqual([numbers, oldDate]);
    expect(output).toMatch(/^kept \[.*\] matplotlib.pyplot\nTrue$/m);
    expect(reply).toMatchObject({ outcome: 'answered', notices: [] });
  }, 120_000);

  it('what cannot be repeated is named, and nothing else', async () => {
    const cells = [...firstTurn, 'import os\nkey = os.urandom(8).hex()\nprint(key)', 'open("key.txt", "w").write(key)'];
    const { reply } = await askAcrossRestart(cells, (cell) => cell);
    expect(reply.notices).toEqual([
      'This thread was rebuilt in a fresh sandbox; step 5 (“Cell of FIRST”) printed something else.',
      'This thread was rebuilt in a fresh sandbox; step 6 (“Cell of FIRST”) wrote another `key.txt`.',
    ]);
  }, 120_000);

  it('a container that is killed while a cell runs: the cell runs again in another, with the variables of before', async () => {
    const model = modelFor({
      FIRST: ['x = 41', 'import time\nprint("begun", flush=True)\ntime.sleep(3)\nprint(x + 1)'],
    });
    await using bot = await start(model);
    const asked = bot.platform.ask('thread', 'FIRST');
    await expect
      .poll(
        async () => {
          await using store = await createSqliteStore({
            path: join(dataDir, 'plotline.sqlite'),
            log: createLogger('silent'),
          });
          return (await store.cells(threadKey)).length;
        },
        { timeout: 30_000, interval: 200 },
      )
      .toBe(1);
    await new Promise((resolve) => setTimeout(resolve, 1000));
    const docker = new Docker();
    for (const { id, labels } of await engine.list()) {
      if (labels[labelNames.owner] === createOwnerId())
        await docker
          .getContainer(id)
          .kill()
          .catch(() => {});
    }
    const { reply } = await asked;
    expect(reply).toMatchObject({
      outcome: 'answered',
      notices: ['The sandbox was lost while “Cell of FIRST” ran; I ran it again in a new one.'],
    });
    expect(outputOf(model)).toBe('begun\n42');
  }, 120_000);

  it('what was lost with a Python process in the thread is not there after the restart either', async () => {
    const known = 'print(sorted({"x", "y"} & set(globals())))';
    const model = modelFor({
      FIRST: ['x = 1', 'import os\nos._exit(1)', 'y = 1', known],
      SECOND: [known],
    });
    {
      await using bot = await start(model);
      const { reply } = await bot.platform.ask('thread', 'FIRST');
      expect(reply.code.map(({ status }) => status)).toEqual(['ok', 'error', 'ok', 'ok']);
      expect(outputOf(model)).toBe("['y']");
    }
    await using bot = await start(model);
    // Its messages are numbered, and the number of the first one is taken.
    await bot.platform.ask('other', 'Hello');
    const { reply } = await bot.platform.ask('thread', 'SECOND');
    expect(outputOf(model)).toBe("['y']");
    expect(reply).toMatchObject({ outcome: 'answered', notices: [] });
  }, 60_000);

  it('a Python process that ended between two questions is told to the person', async () => {
    const dying = 'import os, threading\nthreading.Timer(1, lambda: os._exit(3)).start()';
    const model = modelFor({ FIRST: [dying], SECOND: ['print("x" in globals())'] });
    await using bot = await start(model);
    await bot.platform.ask('thread', 'FIRST');
    await new Promise((resolve) => setTimeout(resolve, 4000));
    const { reply } = await bot.platform.ask('thread', 'SECOND');
    expect(reply.notices).toEqual([
      expect.stringMatching(/^Since the last cell the Python process ended \(exit code 3\); .*are gone.*\.$/),
    ]);
    expect(outputOf(model)).toBe('False');
  }, 60_000);
});
