import { existsSync } from 'node:fs';
import { installPackages } from './apt.mjs';
import { SetupProblem } from './problem.mjs';
import { say } from './say.mjs';

/** Where Debian's and Ubuntu's own Python finds it; it has no program that PATH would show. */
const library = '/usr/lib/python3/dist-packages/swift/__init__.py';

/**
 * OpenStack Swift, whose S3 API the tests of files in a bucket talk to; they start a private one each. Without it they skip.
 * Only the library: the packages with Swift's programs would start services of the whole machine.
 *
 * @param {import('./machine.mjs').Machine} machine
 * @returns {Promise<void>}
 */
export async function provideS3(machine) {
  if (process.platform !== 'linux' || existsSync(library)) return;
  if (machine.isRoot && machine.isDebianLike) {
    try {
      await installPackages(['python3-swift'], 'a real S3 server for the tests');
    } catch (problem) {
      if (!(problem instanceof SetupProblem)) throw problem;
      say(`no S3 server, tests that need one will skip. ${problem.message}`);
    }
    return;
  }
  say(
    'no S3 server: tests of files in a bucket will skip. To run them, on Debian or Ubuntu: sudo apt-get install -y python3-swift',
  );
}
