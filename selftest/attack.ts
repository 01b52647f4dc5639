import type { Execution } from '../src/types.ts';
import type { SandboxLimits, SandboxProvider, SandboxSession } from '../src/ports.ts';
import type { Host } from './host.ts';

export type Runtime = 'runc' | 'runsc';

/** One attack of the battery. What it claims is decided outside the container wherever the outside can see it. */
export interface Attack {
  /** `t05-double-fork`: the threat's number, then what is tried. Unique. */
  readonly id: string;
  /** 1 to 21, the rows of the threat table in this folder's README. */
  readonly threat: number;
  /** What is tried and what must hold, in one line for an operator. */
  readonly attack: string;
  /** Nothing else runs meanwhile: it looks at the whole host, or would disturb its neighbours' timing. */
  readonly alone: boolean;
  run(stage: Stage): Promise<Verdict>;
}

export interface Verdict {
  readonly contained: boolean;
  /** What was seen, in one line: the proof, or what went wrong. */
  readonly evidence: string;
}

/** What an attack works with. Whatever it opened here is closed when it is over. */
export interface Stage {
  readonly runtime: Runtime;
  readonly limits: SandboxLimits;
  readonly provider: SandboxProvider;
  readonly host: Host;
  readonly signal: AbortSignal;
  /** A sandbox of the attack's own. */
  session(): Promise<SandboxSession>;
  /** One that other attacks of the run use as well: for what reads and harms nothing. */
  shared(): Promise<SandboxSession>;
  /** Runs a cell with 10 s unless told otherwise. */
  run(session: SandboxSession, code: string, timeoutMs?: number): Promise<Execution>;
}

/** One row of the JSON that `npm run selftest -- --json FILE` writes. */
export interface AttackResult {
  readonly id: string;
  readonly threat: number;
  readonly attack: string;
  readonly runtime: Runtime;
  readonly contained: boolean;
  readonly evidence: string;
  readonly seconds: number;
}
