import { z } from 'zod';

/** The messages of `protocol.md`. What comes from a driver is checked here before anything else looks at it. */

export type BotMessage =
  | {
      readonly type: 'run';
      readonly id: number;
      readonly timeoutMs: number;
      readonly graceMs: number;
      readonly maxOutputBytes: number;
      readonly seed: number | null;
      readonly clockMs: number | null;
    }
  | { readonly type: 'interrupt'; readonly id: number }
  | { readonly type: 'write'; readonly id: number; readonly path: string; readonly sizeBytes: number | null }
  | { readonly type: 'write-data'; readonly id: number }
  | { readonly type: 'write-end'; readonly id: number; readonly abort: boolean }
  | { readonly type: 'read'; readonly id: number; readonly path: string; readonly maxBytes: number }
  | { readonly type: 'list'; readonly id: number; readonly path: string }
  | { readonly type: 'ping'; readonly id: number };

const id = z.int().positive();
const size = z.int().nonnegative();
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);

/** Relative, and going nowhere but down. Anything else in a name is allowed: it is data, never a path on this machine. */
const relativePath = z
  .string()
  .min(1)
  .max(4096)
  .refine(
    (path) => !path.includes('\0') && !path.startsWith('/') && !path.split('/').includes('..'),
    'not a relative path',
  );

const mime = z
  .string()
  .max(255)
  .regex(/^[\w.+-]+\/[\w.+-]+(;.*)?$/);

/** Python counts whole characters, JavaScript UTF-16 units: up to two for one of them. */
const characters = (most: number) => z.string().max(2 * most);

const formulaCells = z.object({
  count: size,
  examples: z.array(z.object({ cell: characters(300), text: characters(100) })).max(5),
  partial: z.boolean(),
});

const outputFile = z.object({
  path: relativePath,
  sizeBytes: size,
  sha256,
  change: z.enum(['new', 'changed']),
  formulas: formulaCells.nullable().default(null),
});

const driverMessage = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('ready'),
    protocol: z.literal(1),
    python: z.string().max(100),
    pid: size,
    bootMs: z.number().nonnegative(),
  }),
  z.object({ type: z.literal('output'), id, stream: z.enum(['stdout', 'stderr']) }),
  z.object({
    type: z.literal('result'),
    id,
    parts: z.array(z.object({ mime, bytes: size, encoding: z.enum(['utf8', 'json', 'binary']) })).max(64),
  }),
  z.object({
    type: z.literal('done'),
    id,
    status: z.enum(['ok', 'error', 'timeout', 'out-of-memory', 'cancelled']),
    error: z.object({ name: z.string(), message: z.string(), traceback: z.string() }).nullable(),
    stateKept: z.boolean(),
    files: z.array(outputFile),
    durationMs: z.number().nonnegative(),
    truncated: z.boolean(),
  }),
  z.object({ type: z.literal('written'), id, sizeBytes: size, sha256 }),
  z.object({ type: z.literal('data'), id }),
  z.object({ type: z.literal('end'), id, sizeBytes: size, sha256 }),
  z.object({ type: z.literal('listing'), id, entries: z.array(z.object({ path: relativePath, sizeBytes: size })) }),
  z.object({
    type: z.literal('failed'),
    id,
    code: z.enum(['not-found', 'not-a-file', 'too-large', 'no-space', 'bad-path', 'aborted']),
    message: z.string(),
  }),
  z.object({ type: z.literal('pong'), id }),
]);

export type DriverMessage = z.infer<typeof driverMessage>;
export type DriverFailure = Extract<DriverMessage, { type: 'failed' }>;

/** The driver said something that the protocol does not know. The session ends. */
export class MessageError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'MessageError';
  }
}

/** The header as a message; unknown members are dropped. Throws `MessageError`, which names members and never values. */
export function parseDriverMessage(header: unknown): DriverMessage {
  const parsed = driverMessage.safeParse(header);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues
    .slice(0, 3)
    .map((issue) => `${issue.path.join('.') || 'header'}: ${issue.message}`);
  throw new MessageError(`not a driver message (${problems.join('; ')})`);
}
