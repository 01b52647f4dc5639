/**
 * What the set-up needs to know about the machine it runs on.
 *
 * @typedef {object} Machine
 * @property {NodeJS.Platform} platform
 * @property {boolean} isDebianLike Debian, Ubuntu or a relative: apt-get installs packages.
 * @property {boolean} isUbuntu Ubuntu or a relative: some packages are only there as snaps.
 * @property {boolean} isRoot
 * @property {boolean} hasSystemd systemd is running, not only installed.
 * @property {string} user
 */
import { existsSync, readFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { delimiter, join } from 'node:path';

/** @returns {Machine} */
export function readMachine() {
  const platform = process.platform;
  return {
    platform,
    ...distributionOf(platform === 'linux' ? readText('/etc/os-release') : ''),
    isRoot: process.getuid?.() === 0,
    hasSystemd: existsSync('/run/systemd/system'),
    user: userName(),
  };
}

/**
 * @param {string} osRelease the text of /etc/os-release, empty where there is none
 * @returns {{isDebianLike: boolean, isUbuntu: boolean}}
 */
export function distributionOf(osRelease) {
  const names = [...osRelease.matchAll(/^ID(?:_LIKE)?=["']?([^"'\n]*)/gm)].flatMap((match) =>
    (match[1] ?? '').split(' '),
  );
  return {
    isDebianLike: names.some((name) => name === 'debian' || name === 'ubuntu'),
    isUbuntu: names.includes('ubuntu'),
  };
}

/**
 * @param {string} name a program
 * @returns {string | null} where PATH has it; the places of system programs count even where PATH lacks them
 */
export function findProgram(name) {
  const folders = (process.env.PATH ?? '').split(delimiter);
  if (process.platform !== 'win32') folders.push('/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin');
  const suffixes = process.platform === 'win32' ? ['.exe', '.cmd'] : [''];
  for (const folder of folders.filter(Boolean)) {
    for (const suffix of suffixes) {
      const path = join(folder, name + suffix);
      if (existsSync(path)) return path;
    }
  }
  return null;
}

/** @param {string} path */
function readText(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

/** A user id without an entry in the password file has no name. */
function userName() {
  try {
    return userInfo().username;
  } catch {
    return '$USER';
  }
}
