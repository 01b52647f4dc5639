import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { noAudit } from '../../src/audit/no-audit.ts';
import { createDelivery } from '../../src/answer/deliver.ts';
import type { Delivery } from '../../src/answer/deliver.ts';
import { AppError } from '../../src/errors.ts';
import { createLogger } from '../../src/log.ts';
import type { PlatformClient } from '../../src/ports/platforms.ts';
import type { Store } from '../../src/ports/store.ts';
import { createSqliteStore } from '../../src/store/sqlite-store.ts';
import type { Artifact, Reply } from '../../src/types.ts';
import { taskOf } from '../fakes/core.ts';
import { createMemoryBlobs } from '../fakes/memory-blobs.ts';
import { createStrictPlatform } from '../fakes/strict-platform.ts';
import type { StrictPlatform } from '../fakes/strict-platform.ts';

const log = createLogger('silent');
const task = taskOf('t1');

const file = (name: string): Artifact => ({
  kind: 'file',
  title: name,
  file: { name, mimeType: 'text/csv', sizeBytes: 1, sha256: 'a'.repeat(64) },
  altText: '',
  table: null,
  chart: null,
});

const reply = (given: Partial<Reply> = {}): Reply => ({
  taskId: task.id,
  outcome: 'answered',
  text: 'The answer.',
  artifacts: [file('a.csv')],
  notices: [],
  code: [],
  ...given,
});

const limited = new AppError('platform-rate-limited', 'Wait.', { retryable: true, retryAfterMs: 30_000 });
const refused = new AppError('platform-failed', 'This workspace takes no files.');
const down = new AppError('platform-failed', 'The platform did not answer.', { retryable: true });

