import { harmless } from './format.ts';
import { mapMarkdown } from './markdown-lines.ts';

/**
 * Text that a model or a file wrote, made harmless for a chat: it cannot ping anyone, cannot show one address and lead to
 * another, and cannot make the platform fetch something.
 */
export function neutralise(markdown: string): string {
  return breakMentions(defangLinks(harmless(markdown)));
}

const zeroWidthSpace = '\u200b';

// Slack: <@U1>, <#C1>, <!channel>, <!subteam^S1>. Discord: <@1>, <@!1>, <@&1>, <#1>. Slack reads them inside code as well.
const mentionToken = /<(?=@[!&]?[A-Z0-9]|#[A-Z0-9]|!(?:channel|here|everyone|group|subteam|date)\b)/gi;
const mentionWord = /(?<![\p{L}\p{N}_.])@(?=(?:channel|here|everyone|group)\b)/giu;

// Only inside code: elsewhere it has become a link of Markdown's. Bounded like the patterns below.
const labelledLink = /<(?=[a-z][a-z0-9+.-]{1,20}:[^|<>\s]{1,2000}\|)/gi;

/** Puts a zero-width space into everything that a platform would turn into a mention, or into a link with a label of its own. */
export function breakMentions(text: string): string {
  return text
    .replace(mentionToken, `<${zeroWidthSpace}`)
    .replace(labelledLink, `<${zeroWidthSpace}`)
    .replace(mentionWord, `@${zeroWidthSpace}`);
}

// Bounded repetitions: the text is untrusted, and an unbounded one would be quadratic in it.
const markdownLink =
  /!?\[((?:[^[\]\\\n]|\\.|\[[^\]\n]{0,200}\]){0,2000})\]\([ \t]*<?([^\s<>()]{0,2000}(?:\([^\s()]{0,200}\)[^\s<>()]{0,2000}){0,4})>?(?:[ \t]+(?:"[^"\n]{0,500}"|'[^'\n]{0,500}'))?[ \t]*\)/g;
const slackLink = /<((?:https?|mailto|ftp|slack):[^|<>\s]{1,2000})\|([^<>\n]{1,2000})>/gi;
/** At the start of a line, of a quote or of a list item; elsewhere where an address follows. */
const linkDefinition =
  /^([ \t>*+\-\d.)]{0,40}\[[^\]\n]{1,200}\]):|\](?=:\s{0,10}<?(?:[a-z][a-z0-9+.-]{1,20}:|\/\/|&|\\))/gim;
