import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { postSigned } from './slack-post.ts';
import { freePort } from './free-port.ts';

/** A message as local-slack keeps it. */
export interface SlackRecord {
  readonly ts: string;
  readonly thread_ts?: string;
  readonly user?: string;
  readonly bot_id?: string;
  readonly text?: string;
  readonly subtype?: string;
  readonly blocks?: readonly {
    readonly type: string;
    readonly text?: unknown;
    readonly block_id?: string;
    readonly elements?: readonly SlackButton[];
    readonly slack_file?: { readonly id: string };
    readonly alt_text?: string;
  }[];
  readonly files?: readonly SlackFileRecord[];
  readonly edited?: object;
  /** Only this person sees it. */
  readonly ephemeral_to?: string;
}

interface SlackButton {
  readonly action_id?: string;
  readonly value?: string;
}

export interface SlackFileRecord {
  readonly id: string;
  readonly name: string;
  readonly title: string;
  readonly mimetype: string;
  readonly size: number;
  readonly url_private_download: string;
}

export interface UploadFile {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly mimeType: string;
}

/** One workspace with one bot, one person, a channel and a direct message, on this machine's loopback. */
export interface LocalSlack extends AsyncDisposable {
  readonly apiUrl: string;
  readonly botToken: string;
  readonly appToken: string;
  readonly teamId: string;
  readonly botUserId: string;
  readonly signingSecret: string;
  /** Where events are posted in HTTP mode: the gateway listens on it. */
  readonly eventsPort: number;
  readonly personId: string;
  readonly channelId: string;
  readonly directId: string;
  /** Posts as the person. Resolves to the message's `ts`, once the bot has acknowledged the events or 5 s have passed. */
  say(message: { readonly text: string; readonly threadTs?: string; readonly channelId?: string }): Promise<string>;
  /** Uploads as the person, in one message. */
  upload(message: {
    readonly text: string;
    readonly files: readonly UploadFile[];
    readonly threadTs?: string;
    readonly channelId?: string;
  }): Promise<string>;
  edit(ts: string, text: string): Promise<void>;
  remove(ts: string): Promise<void>;
  /** Presses the message's button with this action id, as the person. */
  press(ts: string, actionId: string): Promise<void>;
  /** A slash command of the person, in the channel. */
  command(command: string, text: string): Promise<void>;
  openHome(): Promise<void>;
  /** The view that the bot published in the person's Home tab, as JSON text; `null` before that. */
  home(): Promise<string | null>;
  /** Posts what it has no control for, signed as Slack does: an event or an interactive payload. Resolves to the status. */
  feed(body: object, options?: { readonly interactive?: boolean }): Promise<number>;
  messages(channelId?: string): Promise<readonly SlackRecord[]>;
  /** The thread's messages, its root first. */
  thread(rootTs: string, channelId?: string): Promise<readonly SlackRecord[]>;
  fileBytes(file: SlackFileRecord): Promise<Uint8Array>;
  /** As the bot sees it, also where it is in no channel. */
  fileById(fileId: string): Promise<SlackFileRecord>;
  /** Web API methods that were called, oldest first, with their arguments. */
  calls(): Promise<readonly { readonly method: string; readonly args: Readonly<Record<string, unknown>> }[]>;
  reset(): Promise<void>;
  /** Cuts every connection to it, the bot's socket too. False where it runs without the forwarder that could. */
  cut(): boolean;
}

const workspace = {
  teamId: 'T01TEST',
  botUserId: 'U0BOT',
  botToken: 'xoxb-test-token',
  appToken: 'xapp-test-token',
  signingSecret: 'test-signing-secret',
  personId: 'U0ADA',
  channelId: 'C0SALES',
  directId: 'D0ADA',
} as const;

const startTimeoutMs = 20_000;

/** Runs a command in a new network namespace; as another user than root in a new user namespace as well. */
const ownNetwork = { program: 'unshare', options: ['-rn'] } as const;

/** The program of the npm package; `null` on machines it is not made for. */
export function localSlackProgram(): string | null {
  try {
    const folder = createRequire(import.meta.url).resolve('local-slack-linux-x64/package.json');
    const program = join(folder, '..', 'bin', 'local-slack');
    return existsSync(program) ? program : null;
  } catch {
    return null;
  }
}

/**
 * Starts the fake. It listens on all interfaces and has no option for that, so it runs in a network namespace of its own
 * where the machine allows it. What it does not have: limits, scopes, redelivery, `metadata`, `oldest`/`latest`, assistant methods.
 */
