/** Text for people, the same on every platform. */

const byteUnits = ['bytes', 'KB', 'MB', 'GB'] as const;

/** `1536` -> `1.5 KB`; units of 1024, at most one decimal. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < byteUnits.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${unit === 0 ? value : Number(value.toFixed(1))} ${byteUnits[unit]}`;
}

/** `1234567` -> `1,234,567`. */
export function formatCount(count: number): string {
  return count.toLocaleString('en-US');
}

/** `1 row`, `1,234 rows`. */
export function counted(count: number, noun: string): string {
  return `${formatCount(count)} ${noun}${count === 1 ? '' : 's'}`;
}

/** At most `maxCharacters` UTF-16 units, the last an ellipsis where something was cut; never half a surrogate pair. */
export function shorten(text: string, maxCharacters: number): string {
  if (text.length <= maxCharacters) return text;
  const cut = text.slice(0, Math.max(0, maxCharacters - 1));
  const whole = /[\uD800-\uDBFF]$/.test(cut) ? cut.slice(0, -1) : cut;
  return `${whole}…`;
}

/** One line: line breaks, tabs and other control characters become single spaces. */
export function oneLine(text: string): string {
  return harmless(text.replace(/[\p{Cc}\u2028\u2029]+/gu, ' ')).trim();
}

/**
 * Text of a model, a file or a person without what is more than a character: no escape sequences, no carriage returns that
 * overwrite a line, no characters that turn text around. Line breaks and tabs stay.
 */
export function harmless(text: string): string {
  return (
    text
      .replaceAll('\r\n', '\n')
      // C0 without tab and line feed, DEL, C1, and the bidirectional embeddings, overrides and isolates.
      // oxlint-disable-next-line no-control-regex
      .replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, '')
      .toWellFormed()
  );
}
