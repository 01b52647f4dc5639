import { AppError } from '../src/errors.ts';
import type { Logger } from '../src/log.ts';
import type { Engine } from './engine.ts';
import { outageMs, outagePollMs } from './limits.ts';
import { abortable } from './turns.ts';

/**
 * An engine that answered before and does not now is being restarted, most likely. One that never answered is missing: its
 * callers hear that at once.
 */
export interface Outage {
  /** The engine did something for us. */
  seen(): void;
  /**
   * Whether it is worth trying again after `error`: true when the engine was away and is back. False, without waiting, for every
   * other failure. `onWait` is called where there is something to wait for. Rejects with `cancelled` when aborted.
   */
  isOver(error: unknown, signal: AbortSignal, onWait: () => void): Promise<boolean>;
}

export function createOutage(deps: {
  readonly engine: Pick<Engine, 'check'>;
  readonly closing: AbortSignal;
  readonly log: Logger;
}): Outage {
  const { engine, closing, log } = deps;
  let wasSeen = false;
  let back: Promise<boolean> | null = null;

  const answers = async (): Promise<boolean> => {
    try {
      await engine.check();
      return true;
    } catch (error) {
      return !isUnavailable(error);
    }
  };

  /** One row of questions to the engine, however many wait for it. */
  const waitForEngine = async (): Promise<boolean> => {
    log.warn({ atMostMs: outageMs }, 'the Docker engine is away; waiting for it');
    const untilMs = Date.now() + outageMs;
    let isBack = await answers();
    while (!isBack && !closing.aborted && Date.now() < untilMs) {
      await new Promise((resolve) => setTimeout(resolve, outagePollMs));
      isBack = await answers();
    }
    back = null;
    if (isBack) log.info({}, 'the Docker engine is back');
    return isBack;
  };

  return {
    seen() {
      wasSeen = true;
    },
    async isOver(error, signal, onWait) {
      const isOutage = isUnavailable(error) || (isFailedStart(error) && !(await abortable(answers(), signal)));
      if (!wasSeen || !isOutage) return false;
      onWait();
      back ??= waitForEngine();
      return abortable(back, signal);
    },
  };
}

function isUnavailable(error: unknown): boolean {
  return error instanceof AppError && error.code === 'docker-unavailable';
}

/** What a start that an engine's end interrupts looks like, too. */
function isFailedStart(error: unknown): boolean {
  return error instanceof AppError && error.code === 'sandbox-failed';
}
