/** Longest file name in bytes that every file system and platform takes. */
const maxNameBytes = 255;

/**
 * A name that is safe as one path segment, from whatever a sender wrote: separators, control characters and characters that
 * turn text around are replaced, leading dots removed, long names cut before their extension. Never empty.
 */
export function safeFileName(name: string): string {
  const cleaned = name
    .normalize('NFC')
    // Control characters, separators, and the invisible ones that reorder or hide text (U+200B–200F, U+202A–202E, U+2060–2069, U+FEFF).
    // oxlint-disable-next-line no-control-regex
    .replace(/[\u0000-\u001f\u007f-\u009f/\\\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]+/g, '_')
    .toWellFormed()
    .trim()
    .replace(/^[.\s]+/, '')
    .replace(/[.\s]+$/, '');
  return cutToBytes(cleaned === '' ? 'file' : cleaned, maxNameBytes);
}

/** `name`, or `name (2)`, `name (3)` … before the extension: the first that `taken` does not hold. */
export function uniqueFileName(name: string, taken: ReadonlySet<string>): string {
  if (!taken.has(name)) return name;
  const { stem, extension } = splitName(name);
  for (let counter = 2; ; counter += 1) {
    const suffix = ` (${counter})${extension}`;
    const candidate = cutToBytes(stem, maxNameBytes - byteLength(suffix)) + suffix;
    if (!taken.has(candidate)) return candidate;
  }
}

/** A file name for something that has only a title: `Revenue by month` -> `revenue-by-month.png`. */
export function fileNameFor(title: string, extension: string): string {
  const slug = title
    .normalize('NFC')
    .toLowerCase()
    .replace(/[^\p{Letter}\p{Mark}\p{Number}]+/gu, '-')
    .replace(/^-+|-+$/g, '');
  return `${cutToBytes(slug === '' ? 'result' : slug, 80)}.${extension}`;
}

function cutToBytes(name: string, maxBytes: number): string {
  if (byteLength(name) <= maxBytes) return name;
  const { stem, extension } = splitName(name);
  const keptExtension = byteLength(extension) <= 20 ? extension : '';
  let kept = '';
  for (const character of keptExtension === '' ? name : stem) {
    if (byteLength(kept + character + keptExtension) > maxBytes) break;
    kept += character;
  }
  return kept + keptExtension;
}

function splitName(name: string): { readonly stem: string; readonly extension: string } {
  const dot = name.lastIndexOf('.');
  return dot <= 0 ? { stem: name, extension: '' } : { stem: name.slice(0, dot), extension: name.slice(dot) };
}

function byteLength(text: string): number {
  return new TextEncoder().encode(text).length;
}
