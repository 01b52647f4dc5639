import pino from 'pino';

/** Structured log. Never given cell contents, file contents or tokens; keys that look like secrets are redacted anyway. */
export interface Logger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
  child(fields: object): Logger;
}

const secretKeys = ['token', 'apiKey', 'authorization', 'password', 'secret', 'botToken', 'appToken', 'signingSecret'];
const redactPaths = secretKeys.flatMap((key) => [key, `*.${key}`, `*.*.${key}`]);

/** Shapes of secrets that can hide inside messages and stacks: Slack tokens, OpenAI-style keys, bearer headers. */
const secretPattern = /\b(xox[a-z]-[\w-]+|xapp-[\w-]+|sk-[\w-]{8,})|(?<=bearer )[\w.~+/-]{8,}/gi;

function withoutSecrets(line: string): string {
  return line.replace(secretPattern, '[redacted]');
}

/** `level` is one of pino's: debug, info, warn, error, silent. Lines go to stderr, so that stdout belongs to the terminal adapter. */
export function createLogger(
  level: string,
  write: (line: string) => void = (line) => process.stderr.write(line),
): Logger {
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: redactPaths, censor: '[redacted]' },
    },
    { write: (line: string) => write(withoutSecrets(line)) },
  );
}
