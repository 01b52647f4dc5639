/** `npm run selftest [-- --json FILE] [--runtime runc|runsc] [--only ID…]`: attacks the sandbox. Exits 1 when one succeeded. */
import { config as loadDotenv } from 'dotenv';
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { createEngine } from '../sandbox/engine.ts';
import { createOwnerId } from '../sandbox/owner.ts';
import { createDockerSandbox } from '../sandbox/provider.ts';
import { readConfig } from '../src/config.ts';
import { AppError } from '../src/errors.ts';
import { createLogger } from '../src/log.ts';
import type { Attack, AttackResult, Runtime } from './attack.ts';
import { battery } from './battery.ts';
import { createLinuxHost } from './host-linux.ts';
import { createTheatre, type Theatre } from './stage.ts';

/** At a time, but for the attacks that want to be alone. */
const concurrency = 2;
const poolSize = 2;
const maxContainers = 10;

// The bot's own settings: what is attacked is what an operator runs.
loadDotenv({ quiet: true });
const { sandbox, logLevel } = readConfig(process.env);
const log = createLogger(logLevel ?? 'silent');
const limits = {
  memoryBytes: sandbox.memoryBytes,
  workspaceBytes: sandbox.workspaceBytes,
  cpus: sandbox.cpus,
  processes: sandbox.processes,
};

async function main(): Promise<number> {
  const options = readOptions();
  if (typeof options === 'string') {
    console.error(options);
    return 2;
  }
  const attacks = battery.filter(
    ({ id }) => options.only.length === 0 || options.only.some((start) => id.startsWith(start)),
  );
  if (attacks.length === 0) {
    console.error(
      `No attack's id begins with ${options.only.join(' or ')}. They begin with t01 to t21, the threat's number.`,
    );
    return 2;
  }
  const runtimes = options.runtime === null ? await presentRuntimes() : [options.runtime];
  const startedAt = performance.now();
  const results: AttackResult[] = [];
  for (const runtime of runtimes) results.push(...(await attack(runtime, attacks)));
  if (options.json !== null) writeFileSync(options.json, `${JSON.stringify(results, null, 2)}\n`);
  const escaped = results.filter(({ contained }) => !contained);
  const seconds = Math.round((performance.now() - startedAt) / 1000);
  console.log(
    `\n${results.length} attacks on ${runtimes.join(' and ')} in ${seconds} s: ${results.length - escaped.length} contained, ${escaped.length} not.`,
  );
  for (const { runtime, id, evidence } of escaped) console.log(`  NOT CONTAINED  ${runtime}  ${id}: ${evidence}`);
  return escaped.length === 0 ? 0 : 1;
}

interface Options {
  readonly json: string | null;
  readonly runtime: Runtime | null;
  /** Starts of attack ids; empty for all. */
  readonly only: readonly string[];
}

/** The options, or what is wrong with them. */
function readOptions(): Options | string {
  try {
    const { values, positionals } = parseArgs({
      options: { json: { type: 'string' }, runtime: { type: 'string' }, only: { type: 'string', multiple: true } },
      allowPositionals: true,
    });
    const { json = null, runtime = null, only = [] } = values;
    if (runtime !== null && runtime !== 'runc' && runtime !== 'runsc') return '--runtime is runc or runsc.';
    // `--only t01 t05`: what follows the first are positionals.
    return { json, runtime, only: [...only, ...positionals] };
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

async function presentRuntimes(): Promise<readonly Runtime[]> {
  const present: Runtime[] = [];
  for (const runtime of ['runc', 'runsc'] as const) {
    try {
      await createEngine({ endpoint: null, image: sandbox.image, runtime }, log).check();
      present.push(runtime);
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== 'config') throw error;
      console.log(`This Docker engine has no ${runtime}; nothing is tried on it.`);
    }
  }
  return present;
}

/** The whole battery on one runtime, in the order in which attacks end. */
async function attack(runtime: Runtime, attacks: readonly Attack[]): Promise<readonly AttackResult[]> {
  const ownerId = createOwnerId();
  const settings = { endpoint: null, image: sandbox.image, runtime };
  const engine = createEngine(settings, log);
  const host = createLinuxHost(engine, ownerId);
  await using provider = createDockerSandbox({ ...settings, ownerId, limits, poolSize, maxContainers, log });
  await provider.warm();
  await using theatre = createTheatre({ runtime, image: sandbox.image, limits, provider, host, engine });
  const results: AttackResult[] = [];
  const waiting = attacks.filter(({ alone }) => !alone);
  await Promise.all(Array.from({ length: concurrency }, () => performAll(theatre, waiting, results)));
  await performAll(
    theatre,
    attacks.filter(({ alone }) => alone),
    results,
  );
  return results;
}

/** Takes attacks from the front of `waiting` until there are none. */
async function performAll(theatre: Theatre, waiting: Attack[], results: AttackResult[]): Promise<void> {
  for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
    const result = await theatre.perform(next);
    results.push(result);
    console.log(lineOf(result));
  }
}

function lineOf({ runtime, id, contained, seconds, evidence }: AttackResult): string {
  const word = contained ? 'contained    ' : 'NOT CONTAINED';
  return `${word}  ${runtime.padEnd(5)}  ${id.padEnd(30)} ${seconds.toFixed(1).padStart(5)} s  ${evidence}`;
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(error instanceof AppError ? error.userMessage : error);
  process.exitCode = 1;
}
