import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/**
 * V8 collects the pieces of a streamed file late, because they are no part of its own heap: 100 MB read from a sandbox grew this
 * process by 80 MB. Asked for a small collection now and then, it stays below 32 MB; each takes about a millisecond.
 */
const everyBytes = 8 * 1024 * 1024;

/** For one stream: call with the size of each piece that was passed on. */
export function createPieceCollector(): (bytes: number) => void {
  let since = 0;
  let collect: ((options: { readonly type: 'minor' }) => void) | null = null;
  return (bytes) => {
    since += bytes;
    if (since < everyBytes) return;
    since = 0;
    collect ??= collectorOfNewContext();
    collect({ type: 'minor' });
  };
}

function collectorOfNewContext(): (options: { readonly type: 'minor' }) => void {
  // Only contexts made from now on get the function, so no other code sees it.
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc') as (options: { readonly type: 'minor' }) => void;
}
