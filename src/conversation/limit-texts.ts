import type { LimitScope, LimitUse } from '../ports/usage.ts';

const minuteMs = 60_000;

/**
 * Which limit is reached, with its value and what is used of it, and when it frees up. Of several, the one that lasts longest: after
 * it there is room. `reached` is not empty; times in ms since 1970.
 */
export function reachedText(reached: readonly LimitUse[], nowMs: number): string {
  const lasting = reached.reduce((last, use) => (endOf(use) > endOf(last) ? use : last));
  const { scope, kind, used, value, freesAtMs } = lasting;
  const who = whoUsed[scope];
  const when = whenText(freesAtMs ?? nowMs, nowMs);
  switch (kind) {
    case 'tasks-at-once':
      return atOnceText(lasting);
    case 'tasks-per-day':
      return `${who} asked ${formatted(used)} of ${formatted(value)} questions in the last 24 hours. The next one is possible ${when}.`;
    case 'tokens-per-day':
      return `${who} used ${formatted(used)} of ${formatted(value)} tokens of the language model in the last 24 hours. More is possible ${when}.`;
    case 'sandbox-ms-per-day':
      return `${who} used ${seconds(used)} of ${seconds(value)} seconds of computing in the last 24 hours. More is possible ${when}.`;
    default:
      return kind satisfies never;
  }
}

/** A refusal for good does not exist; one that ends with an answer comes before one that ends tomorrow. */
function endOf({ freesAtMs }: LimitUse): number {
  return freesAtMs ?? 0;
}

function atOnceText({ scope, used, value }: LimitUse): string {
  const questions = used === 1 ? 'question' : 'questions';
  const are = used === 1 ? 'is' : 'are';
  const most = `the most at once is ${value}`;
  switch (scope) {
    case 'person':
      return `${used} of your questions ${are} still being answered (${most}); ask again when one is done, or stop one.`;
    case 'channel':
      return `${used} ${questions} in this channel ${are} still being answered (${most} here); ask again when one is done.`;
    case 'workspace':
      return `${used} ${questions} in this workspace ${are} still being answered (${most} for all together); ask again when one is done.`;
    default:
      return scope satisfies never;
  }
}

const whoUsed: Readonly<Record<LimitScope, string>> = {
  person: 'You have',
  channel: 'This channel has',
  workspace: 'This workspace has',
};

/** `in 2 h 10 min (at 14:05 UTC)`. */
function whenText(atMs: number, nowMs: number): string {
  return `in ${waitText(atMs - nowMs)} (at ${clockText(atMs)} UTC)`;
}

/** Rounded up to minutes: whoever comes then must not be early. */
export function waitText(waitMs: number): string {
  const minutes = Math.max(1, Math.ceil(waitMs / minuteMs));
  if (minutes < 60) return `${minutes} min`;
  const rest = minutes % 60;
  return rest === 0 ? `${Math.floor(minutes / 60)} h` : `${Math.floor(minutes / 60)} h ${rest} min`;
}

/** `14:05`; rounded up as well. */
function clockText(atMs: number): string {
  return new Date(Math.ceil(atMs / minuteMs) * minuteMs).toISOString().slice(11, 16);
}

function formatted(count: number): string {
  return count.toLocaleString('en');
}

function seconds(durationMs: number): string {
  return formatted(Math.round(durationMs / 1000));
}
