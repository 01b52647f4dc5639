import { PermissionFlagsBits } from 'discord.js';
import { describe, expect, it, test } from 'vitest';
import { commandDefinitions } from '../../adapters/discord/command-definitions.ts';
import { registerCommands } from '../../adapters/discord/commands-registry.ts';
import { inviteLink } from '../../adapters/discord/invite.ts';
import { canSpeak, invitePermissions, missingPermissions } from '../../adapters/discord/permissions.ts';
import { closeError, startError } from '../../adapters/discord/start-errors.ts';
import { connectionTimes, createCloseCounter, pauseMs, sessionWaitMs } from '../../adapters/discord/watchdog.ts';
import { createLogger } from '../../src/log.ts';

const log = createLogger('silent');

test('the invite link asks for just what the bot uses', () => {
  expect(inviteLink('123456789012345678')).toBe(
    'https://discord.com/oauth2/authorize?client_id=123456789012345678&scope=bot+applications.commands&permissions=309237746688',
  );
  expect(invitePermissions & PermissionFlagsBits.Administrator).toBe(0n);
  expect(missingPermissions(invitePermissions, 'text')).toEqual([]);
  expect(missingPermissions(invitePermissions, 'thread')).toEqual([]);
});

test('what is missing depends on the place; a channel without threads needs no thread', () => {
  const without = (...bits: readonly bigint[]): bigint => bits.reduce((has, bit) => has & ~bit, invitePermissions);
  const { SendMessages, SendMessagesInThreads, CreatePublicThreads, AttachFiles, Administrator } = PermissionFlagsBits;
  expect(missingPermissions(without(CreatePublicThreads), 'text')).toEqual([]);
  expect(missingPermissions(without(SendMessages), 'text')).toEqual([]);
  expect(missingPermissions(without(SendMessages, CreatePublicThreads), 'text')).toEqual(['Create Public Threads']);
  expect(missingPermissions(without(SendMessagesInThreads), 'thread')).toEqual(['Send Messages in Threads']);
  expect(missingPermissions(without(SendMessages, AttachFiles), 'flat')).toEqual(['Send Messages', 'Attach Files']);
  expect(missingPermissions(0n, 'direct')).toEqual([]);
  expect(missingPermissions(Administrator, 'text')).toEqual([]);
  expect(canSpeak(without(SendMessages), 'text')).toBe(false);
  expect(canSpeak(without(SendMessages), 'thread')).toBe(true);
});

describe('commands', () => {
  const asDiscordGives = (commands: readonly object[]): readonly object[] =>
    JSON.parse(JSON.stringify(commands)).map((command: object, index: number) => ({
      id: String(index),
      version: '1',
      application_id: '2',
      default_member_permissions: null,
      nsfw: false,
      ...command,
    }));
  const optional = { type: 3, name: 'question', description: 'x' };

  const outcome = async (registered: unknown, wanted: typeof commandDefinitions = commandDefinitions) => {
    const written: unknown[] = [];
    const rest = {
      get: async () => registered,
      put: async (_route: string, options?: { readonly body?: unknown }) => void written.push(options?.body),
    };
    const said = await registerCommands(rest, '2', wanted, log);
    expect(written).toEqual(said === 'written' ? [wanted] : []);
    return said;
  };

  it('are written where they differ, and only there', async () => {
    expect(await outcome(asDiscordGives(commandDefinitions))).toBe('unchanged');
    expect(await outcome(asDiscordGives(commandDefinitions).toReversed())).toBe('unchanged');
    expect(await outcome([])).toBe('written');
    expect(await outcome(asDiscordGives(commandDefinitions).slice(1))).toBe('written');
    expect(await outcome([...asDiscordGives(commandDefinitions), { name: 'old', type: 1 }])).toBe('written');
  });

  it('are written where an option, a choice or a word differs', async () => {
    const command = { name: 'a', description: 'b', options: [{ ...optional, required: false }] };
    const wanted = [command] as unknown as typeof commandDefinitions;
    expect(await outcome(asDiscordGives([{ ...command, type: 1, options: [optional] }]), wanted)).toBe('unchanged');
    const others = [
      { ...command, description: 'c' },
      { ...command, options: [] },
      { ...command, options: [{ ...optional, required: true }] },
      { ...command, options: [optional, { ...optional, name: 'more' }] },
      { ...command, options: [{ ...optional, choices: [{ name: 'x', value: 'x' }] }] },
    ];
    for (const other of others) expect(await outcome(asDiscordGives([other]), wanted)).toBe('written');
  });
});

test('errors of the start name the setting or the switch', () => {
  expect(closeError(4014)?.userMessage).toContain('Message Content Intent');
  expect(closeError(4004)?.userMessage).toContain('DISCORD_TOKEN');
  expect(closeError(4009)).toBe(null);
  expect(startError(Object.assign(new Error('x'), { code: 'TokenInvalid' }))).toMatchObject({ code: 'config' });
  expect(startError(new Error('Used disallowed intents')).userMessage).toContain('DISCORD_MESSAGE_CONTENT=false');
  expect(startError(new Error('ECONNREFUSED'))).toMatchObject({ code: 'platform-failed', retryable: true });
});

describe('watchdog', () => {
  it('pauses longer each time, up to five minutes, never in step with other bots', () => {
    expect([0, 1, 2, 20].map((attempt) => pauseMs(attempt, connectionTimes, 0))).toEqual([
      5000, 10_000, 20_000, 300_000,
    ]);
    expect(pauseMs(0, connectionTimes, 1)).toBe(4000);
  });

  it('tells a loop from an outage', () => {
    const counter = createCloseCounter({ ...connectionTimes, closes: 3, closesWindowMs: 1000 });
    expect([0, 500, 900].map((atMs) => counter.closed(atMs))).toEqual([false, false, true]);
    counter.ready();
    expect([1000, 1100].map((atMs) => counter.closed(atMs))).toEqual([false, false]);
    expect(counter.closed(2050)).toBe(false);
    expect(counter.closed(2060)).toBe(true);
  });

  it('keeps some sessions of the day', () => {
    expect(sessionWaitMs({ remaining: 1000, reset_after: 9 }, 1)).toBe(0);
    expect(sessionWaitMs({ remaining: 6, reset_after: 9 }, 1)).toBe(0);
    expect(sessionWaitMs({ remaining: 5, reset_after: 9 }, 1)).toBe(9);
    expect(sessionWaitMs({ remaining: 20, reset_after: 9 }, 16)).toBe(9);
  });
});