describe('delivery', () => {
  let store: Store;
  let platform: StrictPlatform;
  let delivery: Delivery;

  const deliveryWith = (client: PlatformClient, timeoutMs = 5000): Delivery =>
    createDelivery({ store, blobs: createMemoryBlobs(), audit: noAudit, clientOf: () => client, timeoutMs, log });

  /** Fails parts of that name with the error, until told otherwise. */
  const failing = (part: string, error: unknown): void => {
    platform.faults.beforePart = (postId, partId) => {
      if (`${postId} ${partId}`.includes(part)) throw error;
    };
  };
  const posted = (): readonly string[] => platform.messages.map(({ postId, partId }) => `${postId} ${partId}`);
  const isSent = async (): Promise<boolean> =>
    (await store.posts(task.id)).some(({ kind, sent }) => kind === 'reply' && sent);

  beforeEach(async () => {
    store = await createSqliteStore({ path: ':memory:', log });
    await store.accept(task);
    platform = createStrictPlatform();
    delivery = deliveryWith(platform.client);
  });
  afterEach(() => store[Symbol.asyncDispose]());

  it('posts a settled reply once, whatever comes after', async () => {
    await delivery.settle(task, reply());
    await delivery.settle(task, reply({ text: 'Another answer.' }));
    expect(await delivery.deliverReply(task, 1)).toEqual(reply());
    await delivery.deliverReply(task, 2);
    expect(posted()).toEqual(['t1-reply text-1', 't1-reply files-1']);
    expect(platform.replies(task.id)).toEqual([reply()]);
  });

  it('goes on after the part that failed, in another process too', async () => {
    await delivery.settle(task, reply());
    failing('files-1', limited);
    await expect(delivery.deliverReply(task, 1)).rejects.toMatchObject({
      code: 'platform-rate-limited',
      retryAfterMs: 30_000,
    });
    expect(await isSent()).toBe(false);
    platform.faults.beforePart = () => {};
    await deliveryWith(platform.client).deliverReply(task, 2);
    expect(posted()).toEqual(['t1-reply text-1', 't1-reply files-1']);
    expect(await isSent()).toBe(true);
  });

  it('a rate limit is waited out however often it comes', async () => {
    await delivery.settle(task, reply());
    failing('files-1', limited);
    await expect(delivery.deliverReply(task, 100)).rejects.toBe(limited);
  });

  it('files that the platform refuses for good: the text goes out and the files are named with the reason', async () => {
    await delivery.settle(task, reply());
    failing('files-1', refused);
    await delivery.deliverReply(task, 1);
    expect(posted()).toEqual(['t1-reply text-1', 't1-left-out text-1']);
    expect(platform.messages.at(-1)?.content).toMatchObject({
      text: expect.stringMatching(/`a.csv`: This workspace takes no files/),
    });
    expect(await isSent()).toBe(true);
  });

  it('files that keep failing are given up after some attempts, the text is not', async () => {
    await delivery.settle(task, reply());
    failing('files-1', down);
    await expect(delivery.deliverReply(task, 4)).rejects.toBe(down);
    await delivery.deliverReply(task, 5);
    expect(posted()).toEqual(['t1-reply text-1', 't1-left-out text-1']);
  });

  it('given-up files: the text is that of the whole reply, and only what was never posted is named', async () => {
    const both = reply({ artifacts: [file('a.csv'), file('b.csv')] });
    const knowing: PlatformClient = {
      ...platform.client,
      post: async (thread, message, context) => {
        const receipt = await platform.client.post(thread, message, context);
        const isTextAlone = message.kind === 'reply' && message.files.length === 0;
        return isTextAlone ? { ...receipt, notPosted: [{ name: 'b.csv', reason: 'too often' }] } : receipt;
      },
    };
    delivery = deliveryWith(knowing);
    await delivery.settle(task, both);
    failing('text-1', down);
    await expect(delivery.deliverReply(task, 1)).rejects.toBe(down);
    failing('files-1', refused);
    await delivery.deliverReply(task, 5);
    expect(platform.replies(task.id)).toEqual([both]);
    expect(platform.messages.at(-1)?.content).toMatchObject({ text: 'Not posted:\n• `b.csv`: too often' });
  });

  it('a platform that is down for long is tried again each time', async () => {
    await delivery.settle(task, reply());
    failing('', down);
    await expect(delivery.deliverReply(task, 50)).rejects.toBe(down);
    expect(await isSent()).toBe(false);
  });

  it('a channel that takes nothing any more does not hold up its thread', async () => {
    await delivery.settle(task, reply());
    failing('', new AppError('platform-failed', 'This channel is archived.'));
    await delivery.deliverReply(task, 1);
    expect(posted()).toEqual([]);
    expect(await isSent()).toBe(true);
  });

  it('a fault of our own is tried again, and not for ever', async () => {
    await delivery.settle(task, reply({ artifacts: [] }));
    failing('', new TypeError('x is undefined'));
    await expect(delivery.deliverReply(task, 9)).rejects.toMatchObject({ code: 'internal' });
    await delivery.deliverReply(task, 10);
    expect(await isSent()).toBe(true);
  });

  it('a platform that hangs is cut off, and the attempt repeated', async () => {
    await delivery.settle(task, reply());
    const hanging: PlatformClient = {
      ...platform.client,
      post: (_thread, _message, { signal }) =>
        new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error))),
    };
    await expect(deliveryWith(hanging, 20).deliverReply(task, 1)).rejects.toMatchObject({
      code: 'platform-failed',
      retryable: true,
    });
  });

  it('what the platform did not take is named, also when the process died before it was said', async () => {
    const picky: PlatformClient = {
      ...platform.client,
      post: async (thread, message, context) => ({
        ...(await platform.client.post(thread, message, context)),
        notPosted: message.kind === 'reply' ? [{ name: 'a.csv', reason: 'too old' }] : [],
      }),
    };
    delivery = deliveryWith(picky);
    await delivery.settle(task, reply());
    failing('left-out', down);
    await expect(delivery.deliverReply(task, 1)).rejects.toBe(down);
    platform.faults.beforePart = () => {};
    await deliveryWith(picky).deliverReply(task, 2);
    expect(posted()).toEqual(['t1-reply text-1', 't1-reply files-1', 't1-left-out text-1']);
    expect(platform.messages.at(-1)?.content).toMatchObject({ text: 'Not posted:\n• `a.csv`: too old' });
  });

  it('two callers of one text share one post', async () => {
    const note = { kind: 'notice', text: 'Hello' } as const;
    const ids = await Promise.all([delivery.postText(task, 'n', note), delivery.postText(task, 'n', note)]);
    expect(new Set(ids).size).toBe(1);
    expect(await delivery.postText(task, 'n', note)).toBe(ids[0]);
    expect(posted()).toEqual(['n text-1']);
  });

  it('a stop keeps its place, and takes the worker’s account of what was done', async () => {
    const stopped = reply({ outcome: 'cancelled', text: 'Stopped.', artifacts: [] });
    const withCode = {
      ...stopped,
      text: 'Stopped. Done by then: one',
      code: [{ title: 'one', source: '', status: 'ok', durationMs: 1 }],
    } as Reply;
    await delivery.settle(task, stopped);
    await delivery.settle(task, reply());
    await delivery.settle(task, withCode);
    await delivery.settle(task, stopped);
    await delivery.deliverReply(task, 1);
    expect(platform.replies(task.id)).toEqual([withCode]);
  });
});
