import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { installPackages } from './apt.mjs';
import { findProgram } from './machine.mjs';
import { SetupProblem } from './problem.mjs';
import { say } from './say.mjs';

/** Debian keeps each version's server programs in a folder of its own, which is on nobody's PATH. */
const debianVersions = '/usr/lib/postgresql';

/**
 * A PostgreSQL server's programs, for tests and benchmarks: each starts servers of its own in temporary folders. Without them those tests
 * skip, and say so.
 *
 * @param {import('./machine.mjs').Machine} machine
 * @returns {Promise<void>}
 */
export async function providePostgres(machine) {
  if (hasPostgres() || machine.platform === 'win32') return;
  if (machine.isRoot && machine.isDebianLike) {
    try {
      // The server that the package would start for itself is not needed, and may not be able to start in a container.
      await installPackages(['postgresql'], 'for the tests with a database');
    } catch (problem) {
      if (!(problem instanceof SetupProblem)) throw problem;
      say(`no PostgreSQL, tests with it will skip. ${problem.message}`);
    }
    return;
  }
  say(`no PostgreSQL: tests with it will skip. To run them: ${installCommand(machine)}`);
}

/** @param {string} [versions] the folder of Debian's versions */
export function hasPostgres(versions = debianVersions) {
  if (findProgram('initdb') !== null && findProgram('postgres') !== null) return true;
  return existsSync(versions) && readdirSync(versions).some((version) => hasServer(join(versions, version, 'bin')));
}

/** @param {string} folder */
function hasServer(folder) {
  return ['initdb', 'postgres'].every((name) => existsSync(join(folder, name)));
}

/** @param {import('./machine.mjs').Machine} machine */
function installCommand(machine) {
  if (machine.isDebianLike) return 'sudo apt-get install -y postgresql';
  return machine.platform === 'darwin' ? 'brew install postgresql' : "install the package with PostgreSQL's server";
}
