import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { findProgram } from './machine.mjs';
import { SetupProblem } from './problem.mjs';
import { lastLines, runProgram } from './program.mjs';
import { root, stateFolder } from './paths.mjs';
import { saySlow } from './say.mjs';

const lockFile = join(root, 'package-lock.json');
const installedList = join(root, 'node_modules', '.package-lock.json');
const marker = join(stateFolder, 'npm-packages');

/**
 * @param {object} state
 * @param {boolean} state.isInstalled `node_modules` was filled by npm
 * @param {string | null} state.rememberedHash of the lock file that the set-up installed last; null when it never did
 * @param {string} state.lockHash
 * @param {boolean} state.isNewerThanLock `node_modules` was filled after the lock file was written
 * @returns {boolean} whether npm must install. Without a memory, someone's own `npm ci` counts if it came after the lock file.
 */
export function needsInstall({ isInstalled, rememberedHash, lockHash, isNewerThanLock }) {
  if (!isInstalled) return true;
  return rememberedHash === null ? !isNewerThanLock : rememberedHash !== lockHash;
}

/** @returns {Promise<void>} rejects with `SetupProblem` */
export async function provideNpmPackages() {
  const lockHash = createHash('sha256').update(readFileSync(lockFile)).digest('hex');
  const isInstalled = existsSync(installedList);
  const rememberedHash = existsSync(marker) ? readFileSync(marker, 'utf8').trim() : null;
  const isNewerThanLock = isInstalled && statSync(installedList).mtimeMs >= statSync(lockFile).mtimeMs;
  if (needsInstall({ isInstalled, rememberedHash, lockHash, isNewerThanLock })) {
    // Not `ci`: it refuses a lock file that lacks other platforms' binaries, which not every registry carries. The versions
    // are the lock file's either way, and `--no-save` leaves it as it is.
    await saySlow('installing the npm packages', () =>
      npm(['install', '--no-save', '--include=dev', '--include=optional', '--no-audit', '--no-fund'], root),
    );
  } else if (rememberedHash === lockHash) {
    return;
  }
  mkdirSync(stateFolder, { recursive: true });
  writeFileSync(marker, `${lockHash}\n`);
}

/**
 * Runs npm: the one that started this process, else the one beside this Node, else the one on PATH.
 *
 * @param {readonly string[]} args
 * @param {string} folder
 * @returns {Promise<void>} rejects with `SetupProblem`
 */
export async function npm(args, folder) {
  const [command, ...first] = npmCommand();
  const { code, output } = await runProgram(command, [...first, ...args], { cwd: folder });
  if (code === 0) return;
  throw new SetupProblem(`npm ${args.join(' ')} failed (exit code ${code}). It said:\n${lastLines(output)}`);
}

/** @returns {[string, ...string[]]} */
function npmCommand() {
  const startedBy = process.env.npm_execpath ?? '';
  if (basename(startedBy) === 'npm-cli.js' && existsSync(startedBy)) return [process.execPath, startedBy];
  const beside = join(dirname(process.execPath), process.platform === 'win32' ? 'npm.cmd' : 'npm');
  if (existsSync(beside)) return [beside];
  return [findProgram('npm') ?? 'npm'];
}
