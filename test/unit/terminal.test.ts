import { createHandlers } from '../fakes/handlers.ts';
import { mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createTerminalPlatform } from '../../adapters/terminal/terminal.ts';
import type {
  FileDetails,
  GatewayHandlers,
  OutgoingFile,
  PlatformClient,
  PostContext,
} from '../../src/ports/platforms.ts';
import type { Artifact, Attachment, Cell, Progress, Reply, Task } from '../../src/types.ts';
import { collect } from '../contract/blobs.ts';
import { plainRecord } from '../fakes/cells.ts';

let dir: string;
let outDir: string;
let csv: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'plotline-terminal-'));
  outDir = join(dir, 'out');
  csv = join(dir, 'sales.csv');
  writeFileSync(csv, 'month,revenue\n1,2\n');
});
afterEach(() => rmSync(dir, { recursive: true }));

function terminalFor(asks: readonly { text: string; files: readonly string[] }[]) {
  const input = new PassThrough();
  const output = new PassThrough();
  let printed = '';
  output.on('data', (chunk) => {
    printed += String(chunk);
  });
  const platform = createTerminalPlatform({ help: false, asks, outDir, input, output, env: {} });
  return {
    ...platform,
    input,
    printed: () => printed,
    thread: () => JSON.parse(readFileSync(join(outDir, 'thread.json'), 'utf8')),
  };
}

function contextFor(postId: string, change: Partial<PostContext> = {}): PostContext {
  const signal = AbortSignal.timeout(10_000);
  return { postId, alreadyPosted: [], isRepeat: false, onPosted: async () => {}, signal, ...change };
}

function chart(name: string, bytes: string): { readonly artifact: Artifact; readonly outgoing: OutgoingFile } {
  const file = { name, mimeType: 'image/png', sizeBytes: bytes.length, sha256: 'x' };
  async function* open() {
    yield new TextEncoder().encode(bytes);
  }
  return {
    artifact: { kind: 'chart', title: 'Revenue', file, altText: 'A line that rises', table: null, chart: null },
    outgoing: { file, open },
  };
}

const cell: Cell = {
  taskId: 't',
  index: 0,
  title: 'Read it',
  seed: null,
  startedAtMs: 0,
  source: 'print("\u001b[2J1")',
  execution: plainRecord,
};

const details: FileDetails = {
  file: 'a.csv',
  sections: [{ title: 'What I noticed', lines: ['1 row repeats \u001b[2J an earlier row.'] }],
};

/** A core that shows one step and replies with a chart. */
function fakeCore(client: () => PlatformClient, reply: (task: Task) => Partial<Reply> = () => ({})) {
  const tasks: Task[] = [];
  const answer = async (task: Task): Promise<void> => {
    const step = (state: Progress['steps'][number]['state']) =>
      ({
        kind: 'progress',
        progress: { personId: 'U1', running: true, taskId: task.id, steps: [{ title: 'Draw', state }], note: '' },
      }) as const;
    const { artifact, outgoing } = chart('chart.png', `bytes of ${task.text}`);
    await client().post(task.thread, step('running'), contextFor(`${task.id}-progress`));
    await client().edit(task.thread, `${task.id}-progress`, step('done'), AbortSignal.timeout(1000));
    await client().post(task.thread, { kind: 'card', text: 'A card', file: 'a.csv' }, contextFor(`${task.id}-card`));
    const whole: Reply = {
      taskId: task.id,
      outcome: 'answered',
      text: `Answer to **${task.text}**`,
      artifacts: [artifact],
      notices: ['1 row was not used.'],
      code: [{ title: 'Draw', source: 'plot()', status: 'ok', durationMs: 3 }],
      ...reply(task),
    };
    await client().post(
      task.thread,
      { kind: 'reply', reply: whole, files: whole.artifacts.map(() => outgoing) },
      contextFor(`${task.id}-reply`),
    );
  };
  const handlers = createHandlers({
    onTask: async (task) => {
      tasks.push(task);
      setImmediate(() => void answer(task));
    },
    onCancel: async () => 1,
    onShowCode: async () => [cell],
    onShowDetails: async () => [details],
  });
  return { handlers, tasks };
}

