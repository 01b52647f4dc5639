import type { SandboxSession } from '../ports/sandbox.ts';
import type { Sessions } from './sessions.ts';

/**
 * The same sessions; `onRun` is told how long each run took that the task asked for, also one that was lost. Cells that run again
 * because their container was given up are not the task's: nobody asked for that.
 */
export function withMeter(sessions: Sessions, onRun: (durationMs: number) => void): Sessions {
  const metered = (session: SandboxSession): SandboxSession => ({
    id: session.id,
    imageDigest: session.imageDigest,
    get alive() {
      return session.alive;
    },
    write: (...file) => session.write(...file),
    run: async (...cell) => {
      const execution = await session.run(...cell);
      onRun(execution.durationMs);
      return execution;
    },
    list: (dir) => session.list(dir),
    read: (...file) => session.read(...file),
    suspend: () => session.suspend(),
    [Symbol.asyncDispose]: () => session[Symbol.asyncDispose](),
  });
  return {
    ...sessions,
    open: async (...which) => {
      const opened = await sessions.open(...which);
      return { ...opened, session: metered(opened.session) };
    },
    apart: async (...which) => {
      const opened = await sessions.apart(...which);
      return { session: metered(opened.session), [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose]() };
    },
  };
}
