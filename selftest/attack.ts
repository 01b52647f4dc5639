import type { Engine } from '../sandbox/engine.ts';
import type { SandboxLimits, SandboxProvider, SandboxSession } from '../src/ports/sandbox.ts';
import type { Execution } from '../src/types.ts';
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
  /** A rejection counts as not contained: what could not be judged is no proof. */
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
  readonly image: string;
  readonly limits: SandboxLimits;
  readonly provider: SandboxProvider;
  readonly host: Host;
  readonly engine: Engine;
  /** Aborts when the attack has used up its time. */
  readonly signal: AbortSignal;
  /** A sandbox of the attack's own that nobody used before, and nobody after. */
  session(): Promise<SandboxSession>;
  /** Nobody else uses it meanwhile, but earlier attacks did, and later ones may: for what a working sandbox recovers from. */
  borrowed(): Promise<SandboxSession>;
  /** One that other attacks use at the same time: for what reads and harms nothing, and as the neighbour that must not notice. */
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

/** Contained when no problem is named; each problem says what was seen, `proof` what was seen without one. */
export function verdict(proof: string, problems: readonly (string | false | null)[]): Verdict {
  const found = problems.filter((problem) => typeof problem === 'string');
  return found.length === 0 ? { contained: true, evidence: proof } : { contained: false, evidence: found.join('; ') };
}

/** What an execution came to, for evidence: its status and the begin of its error or output, in one line. */
export function outcome({ status, error, stdout }: Execution): string {
  const text = error === null ? stdout : `${error.name}: ${error.message}`;
  // oxlint-disable-next-line no-control-regex
  const line = text.trim().replaceAll(/[\s\u0000-\u001f\u007f-\u009f]+/g, ' ');
  return `${status} (${line.slice(0, 160).toWellFormed()})`;
}
