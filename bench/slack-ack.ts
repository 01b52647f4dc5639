import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { createSlackGateway } from '../adapters/slack/gateway.ts';
import { createLogger } from '../src/log.ts';
import { createSqliteStore } from '../src/store/sqlite-store.ts';
import { postSigned } from '../test/fakes/slack-post.ts';
import { figure, quantile } from './figures.ts';
import type { Figure } from './figures.ts';
import { hearingOnly, silentClient } from './heard-questions.ts';

const mentions = 100;
const withinMs = 1000;
const secret = 'a signing secret';

/**
 * A hundred mentions in one second over signed HTTP, each as both of its events, to the real gateway, whose tasks are written to a
 * SQLite file before they are acknowledged. Beside it, a server that answers the same posts without looking at them.
 */
export async function slackAck(): Promise<readonly Figure[]> {
  const log = createLogger('silent');
  const folder = mkdtempSync(join(tmpdir(), 'plotline-bench-'));
  await using store = await createSqliteStore({ path: join(folder, 'plotline.db'), log });
  await using hearing = hearingOnly(store, silentClient);
  const port = await freePort();
  const gateway = createSlackGateway({
    transport: { kind: 'http', signingSecret: secret, port },
    workspaces: { open: () => Promise.reject(new Error('Slack was asked')) },
    client: silentClient,
    singleTeam: false,
    followUps: 'mention',
    model: 'none',
    apiUrl: 'http://127.0.0.1:9/api/',
    log,
  });
  const plain = createServer((request, response) => {
    request.resume().on('end', () => response.writeHead(200).end());
  });
  try {
    await gateway.start(hearing.handlers);
    await new Promise<void>((resolve) => plain.listen(0, '127.0.0.1', resolve));
    const besideSamples = await burst(`http://127.0.0.1:${(plain.address() as AddressInfo).port}/`);
    const samples = await burst(`http://127.0.0.1:${port}/slack/events`);
    process.stderr.write(`acknowledged: p50 ${round(samples, 0.5)} ms, p99 ${round(samples, 0.99)} ms\n`);
    return [
      figure({
        name: 'acknowledging one of 100 mentions in a second, stored',
        unit: 'ms',
        samples,
        besideName: 'a server that only says 200',
        besideSamples,
        // Slack waits for 3 s.
        targets: [{ of: 'p99', atMost: 200 }],
      }),
    ];
  } finally {
    plain.close();
    await gateway.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Milliseconds from each post to its answer. Rejects where one of them is no acknowledgement. */
async function burst(url: string): Promise<readonly number[]> {
  const posts = Array.from({ length: mentions }, (_, index) =>
    eventsOf(`17000${String(index).padStart(5, '0')}.000100`),
  );
  const taken = posts.flatMap((events, index) =>
    events.map(async (text) => {
      await delay((index * withinMs) / mentions);
      const startedAt = performance.now();
      const status = await postSigned(url, text, { secret });
      if (status !== 200) throw new Error(`an event was answered with ${status}`);
      return performance.now() - startedAt;
    }),
  );
  return await Promise.all(taken);
}

function eventsOf(ts: string): readonly string[] {
  const event = { user: 'U1', channel: 'C1', ts, text: '<@UBOT> totals by month' };
  const file = {
    id: `F${ts}`,
    name: 'a.csv',
    mimetype: 'text/csv',
    size: 9,
    url_private_download: 'https://files.slack.com/a',
  };
  const authorizations = [{ team_id: 'T1', user_id: 'UBOT', is_bot: true }];
  const envelope = { type: 'event_callback', team_id: 'T1', authorizations };
  return [
    { ...event, type: 'message', subtype: 'file_share', channel_type: 'channel', files: [file] },
    { ...event, type: 'app_mention' },
  ].map((one, index) => JSON.stringify({ ...envelope, event_id: `Ev${ts}${index}`, event: one }));
}

function round(samples: readonly number[], share: number): number {
  return Math.round(quantile(samples, share) * 10) / 10;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
