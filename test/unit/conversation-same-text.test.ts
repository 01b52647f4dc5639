import { describe, expect, it } from 'vitest';
import { sameText } from '../../src/conversation/same-text.ts';

const at = (time: string): string => `made 2024-02-28 ${time} in all\n`;

describe('the same text', () => {
  it.each([
    ['<object at 0x7f3a1c2b4d50>', '<object at 0x7ffe00112230>', true],
    ['colour 0xff00aa', 'colour 0xff00ab', false],
    ['mean 0 days 00:03:12.5', 'mean 0 days 00:03:12.9', false],
    ['1 day, 10:03:12', '1 day, 10:03:13', false],
    ['id 4dcd4ee8-6a5c-4a0a-9f5e-6e2a7c5c9d11', 'id 0b7a1a49-2a1b-4a55-8a3c-0d2e4d8a1c77', false],
    ['T_1a2b3', 'T_9f8e7', false],
    ['a\n', 'a', false],
  ])('in what was printed: %s | %s', (before, now, same) => {
    expect(sameText(before, now, 0)).toBe(same);
  });

  it.each([
    ['12:00:01.200', '12:00:01.350', 0, true],
    ['12:00:01', '12:00:02', 0, true],
    ['12:00:01', '12:00:05', 0, false],
    ['12:00:01', '12:00:05', 4000, true],
    ['23:59:59.900', '00:00:00.100', 0, true],
    ['12:00:01', '12:00', 0, false],
  ])('times of the day apart by the cell’s own time: %s | %s after %d ms', (before, now, durationMs, same) => {
    expect(sameText(at(before), at(now), durationMs)).toBe(same);
    expect(sameText(at(before).replace(' 1', 'T1'), at(now).replace(' 1', 'T1'), durationMs)).toBe(same);
  });

  it('another day is another text', () => {
    expect(sameText('2024-02-28 12:00:00', '2024-02-29 12:00:00', 1e9)).toBe(false);
  });

  it('ids that nobody sees may differ in pages and drawings', () => {
    const page = (id: string): string => `<style>#T_${id} td {}</style><table id="T_${id}"><td>1</td></table>`;
    expect(sameText(page('1a2b3'), page('9f8e7'), 0, 'text/html')).toBe(true);
    expect(sameText(page('1a2b3'), page('9f8e7').replace('1<', '2<'), 0, 'text/html')).toBe(false);
    const drawing = (id: string): string => `<clipPath id="p${id}"/><g clip-path="url(#p${id})"/>`;
    expect(sameText(drawing('0a1b2c3d4e'), drawing('99887766aa'), 0, 'image/svg+xml')).toBe(true);
    expect(sameText(drawing('0a1b2c3d4e'), drawing('99887766aa'), 0)).toBe(false);
    const [one, other] = ['4dcd4ee8-6a5c-4a0a-9f5e-6e2a7c5c9d11', '0b7a1a49-2a1b-4a55-8a3c-0d2e4d8a1c77'];
    const plot = (id: string): string => `<div id="${id}"></div><script>Plotly.newPlot("${id}", [])</script>`;
    expect(sameText(plot(one), plot(other), 0, 'text/html')).toBe(true);
    const viz = (id: string): string => `<div id='altair-viz-${id}'></div>vegaEmbed("#altair-viz-${id}")`;
    expect(sameText(viz(one.replaceAll('-', '')), viz(other.replaceAll('-', '')), 0, 'text/html')).toBe(true);
  });

  it('what looks like such ids counts in the data of a page', () => {
    for (const [one, other] of [
      ['4dcd4ee8-6a5c-4a0a-9f5e-6e2a7c5c9d11', '0b7a1a49-2a1b-4a55-8a3c-0d2e4d8a1c77'],
      ['4dcd4ee86a5c4a0a9f5e6e2a7c5c9d11', '0b7a1a492a1b4a558a3c0d2e4d8a1c77'],
      ['T_1a2b3', 'T_9f8e7'],
      ['m0a1b2c3d4e', 'm99887766aa'],
    ] as const) {
      const page = (datum: string): string => `<table id="T_00000"><td>${datum}</td></table>`;
      expect(sameText(page(one), page(other), 0, 'text/html'), one).toBe(false);
    }
  });
});
