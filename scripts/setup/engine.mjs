import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, openSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { installPackages } from './apt.mjs';
import { adviceFor, causeOf, remedyFor } from './engine-advice.mjs';
import { askEngine, endpoints, standardSocket } from './engine-endpoint.mjs';
import { findProgram } from './machine.mjs';
import { stateFolder } from './paths.mjs';
import { SetupProblem } from './problem.mjs';
import { lastLines, runProgram } from './program.mjs';
import { saySlow } from './say.mjs';

const startMs = 60_000;
/** How long a service manager's start may take to show before dockerd is started directly. */
const serviceMs = 15_000;

/**
 * Finds a Docker engine that answers; where it may, installs and starts one.
 *
 * @param {import('./machine.mjs').Machine} machine
 * @returns {Promise<string>} its address in the form of DOCKER_HOST; rejects with `SetupProblem`
 */
export async function provideEngine(machine) {
  const tried = endpoints(process.env, machine.platform);
  const first = tried[0] ?? { url: standardSocket, isChosen: false };
  const faults = [];
  for (const { url } of tried) {
    const answer = await askEngine(url, '/_ping');
    if ('status' in answer && answer.status === 200) return url;
    faults.push('fault' in answer ? answer.fault : `HTTP ${answer.status}`);
  }
  // Only the docker command speaks ssh and TLS.
  if (first.isChosen && (await runProgram('docker', ['version'], { timeoutMs: 10_000 })).code === 0) return first.url;

  const program = machine.platform === 'linux' ? 'dockerd' : 'docker';
  const cause = causeOf({ isChosen: first.isChosen, faults, hasEngineProgram: findProgram(program) !== null });
  const remedy = remedyFor(machine, cause);
  if (remedy === 'advise') throw new SetupProblem(adviceFor(machine, cause, first.url));
  if (remedy === 'install-and-start') await installPackages(enginePackages(machine), 'the Docker engine');
  await saySlow('starting the Docker engine', () => startEngine(machine));
  return standardSocket;
}

/** @param {import('./machine.mjs').Machine} machine */
function enginePackages(machine) {
  const packages = ['docker.io', 'iptables', 'ca-certificates', 'debootstrap'];
  const hasControlGroups = existsSync('/sys/fs/cgroup') && readdirSync('/sys/fs/cgroup').length > 0;
  return machine.hasSystemd || hasControlGroups ? packages : [...packages, 'cgroupfs-mount'];
}

/** @param {import('./machine.mjs').Machine} machine */
async function startEngine(machine) {
  // Installing the package may have started it.
  if (await answersWithin(1000)) return;
  const starter = machine.hasSystemd ? ['systemctl', 'start', 'docker'] : ['service', 'docker', 'start'];
  const started = await runProgram(starter[0] ?? '', starter.slice(1), { timeoutMs: startMs });
  if (await answersWithin(started.code === 0 ? serviceMs : 1000)) return;

  mkdirSync(stateFolder, { recursive: true });
  const logPath = join(stateFolder, 'dockerd.log');
  const log = openSync(logPath, 'a');
  const child = spawn(findProgram('dockerd') ?? 'dockerd', [], {
    detached: true,
    stdio: ['ignore', log, log],
    cwd: '/',
  });
  let hasEnded = false;
  child.on('error', () => (hasEnded = true));
  child.on('exit', () => (hasEnded = true));
  child.unref();
  if (await answersWithin(startMs, () => hasEnded)) return;
  const what = hasEnded ? 'ended right after its start' : `did not answer within ${startMs / 1000} s after its start`;
  throw new SetupProblem(
    `The Docker engine ${what}. Its log is ${logPath}, and ends:\n${lastLines(readFileSync(logPath, 'utf8'))}`,
  );
}

/**
 * @param {number} timeoutMs
 * @param {() => boolean} [isHopeless] ends the wait before its time
 */
async function answersWithin(timeoutMs, isHopeless = () => false) {
  const end = performance.now() + timeoutMs;
  for (;;) {
    const answer = await askEngine(standardSocket, '/_ping');
    if ('status' in answer && answer.status === 200) return true;
    if (performance.now() >= end || isHopeless()) return false;
    await delay(250);
  }
}
