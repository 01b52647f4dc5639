import { expect, it } from 'vitest';
import { readConfig } from '../../src/config.ts';
import { AppError } from '../../src/errors.ts';
import { parseStartArguments } from '../../src/start-arguments.ts';

it('a role, in both ways of writing it; without one, all', () => {
  expect(parseStartArguments([])).toEqual({ role: 'all', help: false });
  expect(parseStartArguments(['--role', 'gateway'])).toEqual({ role: 'gateway', help: false });
  expect(parseStartArguments(['--role=worker'])).toEqual({ role: 'worker', help: false });
  expect(parseStartArguments(['--help'])).toMatchObject({ help: true });
});

it.each([[['--role', 'boss']], [['--role']], [['--rule', 'all']], [['worker']]])(
  '%j is a wrong setting, with what there is',
  (argv) => {
    expect(() => parseStartArguments(argv)).toThrow(AppError);
    expect(() => parseStartArguments(argv)).toThrow(/gateway/);
  },
);

it('a worker needs no way for events to come; who hears does', () => {
  const env = { SLACK_BOT_TOKEN: 'xoxb-1', REDIS_URL: 'redis://localhost' };
  expect(readConfig(env, 'worker').slack).toMatchObject({ transport: null, install: { kind: 'token' } });
  expect(() => readConfig(env, 'gateway')).toThrow(/SLACK_APP_TOKEN/);
  expect(() => readConfig(env)).toThrow(/SLACK_APP_TOKEN/);
});

it('gateways and workers share a queue', () => {
  expect(() => readConfig({}, 'gateway')).toThrow(/REDIS_URL/);
  expect(() => readConfig({}, 'worker')).toThrow(/REDIS_URL/);
  expect(readConfig({}).redisUrl).toBeNull();
});
