/** `<object at 0x7f3a…>`: where an object lies in memory says nothing. Other numbers in this notation are somebody's result. */
const memoryAddress = /(?<=\bat )0x[0-9a-f]{6,16}\b/gi;

/** The part of element ids that pandas' Styler, plotly, altair and matplotlib's SVG draw by lot. */
const drawnId = /\bid=["'][\w-]*?([0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}|T_[0-9a-f]{5}|\b[mp][0-9a-f]{10}\b)/gi;

/** When matplotlib wrote an SVG. */
const drawingDate = /<dc:date>[^<]*/g;

/** Not the end of `0 days 00:03:12`, which is a span: a result like any other. */
const timeOfDay = /(?<!\d|\bdays?,? )([01]\d|2[0-3]):([0-5]\d):([0-5]\d(?:\.\d+)?)/g;

const dayMs = 24 * 3600 * 1000;

/**
 * Whether two texts say the same. Memory addresses may differ, and so may times of the day by as much as the cell's own time:
 * its clock began at the same moment and went on from there. In HTML and SVG (`mime`) generated ids may differ too, where they
 * stand for elements and wherever these are then named; what looks alike in the data counts.
 */
export function sameText(before: string, now: string, durationMs: number, mime = 'text/plain'): boolean {
  if (before === now) return true;
  const plain = (text: string): string => {
    const without = text.replace(memoryAddress, '');
    return /^(text\/html|image\/svg)/.test(mime) ? withoutDrawnIds(without) : without;
  };
  const [a, b] = [plain(before), plain(now)];
  if (a === b) return true;
  if (a.replace(timeOfDay, '') !== b.replace(timeOfDay, '')) return false;
  const [times, others] = [timesIn(a), timesIn(b)];
  // A second of slack: a time may be printed without its fraction.
  return (
    times.length === others.length &&
    times.every((time, index) => {
      const apartMs = Math.abs(time - (others[index] ?? Number.NaN));
      return Math.min(apartMs, dayMs - apartMs) <= durationMs + 1000;
    })
  );
}

/** A text without what `sameText` lets differ: two that are the same give the same. */
export function withoutChance(text: string): string {
  return text.replace(memoryAddress, '').replace(timeOfDay, '');
}

/** They are never seen. */
function withoutDrawnIds(text: string): string {
  const ids = new Set([...text.matchAll(drawnId)].map(([, id = '']) => id));
  const dateless = text.replace(drawingDate, '<dc:date>');
  // They are of letters, digits, `_` and `-` alone. One pass: a page may be large and have hundreds.
  return ids.size === 0 ? dateless : dateless.replace(new RegExp([...ids].join('|'), 'g'), '');
}

/** In ms since midnight. */
function timesIn(text: string): readonly number[] {
  return [...text.matchAll(timeOfDay)].map(([, hours, minutes, seconds]) => {
    return ((Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds)) * 1000;
  });
}
