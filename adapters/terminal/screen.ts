import type { Interface } from 'node:readline';
import { displayWidth } from '../display-width.ts';

const frameMs = 120;

/** Where text goes: printed once, above a block of lines that is redrawn in place, above the line being typed. */
export interface Screen {
  readonly width: number;
  print(text: string): void;
  /** The block; `null` takes it away. On anything but a TTY there is none. */
  showLive(lines: ((frame: number) => readonly string[]) | null): void;
  /** The line being typed, from now on; `null` when there is none any more. */
  useInput(input: Interface | null): void;
  /** To be called when a line was entered: it moves above the block. */
  lineEntered(line: string): void;
}

export function createScreen(output: NodeJS.WritableStream & { readonly columns?: number }, isTty: boolean): Screen {
  let live: ((frame: number) => readonly string[]) | null = null;
  let shownLines = 0;
  let input: Interface | null = null;
  let timer: NodeJS.Timeout | null = null;
  let frame = 0;

  const width = (): number => output.columns ?? 100;

  /** From the cursor's row, `rowsAbove` rows below the block's end, back to the block's start; clears all behind it. */
  const erase = (rowsAbove: number): void => {
    const up = shownLines + rowsAbove;
    output.write(`\r${up > 0 ? `\u001b[${up}A` : ''}\u001b[J`);
    shownLines = 0;
  };

  const redraw = (printed: string, rowsAbove: number): void => {
    erase(rowsAbove);
    const lines = live?.(frame) ?? [];
    output.write(printed + lines.map((line) => `${line}\n`).join(''));
    shownLines = lines.length;
    if (input === null) return;
    // readline draws its line from the row where it believes the first one is: as many rows up as the cursor was.
    output.write('\n'.repeat(input.getCursorPos().rows));
    input.prompt(true);
  };

  const rowOfCursor = (): number => input?.getCursorPos().rows ?? 0;

  return {
    get width() {
      return width();
    },

    print: (text) => {
      if (isTty) redraw(`${text}\n`, rowOfCursor());
      else output.write(`${text}\n`);
    },

    showLive: (lines) => {
      if (!isTty) return;
      live = lines;
      if (timer !== null) clearInterval(timer);
      timer = null;
      if (live !== null) {
        timer = setInterval(() => {
          frame += 1;
          redraw('', rowOfCursor());
        }, frameMs);
        timer.unref();
      }
      redraw('', rowOfCursor());
    },

    useInput: (next) => {
      input = next;
    },

    lineEntered: (line) => {
      if (!isTty || input === null || shownLines === 0) return;
      const typed = `${input.getPrompt()}${line}`;
      redraw(`${typed}\n`, Math.floor(displayWidth(typed) / width()) + 1);
    },
  };
}
