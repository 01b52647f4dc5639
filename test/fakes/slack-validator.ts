import { actionIds, arrayOf, blockChecks, fieldsOf, plainText, string } from './slack-block-checks.ts';
import type { Surface } from './slack-block-checks.ts';
import { mrkdwnProblems } from './slack-text-problems.ts';

/**
 * Slack's documented limits of messages and views, with numbers of its own: it judges what `adapters/slack/limits.ts` leads to.
 * Sources as in `slack-block-checks.ts`.
 */

type Fields = Readonly<Record<string, unknown>>;
type Report = (problem: string) => void;

const maxBlocks: Readonly<Record<Surface, number>> = { message: 50, modal: 100, home: 100 }; // [types]

/** Everything that Slack would refuse or that would ping, mislead or be cut; empty where all is well. */
export function slackProblems(
  message: { readonly text?: string; readonly blocks?: readonly unknown[] },
  surface: Surface,
): readonly string[] {
  const problems: string[] = [];
  const { text, blocks } = message;
  if (text === undefined && (blocks ?? []).length === 0) problems.push('neither text nor blocks');
  if (text !== undefined) {
    if (text.trim() === '') problems.push('text: empty');
    // [seen] longer texts are split by the server, and only one ts comes back
    if (text.length > 4000) problems.push(`text: ${text.length} characters, at most 4000`);
    problems.push(...mrkdwnProblems(text).map((problem) => `text: ${problem}`));
  }
  return blocks === undefined ? problems : [...problems, ...blocksProblems(blocks, surface)];
}

/** A rendered part, as it is posted first and as it is posted after `invalid_blocks`; that has none of the newer kinds. */
export function partProblems(part: {
  readonly text: string;
  readonly blocks: readonly unknown[];
  readonly plainBlocks: readonly unknown[] | null;
}): readonly string[] {
  const plain = part.plainBlocks ?? part.blocks;
  const newer = plain.map((block) => String(fieldsOf(block)['type'])).filter((type) => newerKinds.has(type));
  return [
    ...slackProblems(part, 'message'),
    ...slackProblems({ text: part.text, blocks: plain }, 'message').map((problem) => `plain ${problem}`),
    ...newer.map((type) => `${type} in what is posted where Slack refused the newer kinds`),
  ];
}

const newerKinds: ReadonlySet<string> = new Set(['data_table', 'data_visualization', 'image', 'context_actions']);

/** A whole view, as `views.open` and `views.publish` take it. */
export function viewProblems(view: unknown): readonly string[] {
  const fields = fieldsOf(view);
  const problems: string[] = [];
  const report: Report = (problem) => problems.push(problem);
  const type = fields['type'];
  if (type !== 'modal' && type !== 'home') return [`unknown view type ${String(type)}`];
  if (type === 'modal') {
    plainText(fields['title'], 24, 'title', report); // [types]
    if (fields['close'] !== undefined) plainText(fields['close'], 24, 'close', report);
    if (fields['submit'] !== undefined) plainText(fields['submit'], 24, 'submit', report);
    const hasInput = arrayOf(fields['blocks']).some((block) => fieldsOf(block)['type'] === 'input');
    if (hasInput && fields['submit'] === undefined) report('an input without submit'); // [page] views
  }
  string(fields['private_metadata'] ?? '-', 3000, 'private_metadata', report);
  string(fields['callback_id'] ?? '-', 255, 'callback_id', report);
  // [seen] 250 KB a view
  if (Buffer.byteLength(JSON.stringify(view)) > 250_000) report('more than 250 KB');
  return [...problems, ...blocksProblems(arrayOf(fields['blocks']), type)];
}

export function blocksProblems(blocks: readonly unknown[], surface: Surface): readonly string[] {
  const problems: string[] = [];
  if (blocks.length === 0) problems.push('no blocks');
  if (blocks.length > maxBlocks[surface]) problems.push(`${blocks.length} blocks, at most ${maxBlocks[surface]}`);
  for (const [index, block] of blocks.entries()) {
    const fields = fieldsOf(block);
    const type = String(fields['type']);
    const report: Report = (problem) => problems.push(`blocks[${index}] ${type}: ${problem}`);
    const check = blockChecks[type];
    if (check === undefined) {
      report('an unknown type');
      continue;
    }
    if (!check.surfaces.includes(surface)) report(`not for a ${surface}`);
    if (fields['block_id'] !== undefined) string(fields['block_id'], 255, 'block_id', report); // [types]
    check.of(fields, report);
    actionIds(block, report);
  }
  const ids = blocks.flatMap((block) => fieldsOf(block)['block_id'] ?? []);
  if (new Set(ids).size < ids.length) problems.push('two blocks with the same block_id');
  return [...problems, ...sums(blocks), ...(surface === 'message' ? tooMuchText(blocks) : [])];
}

/** Limits over all blocks of a message. */
function sums(blocks: readonly unknown[]): readonly string[] {
  const ofType = (type: string): readonly Fields[] => blocks.map(fieldsOf).filter((block) => block['type'] === type);
  const markdown = ofType('markdown').reduce((sum, block) => sum + String(block['text']).length, 0);
  const cells = ofType('data_table').flatMap(({ rows }) => arrayOf(rows).flatMap(arrayOf));
  const cellCharacters = cells.reduce<number>((sum, cell) => sum + String(fieldsOf(cell)['text']).length, 0);
  return [
    ...(markdown > 12_000 ? [`${markdown} characters of markdown, at most 12000`] : []), // [page] markdown block
    ...(cellCharacters > 10_000 ? [`${cellCharacters} characters in table cells, at most 10000`] : []), // [page] data table
    ...(ofType('data_visualization').length > 2 ? ['more than 2 charts'] : []), // [seen]
  ];
}

/** [seen] Whole messages are refused with `msg_blocks_too_long` from about 13,200 characters in their blocks. */
function tooMuchText(blocks: readonly unknown[]): readonly string[] {
  const count = (value: unknown): number => {
    if (Array.isArray(value)) return value.reduce<number>((sum, entry) => sum + count(entry), 0);
    return Object.entries(fieldsOf(value)).reduce(
      (sum, [key, entry]) =>
        sum + (typeof entry !== 'string' ? count(entry) : /text|title|caption/.test(key) ? entry.length : 0),
      0,
    );
  };
  const characters = count(blocks);
  return characters > 13_200 ? [`${characters} characters in all blocks, at most 13200`] : [];
}
