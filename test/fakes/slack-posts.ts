import { createHash } from 'node:crypto';
import type { OutgoingFile, OutgoingMessage, PostContext, PostedPart } from '../../src/ports/platforms.ts';
import type { Artifact, Progress, Reply } from '../../src/types.ts';

/** What the Slack adapter's tests post, and how they look at what came of it. */

export interface TestFile {
  readonly name: string;
  readonly mimeType: string;
  readonly bytes: Uint8Array;
}

export const chartFile: TestFile = {
  name: 'chart-1.png',
  mimeType: 'image/png',
  bytes: Buffer.from('89504e470d0a1a0a0001020304', 'hex'),
};
export const csvFile: TestFile = { name: 'table.csv', mimeType: 'text/csv', bytes: Buffer.from('a,b\n1,2\n') };
export const altText = 'A line that rises from 10 to 12';

export function replyMessage(
  text: string,
  files: readonly TestFile[],
): Extract<OutgoingMessage, { readonly kind: 'reply' }> {
  const outgoing: OutgoingFile[] = files.map(({ name, mimeType, bytes }) => ({
    file: { name, mimeType, sizeBytes: bytes.byteLength, sha256: createHash('sha256').update(bytes).digest('hex') },
    open: async function* () {
      yield bytes;
    },
  }));
  const artifacts: Artifact[] = outgoing.map(({ file }) => ({
    kind: file.mimeType.startsWith('image/') ? 'chart' : 'file',
    title: file.mimeType.startsWith('image/') ? 'Revenue' : '',
    file,
    altText: file.mimeType.startsWith('image/') ? altText : '',
    table: null,
    chart: null,
  }));
  const reply: Reply = { taskId: 't', outcome: 'answered', text, artifacts, notices: [], code: [] };
  return { kind: 'reply', reply, files: outgoing };
}

export function progressOf(
  steps: readonly (readonly [title: string, state: 'running' | 'done' | 'failed'])[],
  more: Partial<Progress> = {},
): Progress {
  return {
    taskId: 't',
    personId: 'U0ADA',
    running: true,
    note: '',
    steps: steps.map(([title, state]) => ({ title, state })),
    ...more,
  };
}

export function postContext(
  postId: string,
  more: { readonly noted?: PostedPart[]; readonly alreadyPosted?: readonly PostedPart[] } = {},
): PostContext {
  return {
    postId,
    alreadyPosted: more.alreadyPosted ?? [],
    // Whoever does not say that nothing was tried has the thread looked at.
    isRepeat: true,
    onPosted: async (part) => {
      more.noted?.push(part);
    },
    signal: AbortSignal.timeout(20_000),
  };
}