const linkMiddle = /\](?=\()/g;
const linkMiddleWithAddress = /\](?=\(\s{0,10}<?(?:[a-z][a-z0-9+.-]{1,20}:|\/\/|&|\\))/gi;

/**
 * Links keep their label unless it names another host than they lead to; then both are shown. Links that are not to the web
 * (`sandbox:/mnt/data/x.csv` is a habit of models) become their label. Images become links, so nothing is fetched. Whatever
 * could be a link by other rules than the ones here is broken by a zero-width space, also in what may not be code for everyone.
 */
export function defangLinks(markdown: string): string {
  return mapMarkdown(markdown, defangProse, (text, kind) =>
    kind === 'fence' ? text : breakDefinitions(text.replace(linkMiddleWithAddress, `]${zeroWidthSpace}`)),
  );
}

function defangProse(text: string): string {
  const markdown = text.replace(
    slackLink,
    (_link, url: string, label: string) => `[${label.replace(/[[\]]/g, '')}](${url})`,
  );
  let result = '';
  let from = 0;
  // Looked for only where there may be one: text of many brackets takes long.
  for (const match of markdown.includes('](') ? markdown.matchAll(markdownLink) : []) {
    const [link, label = '', url = ''] = match;
    result += breakLoose(markdown.slice(from, match.index));
    // Behind an exclamation mark a link is an image, behind a backslash a bracket is none.
    if (/[!\\]$/.test(result)) result += zeroWidthSpace;
    result += safeLink(link, label, url);
    from = match.index + link.length;
  }
  return breakDefinitions(result + breakLoose(markdown.slice(from)));
}

/** Beginnings of links that the pattern above does not know: labels over several lines, brackets in brackets. */
function breakLoose(text: string): string {
  return text.replace(linkMiddle, `]${zeroWidthSpace}`);
}

function breakDefinitions(text: string): string {
  return text.replace(
    linkDefinition,
    (found, label?: string) => `${label ?? found}${zeroWidthSpace}${label === undefined ? '' : ':'}`,
  );
}

function safeLink(link: string, label: string, url: string): string {
  const host = webHost(url);
  if (host === null) {
    if (/^mailto:/i.test(url)) return `[${breakLoose(label)}](${url})`;
    // `matrix[i](j)` is no link.
    return /^[a-z][a-z0-9+.-]*:|^\.{0,2}\/|\.\w{1,5}$/i.test(url) ? defangProse(label) : breakLoose(link);
  }
  if (isHonest(label, host)) return `[${breakLoose(label)}](${url})`;
  // Backticks in front of it can undo the span.
  return `\`${breakLoose(label.replaceAll('`', "'"))}\` (${url})`;
}

const linkMiddleWithScheme = /\](?=\(\s*<?[a-z][a-z0-9+.-]{0,30}:)/gi;
const linkOrItsMiddle = new RegExp(`${markdownLink.source}|${linkMiddleWithScheme.source}`, 'gi');

/**
 * Links that `defangLinks` did not find, because they stand in what it takes for code or are written in a way of their own,
 * stop being links unless they are honest. For platforms whose reading of Markdown differs from ours.
 */
export function breakForgedLinks(text: string): string {
  if (!text.includes('](')) return text;
  return text.replace(linkOrItsMiddle, (found, label: string | undefined, url: string | undefined) => {
    if (label === undefined || url === undefined) return `${found}${zeroWidthSpace}`;
    const host = webHost(url);
    if (host === null || !isHonest(label, host)) return breakLinks(found);
    const before = found.indexOf('[') + 1;
    return found.slice(0, before) + breakLinks(label) + found.slice(before + label.length);
  });
}

/** No link with a label of its own is left: for code, and for labels. */
export function breakLinks(text: string): string {
  return text.replace(linkMiddleWithScheme, `]${zeroWidthSpace}`);
}

/** Whether a link's label names no other host than the one it leads to. */
function isHonest(label: string, host: string): boolean {
  return hostsIn(label).every((named) => sameSite(named, host));
}

function webHost(url: string): string | null {
  try {
    const { protocol, hostname } = new URL(url);
    return protocol === 'https:' || protocol === 'http:' ? hostname.toLowerCase() : null;
  } catch {
    return null;
  }
}

function hostsIn(label: string): readonly string[] {
  const names =
    asRead(label)
      .toLowerCase()
      .match(/(?:[\p{L}\p{N}-]{1,63}\.){1,10}\p{L}{2,24}/gu) ?? [];
  return names.map((name) => name.replace(/^www\./, ''));
}

/** The label as it looks once its markup, escapes and invisible characters are gone. */
function asRead(label: string): string {
  return label
    .replace(/&(?:period|#0{0,5}46|#x0{0,5}2e);?/gi, '.')
    .normalize('NFKC')
    .replace(/[\p{Cf}*_~`\\]/gu, '')
    .replaceAll('\u3002', '.');
}

function sameSite(named: string, host: string): boolean {
  const bare = host.replace(/^www\./, '');
  return bare === named || bare.endsWith(`.${named}`);
}

/** A code block whose content cannot end it: runs of backticks inside are broken up by zero-width spaces. */
export function codeBlock(content: string, language = ''): string {
  const safe = content.replace(/`{3,}/g, (run) => run.split('').join(zeroWidthSpace));
  return `\`\`\`${language}\n${safe}\n\`\`\``;
}

/** An inline code span for a name: one line, without backticks. */
export function codeSpan(name: string): string {
  return `\`${name.replace(/[\p{Cc}`]+/gu, ' ').trim() || ' '}\``;
}
