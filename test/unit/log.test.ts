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

test('addresses are logged without what lets in whoever has them', () => {
  const lines: string[] = [];
  const log = createLogger('info', (line) => lines.push(line));
  const secret = 'S3cretS3cretS3cretS3cret';
  const token = `${secret}.G4bcde.${secret}${secret}`;
  const links = [
    `connect to postgres://ada:${secret}@db.example:5432/plotline failed`,
    `redis://:${secret}@redis:6379`,
    `GET https://cdn.example/attachments/1/2/a.csv?ex=66&is=65&hm=${secret}&`,
    `https://bucket.example/key?X-Amz-Credential=${secret}%2F2026&X-Amz-Signature=${secret}`,
    `https://discord.com/api/v10/webhooks/123/${secret}/messages/4 and /interactions/123/${secret}/callback`,
    `https://hooks.slack.com/actions/T1/${secret}, https://files.slack.com/upload/v1/${secret}`,
    `Authorization: Bot ${token}`,
  ];
  for (const link of links) log.warn({ error: `"${link}"`, quoted: JSON.stringify({ link }) }, link);
  const text = lines.join('');
  expect(text).not.toContain(secret);
  expect(lines.map((line) => JSON.parse(line) as unknown)).toHaveLength(links.length);
  for (const kept of ['ada:', '@db.example:5432/plotline failed', '@redis:6379', 'a.csv?ex=66&is=65', '/messages/4']) {
    expect(text).toContain(kept);
  }
  const plain = 'https://example.com:8080/a?page=2&keys=1, 12:30@noon, file.name.csv';
  log.info({}, plain);
  expect(lines.at(-1)).toContain(plain);
});

test('taking secrets out takes no long time, whatever the text', () => {
  const log = createLogger('info', () => {});
  const startedAtMs = performance.now();
  for (const piece of ['a-', 'a.', ':', '://a:', '?sig=', '/webhooks/1/', '/files/0', 'client_secret:', 'xoxb-']) {
    log.info({}, piece.repeat(64_000 / piece.length));
  }
  expect(performance.now() - startedAtMs).toBeLessThan(2000);
});
