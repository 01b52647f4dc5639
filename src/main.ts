/** The composition root: the only file that knows which implementation stands behind each port. */
import { mkdtempSync, rmSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
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
import { instructions } from './agent/prompt.ts';
import { createDelivery } from './answer/deliver.ts';
import { createDirectoryBlobs } from './blobs/directory-blobs.ts';
import { cardUsage, parseCardArguments } from './card-command/arguments.ts';
import type { CardArguments } from './card-command/arguments.ts';
import { runCardCommand } from './card-command/card-command.ts';
import { readConfig } from './config.ts';
import type { Config, SandboxConfig } from './config.ts';
import { createConversation } from './conversation/conversation.ts';
import packageFile from '../package.json' with { type: 'json' };
import { createSessions } from './conversation/sessions.ts';
import { createWorker } from './conversation/worker.ts';
import { AppError, toAppError } from './errors.ts';
import { createLogger } from './log.ts';
import type { Logger } from './log.ts';
import { createAnalyst } from './models/analyst/analyst.ts';
import { createChatModel } from './models/openai-chat.ts';
import { createResponsesModel } from './models/openai-responses.ts';
import type { GatewayHandlers, Model, PlatformClient, PlatformGateway, SandboxLimits, Store } from './ports.ts';
import { createInProcessDispatcher } from './queue/in-process-dispatcher.ts';
import { createSecretBox } from './store/secret-box.ts';
import { createSqliteStore } from './store/sqlite-store.ts';
import type { ThreadKey } from './types.ts';

const megabyte = 1024 * 1024;

/** Bytes of one file, and of all files of one cell, that leave the sandbox; chat platforms take no more than a few of these. */
const collectLimits = { fileBytes: 100 * megabyte, filesBytes: 250 * megabyte };

/** How long running tasks may go on after a stop signal; past it they are left to the next start. */
const shutdownGraceMs = 20_000;

/** Long enough for the next question of somebody who is at it, short enough that a thread a cell left running costs little. */
const suspendAfterMs = 10_000;

const sweepIntervalMs = 60_000;
const deliveryTimeoutMs = 120_000;

export interface Platform {
  readonly gateway: PlatformGateway;
  readonly client: PlatformClient;
}

export interface Bot extends AsyncDisposable {
  readonly handlers: GatewayHandlers;
  /** Checks the sandbox, takes up unfinished tasks, opens the gateways. A missing Docker is logged, not fatal: tasks say it. */
  start(): Promise<void>;
  /** Stops hearing, lets running tasks go on for the grace, ends them, removes the containers. Disposing closes with 20 s. */
  close(options: { readonly graceMs: number }): Promise<void>;
}

/** By their names. */
type Platforms = ReadonlyMap<string, Platform>;

/**
 * Wires one process that hears, answers and keeps everything. Platforms that keep something themselves (tokens) are made with the
 * bot's store. `model` is for tests and benchmarks; else the settings decide.
 */
export async function createBot(
  config: Config,
  platformsOf: Platforms | ((store: Store) => Promise<Platforms>),
  log: Logger,
  model: Model = createModel(config, log),
): Promise<Bot> {
  const { sandbox } = config;
  const limits = sandboxLimits(sandbox);
  const store = await createSqliteStore({
    path: join(config.dataDir, 'plotline.sqlite'),
    box: config.secretsKey === null ? null : createSecretBox(config.secretsKey),
    log,
  });
  const platforms = typeof platformsOf === 'function' ? await madeWith(store, platformsOf) : platformsOf;
  const blobs = createDirectoryBlobs({ dir: join(config.dataDir, 'blobs') });
  const provider = createSandboxes({
    endpoints: sandbox.hosts,
    image: sandbox.image,
    runtime: sandbox.runtime,
    ownerId: createOwnerId(),
    limits,
    poolSize: sandbox.poolSize,
    maxContainers: sandbox.maxContainers,
    log,
  });
  const sessions = createSessions({
    provider,
    store,
    blobs,
    limits,
    cellTimeoutMs: sandbox.cellTimeoutMs,
    suspendAfterMs,
    idleMs: sandbox.idleMs,
    // Idle threads give way before the pool does: a new thread then finds a warm container, not a free place.
    maxSessions: Math.max(1, sandbox.hosts.length) * Math.max(1, sandbox.maxContainers - sandbox.poolSize),
    log,
  });
  const clientOf = ({ platform }: { readonly platform: string }): PlatformClient => {
    const found = platforms.get(platform);
    if (found === undefined) throw new AppError('config', `The platform ${platform} is not configured any more.`);
    return found.client;
  };
  const dispatcher = createInProcessDispatcher({ log });
  const delivery = createDelivery({ store, blobs, clientOf, timeoutMs: deliveryTimeoutMs, log });
  const handlers = createConversation({
    store,
    blobs,
    dispatcher,
    delivery,
    clientOf,
    endSession: (threadKey) => sessions.drop(threadKey),
    log,
  });
  const worker = createWorker({
    store,
    blobs,
    sessions,
    delivery,
    clientOf,
    model,
    instructions: instructions({
      cellTimeoutMs: sandbox.cellTimeoutMs,
      memoryBytes: sandbox.memoryBytes,
      workspaceBytes: sandbox.workspaceBytes,
      fileBytes: collectLimits.fileBytes,
      maxSteps: config.agent.maxSteps,
    }),
    limits: config.agent,
    cellTimeoutMs: sandbox.cellTimeoutMs,
    attachmentBytes: config.attachmentBytes,
    collect: collectLimits,
    about: { version: packageFile.version, imageName: sandbox.image },
    log,
  });
  const sweep = (): void => {
    provider.sweep().catch((error: unknown) => log.warn({ error: String(error) }, 'sweep failed'));
  };
  const sweepTimer = setInterval(sweep, sweepIntervalMs).unref();
  const close: Bot['close'] = async ({ graceMs }) => {
    clearInterval(sweepTimer);
    await Promise.allSettled([...platforms.values()].map(({ gateway }) => gateway.stop()));
    await dispatcher.close({ graceMs });
    await sessions[Symbol.asyncDispose]();
    await provider[Symbol.asyncDispose]();
    await store[Symbol.asyncDispose]();
  };

  return {
    handlers,
    start: async () => {
      await provider
        .warm()
        .catch((error: unknown) => log.error({ error: toAppError(error).message }, 'the sandbox is not ready'));
      sweep();
      dispatcher.process(worker, { concurrency: config.concurrency });
      for (const threadKey of await store.unfinishedThreads()) {
        // Tasks of a platform that is not configured now wait until it is again.
        if (platforms.has(platformOf(threadKey))) await dispatcher.wake(threadKey);
      }
      await Promise.all([...platforms.values()].map(({ gateway }) => gateway.start(handlers)));
    },
    close,
    [Symbol.asyncDispose]: () => close({ graceMs: shutdownGraceMs }),
  };
}

async function madeWith(store: Store, platformsOf: (store: Store) => Promise<Platforms>): Promise<Platforms> {
  try {
    return await platformsOf(store);
  } catch (error) {
    await store[Symbol.asyncDispose]();
    throw error;
  }
}

function sandboxLimits({ memoryBytes, workspaceBytes, cpus, processes }: SandboxConfig): SandboxLimits {
  return { memoryBytes, workspaceBytes, cpus, processes };
}

function createModel(config: Config, log: Logger): Model {
  if (config.model === null) return createAnalyst();
  return config.model.api === 'responses'
    ? createResponsesModel(config.model, log)
    : createChatModel(config.model, log);
}

async function start(config: Config): Promise<void> {
  const log = createLogger(config.logLevel ?? 'info');
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
  const platforms = new Map<string, Platform>();
  const platformsOf = async (store: Store): Promise<Platforms> => {
    if (slack !== null) platforms.set('slack', await createSlackPlatform(slack, { store, secretsKey, model, log }));
    if (discord !== null) platforms.set('discord', createDiscordPlatform({ ...discord, log }));
    return platforms;
  };
  await using bot = await createBot(config, platformsOf, log);
  await bot.start();
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
  const bot = await createBot({ ...config, dataDir }, new Map([['terminal', terminal]]), log);
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
    case 'start':
      return start(readConfig(process.env));
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
    case 'discord:invite':
      return printDiscordInvite(readConfig(process.env));
    default:
      throw new AppError('config', `There is no command “${command ?? ''}”. Known: start, demo, card, discord:invite.`);
  }
}

/** A thread key begins with its platform. */
function platformOf(threadKey: ThreadKey): string {
  return decodeURIComponent(threadKey.split('/')[0] ?? '');
}

if (import.meta.main) {
  main(process.argv.slice(2)).catch((error: unknown) => {
    const failure = toAppError(error);
    process.stderr.write(`${failure.userMessage}\n`);
    if (failure.code === 'internal')
      process.stderr.write(`${String(failure.cause instanceof Error ? failure.cause.stack : failure.cause)}\n`);
    process.exitCode = 1;
  });
}
