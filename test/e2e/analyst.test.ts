import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createEngine } from '../../sandbox/engine.ts';
import { createOwnerId } from '../../sandbox/owner.ts';
import { createDockerSandbox } from '../../sandbox/provider.ts';
import type { DockerSandbox } from '../../sandbox/provider.ts';
import { executionText } from '../../src/agent/tool-output.ts';
import { userMessage } from '../../src/agent/user-message.ts';
import { fileCard } from '../../src/conversation/file-cards.ts';
import { AppError } from '../../src/errors.ts';
import { createLogger } from '../../src/log.ts';
import { createAnalyst } from '../../src/models/analyst/analyst.ts';
import type { Bytes } from '../../src/ports/blobs.ts';
import type { ModelMessage } from '../../src/ports/model.ts';
import type { SandboxSession } from '../../src/ports/sandbox.ts';
import { chartMime } from '../../src/types.ts';
import type { ChartData, Execution, FileCard } from '../../src/types.ts';

/** The analyst against the real image: its Python runs, and its figures are compared with ones computed another way. */

const megabyte = 1024 * 1024;
const limits = { memoryBytes: 1024 * megabyte, workspaceBytes: 256 * megabyte, cpus: 2, processes: 128 };
const signal = new AbortController().signal;
const tool = { name: 'run_python', description: '', parameters: {} };

const image = process.env['SANDBOX_IMAGE'] ?? 'plotline-sandbox:latest';

const missing = await createEngine({ endpoint: null, image, runtime: 'auto' })
  .check()
  .then(
    () => null,
    (error: unknown) => {
      if (process.env['CI'] === 'true') throw error;
      process.stderr.write(
        `\nSKIPPED: the analyst in the real sandbox. ${error instanceof AppError ? error.userMessage : String(error)}\n\n`,
      );
      return error;
    },
  );

let provider: DockerSandbox;

beforeAll(() => {
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
});

afterAll(async () => {
  await provider[Symbol.asyncDispose]();
});

interface Answer {
  readonly text: string;
  readonly executions: readonly Execution[];
  readonly chart: ChartData | null;
}

interface Conversation extends AsyncDisposable {
  readonly session: SandboxSession;
  ask(question: string): Promise<Answer>;
  /** Runs Python of the test's own and gives what it printed as JSON. */
  compute(code: string): Promise<unknown>;
}

async function* once(bytes: Uint8Array): Bytes {
  yield bytes;
}

async function open(files: Readonly<Record<string, Uint8Array>>): Promise<Conversation> {
  const session = await provider.acquire(limits, signal);
  const cards: FileCard[] = [];
  for (const [name, bytes] of Object.entries(files)) {
    await session.write(name, once(bytes), signal);
    cards.push(await fileCard(session, name, bytes.length, signal));
  }
  const run = (code: string): Promise<Execution> =>
    session.run(code, { timeoutMs: 60_000, signal, onOutput: () => {} });
  const messages: ModelMessage[] = [];
  return {
    session,
    async ask(question) {
      messages.push(userMessage(question, messages.length === 0 ? cards : []));
      const executions: Execution[] = [];
      for (;;) {
        for await (const event of createAnalyst().stream(
          { instructions: '', messages, tools: [tool], toolChoice: 'auto', maxOutputTokens: 1000 },
          signal,
        )) {
          if (event.type === 'finish') messages.push(event.message);
        }
        const last = messages.at(-1);
        if (last?.role !== 'assistant') throw new Error('the analyst gave no message');
        if (last.toolCalls.length === 0) {
          const chart = executions
            .at(-1)
            ?.results.map((bundle) => bundle[chartMime])
            .find((data) => data !== undefined);
          return { text: last.text, executions, chart: (chart as unknown as ChartData | undefined) ?? null };
        }
        for (const call of last.toolCalls) {
          const execution = await run((JSON.parse(call.argumentsText) as { readonly code: string }).code);
          executions.push(execution);
          messages.push({ role: 'tool', callId: call.id, text: executionText(execution) });
        }
      }
    },
    async compute(code) {
      const { stdout, error } = await run(code);
      if (error !== null) throw new Error(error.traceback);
      return JSON.parse(stdout);
    },
    [Symbol.asyncDispose]: () => session[Symbol.asyncDispose](),
  };
}

