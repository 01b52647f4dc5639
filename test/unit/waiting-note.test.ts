import { describe, expect, it } from 'vitest';
import { waitingNote } from '../../src/conversation/waiting-note.ts';

describe('the note of who waits', () => {
  it.each([
    [0, 'All sandboxes are busy; your question is next.'],
    [1, 'All sandboxes are busy; 1 question is before yours.'],
    [2, 'All sandboxes are busy; 2 questions are before yours.'],
    [null, 'Docker is restarting; I go on as soon as it is back.'],
  ])('%s', (before, words) => {
    expect(waitingNote(before)).toBe(words);
  });
});
