import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createEngine } from '../../sandbox/engine.ts';
import { createScriptedModel, pythonCall } from '../fakes/scripted-model.ts';
import type { ScriptedModel } from '../fakes/scripted-model.ts';
import { startTestBot } from '../fakes/test-bot.ts';
import type { TestBot } from '../fakes/test-bot.ts';

/** The line about rows under an answer, counted in real cells: from the file to the reply. */

const image = process.env['SANDBOX_IMAGE'] ?? 'plotline-sandbox:latest';
const isAvailable = await createEngine({ endpoint: null, image, runtime: 'runc' })
  .check()
  .then(
    () => true,
    (error: unknown) => {
      if (process.env['CI'] === 'true') throw error;
      process.stderr.write('\nSKIPPED: the row ledger from end to end. Docker or the sandbox image is not there.\n\n');
      return false;
    },
  );

/** 100 orders, of which lines 12 and 40 have a field too many, 3 have no amount, and customer c9 is unknown. */
const orders = Buffer.from(
  `id,amount,customer\n${Array.from({ length: 100 }, (_, row) => {
    const amount = row % 40 === 7 ? '' : String(row + 1);
    return `${row},${amount},c${row % 10}${row === 10 || row === 38 ? ',extra' : ''}`;
  }).join('\n')}\n`,
);
const customers = Buffer.from(`customer,country\n${Array.from({ length: 9 }, (_, row) => `c${row},DE`).join('\n')}\n`);

const load = 'import plotline\norders = plotline.load("orders.csv")\nprint(len(orders))';
const scripts: Readonly<Record<string, readonly string[]>> = {
  FIRST: [
    `${load}\norders["amont"]`,
    load,
    'customers = plotline.load("customers.csv")\nclean = orders.dropna(subset=["amount"])\nclean.merge(customers, on="customer", how="left").groupby("country").amount.sum()',
  ],
  FILTER: ['orders[orders["amount"] > 50].amount.sum()'],
  WHOLE: ['print(customers.country.nunique())'],
  NONE: ['print(1 + 1)'],
};

function runsScripts(): ScriptedModel {
  return createScriptedModel([], ({ messages }) => {
    const last = messages.at(-1);
    const script = last?.role === 'user' ? Object.keys(scripts).find((name) => last.text.includes(name)) : undefined;
    if (script === undefined) return { text: 'Done.' };
    return { calls: (scripts[script] ?? []).map((code) => pythonCall(code, script)) };
  });
}

describe.skipIf(!isAvailable)('the line about rows', { timeout: 120_000 }, () => {
  let dataDir: string;
  const env = (): Readonly<Record<string, string>> => ({
    DATA_DIR: dataDir,
    SANDBOX_RUNTIME: 'runc',
    SANDBOX_IMAGE: image,
  });
  const files = [
    { name: 'orders.csv', bytes: orders },
    { name: 'customers.csv', bytes: customers },
  ];

  beforeEach(() => {
    dataDir = mkdtempSync(join(tmpdir(), 'plotline-ledger-'));
  });
  afterEach(() => rmSync(dataDir, { recursive: true, force: true }));

  it('tells what was rejected, dropped, joined and kept, of tables of earlier questions too', async () => {
    const model = runsScripts();
    const asked = async (bot: TestBot, text: string, more: typeof files = []): Promise<string> => {
      const { reply } = await bot.platform.ask('thread', text, more);
      expect(reply).toMatchObject({ outcome: 'answered', notices: [] });
      return reply.text;
    };
    {
      await using bot = await startTestBot(env(), model);
      expect(await asked(bot, 'FIRST', files)).toBe(
        'Done.\n\nUsed 95 of 100 rows of orders.csv (2 rejected: lines 12, 40; dropped 3 with missing amount) and all of customers.csv; ' +
          'join on customer matched 89.4 %; grouping left out 10 with missing country.',
      );
    }
    // Another process and another container, rebuilt by running the cells again: no word of a difference.
    await using bot = await startTestBot(env(), model);
    await bot.platform.ask('other', 'Hello');
    expect(await asked(bot, 'FILTER')).toBe(
      'Done.\n\nUsed 98 of 100 rows (2 rejected: lines 12, 40); filter kept 49 of 98.',
    );
    expect(await asked(bot, 'WHOLE')).toBe('Done.\n\nAll rows used.');
    expect(await asked(bot, 'NONE')).toBe('Done.');
    // What the model is told of its cells is what they are without it.
    expect(JSON.stringify(model.requests)).not.toContain('ledger');
  });

  it('leaves the built-in analyst its own line, which says the same', async () => {
    await using bot = await startTestBot(env());
    const first = await bot.platform.ask('one', 'Total amount by customer', files.slice(0, 1));
    expect(first.reply.text.match(/^.*\brows? used\b.*$/gim)).toHaveLength(1);
    expect(first.reply.text).toMatch(
      /^Rows used: 95 of 100\. Not used: 2 lines could not be read \(lines 12 and 40: /m,
    );
    const second = await bot.platform.ask('two', 'How many customers by country?', files.slice(1));
    expect(second.reply.text).toMatch(/^All rows used\.$/m);
  });
});
