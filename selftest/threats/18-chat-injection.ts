import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { createTerminalClient } from '../../adapters/terminal/client.ts';
import { createScreen } from '../../adapters/terminal/screen.ts';
import { createStyle } from '../../adapters/terminal/style.ts';
import { createTranscript } from '../../adapters/terminal/transcript.ts';
import { createLogger } from '../../src/log.ts';
import type { OutgoingMessage } from '../../src/ports/platforms.ts';
import type { Reply } from '../../src/types.ts';
import { createScriptedModel, pythonCall } from '../../test/fakes/scripted-model.ts';
import type { Attack, Stage, Verdict } from '../attack.ts';
import { messagesOf, startConversation } from '../bots.ts';
import { judge } from '../outside.ts';
import { alive, sentToSlack } from '../slack-wire.ts';

const escape = '\u001b';

/** What chats, terminals and logs would obey. */
const hostile = [
  '<!channel> <!here> <!everyone|all> <@U0ADMIN> <#C0GENERAL|x> <!subteam^S1|@team> <!date^1^{date}|now>',
  '@everyone @here @channel',
  '```\n<!channel>\n```\n`<@U0ADMIN>` ~~~\n@everyone',
  '<https://evil.example/a|bank.example> [bank.example](https://evil.example/b) ![x](https://evil.example/p.png)',
  '[a]: https://evil.example/c\n[bank.example][a]',
  `${escape}[2J${escape}[31mred${escape}]0;title\u0007${escape}]52;c;aGFjaw==\u0007 \u009b2J \b\b\b`,
  'first line\r\nsecond line\rover\u2028line\u2029paragraph\u0085next',
  'photo\u202egnp.exe \u2066isolated\u2069 zero\u200bwidth \ud800 lone',
];

/** Threat 18: text that a chat, a terminal or a log would obey. Each is looked at as it leaves the bot. */
export const chatInjectionAttacks: readonly Attack[] = [
  {
    id: 't18-slack',
    threat: 18,
    attack:
      'mentions, masked links, ANSI, CRLF and overrides in a chart title, a table, a file name and text: inert in every call to Slack',
    alone: false,
    run: async (stage) => {
      const messages = await hostileThread(stage);
      const calls = await sentToSlack(messages);
      const found = [...new Set(alive(calls))];
      return judge(
        {
          'a reply with files was sent': calls.some(({ method }) => method === 'files.completeUploadExternal'),
          'nothing comes to life': found.length === 0,
        },
        `${calls.length} calls to Slack; alive in them: ${found.join(', ') || 'nothing'}`,
      );
    },
  },
  {
    id: 't18-slack-progress',
    threat: 18,
    attack: 'the same in step titles, notes, cards and notices: inert in Slack',
    alone: false,
    run: async () => {
      const steps = hostile.map((title) => ({ title, state: 'done' as const }));
      const messages: readonly OutgoingMessage[] = [
        { kind: 'progress', progress: { personId: 'U1', running: true, taskId: 't', steps, note: '' } },
        ...hostile.map((note): OutgoingMessage => ({
          kind: 'progress',
          progress: { personId: 'U1', running: true, taskId: 't', steps: [], note },
        })),
        { kind: 'card', text: hostile.join('\n'), file: hostile.join(' ') },
        ...hostile.map((text): OutgoingMessage => ({ kind: 'notice', text })),
        { kind: 'reply', reply: { ...emptyReply, text: 'x', notices: hostile }, files: [] },
      ];
      const calls = await sentToSlack(messages);
      const found = [...new Set(alive(calls))];
      return judge(
        {
          'all were sent': calls.length >= messages.length,
          'nothing comes to life': found.length === 0,
        },
        `${calls.length} calls to Slack; alive in them: ${found.join(', ') || 'nothing'}`,
      );
    },
  },
  {
    id: 't18-terminal',
    threat: 18,
    attack: 'the same in a terminal: no escape sequence gets through, and files are saved in their folder alone',
    alone: false,
    run: async (stage) => shownInTerminal(await hostileThread(stage)),
  },
  {
    id: 't18-log',
    threat: 18,
    attack: 'the same in log messages, fields and errors: each entry stays one line of JSON that a terminal can show',
    alone: false,
    run: () => {
      const lines: string[] = [];
      const log = createLogger('debug', (line) => lines.push(line));
      for (const text of hostile) {
        log.info({ name: text, nested: { [text]: text }, list: [text] }, text);
        log.error({ error: new Error(text) }, 'failed');
        log.child({ file: text }).warn({}, text);
      }
      const isWhole = (line: string): boolean => {
        const entry: unknown = JSON.parse(line);
        return typeof entry === 'object' && entry !== null && 'level' in entry;
      };
      return Promise.resolve(
        judge(
          {
            'each entry is one line':
              lines.length === hostile.length * 3 && lines.every((line) => line.indexOf('\n') === line.length - 1),
            'each line is JSON': lines.every(isWhole),
            'none holds what a terminal obeys': lines.every((line) => !obeyed.test(line.slice(0, -1))),
          },
          `${lines.length} entries, ${lines.length} lines of JSON`,
        ),
      );
    },
  },
  {
    id: 't18-slow-text',
    threat: 18,
    attack: 'hundreds of kilobytes of half-open links, mentions and fences: made harmless without holding up the bot',
    alone: false,
    run: async () => {
      const texts = ['[', '![', '[a](', '<https://a|', '`', '@', '[a]: ', '[x](<', '\\['].map((piece) =>
        piece.repeat(Math.ceil(40_000 / piece.length)),
      );
      const startedAt = performance.now();
      const calls = await sentToSlack([
        {
          kind: 'reply',
          reply: { ...emptyReply, text: texts.join('\n') },
          files: [],
        },
      ]);
      const seconds = (performance.now() - startedAt) / 1000;
      return judge(
        {
          'it was sent': calls.length > 0,
          'nothing comes to life': alive(calls).length === 0,
          'in time': seconds < 10,
        },
        `${calls.length} messages in ${seconds.toFixed(1)} s`,
      );
    },
  },
];

