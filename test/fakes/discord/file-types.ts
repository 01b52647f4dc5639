import type { FieldProblem } from './refusal.ts';

/** File pickers since 2026-08-05: up to ten entries, groups or extensions; the extension alone is checked. Reference, section 1.2. */
const groups: Readonly<Record<string, RegExp>> = {
  image: /\.(png|jpe?g|gif|webp|avif|bmp|heic)$/i,
  video: /\.(mp4|webm|mov|mkv)$/i,
  audio: /\.(mp3|wav|ogg|flac|m4a)$/i,
};

export function fileTypeProblems(types: unknown, path: string): readonly FieldProblem[] {
  if (types === undefined || types === null) return [];
  const entries = Array.isArray(types) ? types : [types];
  const isKnown = (entry: unknown): boolean =>
    typeof entry === 'string' && (entry in groups || /^\.[\w.-]+$/.test(entry));
  if (entries.length > 10) return [{ path, code: 'BASE_TYPE_MAX_LENGTH', message: 'Must be 10 or fewer in length.' }];
  return entries
    .filter((entry) => !isKnown(entry))
    .map((entry) => ({
      path,
      code: 'FILE_TYPES_INVALID',
      message: `${String(entry)} is neither a group nor an extension.`,
    }));
}

/** Whether a person can choose that file in a picker. */
export function isPickable(name: string, types: unknown): boolean {
  if (!Array.isArray(types)) return true;
  return types.some(
    (entry: unknown) => groups[String(entry)]?.test(name) ?? name.toLowerCase().endsWith(String(entry).toLowerCase()),
  );
}
