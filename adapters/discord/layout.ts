import { oneLine, shorten } from '../format.ts';
import type { Json } from '../json.ts';
import { fileComponent, messageFlags, picture, textDisplay, thinLine } from './components.ts';
import { attachmentNames, attachmentTitle } from './file-names.ts';
import { markOf } from './ids.ts';
import type { MarkKind } from './ids.ts';
import { contentBudget, discordLimits } from './limits.ts';
import { splitForDiscord } from './markdown.ts';
import type { PlannedFile } from './pack-files.ts';
import type { RenderedPost } from './rendered-post.ts';

/** One message of a post: a text, files, or both. */
export interface MessagePart {
  readonly partId: string;
  readonly kind: MarkKind;
  readonly text: string;
  readonly rows: readonly Json[];
  readonly files: readonly PlannedFile[];
  /** Parts of other plans of the same post that say the same: where one of them is there, this text is. */
  readonly textPartIds: readonly string[];
}

/**
 * The texts, the first files below the last of them, the other files behind. A text that carries files is called `full-n`, so
 * that a later attempt knows from its name whether the files are there.
 */
export function layOut(
  rendered: Pick<RenderedPost, 'kind' | 'texts' | 'rows'>,
  groups: readonly (readonly PlannedFile[])[],
): readonly MessagePart[] {
  const last = rendered.texts.length;
  const texts = rendered.texts.map((text, index): MessagePart => {
    const number = index + 1;
    const files = number === last ? (groups[0] ?? []) : [];
    return {
      partId: files.length > 0 ? `full-${number}` : `text-${number}`,
      kind: rendered.kind,
      text,
      rows: number === last ? rendered.rows : [],
      files,
      textPartIds: [`text-${number}`, `full-${number}`],
    };
  });
  const rest = groups.slice(last === 0 ? 0 : 1).map((files, index): MessagePart => {
    return { partId: `files-${index + 2}`, kind: rendered.kind, text: '', rows: [], files, textPartIds: [] };
  });
  return [...texts, ...rest];
}

/** For when the files are too large together: the text, then every file on its own. */
export function takeApart(part: MessagePart): readonly MessagePart[] {
  const [textPartId] = part.textPartIds;
  const text: readonly MessagePart[] =
    part.text === '' ? [] : [{ ...part, partId: textPartId ?? part.partId, files: [] }];
  const files = part.files.map((file, index): MessagePart => {
    return {
      partId: `${part.partId}-file-${index + 1}`,
      kind: 'text',
      text: '',
      rows: [],
      files: [file],
      textPartIds: [],
    };
  });
  return [...text, ...files];
}

/** The part as plain messages, which are shorter. The last piece has the part's own id: where it is there, all are. */
export function plainPieces(part: MessagePart): readonly MessagePart[] {
  const texts = splitForDiscord(part.text, contentBudget);
  const [base = part.partId] = part.textPartIds;
  const before = texts.slice(0, -1).map((text, index): MessagePart => {
    return { ...part, partId: `${base}-${index + 1}`, text, rows: [], files: [], textPartIds: [] };
  });
  return [...before, { ...part, text: texts.at(-1) ?? '' }];
}

/** Request body and file names of one message. */
export interface LaidOutMessage {
  readonly body: Json;
  /** For `files`, in the same order. */
  readonly attachmentNames: readonly string[];
}

/** A message of components. The first one carries the mark of the part. */
export function componentMessage(part: MessagePart, postId: string): LaidOutMessage {
  const names = attachmentNames(part.files.map(({ outgoing }) => outgoing.file.name));
  const components = [
    ...(part.text === '' ? [] : [textDisplay(part.text)]),
    ...(part.text !== '' && part.files.length > 0 ? [thinLine()] : []),
    ...part.files.flatMap((file, index) => (isPicture(file) ? [picture(names[index] ?? '', altTextOf(file))] : [])),
    ...part.files.flatMap((file, index) => (isPicture(file) ? [] : [fileComponent(names[index] ?? '')])),
    ...part.rows,
  ];
  const [first, ...others] = components;
  return {
    body: {
      flags: messageFlags.componentsV2 | messageFlags.suppressEmbeds,
      components: [{ ...first, id: markOf(postId, part.partId, part.kind) }, ...others],
      allowed_mentions: nobody,
      ...attachmentsField(part, names),
    },
    attachmentNames: names,
  };
}

/** The same as a plain message, for where components are refused. `text` of at most 2,000 characters. */
export function plainMessage(part: MessagePart): LaidOutMessage {
  const names = attachmentNames(part.files.map(({ outgoing }) => outgoing.file.name));
  return {
    body: {
      flags: messageFlags.suppressEmbeds,
      ...(part.text === '' ? {} : { content: part.text }),
      ...(part.rows.length === 0 ? {} : { components: part.rows }),
      allowed_mentions: nobody,
      ...attachmentsField(part, names),
    },
    attachmentNames: names,
  };
}

/** Nobody is ever pinged, not even who asked. */
export const nobody: Json = { parse: [], replied_user: false };

function attachmentsField(part: MessagePart, names: readonly string[]): Json {
  if (part.files.length === 0) return {};
  return {
    attachments: part.files.map((file, index) => {
      const altText = altTextOf(file);
      const title = attachmentTitle(file.outgoing.file.name, names[index] ?? '');
      return {
        id: String(index),
        filename: names[index] ?? '',
        ...(altText === '' ? {} : { description: altText }),
        ...(title === null ? {} : { title }),
      };
    }),
  };
}

/** Formats that Discord shows; others are files to download. */
const pictureTypes = /^image\/(?:png|jpeg|webp|gif)$/;

function isPicture({ outgoing }: PlannedFile): boolean {
  return pictureTypes.test(outgoing.file.mimeType);
}

function altTextOf({ artifact }: PlannedFile): string {
  if (artifact === null || artifact.kind !== 'chart') return '';
  return shorten(oneLine(artifact.altText === '' ? artifact.title : artifact.altText), discordLimits.altTextCharacters);
}
