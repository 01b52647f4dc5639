import { breakForgedLinks, breakLinks, breakMentions, codeBlock, neutralise } from '../escape.ts';
import { harmless } from '../format.ts';
import { markdownLines } from '../markdown-lines.ts';
import { tablesAsCode } from '../markdown-tables.ts';
import { partText, splitMarkdown } from '../split-markdown.ts';
import { tablePreview } from './limits.ts';

const zeroWidthSpace = '\u200b';

/**
 * Text of a model or a file as Discord reads Markdown: tables become code blocks, and all code blocks get Discord's one form. A
 * fence starts and ends anywhere in a line there, so no other run of three backticks may be left. Nothing pings, no link is forged.
 */
export function discordMarkdown(markdown: string): string {
  const text = tablesAsCode(harmless(markdown), tablePreview.maxWidth);
  let result = '';
  let prose = '';
  let code: { readonly language: string; readonly lines: string[] } | null = null;
  const endProse = (): void => {
    result += discordProse(prose);
    prose = '';
  };
  const endCode = (): void => {
    if (code !== null) result += `${fenced(code.lines.join('\n'), code.language)}\n`;
    code = null;
  };
  for (const line of markdownLines(text)) {
    const content = text.slice(line.start, line.end).replace(/\n$/, '');
    if (line.opensFence) {
      endProse();
      code = { language: /[`~]{3,}[ \t]*([\w+\-.#]*)/.exec(content)?.[1] ?? '', lines: [] };
    } else if (line.fence === null) {
      prose += text.slice(line.start, line.end);
    } else if (line.fenceAfter === null) {
      endCode();
    } else {
      code?.lines.push(content);
    }
  }
  endCode();
  endProse();
  return breakClickables(result);
}

/** The same cut into texts of at most `maxCharacters`, none of them blank. */
export function splitForDiscord(discordText: string, maxCharacters: number): readonly string[] {
  return splitMarkdown(discordText, maxCharacters - 20)
    .map((part) => settleBackticks(fillBlankFences(partText(part))))
    .filter((text) => text.trim() !== '');
}

/** Escaped for one line of prose: no mark-up works, nothing pings. */
export function discordLine(text: string): string {
  return breakClickables(breakMentions(text)).replace(/[\\*_~`|<>[\]#]/g, (mark) =>
    mark === '<' || mark === '>' ? mark : `\\${mark}`,
  );
}

function fenced(code: string, language: string): string {
  // A link's label may run over lines and into a code block.
  const safe = breakLinks(breakMentions(code));
  return codeBlock(safe.trim() === '' ? `${safe}${zeroWidthSpace}` : safe, language);
}

// Things that Discord makes clickable beside mentions: commands, and the server's own pages.
const clickable = /<(?=\/[^<>\n]{1,200}:\d|id:)/gi;

function breakClickables(text: string): string {
  return text.replace(clickable, `<${zeroWidthSpace}`);
}

function discordProse(markdown: string): string {
  const oneBacktick = markdown
    .replace(/(?<!`)`{3,}([^`\n]+)`{3,}(?!`)/g, '`$1`')
    .replace(
      /(?<!`)``((?:[^`\n]|`(?!`))+)``(?!`)/g,
      (_span, code: string) => `\`${code.replaceAll('`', likeBacktick)}\``,
    );
  return breakForgedLinks(neutralise(oneBacktick)).replace(/`{3,}/g, (run) => run.split('').join(zeroWidthSpace));
}

/** U+02CB: looks like a backtick and does nothing. */
const likeBacktick = '\u02cb';

/**
 * In prose, Discord reads on from a backtick without a partner over lines and into the next code block, and takes what follows for
 * the opposite of what it is. So only pairs within a line stay; a cut may have parted one.
 */
function settleBackticks(text: string): string {
  let result = '';
  let prose = '';
  const endProse = (): void => {
    result += prose.replace(/`([^`\n]+)`|\\?`/g, (found, code) => (code === undefined ? likeBacktick : found));
    prose = '';
  };
  for (const line of markdownLines(text)) {
    const content = text.slice(line.start, line.end);
    if (line.fence === null && !line.opensFence) {
      prose += content;
    } else {
      endProse();
      result += content;
    }
  }
  endProse();
  return result;
}

/** A cut may leave only blank lines in a fence, which Discord would read on to the next one. */
function fillBlankFences(text: string): string {
  return text.replace(/(^|\n)```([\w+\-.#]*)\n(\n*)```(?=\n|$)/g, `$1\`\`\`$2\n${zeroWidthSpace}$3\n\`\`\``);
}
