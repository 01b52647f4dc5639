import { extname } from 'node:path';

/** Room for a counter within the 200 bytes that a name may have. */
const maxNameBytes = 200;
const counterBytes = 12;

/** A name as one harmless path segment of at most 200 bytes, counter included. */
export function safeName(name: string): string {
  const cleaned = name
    .normalize('NFC')
    // Control characters, separators, and the invisible ones that reorder or hide text.
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}/\\]+/gu, '_')
    .toWellFormed()
    .replace(/^[.\s]+|[.\s]+$/g, '');
  if (cleaned === '') return 'file';
  const extension = Buffer.byteLength(extname(cleaned)) <= 20 ? extname(cleaned) : '';
  const stem = cleaned.slice(0, cleaned.length - extension.length);
  return cutToBytes(stem, maxNameBytes - counterBytes - Buffer.byteLength(extension)) + extension;
}

/** `chart.png` as it is the first time, then `chart (2).png` … */
export function withCounter(name: string, counter: number): string {
  if (counter === 1) return name;
  const extension = extname(name);
  return `${name.slice(0, name.length - extension.length)} (${counter})${extension}`;
}

function cutToBytes(text: string, maxBytes: number): string {
  let kept = '';
  let bytes = 0;
  for (const character of text) {
    bytes += Buffer.byteLength(character);
    if (bytes > maxBytes) break;
    kept += character;
  }
  return kept;
}
