import type { Task } from '../types.ts';

const request =
  /^(?:please )?(?:(?:show|give|tell|send) )?(?:me )?(?:all |more )?(?:the |your )?(?:file |card )?details(?: (?:of|for|about|on) (?<file>.+?))?(?: please)?$/;

/** Whether the message asks for the details of the thread's files, or of one of them, and for nothing else. */
export function isDetailsRequest({ text, attachments }: Pick<Task, 'text' | 'attachments'>): boolean {
  const file = detailsFile(text);
  // "Details of the orders in May" is a question; a file has a dot in its name.
  return attachments.length === 0 && file !== null && (file === '' || /^[^/\\]+\.\w{1,8}$/.test(file));
}

/** The file that is named, in lower case; empty where all are meant; `null` where the message is another one. */
export function detailsFile(text: string): string | null {
  const words = text
    .toLowerCase()
    .replace(/[`'"“”*!?,;:]+|\.(?!\w)/g, ' ')
    .replace(/\s+/g, ' ')
    .trim();
  const found = request.exec(words);
  return found === null ? null : (found.groups?.['file'] ?? '');
}
