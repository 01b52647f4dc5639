import type { SandboxSession } from '../src/ports/sandbox.ts';
import { figure } from './figures.ts';
import type { Figure } from './figures.ts';
import { acquire, inPieces, openSandboxes, runWell, timed } from './sandboxes.ts';

const rows = 20_000;
const runs = 60;
const warmUps = 5;

const orders = `id,day,customer,region,amount\n${Array.from({ length: rows }, (_, row) => {
  const day = `2024-${String((row % 12) + 1).padStart(2, '0')}-${String((row % 28) + 1).padStart(2, '0')}`;
  const amount = row % 97 === 0 ? '' : `${(row * 37) % 1000}.5`;
  return `${row},${day},c${(row * 7919) % 2100},${['North', 'South', 'East', ''][row % 4]},${amount}`;
}).join('\n')}\n`;
const customers = `customer,country\n${Array.from({ length: 2000 }, (_, row) => `c${row},${['DE', 'FR', 'IT'][row % 3]}`).join('\n')}\n`;

const load = `
import plotline
orders = plotline.load("orders.csv")
customers = plotline.load("customers.csv")
`;

/** Every kind of step that is counted, on tables that are there already. */
const steps = `
clean = orders.dropna(subset=["amount"]).drop_duplicates("id")
large = clean[clean["amount"] > 100]
joined = large.merge(customers, on="customer", how="left")
by_region = joined.groupby("region")["amount"].sum().sort_values()
by_country = joined.groupby(["country", "region"])["amount"].agg(["sum", "count"]).reset_index()
everything = pd.concat([by_region.reset_index(), by_country])
everything
`;

/** As if there were no ledger: nothing is watched, nothing asked at the cell's end. */
const without = `
from plotline import ledger
from plotline.ledger import watch
watch.uninstall()
ledger.BOOK.page = lambda code, names: None
`;

/** The same cell in two sessions that take turns, one of them without the ledger. */
export async function rowLedger(): Promise<readonly Figure[]> {
  await using provider = openSandboxes({});
  await using counting = await acquire(provider);
  await using plain = await acquire(provider);
  await runWell(plain, without);
  for (const session of [counting, plain]) {
    await session.write('orders.csv', inPieces(Buffer.from(orders), 1), AbortSignal.timeout(60_000));
    await session.write('customers.csv', inPieces(Buffer.from(customers), 1), AbortSignal.timeout(60_000));
    await runWell(session, `import pandas as pd\n${load}`);
  }
  return [
    await inTurns('row ledger: filter, dropna, dedupe, join, group, concat', steps, counting, plain),
    await inTurns('row ledger: the same with loading', load + steps, counting, plain),
  ];
}

async function inTurns(name: string, code: string, counting: SandboxSession, plain: SandboxSession): Promise<Figure> {
  const samples: number[] = [];
  const besideSamples: number[] = [];
  for (let run = -warmUps; run < runs; run += 1) {
    const pairs = [
      [counting, samples],
      [plain, besideSamples],
    ] as const;
    for (const [session, taken] of run % 2 === 0 ? pairs : pairs.toReversed()) {
      const [ms] = await timed(1, () => runWell(session, code));
      if (run >= 0 && ms !== undefined) taken.push(ms);
    }
  }
  return figure({
    name,
    unit: 'ms',
    samples,
    besideName: 'the same cell without it',
    besideSamples,
    targets: [{ of: 'ratio', atMost: 1.05 }],
  });
}
