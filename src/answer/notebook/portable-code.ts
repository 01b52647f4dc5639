/** Where a thread's files are in its sandbox, as code names it: at the beginning of a string, below it or itself. */
const workspacePath = /(["'])\/mnt\/data(\/|(?=\1))/g;

/** The code with paths of the sandbox's working directory made relative, so that it finds the files beside the notebook. */
export function portableCode(source: string): string {
  return source.replace(workspacePath, (_, quote: string, slash: string) => `${quote}.${slash}`);
}

/** Its output with the same change, where the code had one: what it printed of a path it would print so now. */
export function portableOutput(text: string, source: string): string {
  return portableCode(source) === source ? text : text.replaceAll('/mnt/data/', './');
}

/** The packages that the code imports, as far as `known` lists them, by their import names. */
export function importsOf(sources: readonly string[], known: readonly string[]): readonly string[] {
  const code = sources.join('\n');
  return known.filter((name) => new RegExp(String.raw`^\s*(?:import|from)\s[^\n]*\b${name}\b`, 'm').test(code));
}

export function usesPlotline(sources: readonly string[]): boolean {
  return sources.some((source) => /\bplotline\b/.test(source));
}
