/** Names that `attachment://` can point at: Discord takes other characters out of names, and the pointer would miss. */

const longestName = 100;

/** One safe name for each of `names`, all different: letters, digits, `.`, `_`, `-`; the extension stays. */
export function attachmentNames(names: readonly string[]): readonly string[] {
  const taken = new Set<string>();
  return names.map((name) => {
    const safe = safeName(name);
    const dot = safe.lastIndexOf('.');
    const stem = dot > 0 ? safe.slice(0, dot) : safe;
    const extension = dot > 0 ? safe.slice(dot) : '';
    let candidate = safe;
    for (let counter = 2; taken.has(candidate.toLowerCase()); counter += 1)
      candidate = `${stem}-${counter}${extension}`;
    taken.add(candidate.toLowerCase());
    return candidate;
  });
}

/** What Discord shows instead of the safe name: the name without its extension; `null` where both are the same. */
export function attachmentTitle(name: string, safe: string): string | null {
  if (name === safe) return null;
  const dot = name.lastIndexOf('.');
  return (dot > 0 ? name.slice(0, dot) : name).slice(0, 200).toWellFormed();
}

function safeName(name: string): string {
  const ascii = name
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .replace(/[^A-Za-z0-9._-]+/g, '_');
  const dot = ascii.lastIndexOf('.');
  const extension = dot > 0 && ascii.length - dot <= 20 ? ascii.slice(dot) : '';
  const stem = ascii.slice(0, ascii.length - extension.length).replace(/^[._-]+|[._-]+$/g, '');
  return `${(stem === '' ? 'file' : stem).slice(0, longestName - extension.length)}${extension === '.' ? '' : extension}`;
}
