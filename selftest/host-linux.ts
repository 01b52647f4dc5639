import { existsSync } from 'node:fs';
import { readdir, readFile, readlink, statfs } from 'node:fs/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Engine } from '../sandbox/engine.ts';
import { labelNames } from '../sandbox/owner.ts';
import type { Host, HostProcess } from './host.ts';

const namespaceKinds = ['cgroup', 'ipc', 'mnt', 'net', 'pid', 'user', 'uts'];
const engineFolder = '/var/lib/docker';

/** The view through this machine's /proc. `ownerId`: whose containers `containers` tells of. */
export function createLinuxHost(engine: Pick<Engine, 'list'>, ownerId: string): Host {
  const collectGarbage = garbageCollector();
  return {
    async processes({ id }) {
      const found = await Promise.all((await processIds()).map((pid) => readProcess(pid, id)));
      return found.filter((process) => process !== null);
    },
    async processCount() {
      return (await processIds()).length;
    },
    async namespaces(pid) {
      const entries = namespaceKinds.map(async (kind): Promise<[string, string]> => {
        return [kind, await readlink(`/proc/${pid}/ns/${kind}`)];
      });
      const found = await unlessEnded(Promise.all(entries));
      return found === null ? null : Object.fromEntries(found);
    },
    async networkDevices(pid) {
      const text = await unlessEnded(readFile(`/proc/${pid}/net/dev`, 'utf8'));
      if (text === null) return null;
      return [...text.matchAll(/^\s*([^\s:|]+):/gm)].map(([, name = '']) => name);
    },
    async disk() {
      const { bsize, blocks, bfree, files, ffree } = await statfs(existsSync(engineFolder) ? engineFolder : '/');
      return { usedBytes: (blocks - bfree) * bsize, usedInodes: files - ffree };
    },
    async availableMemoryBytes() {
      const kibibytes = /^MemAvailable:\s+(\d+) kB/m.exec(await readFile('/proc/meminfo', 'utf8'))?.[1];
      return Number(kibibytes) * 1024;
    },
    botMemoryBytes() {
      collectGarbage();
      return process.memoryUsage.rss();
    },
    async containers() {
      const owned = await engine.list();
      return owned.filter(({ labels }) => labels[labelNames.owner] === ownerId);
    },
  };
}

async function processIds(): Promise<readonly number[]> {
  return (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
}

/** Null where it is none of the container's, or ended meanwhile. */
async function readProcess(pid: number, containerId: string): Promise<HostProcess | null> {
  try {
    // Every control group of the engine's carries the container's id in its path, in both cgroup versions and both drivers.
    if (!(await readFile(`/proc/${pid}/cgroup`, 'utf8')).includes(containerId)) return null;
    const text = await readFile(`/proc/${pid}/status`, 'utf8');
    const status = Object.fromEntries([...text.matchAll(/^(\w+):\s*(.*)$/gm)].map(([, key, value]) => [key, value]));
    return {
      pid,
      userId: Number(String(status['Uid']).split('\t')[0]),
      name: String(status['Name']),
      state: String(status['State']).slice(0, 1),
      status,
    };
  } catch {
    return null;
  }
}

async function unlessEnded<T>(look: Promise<T>): Promise<T | null> {
  try {
    return await look;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : null;
    // EINVAL: it has ended and nobody has asked for its exit code yet.
    if (code === 'ENOENT' || code === 'ESRCH' || code === 'EINVAL') return null;
    throw new Error(
      `this machine's /proc does not show it (${String(error)}); run the battery as root on the machine that runs the engine`,
      { cause: error },
    );
  }
}

function garbageCollector(): () => void {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc') as () => void;
}
