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
