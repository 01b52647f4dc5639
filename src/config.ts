import { z } from 'zod';
import { blobEnvironment, blobPlace, blobProblems } from './blob-config.ts';
import type { S3Place } from './blob-config.ts';
import { discordConfig, discordEnvironment } from './discord-config.ts';
import type { DiscordConfig } from './discord-config.ts';
import { type EngineHost, parseEngineHosts } from './engine-hosts.ts';
import { AppError } from './errors.ts';
import { limitsConfig, limitsEnvironment, priceProblems, pricesConfig } from './limits-config.ts';
import type { Limit, Prices } from './ports/usage.ts';
import { httpConfig, operationsEnvironment, tracesConfig } from './operations-config.ts';
import type { HttpConfig, TracesConfig } from './operations-config.ts';
import { slackConfig, slackEnvironment, slackProblems } from './slack-config.ts';
import type { SlackConfig } from './slack-config.ts';
import type { Role } from './start-arguments.ts';

/** All settings, read once. Sizes in bytes, times in milliseconds; the environment uses MB and seconds. */
export interface Config {
  readonly dataDir: string;
  /** `null`: a SQLite file in `dataDir`. A secret. */
  readonly databaseUrl: string | null;
  /** `null`: files are kept in a folder of `dataDir`. */
  readonly blobs: S3Place | null;
  /** Threads whose newest question is older are forgotten; `null`: they are kept for ever. */
  readonly retentionMs: number | null;
  /** The name that files of the audit log begin with; `null`: there is none. */
  readonly auditPath: string | null;
  /** `null` where it is not set: `info` for the bot, silence for the conversation in the terminal. */
  readonly logLevel: string | null;
  /** 32 bytes, under which tokens of installed workspaces are kept. */
  readonly secretsKey: Uint8Array | null;
  readonly model: ModelConfig | null;
  readonly slack: SlackConfig | null;
  readonly discord: DiscordConfig | null;
  readonly http: HttpConfig | null;
  readonly traces: TracesConfig | null;
  readonly sandbox: SandboxConfig;
  readonly agent: AgentConfig;
  readonly limits: readonly Limit[];
  readonly prices: Prices | null;
  readonly concurrency: number;
  /** How long running tasks may go on after a stop signal; past it they are left to another process, or to the next start. */
  readonly shutdownGraceMs: number;
  /** Where processes share their queue; `null`: one process, whose queue is its own. */
  readonly redisUrl: string | null;
  readonly attachmentBytes: number;
  /** Where browsers reach the web server, without a slash at its end; `null`: there are no links to files. */
  readonly publicUrl: string | null;
}

export interface ModelConfig {
  readonly apiKey: string;
  readonly baseUrl: string;
  readonly model: string;
  /** Resolved: `auto` became the API that this base URL serves. */
  readonly api: 'responses' | 'chat';
  readonly timeoutMs: number;
}

export interface SandboxConfig {
  readonly image: string;
  readonly runtime: 'auto' | 'runc' | 'runsc';
  /** Empty: the Docker engine of the usual place. */
  readonly hosts: readonly EngineHost[];
  readonly memoryBytes: number;
  readonly workspaceBytes: number;
  readonly cpus: number;
  readonly processes: number;
  readonly cellTimeoutMs: number;
  readonly idleMs: number;
  /** Both for each engine. */
  readonly poolSize: number;
  readonly maxContainers: number;
}

export interface AgentConfig {
  readonly maxSteps: number;
  readonly maxTokens: number;
  readonly maxWallMs: number;
}

const megabyte = 1024 * 1024;

const number = (fallback: number, min: number, max: number) => z.coerce.number().min(min).max(max).default(fallback);

/** Counts and sizes: half a container is none. */
const whole = (fallback: number, min: number, max: number) =>
  z.coerce.number().int('must be a whole number').min(min).max(max).default(fallback);

/** An unset variable and an empty one mean the same: `.env` files are full of `NAME=`. */
const text = z.string().trim().min(1);

const leastWorkspaceMb = 128;
/** Of a sandbox's memory: its shared memory (`sharedMemoryBytes` of the sandbox's limits), and what Python needs at the least. */
const besideFilesMb = 64 + 128;

const openAiBaseUrl = 'https://api.openai.com/v1';