const emptyReply: Reply = { taskId: 't', outcome: 'answered', text: '', artifacts: [], notices: [], code: [] };

/** What a terminal takes for more than a character: C0 but tab and line feed, DEL, C1, and what turns text around. */
// oxlint-disable-next-line no-control-regex
const obeyed = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/;

/** Everything the bot posts about a cell that prints, draws, displays and saves all of it. */
async function hostileThread(stage: Stage): Promise<readonly OutgoingMessage[]> {
  const code = `import pandas, plotline, matplotlib.pyplot as plt
texts = ${JSON.stringify(hostile.map((text) => text.toWellFormed()))}
for text in texts: print(text)
plt.bar(['a', texts[1]], [1, 2]); plt.title(texts[0]); plt.xlabel(texts[7])
for name in ('<!channel> @everyone', 'photo\\u202egnp', '..\\\\..\\\\up', '\`code\`', '[bank.example](https:'):
    open(name + '.csv', 'w').write('a,b\\n' + name)
plotline.show(pandas.DataFrame({'n': range(3)}), title=texts[1])
pandas.DataFrame({texts[0]: texts, 'n': range(len(texts))})`;
  const model = createScriptedModel([{ calls: [pythonCall(code, hostile[0])] }, { text: hostile.join('\n\n') }]);
  await using bot = await startConversation(stage, model);
  await bot.platform.ask('thread', 'show it', [{ name: hostile.join(' '), bytes: Buffer.from('a,b\n1,2\n') }]);
  return messagesOf(bot.platform.posts);
}

async function shownInTerminal(messages: readonly OutgoingMessage[]): Promise<Verdict> {
  const parent = await mkdtemp(join(tmpdir(), 'plotline-selftest-'));
  const dir = join(parent, 'out');
  let shown = '';
  try {
    const output = new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        shown += chunk.toString();
        done();
      },
    });
    const transcript = createTranscript(dir);
    await transcript.prepare();
    const client = createTerminalClient({
      screen: createScreen(output, false),
      transcript,
      style: createStyle(false),
      features: { isTty: false, colour: false, kitty: false, iterm: false },
      onReply: () => {},
    });
    const thread = { platform: 'terminal', workspaceId: 'local', channelId: 'local', threadId: 't' };
    for (const [index, message] of messages.entries()) {
      const context = {
        postId: `p${index}`,
        alreadyPosted: [],
        isRepeat: false,
        onPosted: () => Promise.resolve(),
        signal: AbortSignal.timeout(10_000),
      };
      await client.post(thread, message, context);
    }
    const saved = await readdir(dir);
    const entries: unknown = JSON.parse(await readFile(join(dir, 'thread.json'), 'utf8'));
    return judge(
      {
        'it was shown': shown.includes('everyone'),
        'no escape sequence got through': !obeyed.test(shown),
        'files were saved': saved.length >= 5,
        'nowhere but in their folder': (await readdir(parent)).join() === 'out',
        'under harmless names': saved.every((name) => !obeyed.test(name) && !/[\\\u200b]/.test(name)),
        'the transcript is JSON': Array.isArray(entries) && entries.length === messages.length,
      },
      `${shown.length} characters shown, ${saved.length} files saved`,
    );
  } finally {
    await rm(parent, { recursive: true, force: true });
  }
}
