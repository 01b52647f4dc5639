/**
 * What a text column need not take (PostgreSQL refuses NUL, and neither database keeps half of a surrogate pair) is written as DLE and
 * four hexadecimal digits; DLE too, so that two texts never become the same. JSON columns hold none of these.
 */
const escape = '\u0010';
const nul = '\u0000';
const digits = 4;

/** Parameters of a statement as the database takes them. */
export function asStored(parameters: readonly unknown[]): unknown[] {
  return parameters.map((value) => (typeof value === 'string' ? storedText(value) : value));
}

/** Rows of a result with their texts as they were given. */
export function asGiven<R>(rows: readonly R[]): R[] {
  return rows.map((row) => (hasEscape(row) ? (Object.fromEntries(Object.entries(row).map(givenEntry)) as R) : row));
}

function storedText(text: string): string {
  if (text.isWellFormed() && !text.includes(nul) && !text.includes(escape)) return text;
  // By code points: half of a pair comes alone.
  return Array.from(text, (character) => {
    if (character.isWellFormed() && character !== nul && character !== escape) return character;
    return escape + character.charCodeAt(0).toString(16).padStart(digits, '0');
  }).join('');
}

function hasEscape(row: unknown): row is Record<string, unknown> {
  if (typeof row !== 'object' || row === null) return false;
  return Object.values(row).some((value) => typeof value === 'string' && value.includes(escape));
}

function givenEntry([name, value]: [string, unknown]): [string, unknown] {
  if (typeof value !== 'string') return [name, value];
  const [begin = '', ...escaped] = value.split(escape);
  const rest = escaped.map((part) => {
    return String.fromCharCode(Number.parseInt(part.slice(0, digits), 16)) + part.slice(digits);
  });
  return [name, begin + rest.join('')];
}
