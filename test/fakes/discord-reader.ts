/** How Discord's client reads a message's text: enough of its own Markdown to see what a person could be shown or led to. */

export interface DiscordReading {
  /** Text outside code, as it is shown. */
  readonly prose: string;
  readonly code: readonly string[];
  readonly links: readonly { readonly label: string; readonly url: string }[];
}

const fence = /```(?:[a-z0-9_+\-.#]+?\n)?\n*([^\n][\s\S]*?)\n*```/iy;
const inlineCode = /(`+)\s*([\s\S]*?[^`])\s*\1(?!`)/y;
const escaped = /\\([^0-9A-Za-z\s])/y;
const link = /\[((?:\[[^\]]*\]|[^[\]]|\](?=[^[]*\]))*)\]\(\s*<?((?:[^\s\\]|\\.)*?)>?(?:\s+['"]([\s\S]*?)['"])?\s*\)/y;

export function readAsDiscord(text: string): DiscordReading {
  const code: string[] = [];
  const links: { label: string; url: string }[] = [];
  let prose = '';
  let at = 0;
  const matchHere = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    return pattern.exec(text);
  };
  while (at < text.length) {
    const found = matchHere(escaped) ?? matchHere(fence) ?? matchHere(inlineCode) ?? matchHere(link);
    if (found === null) {
      prose += text[at];
      at += 1;
      continue;
    }
    const [whole, first = '', second = ''] = found;
    if (whole.startsWith('\\')) prose += first;
    else if (whole.startsWith('```') && matchHere(fence) !== null) code.push(first);
    else if (whole.startsWith('`')) code.push(second);
    else if (/^(?:https?|discord):/i.test(second)) links.push({ label: first, url: second });
    else prose += whole;
    at += whole.length;
  }
  return { prose, code, links };
}

/** What would ping somebody or look like it, wherever it stands. */
export function pingsIn(text: string): readonly string[] {
  return text.match(/<@[!&]?\d+>|<#\d+>|(?<![\p{L}\p{N}_.@])@(?:everyone|here)\b/gu) ?? [];
}

/** Links whose label names another host than they lead to. */
export function forgedLinks({ links }: DiscordReading): readonly string[] {
  return links.flatMap(({ label, url }) => {
    const host = URL.parse(url)?.hostname ?? '';
    const named = label.toLowerCase().match(/[a-z0-9-]+(?:\.[a-z0-9-]+)*\.[a-z]{2,}/g) ?? [];
    const isForged = named.some((name) => host !== name && !`.${host}`.endsWith(`.${name.replace(/^www\./, '')}`));
    return isForged ? [`[${label}](${url})`] : [];
  });
}
