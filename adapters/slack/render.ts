import type { OutgoingMessage } from '../../src/ports.ts';
import type { Artifact, Progress, ProgressStep, Reply } from '../../src/types.ts';
import { breakMentions, codeBlock, codeSpan, neutralise } from '../escape.ts';
import { oneLine, shorten } from '../format.ts';
import { partText, splitMarkdown } from '../split-markdown.ts';
import { tableText } from '../table-text.ts';
import type { Json } from './json.ts';
import { detailsActionId } from './details-view.ts';
import { slackLimits, tablePreview } from './limits.ts';
import { escapeWithin } from './text.ts';

/** What `chat.postMessage` and `chat.update` take. `text` is what notifications and screen readers use. */
export interface RenderedPart {
  readonly text: string;
  readonly blocks: readonly Json[];
}

/** Marks progress messages, so that the history leaves them out. Slack keeps the id of `section` blocks. */
export const progressBlockId = 'plotline-progress';

/** The message's text parts, in order; at least one, but for a reply that is files only. */
export function renderMessage(message: OutgoingMessage): readonly RenderedPart[] {
  if (message.kind === 'progress') return [renderProgress(message.progress)];
  if (message.kind === 'reply') return renderReply(message.reply);
  if (message.kind === 'card') return withDetailsButton(renderMarkdown(message.text), message.file);
  return renderMarkdown(message.text.trim() === '' ? '…' : message.text);
}

function renderMarkdown(markdown: string): readonly RenderedPart[] {
  return splitMarkdown(neutralise(markdown), slackLimits.markdownCharacters)
    .map(partText)
    .filter((text) => text.trim() !== '')
    .map((text) => ({
      text: escapeWithin(text, slackLimits.textCharacters),
      blocks: [{ type: 'markdown', text }],
    }));
}

function renderReply(reply: Reply): readonly RenderedPart[] {
  const notices = reply.notices.map((notice) => `> ${oneLine(notice)}`);
  const tables = reply.artifacts.flatMap(tableSection);
  const sections = [reply.text.trim(), ...tables, notices.join('\n>\n')].filter((section) => section !== '');
  const parts = renderMarkdown(sections.join('\n\n'));
  const last = parts.at(-1);
  if (last === undefined) return reply.artifacts.length > 0 ? [] : renderMarkdown('Done; there is nothing to show.');
  return [...parts.slice(0, -1), { ...last, blocks: [...last.blocks, ...codeFooter(reply)] }];
}

/** Below the last part. The button carries the file's name and nothing else: what it shows comes from the store. */
function withDetailsButton(parts: readonly RenderedPart[], file: string): readonly RenderedPart[] {
  const last = parts.at(-1);
  if (last === undefined || file === '' || file.length > slackLimits.buttonValueCharacters) return parts;
  const button = {
    type: 'actions',
    elements: [
      { type: 'button', action_id: detailsActionId, value: file, text: { type: 'plain_text', text: 'Details' } },
    ],
  };
  return [...parts.slice(0, -1), { ...last, blocks: [...last.blocks, button] }];
}

function codeFooter(reply: Reply): readonly Json[] {
  const steps = reply.code.length;
  if (steps === 0) return [];
  const what = steps === 1 ? '1 piece of Python' : `${steps} pieces of Python`;
  return [
    {
      type: 'context',
      elements: [
        {
          type: 'mrkdwn',
          text: `${what} ran for this. Mention me here with *show code* to see it, with *notebook* to get it as a Jupyter notebook.`,
        },
      ],
    },
  ];
}

/** A preview in a code block; the whole table is a file of the same reply. */
function tableSection(artifact: Artifact): readonly string[] {
  if (artifact.table === null || artifact.table.columns.length === 0) return [];
  const preview = tableText(artifact.table, tablePreview);
  const title = oneLine(artifact.title);
  const below = preview.leftOut === '' ? [] : [`${preview.leftOut}; all of it is in ${codeSpan(artifact.file.name)}.`];
  return [[...(title === '' ? [] : [`**${title}**`]), codeBlock(preview.lines.join('\n')), ...below].join('\n')];
}

const stepSigns: Readonly<Record<ProgressStep['state'], string>> = {
  running: '⏳',
  done: '✅',
  failed: '⚠️',
};

const idleText = 'Working on it…';

/** Their lines together stay below the 3,000 characters of a `section`. */
const shownSteps = 15;
const shownStepCharacters = 150;

function renderProgress(progress: Progress): RenderedPart {
  const note = escapeWithin(breakMentions(oneLine(progress.note)), 500);
  const steps = progress.steps.map(({ title, state }) => ({
    sign: stepSigns[state],
    title: escapeWithin(breakMentions(oneLine(title)), shownStepCharacters) || 'Working on it',
  }));
  const hidden = steps.length - shownSteps;
  const lines = [
    ...(hidden > 0 ? [`_${hidden} earlier steps_`] : []),
    ...steps.slice(-shownSteps).map(({ sign, title }) => `${sign} ${title}`),
  ];
  return {
    text: note || (steps.at(-1)?.title ?? idleText),
    blocks: [
      {
        type: 'section',
        block_id: progressBlockId,
        text: { type: 'mrkdwn', text: note || lines.join('\n') || idleText, verbatim: true },
      },
    ],
  };
}

/** What stands above uploaded files. Slack's SDK loses alt texts on the way, so they are said here, one line per chart. */
export function uploadComment(artifacts: readonly Artifact[]): string {
  const share = Math.floor(slackLimits.commentCharacters / Math.max(1, artifacts.length));
  const lines = artifacts.map(({ kind, title, altText, file }) => {
    const name = oneLine(title) || file.name;
    return shorten(kind === 'chart' && altText !== '' ? `${name}: ${oneLine(altText)}` : name, share - 3);
  });
  const list = lines.length > 1 ? lines.map((line) => `• ${line}`) : lines;
  return commentText(list.join('\n'));
}

/** Plain text for an upload's comment, within its limit, without mentions. */
export function commentText(text: string): string {
  return escapeWithin(neutralise(text), slackLimits.commentCharacters);
}
