/** Figures for a person: thousands separated, at most two decimals, the unit behind. */

const integers = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });
const decimals = new Intl.NumberFormat('en-US', { maximumFractionDigits: 2 });
const cents = new Intl.NumberFormat('en-US', { minimumFractionDigits: 2, maximumFractionDigits: 2 });
const significant = new Intl.NumberFormat('en-US', { maximumSignificantDigits: 3 });

const words: readonly (readonly [number, string])[] = [
  [1e12, 'trillion'],
  [1e9, 'billion'],
];

export function formatNumber(value: number): string {
  const size = Math.abs(value);
  const big = words.find(([limit]) => size >= limit);
  if (big !== undefined) return `${decimals.format(value / big[0])} ${big[1]}`;
  if (size >= 1e6) return integers.format(value);
  if (size > 0 && size < 0.01) return significant.format(value);
  return decimals.format(value);
}

/** `12.5%`, `$1,200`, `1,200 EUR`. */
export function withUnit(value: number, unit: string | null): string {
  const isMoney =
    unit !== null && /^(?:[A-Z]{3}|[$€£¥]|US\$)$/.test(unit) && Math.abs(value) < 1e6 && !Number.isInteger(value);
  const text = isMoney ? cents.format(value) : formatNumber(value);
  if (unit === null || unit === '') return text;
  if (unit === '%') return `${text}%`;
  return /^[$€£¥]$/.test(unit) ? `${value < 0 ? '-' : ''}${unit}${text.replace('-', '')}` : `${text} ${unit}`;
}

export function percent(value: number): string {
  return `${new Intl.NumberFormat('en-US', { maximumFractionDigits: 1 }).format(value)}%`;
}

export function signedPercent(value: number): string {
  return `${value > 0 ? '+' : ''}${percent(value)}`;
}

export function plural(count: number, one: string, many = `${one}s`): string {
  return `${integers.format(count)} ${count === 1 ? one : many}`;
}

/** `a`, `a and b`, `a, b and c`. */
export function listed(items: readonly string[]): string {
  if (items.length < 2) return items[0] ?? '';
  return `${items.slice(0, -1).join(', ')} and ${items.at(-1) ?? ''}`;
}

/** Text from a file inside Markdown: its marks are shown, not obeyed. */
export function plainText(text: string): string {
  return text
    .replace(/[\r\n]+/g, ' ')
    .replace(/([\\`*_~[\]|])/g, '\\$1')
    .slice(0, 200);
}
