import { Routes } from 'discord.js';
import { createDiscordRest } from './rest.ts';
import { startError } from './start-errors.ts';
import { invitePermissions } from './permissions.ts';

const scopes = ['bot', 'applications.commands'];
const lookTimeoutMs = 15_000;

/** Where somebody who manages a server lets the bot in, with just the permissions it uses. */
export function inviteLink(applicationId: string): string {
  const query = new URLSearchParams({
    client_id: applicationId,
    scope: scopes.join(' '),
    permissions: String(invitePermissions),
  });
  return `https://discord.com/oauth2/authorize?${query.toString()}`;
}

/** Which application the token is of. Rejects with `config` where Discord does not take the token. */
export async function applicationIdOf(token: string, apiUrl: string): Promise<string> {
  const rest = createDiscordRest({ token, apiUrl });
  try {
    const signal = AbortSignal.timeout(lookTimeoutMs);
    const application = (await rest.get(Routes.currentApplication(), { signal })) as { readonly id: string };
    return application.id;
  } catch (error) {
    throw startError(error);
  }
}
