import { AppError } from '../../src/errors.ts';
import type { Attachment } from '../../src/types.ts';
import {
  bytesOf,
  checkStatedSize,
  downloadFailed,
  downloadsLimited,
  fileTooLarge,
  fileUnavailable,
} from '../download-parts.ts';
import { cancelled, slackCodeOf } from './errors.ts';
import { asObject } from '../json.ts';
import { readFile, readSource } from './message.ts';
import type { SlackFileSource } from './message.ts';
import type { SlackWeb } from './web.ts';

const maxRedirects = 5;

/** Where the bot's token may go: the API's own host, and Slack's over TLS. */
export function isSlackUrl(url: URL, apiUrl: string): boolean {
  const api = new URL(apiUrl);
  if (url.protocol === api.protocol && url.host === api.host) return true;
  const isSlackHost = /(?:^|\.)(?:slack\.com|slack-files\.com|slack-gov\.com)$/.test(url.hostname);
  return url.protocol === 'https:' && url.port === '' && isSlackHost;
}

/**
 * The bytes of an attachment, at most `maxBytes` of them. Rejects with `file-unavailable`, `file-too-large`, or
 * `platform-failed` where Slack failed half-way.
 */
export async function* downloadFile(
  attachment: Attachment,
  deps: {
    readonly botToken: string;
    readonly apiUrl: string;
    readonly web: SlackWeb;
    readonly fetch: typeof globalThis.fetch;
  },
  options: { readonly maxBytes: number; readonly signal: AbortSignal },
): AsyncGenerator<Uint8Array> {
  const { maxBytes, signal } = options;
  checkStatedSize(attachment, maxBytes);
  const known = readSource(attachment.source);
  if (known?.kind === 'inline') {
    const bytes = new TextEncoder().encode(known.text);
    if (bytes.byteLength > maxBytes) throw fileTooLarge(bytes.byteLength, maxBytes);
    yield bytes;
    return;
  }
  const url = await urlOf(attachment, deps.web, deps.apiUrl, signal);
  const response = await fetchFromSlack(url, deps, signal);
  checkResponse(response, attachment);
  yield* bytesOf(response, maxBytes, (error) => downloadError(error, signal));
}

/** Asks `files.info` where the event did not bring the address. */
async function urlOf(attachment: Attachment, web: SlackWeb, apiUrl: string, signal: AbortSignal): Promise<URL> {
  let source = readSource(attachment.source);
  if (source?.kind === 'stub') {
    try {
      const answer = await web.call('files.info', { file: source.fileId }, signal);
      source = readSource(readFile(asObject(answer['file']), source.workspaceId)?.source);
    } catch (error) {
      const code = slackCodeOf(error);
      if (code === null) throw error;
      throw fileUnavailable(
        code === 'missing_scope' ? needsScope : 'Slack does not let me see it; send it to me directly.',
      );
    }
  }
  if (source === null) throw fileUnavailable('it did not come from Slack.');
  if (source.kind !== 'hosted') throw fileUnavailable(whyNotHosted(source));
  const url = URL.parse(source.url);
  if (url !== null && isSlackUrl(url, apiUrl)) return url;
  throw fileUnavailable('its address is not one of Slack; save it and attach the file itself.');
}

function whyNotHosted(source: Exclude<SlackFileSource, { kind: 'hosted' }>): string {
  if (source.kind === 'external') {
    return `it lives in ${source.service}, where I have no access; download it and attach the file itself.`;
  }
  if (source.kind === 'page')
    return `a Slack ${source.type} is not a file; export it (CSV for a list) and attach the export.`;
  const reasons: Readonly<Record<typeof source.kind, string>> = {
    deleted: 'it was deleted from Slack; attach it again.',
    hidden: "Slack hides it because of this workspace's plan limit; attach it again.",
    named: 'the message names it, and it is not shared in this conversation; attach the file itself.',
    inline: 'it is part of the message; send it again.',
    stub: 'Slack does not tell me its address; send it to me directly.',
  };
  return reasons[source.kind];
}

/** Follows redirects itself, so that the token is only ever sent to Slack. */
async function fetchFromSlack(
  start: URL,
  deps: { readonly botToken: string; readonly apiUrl: string; readonly fetch: typeof globalThis.fetch },
  signal: AbortSignal,
): Promise<Response> {
  let url = start;
  for (let hop = 0; hop <= maxRedirects; hop += 1) {
    const isSlack = isSlackUrl(url, deps.apiUrl);
    if (!isSlack && url.protocol !== 'https:') break;
    let response: Response;
    try {
      response = await deps.fetch(url.href, {
        redirect: 'manual',
        headers: isSlack ? { authorization: `Bearer ${deps.botToken}` } : {},
        signal,
      });
    } catch (error) {
      throw downloadError(error, signal);
    }
    const location = response.headers.get('location');
    if (response.status < 300 || response.status > 399 || location === null) return response;
    await response.body?.cancel();
    const next = URL.parse(location, url.href);
    if (next === null) break;
    url = next;
  }
  throw fileUnavailable('Slack sent me from address to address; attach it again.');
}

const needsScope =
  'Slack showed me its sign-in page instead: my app needs the scope `files:read` and must be installed again after adding it.';

function checkResponse(response: Response, attachment: Attachment): void {
  const { status, headers } = response;
  if (status === 429) throw downloadsLimited('Slack', response);
  if (status === 401 || status === 403) throw fileUnavailable(needsScope);
  if (status === 404 || status === 410) throw fileUnavailable('it is no longer there; attach it again.');
  if (status >= 500) throw downloadFailed('Slack', `HTTP ${status}`, undefined);
  if (status !== 200) throw fileUnavailable(`Slack answered with status ${status}.`);
  // Without the scope Slack answers 200 with its sign-in page. A web page that somebody attached comes as a download.
  const isPage = /^text\/html\b/i.test(headers.get('content-type') ?? '');
  const isDownload = /^attachment\b/i.test(headers.get('content-disposition') ?? '');
  if (isPage && !(isDownload && /html/i.test(`${attachment.mimeType} ${attachment.name}`)))
    throw fileUnavailable(needsScope);
}

function downloadError(error: unknown, signal: AbortSignal): AppError {
  if (error instanceof AppError) return error;
  if (signal.aborted) return cancelled(signal, 'download');
  return downloadFailed('Slack', String(error), error);
}
