import { toAppError } from '../errors.ts';
import { withoutSecrets } from '../log.ts';

/** Asks whether something works. Rejects with the reason where it does not; the signal aborts when nobody waits any more. */
export type Check = (signal: AbortSignal) => Promise<void>;

/** What was found: `null`, or what is wrong in one line. Never rejects. */
export type Finding = () => Promise<string | null>;

/** Longest answer of what is asked, and how long its last answer is believed, so that asking often costs nothing. */
const timeoutMs = 2000;
const freshMs = 1000;
const reasonCharacters = 300;

/** One question at a time: where an earlier one still hangs, it is not asked again. */
export function createFinding(check: Check): Finding {
  let last: { readonly atMs: number; readonly problem: string | null } | null = null;
  let underWay: Promise<string | null> | null = null;

  const ask = (): Promise<string | null> => {
    const { promise: late, resolve } = Promise.withResolvers<string>();
    const patience = new AbortController();
    const timer = setTimeout(() => {
      patience.abort();
      resolve(`no answer in ${timeoutMs / 1000} s`);
    }, timeoutMs);
    const answer = asked(check, patience.signal).then((problem) => {
      clearTimeout(timer);
      if (!patience.signal.aborted) last = { atMs: performance.now(), problem };
      underWay = null;
      return problem;
    });
    return Promise.race([answer, late]);
  };

  return () => {
    if (last !== null && performance.now() < last.atMs + freshMs) return Promise.resolve(last.problem);
    underWay ??= ask();
    return underWay;
  };
}

async function asked(check: Check, signal: AbortSignal): Promise<string | null> {
  try {
    await check(signal);
    return null;
  } catch (error) {
    return reasonOf(error);
  }
}

function reasonOf(error: unknown): string {
  const [line = ''] = withoutSecrets(toAppError(error).message).split('\n');
  return line === '' ? 'failed without a word' : line.slice(0, reasonCharacters);
}
