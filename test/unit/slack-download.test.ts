import { expect, test } from 'vitest';
import { downloadFile, isSlackUrl } from '../../adapters/slack/download.ts';
import type { SlackFile } from '../../adapters/slack/message.ts';
import type { SlackWeb } from '../../adapters/slack/web.ts';
import type { Attachment } from '../../src/types.ts';

const apiUrl = 'https://slack.com/api/';
const url = 'https://files.slack.com/files-pri/T1-F1/download/a.csv';
const web: SlackWeb = { call: async () => ({ ok: true, file: { id: 'F1', url_private_download: url } }) };

function attachment(file: SlackFile, overrides: Partial<Attachment> = {}): Attachment {
  const source = { ...file, workspaceId: 'T1' };
  return { id: 'F1', name: 'a.csv', mimeType: 'text/csv', sizeBytes: 4, source, ...overrides };
}

const hosted = attachment({ kind: 'hosted', fileId: 'F1', url });

/** Answers by address; notes which requests carried the token. */
function createServer(answers: Readonly<Record<string, () => Response>>) {
  const withToken: string[] = [];
  const without: string[] = [];
  const fetch = (async (input: string, init?: { headers?: Record<string, string>; redirect?: string }) => {
    expect(init?.redirect).toBe('manual');
    (init?.headers?.['authorization'] === 'Bearer xoxb-1' ? withToken : without).push(input);
    const answer = answers[input];
    if (answer === undefined) throw new TypeError('fetch failed');
    return answer();
  }) as typeof globalThis.fetch;
  return { fetch, withToken, without };
}

