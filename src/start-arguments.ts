import { AppError } from './errors.ts';

/** `gateway` hears platforms and accepts; `worker` runs tasks and needs no socket; `all` does both. */
export type Role = 'all' | 'gateway' | 'worker';

export const roles: readonly Role[] = ['all', 'gateway', 'worker'];

export interface StartArguments {
  readonly role: Role;
  readonly help: boolean;
}

export const startUsage = `npm start [-- --role ROLE]

  --role all       hears and answers in one process (the default)
  --role gateway   hears the platforms and accepts questions; needs REDIS_URL
  --role worker    answers them; needs REDIS_URL, and no socket to a platform

Exit codes: 0 after a stop signal, 78 where a setting is wrong (do not restart), 69 where something it needs at the start does not
answer, 70 where it failed (restart both), 128 and the signal's number after a second signal.`;

/** Throws `config` for what it does not know. */
export function parseStartArguments(argv: readonly string[]): StartArguments {
  let role: Role = 'all';
  for (let index = 0; index < argv.length; index += 1) {
    const [name, joined] = (argv[index] ?? '').split('=', 2);
    if (name === '--help' || name === '-h') return { role, help: true };
    if (name !== '--role') {
      throw new AppError('config', `npm start does not know “${argv[index]}”.\n\n${startUsage}`);
    }
    const value = joined ?? argv[(index += 1)] ?? '';
    const found = roles.find((known) => known === value);
    if (found === undefined) {
      throw new AppError('config', `--role is one of ${roles.join(', ')}, not “${value}”.\n\n${startUsage}`);
    }
    role = found;
  }
  return { role, help: false };
}
