import type { Logger } from '../../src/log.ts';
import type { Attachment } from '../../src/types.ts';
import { asArray, asObject } from '../json.ts';
import type { Json } from '../json.ts';
import { readFile, readSource } from './message.ts';
import type { SlackWeb } from './web.ts';

const lookTimeoutMs = 5000;

/** Of a file from another organisation, or one inside the text, Slack tells the id alone: `files.info` has its name and address. */
export function isIdAlone({ source }: Attachment): boolean {
  const kind = readSource(source)?.kind;
  return kind === 'stub' || kind === 'named';
}

/**
 * The attachment with all that Slack knows of it. As it is where Slack does not tell, or where `personId` may not see it: the
 * download then says what is wrong. Never rejects.
 */
export async function wholeFile(
  web: SlackWeb,
  attachment: Attachment,
  { channelId, personId, log }: { readonly channelId: string; readonly personId: string | null; readonly log: Logger },
): Promise<Attachment> {
  const source = readSource(attachment.source);
  if (source === null || !isIdAlone(attachment)) return attachment;
  try {
    const answer = await web.call('files.info', { file: source.fileId }, AbortSignal.timeout(lookTimeoutMs));
    const file = asObject(answer['file']);
    if (source.kind === 'named' && !isOpenTo(file, channelId, personId)) return attachment;
    return readFile(file, source.workspaceId) ?? attachment;
  } catch (error) {
    log.warn({ file: source.fileId, error: String(error) }, 'a shared file could not be looked up');
    return attachment;
  }
}

/** The bot sees files of channels that the person may not be in: what somebody names has to be theirs, public, or shared here. */
function isOpenTo(file: Json, channelId: string, personId: string | null): boolean {
  const shares = asObject(file['shares']);
  const isShared = ['public', 'private'].some((kind) => asObject(shares[kind])[channelId] !== undefined);
  const places = ['channels', 'groups', 'ims'].flatMap((kind) => asArray(file[kind]));
  const isTheirs = personId !== null && file['user'] === personId;
  return isShared || places.includes(channelId) || file['is_public'] === true || isTheirs;
}
