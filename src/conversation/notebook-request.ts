import type { Task } from '../types.ts';

const polite = String.raw`(?:please |pls )?(?:(?:can|could|may|would) (?:you|i|we) |i (?:want|need|would like|d like) )?(?:please )?`;
const verb = String.raw`(?:(?:give|get|send|show|make|create|export|download|save|have|hand|turn|open|share) )?`;
const object = String.raw`(?:me |us )?(?:(?:this|it|that|everything|all|the (?:thread|conversation|work|analysis)|this (?:thread|conversation|work|analysis)) )?`;
const shape = String.raw`(?:(?:as|to|into|in) )?(?:(?:a|an|the|my|our|your|its) )?`;
const notebook = String.raw`(?:jupyter |ipython |python )?(?:notebook|note book|\.?ipynb)(?: (?:file|export|download))?`;
const ending = String.raw`(?: (?:of|for|from|with) (?:this|the|our|my) (?:thread|conversation|work|analysis))?(?: here)?(?: please| pls| thanks)?`;

const request = new RegExp(`^${polite}${verb}${object}${shape}${notebook}${ending}$`);

/**
 * Whether the message asks for the thread as a notebook and for nothing else. Every word must belong to such a request: a question
 * about notebooks, which some shops sell, stays a question; so does a message that brings a file.
 */
export function isNotebookRequest({ text, attachments }: Pick<Task, 'text' | 'attachments'>): boolean {
  const words = text
    .toLowerCase()
    .replace(/[`"'“”*_,;:!?]+|\.(?!ipynb\b)/g, ' ')
    .replace(/\s+/g, ' ')
    .trim();
  return attachments.length === 0 && request.test(words);
}
