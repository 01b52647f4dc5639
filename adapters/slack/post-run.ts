import type { Logger } from '../../src/log.ts';
import type { PostedPart, PostReceipt } from '../../src/ports/platforms.ts';
import type { ThreadRef } from '../../src/types.ts';
import { prepareImages } from './images.ts';
import type { Json } from '../json.ts';
import { withImageMarks } from './marks.ts';
import { imagePartId, nameOf } from './post-plan.ts';
import type { PlannedFile, PostContent } from './post-plan.ts';
import { layoutsOf, postText } from './post-text.ts';
import { uploadBytes } from './upload.ts';
import type { SlackWeb } from './web.ts';

/** What is fixed all through one attempt at one post. */
export interface PostTarget {
  readonly web: SlackWeb;
  readonly thread: ThreadRef;
  readonly postId: string;
  readonly content: PostContent;
  readonly signal: AbortSignal;
}

/** One attempt at one post: what is uploaded, posted, shown and left out so far. */
export interface PostRun extends PostTarget {
  readonly parts: ReadonlyMap<string, PostedPart>;
  readonly notPosted: PostReceipt['notPosted'];
  /** Tells the core of a part; each once. */
  note(part: PostedPart): Promise<void>;
  leaveOut(files: readonly PlannedFile[], reason: string): void;
  /** Sends the bytes, also again, under a new id; what Slack takes is in the answer, what it refuses is left out in words. */
  upload(files: readonly PlannedFile[]): Promise<readonly PlannedFile[]>;
  fileId(file: PlannedFile): string;
  /** Waits until uploaded images can be shown in a text part. */
  prepare(images: readonly PlannedFile[]): Promise<void>;
  /** The layouts of a text part, images marked, from the richest to the plainest. */
  layouts(textIndex: number): readonly (readonly Json[])[];
  /** Posts a text part without files beside it. */
  sendText(textIndex: number): Promise<void>;
  shows(imageIds: readonly string[]): void;
  /**
   * Images that Slack did not get ready, as files: a completed file cannot be shared any more, so it is uploaded again. Each is
   * given once, here or by `uploadUnshown`.
   */
  uploadUnready(): Promise<readonly PlannedFile[]>;
  /** The same for images that no message shows in the end. */
  uploadUnshown(): Promise<readonly PlannedFile[]>;
  /** How many text parts there are. */
  texts(): number;
}

export function createPostRun(
  target: PostTarget,
  known: {
    readonly parts: Map<string, PostedPart>;
    /** Which text part shows which image, by the file's name. */
    readonly places: ReadonlyMap<string, string>;
    readonly onPosted: (part: PostedPart) => Promise<void>;
  },
  deps: { readonly log: Logger; readonly settleMs: number },
): PostRun {
  const { web, thread, postId, content, signal } = target;
  const { parts } = known;
  const notPosted: { name: string; reason: string }[] = [];
  const fileIds = new Map<PlannedFile, string>();
  /** The images of this attempt, under the ids that blocks know them by. */
  const images = new Map<PlannedFile, string>();
  let ready: ReadonlySet<string> = new Set();
  const shown = new Set<string>();

  const leaveOut: PostRun['leaveOut'] = (files, reason) => {
    for (const file of files) notPosted.push({ name: nameOf(file), reason });
  };

  const note: PostRun['note'] = async (part) => {
    if (parts.has(part.partId)) return;
    parts.set(part.partId, part);
    await known.onPosted(part);
  };

  const upload: PostRun['upload'] = async (files) => {
    const results = await Promise.all(
      files.map(async (file) => ({ file, result: await uploadBytes(web, file.outgoing, signal) })),
    );
    const taken: PlannedFile[] = [];
    for (const { file, result } of results) {
      if (result.state === 'failed') throw result.error;
      if (result.state === 'refused') leaveOut([file], result.reason);
      else {
        fileIds.set(file, result.fileId);
        taken.push(file);
      }
    }
    return taken;
  };

  const fileOf = (imageId: string): PlannedFile | null =>
    [...images].find(([, fileId]) => fileId === imageId)?.[0] ?? null;

  /** All images have their place, ready or not: where the texts are cut is the same on every attempt. */
  const rendered = () => {
    const ids = new Map([...known.places.keys()].map((name) => [name, name]));
    for (const [file, fileId] of images) ids.set(nameOf(file), fileId);
    return content.render(ids);
  };

  const layouts: PostRun['layouts'] = (textIndex) => {
    const part = rendered()[textIndex];
    if (part === undefined) return [];
    return layoutsOf(part, (fileId) => ready.has(fileId)).map((blocks) =>
      withImageMarks(blocks, postId, (fileId) => {
        const file = fileOf(fileId);
        return file === null ? null : imagePartId(content, file);
      }),
    );
  };

  const asFiles = async (isMeant: (fileId: string) => boolean): Promise<readonly PlannedFile[]> => {
    const files = [...images].flatMap(([file, fileId]) => (isMeant(fileId) ? [file] : []));
    for (const file of files) images.delete(file);
    return await upload(files);
  };

  return {
    ...target,
    parts,
    notPosted,
    note,
    leaveOut,
    upload,
    layouts,
    fileId: (file) => fileIds.get(file) ?? '',

    prepare: async (files) => {
      for (const file of files) images.set(file, fileIds.get(file) ?? '');
      const waiting = [...images].map(([{ title }, fileId]) => ({ fileId, title }));
      ready = await prepareImages(web, waiting, { ...deps, signal });
    },

    sendText: async (textIndex) => {
      const part = rendered()[textIndex];
      const partId = `text-${textIndex + 1}`;
      if (part === undefined || parts.has(partId)) return;
      const started = (await content.stream?.start({ postId, partId, signal })) ?? null;
      if (started !== null) return await note({ partId, messageId: started });
      const sent = await postText({ web, thread, postId, partId, signal }, part, layouts(textIndex), deps);
      for (const fileId of sent.images) shown.add(fileId);
      await note(sent.part);
    },

    shows: (imageIds) => {
      for (const fileId of imageIds) shown.add(fileId);
    },
    uploadUnready: () => asFiles((fileId) => !ready.has(fileId)),
    uploadUnshown: () => asFiles((fileId) => !shown.has(fileId)),
    texts: () => rendered().length,
  };
}
