import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { npm } from './npm-packages.mjs';
import { stateFolder } from './paths.mjs';
import { saySlow } from './say.mjs';

const neededMajor = 24;
/** The first minor release with `import.meta.main`, by which a module knows that it was started and not imported. */
const neededMinor = 2;
const folder = join(stateFolder, 'node');

/**
 * A Node that runs the project: it must strip types and have `node:sqlite`, which Node 24 does without flags.
 * An older Node stays as it is; a second one is installed for the project alone, from the npm package that carries
 * the binary of the npm package `node` for this machine.
 *
 * @returns {Promise<string>} the path of its program; rejects with `SetupProblem`
 */
export async function provideNode() {
  if (isNewEnough(process.versions.node)) return process.execPath;
  return provideNodeBinary(process.platform, process.arch);
}

/**
 * The program of Node 24 for this or another machine, an image's for example.
 *
 * @param {string} platform as in `process.platform`
 * @param {string} arch as in `process.arch`
 * @returns {Promise<string>} its path; rejects with `SetupProblem`
 */
export async function provideNodeBinary(platform, arch) {
  const name = binaryPackage(platform, arch);
  const isForeign = platform !== process.platform || arch !== process.arch;
  // npm refuses what is not for this machine unless it is forced, and may clear away what lies in the folder already.
  const place = isForeign ? `${folder}-${platform}-${arch}` : folder;
  const path = join(place, 'node_modules', name, 'bin', platform === 'win32' ? 'node.exe' : 'node');
  if (existsSync(path)) return path;
  mkdirSync(place, { recursive: true });
  const options = ['--prefix', place, '--no-save', '--no-audit', '--no-fund', ...(isForeign ? ['--force'] : [])];
  await saySlow(`fetching Node ${neededMajor} for ${platform}-${arch} (this one is ${process.versions.node})`, () =>
    npm(['install', ...options, `${name}@${neededMajor}`], place),
  );
  return path;
}

/** @param {string} version for example 24.11.0 */
export function isNewEnough(version) {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major > neededMajor || (major === neededMajor && minor >= neededMinor);
}

/**
 * @param {string} platform as in `process.platform`
 * @param {string} arch as in `process.arch`
 */
export function binaryPackage(platform, arch) {
  return `node-${platform === 'win32' ? 'win' : platform}-${arch}`;
}
