import { expect, it } from 'vitest';
import { detailsFile, isDetailsRequest } from '../../src/conversation/details-request.ts';
import { attachmentOf } from '../fakes/core.ts';

it.each([
  'details',
  'Details!',
  'show details',
  'Show me the details, please',
  'all details',
  '`details`',
  'file details',
  'details of sales.csv',
])('asks for the details: %s', (text) => {
  expect(isDetailsRequest({ text, attachments: [] })).toBe(true);
});

it.each([
  '',
  'details of the orders in May',
  'which details are missing?',
  'sum of details',
  'details by region',
  'plot the details column',
])('is a question: %s', (text) => {
  expect(isDetailsRequest({ text, attachments: [] })).toBe(false);
});

it('is no request where it brings a file', () => {
  expect(isDetailsRequest({ text: 'details', attachments: [attachmentOf('a', 'a.csv')] })).toBe(false);
});

it('names the file that is asked for', () => {
  expect(detailsFile('Details of `Sales 2024.csv`, please')).toBe('sales 2024.csv');
  expect(detailsFile('details')).toBe('');
  expect(detailsFile('total?')).toBeNull();
});
