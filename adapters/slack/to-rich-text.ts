import { markdownLines } from '../markdown-lines.ts';
import { asArray, asNumber, asObject, asText } from '../json.ts';
import type { Json } from '../json.ts';

/**
 * Markdown as a `rich_text` block, for the message that carries files: Slack answers `internal_error` to a `markdown` block there
 * (slackapi/python-slack-sdk#1756, slackapi/node-slack-sdk#2564). Text elements are shown as they are: nothing in them becomes a
 * mention. `null` where the block cannot say it all: tables, and headings that are underlined.
 */
export function toRichText(markdown: string): Json | null {
  const elements: Json[] = [];
  let paragraph: string[] = [];
  let code: string[] | null = null;

  const endParagraph = (): void => {
    while (paragraph.at(-1)?.trim() === '') paragraph.pop();
    const content = inline(paragraph.join('\n'));
    if (content.length > 0) elements.push({ type: 'rich_text_section', elements: content });
    paragraph = [];
  };

  for (const line of markdownLines(markdown)) {
    const text = markdown.slice(line.start, line.end).replace(/\r?\n$/, '');
    if (line.isDelimiterRow || /^ {0,3}=+\s*$/.test(text)) return null;
    if (line.fence !== null || line.opensFence) {
      if (line.fence === null) {
        endParagraph();
        code = [];
      } else if (line.fenceAfter !== null) code?.push(text);
      if (line.fenceAfter === null) {
        elements.push(preformatted(code ?? []));
        code = null;
      }
      continue;
    }
    const item = /^(\s*)(?:[-*+]|(\d{1,6})[.)])\s+(.*)$/.exec(text);
    const quote = /^ {0,3}>\s?(.*)$/.exec(text);
    const heading = /^ {0,3}#{1,6}\s+(.*?)\s*#*\s*$/.exec(text);
    if (/^ {0,3}(?:(?:-\s*){3,}|(?:\*\s*){3,}|(?:_\s*){3,})$/.test(text)) {
      endParagraph();
    } else if (item !== null) {
      endParagraph();
      addItem(elements, item[1] ?? '', item[2] ?? null, item[3] ?? '');
    } else if (quote !== null) {
      endParagraph();
      addQuote(elements, quote[1] ?? '');
    } else if (heading !== null) {
      endParagraph();
      elements.push({ type: 'rich_text_section', elements: [...inline(heading[1] ?? '', { bold: true }), breakLine] });
    } else if (line.isBlank) {
      if (paragraph.length > 0) paragraph.push('', '');
      endParagraph();
    } else {
      if (elements.at(-1)?.['type'] === 'rich_text_list' && paragraph.length === 0 && /^\s{2,}/.test(text)) {
        extendItem(elements, text.trim());
      } else paragraph.push(text);
    }
  }
  if (code !== null) elements.push(preformatted(code));
  endParagraph();
  return elements.length === 0 ? null : { type: 'rich_text', elements: spaced(elements) };
}

/** The blocks without `markdown` ones; `null` where one of them cannot be said as rich text. */
export function withoutMarkdown(blocks: readonly Json[]): readonly Json[] | null {
  const changed: Json[] = [];
  for (const block of blocks) {
    const said = block['type'] === 'markdown' ? toRichText(asText(block['text']) ?? '') : block;
    if (said === null) return null;
    changed.push(said);
  }
  return changed;
}

/** The words of a `rich_text` block, as near to the Markdown they came from as a reader needs. */
export function richTextWords(block: Json): string {
  return asArray(block['elements'])
    .map((raw) => {
      const element = asObject(raw);
      if (element['type'] === 'rich_text_preformatted') return `\`\`\`\n${leafText(element)}\n\`\`\`\n`;
      if (element['type'] === 'rich_text_quote') return `${leafText(element).replace(/^/gm, '> ')}\n`;
      if (element['type'] !== 'rich_text_list') return leafText(element);
      const first = (asNumber(element['offset']) ?? 0) + 1;
      const indent = '  '.repeat(asNumber(element['indent']) ?? 0);
      const sign = (index: number): string => (element['style'] === 'ordered' ? `${first + index}.` : '-');
      const items = asArray(element['elements']).map(
        (item, index) => `${indent}${sign(index)} ${leafText(asObject(item))}\n`,
      );
      return items.join('');
    })
    .join('')
    .trim();
}

const breakLine: Json = { type: 'text', text: '\n' };

interface Style {
  readonly bold?: true;
  readonly italic?: true;
  readonly strike?: true;
  readonly code?: true;
}

