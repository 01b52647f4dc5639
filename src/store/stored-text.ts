/**
 * What a text column need not take (PostgreSQL refuses NUL, and neither database keeps half of a surrogate pair) is written as DLE and
 * four hexadecimal digits; DLE too, so that two texts never become the same. JSON columns hold none of these.
 */
const notText = /[\u0000\u0010]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;
const written = /\u0010([0-9a-f]{4})/g;

/** Parameters of a statement as the database takes them. */
export function asStored(parameters: readonly unknown[]): unknown[] {
  return parameters.map((value) => (typeof value === 'string' ? value.replace(notText, escaped) : value));
}

/** Rows of a result with their texts as they were given. */
export function asGiven<R>(rows: readonly R[]): R[] {
  return rows.map((row) => (hasEscape(row) ? (Object.fromEntries(Object.entries(row).map(unescaped)) as R) : row));
}

function escaped(character: string): string {
  return `\u0010${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

function hasEscape(row: unknown): row is Record<string, unknown> {
  if (typeof row !== 'object' || row === null) return false;
  return Object.values(row).some((value) => typeof value === 'string' && value.includes('\u0010'));
}

function unescaped([name, value]: [string, unknown]): [string, unknown] {
  if (typeof value !== 'string') return [name, value];
  return [name, value.replace(written, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)))];
}
