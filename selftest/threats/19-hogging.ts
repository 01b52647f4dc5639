import { setTimeout as sleep } from 'node:timers/promises';
import { createEngine } from '../../sandbox/engine.ts';
import { createOwnerId } from '../../sandbox/owner.ts';
import { createDockerSandbox } from '../../sandbox/provider.ts';
import { createLogger } from '../../src/log.ts';
import type { ModelRequest } from '../../src/ports/model.ts';
import { createScriptedModel, pythonCall } from '../../test/fakes/scripted-model.ts';
import type { ScriptedModel } from '../../test/fakes/scripted-model.ts';
import type { Attack } from '../attack.ts';
import { startBot, startConversation } from '../bots.ts';
import { cpuGroupOf } from '../control-group.ts';
import { judge } from '../outside.ts';

const mentions = 50;

/** Threat 19: one person, one thread or one container that wants everything. */
export const hoggingAttacks: readonly Attack[] = [
  {
    id: 't19-mentions',
    threat: 19,
    attack:
      '50 mentions in one thread, then one in another: each is answered once and in order, the other one before they are done',
    alone: false,
    run: async (stage) => {
      await using bot = await startBot(
        stage,
        answering((question) => (question.endsWith('0') ? `print('${question}')` : null)),
      );
      const asked = Array.from({ length: mentions }, (_, number) => `busy ${number}`);
      // The sandbox of the other thread is there already: what is measured is the queue, not a start.
      await bot.platform.ask('other', 'first');
      for (const text of asked) await bot.platform.say('busy', text);
      const { reply } = await bot.platform.ask('other', 'second');
      const before = bot.platform.replies('busy').length;
      while (bot.platform.replies('busy').length < mentions && !stage.signal.aborted) await sleep(50);
      const order = bot.platform.replies('busy').map(({ text }) => text);
      return judge(
        {
          'the other is answered': reply.text === 'answer to second',
          'while the many still wait': before < mentions,
          'each of the many once, in order': order.join() === asked.map((text) => `answer to ${text}`).join(),
        },
        `${before} of ${mentions} were answered when the other was; then all, in order`,
      );
    },
  },
  {
    id: 't19-endless-neighbour',
    threat: 19,
    attack: 'a thread whose cell never ends: another thread is answered meanwhile, and the first can be stopped',
    alone: false,
    run: async (stage) => {
      const model = answering((question) => (question === 'endless' ? 'while True: pass' : "print('done')"));
      await using bot = await startConversation(stage, model);
      const endless = bot.platform.ask('busy', 'endless');
      const { reply } = await bot.platform.ask('other', 'quick');
      const before = bot.platform.replies('busy').length;
      const stopped = await bot.platform.stop('busy');
      const { reply: end } = await endless;
      return judge(
        {
          'the other is answered': reply.text === 'answer to quick',
          'while the first still runs': before === 0,
          'the first is stopped': stopped === 1 && end.outcome === 'cancelled',
        },
        `answered beside the endless cell, which was then ${end.outcome}`,
      );
    },
  },
  {
    id: 't19-processor',
    threat: 19,
    attack: '16 busy processes in a sandbox of half a processor: the kernel of the machine gives them half a processor',
    alone: true,
    run: async (stage) => {
      const cpus = 0.5;
      const neighbour = await stage.shared();
      await using session = await stage.provider.acquire({ ...stage.limits, cpus }, stage.signal);
      const [process] = await stage.host.processes(session);
      if (process === undefined) throw new Error('the machine shows no process of the container');
      await stage.run(
        session,
        "import subprocess, sys\nbusy = [subprocess.Popen([sys.executable, '-S', '-c', 'while True: pass']) for _ in range(16)]",
        30_000,
      );
      const before = await cpuGroupOf(process.pid);
      const startedAt = performance.now();
      await sleep(2500);
      const answered = await stage.run(neighbour, "print('on')");
      const after = await cpuGroupOf(process.pid);
      const seconds = (performance.now() - startedAt) / 1000;
      const share = (after.usedSeconds - before.usedSeconds) / seconds;
      return judge(
        {
          'the limit is set on the machine': after.cpus === cpus,
          'they were busy': share > cpus / 10,
          // A quota is counted in periods of 100 ms, the ones at both ends may be full.
          'they got no more': share < cpus * 1.2,
          'a neighbour answers': answered.stdout === 'on\n',
        },
        `${share.toFixed(2)} processors used of ${after.cpus} allowed, over ${seconds.toFixed(1)} s`,
      );
    },
  },
  {
    id: 't19-containers',
    threat: 19,
    attack: 'four sandboxes wanted at once where two are allowed: never more than two exist, and each is given in turn',
    alone: false,
    run: async (stage) => {
      const settings = { endpoint: null, image: stage.image, runtime: stage.runtime };
      const engine = createEngine(settings);
      await using provider = createDockerSandbox({
        ...settings,
        ownerId: createOwnerId(),
        limits: stage.limits,
        poolSize: 0,
        maxContainers: 2,
        log: createLogger('silent'),
      });
      const given: { readonly number: number; readonly id: string }[] = [];
      const use = async (number: number): Promise<void> => {
        await using session = await provider.acquire(stage.limits, stage.signal);
        given.push({ number, id: session.id });
        await stage.run(session, "print('used')");
      };
      // All that the engine has are noted; which of them were these is known in the end.
      const samples: (readonly string[])[] = [];
      const over = new AbortController();
      const counting = (async () => {
        while (!over.signal.aborted) {
          samples.push((await engine.list()).map(({ id }) => id));
          await sleep(100);
        }
      })();
      try {
        await Promise.all(Array.from({ length: 4 }, (_, number) => use(number)));
      } finally {
        over.abort();
        await counting;
      }
      const ids = new Set(given.map(({ id }) => id));
      const most = Math.max(...samples.map((sample) => sample.filter((id) => ids.has(id)).length));
      return judge(
        {
          'all four were given': given.length === 4,
          // Two start at a time, and the one that waited longer may be ready a little later.
          'in the order they came': given.every(({ number }, place) => Math.abs(number - place) <= 1),
          'never more than two at once': most > 0 && most <= 2,
        },
        `at most ${most} at once, given to ${given.map(({ number }) => number).join(', ')}`,
      );
    },
  },
];

/** A model that runs one cell for a question, where there is one for it, and then answers it by name. */
function answering(codeFor: (question: string) => string | null): ScriptedModel {
  const questionOf = ({ messages }: ModelRequest): string =>
    messages.findLast(({ role }) => role === 'user')?.text.trim() ?? '';
  return createScriptedModel([], (request) => {
    const question = questionOf(request);
    const isAnswered = request.messages.at(-1)?.role === 'tool';
    const code = isAnswered ? null : codeFor(question);
    return code === null ? { text: `answer to ${question}` } : { calls: [pythonCall(code)] };
  });
}
