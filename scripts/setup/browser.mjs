import { installPackages } from './apt.mjs';
import { findProgram } from './machine.mjs';
import { SetupProblem } from './problem.mjs';
import { say } from './say.mjs';

const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

/**
 * A browser for the tests that open a page. Without one those tests skip, and say so.
 *
 * @param {import('./machine.mjs').Machine} machine
 * @returns {Promise<void>}
 */
export async function provideBrowser(machine) {
  if (process.platform !== 'linux' || names.some((name) => findProgram(name) !== null)) return;
  // Ubuntu's package is a snap, which a server or a container often cannot install.
  if (machine.isRoot && machine.isDebianLike && !machine.isUbuntu) {
    try {
      await installPackages(['chromium'], 'for the tests that open a page');
    } catch (problem) {
      if (!(problem instanceof SetupProblem)) throw problem;
      say(`no browser, tests that open a page will skip. ${problem.message}`);
    }
    return;
  }
  say('no Chromium: tests that open a page will skip. To run them: sudo apt-get install -y chromium');
}
