import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { readConfig, variableNames } from '../../src/config.ts';

it('has defaults that need nothing', () => {
  const config = readConfig({});
  expect(config.model).toBeNull();
  expect(config.slack).toBeNull();
  expect(config.sandbox).toMatchObject({ cellTimeoutMs: 60_000, memoryBytes: 1024 ** 3 });
  expect(config.attachmentBytes).toBe(100 * 1024 ** 2);
});

it('reports every problem at once and never a value', () => {
  const secret = 'not-a-slack-token-0123456789';
  const read = (): unknown =>
    readConfig({
      SLACK_BOT_TOKEN: secret,
      SANDBOX_CELL_SECONDS: 'soon',
      SANDBOX_MEMORY_MB: '1',
      OPENAI_BASE_URL: 'ftp://x',
    });
  expect(read).toThrow(/OPENAI_BASE_URL[^]*SLACK_BOT_TOKEN[^]*SANDBOX_MEMORY_MB[^]*SANDBOX_CELL_SECONDS/);
  expect(read).not.toThrow(new RegExp(secret));
});

it.each([
  [{ OPENAI_BASE_URL: 'http://localhost:11434/v1' }, /OPENAI_API_KEY/],
  [{ SLACK_BOT_TOKEN: 'xoxb-1' }, /SLACK_APP_TOKEN/],
  [{ SLACK_APP_TOKEN: 'xapp-1' }, /SLACK_BOT_TOKEN/],
  [{ SANDBOX_MEMORY_MB: '512', SANDBOX_WORKSPACE_MB: '512' }, /SANDBOX_WORKSPACE_MB/],
  [{ SANDBOX_POOL_SIZE: '9', SANDBOX_MAX: '8' }, /SANDBOX_POOL_SIZE/],
])('says which settings do not go together: %o', (env, message) => {
  expect(() => readConfig(env)).toThrow(message);
});

it.each([
  ['https://api.openai.com/v1', 'responses'],
  ['https://team.openai.azure.com/openai/v1', 'responses'],
  ['http://localhost:11434/v1', 'chat'],
  ['https://openrouter.ai/api/v1', 'chat'],
])('picks the API that %s serves', (baseUrl, api) => {
  expect(readConfig({ OPENAI_API_KEY: 'k', OPENAI_BASE_URL: baseUrl }).model?.api).toBe(api);
});

it('treats an empty variable as unset', () => {
  expect(readConfig({ OPENAI_API_KEY: '  ', DATA_DIR: '' })).toMatchObject({ model: null, dataDir: 'data' });
});

it.each(['.env.example', 'README.md'])('%s names every variable', (file) => {
  const text = readFileSync(file, 'utf8');
  expect(variableNames.filter((name) => !new RegExp(`\\b${name}\\b`).test(text))).toEqual([]);
});

it('.env.example sets nothing but variables that exist, to their defaults', () => {
  const lines = readFileSync('.env.example', 'utf8')
    .split('\n')
    .filter((line) => /^\w+=/.test(line));
  const env = Object.fromEntries(lines.map((line) => line.split(/=(.*)/).slice(0, 2)));
  expect(Object.keys(env).filter((name) => !variableNames.includes(name))).toEqual([]);
  expect(readConfig(env)).toEqual(readConfig({}));
});
