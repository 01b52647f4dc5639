import type { Engine } from '../sandbox/engine.ts';
import type { SandboxProvider, SandboxSession } from '../src/ports/sandbox.ts';
import type { Attack, AttackResult, Runtime, Stage } from './attack.ts';
import type { Host } from './host.ts';

/** Longest time of one attack; the slowest one boots two sandboxes of gVisor's and fills one of them. */
const attackMs = 60_000;
const cellMs = 10_000;

export interface StageDeps {
  readonly runtime: Runtime;
  readonly image: string;
  readonly limits: Stage['limits'];
  readonly provider: SandboxProvider;
  readonly engine: Engine;
  readonly host: Host;
}

/** Runs attacks on one provider. Disposing closes the sandboxes that attacks had in common. */
export interface Theatre extends AsyncDisposable {
  perform(attack: Attack): Promise<AttackResult>;
}

export function createTheatre(deps: StageDeps): Theatre {
  const { provider, limits } = deps;
  const never = new AbortController().signal;
  const acquire = (signal: AbortSignal): Promise<SandboxSession> => provider.acquire(limits, signal);
  const returned: SandboxSession[] = [];
  let common: Promise<SandboxSession> | null = null;

  const shared = async (): Promise<SandboxSession> => {
    const session = await (common ??= acquire(never));
    if (session.alive) return session;
    common = acquire(never);
    return common;
  };

  const openStage = (signal: AbortSignal) => {
    const own: SandboxSession[] = [];
    const borrowed: SandboxSession[] = [];
    const stage: Stage = {
      ...deps,
      signal,
      shared,
      async session() {
        const session = await acquire(signal);
        own.push(session);
        return session;
      },
      async borrowed() {
        const session = returned.pop() ?? (await acquire(signal));
        borrowed.push(session);
        return session;
      },
      run: (session, code, timeoutMs = cellMs) => session.run(code, { timeoutMs, signal, onOutput: () => {} }),
    };
    const close = async (): Promise<void> => {
      for (const session of borrowed) {
        if (session.alive && (await isWhole(session))) returned.push(session);
        else own.push(session);
      }
      await Promise.all(own.map((session) => session[Symbol.asyncDispose]()));
    };
    return { stage, close };
  };

  return {
    async perform(tried) {
      const startedAt = performance.now();
      const timeout = AbortSignal.timeout(attackMs);
      const { stage, close } = openStage(timeout);
      let verdict;
      try {
        verdict = await Promise.race([tried.run(stage), rejectOnAbort(timeout)]);
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        verdict = { contained: false, evidence: `could not be judged: ${reason}` };
      }
      await close();
      const seconds = Math.round((performance.now() - startedAt) / 10) / 100;
      const { id, threat, attack } = tried;
      return { id, threat, attack, runtime: deps.runtime, ...verdict, seconds };
    },
    async [Symbol.asyncDispose]() {
      const last = common === null ? null : await common.catch(() => null);
      const left = last === null ? returned : [...returned, last];
      await Promise.all(left.map((session) => session[Symbol.asyncDispose]()));
    },
  };
}

/** Fit for the next borrower: an empty workspace and a Python that answers. */
async function isWhole(session: SandboxSession): Promise<boolean> {
  const tidy = `import os, shutil
for place in ("/mnt/data", "/dev/shm"):
    for entry in os.scandir(place):
        shutil.rmtree(entry.path) if entry.is_dir(follow_symlinks=False) else os.unlink(entry.path)
print("whole")`;
  const options = { timeoutMs: cellMs, signal: AbortSignal.timeout(cellMs), onOutput: () => {} };
  return (await session.run(tidy, options)).stdout.includes('whole');
}

function rejectOnAbort(signal: AbortSignal): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>();
  signal.addEventListener('abort', () => reject(new Error(`not over after ${attackMs / 1000} s`)), { once: true });
  return promise;
}
