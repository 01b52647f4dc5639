import type { LimitKind, LimitScope, LimitUse, Money } from '../src/ports/usage.ts';
import { formatCount } from './format.ts';

/** What was paid, for a person: `USD 1.20`, `EUR 0.0042 and USD 3.00`. Empty where nothing has a price. */
export function moneyText(money: readonly Money[]): string {
  return money.map(({ currency, micros }) => `${currency} ${amountText(micros / 1_000_000)}`).join(' and ');
}

function amountText(amount: number): string {
  // Below a hundredth two digits would say that it was for free.
  return amount > 0 && amount < 0.01 ? amount.toFixed(4) : amount.toFixed(2);
}

const whose: readonly (readonly [LimitScope, string])[] = [
  ['person', 'Left for you'],
  ['channel', 'Left for this channel'],
  ['workspace', 'Left for all of this workspace'],
];

/** One line for each scope that has limits, in plain text: `Left for you: 15 of 20 questions in 24 hours, 2 of 3 at once`. */
export function limitLines(limits: readonly LimitUse[]): readonly string[] {
  return whose.flatMap(([scope, words]) => {
    const parts = limits.filter((limit) => limit.scope === scope).map(limitText);
    return parts.length === 0 ? [] : [`${words}: ${parts.join(', ')}`];
  });
}

function limitText({ kind, used, value, freesAtMs }: LimitUse): string {
  const unit = kind === 'sandbox-ms-per-day' ? 1000 : 1;
  const left = formatCount(Math.floor(Math.max(0, value - used) / unit));
  const until = freesAtMs === null ? '' : ` (more at ${clock(freesAtMs)} UTC)`;
  return `${left} of ${formatCount(Math.round(value / unit))} ${things[kind]}${until}`;
}

const things: Readonly<Record<LimitKind, string>> = {
  'tasks-at-once': 'questions at once',
  'tasks-per-day': 'questions in 24 hours',
  'tokens-per-day': 'tokens in 24 hours',
  'sandbox-ms-per-day': 'seconds of Python in 24 hours',
};

/** Rounded up to the minute: who comes then must not be early. */
function clock(atMs: number): string {
  return new Date(Math.ceil(atMs / 60_000) * 60_000).toISOString().slice(11, 16);
}
