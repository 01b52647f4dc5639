/**
 * Every npm script ends here: `node scripts/run.mjs NAME [arguments]`, on Node 20 or later without any npm package.
 * First the set-up, each step only when it is needed; then the command itself under Node 24.
 */
import { botImage, provideBotImage } from './setup/bot-image.mjs';
import { standardSocket } from './setup/engine-endpoint.mjs';
import { readMachine } from './setup/machine.mjs';
import { SetupProblem } from './setup/problem.mjs';
import { say } from './setup/say.mjs';
import { setUp } from './setup/set-up.mjs';
import { slackManifest } from './slack-manifest.mjs';
import { runForeground } from './stages/foreground.mjs';
import { runStages } from './stages/stages.mjs';

const plainNode = ['--disable-warning=ExperimentalWarning'];

/**
 * @param {string} name
 * @param {string[]} args
 * @returns {Promise<number>} the exit code
 */
async function main(name, args) {
  switch (name) {
    case 'setup': {
      await setUp(readMachine(), { engine: true, browser: true, services: true, isAsked: true, isBot: true });
      say('everything is in place');
      return 0;
    }
    case 'image': {
      const machine = readMachine();
      const { env } = await setUp(machine, { engine: true, browser: false });
      await provideBotImage(machine, env.DOCKER_HOST || standardSocket, botImage);
      return 0;
    }
    case 'demo':
    case 'card':
    case 'start': {
      const ready = await setUp(readMachine(), { engine: runsCode(args), browser: false, isBot: true });
      return runForeground(ready.node, [...plainNode, 'src/main.ts', name, ...args], ready.env);
    }
    case 'usage':
    case 'audit':
    case 'discord:invite': {
      const ready = await setUp(readMachine(), { engine: false, browser: false, isBot: true });
      return runForeground(ready.node, [...plainNode, 'src/main.ts', name, ...args], ready.env);
    }
    case 'bench': {
      const ready = await setUp(readMachine(), { engine: true, browser: false, services: true });
      return runForeground(ready.node, [...plainNode, 'bench/main.ts', ...args], ready.env);
    }
    case 'selftest': {
      const ready = await setUp(readMachine(), { engine: true, browser: false });
      return runForeground(ready.node, [...plainNode, 'selftest/main.ts', ...args], ready.env);
    }
    case 'test': {
      const ready = await setUp(readMachine(), { engine: true, browser: true, services: true });
      return (
        (await runStages(ready)) ||
        runForeground(ready.node, ['node_modules/vitest/vitest.mjs', 'run', ...args], ready.env)
      );
    }
    case 'check':
      return runStages(await setUp(readMachine(), { engine: false, browser: false }));
    case 'format': {
      const ready = await setUp(readMachine(), { engine: false, browser: false });
      return runForeground(ready.node, ['node_modules/oxfmt/bin/oxfmt', ...args], ready.env);
    }
    case 'slack-manifest':
      // To be pasted into Slack's page: it needs nothing that would have to be set up.
      process.stdout.write(slackManifest(args));
      return 0;
    default:
      say(
        `there is no command "${name}". There are: setup, image, demo, card, start, usage, audit, discord:invite, slack-manifest, bench, selftest, test, check, format.`,
      );
      return 2;
  }
}

/**
 * A gateway runs no code, so its machine needs no Docker. No other command knows the role.
 *
 * @param {string[]} args
 */
function runsCode(args) {
  return !/(^| )--role[ =]gateway( |$)/.test(args.join(' '));
}

try {
  process.exitCode = await main(process.argv[2] ?? '', process.argv.slice(3));
} catch (problem) {
  if (!(problem instanceof SetupProblem)) throw problem;
  process.stderr.write(`\n${problem.message}\n`);
  process.exitCode = 1;
}
