import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';

const postedFile = z.strictObject({
  kind: z.enum(['chart', 'table', 'file']),
  name: z.string().min(1),
  mimeType: z.string().includes('/'),
  size: z.int().nonnegative(),
  path: z.string().min(1),
  altText: z.string(),
});
const shownCode = z.array(z.strictObject({ title: z.string(), source: z.string(), status: z.string() }));
const message = z.strictObject({
  at: z.iso.datetime(),
  from: z.literal('person'),
  kind: z.literal('message'),
  text: z.string(),
  attachments: z.array(postedFile),
  code: shownCode,
});
const post = z.strictObject({
  at: z.iso.datetime(),
  from: z.literal('bot'),
  kind: z.enum(['progress', 'card', 'reply']),
  text: z.string(),
  artifacts: z.array(postedFile),
  code: shownCode,
});

/** `thread.json`, as the page of the commands describes it: nothing missing, nothing more. */
export const threadFile = z.array(z.discriminatedUnion('from', [message, post]));

export type BotPost = z.infer<typeof post>;
export type PostedFile = z.infer<typeof postedFile>;

export interface Ask {
  readonly files: readonly string[];
  readonly question: string;
}

export interface DemoRun extends AsyncDisposable {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly thread: z.infer<typeof threadFile>;
  /** The final replies, in the order of the questions. */
  readonly replies: readonly BotPost[];
  open(file: PostedFile): Promise<Buffer>;
}

/** Runs the command that `npm run demo` ends in, as a process of its own, without any key of a language model. */
export async function runDemo(asks: readonly Ask[], image: string): Promise<DemoRun> {
  const root = fileURLToPath(new URL('../../', import.meta.url));
  const out = await mkdtemp(join(tmpdir(), 'plotline-demo-out-'));
  const args = asks.flatMap(({ files, question }) => [...files.flatMap((file) => ['--file', file]), '--ask', question]);
  const ended = await new Promise<Pick<DemoRun, 'exitCode' | 'stdout' | 'stderr'>>((resolve) => {
    const child = execFile(
      process.execPath,
      ['--disable-warning=ExperimentalWarning', 'src/main.ts', 'demo', ...args, '--out', out],
      { cwd: root, env: { ...process.env, OPENAI_API_KEY: '', SANDBOX_IMAGE: image }, timeout: 60_000 },
      (_, stdout, stderr) => resolve({ exitCode: child.exitCode, stdout, stderr }),
    );
  });
  const text = await readFile(join(out, 'thread.json'), 'utf8').catch(() => {
    throw new Error(`no thread.json; the demo ended with ${ended.exitCode}:\n${ended.stdout}\n${ended.stderr}`);
  });
  const thread = threadFile.parse(JSON.parse(text));
  return {
    ...ended,
    thread,
    replies: thread.filter((entry): entry is BotPost => entry.from === 'bot' && entry.kind === 'reply'),
    open: (file) => readFile(join(out, file.path)),
    [Symbol.asyncDispose]: () => rm(out, { recursive: true, force: true }),
  };
}
