/** `npm run bench [-- --json FILE] [--only WORD]`: the performance table. Exits 1 when a target was missed. */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { createEngine } from '../sandbox/engine.ts';
import { chart, firstRead } from './charts-and-tables.ts';
import { interrupts, outOfMemory, respawn } from './deaths.ts';
import { discordAck } from './discord-ack.ts';
import { fiftyMentions } from './fifty-mentions.ts';
import { tableOf } from './figures.ts';
import type { Figure } from './figures.ts';
import { idleMemory } from './idle-memory.ts';
import { cardSpeed } from './card-speed.ts';
import { limitCheck } from './limit-check.ts';
import { loaderCorpora } from './loader-corpora.ts';
import { machines } from './machines.ts';
import { mentionToChart } from './mention-to-chart.ts';
import { queue } from './queue.ts';
import { restore } from './restore.ts';
import { rowLedger } from './row-ledger.ts';
import { roundTrip } from './round-trip.ts';
import { benchImage } from './sandboxes.ts';
import { slackAck } from './slack-ack.ts';
import { storeFollowUp } from './store-follow-up.ts';
import { transfer } from './transfer.ts';
import { warmTake } from './warm-take.ts';

const { values } = parseArgs({ options: { json: { type: 'string' }, only: { type: 'string', default: '' } } });

const sections: readonly (readonly [name: string, measure: () => Promise<readonly Figure[]>])[] = [
  ['mention', async () => [await mentionToChart()]],
  ['warm-take', warmTake],
  ['round-trip', roundTrip],
  ['chart', chart],
  ['first-read', firstRead],
  ['row-ledger', rowLedger],
  ['respawn', respawn],
  ['transfer-runc', () => transfer('runc')],
  ['interrupts', interrupts],
  ['out-of-memory', outOfMemory],
  ['restore', () => restore()],
  ['card-speed', cardSpeed],
  ['loader-corpora', loaderCorpora],
  ['slack-ack', slackAck],
  ['discord-ack', discordAck],
  ['limit-check', limitCheck],
  ['follow-up', storeFollowUp],
  ['queue', queue],
  ['machines', machines],
  ['idle', idleMemory],
  ['fifty', fiftyMentions],
  ...((await hasGvisor()) ? ([['transfer-runsc', () => transfer('runsc')]] as const) : []),
];

const figures: Figure[] = [];
for (const [name, measure] of sections.filter(([section]) => section.includes(values.only))) {
  process.stderr.write(`measuring ${name} …\n`);
  figures.push(...(await measure()));
}
console.log(tableOf(figures));
if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(figures, null, 2)}\n`);
process.exitCode = figures.every(({ ok }) => ok) ? 0 : 1;

async function hasGvisor(): Promise<boolean> {
  const engine = createEngine({ endpoint: null, image: benchImage, runtime: 'auto' });
  return (await engine.check()).runtime === 'runsc';
}
