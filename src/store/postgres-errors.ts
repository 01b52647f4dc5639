import { AppError } from '../errors.ts';

/** SQLSTATEs (PostgreSQL 17, appendix A) that say nothing about the statement: the same may work in a moment, or on another server. */
const passing = new Set([
  // The session was ended: by the administrator, a crash, a start-up, a connection that was idle for too long.
  '57P01',
  '57P02',
  '57P03',
  '57P05',
  '25P03',
  // It waited or ran for too long; it was in the others' way.
  '57014',
  '55P03',
  '40001',
  '40P01',
  // The server has become a replica that only reads.
  '25006',
]);

/** Of connections (08) and of the server's resources (53): connections, disk, memory. */
const passingClasses = /^(08|53)/;

const networkCodes = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ENOENT',
]);

/** What `pg` says when a server that is not there any more was waited for. */
const unansweredWords = /^query read timeout/i;

/** What `pg` says without a code when a connection is gone or none came in time. */
const goneWords =
  /connection terminated|connection ended|not queryable|timeout exceeded when trying to connect|timeout expired|client was closed/i;

/** The failure of a query. Where another attempt may work, it is retryable. Never holds values of the query. */
export function queryFailure(error: unknown): unknown {
  if (!isPassing(error)) return error;
  return new AppError('internal', 'I cannot reach my database at the moment. Please ask again in a minute.', {
    retryable: true,
    cause: error,
    detail: `the database did not answer: ${reasonOf(error)}`,
  });
}

/** Whether the answer may still come on that connection. */
export function isUnanswered(error: unknown): boolean {
  return error instanceof Error && unansweredWords.test(error.message);
}

function isPassing(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = codeOf(error);
  if (passing.has(code) || networkCodes.has(code) || passingClasses.test(code)) return true;
  if (error instanceof AggregateError && error.errors.some(isPassing)) return true;
  return code === '' && (isUnanswered(error) || goneWords.test(error.message));
}

/**
 * Why the store cannot be opened, for whoever runs the bot: `config` where it stays so, retryable where the server may only be away.
 * `name` is the database without secrets.
 */
export function openingFailure(name: string, error: unknown): AppError {
  if (error instanceof AppError && error.code === 'config') return error;
  const cause = error instanceof AppError ? error.cause : error;
  const words = `${name} cannot be used: ${reasonOf(cause)}. ${adviceFor(codeOf(cause) || wordsOf(cause))}`;
  return isPassing(cause)
    ? new AppError('internal', words, { cause, retryable: true })
    : new AppError('config', words, { cause });
}

function adviceFor(code: string): string {
  switch (code) {
    case '28P01':
    case '28000':
    case 'password':
      return 'Check user and password in DATABASE_URL, and that the server lets this machine in (pg_hba.conf).';
    case '3D000':
      return 'Create it (createdb), or name another one at the end of DATABASE_URL.';
    case '42501':
      return 'The user of DATABASE_URL must be allowed to create tables there (GRANT CREATE ON SCHEMA public).';
    case '25006':
      return 'It only lets itself be read: it is a replica, or set so. DATABASE_URL must name the server that is written to.';
    case '42P07':
      return 'It holds the tables of another program. Give Plotline a database of its own.';
    case '22P05':
      return 'Plotline needs one with the encoding UTF8: createdb -E UTF8 -T template0.';
    case '53300':
      return 'Every process of the bot opens up to 10 connections: raise max_connections there, or run fewer processes.';
    default:
      return 'Check that the server runs, and host and port in DATABASE_URL; where it asks for TLS, its sslmode.';
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}

/** `pg` itself says what it lacks, without a code. */
function wordsOf(error: unknown): string {
  return /password/i.test(reasonOf(error)) ? 'password' : '';
}

/** An `AggregateError` (all addresses of a host refused) has no message of its own. */
function reasonOf(error: unknown): string {
  if (error instanceof AggregateError) return [...new Set(error.errors.map(reasonOf))].join('; ');
  return error instanceof Error ? error.message : String(error);
}
