import type { Artifact, Reply } from '../../src/types.ts';
import { codeBlock, codeSpan } from '../escape.ts';
import { oneLine, shorten } from '../format.ts';
import { tableText } from '../table-text.ts';
import { plainContext, plainTextObject } from './blocks.ts';
import { feedbackButtons, replyButtons } from './buttons.ts';
import type { Json } from '../json.ts';
import { chartLimits, slackLimits, tablePreview } from './limits.ts';
import { nativeChart } from './native-chart.ts';
import { nativeTable } from './native-table.ts';
import { packParts, samePiece } from './pack-parts.ts';
import type { Piece } from './pack-parts.ts';
import { markdownBlocks } from './rendered-part.ts';
import type { RenderedPart } from './rendered-part.ts';

/**
 * The words, then tables and charts, then the notices, then the buttons. What Slack cannot show natively is shown as text; the
 * files themselves are posted beside, so nothing is only in a block.
 */
export function renderReply(reply: Reply, images: ReadonlyMap<string, string>): readonly RenderedPart[] {
  const notices = reply.notices.map((notice) => `> ${oneLine(notice)}`).join('\n>\n');
  const words = [...textPieces(reply.text), ...artifactPieces(reply.artifacts, images), ...textPieces(notices)];
  const shown = words.length > 0 ? words : textPieces(nothingSaid(reply));
  return packParts([...shown, ...footer(reply)]);
}

function nothingSaid({ outcome, artifacts }: Reply): string {
  if (artifacts.length > 0) return 'The answer is in the files.';
  return outcome === 'cancelled' ? 'Stopped; there is nothing to show.' : 'Done; there is nothing to show.';
}

function textPieces(markdown: string): readonly Piece[] {
  return markdownBlocks(markdown.trim()).map((block) => samePiece([block]));
}

function artifactPieces(artifacts: readonly Artifact[], images: ReadonlyMap<string, string>): readonly Piece[] {
  let nativeCharts = 0;
  return artifacts.flatMap((artifact) => {
    if (artifact.kind !== 'chart') return tablePieces(artifact);
    const native = nativeCharts < chartLimits.perMessage ? nativeChart(artifact) : null;
    if (native !== null) nativeCharts += 1;
    return chartPieces(artifact, images.get(artifact.file.name), native);
  });
}

/** The native chart says nothing that the picture does not: where it is refused, nothing stands for it. */
function chartPieces(artifact: Artifact, fileId: string | undefined, native: Json | null): readonly Piece[] {
  const extra = native === null ? [] : [{ blocks: [native], plain: [] }];
  if (fileId === undefined) return extra;
  const { title, altText, file } = artifact;
  const name = oneLine(title) || file.name;
  const image = {
    type: 'image',
    slack_file: { id: fileId },
    alt_text: plainTextObject(altText || name, slackLimits.imageTextCharacters, 'Chart')['text'],
    title: plainTextObject(name, 250, 'Chart'),
  };
  const words = altText === '' ? name : `${name}: ${altText}`;
  return [{ blocks: [image], plain: [plainContext(`${words} (in ${file.name})`)] }, ...extra];
}

/** A preview in a code block, or the table itself where it is small; the whole table is a file of the same reply. */
function tablePieces(artifact: Artifact): readonly Piece[] {
  if (artifact.table === null || artifact.table.columns.length === 0) return [];
  const preview = tableText(artifact.table, tablePreview);
  const title = shorten(oneLine(artifact.title), 300);
  const below = preview.leftOut === '' ? 'All of it' : `${preview.leftOut}; all of it`;
  const lines = [
    ...(title === '' ? [] : [`**${title}**`]),
    codeBlock(preview.lines.join('\n')),
    `${below} is in ${codeSpan(artifact.file.name)}.`,
  ];
  const plain = markdownBlocks(lines.join('\n'));
  const native = nativeTable(artifact);
  if (native === null) return plain.map((block) => samePiece([block]));
  return [{ blocks: [native.block, plainContext(`All of it is in ${artifact.file.name}.`)], plain }];
}

function footer(reply: Reply): readonly Piece[] {
  const buttons = replyButtons(reply);
  const feedback = feedbackButtons(reply);
  return buttons.length + feedback.length === 0 ? [] : [{ blocks: [...buttons, ...feedback], plain: buttons }];
}
