import type { ThreadFile } from '../../src/ports/store.ts';
import type { Cell, FileCard, Task, ThreadRef } from '../../src/types.ts';

export const exampleThread: ThreadRef = { platform: 'test', workspaceId: 'W/1', channelId: 'C1', threadId: '1.5' };

/** An accepted-looking task; `id` is also its message. */
export function exampleTask(id: string, thread: ThreadRef = exampleThread): Task {
  return {
    id,
    thread,
    messageId: id,
    person: { id: 'U1', displayName: 'Ada' },
    text: `question ${id} — "quoted", ünïcödé 📊`,
    attachments: [{ id: 'F1', name: 'a\nb.csv', mimeType: 'text/csv', sizeBytes: null, source: { url: 'x' } }],
    receivedAtMs: 1_700_000_000_000,
  };
}

/** A cell with what text columns do not take, and a result of those bytes. */
export function exampleCell(taskId: string, index: number, sha256 = 'cd'): Cell {
  return {
    taskId,
    index,
    title: `Step ${index}`,
    seed: index === 0 ? 0 : null,
    startedAtMs: 1_700_000_000_000 + index,
    source: `print("\u0000 \ud800 ${index}")`,
    execution: {
      status: 'error',
      stdout: 'out',
      stdoutSha256: 'ef',
      stderr: '',
      results: [{ 'image/png': { sha256, sizeBytes: 4 } }],
      error: { name: 'KeyError', message: "'x'", traceback: 'Traceback' },
      stateKept: true,
      files: [{ path: 'a/b.png', sizeBytes: 3, sha256: 'ab', change: 'new', formulas: null }],
      durationMs: 12.5,
    },
  };
}

export const exampleCard: FileCard = {
  file: 'a.csv',
  ok: true,
  error: null,
  kind: 'csv',
  size_bytes: 5,
  seconds: 0.1,
  dialect: null,
  tables: [],
  rejected: [{ table: 'a', line: 3, reason: 'has 2 fields' }],
  rejected_count: 1,
  warnings: [],
};

export function exampleFile(name: string, sha256: string): ThreadFile {
  return { name, mimeType: 'text/csv', sizeBytes: 5, sha256, taskId: 't1', origin: 'attachment', attachmentId: 'F1' };
}
