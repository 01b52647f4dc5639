import { AppError } from '../../src/errors.ts';
import type { Attachment } from '../../src/types.ts';
import { formatBytes } from '../format.ts';
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
  if (attachment.sizeBytes !== null && attachment.sizeBytes > maxBytes) throw tooLarge(attachment.sizeBytes, maxBytes);
  const known = readSource(attachment.source);
  if (known?.kind === 'inline') {
    const bytes = new TextEncoder().encode(known.text);
    if (bytes.byteLength > maxBytes) throw tooLarge(bytes.byteLength, maxBytes);
    yield bytes;
    return;
  }
  const url = await urlOf(attachment, deps.web, deps.apiUrl, signal);
  const response = await fetchFromSlack(url, deps, signal);
  checkResponse(response, attachment);
  const lengthBytes = Number(response.headers.get('content-length') ?? '0');
  if (lengthBytes > maxBytes) {
    await response.body?.cancel();
    throw tooLarge(lengthBytes, maxBytes);
  }
  let receivedBytes = 0;
  try {
    for await (const chunk of response.body ?? []) {
      receivedBytes += chunk.byteLength;
      if (receivedBytes > maxBytes) throw tooLarge(null, maxBytes);
      yield chunk;
    }
  } catch (error) {
    throw downloadError(error, signal);
  }
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
      throw unavailable(
        code === 'missing_scope' ? needsScope : 'Slack does not let me see it; send it to me directly.',
      );
    }
  }
  if (source === null) throw unavailable('it did not come from Slack.');
  if (source.kind !== 'hosted') throw unavailable(whyNotHosted(source));
  const url = URL.parse(source.url);
  if (url !== null && isSlackUrl(url, apiUrl)) return url;
  throw unavailable('its address is not one of Slack; save it and attach the file itself.');
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
  throw unavailable('Slack sent me from address to address; attach it again.');
}

const needsScope =
  'Slack showed me its sign-in page instead: my app needs the scope `files:read` and must be installed again after adding it.';

function checkResponse(response: Response, attachment: Attachment): void {
  const { status, headers } = response;
  if (status === 429) {
    const seconds = Number(headers.get('retry-after') ?? '30');
    throw new AppError('platform-rate-limited', `Slack asks me to wait ${seconds} s before I fetch more.`, {
      retryable: true,
      retryAfterMs: seconds * 1000,
    });
  }
  if (status === 401 || status === 403) throw unavailable(needsScope);
  if (status === 404 || status === 410) throw unavailable('it is no longer there; attach it again.');
  if (status >= 500) throw failed(`HTTP ${status}`, undefined);
  if (status !== 200) throw unavailable(`Slack answered with status ${status}.`);
  // Without the scope Slack answers 200 with its sign-in page. A web page that somebody attached comes as a download.
  const isPage = /^text\/html\b/i.test(headers.get('content-type') ?? '');
  const isDownload = /^attachment\b/i.test(headers.get('content-disposition') ?? '');
  if (isPage && !(isDownload && /html/i.test(`${attachment.mimeType} ${attachment.name}`)))
    throw unavailable(needsScope);
}

function unavailable(sentence: string): AppError {
  const capital = sentence.charAt(0).toUpperCase() + sentence.slice(1);
  return new AppError('file-unavailable', `I could not get this file. ${capital}`);
}

function tooLarge(sizeBytes: number | null, maxBytes: number): AppError {
  const size = sizeBytes === null ? 'it has more' : `it has ${formatBytes(sizeBytes)}`;
  return new AppError(
    'file-too-large',
    `This file is too large: ${size}, and I take at most ${formatBytes(maxBytes)}. Send a smaller part of it.`,
  );
}

function failed(detail: string, cause: unknown): AppError {
  return new AppError('platform-failed', 'Slack broke off while I fetched the file; asking again may work.', {
    cause,
    retryable: true,
    detail: `download: ${detail}`,
  });
}

function downloadError(error: unknown, signal: AbortSignal): AppError {
  if (error instanceof AppError) return error;
  if (signal.aborted) return cancelled(signal, 'download');
  return failed(String(error), error);
}
