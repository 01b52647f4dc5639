import type { Logger } from '../../src/log.ts';
import type { PlatformClient, PlatformGateway } from '../../src/ports/platforms.ts';
import type { AccessRules } from './access.ts';
import { createAdmission } from './admission.ts';
import { createDiscordClient } from './client.ts';
import { createDiscordGateway } from './gateway.ts';
import { createDiscordRest } from './rest.ts';

export interface DiscordPlatformOptions {
  readonly token: string;
  /** `null`: the one that the token is of. */
  readonly applicationId: string | null;
  readonly apiUrl: string;
  /** The switch Message Content is on in the developer portal. */
  readonly messageContent: boolean;
  readonly access: AccessRules;
  readonly log: Logger;
}

/** Discord, heard and answered by one process: both share what is known of Discord's rate limits. */
export function createDiscordPlatform(options: DiscordPlatformOptions): {
  readonly gateway: PlatformGateway;
  readonly client: PlatformClient;
} {
  const { messageContent: hasMessageContent, ...rest } = options;
  const shared = { ...rest, rest: createDiscordRest(options) };
  return {
    gateway: createDiscordGateway({ ...shared, hasMessageContent }),
    client: createDiscordClient({ ...shared, admit: createAdmission(shared) }),
  };
}
