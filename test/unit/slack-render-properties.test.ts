import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { neutralise } from '../../adapters/escape.ts';
import type { Json } from '../../adapters/json.ts';
import { renderMessage, uploadComment } from '../../adapters/slack/render.ts';
import type { OutgoingMessage } from '../../src/ports/platforms.ts';
import type { Reply } from '../../src/types.ts';
import { anyArtifact, anyMarkdown, anyReply, anyText } from '../fakes/any-reply.ts';
import { partProblems, slackProblems } from '../fakes/slack-validator.ts';

function markdownOf(blocks: readonly Json[]): readonly string[] {
  return blocks.flatMap((block) => (block['type'] === 'markdown' ? [String(block['text'])] : []));
}

/** Of all parts; a message without any is a problem as well. */
function problemsIn(message: OutgoingMessage, images?: ReadonlyMap<string, string>): readonly string[] {
  const parts = renderMessage(message, images);
  return parts.length === 0 ? ['no part'] : parts.flatMap(partProblems);
}

describe('whatever is in it, Slack takes it and it pings, masks and fetches nothing', () => {
  test('replies with tables, charts, images and 100,000 characters', () => {
    fc.assert(
      fc.property(anyReply, fc.boolean(), (reply, areUploaded) => {
        const charts = reply.artifacts.filter(({ kind }) => kind === 'chart');
        const images = new Map(areUploaded ? charts.map(({ file }) => [file.name, 'F123']) : []);
        expect(problemsIn({ kind: 'reply', reply, files: [] }, images)).toEqual([]);
      }),
      { numRuns: 250 },
    );
  }, 30_000);

  test('cards, notices and comments', () => {
    fc.assert(
      fc.property(anyMarkdown, anyText, fc.array(anyArtifact, { maxLength: 12 }), (text, file, artifacts) => {
        expect(problemsIn({ kind: 'card', text, file })).toEqual([]);
        expect(problemsIn({ kind: 'notice', text })).toEqual([]);
        const comment = uploadComment(artifacts);
        expect(comment === '' ? [] : slackProblems({ text: comment }, 'message')).toEqual([]);
        expect(comment.length).toBeLessThanOrEqual(3000);
      }),
      { numRuns: 80 },
    );
  }, 30_000);

  test('progress', () => {
    const step = fc.record({
      title: anyText,
      state: fc.constantFrom('running' as const, 'done' as const, 'failed' as const),
    });
    fc.assert(
      fc.property(anyText, fc.array(step, { maxLength: 40 }), fc.boolean(), (note, steps, running) => {
        const progress = { taskId: 't', personId: 'U1', running, steps, note };
        expect(problemsIn({ kind: 'progress', progress })).toEqual([]);
      }),
      { numRuns: 100 },
    );
  });
});

describe('long replies', () => {
  const textReply = (text: string): OutgoingMessage => {
    const reply: Reply = { taskId: 't', outcome: 'answered', text, artifacts: [], notices: [], code: [] };
    return { kind: 'reply', reply, files: [] };
  };

  test('every character is there, in order', () => {
    fc.assert(
      fc.property(anyMarkdown, (text) => {
        const expected = neutralise(text.trim()).replace(/\s/g, '');
        if (expected === '') return;
        const shown = renderMessage(textReply(text))
          .flatMap(({ blocks }) => markdownOf(blocks))
          .join('');
        let at = 0;
        for (const character of shown) if (expected.startsWith(character, at)) at += character.length;
        expect(at).toBe(expected.length);
      }),
      { numRuns: 120 },
    );
  }, 30_000);

  test('100,000 characters of prose are the same text cut into pieces', () => {
    const text = Array.from({ length: 10_000 }, (_, index) => `Wort ${index}.`).join(' ');
    const parts = renderMessage(textReply(text));
    expect(parts.flatMap(partProblems)).toEqual([]);
    expect(parts.flatMap(({ blocks }) => markdownOf(blocks)).join('')).toBe(text);
    expect(parts).toHaveLength(Math.ceil(text.length / 11_000));
    // Buttons are under the last part alone.
    expect(parts.map(({ blocks }) => blocks.length)).toEqual([...parts.slice(1).map(() => 1), 3]);
  });

  test('code is in closed fences and no row of a table is cut', () => {
    const code = Array.from({ length: 800 }, (_, index) => `total_${index} = frame["column ${index}"].sum()`);
    const rows = Array.from(
      { length: 600 },
      (_, index) => `| region ${index} | ${index * 37} | a note of some length |`,
    );
    const text = [
      'Some words.',
      '```python',
      ...code,
      '```',
      '| a | b | c |',
      '| --- | --- | --- |',
      ...rows,
      'End.',
    ].join('\n');
    const parts = renderMessage(textReply(text));
    expect(parts.flatMap(partProblems)).toEqual([]);
    expect(parts.length).toBeGreaterThan(4);
    const shown = parts.map(({ blocks }) => markdownOf(blocks).join('\n'));
    for (const part of shown) expect(part.match(/^```/gm)?.length ?? 0).toSatisfy((fences: number) => fences % 2 === 0);
    const lines = new Set(shown.join('\n').split('\n'));
    expect([...code, ...rows].filter((line) => !lines.has(line))).toEqual([]);
    const tables = shown
      .map((part) => part.split('\n').filter((line) => line.startsWith('|')))
      .filter(({ length }) => length > 0);
    expect(tables.length).toBeGreaterThan(1);
    for (const table of tables) expect(table.slice(0, 2)).toEqual(['| a | b | c |', '| --- | --- | --- |']);
  });
});
