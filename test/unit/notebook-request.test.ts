import { expect, it } from 'vitest';
import { isNotebookRequest } from '../../src/conversation/notebook-request.ts';
import { attachmentOf } from '../fakes/core.ts';

it.each([
  'notebook',
  'Notebook!',
  ' `notebook` ',
  'as a notebook',
  'as a notebook, please',
  'give me the notebook',
  'Please give me this as a Jupyter notebook.',
  'can you give me the notebook?',
  'Could you please export this thread as a notebook',
  'export as notebook',
  'jupyter notebook',
  '.ipynb',
  'export as .ipynb please',
  'send me an ipynb file',
  'turn this into a notebook',
  "I'd like the notebook",
  'the notebook of this thread',
  'download the notebook',
])('asks for the thread as a notebook: %s', (text) => {
  expect(isNotebookRequest({ text, attachments: [] })).toBe(true);
});

it.each([
  '',
  'which notebook sold best?',
  'notebook sales by month',
  'revenue per notebook',
  'show notebooks',
  'how many notebooks did we sell?',
  'give me the notebook prices',
  'plot the notebook column',
  'is this notebook expensive',
  'make a chart and give me the notebook',
  'notebook Lenovo',
  'give me this',
  'as a',
  'please',
  'notebook or desktop?',
  'convert sales.ipynb to csv',
  'what is in this notebook?',
])('is a question: %s', (text) => {
  expect(isNotebookRequest({ text, attachments: [] })).toBe(false);
});

it('with a file it is a question about the file', () => {
  expect(isNotebookRequest({ text: 'notebook', attachments: [attachmentOf('f1', 'a.csv')] })).toBe(false);
});
