import type { Artifact, Reply } from '../../src/types.ts';
import { codeBlock, codeSpan } from '../escape.ts';
import { counted, formatCount, harmless, oneLine, shorten } from '../format.ts';
import { tableText } from '../table-text.ts';
import type { TableText } from '../table-text.ts';
import { replyButtons } from './buttons.ts';
import { displayBudget, recordRows, shownMessages, tablePreview } from './limits.ts';
import { discordMarkdown, splitForDiscord } from './markdown.ts';
import type { RenderedPost } from './rendered-post.ts';
import { picturedTables, wholeRecords } from './reply-files.ts';

/** The file that holds an answer which is too long to be shown. */
export const wholeTextName = 'answer.md';

/** Of a long answer's notices, what is shown at most. */
const noticeCharacters = 1200;

/** Text, a preview of each table, notices; then the buttons. Previews go first where it gets too long: their files are attached. */
export function renderReply(reply: Reply): RenderedPost {
  const noticeLines = reply.notices.map((notice) => `> ${oneLine(notice)}`).join('\n');
  // One by one: a code block that the model left open ends with its own section.
  const text = section(reply.text.trim());
  const pictured = picturedTables(reply);
  const tables = reply.artifacts.flatMap((one) => tableSection(one, pictured.has(one))).map(section);
  const notices = section(noticeLines);
  const rows = replyButtons(reply);
  for (let shown = tables.length; shown >= 0; shown -= 1) {
    const hidden = tables.length - shown;
    const more = hidden === 0 ? '' : `${hidden === 1 ? '1 more table is' : `${hidden} more tables are`} in the files.`;
    const texts = splitForDiscord(joined([text, ...tables.slice(0, shown), more, notices]), displayBudget);
    if (texts.length === 0) return { kind: 'text', texts: [nothingToSay(reply)], rows, wholeText: null };
    if (texts.length <= shownMessages) return { kind: 'text', texts, rows, wholeText: null };
  }
  const wholeText = harmless(joined([reply.text.trim(), noticeLines]));
  return { kind: 'text', texts: [beginning(reply.text.length, text, noticeLines)], rows, wholeText };
}

function section(markdown: string): string {
  return discordMarkdown(markdown).trimEnd();
}

function joined(sections: readonly string[]): string {
  return sections.filter((one) => one !== '').join('\n\n');
}

function nothingToSay(reply: Reply): string {
  return reply.artifacts.length > 0 ? 'Here it is.' : 'Done; there is nothing to show.';
}

/** One message instead of many: how the text begins, where the rest is, and what must be known in any case. */
function beginning(characters: number, text: string, noticeLines: string): string {
  const where = `**This is the beginning; all ${formatCount(characters)} characters are in ${codeSpan(wholeTextName)}.**`;
  const [below = ''] = splitForDiscord(section(shorten(noticeLines, noticeCharacters)), 2 * noticeCharacters);
  const tail = joined([where, below]);
  const [head = ''] = splitForDiscord(text, displayBudget - tail.length - 10);
  return joined([head, tail]);
}

/** A preview in a code block, or a word about its picture; the whole table is a file of the same reply. */
function tableSection(artifact: Artifact, isPictured: boolean): readonly string[] {
  const { table } = artifact;
  if (table === null || table.columns.length === 0) return [];
  const title = oneLine(artifact.title).replace(/[*`]/g, '');
  if (isPictured) {
    const size = `${counted(table.rowCount, 'row')} and ${counted(table.columns.length, 'column')}`;
    const heading = title === '' ? '' : `**${title}**\n`;
    return [`${heading}As a picture; all of it, ${size}, is in ${codeSpan(artifact.file.name)}.`];
  }
  const preview = tablePreviewOf(table);
  const below = preview.leftOut === '' ? [] : [`${preview.leftOut}; all of it is in ${codeSpan(artifact.file.name)}.`];
  return [[...(title === '' ? [] : [`**${title}**`]), codeBlock(preview.lines.join('\n')), ...below].join('\n')];
}

function tablePreviewOf(table: NonNullable<Artifact['table']>): TableText {
  const aligned = tableText(table, tablePreview);
  if (aligned.shownColumns === table.columns.length || table.rowCount > recordRows) return aligned;
  return wholeRecords(table) ?? aligned;
}
