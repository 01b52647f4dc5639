import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createEngine } from '../../sandbox/engine.ts';
import { createOwnerId } from '../../sandbox/owner.ts';
import { createDockerSandbox } from '../../sandbox/provider.ts';
import type { DockerSandbox } from '../../sandbox/provider.ts';
import { AppError } from '../../src/errors.ts';
import { createLogger } from '../../src/log.ts';
import type { Bytes } from '../../src/ports/blobs.ts';
import type { SandboxSession } from '../../src/ports/sandbox.ts';
import { chartMime } from '../../src/types.ts';
import type { ChartData } from '../../src/types.ts';
import { runDemo } from '../fakes/demo-run.ts';
import type { BotPost, DemoRun, PostedFile } from '../fakes/demo-run.ts';
import { readPng } from '../fakes/png.ts';

/**
 * The command a newcomer types, on the files of `examples/`. Each figure is compared with one that plain Python computes
 * from the file's cells, without the project's loader and without pandas.
 */

const megabyte = 1024 * 1024;
const limits = { memoryBytes: 1024 * megabyte, workspaceBytes: 256 * megabyte, cpus: 2, processes: 128 };
const signal = new AbortController().signal;
const image = process.env['SANDBOX_IMAGE'] ?? 'plotline-sandbox:latest';
const examples = ['sales.xlsx', 'gdp-by-country.csv', 'photos.zip', 'orders-and-customers.xlsx'];

const missing = await createEngine({ endpoint: null, image, runtime: 'auto' })
  .check()
  .then(
    () => null,
    (error: unknown) => {
      if (process.env['CI'] === 'true') throw error;
      process.stderr.write(
        `\nSKIPPED: the demo from end to end. ${error instanceof AppError ? error.userMessage : String(error)}\n\n`,
      );
      return error;
    },
  );

async function* once(bytes: Uint8Array): Bytes {
  yield bytes;
}

const at = (name: string): URL => new URL(`../../examples/${name}`, import.meta.url);

const money = (value: number): string =>
  new Intl.NumberFormat('en-US', { minimumFractionDigits: 2, maximumFractionDigits: 2 }).format(value);