const environment = z.object({
  DATA_DIR: text.default('data'),
  DATABASE_URL: text
    .refine(isPostgresUrl, 'must be postgres://user:password@host:port/database (special characters as %40, %2F …)')
    .optional(),
  ...blobEnvironment,
  RETENTION_DAYS: z.coerce.number().min(1).max(36_500).optional(),
  AUDIT_LOG: text.optional(),
  LOG_LEVEL: z.enum(['debug', 'info', 'warn', 'error', 'silent']).optional(),

  SECRETS_KEY: text
    .refine(
      (value) => secretsKey(value) !== null,
      'must be 32 bytes as 64 hexadecimal digits or in base64 (openssl rand -hex 32)',
    )
    .optional(),

  OPENAI_API_KEY: text.optional(),
  OPENAI_BASE_URL: z.url({ protocol: /^https?$/ }).default(openAiBaseUrl),
  LLM_MODEL: text.default('gpt-5.1'),
  LLM_API: z.enum(['auto', 'responses', 'chat']).default('auto'),
  LLM_TIMEOUT_SECONDS: number(120, 1, 3600),

  ...slackEnvironment,

  ...discordEnvironment,

  ...limitsEnvironment,
  ...operationsEnvironment,

  SANDBOX_IMAGE: text.default('plotline-sandbox:latest'),
  SANDBOX_RUNTIME: z.enum(['auto', 'runc', 'runsc']).default('auto'),
  SANDBOX_HOSTS: text.default(''),
  SANDBOX_TLS_DIR: text.optional(),
  SANDBOX_MEMORY_MB: whole(1024, 256, 65_536),
  SANDBOX_WORKSPACE_MB: whole(512, leastWorkspaceMb, 65_536),
  SANDBOX_CPUS: number(2, 0.1, 64),
  SANDBOX_PROCESSES: whole(128, 32, 4096),
  SANDBOX_CELL_SECONDS: number(60, 1, 3600),
  SANDBOX_IDLE_SECONDS: number(1200, 1, 86_400),
  SANDBOX_POOL_SIZE: whole(1, 0, 64),
  SANDBOX_MAX: whole(8, 1, 1000),

  AGENT_MAX_STEPS: whole(12, 1, 100),
  AGENT_MAX_TOKENS: whole(400_000, 1000, 100_000_000),
  AGENT_MAX_SECONDS: number(600, 5, 86_400),
  REDIS_URL: text
    .refine(isRedisUrl, 'must be redis://[user:password@]host:port/number, or rediss:// with TLS')
    .optional(),
  TASKS_AT_ONCE: whole(4, 1, 256),
  SHUTDOWN_GRACE_SECONDS: number(20, 0, 3600),
  ATTACHMENTS_MAX_MB: whole(100, 1, 4096),
  PUBLIC_URL: z
    .url({ protocol: /^https?$/, error: 'must be an address like https://bot.example, without ? and #' })
    .refine((value) => !/[?#@]/.test(value), 'must be an address like https://bot.example, without ?, # and @')
    .optional(),
});

export type Environment = Readonly<Record<string, string | undefined>>;

/** Names of all variables, for the test that keeps `.env.example` and the README complete. */
export const variableNames: readonly string[] = Object.keys(environment.shape);

/**
 * Reads the settings from an environment, as far as a process of this role needs them. Pure: it touches nothing but its arguments.
 * Throws one `AppError` (`config`) that lists every problem at once, never a value (it may be a secret).
 */
export function readConfig(env: Environment, role: Role = 'all'): Config {
  const given = Object.fromEntries(
    Object.entries(env).filter(([, value]) => value !== undefined && value.trim() !== ''),
  );
  const parsed = environment.safeParse(given);
  const problems = parsed.success
    ? pairProblems(parsed.data, role)
    : parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${wordsOf(issue)}`);
  if (!parsed.success || problems.length > 0) {
    throw new AppError(
      'config',
      `These settings need a look (see .env.example):\n${problems.map((line) => `  - ${line}`).join('\n')}`,
    );
  }
  const values = parsed.data;
  return {
    dataDir: values.DATA_DIR,
    databaseUrl: values.DATABASE_URL ?? null,
    blobs: blobPlace(values),
    retentionMs: values.RETENTION_DAYS === undefined ? null : values.RETENTION_DAYS * 24 * 3600 * 1000,
    auditPath: values.AUDIT_LOG === 'off' ? null : (values.AUDIT_LOG ?? `${values.DATA_DIR}/audit.jsonl`),
    logLevel: values.LOG_LEVEL ?? null,
    secretsKey: secretsKey(values.SECRETS_KEY ?? ''),
    model: modelConfig(values),
    slack: slackConfig(values, role !== 'worker'),
    discord: discordConfig(values),
    http: httpConfig(values),
    traces: tracesConfig(values),
    sandbox: {
      image: values.SANDBOX_IMAGE,
      runtime: values.SANDBOX_RUNTIME,
      hosts: engineHosts(values).hosts,
      memoryBytes: values.SANDBOX_MEMORY_MB * megabyte,
      workspaceBytes: values.SANDBOX_WORKSPACE_MB * megabyte,
      cpus: values.SANDBOX_CPUS,
      processes: values.SANDBOX_PROCESSES,
      cellTimeoutMs: values.SANDBOX_CELL_SECONDS * 1000,
      idleMs: values.SANDBOX_IDLE_SECONDS * 1000,
      poolSize: values.SANDBOX_POOL_SIZE,
      maxContainers: values.SANDBOX_MAX,
    },
    agent: {
      maxSteps: values.AGENT_MAX_STEPS,
      maxTokens: values.AGENT_MAX_TOKENS,
      maxWallMs: values.AGENT_MAX_SECONDS * 1000,
    },
    limits: limitsConfig(values),
    prices: pricesConfig(values),
    concurrency: values.TASKS_AT_ONCE,
    shutdownGraceMs: values.SHUTDOWN_GRACE_SECONDS * 1000,
    redisUrl: values.REDIS_URL ?? null,
    attachmentBytes: values.ATTACHMENTS_MAX_MB * megabyte,
    publicUrl: values.PUBLIC_URL?.replace(/\/+$/, '') ?? null,
  };
}

/** Bounds of numbers as a person says them; the rest has words of its own. */
function wordsOf(issue: z.core.$ZodIssue): string {
  if (issue.code === 'too_small' && issue.origin === 'number') return `must be ${issue.minimum} or more`;
  if (issue.code === 'too_big' && issue.origin === 'number') return `must be ${issue.maximum} or less`;
  return issue.message;
}

/** The host may be empty beside `?host=/folder/of/a/socket`. */
function isPostgresUrl(value: string): boolean {
  const url = URL.parse(value.replace('@/', '@localhost/'));
  return url !== null && /^postgres(ql)?:$/.test(url.protocol) && url.pathname.length > 1;
}

/** Reserved characters of a password must be percent-encoded, or the rest is read as something else. */
function isRedisUrl(value: string): boolean {
  const url = URL.parse(value);
  return url !== null && /^rediss?:$/.test(url.protocol) && url.hostname !== '' && /^\/?\d*$/.test(url.pathname);
}

/** `null` where the text is not 32 bytes. */
function secretsKey(value: string): Uint8Array | null {
  const bytes = Buffer.from(value, /^[0-9a-f]{64}$/i.test(value) ? 'hex' : 'base64');
  return bytes.length === 32 ? bytes : null;
}

type Values = z.infer<typeof environment>;

function pairProblems(values: Values, role: Role): readonly string[] {
  const problems: string[] = [
    ...blobProblems(values),
    ...engineHosts(values).problems,
    ...slackProblems(values, role !== 'worker'),
    ...priceProblems(values),
  ];
  if (values.OPENAI_BASE_URL !== openAiBaseUrl && values.OPENAI_API_KEY === undefined) {
    problems.push('OPENAI_API_KEY: needed beside OPENAI_BASE_URL (any word for a server that asks for none)');
  }
  problems.push(...memoryProblems(values.SANDBOX_MEMORY_MB, values.SANDBOX_WORKSPACE_MB));
  if (values.PUBLIC_URL !== undefined && values.SECRETS_KEY === undefined) {
    problems.push('SECRETS_KEY: needed beside PUBLIC_URL, to sign the links to files (openssl rand -hex 32)');
  }
  if (values.PUBLIC_URL !== undefined && values.HTTP_PORT === undefined && role === 'all') {
    problems.push('HTTP_PORT: needed beside PUBLIC_URL, which leads browsers there');
  }
  if (role !== 'all' && values.REDIS_URL === undefined) {
    problems.push(`REDIS_URL: needed with --role ${role}: gateways and workers share their queue there`);
  }
  if (values.SANDBOX_POOL_SIZE > values.SANDBOX_MAX) {
    problems.push('SANDBOX_POOL_SIZE: must not be above SANDBOX_MAX');
  }
  return problems;
}

/** All that a sandbox may fill lies in its memory: the workspace, /tmp (half as large) and shared memory. Python must fit beside it. */
function memoryProblems(memoryMb: number, workspaceMb: number): readonly string[] {
  const neededMb = Math.ceil(1.5 * workspaceMb) + besideFilesMb;
  if (neededMb <= memoryMb) return [];
  const fittingMb = Math.floor((memoryMb - besideFilesMb) / 1.5);
  const lower = fittingMb < leastWorkspaceMb ? '' : `, or SANDBOX_WORKSPACE_MB to ${fittingMb} or less`;
  return [
    `SANDBOX_MEMORY_MB: must hold 1.5 times SANDBOX_WORKSPACE_MB (files and temporary files) and ${besideFilesMb} MB for Python. ` +
      `Set SANDBOX_MEMORY_MB to ${neededMb} or more${lower}`,
  ];
}

function engineHosts(values: Values): ReturnType<typeof parseEngineHosts> {
  return parseEngineHosts(values.SANDBOX_HOSTS, values.SANDBOX_TLS_DIR ?? null);
}

function modelConfig(values: Values): ModelConfig | null {
  if (values.OPENAI_API_KEY === undefined) return null;
  return {
    apiKey: values.OPENAI_API_KEY,
    baseUrl: values.OPENAI_BASE_URL,
    model: values.LLM_MODEL,
    api: values.LLM_API === 'auto' ? apiOf(values.OPENAI_BASE_URL) : values.LLM_API,
    timeoutMs: values.LLM_TIMEOUT_SECONDS * 1000,
  };
}

/** OpenAI and Azure's `/openai/v1` serve Responses whole; elsewhere that surface is partial, Chat Completions is not. */
function apiOf(baseUrl: string): 'responses' | 'chat' {
  const { hostname, pathname } = new URL(baseUrl);
  const isAzure = hostname.endsWith('.azure.com') && pathname.startsWith('/openai/v1');
  return hostname === 'api.openai.com' || isAzure ? 'responses' : 'chat';
}
