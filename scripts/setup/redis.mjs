import { installPackages } from './apt.mjs';
import { findProgram } from './machine.mjs';
import { SetupProblem } from './problem.mjs';
import { say } from './say.mjs';

/**
 * A Redis server's program, for tests and benchmarks: each starts servers of its own in temporary folders. Without it those tests skip,
 * and say so.
 *
 * @param {import('./machine.mjs').Machine} machine
 * @returns {Promise<void>}
 */
export async function provideRedis(machine) {
  if (findProgram('redis-server') !== null || machine.platform === 'win32') return;
  if (machine.isRoot && machine.isDebianLike) {
    try {
      // The server that the package would start for itself is not needed, and may not be able to start in a container.
      await installPackages(['redis-server'], 'for the tests with a shared queue');
    } catch (problem) {
      if (!(problem instanceof SetupProblem)) throw problem;
      say(`no Redis, tests with it will skip. ${problem.message}`);
    }
    return;
  }
  say(`no Redis: tests with it will skip. To run them: ${installCommand(machine)}`);
}

/** @param {import('./machine.mjs').Machine} machine */
function installCommand(machine) {
  if (machine.isDebianLike) return 'sudo apt-get install -y redis-server';
  return machine.platform === 'darwin' ? 'brew install redis' : 'install the package with redis-server';
}
