import { describe, expect, it } from 'vitest';
import { createCooldown, refusalFor } from '../../adapters/discord/access.ts';
import type { AccessLists, Asker } from '../../adapters/discord/access.ts';
import { createAdmission } from '../../adapters/discord/admission.ts';
import { createLogger } from '../../src/log.ts';
import type { Task } from '../../src/types.ts';

const nobody: AccessLists = { guilds: [], channels: [], roles: [], users: [] };
const inGuild: Asker = { userId: 'ada', guildId: 'G', channelIds: ['C', 'T'], roleIds: ['R'] };
const direct: Asker = { userId: 'ada', guildId: null, channelIds: ['D'], roleIds: [] };

function isAllowed(asker: Asker, allow: Partial<AccessLists>, deny: Partial<AccessLists> = {}): boolean {
  const rules = { allow: { ...nobody, ...allow }, deny: { ...nobody, ...deny }, cooldownMs: 0 };
  return refusalFor(rules, asker) === null;
}

describe('rules', () => {
  it('without any, everybody may ask everywhere', () => {
    expect(isAllowed(inGuild, {})).toBe(true);
    expect(isAllowed(direct, {})).toBe(true);
  });

  it('an allowed place and an allowed person are both needed', () => {
    expect(isAllowed(inGuild, { guilds: ['G'], users: ['ada'] })).toBe(true);
    expect(isAllowed(inGuild, { guilds: ['H'], users: ['ada'] })).toBe(false);
    expect(isAllowed(inGuild, { guilds: ['G'], users: ['bob'] })).toBe(false);
    expect(isAllowed(inGuild, { channels: ['C'] })).toBe(true);
    expect(isAllowed(inGuild, { channels: ['T'] })).toBe(true);
    expect(isAllowed(inGuild, { channels: ['X'] })).toBe(false);
  });

  it('a person is allowed by their id or by one of their roles', () => {
    expect(isAllowed(inGuild, { roles: ['R'], users: ['bob'] })).toBe(true);
    expect(isAllowed(inGuild, { roles: ['S'], users: ['ada'] })).toBe(true);
    expect(isAllowed(inGuild, { roles: ['S'] })).toBe(false);
  });

  it('a deny wins', () => {
    for (const deny of [{ guilds: ['G'] }, { channels: ['T'] }, { roles: ['R'] }, { users: ['ada'] }]) {
      expect(isAllowed(inGuild, { guilds: ['G'], channels: ['C'], users: ['ada'], roles: ['R'] }, deny)).toBe(false);
    }
    expect(isAllowed(direct, { guilds: ['@me'], users: ['ada'] }, { users: ['ada'] })).toBe(false);
  });

  it('direct messages are no way around rules for places and roles', () => {
    for (const allow of [{ guilds: ['G'] }, { channels: ['C'] }, { roles: ['R'] }]) {
      expect(isAllowed(direct, allow)).toBe(false);
      expect(isAllowed(direct, { ...allow, users: ['ada'] })).toBe(true);
      expect(isAllowed(direct, { ...allow, guilds: ['@me'] })).toBe(true);
    }
    expect(isAllowed(direct, {}, { roles: ['R'] })).toBe(false);
    expect(isAllowed(direct, {}, { guilds: ['@me'] })).toBe(false);
    expect(isAllowed(direct, { users: ['bob'] })).toBe(false);
    expect(isAllowed(direct, { users: ['bob'], guilds: ['@me'] })).toBe(false);
    expect(isAllowed(inGuild, {}, { guilds: ['@me'] })).toBe(true);
  });
});

describe('cooldown', () => {
  it('lets the next question in when its time has passed, and says how long it is until then', () => {
    const cooldown = createCooldown(30_000);
    expect(cooldown.take('ada', 'q1', 1000)).toBe(null);
    expect(cooldown.take('bob', 'q2', 1000)).toBe(null);
    expect(cooldown.take('ada', 'q3', 26_000)).toContain('every 30 s: ask again in 5 s');
    expect(cooldown.take('ada', 'q4', 31_000)).toBe(null);
  });

  it('answers the same question as before, and one that was asked earlier', () => {
    const cooldown = createCooldown(30_000);
    expect(cooldown.take('ada', 'q1', 100_000)).toBe(null);
    expect(cooldown.take('ada', 'q1', 100_000)).toBe(null);
    expect(cooldown.take('ada', 'q0', 99_000)).toBe(null);
  });
});

