/**
 * What is wrong with a text for Slack: written from Slack's documentation and CommonMark alone, without a look at the renderer,
 * which it judges.
 */

/** `text` of a message and `mrkdwn` objects: only what Slack's own escapes allow, and nothing that pings. */
export function mrkdwnProblems(text: string): readonly string[] {
  const problems = [...plainProblems(text), ...wordPings(text)];
  // docs.slack.dev, "Formatting message text": & < > are written as entities, whatever is left between < and > is a token.
  if (/&(?!(?:amp|lt|gt);)/.test(text)) problems.push('a & that is no entity');
  const rest = text.replace(/<([^<>\n]*)>/g, (_token, inner: string) => {
    problems.push(...tokenProblems(inner));
    return '';
  });
  if (rest.includes('<')) problems.push('a < outside of a token');
  if (/(?<!^)>/m.test(rest)) problems.push('a > that neither ends a token nor begins a quote');
  return problems;
}

/** `markdown` blocks. */
export function markdownProblems(text: string): readonly string[] {
  const problems = [...plainProblems(text), ...wordPings(text)];
  // Tokens are read inside code as well.
  for (const [token] of text.matchAll(/<(?:@[A-Z0-9]|#[A-Z0-9]|!(?:channel|here|everyone|group|subteam|date)\b)/gi))
    problems.push(`the token ${token}`);
  for (const [token] of text.matchAll(/<[a-z][a-z0-9+.-]+:[^<>|\s]+\|[^<>\n]+>/gi))
    problems.push(`a labelled link: ${token.slice(0, 60)}`);
  const prose = withoutCode(text);
  for (const { label, url, isImage } of linksIn(prose)) {
    if (isImage) problems.push(`an image that Slack would fetch: ${url.slice(0, 60)}`);
    if (namesAnotherHost(label, url)) problems.push(`a link to ${url.slice(0, 60)} that reads ${label.slice(0, 60)}`);
  }
  if (/^[\s>*+\-\d.)]*\[[^\]]+\]:\s*<?[a-z]+:/im.test(prose))
    problems.push('a link definition, whose label may read anything');
  return problems;
}

/** Any text at all. */
export function plainProblems(text: string): string[] {
  const problems: string[] = [];
  if (!text.isWellFormed()) problems.push('half of a surrogate pair');
  // oxlint-disable-next-line no-control-regex
  if (/[\u0000-\u0008\u000b-\u001f\u007f]/.test(text)) problems.push('a control character');
  if (/[\u202a-\u202e\u2066-\u2069]/.test(text)) problems.push('a character that turns text around');
  return problems;
}

function wordPings(text: string): readonly string[] {
  return [...text.matchAll(/(?<![\p{L}\p{N}_.])@(?:channel|here|everyone)\b/giu)].map(
    ([word]) => `the mention ${word}`,
  );
}

function tokenProblems(inner: string): readonly string[] {
  if (/^!date\^\d+\^[^^|]+(?:\^https?:[^|]+)?\|[^|]+$/.test(inner)) return [];
  if (/^[@#!]/.test(inner)) return [`the token <${inner}>`];
  const [url = '', label = ''] = inner.split('|');
  if (!/^(?:https?:\/\/|mailto:)/.test(url)) return [`the token <${inner.slice(0, 60)}>`];
  return namesAnotherHost(label, url) ? [`a link to ${url.slice(0, 60)} that reads ${label.slice(0, 60)}`] : [];
}

/** CommonMark 0.31, 4.5 and 6.1: fences are indented by at most three spaces; a span ends with as many backticks as it began with. */
function withoutCode(markdown: string): string {
  let fence: string | null = null;
  const prose: string[] = [];
  for (const line of markdown.split('\n')) {
    const [, marker = '', info = ''] = /^ {0,3}(`{3,}|~{3,})(.*)$/.exec(line) ?? [];
    if (fence === null && marker !== '' && !(marker.startsWith('`') && info.includes('`'))) fence = marker;
    else if (fence === null) prose.push(line);
    else if (marker.startsWith(fence) && info.trim() === '') fence = null;
  }
  return prose
    .join('\n')
    .split(/\n[ \t]*\n/)
    .map(withoutSpans)
    .join('\n\n');
}

function withoutSpans(paragraph: string): string {
  let result = '';
  let at = 0;
  while (at < paragraph.length) {
    if (paragraph[at] === '\\') {
      result += paragraph.slice(at, at + 2);
      at += 2;
      continue;
    }
    const [run = ''] = /^`+/.exec(paragraph.slice(at, at + 200)) ?? [];
    if (run === '') {
      result += paragraph[at] ?? '';
      at += 1;
      continue;
    }
    const closing = new RegExp(`(?<!\`)${run}(?!\`)`, 'g');
    closing.lastIndex = at + run.length;
    const end = closing.exec(paragraph);
    // A space each, so that what stood apart stays apart.
    result += end === null ? run : ' ';
    at = end === null ? at + run.length : end.index + run.length;
  }
  return result;
}

interface Link {
  readonly label: string;
  readonly url: string;
  readonly isImage: boolean;
}

/** Inline links: from each `](` back to the bracket that it closes, and on to the end of the address. */
function linksIn(prose: string): readonly Link[] {
  const links: Link[] = [];
  for (const { index } of prose.matchAll(/\]\(/g)) {
    const url = /^\(\s*<?([^\s<>]*)/.exec(prose.slice(index + 1, index + 2500))?.[1]?.replace(/\)+$/, '') ?? '';
    let depth = 0;
    let start = index;
    for (; start >= Math.max(0, index - 5000); start -= 1) {
      if (prose[start - 1] === '\\') continue;
      if (prose[start] === ']') depth += 1;
      if (prose[start] === '[') depth -= 1;
      if (depth === 0) break;
    }
    if (depth !== 0 || !/^[a-z][a-z0-9+.-]*:/i.test(url)) continue;
    links.push({ label: prose.slice(start + 1, index), url, isImage: prose[start - 1] === '!' });
  }
  return links;
}

function namesAnotherHost(label: string, url: string): boolean {
  if (/^mailto:/i.test(url)) return false;
  if (!/^https?:/i.test(url)) return true;
  const host = URL.canParse(url) ? new URL(url).hostname.replace(/^www\./, '') : '';
  const read = label.normalize('NFKC').replace(/[*_~`\\\p{Cf}]/gu, '');
  const named = read.toLowerCase().match(/(?:[\p{L}\p{N}-]+\.)+\p{L}{2,}/gu) ?? [];
  return named.some((name) => {
    const bare = name.replace(/^www\./, '');
    return host !== bare && !host.endsWith(`.${bare}`);
  });
}
