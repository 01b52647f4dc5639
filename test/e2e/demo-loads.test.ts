import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, it } from 'vitest';
import { freePort } from '../fakes/free-port.ts';
import { startOtlpReceiver } from '../fakes/otlp-receiver.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'plotline-loads-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Writes down every file that is loaded, CommonJS and modules alike. */
const hook = `data:text/javascript,${encodeURIComponent(`
  import { appendFileSync } from 'node:fs';
  import { registerHooks } from 'node:module';
  registerHooks({ load(url, context, next) { appendFileSync(process.env.LOADED, url + '\\n'); return next(url, context); } });
`)}`;

/** Files that the command loaded. */
async function loadedBy(args: readonly string[], env: Readonly<Record<string, string>>): Promise<readonly string[]> {
  const list = join(folder, `${args[0]}.txt`);
  await new Promise<void>((resolve, reject) => {
    const flags = ['--disable-warning=ExperimentalWarning', '--import', hook, 'src/main.ts', ...args];
    const options = { cwd: root, env: { ...process.env, ...env, LOADED: list, OPENAI_API_KEY: '' }, timeout: 60_000 };
    execFile(process.execPath, flags, options, (error) => (error === null ? resolve() : reject(error)));
  });
  return readFileSync(list, 'utf8').split('\n');
}

const forOperators =
  /\/node_modules\/(prom-client|@opentelemetry|hono|@hono)\/|\/src\/web\/|\/src\/observe\/(metrics|otlp-tracer)\.ts/;

it('a conversation in the terminal serves nothing, traces nothing, limits nothing, and loads nothing for it, whatever the settings say', async () => {
  await using collector = await startOtlpReceiver();
  const env = {
    HTTP_PORT: String(await freePort()),
    PUBLIC_URL: 'https://bot.example',
    SECRETS_KEY: '0'.repeat(64),
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint,
    LIMIT_PERSON_TASKS_PER_DAY: '1',
    REDIS_URL: `redis://127.0.0.1:${await freePort()}`,
    DATABASE_URL: `postgres://127.0.0.1:${await freePort()}/nowhere`,
  };
  const out = join(folder, 'out');
  const loaded = await loadedBy(['demo', '--ask', 'hello', '--ask', 'hello again', '--out', out], env);
  expect(loaded.filter((url) => url.endsWith('/src/bot.ts'))).toHaveLength(1);
  expect(loaded.length).toBeGreaterThan(200);
  expect(loaded.filter((url) => forOperators.test(url))).toEqual([]);
  expect(collector.bodies).toEqual([]);
  expect(readFileSync(join(out, 'thread.json'), 'utf8')).not.toContain('in the last 24 hours');
}, 90_000);

it('nor do the cards of files', async () => {
  const loaded = await loadedBy(['card', '--help'], { HTTP_PORT: '1' });
  expect(loaded.length).toBeGreaterThan(200);
  expect(loaded.filter((url) => forOperators.test(url))).toEqual([]);
}, 60_000);
