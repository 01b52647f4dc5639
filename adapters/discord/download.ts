import type { APIMessage } from 'discord.js';
import { AppError, toAppError } from '../../src/errors.ts';
import type { Attachment } from '../../src/types.ts';
import { bytesOf, checkStatedSize, downloadFailed, downloadsLimited, fileUnavailable } from '../download-parts.ts';
import { asArray, asObject, asText } from '../json.ts';
import { filesOf, readSource } from './attachments.ts';
import type { DiscordFileSource } from './attachments.ts';
import { cancelled, hasCode } from './errors.ts';
import { isHidden } from './message.ts';
import type { DiscordApi } from './rest.ts';

/** Where Discord keeps files; besides, the host of the configured API. */
const fileHosts = new Set(['cdn.discordapp.com', 'media.discordapp.net']);

/** Whether a file may be fetched from there. */
export function isDiscordFileUrl(url: URL, apiUrl: string): boolean {
  const api = new URL(apiUrl);
  if (url.protocol === api.protocol && url.host === api.host) return true;
  return url.protocol === 'https:' && url.port === '' && fileHosts.has(url.hostname);
}

/**
 * The bytes of an attachment, at most `maxBytes` of them. Its address is its own permission: no token goes with it. One that has
 * expired is renewed once, by reading its message again. Rejects with `file-unavailable`, `file-too-large`, or `platform-failed`
 * where Discord failed half-way.
 */
export async function* downloadFile(
  attachment: Attachment,
  deps: { readonly api: DiscordApi; readonly apiUrl: string; readonly fetch: typeof globalThis.fetch },
  options: { readonly maxBytes: number; readonly signal: AbortSignal },
): AsyncGenerator<Uint8Array> {
  const { maxBytes, signal } = options;
  checkStatedSize(attachment, maxBytes);
  const source = readSource(attachment.source);
  if (source === null) throw fileUnavailable('it did not come from Discord.');
  const response = await open(source, deps, signal);
  yield* bytesOf(response, maxBytes, (error) => downloadError(error, signal));
}

type Deps = Parameters<typeof downloadFile>[1];

async function open(source: DiscordFileSource, deps: Deps, signal: AbortSignal): Promise<Response> {
  if (source.kind !== 'unseen') {
    const response = await fetchFile(source.url, deps, signal);
    if (response.status === 200) return response;
    await response.body?.cancel();
    // Discord answers like this to an address that has expired as well as to one whose file is gone.
    const mayHaveExpired = [401, 403, 404, 410].includes(response.status);
    if (!mayHaveExpired) throw refused(response);
  }
  const again = await fetchFile(await renewed(source, deps.api, signal), deps, signal);
  if (again.status === 200) return again;
  await again.body?.cancel();
  throw refused(again);
}

async function renewed(source: DiscordFileSource, api: DiscordApi, signal: AbortSignal): Promise<string> {
  if (source.kind !== 'interaction') return await freshUrl(source, api, signal);
  const url = await refreshedUrl(source.url, api, signal);
  if (url !== null) return url;
  throw fileUnavailable('Discord keeps files of commands only for a while; attach it to a message that mentions me.');
}

/**
 * A fresh address for an expired one, whatever it belongs to: a file of a command is in no message, and what a command was used on
 * may be hidden from the bot. Discord lets bots call this, but neither its documentation nor its OpenAPI file has it: where it
 * refuses, there is no fresh address.
 */
async function refreshedUrl(url: string, api: DiscordApi, signal: AbortSignal): Promise<string | null> {
  try {
    const body = { attachment_urls: [url] };
    const answer = asObject(await api.call('POST', '/attachments/refresh-urls', { body, signal }));
    return asText(asObject(asArray(answer['refreshed_urls'])[0])['refreshed']);
  } catch (error) {
    if (toAppError(error).retryable || signal.aborted) throw error;
    return null;
  }
}

/** Reading a message again gives its files fresh addresses (docs: reference, signed attachment URLs). */
async function freshUrl(
  source: Exclude<DiscordFileSource, { kind: 'interaction' }>,
  api: DiscordApi,
  signal: AbortSignal,
): Promise<string> {
  let message: unknown;
  try {
    message = await api.call('GET', `/channels/${source.channelId}/messages/${source.messageId}`, { signal });
  } catch (error) {
    if (hasCode(error, 'unknownMessage', 'unknownChannel'))
      throw fileUnavailable('its message was deleted; attach it again.');
    if (hasCode(error, 'missingAccess', 'missingPermissions')) {
      throw fileUnavailable('I may not read its message: I need *View Channel* and *Read Message History* there.');
    }
    throw error;
  }
  const files = filesOf(asObject(message));
  const found =
    source.kind === 'unseen'
      ? readSource(files[0]?.source)
      : readSource(files.find(({ id }) => id === source.attachmentId)?.source);
  if (found?.kind === 'message') return found.url;
  const refreshed =
    source.kind === 'message' && isHiddenFrom(message) ? await refreshedUrl(source.url, api, signal) : null;
  if (refreshed !== null) return refreshed;
  throw fileUnavailable(
    source.kind === 'unseen'
      ? 'Discord hides from me what other messages hold; attach it to a message that mentions me.'
      : 'it was taken out of its message, or Discord hides it from me; attach it to a message that mentions me.',
  );
}

/** What was taken out of a message that can be read is not fetched behind its owner's back. */
function isHiddenFrom(message: unknown): boolean {
  return isHidden(message as APIMessage);
}

async function fetchFile(address: string, deps: Deps, signal: AbortSignal): Promise<Response> {
  const url = URL.parse(address);
  if (url === null || !isDiscordFileUrl(url, deps.apiUrl)) {
    throw fileUnavailable('its address is not one of Discord; save it and attach the file itself.');
  }
  try {
    return await deps.fetch(url.href, { redirect: 'manual', signal });
  } catch (error) {
    throw downloadError(error, signal);
  }
}

function refused(response: Response): AppError {
  const { status } = response;
  if (status === 429) return downloadsLimited('Discord', response);
  if (status >= 500) return downloadFailed('Discord', `HTTP ${status}`, undefined);
  if (status === 404 || status === 410) return fileUnavailable('it is no longer there; attach it again.');
  return fileUnavailable(`Discord answered with status ${status}; attach it again.`);
}

function downloadError(error: unknown, signal: AbortSignal): AppError {
  if (error instanceof AppError) return error;
  if (signal.aborted) return cancelled(signal, 'download');
  return downloadFailed('Discord', String(error), error);
}
