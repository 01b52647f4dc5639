import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createEngine } from '../../sandbox/engine.ts';
import { createOwnerId } from '../../sandbox/owner.ts';
import { createDockerSandbox } from '../../sandbox/provider.ts';
import type { DockerSandbox } from '../../sandbox/provider.ts';
import { describeFiles } from '../../src/card-command/describe-files.ts';
import type { CardLine } from '../../src/card-command/card-line.ts';
import { cardFile } from '../../src/card-command/files.ts';
import { AppError } from '../../src/errors.ts';
import { createLogger } from '../../src/log.ts';
import type { SandboxSession } from '../../src/ports/sandbox.ts';
import { cellsOf, linesOf, runCard } from '../fakes/card-run.ts';
import { startEngineProxy } from '../fakes/engine-proxy.ts';

/** The command on real files, with real containers. What is compared with was written down here, not computed by the loader. */

const megabyte = 1024 * 1024;
const limits = { memoryBytes: 1024 * megabyte, workspaceBytes: 256 * megabyte, cpus: 2, processes: 128 };
const signal = new AbortController().signal;
const image = process.env['SANDBOX_IMAGE'] ?? 'plotline-sandbox:latest';
const root = mkdtempSync(join(tmpdir(), 'plotline-card-'));

const missing = await createEngine({ endpoint: null, image, runtime: 'auto' })
  .check()
  .then(
    () => null,
    (error: unknown) => {
      if (process.env['CI'] === 'true') throw error;
      process.stderr.write(
        `\nSKIPPED: the card command. ${error instanceof AppError ? error.userMessage : String(error)}\n\n`,
      );
      return error;
    },
  );

/** Two tables with a gap of rows and columns on the first sheet, and a hidden sheet that begins at C3. */
const workbookCode = `
import datetime, openpyxl
book = openpyxl.Workbook()
sheet = book.active
sheet.title = "Two tables"
for row in [["item", "when", "price"], ["a", datetime.date(2024, 5, 1), 1.5], ["b", datetime.datetime(2024, 5, 2, 10, 30), 2]]:
    sheet.append(row)
for row, cells in enumerate([["code", "ok"], ["007", True], ["008", False]], 7):
    for column, value in enumerate(cells, 6):
        sheet.cell(row, column, value)
hidden = book.create_sheet("Hidden, “one”")
hidden.sheet_state = "hidden"
for row, cells in enumerate([["x", "y"], [1, None], [5, "=1/0"], [3, "two\\nlines, \\"quoted\\""]], 3):
    for column, value in enumerate(cells, 3):
        hidden.cell(row, column, value)
book.create_sheet("Empty")
book.save("book.xlsx")
`;

function file(path: string, content: string | Uint8Array): string {
  const full = join(root, path);
  mkdirSync(dirname(full), { recursive: true });
  writeFileSync(full, content);
  return full;
}

const cellsAt = (path: string | null | undefined) => cellsOf(readFileSync(path ?? 'no path was given'));