async function download(from: Attachment, fetch: typeof globalThis.fetch, maxBytes = 1000): Promise<string> {
  const chunks: Uint8Array[] = [];
  const deps = { botToken: 'xoxb-1', apiUrl, web, fetch };
  for await (const chunk of downloadFile(from, deps, { maxBytes, signal: AbortSignal.timeout(5000) }))
    chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

const redirect = (location: string) => () => new Response(null, { status: 302, headers: { location } });

test('the token goes to Slack only, through every redirect', async () => {
  const cdn = 'https://cdn.example.net/signed';
  const server = createServer({
    [url]: redirect('/next'),
    'https://files.slack.com/next': redirect(cdn),
    [cdn]: () => new Response('a,b\n'),
  });
  expect(await download(hosted, server.fetch)).toBe('a,b\n');
  expect(server.withToken).toEqual([url, 'https://files.slack.com/next']);
  expect(server.without).toEqual([cdn]);
});

test('a redirect to plain http is not followed, a loop ends', async () => {
  const plain = createServer({ [url]: redirect('http://169.254.169.254/latest') });
  await expect(download(hosted, plain.fetch)).rejects.toMatchObject({ code: 'file-unavailable' });
  const loop = createServer({ [url]: redirect(url) });
  await expect(download(hosted, loop.fetch)).rejects.toMatchObject({ code: 'file-unavailable' });
  expect(loop.withToken.length).toBeLessThan(10);
});

test.each([
  ['https://files.slack.com/x', true],
  ['https://acme.slack.com/x', true],
  ['https://slack-files.com/x', true],
  ['https://slack.com.evil.com/x', false],
  ['https://evilslack.com/x', false],
  ['http://files.slack.com/x', false],
  ['https://files.slack.com:8443/x', false],
  ['https://slack.com@evil.com/x', false],
])('%s is Slack’s: %s', (text, isSlack) => {
  expect(isSlackUrl(new URL(text), apiUrl)).toBe(isSlack);
});

test('the host of SLACK_API_URL counts as Slack, its other ports do not', () => {
  expect(isSlackUrl(new URL('http://127.0.0.1:4000/files'), 'http://127.0.0.1:4000/api/')).toBe(true);
  expect(isSlackUrl(new URL('http://127.0.0.1:4001/files'), 'http://127.0.0.1:4000/api/')).toBe(false);
});

test('the sign-in page is recognised and the scope named', async () => {
  const page = () => new Response('<!DOCTYPE html><html>', { headers: { 'content-type': 'text/html; charset=utf-8' } });
  const server = createServer({
    [url]: redirect('https://acme.slack.com/?redir=x'),
    'https://acme.slack.com/?redir=x': page,
  });
  await expect(download(hosted, server.fetch)).rejects.toMatchObject({
    code: 'file-unavailable',
    userMessage: expect.stringContaining('`files:read`') as string,
  });
});

test('a web page that somebody attached is a file, and so is a workbook that is HTML inside', async () => {
  const disposition = { 'content-disposition': 'attachment; filename=a' };
  const html = () => new Response('<html>', { headers: { 'content-type': 'text/html', ...disposition } });
  const page = attachment({ kind: 'hosted', fileId: 'F1', url }, { name: 'a.html', mimeType: 'text/html' });
  expect(await download(page, createServer({ [url]: html }).fetch)).toBe('<html>');
  const workbook = () => new Response('<html>', { headers: { 'content-type': 'application/vnd.ms-excel' } });
  expect(await download(hosted, createServer({ [url]: workbook }).fetch)).toBe('<html>');
});

test.each([
  [
    'too large by its own word',
    attachment({ kind: 'hosted', fileId: 'F1', url }, { sizeBytes: 2000 }),
    'file-too-large',
  ],
  ['too large by header', attachment({ kind: 'hosted', fileId: 'F1', url }, { sizeBytes: null }), 'file-too-large'],
  ['external', attachment({ kind: 'external', fileId: 'F1', service: 'gdrive' }), 'file-unavailable'],
  ['deleted', attachment({ kind: 'deleted', fileId: 'F1' }), 'file-unavailable'],
  ['hidden', attachment({ kind: 'hidden', fileId: 'F1' }), 'file-unavailable'],
  ['a canvas', attachment({ kind: 'page', fileId: 'F1', type: 'canvas' }), 'file-unavailable'],
  ['elsewhere', attachment({ kind: 'hosted', fileId: 'F1', url: 'https://evil.com/a' }), 'file-unavailable'],
  ['of another adapter', { ...hosted, source: 'path' }, 'file-unavailable'],
])('%s: refused in words, without a byte', async (_name, from, code) => {
  const big = () => new Response('x'.repeat(1001), { headers: { 'content-length': '1001' } });
  const server = createServer({ [url]: big });
  await expect(download(from, server.fetch)).rejects.toMatchObject({ code });
});

test('a stub is looked up', async () => {
  const server = createServer({ [url]: () => new Response('a,b\n') });
  expect(await download(attachment({ kind: 'stub', fileId: 'F1' }), server.fetch)).toBe('a,b\n');
});

test('without a size, the cap holds while streaming', async () => {
  let sent = 0;
  const endless = new ReadableStream<Uint8Array>({
    pull: (controller) => {
      sent += 1;
      controller.enqueue(new Uint8Array(400));
    },
  });
  const server = createServer({ [url]: () => new Response(endless) });
  await expect(download({ ...hosted, sizeBytes: null }, server.fetch)).rejects.toMatchObject({
    code: 'file-too-large',
  });
  expect(sent).toBeLessThan(10);
});

test.each([
  [429, 'platform-rate-limited', true],
  [403, 'file-unavailable', false],
  [404, 'file-unavailable', false],
  [503, 'platform-failed', true],
])('status %i is %s', async (status, code, retryable) => {
  const server = createServer({ [url]: () => new Response('', { status, headers: { 'retry-after': '3' } }) });
  await expect(download(hosted, server.fetch)).rejects.toMatchObject({ code, retryable });
});

test('a connection that breaks is worth another try', async () => {
  await expect(download(hosted, createServer({}).fetch)).rejects.toMatchObject({
    code: 'platform-failed',
    retryable: true,
  });
});
