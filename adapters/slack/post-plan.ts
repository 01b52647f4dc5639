import type { OutgoingFile, PostedPart } from '../../src/ports/platforms.ts';
import type { Artifact } from '../../src/types.ts';
import { asText } from '../json.ts';
import { slackLimits } from './limits.ts';
import { imageFileIds, isMarked, partsOf } from './marks.ts';
import type { SlackMessage } from './message.ts';
import type { RenderedPart } from './render.ts';
import type { StreamPost } from './stream.ts';
import { sizeOf } from './upload.ts';

/** What one outbox entry says: texts, and files either in them, as images, or beside them. */
export interface PostContent {
  /** The text parts. `images`: ids of uploaded files by their names, to be shown in them. */
  render(images: ReadonlyMap<string, string>): readonly RenderedPart[];
  readonly files: readonly PlannedFile[];
  /** The files are only looked for: the texts are cut as they are beside them, and what is missing is named. */
  readonly leavesFilesOut: boolean;
  /** Stands above the files where no text part does; `null`: they are named one by one. */
  readonly comment: string | null;
  /**
   * Rather late than twice: nothing is posted before the thread was seen. Without it a first attempt goes on where Slack does not
   * let the thread be read.
   */
  readonly isExact: boolean;
  /** What an earlier attempt posted is found, and nothing is posted. */
  readonly isOnlySought: boolean;
  /** Another way to post its one text part, tried first; both give `null` where there is none. */
  readonly stream: {
    start(post: StreamPost): Promise<string | null>;
    /** What an earlier attempt began, where its mark does not tell. */
    find(messages: readonly SlackMessage[], postId: string): string | null;
  } | null;
}

export interface PlannedFile {
  readonly outgoing: OutgoingFile;
  readonly title: string;
  readonly artifact: Artifact | null;
  /** Can be shown in the text, as an `image` block. */
  readonly isImage: boolean;
}

export function nameOf(file: PlannedFile): string {
  return file.outgoing.file.name;
}

/** The id by which a message tells that it shows the file as an image. */
export function imagePartId(content: PostContent, file: PlannedFile): string {
  return `image-${content.files.indexOf(file) + 1}`;
}

export function chunks<Value>(values: readonly Value[], size: number): readonly (readonly Value[])[] {
  return Array.from({ length: Math.ceil(values.length / size) }, (_, index) =>
    values.slice(index * size, (index + 1) * size),
  );
}

/** Which text part shows which image, were all images ready; keyed by the file's name. */
export function imagePlaces(content: PostContent): ReadonlyMap<string, string> {
  const names = new Map(content.files.filter(({ isImage }) => isImage).map((file) => [nameOf(file), nameOf(file)]));
  const places = new Map<string, string>();
  for (const [index, { blocks }] of content.render(names).entries()) {
    for (const name of imageFileIds(blocks)) places.set(name, `text-${index + 1}`);
  }
  return places;
}

/** The files of a post that its messages in the thread show already. A message that a person deleted counts as there. */
export function filesThere(
  content: PostContent,
  postId: string,
  parts: ReadonlyMap<string, PostedPart>,
  messages: readonly SlackMessage[],
): ReadonlySet<PlannedFile> {
  const marks = new Set(partsOf(messages, postId).map(({ partId }) => partId));
  const ours = messages.filter(({ ts }) => [...parts.values()].some(({ messageId }) => messageId === ts));
  const names = new Set(ours.flatMap(({ files }) => files.flatMap((file) => asText(file['name']) ?? [])));
  const places = imagePlaces(content);
  const isGone = (partId: string): boolean => {
    const part = parts.get(partId);
    return part !== undefined && !ours.some(({ ts }) => ts === part.messageId);
  };
  const goneGroups = groupsOf(content.files.filter(({ isImage }) => !isImage))
    .filter(({ partId }) => isGone(partId))
    .flatMap(({ files }) => files);
  return new Set(
    content.files.filter((file) => {
      if (marks.has(imagePartId(content, file)) || names.has(nameOf(file)) || goneGroups.includes(file)) return true;
      const place = file.isImage ? places.get(nameOf(file)) : undefined;
      return place !== undefined && isGone(place);
    }),
  );
}

export interface FileGroup {
  readonly partId: string;
  readonly files: readonly PlannedFile[];
}

/** Files that become one message each, numbered on from `first`. */
export function groupsOf(files: readonly PlannedFile[], first = 1): readonly FileGroup[] {
  return chunks(files, slackLimits.filesPerMessage).map((group, index) => ({
    partId: `files-${first + index}`,
    files: group,
  }));
}

/**
 * Shares without a mark, as Slack makes them where it leaves out the blocks, and as earlier versions made them: messages of the bot
 * behind the post's own text (or behind its question) with files of the post, told by name and size.
 */
export function findUnmarked(
  content: PostContent,
  postId: string,
  parts: ReadonlyMap<string, PostedPart>,
  messages: readonly SlackMessage[],
): readonly PostedPart[] {
  const known = [...parts.values()];
  const textTs = known.filter(({ partId }) => partId.startsWith('text-')).map(({ messageId }) => Number(messageId));
  const after = Math.max(askedTs(postId), ...textTs.filter(Number.isFinite));
  if (after === 0) return [];
  const wanted = new Set(
    content.files.map(({ outgoing }) => JSON.stringify([outgoing.file.name, outgoing.file.sizeBytes])),
  );
  const isOurs = (message: SlackMessage): boolean =>
    message.botId !== null &&
    message.files.length > 0 &&
    Number(message.ts) > after &&
    !known.some(({ messageId }) => messageId === message.ts) &&
    !isMarked(message) &&
    message.files.every((file) => wanted.has(JSON.stringify([asText(file['name']), sizeOf(file)])));
  const first = nextGroup(parts);
  return messages.filter(isOurs).map(({ ts }, index) => ({ partId: `files-${first + index}`, messageId: ts }));
}

/** The `ts` of the question that a post belongs to: task ids, and with them the ids of posts, hold it. 0 where they do not. */
export function askedTs(postId: string): number {
  return Number(/(\d{10}\.\d{6})/.exec(postId)?.[1] ?? 0);
}

/** The number of the next message of files. */
export function nextGroup(parts: ReadonlyMap<string, PostedPart>): number {
  return 1 + Math.max(0, ...[...parts.keys()].map((partId) => Number(/^files-(\d+)$/.exec(partId)?.[1] ?? 0)));
}
