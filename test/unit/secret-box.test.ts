import { randomBytes } from 'node:crypto';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { createSecretBox } from '../../src/store/secret-box.ts';

const key = randomBytes(32);
const box = createSecretBox(key);

test('whatever was sealed is opened under its name and key, and reads as nothing in between', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', minLength: 8 }), fc.string(), (text, name) => {
      const sealed = box.seal(text, name);
      expect(sealed).not.toContain(text);
      expect(sealed).not.toContain(Buffer.from(text).toString('base64url'));
      expect(createSecretBox(key).open(sealed, name)).toBe(text);
    }),
  );
});

test('the same text is never sealed the same way twice', () => {
  expect(new Set(Array.from({ length: 50 }, () => box.seal('token', 'slack/T1'))).size).toBe(50);
});

const words = expect.objectContaining({ code: 'config', userMessage: expect.stringMatching(/SECRETS_KEY/) });

test('another key, another name, and every changed letter are refused in words that name the setting', () => {
  const sealed = box.seal('xoxb-1-secret', 'slack/T1');
  const attempts = [
    () => createSecretBox(randomBytes(32)).open(sealed, 'slack/T1'),
    () => box.open(sealed, 'slack/T2'),
    () => box.open('', 'slack/T1'),
    () => box.open(sealed.split('.').slice(0, 3).join('.'), 'slack/T1'),
    // The right tag, but so short that it could be guessed.
    () => box.open(sealed.replace(/^(v1\.[^.]+\.[^.]{6})[^.]+/, '$1'), 'slack/T1'),
  ];
  for (const attempt of attempts) expect(attempt).toThrow(words);
  const parts = sealed.split('.').length;
  for (let part = 0; part < parts; part += 1) {
    const changed = sealed.split('.').map((text, index) => (index === part ? flipped(text) : text));
    expect(() => box.open(changed.join('.'), 'slack/T1')).toThrow(words);
  }
  expect(box.open(sealed, 'slack/T1')).toBe('xoxb-1-secret');
});

/** Another first letter: the last one of base64 may hold bits that count for nothing. */
function flipped(text: string): string {
  return `${text.startsWith('A') ? 'B' : 'A'}${text.slice(1)}`;
}
