import { z } from 'zod';

/** What one engine says of itself that decides how well its containers hold. `null`: it does not say. */
export interface ProtectionFacts {
  readonly engineVersion: string;
  readonly runcVersion: string | null;
  /** What sandboxes run on. */
  readonly runtime: string;
  readonly hasSeccomp: boolean;
  readonly hasUserNamespaces: boolean;
  readonly isRootless: boolean;
  readonly cgroupVersion: string | null;
  readonly limitsMemory: boolean;
  readonly limitsSwap: boolean;
  readonly limitsProcesses: boolean;
}

/** One line for the log of a start. `warn`: something that should protect does not. */
export interface Protection {
  readonly level: 'info' | 'warn';
  readonly text: string;
}

/** The part of `docker info` and `docker version` that tells how well containers hold. An engine that leaves a word out lacks the thing. */
const engineWords = z.object({
  DefaultRuntime: z.string().catch('runc'),
  ServerVersion: z.string().catch('of unknown version'),
  SecurityOptions: z.array(z.string()).catch([]),
  CgroupVersion: z.string().nullable().catch(null),
  MemoryLimit: z.boolean().catch(false),
  SwapLimit: z.boolean().catch(false),
  PidsLimit: z.boolean().catch(false),
});
const versionWords = z.object({
  Components: z.array(z.object({ Name: z.string(), Version: z.string() })).catch([]),
});

/** From the engine's answers to `info` and `version`. `runtime` is what sandboxes run on; null: the engine's default. */
export function protectionFacts(info: unknown, version: unknown, runtime: string | null): ProtectionFacts {
  const said = engineWords.parse(info);
  const security = said.SecurityOptions;
  const runc = versionWords.parse(version).Components.find(({ Name }) => Name === 'runc');
  return {
    engineVersion: said.ServerVersion,
    runcVersion: runc?.Version ?? null,
    runtime: runtime ?? said.DefaultRuntime,
    hasSeccomp: security.some((option) => option.startsWith('name=seccomp')),
    hasUserNamespaces: security.some((option) => option.startsWith('name=userns')),
    isRootless: security.some((option) => option.startsWith('name=rootless')),
    cgroupVersion: said.CgroupVersion,
    limitsMemory: said.MemoryLimit,
    limitsSwap: said.SwapLimit,
    limitsProcesses: said.PidsLimit,
  };
}

interface KnownEscape {
  readonly name: string;
  /** First mended release of each line of releases, oldest line first; a newer line is mended from its beginning. */
  readonly mendedIn: readonly (readonly [number, number, number])[];
}

/** From runc's security advisories. They begin when a container starts, so none needs the code inside to do anything first. */
const runcEscapes: readonly KnownEscape[] = [
  { name: 'CVE-2024-21626', mendedIn: [[1, 1, 12]] },
  {
    name: 'CVE-2025-31133, CVE-2025-52565, CVE-2025-52881',
    mendedIn: [
      [1, 2, 8],
      [1, 3, 3],
      [1, 4, 0],
    ],
  },
];

/** Docker's filter let programs open AF_ALG sockets before this one; ours never does. */
const algSockets: KnownEscape = { name: 'CVE-2026-31431', mendedIn: [[29, 4, 3]] };
/** Unpacking an uploaded archive. Files reach a sandbox by its stream, so the call is never made. */
const uploadedArchive: KnownEscape = { name: 'CVE-2026-41567', mendedIn: [[29, 5, 1]] };

/** In words what stands between the code in a sandbox and the machine, what is missing there, and what to do about it. */
export function describeProtection(facts: ProtectionFacts): Protection {
  const walls = [
    wallOf(facts.runtime),
    'no network',
    'no capabilities',
    'read-only root',
    ...(facts.hasSeccomp ? ['own seccomp filter'] : []),
    ...(facts.isRootless ? ['rootless engine'] : []),
    ...(facts.hasUserNamespaces ? ['user namespaces'] : []),
    `limits by cgroup ${facts.cgroupVersion === null ? 'of unknown version' : `v${facts.cgroupVersion}`}`,
  ];
  const holes = weaknesses(facts);
  const notes = remarks(facts);
  const text = [
    `Docker ${facts.engineVersion}. Protects: ${walls.join(', ')}.`,
    ...(holes.length > 0 ? [`WEAK: ${holes.join(' ')}`] : []),
    ...(notes.length > 0 ? [`To know: ${notes.join(' ')}`] : []),
  ].join(' ');
  return { level: holes.length > 0 ? 'warn' : 'info', text };
}

