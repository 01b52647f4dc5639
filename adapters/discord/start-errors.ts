import { GatewayCloseCodes } from 'discord.js';
import { AppError } from '../../src/errors.ts';

const portal = 'https://discord.com/developers/applications';

const badToken =
  `Discord does not accept DISCORD_TOKEN. Copy the token anew: ${portal} → your application → Bot → Reset Token. ` +
  'The client secret and the public key are other things.';

const noMessageContent =
  `Discord does not give this bot Message Content. Switch it on: ${portal} → your application → Bot → ` +
  'Privileged Gateway Intents → Message Content Intent → Save. Or set DISCORD_MESSAGE_CONTENT=false: then people mention the bot in its threads.';

/** What a close code that ends the connection for good asks of whoever runs the bot; `null` for codes that come and go. */
export function closeError(code: GatewayCloseCodes): AppError | null {
  switch (code) {
    case GatewayCloseCodes.AuthenticationFailed:
      return new AppError('config', badToken);
    case GatewayCloseCodes.DisallowedIntents:
      return new AppError('config', noMessageContent);
    case GatewayCloseCodes.InvalidIntents:
    case GatewayCloseCodes.InvalidAPIVersion:
      return new AppError(
        'config',
        `Discord has no use for this version of the bot any more (close code ${code}): update it.`,
      );
    default:
      return null;
  }
}

/** Why the bot could not begin to listen: `config` for what stays wrong, `platform-failed` for what may pass. */
export function startError(error: unknown): AppError {
  if (error instanceof AppError) return error;
  const words = error instanceof Error ? error.message : String(error);
  if (isUnauthorised(error) || words === 'Authentication failed')
    return new AppError('config', badToken, { cause: error });
  if (words === 'Used disallowed intents') return new AppError('config', noMessageContent, { cause: error });
  return new AppError('platform-failed', 'Discord cannot be reached: check the network and DISCORD_API_URL.', {
    cause: error,
    retryable: true,
    detail: `Discord cannot be reached: ${words}`,
  });
}

function isUnauthorised(error: unknown): boolean {
  if (typeof error !== 'object' || error === null) return false;
  return ('status' in error && error.status === 401) || ('code' in error && error.code === 'TokenInvalid');
}
