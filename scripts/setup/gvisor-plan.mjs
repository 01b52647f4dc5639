/**
 * How Docker starts gVisor. Without its own network switched off it refuses containers that have none; the platform ptrace works on every
 * machine, where kvm wants hardware that many virtual ones lack.
 */
export const registration = { path: '/usr/bin/runsc', runtimeArgs: ['--network=none', '--platform=ptrace'] };

/**
 * What to do about gVisor.
 *
 * @param {import('./machine.mjs').Machine} machine
 * @param {object} seen
 * @param {boolean} seen.isRegistered the engine lists the runtime runsc
 * @param {boolean} seen.isOwnEngine the engine is the one of this machine, comes from Debian's package and reads the usual configuration
 * @param {boolean} seen.wasTold an earlier run advised or failed, and this one was not asked to look again
 * @returns {'nothing' | 'install' | 'advise'}
 */
export function planFor(machine, { isRegistered, isOwnEngine, wasTold }) {
  if (isRegistered || wasTold || machine.platform !== 'linux') return 'nothing';
  return machine.isRoot && machine.isDebianLike && isOwnEngine ? 'install' : 'advise';
}

/**
 * @param {string} configFile
 * @param {string} commandLine of the running engine
 * @returns {boolean} the engine reads this configuration, and may find runtimes there: with some on its command line as well it would
 *   not start again
 */
export function takesRuntimesFrom(configFile, commandLine) {
  if (commandLine.includes('--add-runtime')) return false;
  return !commandLine.includes('--config-file') || commandLine.includes(configFile);
}

/**
 * Docker's configuration with gVisor in it; everything else stays as it is.
 *
 * @param {string | null} text of daemon.json; null: there is none
 * @returns {{text: string} | {unchanged: true} | {problem: string}}
 */
export function withGvisor(text) {
  /** @type {unknown} */
  let parsed;
  try {
    parsed = text === null || text.trim() === '' ? {} : JSON.parse(text);
  } catch (error) {
    return { problem: `it is not JSON (${error instanceof Error ? error.message : String(error)})` };
  }
  if (!isObject(parsed)) return { problem: 'it is not a JSON object' };
  const runtimes = parsed.runtimes ?? {};
  if (!isObject(runtimes)) return { problem: 'its "runtimes" is not a JSON object' };
  if (runtimes.runsc !== undefined) return { unchanged: true };
  const merged = { ...parsed, runtimes: { ...runtimes, runsc: registration } };
  return { text: `${JSON.stringify(merged, null, 2)}\n` };
}

/**
 * @param {unknown} value
 * @returns {value is Record<string, unknown>}
 */
function isObject(value) {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