function wallOf(runtime: string): string {
  if (runtime === 'runsc') return 'a kernel of its own (gVisor, runsc)';
  return sharesKernel(runtime) ? `namespaces on the machine's own kernel (${runtime})` : `the runtime ${runtime}`;
}

function sharesKernel(runtime: string): boolean {
  return /\b(runc|crun|youki)\b/.test(runtime);
}

function weaknesses(facts: ProtectionFacts): readonly string[] {
  const found: string[] = [];
  if (!facts.hasSeccomp) {
    const alg = isOlder(facts.engineVersion, algSockets) ? ` (${algSockets.name} can be reached)` : '';
    found.push(`This engine runs without seccomp, so no system call is filtered${alg}; use a kernel that has it.`);
  }
  if (!facts.limitsMemory) found.push('This engine cannot limit memory; enable the memory cgroup.');
  else if (!facts.limitsSwap) {
    found.push(
      'Swap is not limited, so a sandbox can use more than its memory; boot with swapaccount=1 or switch swap off.',
    );
  }
  if (!facts.limitsProcesses) found.push('This engine cannot limit processes; enable the pids cgroup.');
  const runc = facts.runcVersion;
  const escapes =
    runc === null || !/\brunc\b/.test(facts.runtime) ? [] : runcEscapes.filter((escape) => isOlder(runc, escape));
  if (escapes.length > 0) {
    const names = escapes.map(({ name }) => name).join(', ');
    const hedge = isDistributionBuild(runc ?? '') ? ', unless the distribution mended them under this number' : '';
    found.push(`By its number runc ${runc} has known escapes (${names}${hedge}); update Docker and runc.`);
  }
  return found;
}

function remarks(facts: ProtectionFacts): readonly string[] {
  const notes: string[] = [];
  if (sharesKernel(facts.runtime)) {
    notes.push(
      "A hole in the machine's kernel is a hole in every sandbox; gVisor adds a kernel of its own between them (Debian, Ubuntu: npm run setup as root; else gvisor.dev).",
    );
  }
  if (!facts.hasUserNamespaces && !facts.isRootless) {
    notes.push(
      'Root in a container would be root outside; sandboxes run without root, and userns-remap would add a second lock.',
    );
  }
  const held = [algSockets, uploadedArchive].filter((escape) => isOlder(facts.engineVersion, escape));
  if (held.length > 0 && facts.hasSeccomp) {
    notes.push(
      `By its number this engine has ${held.map(({ name }) => name).join(' and ')}, which sandboxes cannot use (filtered, or never called); other containers can: update Docker.`,
    );
  }
  return notes;
}

/** A version that cannot be read counts as mended: a warning must not rest on a guess. */
function isOlder(version: string, { mendedIn }: KnownEscape): boolean {
  const [, major, minor, patch, rest] = /^v?(\d+)\.(\d+)\.(\d+)(.*)$/.exec(version) ?? [];
  const first = mendedIn[0];
  if (major === undefined || minor === undefined || patch === undefined || first === undefined) return false;
  const line = mendedIn.find((mended) => mended[0] === Number(major) && mended[1] === Number(minor));
  const own = [Number(major), Number(minor), Number(patch)] as const;
  if (line === undefined) return compare(own, mendedIn.at(-1) ?? first) < 0;
  const order = compare(own, line);
  // 1.4.0-rc.3 was the first mended candidate of its line.
  const candidate = /^-rc\.(\d+)/.exec(rest ?? '')?.[1];
  return order < 0 || (order === 0 && candidate !== undefined && Number(candidate) < 3);
}

function compare(a: readonly [number, number, number], b: readonly [number, number, number]): number {
  return a[0] - b[0] || a[1] - b[1] || a[2] - b[2];
}

/** Debian's and Ubuntu's releases keep their number and mend single faults. */
function isDistributionBuild(version: string): boolean {
  return /[+~-](ds|dfsg|deb|\d*ubuntu)/.test(version);
}
