import type { Cell } from '../types.ts';
import { isReplayable } from './replay.ts';

/** The same in every thread: the same question asked twice draws the same random numbers. */
const threadSeed = 20_240_229;

/**
 * The seed of the cell after `last`, so that every run of cells that a replay goes through begins from a known state: the first
 * cell of the thread, and the first after one that ended its Python process or that a replay leaves out. `null`: the random
 * numbers go on.
 */
export function seedOfNext(last: Cell | null): number | null {
  if (last === null) return threadSeed;
  return isReplayable(last) ? null : threadSeed;
}
