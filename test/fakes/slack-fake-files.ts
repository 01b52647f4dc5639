import type { CallThrough, SlackAnswer, SlackArguments } from './slack-faults.ts';

/** How Slack treats files; all of it was seen there. Counts of polls are calls of `files.info` for one file. */
export interface FileBehaviour {
  /** So many polls answer that an image is not processed yet. */
  readonly pollsUntilProcessed?: number;
  /** So many polls answer that a file is not shared yet; nor does the answer of the share say it. */
  readonly pollsUntilShared?: number;
  /** The message of a share goes without its blocks. */
  readonly ignoresBlocks?: boolean;
  /** So many shares say "ok" and share nothing. */
  readonly emptyShares?: number;
  /** Where the bytes of the n-th upload (0, 1 …) go instead of to Slack; `null`: to Slack. */
  readonly uploadUrl?: (upload: number) => string | null;
  /** Images in blocks are refused as "invalid slack file". */
  readonly refusesImages?: boolean;
}

interface Block {
  readonly type: string;
  readonly slack_file?: { readonly id?: string };
  readonly text?: unknown;
}

export function createFakeFiles(behaviour: FileBehaviour) {
  const polls = new Map<string, number>();
  const completed = new Set<string>();
  const deleted = new Set<string>();
  let uploads = 0;
  let emptyShares = behaviour.emptyShares ?? 0;

  const isProcessed = (id: string): boolean =>
    completed.has(id) && (polls.get(id) ?? 0) >= (behaviour.pollsUntilProcessed ?? 0);

  /** Slack's word on blocks that it does not take here; `null` where it takes them. */
  const refusal = (method: string, args: SlackArguments): SlackAnswer | null => {
    const blocks = blocksOf(args);
    if (method === 'files.completeUploadExternal' && args['initial_comment'] === undefined) {
      // slackapi/python-slack-sdk#1756
      if (blocks.some(({ type }) => type === 'markdown')) return failure('internal_error');
    }
    const images = blocks.flatMap((block) => (block.type === 'image' ? [block.slack_file?.id ?? ''] : []));
    if (images.some((id) => behaviour.refusesImages === true || !isProcessed(id))) {
      return failure('invalid_blocks', 'invalid slack file [json-pointer:/blocks/0/slack_file]');
    }
    return blocks.length > 50 ? failure('invalid_blocks') : null;
  };

  const answer = async (method: string, args: SlackArguments, through: CallThrough): Promise<SlackAnswer> => {
    if (method === 'files.completeUploadExternal') {
      const ids = (args['files'] as readonly { readonly id: string }[]).map(({ id }) => id);
      if (ids.some((id) => deleted.has(id))) return failure('file_not_found');
      for (const id of ids) completed.add(id);
      if (args['channel_id'] === undefined) return await through(method, args);
      if (emptyShares > 0) {
        emptyShares -= 1;
        return await through(method, { files: args['files'] });
      }
      const sent = behaviour.ignoresBlocks === true ? { ...args, blocks: undefined } : args;
      const shared = await through(method, sent);
      if (behaviour.pollsUntilShared === undefined) return shared;
      return { ...shared, files: ids.map((id) => ({ id, mimetype: '', shares: {} })) };
    }
    if (method === 'files.getUploadURLExternal') {
      const given = await through(method, args);
      const elsewhere = behaviour.uploadUrl?.(uploads) ?? null;
      uploads += 1;
      return elsewhere === null ? given : { ...given, upload_url: elsewhere };
    }
    if (method === 'files.info') {
      const id = String(args['file']);
      const found = await through(method, args);
      const earlier = polls.get(id) ?? 0;
      polls.set(id, earlier + 1);
      const file = found['file'] as Record<string, unknown> | undefined;
      if (file === undefined) return found;
      return {
        ...found,
        file: {
          ...file,
          ...(earlier < (behaviour.pollsUntilProcessed ?? 0) ? { mimetype: '' } : {}),
          ...(earlier < (behaviour.pollsUntilShared ?? 0) ? { shares: {} } : {}),
        },
      };
    }
    if (method === 'files.delete') deleted.add(String(args['file']));
    return await through(method, args);
  };

  return { refusal, answer };
}

export function failure(error: string, ...messages: string[]): SlackAnswer {
  return { ok: false, error, response_metadata: { messages } };
}

function blocksOf(args: SlackArguments): readonly Block[] {
  return Array.isArray(args['blocks']) ? (args['blocks'] as Block[]) : [];
}