// Bounded repetitions: the text is a model's. Emphasis stays within a paragraph and does not begin or end with a space.
const inlinePattern = new RegExp(
  [
    String.raw`\\(?<escaped>[!-/:-@[-\`{-~])`,
    String.raw`(?<ticks>\`{1,3})(?!\`)(?<code>[^\n]{1,2000}?)(?<!\`)\k<ticks>(?!\`)`,
    String.raw`\[(?<label>(?:[^[\]\\\n]|\\.){1,500})\]\((?<url>(?:https?://|mailto:)[^\s()]{1,2000}(?:\([^\s()]{0,200}\)[^\s()]{0,500}){0,3})\)`,
    String.raw`<(?<auto>https?://[^\s<>|]{1,2000})>`,
    String.raw`(?<bare>https?://[^\s<>|*\`]{1,2000}[^\s<>|*\`.,:;!?)\]'"])`,
    String.raw`\*\*(?<bold>[^\s*](?:[^]{0,2000}?[^\s])?)\*\*(?!\*)`,
    String.raw`(?<![\w_])__(?<bold2>[^\s_](?:[^]{0,2000}?[^\s])?)__(?!\w)`,
    String.raw`~~(?<strike>[^\s~](?:[^]{0,2000}?[^\s])?)~~`,
    String.raw`\*(?<italic>[^\s*](?:[^*\n]{0,1000}?[^\s*])?)\*(?!\*)`,
    String.raw`(?<![\w_])_(?<italic2>[^\s_](?:[^_\n]{0,1000}?[^\s_])?)_(?!\w)`,
  ].join('|'),
  'g',
);

function inline(text: string, style: Style = {}): readonly Json[] {
  const found: Json[] = [];
  let plain = '';
  const flush = (): void => {
    if (plain !== '') found.push(leaf({ type: 'text', text: plain }, style));
    plain = '';
  };
  let from = 0;
  for (const match of text.matchAll(inlinePattern)) {
    const { escaped, code, label, url, auto, bare, bold, bold2, strike, italic, italic2 } = match.groups ?? {};
    plain += text.slice(from, match.index);
    from = match.index + match[0].length;
    if (escaped !== undefined) {
      plain += escaped;
      continue;
    }
    flush();
    const strong = bold ?? bold2;
    const leaning = italic ?? italic2;
    if (code !== undefined) found.push(leaf({ type: 'text', text: code.trim() || code }, { ...style, code: true }));
    else if (label !== undefined) found.push(leaf({ type: 'link', url, text: unescape(label) }, style));
    else if (strong !== undefined) found.push(...inline(strong, { ...style, bold: true }));
    else if (strike !== undefined) found.push(...inline(strike, { ...style, strike: true }));
    else if (leaning !== undefined) found.push(...inline(leaning, { ...style, italic: true }));
    else found.push(leaf({ type: 'link', url: auto ?? bare ?? '' }, style));
  }
  plain += text.slice(from);
  flush();
  return found;
}

function leaf(element: Json, style: Style): Json {
  return Object.keys(style).length === 0 ? element : { ...element, style };
}

function unescape(label: string): string {
  return label.replace(/\\([!-/:-@[-`{-~])/g, '$1').replace(/[*`]/g, '');
}

function preformatted(lines: readonly string[]): Json {
  return { type: 'rich_text_preformatted', elements: [{ type: 'text', text: lines.join('\n') || ' ' }] };
}

function addItem(elements: Json[], spaces: string, number: string | null, text: string): void {
  const indent = Math.min(8, Math.floor(spaces.replaceAll('\t', '    ').length / 2));
  const style = number === null ? 'bullet' : 'ordered';
  const content = inline(text);
  const item = { type: 'rich_text_section', elements: content.length === 0 ? [{ type: 'text', text: ' ' }] : content };
  const last = elements.at(-1);
  if (last?.['type'] === 'rich_text_list' && last['style'] === style && last['indent'] === indent) {
    elements[elements.length - 1] = { ...last, elements: [...asArray(last['elements']), item] };
    return;
  }
  const offset = number === null || number === '1' ? {} : { offset: Math.max(0, Number(number) - 1) };
  elements.push({ type: 'rich_text_list', style, indent, ...offset, elements: [item] });
}

/** An indented line below an item goes on with it. */
function extendItem(elements: Json[], text: string): void {
  const list = elements.at(-1) ?? {};
  const items = asArray(list['elements']).map(asObject);
  const item = items.at(-1) ?? {};
  const longer = { ...item, elements: [...asArray(item['elements']), breakLine, ...inline(text)] };
  elements[elements.length - 1] = { ...list, elements: [...items.slice(0, -1), longer] };
}

function addQuote(elements: Json[], text: string): void {
  const last = elements.at(-1);
  const content = inline(text);
  if (last?.['type'] === 'rich_text_quote') {
    elements[elements.length - 1] = { ...last, elements: [...asArray(last['elements']), breakLine, ...content] };
  } else if (content.length > 0) elements.push({ type: 'rich_text_quote', elements: content });
}

/** Paragraphs follow each other with an empty line between, as Slack puts none there. */
function spaced(elements: readonly Json[]): readonly Json[] {
  return elements.map((element, index) => {
    const next = elements[index + 1];
    if (element['type'] !== 'rich_text_section' || next === undefined) return element;
    const isHeading = asArray(element['elements']).at(-1) === breakLine;
    if (isHeading) return element;
    const gap = next['type'] === 'rich_text_section' ? '\n\n' : '\n';
    return { ...element, elements: [...asArray(element['elements']), { type: 'text', text: gap }] };
  });
}

function leafText(element: Json): string {
  return asArray(element['elements'])
    .map((raw) => {
      const part = asObject(raw);
      return asText(part['text']) ?? asText(part['url']) ?? leafText(part);
    })
    .join('');
}