const example = (name: string): Promise<Buffer> => readFile(new URL(`../../examples/${name}`, import.meta.url));

const figure = (value: number): string => new Intl.NumberFormat('en-US', { maximumFractionDigits: 2 }).format(value);

function onlyOk(answer: Answer): void {
  expect(answer.executions.map(({ status, error }) => error?.traceback ?? status)).toEqual(['ok']);
}

describe.skipIf(missing !== null)('the built-in analyst in the real sandbox', { timeout: 120_000 }, () => {
  it('draws revenue by month, and restyles it to exactly what was asked', async () => {
    await using talk = await open({ 'sales.xlsx': await example('sales.xlsx') });
    const line = await talk.ask('Revenue by month as a line chart');
    onlyOk(line);
    const expected = (await talk.compute(`
import openpyxl, json, collections
rows = list(openpyxl.load_workbook("sales.xlsx", data_only=True).active.iter_rows(values_only=True))
head = next(i for i, row in enumerate(rows) if any(isinstance(c, str) and "revenue" in c.lower() for c in row))
date = next(i for i, c in enumerate(rows[head]) if "date" in str(c).lower())
money = next(i for i, c in enumerate(rows[head]) if "revenue" in str(c).lower())
sums = collections.Counter()
for row in rows[head + 1:]:
    if row[date] is not None and row[money] is not None:
        sums[row[date].strftime("%Y-%m")] += row[money]
print(json.dumps(sums))`)) as Record<string, number>;
    const best = Math.max(...Object.values(expected));
    expect(line.text).toContain(figure(best));
    expect(line.text).toContain('Built-in analyst');
    expect(line.chart?.type).toBe('line');
    expect(line.chart?.yLabel).toMatch(/Revenue \(/);
    const drawn = line.chart?.series[0]?.y.map(Number) ?? [];
    const months = Object.keys(expected).toSorted();
    expect(drawn).toHaveLength(months.length);
    for (const [at, month] of months.entries()) expect(drawn[at]).toBeCloseTo(expected[month] ?? 0, 1);

    const bars = await talk.ask('Make it bars, sorted, with labels');
    onlyOk(bars);
    expect(bars.text).not.toContain('Built-in analyst');
    expect(bars.chart?.type).toBe('bar');
    const values = bars.chart?.series[0]?.y.map(Number) ?? [];
    expect(values).toEqual(values.toSorted((left, right) => right - left));
    const ascending = (numbers: readonly number[]): readonly number[] =>
      numbers.toSorted((left, right) => left - right);
    expect(ascending(values)).toEqual(ascending(drawn));
    expect([bars.chart?.title, bars.chart?.xLabel, bars.chart?.yLabel]).toEqual([
      line.chart?.title,
      line.chart?.xLabel,
      line.chart?.yLabel,
    ]);
  });

  it('says which lines of the GDP file were not used, and why', async () => {
    await using talk = await open({ 'gdp-by-country.csv': await example('gdp-by-country.csv') });
    const answer = await talk.ask('Line chart of GDP over the years for the top 5 countries');
    onlyOk(answer);
    expect(answer.chart?.series).toHaveLength(5);
    for (const line of ['76', '180', '296', '365', '313', '328'])
      expect(answer.text).toMatch(new RegExp(`\\b${line}\\b`));
    const grown = await talk.ask('Which countries grew most?');
    onlyOk(grown);
    expect(grown.text).toMatch(/grew most: GDP \*\*\+\d/);
  });

  it('adds up what can be loaded of a polluted file, and names the rest', async () => {
    const rows = Array.from({ length: 200 }, (_, index) => ({
      line: index + 2,
      city: index % 3 === 0 ? 'Zürich' : 'Oslo',
      amount: ((index * 7919) % 50_000) / 100,
    }));
    const otherDelimiter = [40, 90, 151];
    const otherEncoding = [35, 77];
    const bytes = Buffer.concat([
      Buffer.from('order,city,amount\n'),
      ...rows.map(({ line, city, amount }) => {
        const text = `${line},${city},${amount.toFixed(2)}\n`;
        if (otherDelimiter.includes(line)) return Buffer.from(text.replaceAll(',', ';'));
        return otherEncoding.includes(line)
          ? Buffer.from(text.replace(/Oslo|Zürich/, 'Málaga'), 'latin1')
          : Buffer.from(text);
      }),
    ]);
    const loadable = rows.filter(({ line }) => !otherDelimiter.includes(line));
    const total = loadable.reduce((sum, { amount }) => sum + Math.round(amount * 100), 0) / 100;
    await using talk = await open({ 'polluted.csv': bytes });
    const { text } = await talk.ask('What is the total amount?');
    expect(text).toContain(total.toLocaleString('en-US', { minimumFractionDigits: 2 }));
    expect(text).toContain('197 of 200');
    expect(text).toContain('lines 40, 90 and 151');
    const byCity = await talk.ask('total amount by city');
    expect(byCity.text).toContain('Málaga');
  }, 60_000);

  it('joins two sheets and accounts for the rows without a match', async () => {
    await using talk = await open({ 'orders-and-customers.xlsx': await example('orders-and-customers.xlsx') });
    const answer = await talk.ask('Revenue by country');
    onlyOk(answer);
    expect(answer.text).toMatch(/Joined Orders with Customers/);
    expect(answer.text).toMatch(/237 of 240 rows found their match/);
  });

  it('shuffles a zip of pictures into an H.264 video of 24 frames per second', async () => {
    await using talk = await open({ 'photos.zip': await example('photos.zip') });
    const answer = await talk.ask('shuffle them and make a video');
    onlyOk(answer);
    expect(answer.text).toMatch(/12 pictures.*seed 7/s);
    const probe = await talk.compute(`
import subprocess
print(subprocess.run(["ffprobe", "-v", "error", "-of", "json", "-show_entries", "stream=codec_name,pix_fmt,r_frame_rate,nb_frames", "photos.mp4"], capture_output=True, text=True).stdout)`);
    expect(probe).toMatchObject({
      streams: [{ codec_name: 'h264', pix_fmt: 'yuv420p', r_frame_rate: '24/1', nb_frames: '288' }],
    });
  });

  it('runs every family of questions on a file it has never seen', async () => {
    const rows = Array.from(
      { length: 120 },
      (_, at) =>
        `2024-${String((at % 12) + 1).padStart(2, '0')}-0${(at % 9) + 1},${['Köln', 'Paris', 'Oslo'][at % 3]},${['A', 'B'][at % 2]},${at % 7 === 0 ? '' : at},${(at * 1.5).toFixed(2)},007${at}`,
    );
    await using talk = await open({
      'shop data.csv': Buffer.from(`day_sold,store_city,class,visitors,net_sales_eur,ticket_no\n${rows.join('\n')}\n`),
    });
    const questions = [
      'describe this file',
      'missing values?',
      'duplicates?',
      'which columns?',
      'first 5 rows',
      'total sales',
      'average visitors by city',
      'sales by city and class',
      'sales by month and city as stacked bars',
      'heat map of sales by city and class',
      'pie of sales by city',
      'histogram of visitors',
      'box plot of sales by city',
      'scatter sales vs visitors',
      'correlation matrix',
      'share of Oslo in sales',
      'monthly growth of sales',
      'top 2 cities by sales',
      'sales in Q2 2024 by week',
      'sales by weekday',
      'rows where visitors > 100',
      'sales in Atlantis',
      'which cities grew most?',
      'sales and visitors by month',
      'convert to excel',
      'clean it and give me the file',
      'area chart of sales by month',
      'sales by city horizontal bars in different colours, log scale, no grid',
      'make a QR code for https://example.org',
    ];
    for (const question of questions) {
      const answer = await talk.ask(question);
      expect
        .soft(
          answer.executions.map(({ status, error }) => error?.traceback ?? status),
          question,
        )
        .toEqual(['ok']);
      expect.soft(answer.text, question).not.toMatch(/NaN|undefined|\[object/);
    }
    const total = await talk.ask('total sales');
    expect(total.text).toContain(
      figure(Array.from({ length: 120 }, (_, at) => at * 1.5).reduce((sum, value) => sum + value, 0)),
    );
    const ids = await talk.compute(
      'import openpyxl, json\nprint(json.dumps([row[5] for row in openpyxl.load_workbook("shop data.xlsx").active.iter_rows(min_row=2, max_row=3, values_only=True)]))',
    );
    expect(ids).toEqual(['0070', '0071']);
  });
});
