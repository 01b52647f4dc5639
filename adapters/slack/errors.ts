import { WebAPIHTTPError, WebAPIPlatformError, WebAPIRateLimitedError, WebAPIRequestError } from '@slack/web-api';
import { AppError } from '../../src/errors.ts';
import { asArray, asObject, asText } from '../json.ts';

/** What Slack said, kept beside the words for a person: callers decide by `slackCode` what can be done about it. */
export class SlackCallError extends AppError {
  /** Slack's error code, `null` where no answer of Slack's API arrived. */
  readonly slackCode: string | null;
  /** The call may have taken effect: its answer was lost, or Slack failed half-way. */
  readonly ambiguous: boolean;

  constructor(
    userMessage: string,
    options: {
      readonly cause: unknown;
      readonly detail: string;
      readonly retryable: boolean;
      readonly slackCode: string | null;
      readonly ambiguous: boolean;
    },
  ) {
    super('platform-failed', userMessage, options);
    this.slackCode = options.slackCode;
    this.ambiguous = options.ambiguous;
  }
}

/** Codes of Slack's own failures, after which the call may have taken effect. */
const serverFailures = new Set([
  'fatal_error',
  'internal_error',
  'request_timeout',
  'service_unavailable',
  'team_added_to_org',
]);

export function slackError(error: unknown, method: string): AppError {
  if (error instanceof AppError) return error;
  if (error instanceof WebAPIRateLimitedError) {
    return new AppError('platform-rate-limited', `Slack asks me to wait ${error.retryAfter} s before I post more.`, {
      cause: error,
      retryable: true,
      retryAfterMs: error.retryAfter * 1000,
      detail: `${method}: rate limited, retry after ${error.retryAfter} s`,
    });
  }
  if (error instanceof WebAPIPlatformError && /^[\w:.-]{1,100}$/.test(error.data.error)) {
    const code = error.data.error;
    const isServerFailure = serverFailures.has(code);
    return new SlackCallError(words(code, error.data), {
      cause: error,
      detail: `${method}: ${code}${detailOf(error.data)}`,
      retryable: isServerFailure,
      slackCode: code,
      ambiguous: isServerFailure,
    });
  }
  // The SDK takes a body that is no JSON, such as a proxy's page, for an error code: no answer of Slack's API arrived.
  const status = error instanceof WebAPIHTTPError ? error.statusCode : null;
  const reason =
    error instanceof WebAPIPlatformError
      ? `no JSON: ${error.data.error.slice(0, 80)}`
      : error instanceof WebAPIRequestError
        ? error.original.message
        : String(error);
  return new SlackCallError('Slack did not answer; its status page is https://slack-status.com.', {
    cause: error,
    detail: `${method}: ${status === null ? reason : `HTTP ${status}`}`,
    retryable: true,
    slackCode: null,
    ambiguous: status === null || status >= 500,
  });
}

/** For a call that the caller's signal ended, whatever the signal's reason is. */
export function cancelled(signal: AbortSignal, doing: string): AppError {
  return new AppError('cancelled', 'Stopped.', { cause: signal.reason, detail: `${doing}: aborted` });
}

export function isAmbiguous(error: unknown): boolean {
  return error instanceof SlackCallError && error.ambiguous;
}

export function slackCodeOf(error: unknown): string | null {
  return error instanceof SlackCallError ? error.slackCode : null;
}

/** Codes after which the same words are tried in plainer blocks, and in the end without any. */
const blockRefusals = new Set([
  'invalid_arguments',
  'invalid_attachments',
  'invalid_blocks',
  'invalid_blocks_format',
  'msg_blocks_too_long',
  'msg_too_long',
  'too_many_attachments',
  'unsupported_block_type',
]);

/** Slack refused how the message is laid out, not the message. */
export function isBlockRefusal(error: unknown): boolean {
  return blockRefusals.has(slackCodeOf(error) ?? '');
}

/** A block names an image that Slack has not processed yet, or does not show to the bot. */
export function isImageRefusal(error: unknown): boolean {
  return isBlockRefusal(error) && error instanceof Error && /slack.?file|image/i.test(error.message);
}

function words(code: string, data: object): string {
  switch (code) {
    case 'missing_scope':
      return `My Slack app lacks the scope \`${asText(asObject(data)['needed']) ?? 'it needs'}\`: add it in the app's settings and install the app again.`;
    case 'invalid_auth':
    case 'not_authed':
    case 'token_revoked':
    case 'token_expired':
    case 'account_inactive':
      return 'Slack does not accept my token any more: my app must be installed in this workspace again. Where the token is in the settings (`SLACK_BOT_TOKEN`), whoever runs me sets the new one there.';
    case 'not_in_channel':
    case 'channel_not_found':
      return 'I am not a member of this channel: invite me with `/invite`, then ask again.';
    case 'is_archived':
      return 'This channel is archived, so nothing can be posted in it.';
    case 'restricted_action':
    case 'restricted_action_read_only_channel':
    case 'restricted_action_thread_only_channel':
    case 'restricted_action_thread_locked':
      return 'The settings of this channel do not let me post here: ask in another one, or ask an admin.';
    case 'message_not_found':
    case 'thread_not_found':
      return 'The message I wanted to change or answer was deleted.';
    default:
      return `Slack refused it (\`${code.slice(0, 60)}\`).`;
  }
}

const typeNotAllowed = 'this workspace does not allow files of this type';
const tooLargeHere = 'it is larger than this workspace allows';

const fileRefusals: ReadonlyMap<string | null, string> = new Map([
  ['file_uploads_disabled', 'this workspace does not allow file uploads; an admin can change that'],
  ['file_uploads_except_images_disabled', 'this workspace allows uploads of images only; an admin can change that'],
  ['file_type_not_allowed', typeNotAllowed],
  ['blocked_file_type', typeNotAllowed],
  ['file_upload_size_restricted', tooLargeHere],
  ['file_size_too_large', tooLargeHere],
  ['storage_limit_reached', "this workspace's storage is full"],
  ['snippet_too_large', 'it is too large for a Slack snippet'],
]);

/** Why Slack refuses a file, where the reason lies in the file or in the workspace's rules; `null` for other failures. */
export function fileRefusal(error: unknown): string | null {
  return fileRefusals.get(slackCodeOf(error)) ?? null;
}

function detailOf(data: object): string {
  const fields = asObject(data);
  const needed = asText(fields['needed']);
  const messages = asArray(asObject(fields['response_metadata'])['messages']).map(String);
  return [needed === null ? '' : ` (needs ${needed})`, ...messages.map((message) => ` ${message}`)].join('');
}
