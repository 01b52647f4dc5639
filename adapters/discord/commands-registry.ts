import { Routes } from 'discord.js';
import type { REST, RESTPutAPIApplicationCommandsJSONBody } from 'discord.js';
import type { Logger } from '../../src/log.ts';

const registerTimeoutMs = 30_000;

/**
 * Makes Discord's list of the application's commands the given one. It is written only where it differs: Discord counts how
 * often commands are created. Rejects where Discord does not take them.
 */
export async function registerCommands(
  rest: Pick<REST, 'get' | 'put'>,
  applicationId: string,
  wanted: RESTPutAPIApplicationCommandsJSONBody,
  log: Logger,
): Promise<'unchanged' | 'written'> {
  const route = Routes.applicationCommands(applicationId);
  const registered = await rest.get(route, { signal: AbortSignal.timeout(registerTimeoutMs) });
  if (Array.isArray(registered) && areRegistered(wanted, registered)) return 'unchanged';
  await rest.put(route, { body: wanted, signal: AbortSignal.timeout(registerTimeoutMs) });
  log.info({ commands: wanted.map(({ name }) => name) }, 'commands registered with Discord');
  return 'written';
}

/** Discord adds ids, versions and defaults to what it was given: all that is wanted must be there, and no command more. */
function areRegistered(wanted: RESTPutAPIApplicationCommandsJSONBody, registered: readonly unknown[]): boolean {
  if (wanted.length !== registered.length) return false;
  return wanted.every((command) =>
    registered.some((other) => isObject(other) && typeOf(other) === typeOf(command) && holds(other, command)),
  );
}

function holds(there: unknown, wanted: unknown): boolean {
  if (wanted === undefined) return true;
  if (Array.isArray(wanted)) {
    if (!Array.isArray(there)) return wanted.length === 0 && isDefault(there);
    return there.length === wanted.length && wanted.every((item, index) => holds(there[index], item));
  }
  if (isObject(wanted)) {
    // Options that are gone from the wanted command make it another one.
    return (
      isObject(there) && Object.keys(wanted).every((key) => holds(there[key], wanted[key])) && !hasMore(there, wanted)
    );
  }
  return there === wanted || (wanted === false && isDefault(there));
}

function hasMore(there: Readonly<Record<string, unknown>>, wanted: Readonly<Record<string, unknown>>): boolean {
  return ['options', 'choices'].some((key) => wanted[key] === undefined && !isDefault(there[key]));
}

function isDefault(value: unknown): boolean {
  return value === undefined || value === null || (Array.isArray(value) && value.length === 0);
}

function typeOf(command: object): number {
  return 'type' in command ? Number(command.type ?? 1) : 1;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
