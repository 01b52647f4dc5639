import { expect, test } from 'vitest';
import { downloadFile } from '../../adapters/slack/download.ts';
import { questionOf, readMessage, taskOf } from '../../adapters/slack/message.ts';

const raw = (text: string) => ({ type: 'raw_text', text });
const rich = (text: string) => ({
  type: 'rich_text',
  elements: [{ type: 'rich_text_section', elements: [{ type: 'text', text }] }],
});
const table = {
  type: 'table',
  rows: [
    [raw('Region'), raw('Revenue, EUR')],
    [rich('North "N"'), { type: 'raw_number', value: 12.5, text: '12.5' }],
    [rich('Süd'), { type: 'raw_number', value: 7 }],
    [raw('no value'), raw(' ')],
  ],
};
const csv = 'Region,"Revenue, EUR"\n"North ""N""",12.5\nSüd,7\nno value,\n';
const at = { workspaceId: 'T1', channelId: 'C1', botUserId: 'UBOT', userId: 'U1' };

function taskFrom(message: object) {
  const read = readMessage({ ts: '1.1', user: 'U1', ...message });
  if (read === null) throw new Error('no message');
  return taskOf(read, at);
}

test('a pasted table is an attachment, in blocks and in the blocks of attachments, once each', async () => {
  const other = { type: 'table', rows: [[raw('x')], [raw('1')]] };
  const task = taskFrom({ text: 'sum', blocks: [table], attachments: [{ blocks: [table, other] }] });
  expect(task.attachments.map(({ name }) => name)).toEqual(['pasted-table.csv', 'pasted-table-2.csv']);
  // As it comes back from the store.
  const [attachment] = JSON.parse(JSON.stringify(task.attachments)) as typeof task.attachments;
  if (attachment === undefined) throw new Error('no attachment');
  expect(attachment).toMatchObject({ mimeType: 'text/csv', sizeBytes: Buffer.byteLength(csv) });
  const deps = {
    botToken: 'x',
    apiUrl: 'https://slack.com/api/',
    web: { call: () => Promise.reject(new Error('asked Slack')) },
    fetch: () => Promise.reject(new Error('asked Slack')),
  };
  const signal = AbortSignal.timeout(1000);
  const chunks: Uint8Array[] = [];
  for await (const chunk of downloadFile(attachment, deps, { maxBytes: 1000, signal })) chunks.push(chunk);
  expect(Buffer.concat(chunks).toString('utf8')).toBe(csv);
  const tooSmall = { ...attachment, sizeBytes: null };
  await expect(downloadFile(tooSmall, deps, { maxBytes: 10, signal }).next()).rejects.toMatchObject({
    code: 'file-too-large',
  });
});

test('the question is what was typed, without the rows of the table', () => {
  const typed = {
    type: 'rich_text',
    elements: [
      {
        type: 'rich_text_section',
        elements: [
          { type: 'user', user_id: 'UBOT' },
          { type: 'text', text: ' which region is best?' },
        ],
      },
    ],
  };
  const repeated =
    '<@UBOT> which region is best?\nRegion | Revenue, EUR\n--- | ---\nNorth "N" | 12.5\nSüd\t7\nno value | ';
  expect(taskFrom({ text: repeated, blocks: [typed, table] }).text).toBe('which region is best?');
  expect(taskFrom({ text: repeated, blocks: [table] }).text).toBe('which region is best?');
  expect(taskFrom({ text: repeated }).text).toContain('12.5');
});

test('a table without any text is none; a message without tables keeps its words', () => {
  const empty = { type: 'table', rows: [[raw(' '), raw('')]] };
  expect(taskFrom({ text: 'hi', blocks: [empty] }).attachments).toEqual([]);
  const read = readMessage({ ts: '1.1', text: '- - -\n<@UBOT> draw\na | b' });
  expect(read === null ? null : questionOf(read, 'UBOT')).toBe('- - -\n draw\na | b');
});
