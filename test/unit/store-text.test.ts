import { array, assert, constantFrom, integer, oneof, property, string } from 'fast-check';
import { expect, it } from 'vitest';
import { asGiven, asStored } from '../../src/store/stored-text.ts';

const anyText = string({ unit: integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)) });
const hardText = array(constantFrom('\u0000', '\u0010', '\ud800', '\udc00', 'a', '0', '1', '📊')).map((parts) =>
  parts.join(''),
);

it('gives every text back as it was', () => {
  assert(
    property(oneof(anyText, hardText), (text) => {
      const [stored] = asStored([text]);
      expect(asGiven([{ text: stored, n: 1 }])).toEqual([{ text, n: 1 }]);
    }),
  );
});

it('stores nothing that PostgreSQL refuses or UTF-8 cannot hold', () => {
  assert(
    property(oneof(anyText, hardText), (text) => {
      const [stored] = asStored([text]) as [string];
      expect(stored.isWellFormed()).toBe(true);
      expect(stored).not.toContain('\u0000');
    }),
  );
});

it('leaves ordinary texts, JSON and all that is no text alone', () => {
  const ordinary = ['C1/ü📊', JSON.stringify({ code: '\u0000\ud800\u0010' }), '', 1, null];
  expect(asStored(ordinary)).toEqual(ordinary);
});
