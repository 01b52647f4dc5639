import { shorten } from '../format.ts';

/** Slack's message text to plain text and back. Slack wraps links and mentions in `<…>` and escapes `&`, `<` and `>`. */

/** What the person typed, as plain text, every mention of the bot removed. `nameOf` gives a person's name where it is known. */
export function plainText(slackText: string, botUserId: string): string {
  const withoutBot = slackText.replace(/[ \t]*<@([A-Z0-9]+)(?:\|[^<>]*)?>[ \t]*[,:]?[ \t]*/g, (token, id: string) =>
    id === botUserId ? ' ' : token,
  );
  return unescape(withoutBot.replace(/<([^<>\n]+)>/g, (_token, inner: string) => readToken(inner))).trim();
}

export function mentions(slackText: string, userId: string): boolean {
  return slackText.includes(`<@${userId}>`) || slackText.includes(`<@${userId}|`);
}

/** For `mrkdwn` text objects and the `text` argument: nothing in it can become a mention, a link or an entity. */
export function escapeText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/** The same, cut so that what is sent has at most `maxCharacters`; never inside an entity. */
export function escapeWithin(text: string, maxCharacters: number): string {
  let cut = shorten(text, maxCharacters);
  for (let escaped = escapeText(cut); ; escaped = escapeText(cut)) {
    const overflow = escaped.length - maxCharacters;
    if (overflow <= 0) return escaped;
    // One character becomes at most five.
    cut = shorten(cut, cut.length - Math.ceil(overflow / 5));
  }
}

function unescape(text: string): string {
  return text.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&');
}

function readToken(inner: string): string {
  const bar = inner.indexOf('|');
  const target = bar === -1 ? inner : inner.slice(0, bar);
  const label = bar === -1 ? '' : inner.slice(bar + 1);
  if (target.startsWith('@')) return `@${label || target.slice(1)}`;
  if (target.startsWith('#')) return `#${label || target.slice(1)}`;
  if (target.startsWith('!')) return specialMention(target.slice(1), label);
  return linkText(target, label);
}

function specialMention(target: string, label: string): string {
  if (label !== '') return label;
  const [kind = ''] = target.split('^');
  return `@${kind}`;
}

/** Slack links every host name and address that is typed: such a link is just what was typed. */
function linkText(target: string, label: string): string {
  const address = target.replace(/^mailto:/, '');
  if (label === '' || label === address) return address;
  const bare = (text: string): string => text.replace(/^https?:\/\//, '').replace(/\/$/, '');
  return bare(label) === bare(address) ? label : `${label} (${address})`;
}