describe.skipIf(missing !== null)('npm run card', { timeout: 120_000 }, () => {
  let provider: DockerSandbox;
  let workbook: Uint8Array;

  beforeAll(async () => {
    provider = createDockerSandbox({
      endpoint: null,
      image,
      runtime: 'auto',
      ownerId: createOwnerId(),
      limits,
      poolSize: 0,
      maxContainers: 2,
      log: createLogger('silent'),
    });
    await using session = await provider.acquire(limits, signal);
    const made = await session.run(workbookCode, { timeoutMs: 60_000, signal, onOutput: () => {} });
    if (made.status !== 'ok') throw new Error(made.error?.traceback);
    const pieces: Uint8Array[] = [];
    for await (const piece of session.read('book.xlsx', { maxBytes: megabyte, signal })) pieces.push(piece);
    workbook = Buffer.concat(pieces);
  }, 120_000);

  afterAll(async () => {
    await provider[Symbol.asyncDispose]();
    rmSync(root, { recursive: true, force: true });
  });

  it('gives one line of JSON for each file in order, and the cells as they were loaded', async () => {
    const files = [
      file('one/sales.csv', 'id,price,day\n007,1.50,2024-03-01\n008,NA,2024-03-02\n010,"1,000.25",2024-03-03\n'),
      file('two/sales.csv', 'id;note\r\n1;"say ""hi"", twice"\r\n2;"two\r\nlines"\r\n3;\r\n'),
      file('näme with ☃ and\nline end.csv', 'stadt,einwohner\nKöln,1000\nZürich,2000\n'),
      file('book.xlsx', workbook),
      file(
        'records.json',
        JSON.stringify([
          { a: 1, b: 2.5, c: true },
          { a: 2, b: null, c: false, d: '' },
        ]),
      ),
      file(
        'ragged.csv',
        'a,b,c\n1,2,3\n4,5\n6,7,8\n9,10,11\n12,13,14\n15,16,17,18\n19,20,21\n22,23,24\n25,26,27\n28,29,30\n',
      ),
      file('broken.xlsx', workbook.subarray(0, workbook.length / 2)),
      join(root, 'nowhere.csv'),
      join(root, 'one'),
      file('empty.csv', ''),
    ];
    const out = join(root, 'out', 'deeper');
    const run = await runCard(['--json', '--export', out, '--', ...files], { SANDBOX_IMAGE: image });
    expect(run.stderr).toBe('');
    expect(run.exitCode).toBe(1);
    const lines = linesOf(run);
    expect(lines.map((line) => line.file)).toEqual(files);
    const [one, two, unicode, book, json, ragged, broken, nowhere, folder, empty] = lines;
    expect(lines.map(({ ok }) => ok)).toEqual([true, true, true, true, true, true, false, false, false, false]);

    expect(one?.tables).toMatchObject([{ name: 'sales', rows: 3, columns: 3, header_rows: 1, hidden: false }]);
    expect(one?.dialect).toMatchObject({ delimiter: ',', quote: '"' });
    expect(cellsAt(one?.tables[0]?.cells_file)).toEqual([
      ['id', 'price', 'day'],
      ['007', '1.50', '2024-03-01'],
      ['008', 'NA', '2024-03-02'],
      ['010', '1,000.25', '2024-03-03'],
    ]);
    expect(two?.dialect).toMatchObject({ delimiter: ';', quote: '"', escape: '"' });
    const notes = cellsAt(two?.tables[0]?.cells_file);
    expect(notes.map((row) => row.map((cell) => cell.replaceAll('\r\n', '\n')))).toEqual([
      ['id', 'note'],
      ['1', 'say "hi", twice'],
      ['2', 'two\nlines'],
      ['3', ''],
    ]);
    expect(unicode?.tables[0]?.name).toBe('näme with ☃ and line end');
    expect(cellsAt(unicode?.tables[0]?.cells_file)).toEqual([
      ['stadt', 'einwohner'],
      ['Köln', '1000'],
      ['Zürich', '2000'],
    ]);

    expect(book?.dialect).toBeNull();
    expect(book?.sheets).toMatchObject([
      { name: 'Two tables', hidden: false, rows: 9, columns: 7 },
      { name: 'Hidden, “one”', hidden: true, rows: 4, columns: 2 },
      { name: 'Empty', hidden: false, rows: 0, columns: 0 },
    ]);
    expect(book?.tables.map(({ name, hidden, rows }) => [name, hidden, rows])).toEqual([
      ['Two tables 1', false, 2],
      ['Two tables 2', false, 2],
      ['Hidden, “one”', true, 3],
      ['Empty', false, 0],
    ]);
    expect(book?.tables.slice(0, 2).map((table) => cellsAt(table.cells_file))).toEqual([
      [
        ['item', 'when', 'price'],
        ['a', '2024-05-01', '1.5'],
        ['b', '2024-05-02 10:30:00', '2'],
      ],
      [
        ['code', 'ok'],
        ['007', 'TRUE'],
        ['008', 'FALSE'],
      ],
    ]);
    expect(book?.sheets?.map((sheet) => cellsAt(sheet.cells_file))).toEqual([
      [
        ['item', 'when', 'price', '', '', '', ''],
        ['a', '2024-05-01', '1.5', '', '', '', ''],
        ['b', '2024-05-02 10:30:00', '2', '', '', '', ''],
        ...Array.from({ length: 3 }, () => ['', '', '', '', '', '', '']),
        ['', '', '', '', '', 'code', 'ok'],
        ['', '', '', '', '', '007', 'TRUE'],
        ['', '', '', '', '', '008', 'FALSE'],
      ],
      [
        ['x', 'y'],
        ['1', ''],
        // A formula that no program has computed yet.
        ['5', ''],
        ['3', 'two\nlines, "quoted"'],
      ],
      [],
    ]);

    expect(cellsAt(json?.tables[0]?.cells_file)).toEqual([
      ['a', 'b', 'c', 'd'],
      ['1', '2.5', 'TRUE', ''],
      ['2', '', 'FALSE', ''],
    ]);
    expect(ragged?.rejected.map(({ table, line }) => [table, line])).toEqual([
      ['ragged', 3],
      ['ragged', 7],
    ]);
    expect(cellsAt(ragged?.tables[0]?.cells_file)).toHaveLength(9);
    expect(broken?.error).toMatch(/damaged or incomplete/);
    expect(nowhere?.error).toBe('There is no such file.');
    expect(folder?.error).toMatch(/a folder/);
    expect(empty?.error).toMatch(/empty/);

    const written = lines.flatMap(({ tables, sheets = [] }) => [...tables, ...sheets].map((entry) => entry.cells_file));
    expect(new Set(written).size).toBe(written.length);
    for (const path of written) expect(path?.startsWith(`${out}/`)).toBe(true);
  });

  it('names every rejected line, and writes no cells without --export', async () => {
    const rows = Array.from({ length: 5000 }, (_, index) =>
      index % 16 === 7 ? `${index},x` : `${index},${index * 2},x`,
    );
    const damaged = file('many.csv', `a,b,c\n${rows.join('\n')}\n`);
    const run = await runCard(['--json', damaged], { SANDBOX_IMAGE: image });
    expect([run.exitCode, run.stderr]).toEqual([0, '']);
    const [line] = linesOf(run);
    const expected = rows.flatMap((_, index) => (index % 16 === 7 ? [index + 2] : []));
    expect(line?.rejected.map((found) => found.line)).toEqual(expected);
    expect(line?.rejected_count).toBe(expected.length);
    expect(line?.tables.map((table) => table.cells_file)).toEqual([null]);
  });

  it('looks at 300 files in one container', async () => {
    const files = Array.from({ length: 300 }, (_, index) =>
      file(
        `many/${index % 3}/part-${Math.floor(index / 3)}.csv`,
        `id,value\n${index},${index / 4}\n${index + 1},0.50\n`,
      ),
    );
    const list = file('list', files.join('\n'));
    await using proxy = await startEngineProxy('/var/run/docker.sock');
    const env = { SANDBOX_IMAGE: image, DOCKER_HOST: `unix://${proxy.path}` };
    const run = await runCard(['--json', '--export', join(root, 'out-many'), '--files-from', list], env);
    expect([run.exitCode, run.stderr]).toEqual([0, '']);
    expect(proxy.creations).toBe(1);
    const lines = linesOf(run);
    expect(lines.map((line) => line.file)).toEqual(files);
    for (const [index, { tables }] of lines.entries()) {
      expect(cellsAt(tables[0]?.cells_file)).toEqual([
        ['id', 'value'],
        [String(index), String(index / 4)],
        [String(index + 1), '0.50'],
      ]);
    }
  });

  it('samples what is too large to be read whole, and says so', async () => {
    const path = join(root, 'large.csv');
    const rows = Array.from({ length: 200_000 }, (_, index) => `${index},name ${index % 977},${index % 100}.25\n`).join(
      '',
    );
    const descriptor = openSync(path, 'w');
    writeSync(descriptor, 'id,name,price\n');
    let written = 0;
    while (written < 205_000_000) written += writeSync(descriptor, rows);
    closeSync(descriptor);
    const run = await runCard(['--json', path], { SANDBOX_IMAGE: image });
    rmSync(path);
    expect([run.exitCode, run.stderr]).toEqual([0, '']);
    const [line] = linesOf(run);
    expect(line?.size_bytes).toBe(written + 14);
    expect(line?.warnings.find(({ code }) => code === 'sampled')?.message).toContain(
      `has ${Math.round((written + 14) / 1e6)} MB and ${((written / rows.length) * 200_000 + 1).toLocaleString('en-US')} lines; only its first`,
    );
    expect(line?.tables[0]?.rows).toBeGreaterThan(1_000_000);
  });

  it('says to a person what matters, one line where nothing does', async () => {
    const clean = file('tidy.csv', 'id,amount,city\n1,20,Rome\n2,35,Bonn\n3,20,Oslo\n');
    const odd = file(
      'odd\u001b[31m.csv',
      `id,amount\n${Array.from({ length: 20 }, (_, i) => `${i},${i * 3}`).join('\n')}\n99\n`,
    );
    const run = await runCard([clean, odd, join(root, 'gone.csv')], { SANDBOX_IMAGE: image });
    expect(run.exitCode).toBe(1);
    expect(run.stdout).toContain(`${clean}: tidy 3 × 3, nothing to say against it.\n`);
    expect(run.stdout).toMatch(/1 line could not be loaded: line 22 has 1 field/);
    expect(run.stdout).toContain(`${join(root, 'gone.csv')}: There is no such file.\n`);
    expect(run.stdout).not.toContain('\u001b');
  });

  it('says how it is called', async () => {
    const none = await runCard(['--json']);
    expect([none.exitCode, none.stdout]).toEqual([1, '']);
    expect(none.stderr).toMatch(/There is none[\s\S]*npm run card -- --json FILE…/);
    expect((await runCard(['--jsn', 'a.csv'])).stderr).toMatch(/--jsn[\s\S]*npm run card/);
    const help = await runCard(['--help']);
    expect([help.exitCode, help.stderr]).toEqual([0, '']);
    expect(help.stdout).toMatch(/--files-from LIST/);
  });

  it('loses nothing but the file that hangs, ends Python, takes the sandbox with it, or forges its card', async () => {
    const names = [
      'a.csv',
      'hangs.csv',
      'b.csv',
      'kills.csv',
      'c.csv',
      'd.csv',
      'ends.csv',
      'e.csv',
      'lies.csv',
      'f.csv',
    ];
    const files = names.map((name) => cardFile(file(`hostile/${name}`, 'id,value\n1,2\n3,4\n')));
    let acquired = 0;
    const acquire = async (): Promise<SandboxSession> => {
      acquired += 1;
      return withTraps(await provider.acquire(limits, signal));
    };
    const cards: CardLine[] = [];
    const onCard = async (card: CardLine): Promise<void> => {
      cards.push(card);
    };
    const exportDir = join(root, 'out-hostile');
    expect(await describeFiles(files, { acquire, limits, cellTimeoutMs: 2500, exportDir, signal, onCard })).toBe(false);
    expect(cards.map((card) => card.file)).toEqual(files.map(({ given }) => given));
    const reasons = Object.fromEntries(cards.map(({ error }, index) => [names[index], error]));
    expect(reasons['hangs.csv']).toMatch(/took longer than 3 s/);
    expect(reasons['kills.csv']).toMatch(/ended Python .*SIGKILL/);
    expect(reasons['ends.csv']).toMatch(/sandbox was lost/);
    expect(reasons['lies.csv']).toMatch(/did not come out of the sandbox/);
    for (const card of cards.filter(({ ok }) => ok)) {
      expect(cellsAt(card.tables[0]?.cells_file)).toEqual([
        ['id', 'value'],
        ['1', '2'],
        ['3', '4'],
      ]);
    }
    expect(cards.filter(({ ok }) => ok)).toHaveLength(6);
    // One, and one after each time that it was lost while the file was looked for.
    expect(acquired).toBeGreaterThan(1);
    expect(acquired).toBeLessThan(9);
  });
});

