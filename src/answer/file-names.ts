/** Longest file name in bytes that every file system and platform takes. */
const maxNameBytes = 255;

/** What follows the last dot counts as an extension up to this length in bytes, the dot included. */
const maxExtensionBytes = 20;

/** Of a longer name only both ends are looked at: more than any platform sends, and a bound for the time this takes. */
const maxNameCharacters = 2000;

/** Some systems drop these from the end of a name, and a cut can leave them there. */
const trailing = /[.\s]+$/;

/**
 * A name that is safe as one path segment, from whatever a sender wrote: separators, control characters and characters that
 * turn text around are replaced, leading dots removed, long names cut before their extension. Never empty.
 */
export function safeFileName(name: string): string {
  const bounded =
    name.length <= maxNameCharacters ? name : name.slice(0, maxNameCharacters / 2) + name.slice(-maxNameCharacters / 2);
  const cleaned = bounded
    .normalize('NFC')
    // Control characters, separators, and the invisible ones that reorder or hide text (U+061C, U+200B–200F, U+2028–202E, U+2060–2069, U+FEFF).
    // oxlint-disable-next-line no-control-regex
    .replace(/[\u0000-\u001f\u007f-\u009f/\\\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]+/g, '_')
    .toWellFormed()
    .trim()
    .replace(/^[.\s]+/, '')
    .replace(trailing, '');
  return cutToBytes(cleaned === '' ? 'file' : cleaned, maxNameBytes).replace(trailing, '');
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

/** The picture of a table: `sales.csv` -> `sales.png`. */
export function pictureNameFor(tableName: string): string {
  return `${cutToBytes(splitName(tableName).stem, maxNameBytes - 4)}.png`;
}

function cutToBytes(name: string, maxBytes: number): string {
  if (byteLength(name) <= maxBytes) return name;
  const { stem, extension } = splitName(name);
  let kept = '';
  for (const character of stem) {
    if (byteLength(kept + character + extension) > maxBytes) break;
    kept += character;
  }
  return kept + extension;
}

function splitName(name: string): { readonly stem: string; readonly extension: string } {
  const dot = name.lastIndexOf('.');
  const extension = dot <= 0 ? '' : name.slice(dot);
  const isOne = byteLength(extension) <= maxExtensionBytes;
  return isOne ? { stem: name.slice(0, name.length - extension.length), extension } : { stem: name, extension: '' };
}

function byteLength(text: string): number {
  return new TextEncoder().encode(text).length;
}