export async function startLocalSlack(mode: 'socket' | 'http' = 'socket'): Promise<LocalSlack> {
  const program = localSlackProgram();
  if (program === null) throw new Error('local-slack is not installed: it exists for Linux on x64 only');
  const folder = await mkdtemp(join(tmpdir(), 'plotline-slack-'));
  const config = join(folder, 'workspace.json');
  const eventsPort = await freePort();
  await writeFile(config, JSON.stringify(workspaceConfig(mode, eventsPort)));

  const isolated = canIsolate();
  const backPath = join(folder, 'events.sock');
  const back = isolated && mode === 'http' ? await serveAt(backPath, eventsPort) : null;
  const socketPath = join(folder, 'slack.sock');
  const forwarder = isolated ? await forwardTo(socketPath) : null;
  const port = forwarder?.port ?? (await freePort());
  const command = [program, '--config', config, '--port', String(port), '--base-host', '127.0.0.1'];
  const child = isolated
    ? startIsolated(socketPath, port, back === null ? '-' : `${eventsPort}=${backPath}`, command)
    : startPlain(command);

  const base = `http://127.0.0.1:${port}`;
  const stop = async (): Promise<void> => {
    forwarder?.close();
    back?.close();
    const exited = child.exitCode === null ? new Promise((resolve) => child.once('exit', resolve)) : null;
    child.stdin?.end();
    child.kill('SIGTERM');
    await exited;
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await untilReady(base, child);
  } catch (error) {
    await stop();
    throw error;
  }
  const cut = (): boolean => {
    forwarder?.cut();
    return forwarder !== null;
  };
  return {
    ...workspace,
    cut,
    eventsPort,
    apiUrl: `${base}/api/`,
    ...createControls(base, eventsPort),
    [Symbol.asyncDispose]: stop,
  };
}

function workspaceConfig(mode: 'socket' | 'http', eventsPort: number): object {
  const members = [workspace.botUserId, workspace.personId];
  return {
    workspace: { name: 'Test', domain: 'test', teamId: workspace.teamId },
    apps: [
      {
        appId: 'A0PLOTLINE',
        botUserId: workspace.botUserId,
        botName: 'plotline',
        botToken: workspace.botToken,
        appToken: workspace.appToken,
        signingSecret: workspace.signingSecret,
        mode: mode === 'socket' ? 'socket' : 'events',
        requestUrl: `http://127.0.0.1:${eventsPort}/slack/events`,
      },
    ],
    users: [{ id: workspace.personId, name: 'ada', real_name: 'Ada Lovelace' }],
    channels: [
      { id: workspace.channelId, name: 'sales', members },
      { id: workspace.directId, name: 'dm-ada', is_channel: false, is_private: true, is_im: true, members },
    ],
  };
}

function createControls(base: string, eventsPort: number) {
  const control = async (path: string, body: FormData | object): Promise<{ message?: SlackRecord }> => {
    const isForm = body instanceof FormData;
    const response = await fetch(`${base}/_control/${path}`, {
      method: 'POST',
      body: isForm ? body : JSON.stringify(body),
      ...(isForm ? {} : { headers: { 'content-type': 'application/json' } }),
    });
    const answer = (await response.json()) as { ok: boolean; error?: string; message?: SlackRecord };
    if (!answer.ok) throw new Error(`local-slack: ${path}: ${answer.error}`);
    return answer;
  };

  const messages: LocalSlack['messages'] = async (channelId = workspace.channelId) => {
    const response = await fetch(`${base}/_control/messages/${channelId}`);
    return ((await response.json()) as { messages: SlackRecord[] }).messages;
  };

  const calls: LocalSlack['calls'] = async () => {
    const { log } = (await (await fetch(`${base}/_control/log`)).json()) as {
      log: { kind: string; direction: string; summary: string; detail?: Record<string, unknown> }[];
    };
    return log
      .filter(({ kind, direction }) => kind === 'web_api' && direction === 'from_bot')
      .map(({ summary, detail }) => ({ method: summary, args: detail ?? {} }));
  };

  return {
    messages,
    say: async ({ text, threadTs, channelId = workspace.channelId }) => {
      const body = { channel: channelId, user: workspace.personId, text, thread_ts: threadTs };
      return (await control('message', body)).message?.ts ?? '';
    },
    upload: async ({ text, files, threadTs, channelId = workspace.channelId }) => {
      const form = new FormData();
      form.set('channel', channelId);
      form.set('user', workspace.personId);
      form.set('text', text);
      if (threadTs !== undefined) form.set('thread_ts', threadTs);
      for (const { name, bytes, mimeType } of files) {
        form.append('file', new Blob([new Uint8Array(bytes)], { type: mimeType }), name);
      }
      return (await control('upload', form)).message?.ts ?? '';
    },
    edit: async (ts, text) => {
      await control('edit-message', { channel: workspace.channelId, user: workspace.personId, ts, text });
    },
    remove: async (ts) => {
      await control('delete-message', { channel: workspace.channelId, user: workspace.personId, ts });
    },
    command: async (command, text) => {
      await control('command', { channel: workspace.channelId, user: workspace.personId, command, text });
    },
    openHome: async () => {
      await control('open-home', { user: workspace.personId });
    },
    home: async () => {
      const published = (await calls()).findLast(({ method }) => method === 'views.publish');
      return published === undefined ? null : JSON.stringify(published.args['view']);
    },
    feed: (body, { interactive = false } = {}) => {
      const text = interactive
        ? new URLSearchParams({ payload: JSON.stringify(body) }).toString()
        : JSON.stringify(body);
      const options = { secret: workspace.signingSecret, isForm: interactive };
      return postSigned(`http://127.0.0.1:${eventsPort}/slack/events`, text, options);
    },
    press: async (ts, actionId) => {
      const message = (await messages()).find((found) => found.ts === ts);
      const buttons = (message?.blocks ?? []).flatMap(({ elements = [] }) => elements);
      const button = buttons.find(({ action_id }) => action_id === actionId);
      if (button === undefined) throw new Error(`local-slack: the message ${ts} has no button ${actionId}`);
      const action = { action_id: actionId, block_id: 'b', type: 'button', value: button.value };
      await control('interact', { channel: workspace.channelId, messageTs: ts, user: workspace.personId, action });
    },
    thread: async (rootTs, channelId) =>
      (await messages(channelId)).filter(({ ts, thread_ts }) => ts === rootTs || thread_ts === rootTs),
    fileBytes: async ({ url_private_download }) => {
      const headers = { authorization: `Bearer ${workspace.botToken}` };
      return new Uint8Array(await (await fetch(url_private_download, { headers })).arrayBuffer());
    },
    fileById: async (fileId) => {
      const headers = { authorization: `Bearer ${workspace.botToken}` };
      const answer = (await (await fetch(`${base}/api/files.info?file=${fileId}`, { headers })).json()) as {
        file?: SlackFileRecord;
        error?: string;
      };
      if (answer.file === undefined) throw new Error(`local-slack: ${fileId}: ${answer.error}`);
      return answer.file;
    },
    calls,
    reset: async () => {
      await control('reset', {});
    },
  } satisfies Partial<LocalSlack>;
}

