/** Head and tail of a text that is too long, never splitting a character (a surrogate pair) in two. */
export interface Cut {
  readonly head: string;
  readonly tail: string;
  /** Characters (UTF-16 units) between head and tail; 0 when nothing was cut, and then `head` is the whole text. */
  readonly cutCharacters: number;
}

export function cutMiddle(text: string, headCharacters: number, tailCharacters: number): Cut {
  if (text.length <= headCharacters + tailCharacters) return { head: text, tail: '', cutCharacters: 0 };
  const head = headOf(text, headCharacters);
  const tail = tailOf(text, tailCharacters);
  return { head, tail, cutCharacters: text.length - head.length - tail.length };
}

/** At most `characters` from the start. */
export function headOf(text: string, characters: number): string {
  const end = characters > 0 && isHighSurrogate(text.charCodeAt(characters - 1)) ? characters - 1 : characters;
  return text.slice(0, Math.max(0, end));
}

/** At most `characters` from the end. */
export function tailOf(text: string, characters: number): string {
  if (characters <= 0) return '';
  const start = Math.max(0, text.length - characters);
  return text.slice(start > 0 && isLowSurrogate(text.charCodeAt(start)) ? start + 1 : start);
}

/** One line of at most `characters`, for labels. */
export function oneLine(text: string, characters: number): string {
  const line = text.replace(/\s+/g, ' ').trim();
  return line.length <= characters ? line : `${headOf(line, characters - 1).trimEnd()}…`;
}

function isHighSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdbff;
}

function isLowSurrogate(unit: number): boolean {
  return unit >= 0xdc00 && unit <= 0xdfff;
}
