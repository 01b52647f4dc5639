import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { noAudit } from '../../src/audit/no-audit.ts';
import { createDelivery } from '../../src/answer/deliver.ts';
import type { Delivery, LinkTo } from '../../src/answer/deliver.ts';
import { AppError } from '../../src/errors.ts';
import { createLogger } from '../../src/log.ts';
import type { PlatformClient } from '../../src/ports/platforms.ts';
import type { InboxEntry, Store } from '../../src/ports/store.ts';
import { createSqliteStore } from '../../src/store/sqlite-store.ts';
import { threadKeyOf } from '../../src/types.ts';
import type { Artifact, Reply } from '../../src/types.ts';
import { taskOf } from '../fakes/core.ts';
import { createMemoryBlobs } from '../fakes/memory-blobs.ts';
import { createStrictPlatform } from '../fakes/strict-platform.ts';
import type { StrictPlatform } from '../fakes/strict-platform.ts';

const log = createLogger('silent');
const task = taskOf('t1');
const taken = (attempts: number): InboxEntry => ({ task, state: 'running', attempts, fence: 0 });

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

  const deliveryWith = (client: PlatformClient, timeoutMs = 5000, linkTo: LinkTo | null = null): Delivery =>
    createDelivery({
      store,
      blobs: createMemoryBlobs(),
      audit: noAudit,
      clientOf: () => client,
      timeoutMs,
      linkTo,
      log,
    });

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

  it('stops between two messages when another worker has the task by then, which posts the rest', async () => {
    const take = async (): Promise<InboxEntry> => {
      const entry = await store.takeNext(threadKeyOf(task.thread));
      if (entry === null) throw new Error('the task is gone');
      return entry;
    };
    const first = await take();
    await delivery.settle(task, reply(), first);
    const later: InboxEntry[] = [];
    platform.faults.beforePart = async () => {
      if (later.length === 0) later.push(await take());
    };
    await expect(delivery.deliverReply(first)).rejects.toMatchObject({ code: 'internal', retryable: true });
    expect(posted()).toHaveLength(1);
    await expect(delivery.settle(task, reply({ text: 'Late.' }), first)).rejects.toMatchObject({ retryable: true });
    await expect(delivery.deliverReply(first)).rejects.toMatchObject({ retryable: true });
    expect(posted()).toHaveLength(1);
    for (const second of later) await delivery.deliverReply(second);
    expect(posted()).toHaveLength(2);
    expect(new Set(posted()).size).toBe(2);
  });

  it('posts a settled reply once, whatever comes after', async () => {
    await delivery.settle(task, reply(), null);
    await delivery.settle(task, reply({ text: 'Another answer.' }), null);
    expect(await delivery.deliverReply(taken(1))).toEqual(reply());
    await delivery.deliverReply(taken(2));
    expect(posted()).toEqual(['t1-reply text-1', 't1-reply files-1']);
    expect(platform.replies(task.id)).toEqual([reply()]);
  });

  it('goes on after the part that failed, in another process too', async () => {
    await delivery.settle(task, reply(), null);
    failing('files-1', limited);
    await expect(delivery.deliverReply(taken(1))).rejects.toMatchObject({
      code: 'platform-rate-limited',
      retryAfterMs: 30_000,
    });
    expect(await isSent()).toBe(false);
    platform.faults.beforePart = () => {};
    await deliveryWith(platform.client).deliverReply(taken(2));
    expect(posted()).toEqual(['t1-reply text-1', 't1-reply files-1']);
    expect(await isSent()).toBe(true);
  });

  it('a rate limit is waited out however often it comes', async () => {
    await delivery.settle(task, reply(), null);
    failing('files-1', limited);
    await expect(delivery.deliverReply(taken(100))).rejects.toBe(limited);
  });

  it('files that the platform refuses for good: the text goes out and the files are named with the reason', async () => {
    await delivery.settle(task, reply(), null);
    failing('files-1', refused);
    await delivery.deliverReply(taken(1));
    expect(posted()).toEqual(['t1-reply text-1', 't1-left-out text-1']);
    expect(platform.messages.at(-1)?.content).toMatchObject({
      text: expect.stringMatching(/`a.csv`: This workspace takes no files/),
    });
    expect(await isSent()).toBe(true);
  });

  it('where there are links, what is not posted is named with one, the same on every attempt', async () => {
    const empty = file('empty.csv');
    const artifacts = [file('a.csv'), { ...empty, file: { ...empty.file, sizeBytes: 0 } }];
    await delivery.settle(task, reply({ artifacts }), null);
    let made = 0;
    const linkTo: LinkTo = (taskId, { name }) => {
      made += 1;
      return { url: `https://bot.example/${taskId}/${name}?${made}`, days: 7 };
    };
    let isDown = true;
    platform.faults.beforePart = (postId, partId) => {
      if (partId === 'files-1') throw refused;
      if (postId === 't1-left-out' && isDown) throw down;
    };
    await expect(deliveryWith(platform.client, 5000, linkTo).deliverReply(taken(1))).rejects.toBe(down);
    isDown = false;
    await deliveryWith(platform.client, 5000, linkTo).deliverReply(taken(2));
    expect(posted()).toEqual(['t1-reply text-1', 't1-left-out text-1']);
    expect(platform.messages.at(-1)?.content).toMatchObject({
      text:
        'Not posted:\n• `a.csv`: This workspace takes no files. Download it within 7 days: https://bot.example/t1/a.csv?1' +
        '\n• `empty.csv`: This workspace takes no files.',
    });
  });

  it('files that keep failing are given up after some attempts, the text is not', async () => {
    await delivery.settle(task, reply(), null);
    failing('files-1', down);
    await expect(delivery.deliverReply(taken(4))).rejects.toBe(down);
    await delivery.deliverReply(taken(5));
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
    await delivery.settle(task, both, null);
    failing('text-1', down);
    await expect(delivery.deliverReply(taken(1))).rejects.toBe(down);
    failing('files-1', refused);
    await delivery.deliverReply(taken(5));
    expect(platform.replies(task.id)).toEqual([both]);
    expect(platform.messages.at(-1)?.content).toMatchObject({ text: 'Not posted:\n• `b.csv`: too often' });
  });

  it('a platform that is down for long is tried again each time', async () => {
    await delivery.settle(task, reply(), null);
    failing('', down);
    await expect(delivery.deliverReply(taken(50))).rejects.toBe(down);
    expect(await isSent()).toBe(false);
  });

  it('a channel that takes nothing any more does not hold up its thread', async () => {
    await delivery.settle(task, reply(), null);
    failing('', new AppError('platform-failed', 'This channel is archived.'));
    await delivery.deliverReply(taken(1));
    expect(posted()).toEqual([]);
    expect(await isSent()).toBe(true);
  });

  it('a fault of our own is tried again, and not for ever', async () => {
    await delivery.settle(task, reply({ artifacts: [] }), null);
    failing('', new TypeError('x is undefined'));
    await expect(delivery.deliverReply(taken(9))).rejects.toMatchObject({ code: 'internal' });
    await delivery.deliverReply(taken(10));
    expect(await isSent()).toBe(true);
  });

  it('a platform that hangs is cut off, and the attempt repeated', async () => {
    await delivery.settle(task, reply(), null);
    const hanging: PlatformClient = {
      ...platform.client,
      post: (_thread, _message, { signal }) =>
        new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error))),
    };
    await expect(deliveryWith(hanging, 20).deliverReply(taken(1))).rejects.toMatchObject({
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
    await delivery.settle(task, reply(), null);
    failing('left-out', down);
    await expect(delivery.deliverReply(taken(1))).rejects.toBe(down);
    platform.faults.beforePart = () => {};
    await deliveryWith(picky).deliverReply(taken(2));
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
    await delivery.settle(task, stopped, null);
    await delivery.settle(task, reply(), null);
    await delivery.settle(task, withCode, null);
    await delivery.settle(task, stopped, null);
    await delivery.deliverReply(taken(1));
    expect(platform.replies(task.id)).toEqual([withCode]);
  });
});
