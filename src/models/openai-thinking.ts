import type { DeltaEvent } from './openai-turn.ts';

const opening = '<think>';
const closing = '</think>';

/**
 * Tells reasoning from answer where a server leaves `<think>…</think>` at the start of the text, as open-weight models write it
 * when no parser is configured. Anywhere else the tags are text.
 */
export interface ThinkingSplitter {
  take(text: string): Iterable<DeltaEvent>;
  /** What was held back, at the end of the text. */
  end(): Iterable<DeltaEvent>;
}

export function createThinkingSplitter(): ThinkingSplitter {
  let state: 'start' | 'thinking' | 'answer' = 'start';
  let held = '';

  return {
    take: function* take(text) {
      held += text;
      if (state === 'start') {
        const start = held.trimStart();
        if (start.length < opening.length && opening.startsWith(start)) return;
        state = start.startsWith(opening) ? 'thinking' : 'answer';
        if (state === 'thinking') held = start.slice(opening.length);
      }
      if (state === 'thinking') {
        const end = held.indexOf(closing);
        // The closing tag may come in pieces: what could be its beginning stays back.
        const known = end === -1 ? Math.max(0, held.length - closing.length + 1) : end;
        if (known > 0) yield { type: 'reasoning-delta', text: held.slice(0, known) };
        held = held.slice(known);
        if (end === -1) return;
        state = 'answer';
        held = held.slice(closing.length).trimStart();
      }
      if (held !== '') yield { type: 'text-delta', text: held };
      held = '';
    },
    end: function* end() {
      if (held !== '') yield { type: state === 'thinking' ? 'reasoning-delta' : 'text-delta', text: held };
      held = '';
    },
  };
}