describe('asks', () => {
  it('asks in order in one thread and writes down all that was said', async () => {
    const terminal = terminalFor([
      { text: 'one', files: [csv] },
      { text: 'two', files: [] },
    ]);
    const core = fakeCore(() => terminal.client);
    await terminal.gateway.start(core.handlers);
    expect(await terminal.finished).toBe(true);

    const [first, second] = core.tasks;
    expect(first).toMatchObject({
      text: 'one',
      attachments: [{ name: 'sales.csv', mimeType: 'text/csv', sizeBytes: 18, source: { path: csv } }],
    });
    expect(second?.thread).toEqual(first?.thread);
    expect(second?.id).not.toBe(first?.id);

    const thread = terminal.thread();
    expect(thread.map(({ from, kind, text }: Record<string, string>) => [from, kind, text])).toEqual(
      ['one', 'two'].flatMap((text) => [
        ['person', 'message', text],
        ['bot', 'progress', '✓ Draw'],
        ['bot', 'card', 'A card'],
        ['bot', 'reply', `Answer to **${text}**\n\n1 row was not used.`],
      ]),
    );
    expect(thread[0].attachments).toEqual([
      { kind: 'file', name: 'sales.csv', mimeType: 'text/csv', size: 18, path: '../sales.csv', altText: '' },
    ]);
    expect(thread[3].artifacts).toEqual([
      {
        kind: 'chart',
        name: 'chart.png',
        mimeType: 'image/png',
        size: 12,
        path: 'chart.png',
        altText: 'A line that rises',
      },
    ]);
    expect(thread[3].code).toEqual([{ title: 'Draw', source: 'plot()', status: 'ok' }]);
    expect(thread[7].artifacts[0].path).toBe('chart (2).png');
    expect(readFileSync(join(outDir, 'chart (2).png'), 'utf8')).toBe('bytes of two');
    for (const { at } of thread) expect(new Date(at).toISOString()).toBe(at);
    expect(terminal.printed()).toContain('✓ Draw');
    expect(terminal.printed()).toContain(join(outDir, 'chart.png'));
    // oxlint-disable-next-line no-control-regex
    expect(terminal.printed()).not.toMatch(/\u001b/);
  });

  it('takes a failed reply for a reply', async () => {
    const terminal = terminalFor([{ text: 'one', files: [] }]);
    const core = fakeCore(
      () => terminal.client,
      () => ({ outcome: 'failed', artifacts: [] }),
    );
    await terminal.gateway.start(core.handlers);
    expect(await terminal.finished).toBe(true);
  });

  it('asks the second only after the first was replied to, and is not finished before', async () => {
    const terminal = terminalFor([
      { text: 'one', files: [] },
      { text: 'two', files: [] },
    ]);
    const onTask = vi.fn<GatewayHandlers['onTask']>().mockResolvedValue();
    await terminal.gateway.start(createHandlers({ onTask }));
    await vi.waitFor(() => expect(onTask).toHaveBeenCalledTimes(1));
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(onTask).toHaveBeenCalledTimes(1);
    await terminal.gateway.stop();
    expect(await terminal.finished).toBe(false);
    expect(onTask).toHaveBeenCalledTimes(1);
  });

  it('is not finished well when a question could not be handed over', async () => {
    const terminal = terminalFor([{ text: 'one', files: [] }]);
    const onTask = async (): Promise<void> => {
      throw new Error('disk full');
    };
    await terminal.gateway.start(createHandlers({ onTask }));
    expect(await terminal.finished).toBe(false);
    expect(terminal.printed()).toContain('Something went wrong');
  });

  it('says so when it cannot write where it is told to', async () => {
    writeFileSync(outDir, 'a file');
    const terminal = terminalFor([{ text: 'one', files: [] }]);
    await expect(terminal.gateway.start(fakeCore(() => terminal.client).handlers)).rejects.toMatchObject({
      code: 'config',
    });
  });
});

