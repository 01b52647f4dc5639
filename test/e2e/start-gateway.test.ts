import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const script = fileURLToPath(new URL('../../scripts/run.mjs', import.meta.url));

const start = (...args: readonly string[]) =>
  spawnSync(process.execPath, [script, 'start', ...args], {
    encoding: 'utf8',
    timeout: 60_000,
    env: { ...process.env, DOCKER_HOST: 'unix:///nowhere.sock', REDIS_URL: '' },
  });

it.each([[['--role', 'gateway']], [['--role=gateway']]])('npm start -- %s needs no Docker', (args) => {
  const { status, stderr } = start(...args);
  expect(stderr).toContain('REDIS_URL: needed with --role gateway');
  expect(status).toBe(78);
});

it('a worker needs one', () => {
  const { status, stderr } = start('--role', 'worker');
  expect(stderr).toContain('no Docker engine answers there');
  expect(status).toBe(1);
});
