import { expect, test } from 'vitest';
import { createLogger } from '../../src/log.ts';

test('an entry is one line of JSON without what a terminal obeys, and means what was logged', () => {
  const lines: string[] = [];
  const text = 'one\r\ntwo\u001b[2J\u009b2J\u202egnp\u2028three\u007f';
  createLogger('info', (line) => lines.push(line)).info({ file: text, [text]: 1 }, text);
  expect(lines).toHaveLength(1);
  const [line = ''] = lines;
  // oxlint-disable-next-line no-control-regex
  expect(line).toMatch(/^[^\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e]+\n$/);
  expect(JSON.parse(line)).toMatchObject({ file: text, [text]: 1, msg: text });
});

test('secrets are taken out wherever they stand', () => {
  const lines: string[] = [];
  const log = createLogger('info', (line) => lines.push(line));
  log.info({ token: 'abc', nested: { apiKey: 'def' } }, 'with xoxb-1-secret and Bearer 12345678secret');
  expect(lines.join('')).not.toMatch(/abc|def|xoxb-1|12345678/);
});

test('tokens and secrets of Slack are taken out in every shape, and the line stays JSON', () => {
  const lines: string[] = [];
  const log = createLogger('debug', (line) => lines.push(line));
  const secret = 'S3CRETS3CRETS3CRET';
  const deep = {
    a: { b: { c: { client_secret: secret, refresh_token: null, access_token: 1, expires_in: 12_345_678 } } },
  };
  log.debug({ body: JSON.stringify({ client_secret: secret, refresh_token: secret, team: 'T1' }) }, 'a body');
  log.info({ clientSecret: secret, of: { refreshToken: secret, stateSecret: secret } }, 'keys');
  log.warn({ deep }, `client_id=1.2&client_secret=${secret}&code=1`);
  log.error(
    { error: `Error: refresh_token: ${secret}` },
    `xoxe.xoxb-1-${secret} xoxe-1-${secret} xoxe.xoxp-1-${secret} xoxp-${secret} xapp-1-${secret}`,
  );
  expect(lines.join('')).not.toContain(secret);
  const entries = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(JSON.parse(String(entries[0]?.['body']))).toMatchObject({ team: 'T1' });
  expect(entries[2]).toMatchObject({ msg: 'client_id=1.2&client_secret=[redacted]&code=1' });
});

test('words about secrets are no secrets', () => {
  const lines: string[] = [];
  const words = 'SLACK_CLIENT_SECRET: needed beside SLACK_CLIENT_ID';
  createLogger('info', (line) => lines.push(line)).info({}, words);
  expect(lines.join('')).toContain(words);
});

test('lines know what is at work, across waiting and in every relative of the logger, and only they', async () => {
  const entries: Record<string, unknown>[] = [];
  const log = createLogger('info', (line) => entries.push(JSON.parse(line) as Record<string, unknown>));
  const relative = log.child({ container: 'c1' });
  const later: Promise<void>[] = [];
  const work = (taskId: string): Promise<void> =>
    log.within({ taskId }, async () => {
      await new Promise((resolve) => setTimeout(resolve, 5));
      relative.info({ own: taskId }, 'inside');
      log.within({}, () => later.push(Promise.resolve().then(() => log.info({}, 'set going'))));
    });
  await Promise.all([work('t1'), work('t2')]);
  await Promise.all(later);
  log.info({}, 'outside');
  const said = entries.map(({ msg, taskId, own, container }) => ({ msg, taskId, own, container }));
  expect(said.filter(({ msg }) => msg === 'inside')).toEqual(
    ['t1', 't2'].map((id) => ({ msg: 'inside', taskId: id, own: id, container: 'c1' })),
  );
  expect(said.filter(({ msg }) => msg !== 'inside').map(({ taskId }) => taskId)).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
});
