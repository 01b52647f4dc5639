import { Hono } from 'hono';
import type { Context } from 'hono';
import { AppError } from '../errors.ts';
import type { Logger } from '../log.ts';
import type { Blobs } from '../ports/blobs.ts';
import type { Store } from '../ports/store.ts';
import type { Reply, StoredFile } from '../types.ts';
import { bytesOfRange, parseRange } from './byte-range.ts';
import { contentDisposition, plainName } from './content-disposition.ts';
import { createLinkTokens } from './link-tokens.ts';
import { outgoingStream } from './outgoing-stream.ts';

const daysValid = 7;
const secondsPerDay = 86_400;

/** Downloads of one process at the same time; each holds one open blob. */
const downloadsAtOnce = 16;

/** A reader that takes nothing for so long gives way. */
const stalledMs = 60_000;

/** Links to files of replies, for whoever has the link: people of the thread it was posted in, and those they show it to. */
export interface FileLinks {
  readonly linkTo: (taskId: string, file: StoredFile) => { readonly url: string; readonly days: number };
  /** Serves `/files/…`; to be mounted at the root. */
  readonly routes: Hono;
}

/**
 * `publicUrl`: the address at which browsers reach the routes, without a slash at its end. `key`: SECRETS_KEY. `clock`: ms since
 * 1970. A link ends after seven days, and at once when its question or its thread is forgotten: the file must still be named by
 * the task's reply.
 */
export function createFileLinks(deps: {
  readonly blobs: Pick<Blobs, 'get'>;
  readonly store: Pick<Store, 'posts'>;
  readonly key: Uint8Array;
  readonly publicUrl: string;
  readonly clock: () => number;
  readonly log: Logger;
}): FileLinks {
  const { blobs, store, log } = deps;
  const tokens = createLinkTokens(deps.key);
  let underWay = 0;

  /** `null` where no reply of the task names it any more. */
  const fileOf = async (taskId: string, sha256: string): Promise<StoredFile | null> => {
    for (const { kind, body } of await store.posts(taskId)) {
      if (kind !== 'reply') continue;
      const found = (body as unknown as Reply).artifacts.find(({ file }) => file.sha256 === sha256);
      if (found !== undefined) return found.file;
    }
    return null;
  };

  const send = async (context: Context, file: StoredFile): Promise<Response> => {
    const etag = `"${file.sha256}"`;
    const headers = {
      'content-type': safeType(file.mimeType),
      'content-disposition': contentDisposition(file.name),
      'accept-ranges': 'bytes',
      etag,
    };
    const ifRange = context.req.header('if-range');
    const wanted = ifRange === undefined || ifRange === etag ? context.req.header('range') : undefined;
    const range = parseRange(wanted, file.sizeBytes);
    if (range === 'unsatisfiable') {
      return context.body(null, 416, { 'content-range': `bytes */${file.sizeBytes}` });
    }
    const { first, last } = range ?? { first: 0, last: file.sizeBytes - 1 };
    const status = range === null ? 200 : 206;
    const sizes = {
      'content-length': String(last - first + 1),
      ...(range === null ? {} : { 'content-range': `bytes ${first}-${last}/${file.sizeBytes}` }),
    };
    underWay += 1;
    const stream = await outgoingStream(bytesOfRange(blobs.get(file.sha256), range), {
      stalledMs,
      onEnd: () => {
        underWay -= 1;
      },
    });
    if (context.req.raw.method !== 'HEAD') return context.body(stream, status, { ...headers, ...sizes });
    await stream.cancel();
    return context.body(null, status, { ...headers, ...sizes });
  };

  const routes = new Hono();
  routes.get('/files/:token/:name', async (context) => {
    for (const [name, value] of Object.entries(alwaysSent)) context.header(name, value);
    const target = tokens.read(context.req.param('token'));
    if (target === null) return context.text('This link is not one of mine: it may have been cut or changed.\n', 404);
    if (target.expiresAt * 1000 <= deps.clock()) {
      return context.text(
        `This link has ended: it was good for ${daysValid} days. Ask the bot for the file again.\n`,
        410,
      );
    }
    const file = await fileOf(target.taskId, target.sha256);
    if (file === null) return context.text(forgotten, 404);
    if (underWay >= downloadsAtOnce) {
      return context.text('Too many downloads at once: try again in a few seconds.\n', 503, { 'retry-after': '5' });
    }
    try {
      return await send(context, file);
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== 'file-unavailable') throw error;
      log.warn({ taskId: target.taskId, error: error.message }, 'a file behind a link is gone');
      return context.text(forgotten, 404);
    }
  });

  return {
    linkTo: (taskId, { name, sha256 }) => {
      const expiresAt = Math.floor(deps.clock() / 1000) + daysValid * secondsPerDay;
      const url = `${deps.publicUrl}/files/${tokens.sign({ taskId, sha256, expiresAt })}/${plainName(name)}`;
      return { url, days: daysValid };
    },
    routes,
  };
}

const forgotten = 'This file is not kept any more: its conversation was forgotten. Ask the bot again.\n';

/** A file is handed over, never shown: what it holds was made by people and code that nobody vouches for. */
const alwaysSent = {
  'x-content-type-options': 'nosniff',
  'content-security-policy': "default-src 'none'; sandbox",
  'cache-control': 'private, no-store',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
  'x-robots-tag': 'noindex',
};

function safeType(mimeType: string): string {
  return /^[a-z]+\/[\w.+-]{1,100}$/.test(mimeType) ? mimeType : 'application/octet-stream';
}