function canIsolate(): boolean {
  return (
    spawnSync(ownNetwork.program, [...ownNetwork.options, 'ip', 'link', 'set', 'lo', 'up'], { stdio: 'ignore' })
      .status === 0
  );
}

function startIsolated(socketPath: string, port: number, back: string, command: readonly string[]): ChildProcess {
  const bridge = fileURLToPath(new URL('loopback-bridge.ts', import.meta.url));
  const inside = [process.execPath, bridge, socketPath, String(port), back, ...command];
  const script = 'ip link set lo up && exec "$@"';
  return spawn(ownNetwork.program, [...ownNetwork.options, 'sh', '-c', script, 'sh', ...inside], {
    stdio: ['pipe', 'ignore', 'inherit'],
  });
}

function startPlain(command: readonly string[]): ChildProcess {
  process.stderr.write('local-slack runs without a network namespace: it listens on all interfaces for this test\n');
  const [program = '', ...rest] = command;
  return spawn(program, rest, { stdio: ['pipe', 'ignore', 'inherit'] });
}

/** A port of the loopback interface whose connections go to the Unix socket. */
async function forwardTo(socketPath: string): Promise<{ readonly port: number; cut(): void; close(): void }> {
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const bridge = connect(socketPath);
    client.pipe(bridge).pipe(client);
    bridge.on('error', () => client.destroy());
    client.on('error', () => bridge.destroy());
    sockets.add(client).add(bridge);
    client.on('close', () => sockets.delete(client));
    bridge.on('close', () => sockets.delete(bridge));
  });
  const port = await listen(server);
  const cut = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    port,
    cut,
    close: () => {
      cut();
      server.close();
    },
  };
}

/** A Unix socket whose connections go to a port of the loopback interface. */
async function serveAt(socketPath: string, port: number): Promise<Server> {
  const server = createServer((near) => {
    const far = connect(port, '127.0.0.1');
    near.pipe(far).pipe(near);
    far.on('error', () => near.destroy());
    near.on('error', () => far.destroy());
  });
  await new Promise<void>((resolve) => server.listen(socketPath, resolve));
  return server;
}

function listen(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });
}

async function untilReady(base: string, child: ChildProcess): Promise<void> {
  const deadline = Date.now() + startTimeoutMs;
  while (Date.now() < deadline) {
    if (child.exitCode !== null) throw new Error(`local-slack ended with ${child.exitCode}`);
    try {
      if ((await fetch(`${base}/_control/state`)).ok) return;
    } catch {
      // Not listening yet.
    }
    await delay(50);
  }
  throw new Error(`local-slack did not answer within ${startTimeoutMs / 1000} s`);
}
