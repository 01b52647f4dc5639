/** What this terminal can, found out once from its environment. */
export interface TerminalFeatures {
  readonly isTty: boolean;
  readonly colour: boolean;
  /** Kitty graphics protocol. */
  readonly kitty: boolean;
  /** iTerm2 inline images. */
  readonly iterm: boolean;
}

export function terminalFeatures(env: Readonly<Record<string, string | undefined>>, isTty: boolean): TerminalFeatures {
  const term = env['TERM'] ?? '';
  return {
    isTty,
    // no-color.org: any value but an empty one switches colours off.
    colour: isTty && term !== 'dumb' && (env['NO_COLOR'] ?? '') === '',
    kitty: isTty && (term === 'xterm-kitty' || term === 'xterm-ghostty' || env['KITTY_WINDOW_ID'] !== undefined),
    iterm: isTty && env['TERM_PROGRAM'] === 'iTerm.app',
  };
}

export interface Style {
  readonly hasColour: boolean;
  bold(text: string): string;
  dim(text: string): string;
  italic(text: string): string;
  red(text: string): string;
  green(text: string): string;
  yellow(text: string): string;
  cyan(text: string): string;
}

export function createStyle(colour: boolean): Style {
  const paint =
    (on: number, off: number) =>
    (text: string): string =>
      colour && text !== '' ? `\u001b[${on}m${text}\u001b[${off}m` : text;
  return {
    hasColour: colour,
    bold: paint(1, 22),
    dim: paint(2, 22),
    italic: paint(3, 23),
    red: paint(31, 39),
    green: paint(32, 39),
    yellow: paint(33, 39),
    cyan: paint(36, 39),
  };
}

const pythonTokens =
  /(#[^\n]*)|("""[\s\S]*?"""|'''[\s\S]*?'''|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')|\b(and|as|assert|async|await|break|class|continue|def|del|elif|else|except|False|finally|for|from|if|import|in|is|lambda|None|not|or|pass|raise|return|True|try|while|with|yield)\b|\b(\d[\d_.eE]*)\b/g;

/** Python in light colours; the same characters without colour. `source` must be harmless already. */
export function highlightPython(source: string, style: Style): string {
  return source.replace(
    pythonTokens,
    (token: string, comment?: string, string?: string, keyword?: string, number?: string) => {
      if (comment !== undefined) return style.dim(token);
      if (string !== undefined) return style.green(token);
      if (keyword !== undefined) return style.cyan(token);
      return number === undefined ? token : style.yellow(token);
    },
  );
}
