import { AsyncLocalStorage } from 'node:async_hooks';
import pino from 'pino';

/** Structured log. Never given cell contents, file contents or tokens; keys that look like secrets are redacted anyway. */
export interface Logger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
  child(fields: object): Logger;
  /**
   * Every line that `work` and all that it calls, also later, log by this logger or its relatives bears these fields. An inner call
   * replaces the fields of an outer one: `{}` takes them away from what a task merely set going.
   */
  within<T>(fields: object, work: () => T): T;
}

const secretKeys =
  'token apiKey authorization password secret botToken appToken signingSecret refreshToken accessToken clientSecret stateSecret secretsKey refresh_token access_token client_secret'.split(
    ' ',
  );
const redactPaths = secretKeys.flatMap((key) => [key, `*.${key}`, `*.*.${key}`]);

/** Shapes of secrets that can hide inside messages and stacks: Slack tokens (xoxb-…, xoxe.xoxb-…), OpenAI-style keys, bearer headers. */
const secretPattern = /\b((?:xox[a-z]\.)?xox[a-z]-[\w-]+|xapp-[\w-]+|sk-[\w-]{8,})|(?<=bearer )[\w.~+/-]{8,}/gi;

/** Secrets without a shape of their own, known by the name before them: in forms, addresses, and JSON inside of texts. */
const namedSecretPattern =
  /(?<=\b(?:client_?secret|refresh_?token|access_?token|signing_?secret)(?:\\?["'])?\s?[:=]\s?(?:\\?["'])?)[^\s"'&\\,;}[]{8,}/gi;

/**
 * Parts of addresses that let in whoever has them: passwords before a host, signatures and keys of links, the tokens in Discord's
 * paths for webhooks and interactions, in Slack's for uploads and hooks, in our own for files. Also tokens of three parts: Discord's,
 * and JWTs.
 */
const linkPatterns = [
  /(?<=:\/\/[^\s/@:"'\\]*:)[^\s/@"'\\]+(?=@)/g,
  /(?<=[?&](?:x-amz-(?:signature|credential|security-token)|signature|sig|hm|token|key|pub_secret)=)[^\s&"'\\<>]+/gi,
  /(?<=\/(?:webhooks|interactions)\/\d+\/)[\w-]{20,}/g,
  /(?<=\bhooks\.slack\.com\/|\bfiles\.slack\.com\/upload\/)[^\s"'\\<>]+/g,
  /(?<![\w-])[\w-]{20,}\.[\w-]{6,}\.[\w-]{27,}/g,
  /(?<=\/files\/)[0-9a-f]+\.[0-9a-f]{64}/g,
];

const patterns = [secretPattern, namedSecretPattern, ...linkPatterns];

/** A text without what looks like a secret. */
export function withoutSecrets(line: string): string {
  return patterns.reduce((rest, pattern) => rest.replace(pattern, '[redacted]'), line);
}

/** What a terminal obeys and JSON lets through: DEL, C1, line separators, and the characters that turn text around. */
const obeyed = /[\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;

/** Such a character can only stand inside a string of the line's JSON, so its escape means the same. */
function printable(line: string): string {
  return line.replace(obeyed, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** `level` is one of pino's: debug, info, warn, error, silent. Lines go to stderr, so that stdout belongs to the terminal adapter. */
export function createLogger(
  level: string,
  write: (line: string) => void = (line) => process.stderr.write(line),
): Logger {
  const current = new AsyncLocalStorage<object>();
  const root = pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: redactPaths, censor: '[redacted]' },
      // A copy: pino adds the line's own fields to it.
      mixin: () => ({ ...current.getStore() }),
    },
    { write: (line: string) => write(printable(withoutSecrets(line))) },
  );
  return toLogger(root, (fields, work) => current.run(fields, work));
}

function toLogger(logger: pino.Logger, within: Logger['within']): Logger {
  return {
    debug: (fields, message) => logger.debug(fields, message),
    info: (fields, message) => logger.info(fields, message),
    warn: (fields, message) => logger.warn(fields, message),
    error: (fields, message) => logger.error(fields, message),
    child: (fields) => toLogger(logger.child(fields), within),
    within,
  };
}
