import { SetupProblem } from './problem.mjs';
import { lastLines, runProgram } from './program.mjs';
import { saySlow } from './say.mjs';

const environment = { DEBIAN_FRONTEND: 'noninteractive' };

/** Another package manager may be at work: wait for it rather than fail. Unit: seconds. */
const waitForLock = ['-o', 'DPkg::Lock::Timeout=120'];

/**
 * Installs Debian packages; only for root on Debian or a relative of it.
 *
 * @param {readonly string[]} packages
 * @param {string} purpose why they are needed, for the line that is printed
 * @returns {Promise<void>} rejects with `SetupProblem`
 */
export async function installPackages(packages, purpose) {
  await saySlow(`installing ${packages.join(', ')} with apt-get (${purpose})`, async () => {
    await runProgram('apt-get', ['update', '-qq', ...waitForLock], { env: environment });
    const args = ['install', '-y', '-qq', '--no-install-recommends', ...waitForLock, ...packages];
    const { code, output } = await runProgram('apt-get', args, { env: environment });
    if (code === 0) return;
    throw new SetupProblem(`apt-get could not install ${packages.join(', ')}. It said:\n${lastLines(output)}`);
  });
}
