import { existsSync, mkdirSync, readFileSync, readlinkSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { installPackages } from './apt.mjs';
import { askEngine } from './engine-endpoint.mjs';
import { planFor, registration, takesRuntimesFrom, withGvisor } from './gvisor-plan.mjs';
import { stateFolder } from './paths.mjs';
import { SetupProblem } from './problem.mjs';
import { runProgram } from './program.mjs';
import { say } from './say.mjs';

/**
 * A Docker engine of this machine.
 *
 * @typedef {object} LocalEngine
 * @property {string} endpoint in the form of DOCKER_HOST
 * @property {string} pidFile
 * @property {string} configFile
 */

/** @type {LocalEngine} */
const usual = {
  endpoint: 'unix:///var/run/docker.sock',
  pidFile: '/var/run/docker.pid',
  configFile: '/etc/docker/daemon.json',
};
const reloadMs = 10_000;
const marker = join(stateFolder, 'gvisor-told');
const advice =
  "gVisor (runsc) is not registered with Docker: sandboxes share the machine's kernel. To add it: https://gvisor.dev/docs/user_guide/install/, " +
  `with "runtimeArgs": ${JSON.stringify(registration.runtimeArgs)}`;

/**
 * gVisor, a second wall around every sandbox: installed and registered where that is ours to do, advised elsewhere. Never fails; what
 * went wrong is said, and not tried again by every command.
 *
 * @param {import('./machine.mjs').Machine} machine
 * @param {string} endpoint of the engine that answered
 * @param {boolean} lookAgain also where an earlier run advised or failed
 * @returns {Promise<void>}
 */
export async function provideGvisor(machine, endpoint, lookAgain) {
  const runtimes = await runtimesOf(endpoint);
  // Only the docker command speaks ssh and TLS; the bot's first line of the log says what protects there.
  if (runtimes === null) return;
  const isRegistered = runtimes.includes('runsc');
  const wasTold = !lookAgain && existsSync(marker);
  const plan = planFor(machine, {
    isRegistered,
    wasTold,
    isOwnEngine: !isRegistered && !wasTold && endpoint === usual.endpoint && (await isDebianEngine(usual)),
  });
  if (plan === 'nothing') return;
  try {
    say(plan === 'install' ? await installGvisor(usual) : advice);
    if (plan === 'install') return;
  } catch (problem) {
    if (!(problem instanceof SetupProblem)) throw problem;
    say(`gVisor could not be added; sandboxes run without it. ${problem.message}`);
  }
  mkdirSync(stateFolder, { recursive: true });
  writeFileSync(marker, '');
}

/** @param {LocalEngine} engine */
async function installGvisor(engine) {
  if (!existsSync(registration.path)) await installPackages(['runsc'], 'gVisor, a second wall around the sandboxes');
  return registerGvisor(engine);
}

/**
 * Writes gVisor into the engine's configuration, and has the engine read it. Containers go on running.
 *
 * @param {LocalEngine} engine
 * @returns {Promise<string>} what was done, in one line; rejects with `SetupProblem`
 */
export async function registerGvisor({ endpoint, pidFile, configFile }) {
  const merged = withGvisor(existsSync(configFile) ? readFileSync(configFile, 'utf8') : null);
  if ('problem' in merged) {
    throw new SetupProblem(
      `${configFile} was left alone: ${merged.problem}. Mend it, add "runtimes": ${JSON.stringify({ runsc: registration })}, and run: npm run setup`,
    );
  }
  if ('text' in merged) {
    mkdirSync(dirname(configFile), { recursive: true });
    // In one step: an engine that starts meanwhile must not read half of it.
    const mode = existsSync(configFile) ? statSync(configFile).mode & 0o777 : 0o644;
    writeFileSync(`${configFile}.plotline`, merged.text, { mode });
    renameSync(`${configFile}.plotline`, configFile);
  }
  const pid = runningEngine(pidFile);
  if (pid !== null) process.kill(pid, 'SIGHUP');
  const end = performance.now() + reloadMs;
  while (performance.now() < end) {
    if ((await runtimesOf(endpoint))?.includes('runsc')) {
      return `registered gVisor (runsc) in ${configFile}: sandboxes run on a kernel of their own`;
    }
    await delay(200);
  }
  throw new SetupProblem(`It is in ${configFile} now, but Docker did not take it up. Restart Docker when it suits.`);
}

/**
 * Whether the engine of this machine runs from Debian's own package and reads the configuration that would be changed. One from
 * elsewhere is its operator's, and one behind a socket handed into a container is another machine's.
 *
 * @param {LocalEngine} engine
 */
export async function isDebianEngine({ pidFile, configFile }) {
  const pid = runningEngine(pidFile);
  if (pid === null) return false;
  const args = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  if (!takesRuntimesFrom(configFile, args)) return false;
  const { code, output } = await runProgram('dpkg-query', ['--search', readlinkSync(`/proc/${pid}/exe`)]);
  return code === 0 && output.startsWith('docker.io:');
}

/**
 * @param {string} pidFile
 * @returns {number | null} the process id of the dockerd that wrote it and still runs
 */
function runningEngine(pidFile) {
  try {
    const pid = Number(readFileSync(pidFile, 'utf8'));
    return readFileSync(`/proc/${pid}/comm`, 'utf8').trim() === 'dockerd' ? pid : null;
  } catch {
    return null;
  }
}

/**
 * @param {string} endpoint
 * @returns {Promise<readonly string[] | null>} null where the engine does not say
 */
async function runtimesOf(endpoint) {
  const answer = await askEngine(endpoint, '/info', 10_000);
  if (!('status' in answer) || answer.status !== 200) return null;
  return Object.keys(JSON.parse(answer.body).Runtimes ?? {});
}
