import type { TerminalFeatures } from './style.ts';

/** The kitty protocol takes its base64 in pieces of at most this many characters. */
const kittyChunk = 4096;

/** Larger pictures are named by their path only: a terminal would be busy with them for seconds. */
export const maxInlineBytes = 8 * 1024 * 1024;

/** The escape sequence that shows an image inline; `null` where this terminal cannot show this type. */
export function inlineImage(image: Buffer, mimeType: string, features: TerminalFeatures): string | null {
  if (image.length > maxInlineBytes) return null;
  if (features.kitty && mimeType === 'image/png') return kittyImage(image.toString('base64'));
  if (features.iterm && mimeType.startsWith('image/')) {
    return `\u001b]1337;File=inline=1;size=${image.length};preserveAspectRatio=1:${image.toString('base64')}\u0007`;
  }
  return null;
}

function kittyImage(base64: string): string {
  let sequence = '';
  for (let start = 0; start < base64.length; start += kittyChunk) {
    const more = start + kittyChunk < base64.length ? 1 : 0;
    // a=T: transmit and show; f=100: PNG.
    const control = start === 0 ? `a=T,f=100,m=${more}` : `m=${more}`;
    sequence += `\u001b_G${control};${base64.slice(start, start + kittyChunk)}\u001b\\`;
  }
  return sequence;
}
