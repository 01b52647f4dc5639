import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** The figures by which the machine's kernel holds a process to its limits, in either cgroup version. */
export interface CpuGroup {
  /** Processor seconds per second that it may use; `null` where it is not limited. */
  readonly cpus: number | null;
  /** Processor time it has used so far, with all of its processes. */
  readonly usedSeconds: number;
}

const mount = '/sys/fs/cgroup';

/** Rejects, in words, where this machine's files do not show it. */
export async function cpuGroupOf(pid: number): Promise<CpuGroup> {
  try {
    const lines = (await readFile(`/proc/${pid}/cgroup`, 'utf8')).trim().split('\n');
    const old = lines.find((line) => line.split(':')[1]?.split(',').includes('cpu'));
    return old === undefined ? await unified(pathOf(lines[0] ?? '')) : await legacy(pathOf(old));
  } catch (error) {
    throw new Error(
      `this machine does not show the control group of process ${pid} (${String(error)}); run the battery as root`,
      {
        cause: error,
      },
    );
  }
}

function pathOf(line: string): string {
  return line.split(':').slice(2).join(':');
}

async function legacy(path: string): Promise<CpuGroup> {
  const figure = async (controller: string, name: string): Promise<number> =>
    Number(await readFile(join(mount, controller, path, name), 'utf8'));
  const quota = await figure('cpu', 'cpu.cfs_quota_us');
  const period = await figure('cpu', 'cpu.cfs_period_us');
  return { cpus: quota <= 0 ? null : quota / period, usedSeconds: (await figure('cpuacct', 'cpuacct.usage')) / 1e9 };
}

async function unified(path: string): Promise<CpuGroup> {
  const [quota = 'max', period = '1'] = (await readFile(join(mount, path, 'cpu.max'), 'utf8')).trim().split(' ');
  const used = /^usage_usec (\d+)/m.exec(await readFile(join(mount, path, 'cpu.stat'), 'utf8'))?.[1];
  return { cpus: quota === 'max' ? null : Number(quota) / Number(period), usedSeconds: Number(used) / 1e6 };
}
