import type { FileDetails } from '../../src/ports/platforms.ts';
import { breakMentions, codeSpan } from '../escape.ts';
import { oneLine } from '../format.ts';
import type { Saying } from './speech.ts';

const messageCharacters = 2000;

/** *Details* of a file as one message; what does not fit is cut at a line, and all of it is attached. */
export function detailsSaying({ file, sections }: FileDetails): Saying {
  const head = `Details of ${codeSpan(file)}`;
  const lines = sections.flatMap(({ title, lines: own }) => [
    '',
    `**${literal(title)}**`,
    ...own.map((line) => `- ${literal(line)}`),
  ]);
  const whole = [head, ...lines].join('\n');
  if (whole.length <= messageCharacters) return { text: whole };
  const rest = 'All of it is in the attached file.';
  let text = head;
  for (const line of lines) {
    if (text.length + line.length + rest.length + 4 > messageCharacters) break;
    text = `${text}\n${line}`;
  }
  const plain = sections.map(({ title, lines: own }) => [title, ...own.map((line) => `- ${line}`)].join('\n'));
  return { text: `${text}\n\n${rest}`, file: { name: 'details.txt', text: [file, ...plain].join('\n\n') } };
}

/** Text of a file as Markdown shows it as it is. */
function literal(text: string): string {
  return breakMentions(oneLine(text).replace(/[\\`*[\]<~|]|(?<!\w)_|_(?!\w)|^[#>+-]/g, '\\$&'));
}
