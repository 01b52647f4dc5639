import type { SandboxSession } from '../src/ports/sandbox.ts';
import type { Stage } from './attack.ts';
import type { HostProcess } from './host.ts';

/** CAP_CHOWN, DAC_OVERRIDE, DAC_READ_SEARCH, FOWNER, FSETID, SYS_CHROOT: what gVisor's file server keeps to serve the read-only root. */
const fileServerCapabilities = 0x4001fn;
/** A user namespace of the container's own is left out: an engine with user namespaces has one, and others do without. */
const ownNamespaces = ['ipc', 'mnt', 'net', 'uts'];

/**
 * The walls around a container as the host sees them, whatever the code inside says: capabilities, privileges, system call filter,
 * namespaces, network devices. One sentence per hole; none means that every wall stands.
 */
export async function holes(stage: Stage, session: SandboxSession): Promise<readonly string[]> {
  const processes = await stage.host.processes(session);
  const machine = await machineNamespaces(stage);
  const found = processes.length === 0 ? ['the host sees no process of the container'] : [];
  const say = ({ pid, name }: HostProcess, hole: string): void => void found.push(`process ${pid} (${name}) ${hole}`);
  const seen: Record<string, string>[] = [];
  for (const process of processes) {
    const { pid, status, userId } = process;
    const isFileServer = stage.runtime === 'runsc' && userId === 0;
    const namespaces = await stage.host.namespaces(pid);
    // Ended between two looks.
    if (namespaces === null) continue;
    const capabilities = BigInt(`0x${status['CapEff']}`);
    // Capabilities of gVisor's own processes hold against their own user namespace alone.
    const areHarmless =
      stage.runtime === 'runc'
        ? capabilities === 0n
        : isFileServer
          ? (capabilities & ~fileServerCapabilities) === 0n
          : namespaces['user'] !== machine['user'];
    if (!areHarmless) say(process, `holds capabilities ${status['CapEff']}`);
    if (userId === 0 && !isFileServer) say(process, 'runs as root');
    if (status['NoNewPrivs'] !== '1') say(process, 'may gain privileges');
    if (status['Seccomp'] !== '2') say(process, `runs without a system call filter (mode ${status['Seccomp']})`);
    const kinds = stage.runtime === 'runc' ? [...ownNamespaces, 'pid'] : ownNamespaces;
    const common = kinds.filter((kind) => namespaces[kind] === machine[kind]);
    if (common.length > 0) say(process, `shares ${common.join(', ')} with the host`);
    const devices = ((await stage.host.networkDevices(pid)) ?? []).filter((device) => device !== 'lo');
    if (devices.length > 0) say(process, `sees ${devices.join(', ')}`);
    if (!isFileServer) seen.push(namespaces);
  }
  if (processes.length > 0 && seen.length === 0)
    found.push('every process of the container ended while it was looked at');
  const changed = [...ownNamespaces, 'user'].filter((kind) => new Set(seen.map((own) => own[kind])).size > 1);
  if (changed.length > 0) found.push(`some processes have made their own namespaces: ${changed.join(', ')}`);
  return found;
}

/** The namespaces of the machine itself, which this process lives in. */
export async function machineNamespaces(stage: Stage): Promise<Readonly<Record<string, string>>> {
  return (await stage.host.namespaces('self')) ?? {};
}
