/** Text of a person or a file name as Markdown that shows exactly that text: no tags, links, headings or formulas. */
export function plainText(text: string): string {
  return text
    .replace(/&/g, '&amp;')
    .replace(/</g, '&lt;')
    .replace(/[\\`*_{}[\]()#+\-.!|~$>]/g, (sign) => (sign === '>' ? '&gt;' : `\\${sign}`))
    .replace(/^[ \t]+/gm, '');
}

/** The same as one line. */
export function plainLine(text: string): string {
  return plainText(text.replace(/\s+/g, ' ').trim());
}

/** A quotation, line by line. Two blanks at a line's end keep the break. */
export function quotation(text: string): string {
  return plainText(text.trim())
    .split(/\r\n?|\n/)
    .map((line) => `> ${line}  `)
    .join('\n');
}

/**
 * Markdown of the bot without what a notebook would make of it and a chat does not: HTML, pictures from elsewhere, and formulas
 * between two dollar signs, which are prices. Code stays as it is.
 */
export function tamedMarkdown(text: string): string {
  return text
    .split(/(```[\s\S]*?(?:```|$)|`[^`\n]+`)/)
    .map((part, index) => (index % 2 === 1 ? part : tamedProse(part)))
    .join('');
}

function tamedProse(text: string): string {
  return text
    .replace(/<(?=[a-z/!?])/gi, '&lt;')
    .replace(/!\[/g, '!\\[')
    .replace(/(?<!\\)\$/g, '\\$')
    .replace(/\]\(\s*(?:javascript|data|vbscript):[^)]*\)/gi, ']');
}

/** A block of code that its own backticks cannot end. */
export function codeFence(code: string, language: string): string {
  const longest = Math.max(2, ...[...code.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = '`'.repeat(longest + 1);
  return `${fence}${language}\n${code.replace(/\n+$/, '')}\n${fence}`;
}

/** Code in a line of text, whatever backticks it holds. */
export function codeSpan(text: string): string {
  return `\`${text.replace(/\s+/g, ' ').replaceAll('`', "'")}\``;
}
