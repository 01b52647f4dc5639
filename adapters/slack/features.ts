import { AppError } from '../../src/errors.ts';
import { SlackCallError } from './errors.ts';

/** What a workspace, a channel or a person was found to be without. A cache: losing it costs one call. */
export interface MissingFeatures {
  isMissing(key: string): boolean;
  /** True where the error says so for longer than this moment; it is then remembered. */
  note(key: string, error: unknown): boolean;
  forget(key: string): void;
}

/** Plans and settings change seldom, and a call that fails costs a person nothing but a moment. */
const rememberedMs = 10 * 60_000;
const maxKeys = 5000;

export function createMissingFeatures(now: () => number): MissingFeatures {
  const untilMs = new Map<string, number>();
  return {
    forget: (key) => {
      untilMs.delete(key);
    },
    isMissing: (key) => (untilMs.get(key) ?? 0) > now(),
    note: (key, error) => {
      const waitMs = waitOf(error);
      if (waitMs === null) return false;
      if (untilMs.size >= maxKeys) untilMs.clear();
      untilMs.set(key, now() + waitMs);
      return true;
    },
  };
}

/** `null`: the call may work the next time, for nobody said no to it. */
function waitOf(error: unknown): number | null {
  if (error instanceof AppError && error.code === 'platform-rate-limited') return error.retryAfterMs ?? 60_000;
  return error instanceof SlackCallError && error.slackCode !== null && !error.ambiguous ? rememberedMs : null;
}
