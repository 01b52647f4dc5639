/** The commands. With `bot.ts` the composition root: no other file knows which implementation stands behind a port. */
import { mkdtempSync, rmSync } from 'node:fs';
import { constants, hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { config as loadDotenv } from 'dotenv';
import { applicationIdOf, inviteLink } from '../adapters/discord/invite.ts';
import { createDiscordPlatform } from '../adapters/discord/platform.ts';
import { createSlackPlatform } from '../adapters/slack/slack-platform.ts';
import { demoUsage } from '../adapters/terminal/arguments.ts';
import type { DemoArguments } from '../adapters/terminal/arguments.ts';
import { createTerminalPlatform, parseDemoArguments } from '../adapters/terminal/terminal.ts';
import { createOwnerId } from '../sandbox/owner.ts';
import { createSandboxes } from '../sandbox/sandboxes.ts';
import { cardUsage, parseCardArguments } from './card-command/arguments.ts';
import type { CardArguments } from './card-command/arguments.ts';
import { auditUsage, runAuditCommand } from './audit/audit-command.ts';
import { runCardCommand } from './card-command/card-command.ts';
import { readConfig } from './config.ts';
import type { Config } from './config.ts';
import { AppError, toAppError } from './errors.ts';
import { createLogger, withoutSecrets } from './log.ts';
import type { Store } from './ports/store.ts';
import { parseStartArguments, startUsage } from './start-arguments.ts';
import type { Role } from './start-arguments.ts';
import { createBot } from './bot.ts';
import { sandboxLimits } from './bot-worker.ts';
import type { Platform, Platforms } from './bot.ts';
import { openStore } from './store/open-store.ts';
import { parseUsageArguments, usageUsage } from './usage-command/arguments.ts';
import { usageReport } from './usage-command/usage-command.ts';

/** After the grace for running tasks: what ends a process, containers and connections, takes seconds where all answer. */
const longestEndMs = 35_000;
const leftOpenMs = 3000;

async function start(config: Config, role: Role): Promise<void> {
  const log = createLogger(config.logLevel ?? 'info').child({ role, process: `${hostname()}:${process.pid}` });
  const { slack, discord, secretsKey } = config;
  const model = config.model?.model ?? 'built-in analyst';
  if (slack === null && discord === null) {
    throw new AppError(
      'config',
      'No platform is configured. Set SLACK_BOT_TOKEN and SLACK_APP_TOKEN, or DISCORD_TOKEN, in .env (the README says where they come from), ' +
        'or try it here first: npm run demo',
    );
  }
  process.on('unhandledRejection', (reason) => {
    // A bug, but one that leaves the other threads whole: whatever it belonged to is in the store.
    log.error(
      { error: reason instanceof Error ? (reason.stack ?? reason.message) : String(reason) },
      'a promise failed unheard',
    );
  });
  const signal = firstSignal();
  const cutShort = (): never => {
    log.error({}, 'the end takes too long and is cut short');
    process.exit(70);
  };
  void signal.then(() => setTimeout(cutShort, config.shutdownGraceMs + longestEndMs).unref());
  const platforms = new Map<string, Platform>();
  const platformsOf = async (store: Store): Promise<Platforms> => {
    if (slack !== null) platforms.set('slack', await createSlackPlatform(slack, { store, secretsKey, model, log }));
    if (discord !== null) platforms.set('discord', createDiscordPlatform({ ...discord, log }));
    return platforms;
  };
  await using bot = await createBot(config, platformsOf, log, { role });
  // A stop while it starts ends it in order too.
  const hasStarted = await Promise.race([bot.start().then(() => true), signal.then(() => false)]);
  if (!hasStarted) return;
  log.info({ platforms: [...platforms.keys()], model }, 'listening');
  log.info({ signal: (await signal).name }, 'stopping: running tasks may finish');
}

/** The link that lets the bot into a Discord server. */
async function printDiscordInvite({ discord }: Config): Promise<void> {
  if (discord === null) {
    throw new AppError('config', 'Set DISCORD_TOKEN in .env first (the README says where it comes from).');
  }
  const applicationId = discord.applicationId ?? (await applicationIdOf(discord.token, discord.apiUrl));
  process.stdout.write(`${inviteLink(applicationId)}\n`);
}

/** What questions took, for operators. The bot may run beside it. */
async function usage(config: Config, argv: readonly string[]): Promise<void> {
  const args = parseUsageArguments(argv);
  if (args.help) {
    process.stdout.write(`${usageUsage}\n`);
    return;
  }
  await using store = await openStore(config, createLogger(config.logLevel ?? 'silent'));
  process.stdout.write(await usageReport(args, store, Date.now()));
}

/** The conversation in the terminal. Its threads live in a folder of their own that goes with the process. */
async function demo(config: Config, args: DemoArguments): Promise<void> {
  const log = createLogger(config.logLevel ?? 'silent');
  const terminal = createTerminalPlatform({
    ...args,
    input: process.stdin,
    output: process.stdout,
    env: process.env,
  });
  const dataDir = mkdtempSync(join(tmpdir(), 'plotline-demo-'));
  process.once('exit', () => rmSync(dataDir, { recursive: true, force: true }));
  const stopped = firstSignal();
  // Its settings may be a bot's: nothing is shared, kept, served, traced or limited from here.
  const apart = {
    databaseUrl: null,
    redisUrl: null,
    blobs: null,
    auditPath: null,
    retentionMs: null,
    http: null,
    publicUrl: null,
    traces: null,
    limits: [],
  };
  const bot = await createBot({ ...config, ...apart, dataDir }, new Map([['terminal', terminal]]), log);
  try {
    await bot.start();
    const finished = terminal.finished.then((isWhole) => (isWhole ? 0 : 1));
    process.exitCode = await Promise.race([finished, stopped.then(({ number }) => 128 + number)]);
  } finally {
    await bot.close({ graceMs: 0 });
  }
}

/** The cards of files on this machine, made in one sandbox. Nothing is kept. */
async function card(config: Config, args: CardArguments): Promise<void> {
  const log = createLogger(config.logLevel ?? 'silent');
  const { sandbox } = config;
  const stop = new AbortController();
  const stopWith = (exitCode: number): void => {
    process.exitCode = exitCode;
    stop.abort(new AppError('cancelled', 'Stopped.'));
  };
  void firstSignal().then(({ number }) => stopWith(128 + number));
  // Whoever read the cards is gone (`| head`).
  process.stdout.on('error', () => stopWith(1));
  const limits = sandboxLimits(sandbox);
  await using provider = createSandboxes({
    endpoints: sandbox.hosts,
    image: sandbox.image,
    runtime: sandbox.runtime,
    ownerId: createOwnerId(),
    limits,
    poolSize: 0,
    maxContainers: 1,
    log,
  });
  try {
    process.exitCode = await runCardCommand({
      args,
      output: process.stdout,
      usualLimits: limits,
      cellTimeoutMs: sandbox.cellTimeoutMs,
      signal: stop.signal,
      acquire: (needed) => provider.acquire(needed, stop.signal),
    });
  } catch (error) {
    if (!stop.signal.aborted) throw error;
  }
}

/** The first SIGINT or SIGTERM asks for an orderly end; the next one ends the process at once, as shells count its exit code. */
async function firstSignal(): Promise<{ readonly name: string; readonly number: number }> {
  const { promise, resolve } = Promise.withResolvers<{ readonly name: string; readonly number: number }>();
  let isFirst = true;
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.on(name, () => {
      const number = constants.signals[name];
      if (!isFirst) process.exit(128 + number);
      isFirst = false;
      resolve({ name, number });
    });
  }
  return promise;
}

