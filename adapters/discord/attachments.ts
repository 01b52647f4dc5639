import type { Attachment } from '../../src/types.ts';
import { asArray, asNumber, asObject, asText } from '../json.ts';
import type { Json } from '../json.ts';
import { componentTypes } from './components.ts';

/** How the file can be fetched later. Never holds a token; `url` is signed and lives about a day. */
export type DiscordFileSource =
  /** Reading the message again gives a fresh URL. */
  | {
      readonly kind: 'message';
      readonly channelId: string;
      readonly messageId: string;
      readonly attachmentId: string;
      readonly url: string;
    }
  /** Given to a command or a form: it belongs to no message that could be read again. */
  | { readonly kind: 'interaction'; readonly attachmentId: string; readonly url: string }
  /** Whatever the message holds: Discord hid it when it was looked at. */
  | { readonly kind: 'unseen'; readonly channelId: string; readonly messageId: string };

/** The stored form of a source, read back; `null` for what another adapter wrote. */
export function readSource(source: unknown): DiscordFileSource | null {
  const kind = asObject(source)['kind'];
  return ['message', 'interaction', 'unseen'].includes(String(kind)) ? (source as DiscordFileSource) : null;
}

/** All files of a message: attached, forwarded, and those that components show, which Discord lists nowhere else. */
export function filesOf(message: Json): readonly Attachment[] {
  const at = { channelId: asText(message['channel_id']) ?? '', messageId: asText(message['id']) ?? '' };
  const forwarded = asArray(message['message_snapshots']).map((snapshot) => asObject(asObject(snapshot)['message']));
  const attached = [message, ...forwarded].flatMap((holder) => asArray(holder['attachments']).map(asObject));
  const files = [
    ...attached.flatMap((raw) => attachedFile(raw, at)),
    ...allComponents(message).flatMap((component) => shownFiles(component, at)),
  ];
  return files.filter((file, index) => files.findIndex(({ id }) => id === file.id) === index);
}

/** The message's components, nested ones too, in reading order. */
export function allComponents(message: Json): readonly Json[] {
  const walk = (raw: unknown): readonly Json[] => {
    const component = asObject(raw);
    return [component, ...asArray(component['components']).flatMap(walk)];
  };
  return asArray(message['components']).flatMap(walk);
}

interface MessagePlace {
  readonly channelId: string;
  readonly messageId: string;
}

function attachedFile(raw: Json, at: MessagePlace): readonly Attachment[] {
  const id = asText(raw['id']);
  const url = asText(raw['url']);
  if (id === null || url === null) return [];
  return [
    {
      id,
      name: nameOf(asText(raw['title']), asText(raw['filename']) ?? 'file'),
      mimeType: asText(raw['content_type']) ?? '',
      sizeBytes: asNumber(raw['size']),
      source: { kind: 'message', ...at, attachmentId: id, url },
    },
  ];
}

/** Discord takes most characters out of file names and keeps what was written, without the extension, as the title. */
function nameOf(title: string | null, fileName: string): string {
  if (title === null) return fileName;
  const dot = fileName.lastIndexOf('.');
  const extension = dot > 0 ? fileName.slice(dot) : '';
  return title.toLowerCase().endsWith(extension.toLowerCase()) ? title : title + extension;
}

function shownFiles(component: Json, at: MessagePlace): readonly Attachment[] {
  if (component['type'] === componentTypes.file) {
    return media(asObject(component['file']), asText(component['name']), asNumber(component['size']), at);
  }
  if (component['type'] === componentTypes.mediaGallery) {
    return asArray(component['items']).flatMap((item) => media(asObject(asObject(item)['media']), null, null, at));
  }
  return [];
}

function media(raw: Json, name: string | null, sizeBytes: number | null, at: MessagePlace): readonly Attachment[] {
  const id = asText(raw['attachment_id']) ?? asText(raw['id']);
  const url = asText(raw['url']);
  if (id === null || url === null) return [];
  const fileName = name ?? decoded(URL.parse(url)?.pathname.split('/').at(-1) ?? '');
  return [
    {
      id,
      name: fileName === '' ? 'file' : fileName,
      mimeType: asText(raw['content_type']) ?? '',
      sizeBytes,
      source: { kind: 'message', ...at, attachmentId: id, url },
    },
  ];
}

/** Other bots show files from any address, also from one that is no valid encoding of anything. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
