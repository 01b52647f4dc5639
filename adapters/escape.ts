import { harmless } from './format.ts';
import { mapOutsideCode } from './markdown-lines.ts';

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
const mentionWord = /(?<![\p{L}\p{N}_.@])@(?=(?:channel|here|everyone|group)\b)/giu;

// Only inside code: elsewhere it has become a link of Markdown's. Bounded like the patterns below.
const labelledLink = /<(?=(?:https?|mailto|ftp|slack):[^|<>\s]{1,2000}\|)/gi;

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
const linkDefinition = /^( {0,3}\[[^\]\n]{1,200}\]):/gm;

/**
 * Links keep their label unless it names another host than they lead to; then both are shown. Links that are not to the web
 * (`sandbox:/mnt/data/x.csv` is a habit of models) become their label. Images become links, so nothing is fetched.
 */
export function defangLinks(markdown: string): string {
  return mapOutsideCode(markdown, (text) => {
    const links = text.replace(
      slackLink,
      (_link, url: string, label: string) => `[${label.replace(/[[\]]/g, '')}](${url})`,
    );
    // Looked for only where there may be one: text of many brackets takes long.
    const isLinked = links.includes('](');
    const safe = isLinked
      ? links.replace(markdownLink, (_link, label: string, url: string) => safeLink(label, url))
      : links;
    return safe.replace(linkDefinition, `$1${zeroWidthSpace}:`);
  });
}

function safeLink(label: string, url: string): string {
  if (webHost(url) === null) return /^mailto:/i.test(url) ? `[${label}](${url})` : label;
  if (isHonest(label, url)) return `[${label}](${url})`;
  return `\`${label.replaceAll('`', "'")}\` (${url})`;
}

const linkMiddle = /\](?=\(\s*<?[a-z][a-z0-9+.-]{0,30}:)/gi;
const linkOrItsMiddle = new RegExp(`${markdownLink.source}|${linkMiddle.source}`, 'gi');

/**
 * Links that `defangLinks` did not find, because they stand in what it takes for code or are written in a way of their own,
 * stop being links unless they are honest. For platforms whose reading of Markdown differs from ours.
 */
export function breakForgedLinks(text: string): string {
  if (!text.includes('](')) return text;
  return text.replace(linkOrItsMiddle, (found, label: string | undefined, url: string | undefined) => {
    if (label === undefined || url === undefined) return `${found}${zeroWidthSpace}`;
    return isHonest(label, url) ? `[${breakLinks(label)}${found.slice(1 + label.length)}` : breakLinks(found);
  });
}

/** No link with a label of its own is left: for code, and for labels. */
export function breakLinks(text: string): string {
  return text.replace(linkMiddle, `]${zeroWidthSpace}`);
}

function isHonest(label: string, url: string): boolean {
  const host = webHost(url);
  return host !== null && hostsIn(label).every((named) => sameSite(named, host));
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
  // Invisible characters and full-width forms read like the plain ones.
  const read = label
    .normalize('NFKC')
    .replace(/\p{Cf}/gu, '')
    .toLowerCase();
  const names = read.match(/(?:[\p{L}\p{N}-]{1,63}\.){1,10}\p{L}{2,24}/gu) ?? [];
  return names.map((name) => name.replace(/^www\./, ''));
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