describe('client', () => {
  it('shows and saves a reply once, however often it is posted', async () => {
    const terminal = terminalFor([]);
    const { artifact, outgoing } = chart('../e\nvil.png', 'x');
    const reply: Reply = {
      taskId: 't',
      outcome: 'answered',
      text: 'Once',
      artifacts: [artifact],
      notices: [],
      code: [],
    };
    const message = { kind: 'reply', reply, files: [outgoing] } as const;
    const thread = { platform: 'terminal', workspaceId: 'l', channelId: 'c', threadId: 't' };
    const onPosted = vi.fn<PostContext['onPosted']>().mockResolvedValue();
    const receipt = await terminal.client.post(thread, message, contextFor('p', { onPosted }));
    expect(receipt).toEqual({ parts: [{ partId: 'text-1', messageId: 'p' }], notPosted: [] });
    await terminal.client.post(thread, message, contextFor('p', { onPosted, alreadyPosted: receipt.parts }));
    await terminal.client.post(thread, message, contextFor('p', { onPosted }));
    expect(terminal.printed().match(/Once/g)).toHaveLength(1);
    expect(terminal.thread()).toHaveLength(1);
    expect(statSync(join(outDir, '_e_vil.png')).size).toBe(1);
    expect(onPosted).toHaveBeenCalledWith({ partId: 'text-1', messageId: 'p' });
  });

  it('never writes over another file, nor through a link, and names what it could not save', async () => {
    const terminal = terminalFor([]);
    const thread = { platform: 'terminal', workspaceId: 'l', channelId: 'c', threadId: 't' };
    await terminal.client.post(thread, { kind: 'notice', text: 'Hello' }, contextFor('n'));
    writeFileSync(join(outDir, 'a.png'), 'mine');
    symlinkSync(csv, join(outDir, 'b.png'));
    const made = ['a.png', 'b.png', 'thread.json', 'broken.png'].map((name) => chart(name, 'theirs'));
    const files = made.map(({ outgoing }) => ({
      ...outgoing,
      open: async function* open() {
        if (outgoing.file.name === 'broken.png') throw new Error('the store is gone');
        yield* outgoing.open();
      },
    }));
    const artifacts = made.map(({ artifact }) => artifact);
    const reply: Reply = { taskId: 't', outcome: 'answered', text: '', artifacts, notices: [], code: [] };
    const receipt = await terminal.client.post(thread, { kind: 'reply', reply, files }, contextFor('p'));
    expect(receipt.notPosted).toEqual([{ name: 'broken.png', reason: expect.stringContaining('the store is gone') }]);
    expect(readFileSync(join(outDir, 'a.png'), 'utf8')).toBe('mine');
    expect(readFileSync(csv, 'utf8')).toContain('month');
    expect(terminal.thread()[1].artifacts.map(({ path }: { path: string }) => path)).toEqual([
      'a (2).png',
      'b (2).png',
      'thread (2).json',
    ]);
  });

  it('downloads what was attached, up to the limit, and says why it cannot', async () => {
    const { client } = terminalFor([]);
    const signal = AbortSignal.timeout(5000);
    const attachment = (path: string): Attachment => ({
      id: '1',
      name: 'n',
      mimeType: 't',
      sizeBytes: null,
      source: { path },
    });
    expect(String(await collect(client.download(attachment(csv), { maxBytes: 18, signal })))).toBe(
      'month,revenue\n1,2\n',
    );
    await expect(collect(client.download(attachment(csv), { maxBytes: 17, signal }))).rejects.toMatchObject({
      code: 'file-too-large',
    });
    await expect(collect(client.download(attachment(`${csv}x`), { maxBytes: 99, signal }))).rejects.toMatchObject({
      code: 'file-unavailable',
      userMessage: expect.stringContaining('there is no such file'),
    });
    await expect(collect(client.download(attachment(dir), { maxBytes: 99, signal }))).rejects.toMatchObject({
      code: 'file-unavailable',
    });
    await expect(
      collect(client.download({ ...attachment(csv), source: null }, { maxBytes: 99, signal })),
    ).rejects.toMatchObject({
      code: 'file-unavailable',
    });
  });

  it('gives the history without progress, oldest first', async () => {
    const terminal = terminalFor([{ text: 'one', files: [csv] }]);
    const core = fakeCore(() => terminal.client);
    await terminal.gateway.start(core.handlers);
    await terminal.finished;
    const history = await terminal.client.history(core.tasks[0]!.thread, {
      limit: 2,
      signal: AbortSignal.timeout(1000),
    });
    expect(history.map(({ from, text }) => [from, text.slice(0, 6)])).toEqual([
      ['bot', 'A card'],
      ['bot', 'Answer'],
    ]);
    const [question] = await terminal.client.history(core.tasks[0]!.thread, {
      limit: 9,
      signal: AbortSignal.timeout(1000),
    });
    expect(question?.attachments).toEqual(core.tasks[0]?.attachments);
  });
});

describe('keyboard', () => {
  it('takes files, questions and commands line by line, each question after the answer before it', async () => {
    const terminal = terminalFor([]);
    const core = fakeCore(() => terminal.client);
    await terminal.gateway.start(core.handlers);
    const spaced = join(dir, 'a b.csv');
    writeFileSync(spaced, 'x');
    terminal.input.end(
      [
        csv,
        `'${spaced}'`,
        `/file ${join(dir, 'none.csv')}`,
        'first?',
        'second?',
        '/files',
        '/code',
        '/details',
        '/nonsense',
        '/stop',
        '/quit',
      ].join('\n'),
    );
    expect(await terminal.finished).toBe(true);
    expect(core.tasks.map(({ text, attachments }) => [text, attachments.map(({ name }) => name)])).toEqual([
      ['first?', ['sales.csv', 'a b.csv']],
      ['second?', []],
    ]);
    const printed = terminal.printed();
    expect(printed).toContain('none.csv: there is no such file');
    expect(printed).toContain('# Read it\nprint("[2J1")');
    expect(printed).toContain(join(outDir, 'chart (2).png'));
    expect(printed).toContain('a.csv\nWhat I noticed\n  • 1 row repeats  [2J an earlier row.');
    expect(printed).toContain('I do not know /nonsense');
    expect(printed).toContain('Nothing is running');
  });

  it('ends at the end of its input, after the last answer', async () => {
    const terminal = terminalFor([]);
    const core = fakeCore(() => terminal.client);
    await terminal.gateway.start(core.handlers);
    terminal.input.end('only this');
    expect(await terminal.finished).toBe(true);
    expect(terminal.printed()).toContain('Answer to only this');
  });

  it('can be stopped while an answer is awaited', async () => {
    const terminal = terminalFor([]);
    const onTask = vi.fn<GatewayHandlers['onTask']>().mockResolvedValue();
    await terminal.gateway.start(createHandlers({ onTask }));
    terminal.input.write('hello?\n');
    await vi.waitFor(() => expect(onTask).toHaveBeenCalled());
    await terminal.gateway.stop();
    expect(await terminal.finished).toBe(false);
  });
});