/** In this session a file of a certain name hangs, ends Python by a signal, ends the sandbox, or gives what is no card. */
function withTraps(session: SandboxSession): SandboxSession {
  const traps = `
import os, signal, time
from plotline.intake import card_batch
if not hasattr(card_batch, "untrapped"):
    card_batch.untrapped = card_batch.whole_card
    def trapped(path, prefix=None):
        if path.name == "hangs.csv":
            time.sleep(60)
        if path.name == "kills.csv":
            os.kill(os.getpid(), signal.SIGKILL)
        if path.name == "ends.csv":
            print("END", flush=True)
            time.sleep(60)
        if path.name == "lies.csv":
            return {"file": "../../x", "ok": True}
        return card_batch.untrapped(path, prefix)
    card_batch.whole_card = trapped
`;
  return {
    id: session.id,
    imageDigest: session.imageDigest,
    get alive() {
      return session.alive;
    },
    write: (...args) => session.write(...args),
    list: (dir) => session.list(dir),
    read: (...args) => session.read(...args),
    suspend: () => session.suspend(),
    [Symbol.asyncDispose]: () => session[Symbol.asyncDispose](),
    run: (code, options) =>
      session.run(traps + code, {
        ...options,
        onOutput: (_, text) => {
          if (text.includes('END')) void session[Symbol.asyncDispose]();
        },
      }),
  };
}
