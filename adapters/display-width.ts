/**
 * How many columns a text takes in a monospaced font. East Asian wide and full-width characters and emoji take two, marks
 * and joiners none (Unicode Standard Annex 11; ambiguous characters count as narrow, as Slack, Discord and terminals draw them).
 */

const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });

const invisible = /^[\p{M}\p{Cf}\p{Cc}]*$/u;
const emoji = /\p{Emoji_Presentation}|\p{Emoji}\uFE0F|\p{Regional_Indicator}{2}/u;

/** First and last code points of blocks that are drawn two columns wide. */
const wideRanges: readonly (readonly [number, number])[] = [
  [0x1100, 0x115f],
  [0x2e80, 0x303e],
  [0x3041, 0x33ff],
  [0x3400, 0x4dbf],
  [0x4e00, 0x9fff],
  [0xa000, 0xa4cf],
  [0xa960, 0xa97f],
  [0xac00, 0xd7a3],
  [0xf900, 0xfaff],
  [0xfe10, 0xfe19],
  [0xfe30, 0xfe6f],
  [0xff00, 0xff60],
  [0xffe0, 0xffe6],
  [0x16fe0, 0x18dff],
  [0x1aff0, 0x1b16f],
  [0x1f200, 0x1f2ff],
  [0x20000, 0x3fffd],
];

const printableAscii = /^[\x20-\x7e]*$/;

export function displayWidth(text: string): number {
  if (printableAscii.test(text)) return text.length;
  let width = 0;
  for (const { segment } of graphemes.segment(text)) width += graphemeWidth(segment);
  return width;
}

/** The longest beginning of `text` that fits, an ellipsis in the last column where something was cut. */
export function fitToWidth(text: string, maxColumns: number): string {
  if (displayWidth(text) <= maxColumns) return text;
  let fitted = '';
  let width = 0;
  for (const { segment } of graphemes.segment(text)) {
    const next = graphemeWidth(segment);
    if (width + next > maxColumns - 1) break;
    fitted += segment;
    width += next;
  }
  return `${fitted}…`;
}

function graphemeWidth(grapheme: string): number {
  if (invisible.test(grapheme)) return 0;
  if (emoji.test(grapheme)) return 2;
  const point = grapheme.codePointAt(0) ?? 0;
  return wideRanges.some(([first, last]) => point >= first && point <= last) ? 2 : 1;
}
