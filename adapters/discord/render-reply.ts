import type { Artifact, Reply } from '../../src/types.ts';
import { codeBlock, codeSpan } from '../escape.ts';
import { formatCount, harmless, oneLine, shorten } from '../format.ts';
import { recordsText, tableText } from '../table-text.ts';
import type { TableText } from '../table-text.ts';
import { replyButtons } from './buttons.ts';
import { displayBudget, recordRows, shownMessages, tablePreview } from './limits.ts';
import { discordMarkdown, splitForDiscord } from './markdown.ts';
import type { RenderedPost } from './rendered-post.ts';

/** The file that holds an answer which is too long to be shown. */
export const wholeTextName = 'answer.md';

/** Of a long answer's notices, what is shown at most. */
const noticeCharacters = 1200;

/** Text, a preview of each table, notices; then the buttons. Previews go first where it gets too long: their files are attached. */
export function renderReply(reply: Reply): RenderedPost {
  const notices = reply.notices.map((notice) => `> ${oneLine(notice)}`).join('\n');
  const tables = reply.artifacts.flatMap(tableSection);
  const rows = replyButtons(reply);
  for (let shown = tables.length; shown >= 0; shown -= 1) {
    const hidden = tables.length - shown;
    const more = hidden === 0 ? '' : `${hidden === 1 ? '1 more table is' : `${hidden} more tables are`} in the files.`;
    const texts = textsOf([reply.text.trim(), ...tables.slice(0, shown), more, notices]);
    if (texts.length === 0) return { kind: 'text', texts: [nothingToSay(reply)], rows, wholeText: null };
    if (texts.length <= shownMessages) return { kind: 'text', texts, rows, wholeText: null };
  }
  const whole = [reply.text.trim(), notices].filter((section) => section !== '').join('\n\n');
  return { kind: 'text', texts: [beginning(reply, notices)], rows, wholeText: harmless(whole) };
}

function textsOf(sections: readonly string[]): readonly string[] {
  // One by one: a code block that the model left open ends with its own section.
  const texts = sections.filter((section) => section !== '').map((section) => discordMarkdown(section).trimEnd());
  return splitForDiscord(texts.join('\n\n'), displayBudget);
}

function nothingToSay(reply: Reply): string {
  return reply.artifacts.length > 0 ? 'Here it is.' : 'Done; there is nothing to show.';
}

/** One message instead of many: how the text begins, where the rest is, and what must be known in any case. */
function beginning(reply: Reply, notices: string): string {
  const length = formatCount(reply.text.length);
  const where = `**This is the beginning; all ${length} characters are in ${codeSpan(wholeTextName)}.**`;
  const below = notices === '' ? '' : splitForDiscord(discordMarkdown(shorten(notices, noticeCharacters)), 2000)[0];
  const tail = [where, below].filter(Boolean).join('\n\n');
  const [head = ''] = splitForDiscord(discordMarkdown(reply.text.trim()), displayBudget - tail.length - 10);
  return [head, tail].filter((part) => part !== '').join('\n\n');
}

/** A preview in a code block; the whole table is a file of the same reply. */
function tableSection(artifact: Artifact): readonly string[] {
  const { table } = artifact;
  if (table === null || table.columns.length === 0) return [];
  const preview = tablePreviewOf(table);
  const title = oneLine(artifact.title).replace(/[*`]/g, '');
  const below = preview.leftOut === '' ? [] : [`${preview.leftOut}; all of it is in ${codeSpan(artifact.file.name)}.`];
  return [[...(title === '' ? [] : [`**${title}**`]), codeBlock(preview.lines.join('\n')), ...below].join('\n')];
}

function tablePreviewOf(table: NonNullable<Artifact['table']>): TableText {
  const aligned = tableText(table, tablePreview);
  if (aligned.shownColumns === table.columns.length || table.rowCount > recordRows) return aligned;
  const records = recordsText(table, { ...tablePreview, maxCellWidth: 60 });
  return records.shownRows === table.rowCount ? records : aligned;
}