/** What holds for every run, whatever was asked. */
async function expectSound(run: DemoRun, questions: readonly string[]): Promise<void> {
  expect(run.stderr).toBe('');
  expect(run.exitCode).toBe(0);
  expect(run.thread.map(({ text }) => text).join('\n')).not.toContain('Waiting');
  expect(run.thread.flatMap(({ from, text }) => (from === 'person' ? [text] : []))).toEqual(questions);
  // Each question is followed by whatever the bot had to say and exactly one reply, which is the last word on it.
  const order = run.thread.map(({ kind }) => kind[0]).join('');
  expect(order).toMatch(new RegExp(`^(m[pc]*r){${questions.length}}$`));
  const times = run.thread.map((entry) => entry.at);
  expect(times).toEqual(times.toSorted());
  for (const entry of run.thread) {
    const files = entry.from === 'person' ? entry.attachments : entry.artifacts;
    for (const file of files) expect([file.name, (await run.open(file)).length]).toEqual([file.name, file.size]);
    for (const text of [entry.text, ...files.map(({ altText }) => altText)]) {
      expect(text).not.toMatch(/Traceback|Unnamed: 0|\d\.\d{10,}|\b(nan|NaN|undefined|null)\b|\[object/);
    }
    for (const { status } of entry.code) expect(status).toBe('ok');
  }
}

function only(reply: BotPost | undefined, kind: PostedFile['kind']): PostedFile {
  const found = reply?.artifacts.filter((artifact) => artifact.kind === kind) ?? [];
  if (found.length !== 1 || found[0] === undefined) throw new Error(`${found.length} artifacts of kind ${kind}`);
  return found[0];
}

async function expectDrawn(run: DemoRun, chart: PostedFile): Promise<void> {
  expect(chart.mimeType).toBe('image/png');
  const { width, height, drawnShare } = readPng(await run.open(chart));
  expect(width).toBeGreaterThan(600);
  expect(height).toBeGreaterThan(300);
  expect(drawnShare).toBeGreaterThan(0.01);
  expect(drawnShare).toBeLessThan(0.7);
}

describe.skipIf(missing !== null)('npm run demo, without a language model', { timeout: 60_000 }, () => {
  let provider: DockerSandbox;
  let session: SandboxSession;

  beforeAll(async () => {
    provider = createDockerSandbox({
      endpoint: null,
      image,
      runtime: 'auto',
      ownerId: createOwnerId(),
      limits,
      poolSize: 0,
      maxContainers: 1,
      log: createLogger('silent'),
    });
    session = await provider.acquire(limits, signal);
    for (const name of examples) await session.write(name, once(await readFile(at(name))), signal);
  });

  afterAll(async () => {
    await session[Symbol.asyncDispose]();
    await provider[Symbol.asyncDispose]();
  });

  const execute = async (code: string) => {
    const execution = await session.run(code, { timeoutMs: 60_000, signal, onOutput: () => {} });
    if (execution.status !== 'ok') throw new Error(execution.error?.traceback || execution.error?.message);
    return execution;
  };

  /** Runs Python of the test's own and gives what it printed as JSON. */
  const compute = async (code: string): Promise<unknown> => JSON.parse((await execute(code)).stdout);

  /** Runs the code that a reply shows once more: its picture must be the posted one; gives what is in that picture. */
  const redraw = async (run: DemoRun, reply: BotPost | undefined) => {
    const code = reply?.code.at(-1)?.source ?? '';
    const { results, stdout } = await execute(`${code}\nprint(json.dumps([text.get_text() for text in ax.texts]))`);
    const bundle = results.find((result) => result[chartMime] !== undefined);
    const png = bundle?.['image/png'];
    if (bundle === undefined || !(png instanceof Uint8Array)) throw new Error('no chart');
    const posted = await run.open(only(reply, 'chart'));
    const digest = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
    expect(digest(png), 'the shown code draws the posted picture').toBe(digest(posted));
    return {
      chart: bundle[chartMime] as unknown as ChartData,
      labels: JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as readonly string[],
    };
  };

  it('draws revenue by month, then changes exactly what was asked', async () => {
    const questions = ['Revenue by month as a line chart', 'Make it bars, sorted, with labels'];
    await using run = await runDemo(
      questions.map((question, index) => ({ files: index === 0 ? ['examples/sales.xlsx'] : [], question })),
      image,
    );
    await expectSound(run, questions);
    const byMonth = (await compute(`
import openpyxl, json, collections
rows = openpyxl.load_workbook("sales.xlsx", data_only=True).active.iter_rows(values_only=True)
head = next(row for row in rows if "Revenue (EUR)" in row)
sums = collections.Counter()
for row in rows:
    values = dict(zip(head, row))
    if values["Revenue (EUR)"] is not None:
        sums[values["Date"].strftime("%Y-%m-01")] += values["Revenue (EUR)"]
print(json.dumps(sums))`)) as Readonly<Record<string, number>>;
    const inTime = Object.entries(byMonth).toSorted(([left], [right]) => (left < right ? -1 : 1));
    const bySize = inTime.toSorted(([, left], [, right]) => right - left);
    const total = inTime.reduce((sum, [, value]) => sum + value, 0);
    const monthName = (iso: string): string =>
      new Date(iso).toLocaleDateString('en-US', { month: 'short', year: 'numeric', timeZone: 'UTC' });

    expect(run.replies).toHaveLength(2);
    for (const reply of run.replies) {
      const chart = only(reply, 'chart');
      await expectDrawn(run, chart);
      expect(chart.altText).toContain('X axis: Month; Y axis: Revenue (EUR).');
      expect(reply.text).toContain(`${money(total)} EUR`);
      const [best, worst] = [bySize[0], bySize.at(-1)];
      expect(reply.text).toContain(`**${monthName(best?.[0] ?? '')}** (**${money(best?.[1] ?? 0)} EUR**)`);
      expect(reply.text).toContain(`**${monthName(worst?.[0] ?? '')}** (**${money(worst?.[1] ?? 0)} EUR**)`);
    }
    const [first, second] = run.replies;
    expect(only(first, 'chart').altText).toMatch(/^Line chart: Revenue by month\./);
    expect(only(second, 'chart').altText).toMatch(/^Bar chart: Revenue by month\./);

    const line = await redraw(run, first);
    expect(line.chart).toMatchObject({
      type: 'line',
      title: 'Revenue by month',
      xLabel: 'Month',
      yLabel: 'Revenue (EUR)',
    });
    expect(line.labels).toEqual([]);
    expect(line.chart.series.map(({ x }) => x)).toEqual([inTime.map(([month]) => month)]);
    const drawnLine = line.chart.series[0]?.y.map(Number) ?? [];
    for (const [index, [, value]] of inTime.entries()) expect(drawnLine[index]).toBeCloseTo(value, 2);

    const bars = await redraw(run, second);
    expect(bars.chart).toMatchObject({
      type: 'bar',
      title: line.chart.title,
      xLabel: line.chart.xLabel,
      yLabel: line.chart.yLabel,
    });
    expect(bars.chart.series.map(({ x }) => x)).toEqual([bySize.map(([month]) => monthName(month))]);
    const drawnBars = bars.chart.series[0]?.y.map(Number) ?? [];
    expect(drawnBars).toEqual(drawnLine.toSorted((left, right) => right - left));
    // Half a euro may be rounded either way.
    expect(bars.labels).toHaveLength(drawnBars.length);
    for (const [index, label] of bars.labels.entries()) {
      expect(Math.abs(Number(label.replaceAll(',', '')) - (drawnBars[index] ?? Number.NaN))).toBeLessThanOrEqual(0.5);
    }
  });

  it('says which lines of the GDP file it did not use, and why', async () => {
    const question = 'GDP over the years for the top 5 countries as a line chart';
    await using run = await runDemo([{ files: ['examples/gdp-by-country.csv'], question }], image);
    await expectSound(run, [question]);
    const [reply] = run.replies;
    const unused = /^Rows used: .*$/m.exec(reply?.text ?? '')?.[0] ?? '';

    // 397 rows are well-formed; 6 of them have no figure, one is there twice; 5 lines are no rows at all.
    expect(unused).toMatch(/^Rows used: 390 of 402\./);
    expect(unused).toMatch(/5 lines could not be read/);
    expect(unused).toMatch(/lines 76 and 180: has 5 fields where the table has 4/);
    expect(unused).toMatch(/lines 296 and 365: has 3 fields where the table has 4/);
    expect(unused).toMatch(/line 383: has 1 field/);
    expect(unused).toMatch(/“two hundred thirty-three” .*\(line 313\)/);
    expect(unused).toMatch(/“278\?” .*\(line 328\)/);
    expect(unused).toMatch(/\bcopy\b/);
    const lost = (await compute(`
import csv, json
lines = open("gdp-by-country.csv", encoding="utf-8").read().splitlines()
print(json.dumps([next(csv.reader([lines[number - 1]])) for number in (110, 204, 278, 379)]))`)) as readonly string[][];
    expect(unused).toMatch(/6 rows without GDP/);
    for (const fields of lost) {
      const year = fields.find((field) => /^20\d\d$/.test(field)) ?? '?';
      expect(unused).toContain(`${year} ${fields[0]}`);
    }

    const card = run.thread.find(({ kind }) => kind === 'card')?.text ?? '';
    for (const line of [76, 180, 296, 365, 383, 149, 313]) expect(card).toMatch(new RegExp(`\\b${line}\\b`));

    const expected = (await compute(`
import csv, json, collections
good = collections.defaultdict(dict)
for fields in csv.reader(open("gdp-by-country.csv", encoding="utf-8")):
    if len(fields) == 4 and fields[3].replace(".", "", 1).isdigit():
        country, year = fields[0], next(field for field in fields[1:3] if field.isdigit())
        good[country][year + "-01-01"] = float(fields[3])
latest = max(year for values in good.values() for year in values)
top = sorted(good, key=lambda country: -good[country].get(latest, 0))[:5]
print(json.dumps({country: good[country] for country in top}))`)) as Readonly<
      Record<string, Readonly<Record<string, number>>>
    >;
    const chart = only(reply, 'chart');
    await expectDrawn(run, chart);
    expect(chart.altText).toContain('X axis: Year; Y axis: GDP (billion US$).');
    const drawn = (await redraw(run, reply)).chart;
    expect(drawn.type).toBe('line');
    expect(drawn.series.map(({ name }) => name)).toEqual(Object.keys(expected));
    for (const { name, x, y } of drawn.series) {
      const years = x.map((year) => `${String(year).slice(0, 4)}-01-01`);
      expect(Object.fromEntries(years.map((year, index) => [year, y[index]]))).toEqual(expected[name]);
    }
  });

  it('shuffles a zip of pictures into a video of 24 frames per second', async () => {
    const question = 'shuffle them and make a video';
    await using run = await runDemo([{ files: ['examples/photos.zip'], question }], image);
    await expectSound(run, [question]);
    const [reply] = run.replies;
    const video = only(reply, 'file');
    expect(video).toMatchObject({ name: 'photos.mp4', mimeType: 'video/mp4' });
    await session.write('posted.mp4', once(await run.open(video)), signal);
    const probe = await compute(`
import subprocess
print(subprocess.run(["ffprobe", "-v", "error", "-of", "json", "-show_streams", "-count_frames", "posted.mp4"], capture_output=True, text=True, check=True).stdout)`);
    expect(probe).toMatchObject({
      streams: [
        { codec_type: 'video', codec_name: 'h264', pix_fmt: 'yuv420p', r_frame_rate: '24/1', nb_read_frames: '288' },
      ],
    });

    // 12 pictures a second each: the first frame of every second differs from the one before.
    const names = (await compute(`
import zipfile, json
print(json.dumps([name.split("/")[-1] for name in zipfile.ZipFile("photos.zip").namelist()
                  if name.lower().endswith((".jpg", ".png")) and "__MACOSX" not in name]))`)) as readonly string[];
    expect(names).toHaveLength(12);
    const said = names.map((name) => reply?.text.indexOf(name) ?? -1);
    expect(Math.min(...said)).toBeGreaterThanOrEqual(0);
    expect(said, 'in another order than in the zip').not.toEqual(said.toSorted((left, right) => left - right));
    const distinct = await compute(`
import imageio.v3 as iio, json
print(len({frame.tobytes() for number, frame in enumerate(iio.imiter("posted.mp4")) if number % 24 == 12}))`);
    expect(distinct).toBe(12);
    for (const entry of run.thread) expect(entry.text).not.toMatch(/no table|empty/i);
  });

  it('joins the two sheets of a workbook and says which rows found no match', async () => {
    const question = 'Revenue by country';
    await using run = await runDemo([{ files: ['examples/orders-and-customers.xlsx'], question }], image);
    await expectSound(run, [question]);
    const expected = (await compute(`
import openpyxl, json, collections
book = openpyxl.load_workbook("orders-and-customers.xlsx", data_only=True)
def rows(sheet):
    lines = [row for row in sheet.iter_rows(values_only=True) if any(cell is not None for cell in row)]
    return [dict(zip(lines[0], line)) for line in lines[1:]]
orders, customers = (rows(sheet) for sheet in book.worksheets)
home = {str(row["Customer ID"]): row["Country"] for row in customers}
sums, unmatched = collections.Counter(), 0
for row in orders:
    country = home.get(str(row["Customer ID"]))
    if country is None:
        unmatched += 1
    else:
        sums[country] += row["Amount (EUR)"]
print(json.dumps({"sums": dict(sums.most_common()), "unmatched": unmatched, "orders": len(orders)}))`)) as {
      readonly sums: Readonly<Record<string, number>>;
      readonly unmatched: number;
      readonly orders: number;
    };
    const [reply] = run.replies;
    expect(expected.unmatched).toBe(3);
    expect(reply?.text).toContain(`Rows used: ${expected.orders - expected.unmatched} of ${expected.orders}.`);
    expect(reply?.text).toContain('3 rows');
    const total = Object.values(expected.sums).reduce((sum, value) => sum + value, 0);
    expect(reply?.text).toContain(`${money(total)} EUR`);

    const chart = only(reply, 'chart');
    await expectDrawn(run, chart);
    expect(chart.altText).toContain('X axis: Amount (EUR); Y axis: Country.');
    const { series } = (await redraw(run, reply)).chart;
    expect(series).toHaveLength(1);
    expect(series[0]?.x).toEqual(Object.keys(expected.sums));
    for (const [index, value] of Object.values(expected.sums).entries()) {
      expect(Number(series[0]?.y[index])).toBeCloseTo(value, 2);
    }
  });
});
