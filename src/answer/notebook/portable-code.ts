/** Where a thread's files are in its sandbox. */
const workspace = /(?<![\w./-])\/mnt\/data(\/|(?![\w.-]))/g;

/** The code with paths of the sandbox's working directory made relative, so that it finds the files beside the notebook. */
export function portableCode(source: string): string {
  return source.replace(workspace, (_, slash: string) => `.${slash}`);
}

/** What such code printed, as it prints it now. */
export function portableOutput(text: string, source: string): string {
  return portableCode(source) === source ? text : portableCode(text);
}

/** The packages that the code imports, as far as `known` lists them, by their import names. */
export function importsOf(sources: readonly string[], known: readonly string[]): readonly string[] {
  const code = sources.join('\n');
  return known.filter((name) => new RegExp(String.raw`^\s*(?:import|from)\s[^\n]*\b${name}\b`, 'm').test(code));
}

export function usesPlotline(sources: readonly string[]): boolean {
  return sources.some((source) => /\bplotline\b/.test(source));
}