async function main([command, ...argv]: readonly string[]): Promise<void> {
  loadDotenv({ quiet: true });
  switch (command ?? '') {
    case 'start': {
      process.exitCode = await exitCodeOf(async () => {
        const args = parseStartArguments(argv);
        if (args.help) process.stdout.write(`${startUsage}\n`);
        else await start(readConfig(process.env, args.role), args.role);
      });
      // A connection that is still open is nobody's any more, and must not keep whoever waits for the end.
      setTimeout(() => process.exit(), leftOpenMs).unref();
      return;
    }
    case 'demo': {
      const args = parseDemoArguments(argv);
      if (args.help) {
        process.stdout.write(`${demoUsage}\n`);
        return;
      }
      return demo(readConfig(process.env), args);
    }
    case 'card': {
      const args = parseCardArguments(argv);
      if (args.help) {
        process.stdout.write(`${cardUsage}\n`);
        return;
      }
      return card(readConfig(process.env), args);
    }
    case 'usage':
      return usage(readConfig(process.env), argv);
    case 'audit': {
      const print = (line: string): boolean => process.stdout.write(`${line}\n`);
      if (argv.includes('--help')) print(auditUsage);
      else if (argv.length === 0) throw new AppError('config', auditUsage);
      else process.exitCode = await runAuditCommand(argv, print);
      return;
    }
    case 'discord:invite':
      return printDiscordInvite(readConfig(process.env));
    default:
      throw new AppError(
        'config',
        `There is no command “${command ?? ''}”. Known: start, demo, card, usage, audit, discord:invite.`,
      );
  }
}

/** For a supervisor: 78 is not worth a restart, the others are (sysexits.h). */
async function exitCodeOf(work: () => Promise<void>): Promise<number> {
  try {
    await work();
    return 0;
  } catch (error) {
    const failure = sayFailure(error);
    if (failure.code === 'config') return 78;
    return isFault(failure) ? 70 : 69;
  }
}

function sayFailure(error: unknown): AppError {
  const failure = toAppError(error);
  const say = (text: string): boolean => process.stderr.write(`${withoutSecrets(text)}\n`);
  // What is said of settings holds no value, but shows their form: `user:password@`.
  if (failure.code === 'config') process.stderr.write(`${failure.userMessage}\n`);
  else say(failure.userMessage);
  if (isFault(failure)) {
    say(String(failure.cause instanceof Error ? failure.cause.stack : failure.cause));
  }
  return failure;
}

/** Of our own; what is retryable waits for a service that does not answer. */
function isFault({ code, retryable }: AppError): boolean {
  return code === 'internal' && !retryable;
}

if (import.meta.main) {
  main(process.argv.slice(2)).catch((error: unknown) => {
    sayFailure(error);
    process.exitCode = 1;
  });
}
