import { APIError } from 'openai';
import type { ModelError, ModelErrorCode } from '../ports/model.ts';

/** Ways in which servers say that the conversation is too long: OpenAI, Azure, vLLM, llama.cpp, Ollama, Anthropic and Google behind routers. */
const overflowPattern =
  /context[ _]length|context[ _]window|context size|maximum context|too many (?:input )?tokens|prompt is too long|input is too long|input token count|exceeds? the (?:model'?s )?(?:maximum|max) (?:number of )?(?:input )?tokens/i;

/** A rate limit that no waiting helps against: the request alone is above the tokens per minute. */
const tooLargePattern = /request too large|context_length_exceeded/i;

const quotaPattern =
  /insufficient_quota|billing_hard_limit|billing_not_active|insufficient credits|exceeded your current quota/i;
const filterCodes = new Set([
  'content_filter',
  'content_policy_violation',
  'invalid_prompt',
  'ResponsibleAIPolicyViolation',
]);

/** System and undici codes for a server that was never reached. */
const unreachableCodes = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ETIMEDOUT',
  'EPROTO',
  'UND_ERR_CONNECT_TIMEOUT',
  'ERR_INVALID_URL',
]);

/** Whatever the SDK threw, or a server wrote into its stream, as one of the port's errors. */
export function toModelError(error: unknown): ModelError {
  const { status, code, message } = factsOf(error);
  const kind = kindOf(status, `${code} ${message}`, error);
  const isQuota = kind === 'rate-limited' && (status === 402 || quotaPattern.test(`${code} ${message}`));
  return {
    code: kind,
    retryable: ['rate-limited', 'server-error', 'unreachable', 'interrupted'].includes(kind) && !isQuota,
    retryAfterMs: isQuota ? null : retryAfterMs(error),
    detail: [status === 0 ? '' : String(status), code, message.replace(/^\d{3} /, '')]
      .filter(Boolean)
      .join(' ')
      .slice(0, 1000),
  };
}

/** The server refused because of its content rules, which is an end of the turn and not a fault. */
export function isFiltered(error: unknown): boolean {
  return filterCodes.has(factsOf(error).code);
}

export function interrupted(detail: string): ModelError {
  return { code: 'interrupted', retryable: true, retryAfterMs: null, detail };
}

function kindOf(status: number, words: string, error: unknown): ModelErrorCode {
  if (status === 401 || status === 403) return 'auth';
  if (status === 429) return tooLargePattern.test(words) ? 'context-overflow' : 'rate-limited';
  if (status === 402 || quotaPattern.test(words)) return 'rate-limited';
  if (status === 413 || overflowPattern.test(words)) return 'context-overflow';
  if (status === 408 || status === 409 || status === 425 || status >= 500) return 'server-error';
  if (status >= 300) return 'rejected';
  if (/rate_limit/.test(words)) return 'rate-limited';
  if (causesOf(error).some((cause) => isUnreachable(cause))) return 'unreachable';
  // Without a status it is either an error object inside a stream, or the stream itself that broke.
  const isServersWord = error instanceof APIError ? error.error !== undefined : !(error instanceof Error);
  return isServersWord ? 'server-error' : 'interrupted';
}

interface Facts {
  /** 0 where there is none. */
  readonly status: number;
  readonly code: string;
  readonly message: string;
}

/** Routers put the HTTP status of a failure in mid-stream into `code`, as a number. */
function factsOf(error: unknown): Facts {
  if (!(error instanceof Error)) {
    const { code, message } = (typeof error === 'object' && error !== null ? error : {}) as Record<string, unknown>;
    return withStatus(0, code, typeof message === 'string' ? message : JSON.stringify(error));
  }
  if (error instanceof APIError) {
    const inner = (error.error ?? {}) as { readonly code?: unknown; readonly type?: unknown };
    return withStatus(
      error.status ?? 0,
      inner.code ?? error.code ?? inner.type,
      causesOf(error)
        .map(({ message }) => message)
        .join(': '),
    );
  }
  return withStatus(
    0,
    '',
    causesOf(error)
      .map(({ message }) => message)
      .join(': '),
  );
}

function withStatus(status: number, code: unknown, message: string): Facts {
  if (status === 0 && typeof code === 'number' && code >= 300 && code < 600) return { status: code, code: '', message };
  return { status, code: typeof code === 'string' ? code : '', message };
}

/** The error and what caused it, outermost first; a refused connection to a host with two addresses is an `AggregateError`. */
function causesOf(error: unknown): readonly Error[] {
  if (!(error instanceof Error)) return [];
  const inner = error instanceof AggregateError ? error.errors.slice(0, 1) : [error.cause];
  return [error, ...inner.flatMap(causesOf)];
}

function isUnreachable(error: Error): boolean {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  return unreachableCodes.has(code) || /^(ERR_TLS|ERR_SSL|CERT_|SELF_SIGNED|DEPTH_ZERO|UNABLE_TO_)/.test(code);
}

/** In milliseconds, from `retry-after-ms`, or `Retry-After` as seconds or as a date. */
function retryAfterMs(error: unknown): number | null {
  const headers = error instanceof APIError ? error.headers : undefined;
  const exact = Number.parseFloat(headers?.get('retry-after-ms') ?? '');
  if (Number.isFinite(exact)) return Math.max(0, exact);
  const value = headers?.get('retry-after')?.trim() ?? '';
  if (value === '') return null;
  const ms = /^\d+(\.\d+)?$/.test(value) ? Number(value) * 1000 : Date.parse(value) - Date.now();
  return Number.isFinite(ms) ? Math.max(0, Math.round(ms)) : null;
}
