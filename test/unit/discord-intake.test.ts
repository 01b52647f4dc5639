import { ChannelType } from 'discord.js';
import type { APIMessage } from 'discord.js';
import { expect, test } from 'vitest';
import { filesOf } from '../../adapters/discord/attachments.ts';
import { filesWithReplied, rerunIdOf, taskIdOf, threadAt } from '../../adapters/discord/message.ts';
import { readCustomId } from '../../adapters/discord/custom-ids.ts';
import { placeOf } from '../../adapters/discord/surroundings.ts';
import { mentionsBot, mentionsOthers, plainText } from '../../adapters/discord/text.ts';

const self = { userId: '900000000000000001', applicationId: '900000000000000002' };
const roleId = '900000000000000003';
const ada = { id: '100000000000000001', username: 'ada', global_name: 'Ada' };

function plain(content: string): string {
  const nameOf = (kind: 'role' | 'channel', id: string): string | null => (id === '5' ? `${kind} five` : null);
  return plainText(content, { self, roleId, mentions: [ada] as unknown as APIMessage['mentions'], nameOf });
}

test.each([
  [`<@${self.userId}> totals by month`, 'totals by month'],
  [`<@!${self.userId}>   totals`, 'totals'],
  [`totals, <@${self.userId}>`, 'totals,'],
  [`<@&${roleId}> totals`, 'totals'],
  [`compare <@${ada.id}> and <@777>`, 'compare @Ada and @somebody'],
  ['<@&5> in <#5>, <@&6> in <#6>', '@role five in #channel five, @a role in #a channel'],
  ['<:sum:123> <a:dance:456> </analyze:789>', ':sum: :dance: /analyze'],
  ['since <t:0:R>', 'since 1970-01-01T00:00:00.000Z'],
  [`<@${self.userId}>\na  b\n  c  d`, 'a  b\n  c  d'],
  ['a < b and b > c', 'a < b and b > c'],
])('the question in %j is %j', (content, text) => {
  expect(plain(content)).toBe(text);
});

test('a mention is the bot’s name or its own role, not a ping of a reply, of everyone or of another role', () => {
  const bot = { id: self.userId } as APIMessage['mentions'][number];
  const mention = (content: string, roles: string[] = [], mentions: APIMessage['mentions'] = [bot]): boolean =>
    mentionsBot({ content, mentions, mention_roles: roles }, self, roleId);
  expect(mention(`<@${self.userId}>`)).toBe(true);
  expect(mention(`<@!${self.userId}> x`)).toBe(true);
  expect(mention(`<@&${roleId}>`, [roleId])).toBe(true);
  expect(mention('@everyone @here')).toBe(false);
  expect(mention('<@&4>', ['4'])).toBe(false);
  expect(mention(`<@${self.userId}9>`)).toBe(false);
  expect(mention(`\`<@${self.userId}>\``, [], [])).toBe(false);
  expect(mentionsBot({ content: 'x', mentions: [], mention_roles: [roleId] }, self, null)).toBe(false);
  expect(mentionsOthers({ content: `<@${ada.id}> look` }, self)).toBe(true);
  expect(mentionsOthers({ content: `<@${self.userId}> look` }, self)).toBe(false);
});

test('a question begins its own thread in a text channel, and is answered in place elsewhere', () => {
  const at = (type: ChannelType, parentId: string | null = 'P') => {
    const place = placeOf({ id: 'C', type, parentId, guildId: 'G' });
    return place === null ? null : threadAt(place, 'M');
  };
  const own = { platform: 'discord', workspaceId: 'G', channelId: 'C', threadId: 'M' };
  expect(at(ChannelType.GuildText)).toEqual(own);
  expect(at(ChannelType.GuildAnnouncement)).toEqual(own);
  expect(at(ChannelType.PublicThread)).toEqual({ ...own, channelId: 'P', threadId: 'C' });
  expect(at(ChannelType.GuildVoice)).toEqual({ ...own, threadId: 'C' });
  expect(at(ChannelType.DM)).toEqual({ ...own, workspaceId: '@me', threadId: 'C' });
  expect(at(ChannelType.GuildForum)).toBe(null);
  expect(at(ChannelType.GuildCategory)).toBe(null);
});

test('custom ids hold the longest task id, and a re-run of a re-run is no longer than one', () => {
  const id = '9'.repeat(19);
  const first = rerunIdOf(taskIdOf(id, id, id), id);
  const second = rerunIdOf(first, '9'.repeat(18));
  expect(second).not.toBe(first);
  expect(rerunIdOf(first, id)).toBe(first);
  for (const task of [first, second]) {
    expect(`rerun-edited:${task}`.length).toBeLessThanOrEqual(100);
    expect(readCustomId(`rerun-edited:${task}`)).toEqual({ action: 'rerun-edited', target: task });
  }
  expect(readCustomId('details:a:b.csv')).toEqual({ action: 'details', target: 'a:b.csv' });
  for (const foreign of ['', 'stop', 'toString:x', ':x', 'other:x']) expect(readCustomId(foreign)).toBe(null);
});

test('a file that another bot shows from a strange address is no reason to lose a question', () => {
  const picture = { media: { id: '7', url: 'https://example.org/100%.png' } };
  const shown = { id: '1', channel_id: '2', components: [{ type: 12, items: [picture] }] };
  expect(filesOf(shown)).toMatchObject([{ id: '7', name: '100%.png' }]);
});

test('files: own ones first, of the message it replies to, none that the bot posted', () => {
  const file = (id: string) => ({ id, filename: `${id}.csv`, size: 1, url: `https://cdn.discordapp.com/${id}` });
  const message = (given: object): APIMessage =>
    ({
      id: '1',
      channel_id: '2',
      content: '',
      author: ada,
      attachments: [],
      embeds: [],
      components: [],
      ...given,
    }) as unknown as APIMessage;
  const names = (given: object): readonly string[] =>
    filesWithReplied(message(given), self.userId).map(({ name }) => name);
  const replied = message({ id: '3', attachments: [file('theirs')] });
  const ours = message({ id: '4', author: { id: self.userId }, attachments: [file('chart')] });
  expect(names({ attachments: [file('own')], referenced_message: replied })).toEqual(['own.csv', 'theirs.csv']);
  expect(names({ referenced_message: ours })).toEqual([]);
  expect(names({ referenced_message: null })).toEqual([]);
  expect(names({ referenced_message: message({ id: '5' }) })).toEqual(['the message you replied to']);
  expect(names({ referenced_message: message({ id: '5', content: 'words' }) })).toEqual([]);
  expect(names({ attachments: [file('own')], referenced_message: message({ id: '5' }) })).toEqual(['own.csv']);
});