describe('admission', () => {
  const task: Task = {
    id: 'discord-100000000000000001-100000000000000002-100000000000000003',
    thread: {
      platform: 'discord',
      workspaceId: '100000000000000001',
      channelId: '100000000000000002',
      threadId: '100000000000000003',
    },
    messageId: '100000000000000003',
    person: { id: 'ada', displayName: 'Ada' },
    text: 'totals',
    attachments: [],
    receivedAtMs: 0,
  };
  const { signal } = new AbortController();

  function admissionWith(get: (route: string) => unknown, lists: Partial<AccessLists> = {}) {
    const routes: string[] = [];
    const rest = {
      get: async (route: string) => {
        routes.push(route);
        return get(route);
      },
    };
    const access = { allow: { ...nobody, ...lists }, deny: nobody, cooldownMs: 0 };
    return { admit: createAdmission({ rest, access, log: createLogger('silent') }), routes };
  }

  it('reads roles only where they decide, and not for each question', async () => {
    const none = admissionWith(() => ({}));
    expect(await none.admit(task, signal)).toEqual({ kind: 'admitted', task });
    expect(none.routes).toEqual([]);
    const some = admissionWith(() => ({ roles: ['R'] }), { roles: ['R'] });
    expect(await some.admit(task, signal)).toMatchObject({ kind: 'admitted' });
    expect(await some.admit({ ...task, id: `${task.id}-r1` }, signal)).toMatchObject({ kind: 'admitted' });
    expect(some.routes).toEqual(['/guilds/100000000000000001/members/ada']);
  });

  it('refuses in words, also somebody who left the server', async () => {
    const other = admissionWith(() => ({ roles: ['S'] }), { roles: ['R'] });
    expect(await other.admit(task, signal)).toMatchObject({
      kind: 'refused',
      text: expect.stringContaining('may not') as string,
    });
    const gone = admissionWith(() => Promise.reject(Object.assign(new Error('gone'), { status: 404 })), {
      roles: ['R'],
    });
    expect(await gone.admit(task, signal)).toMatchObject({ kind: 'refused' });
  });

  it('lets nobody in because Discord does not answer', async () => {
    const down = admissionWith(() => Promise.reject(Object.assign(new Error('down'), { status: 503 })), {
      roles: ['R'],
    });
    await expect(down.admit(task, signal)).rejects.toMatchObject({ code: 'platform-failed', retryable: true });
  });

  it('reads a message again whose replied-to message did not come with it', async () => {
    const file = { id: '9', filename: 'a.csv', size: 1, url: 'https://cdn.discordapp.com/a' };
    const message = { id: task.messageId, channel_id: task.thread.channelId, content: 'x', attachments: [] };
    const replied = { ...message, id: '8', author: { id: 'bob' }, attachments: [file] };
    const { admit, routes } = admissionWith(() => ({ ...message, referenced_message: replied }));
    const admission = await admit({ ...task, lookAgain: true }, signal);
    expect(admission).toMatchObject({
      task: { attachments: [{ name: 'a.csv', source: { messageId: '8' } }], lookAgain: false },
    });
    expect(routes).toEqual(['/channels/100000000000000002/messages/100000000000000003']);
    const failing = admissionWith(() => Promise.reject(new Error('down')));
    expect(await failing.admit({ ...task, lookAgain: true }, signal)).toMatchObject({ kind: 'admitted' });
  });

  it('takes all files of a message that the event hid, and goes on without them where it stays hidden', async () => {
    const file = { id: '9', filename: 'a.csv', size: 1, url: 'https://cdn.discordapp.com/a' };
    const hidden = {
      id: 'unseen-8',
      name: 'the message you replied to',
      mimeType: 'application/octet-stream',
      sizeBytes: null,
      source: { kind: 'unseen', channelId: '2', messageId: '8' },
    };
    const asking = { ...task, attachments: [hidden] };
    const message = { id: '8', channel_id: '2', attachments: [file, { ...file, id: '10', filename: 'b.csv' }] };
    const shown = admissionWith(() => message);
    expect(await shown.admit(asking, signal)).toMatchObject({
      task: {
        attachments: [
          { id: 'unseen-8', name: 'a.csv', source: { kind: 'message', attachmentId: '9' } },
          { id: '10', name: 'b.csv', source: { kind: 'message', attachmentId: '10' } },
        ],
      },
    });
    expect(shown.routes).toEqual(['/channels/2/messages/8']);
    for (const get of [() => ({ ...message, attachments: [] }), () => Promise.reject(new Error('down'))]) {
      expect(await admissionWith(get).admit(asking, signal)).toEqual({ kind: 'admitted', task: asking });
    }
  });
});
