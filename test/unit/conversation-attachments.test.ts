import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { noAudit } from '../../src/audit/no-audit.ts';
import { takeAttachments } from '../../src/conversation/attachments.ts';
import type { Intake } from '../../src/conversation/attachments.ts';
import { AppError } from '../../src/errors.ts';
import { createLogger } from '../../src/log.ts';
import type { HistoryMessage } from '../../src/ports/platforms.ts';
import type { Store } from '../../src/ports/store.ts';
import { createSqliteStore } from '../../src/store/sqlite-store.ts';
import type { Attachment, Task } from '../../src/types.ts';
import { attachmentOf, taskOf, testThreadKey } from '../fakes/core.ts';
import { createMemoryBlobs } from '../fakes/memory-blobs.ts';
import { createStrictPlatform } from '../fakes/strict-platform.ts';
import type { StrictPlatform } from '../fakes/strict-platform.ts';

const megabyte = 1024 * 1024;

describe('attachments', () => {
  let store: Store;
  let platform: StrictPlatform;
  let downloaded: string[];
  let history: HistoryMessage[];
  const blobs = createMemoryBlobs();

  const take = async (task: Task, maxBytes = 1000, signal = AbortSignal.timeout(5000)): Promise<Intake> => {
    await store.accept(task);
    return takeAttachments(task, { client: platform.client, store, blobs, audit: noAudit, maxBytes }, signal);
  };
  const names = ({ files }: Intake): readonly string[] => files.map(({ name }) => name);
  const with_ = (id: string, ...attachments: readonly Attachment[]): Task => taskOf(id, { attachments });
  const said = (messageId: string, attachments: readonly Attachment[] = [], from: 'person' | 'bot' = 'person') =>
    history.push({ messageId, from, text: '', attachments });

  beforeEach(async () => {
    store = await createSqliteStore({ path: ':memory:', log: createLogger('silent') });
    platform = createStrictPlatform();
    downloaded = [];
    history = [];
    platform.faults.download = ({ id }) => {
      downloaded.push(id);
      return `bytes of ${id}`;
    };
    platform.faults.history = () => Promise.resolve(history);
  });
  afterEach(() => store[Symbol.asyncDispose]());

  it('refuses by the claimed size before a byte is fetched, in words', async () => {
    const task = with_('t1', attachmentOf('f1', 'huge.csv', 300 * megabyte));
    await expect(take(task, 100 * megabyte)).rejects.toMatchObject({
      code: 'file-rejected',
      userMessage: expect.stringMatching(/`huge.csv` is 300 MB .* 100 MB in all/),
    });
    expect(downloaded).toEqual([]);
  });

  it('cuts off a file that lied about its size, and keeps the one beside it', async () => {
    platform.faults.download = ({ id }) => (id === 'f1' ? 'x'.repeat(5000) : 'small');
    const intake = await take(with_('t1', attachmentOf('f1', 'liar.csv', 10), attachmentOf('f2', 'fine.csv')));
    expect(names(intake)).toEqual(['fine.csv']);
    expect(intake.notices).toEqual([expect.stringMatching(/liar.csv/)]);
  });

  it('counts the cap over all files of the question', async () => {
    platform.faults.download = () => 'x'.repeat(600);
    const intake = await take(with_('t1', attachmentOf('f1', 'a.csv'), attachmentOf('f2', 'b.csv')));
    expect(names(intake)).toEqual(['a.csv']);
    expect(intake.notices).toHaveLength(1);
  });

  it('gives equal names with other bytes a number, and takes equal files once', async () => {
    expect(names(await take(with_('t1', attachmentOf('f1', 'r.csv'), attachmentOf('f2', 'r.csv'))))).toEqual([
      'r.csv',
      'r (2).csv',
    ]);
    platform.faults.download = () => 'the same';
    expect(names(await take(with_('t2', attachmentOf('f3', 's.csv'), attachmentOf('f4', 's.csv'))))).toEqual(['s.csv']);
    expect((await store.files(testThreadKey)).map(({ name }) => name)).toEqual(['r.csv', 'r (2).csv', 's.csv']);
  });

  it('names a file that cannot be fetched with the platform’s reason', async () => {
    platform.faults.download = ({ id }) => {
      if (id === 'f1') throw new AppError('file-unavailable', 'it was deleted.');
      return 'fine';
    };
    const intake = await take(with_('t1', attachmentOf('f1', 'gone.csv'), attachmentOf('f2', 'b.csv')));
    expect(intake.notices).toEqual(['`gone.csv`: it was deleted.']);
  });

  it('a second attempt at the question finds what the first one fetched', async () => {
    said('m1', [attachmentOf('f1', 'a.csv'), attachmentOf('f2', 'b.csv')]);
    platform.faults.download = ({ id }) => {
      if (id === 'f2') throw new Error('the process dies');
      return 'a';
    };
    await take(taskOf('t1'));
    platform.faults.download = ({ id }) => {
      downloaded.push(id);
      return 'b';
    };
    expect(names(await take(taskOf('t1')))).toEqual(['a.csv', 'b.csv']);
    expect(downloaded).toEqual(['f2']);
  });

  it('takes the files that people posted in the thread before its first question, not the bot’s', async () => {
    said('q0', [attachmentOf('f1', 'a.csv')]);
    said('b1', [attachmentOf('f2', 'chart.png')], 'bot');
    said('t1', []);
    said('later', [attachmentOf('f3', 'later.csv')]);
    expect(names(await take(taskOf('t1')))).toEqual(['a.csv']);
  });

  it('takes them beside the question’s own file, but asks for no history of a message that begins its thread', async () => {
    said('q0', [attachmentOf('f1', 'a.csv')]);
    expect(names(await take(with_('t1', attachmentOf('f2', 'b.csv'))))).toEqual(['a.csv', 'b.csv']);
    platform.faults.history = () => Promise.reject(new Error('must not be asked'));
    expect(await take(taskOf('t2', { messageId: 'q0' }))).toEqual({ files: [], notices: [] });
  });

  it('a later question takes what was posted since the one before, and no file twice', async () => {
    said('m0', [attachmentOf('f1', 'a.csv')]);
    said('t1');
    await take(taskOf('t1'));
    said('m1', [attachmentOf('f2', 'b.csv')]);
    said('t2');
    expect(names(await take(taskOf('t2')))).toEqual(['b.csv']);
    said('t3');
    expect(names(await take(taskOf('t3')))).toEqual([]);
    expect(downloaded).toEqual(['f1', 'f2']);
  });

  it('a later question is not refused for a file it is not about, only told', async () => {
    said('m0', [attachmentOf('f1', 'a.csv')]);
    said('t1');
    await take(taskOf('t1'));
    said('m1', [attachmentOf('f2', 'huge.csv', 1e9)]);
    said('t2');
    expect(await take(taskOf('t2'))).toEqual({ files: [], notices: [expect.stringMatching(/huge.csv/)] });
  });

  it('takes the newest 20 of many files and says so', async () => {
    said(
      'm0',
      Array.from({ length: 25 }, (_, index) => attachmentOf(`f${index}`, `${index}.csv`)),
    );
    const intake = await take(taskOf('t1'));
    expect(names(intake)[0]).toBe('5.csv');
    expect(intake.notices).toEqual([expect.stringMatching(/25 files .* newest 20/)]);
  });

  it('a history that cannot be read does not fail the question', async () => {
    platform.faults.history = () => Promise.reject(new AppError('platform-failed', 'My app lacks a scope.'));
    const intake = await take(with_('t1', attachmentOf('f1', 'a.csv')));
    expect(names(intake)).toEqual(['a.csv']);
    expect(intake.notices).toEqual([expect.stringMatching(/lacks a scope/)]);
  });

  it('a stop while fetching ends it at once', async () => {
    const stop = new AbortController();
    platform.faults.download = () => {
      stop.abort(new AppError('cancelled', 'Stopped.'));
      throw new AppError('file-unavailable', 'aborted');
    };
    const task = with_('t1', attachmentOf('f1', 'a.csv'), attachmentOf('f2', 'b.csv'));
    await expect(take(task, 1000, stop.signal)).rejects.toThrow('aborted');
  });
});
