/** `npm run bench [-- --json FILE]`: the performance table. Exits 1 when a target was missed. */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { tableOf } from './figures.ts';
import type { Figure } from './figures.ts';
import { mentionToChart } from './mention-to-chart.ts';

const { values } = parseArgs({ options: { json: { type: 'string' } } });
const figures: readonly Figure[] = [await mentionToChart()];
console.log(tableOf(figures));
if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(figures, null, 2)}\n`);
process.exitCode = figures.every(({ ok }) => ok) ? 0 : 1;
