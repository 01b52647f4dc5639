import type { Logger } from '../../src/log.ts';
import type { Json } from '../json.ts';
import { imageFileIds, marked, markOf } from './marks.ts';
import type { FileGroup, PlannedFile } from './post-plan.ts';
import type { PostRun } from './post-run.ts';
import { commentText, uploadComment } from './render.ts';
import { withoutMarkdown } from './to-rich-text.ts';
import { shareFiles } from './share.ts';
import type { ShareOutcome } from './share.ts';
import type { ShareTarget } from './upload.ts';

/** Messages that carry files: with a text part in them, or with a line for each file. */
export interface FilePosts {
  /**
   * The last text part and a group of files as one message. Resolves to what is done with: `files` where the text has to go on
   * its own, because the files cannot be shared or Slack left out the words; `none` where both have to.
   */
  withText(run: PostRun, textIndex: number, group: FileGroup): Promise<'both' | 'files' | 'none'>;
  alone(run: PostRun, group: FileGroup): Promise<void>;
}

/** So long a workspace that left out the blocks beside files, or refused all of them, is not asked again. */
const refusedMs = 3_600_000;

const neverShownReason = 'Slack accepted it and did not show it in this thread; ask me for it again';

export function createFilePosts(deps: { readonly log: Logger; readonly settleMs: number }): FilePosts {
  /** A cache: a workspace that is missing in it costs two calls. */
  const refusedUntilMs = new Map<string, number>();

  const refusesBlocks = ({ thread }: PostRun): boolean => Date.now() < (refusedUntilMs.get(thread.workspaceId) ?? 0);
  const rememberRefusal = ({ thread }: PostRun): void => {
    refusedUntilMs.set(thread.workspaceId, Date.now() + refusedMs);
  };

  /** Files that Slack never showed are sent once more, under new ids. */
  const share = async (
    run: PostRun,
    { files, partId }: FileGroup,
    words: ShareTarget['words'],
  ): Promise<ShareOutcome> => {
    const { web, thread, postId, signal } = run;
    const once = (): Promise<ShareOutcome> => {
      const uploads = files.map((file) => ({ fileId: run.fileId(file), title: file.title }));
      return shareFiles(web, thread, uploads, words, { postId, partId, signal }, deps);
    };
    const first = await once();
    if (first.kind !== 'never-shown') return first;
    return (await run.upload(files)).length < files.length ? first : await once();
  };

  /** True where the group is dealt with, shared or named as left out. */
  const settle = async (run: PostRun, { files, partId }: FileGroup, outcome: ShareOutcome): Promise<boolean> => {
    if (outcome.kind === 'words-refused') return false;
    if (outcome.kind === 'files-refused') run.leaveOut(files, outcome.reason);
    if (outcome.kind === 'never-shown') run.leaveOut(files, neverShownReason);
    if (outcome.kind === 'shared') await run.note({ partId, messageId: outcome.messageId });
    return true;
  };

  const withText: FilePosts['withText'] = async (run, textIndex, group) => {
    if (refusesBlocks(run)) return 'none';
    const partId = `text-${textIndex + 1}`;
    const mark = markOf(run.postId, [partId, group.partId]);
    const charts = group.files.filter(({ isImage }) => isImage);
    const below = charts.length === 0 ? [] : [section(aboveFiles(charts))];
    let refusedImages = false;
    for (const layout of run.layouts(textIndex)) {
      const blocks = withoutMarkdown(layout);
      // Rather two messages than a table as running text.
      if (blocks === null) return 'none';
      const images = imageFileIds(layout);
      if (refusedImages && images.length > 0) continue;
      const outcome = await share(run, group, { blocks: marked([...blocks, ...below], mark) });
      if (!(await settle(run, group, outcome))) {
        refusedImages ||= images.length > 0;
        continue;
      }
      if (outcome.kind !== 'shared') return 'files';
      if (!(await outcome.hasBlocks())) {
        rememberRefusal(run);
        return 'files';
      }
      run.shows(images);
      await run.note({ partId, messageId: outcome.messageId });
      return 'both';
    }
    rememberRefusal(run);
    return 'none';
  };

  const alone: FilePosts['alone'] = async (run, group) => {
    const said = run.content.comment;
    const comment = said === null ? aboveFiles(group.files) : group.partId === 'files-1' ? commentText(said) : '';
    const blocks = marked(comment === '' ? [] : [section(comment)], markOf(run.postId, [group.partId]));
    for (const words of refusesBlocks(run) ? [{ comment }] : [{ blocks }, { comment }]) {
      const outcome = await share(run, group, words);
      if (!(await settle(run, group, outcome))) continue;
      if (outcome.kind === 'shared' && comment !== '' && 'blocks' in words && !(await outcome.hasBlocks())) {
        rememberRefusal(run);
        await sayLater(run, outcome.messageId, comment);
      }
      return;
    }
  };

  /** Slack left out what was to stand above the files. */
  const sayLater = async ({ web, thread, postId, signal }: PostRun, ts: string, text: string): Promise<void> => {
    try {
      await web.call('chat.update', { channel: thread.channelId, ts, text }, signal);
    } catch (error) {
      deps.log.warn({ postId, ts, error: String(error) }, 'the words above files could not be added');
    }
  };

  return { withText, alone };
}

/** What stands above the files: their titles, and what charts show, for their alt texts get lost on the way. */
function aboveFiles(files: readonly PlannedFile[]): string {
  return uploadComment(files.flatMap(({ artifact }) => artifact ?? []));
}

function section(text: string): Json {
  return { type: 'section', text: { type: 'mrkdwn', text, verbatim: true } };
}
