import { Pool } from 'pg';
import type { PoolClient } from 'pg';
import type { PostgresPool, PostgresPoolClient } from 'kysely';
import type { Logger } from '../log.ts';
import { isUnanswered, queryFailure } from './postgres-errors.ts';
import { asGiven, asStored } from './stored-text.ts';
import { repeated } from './transactions.ts';

/** How long a query waits for a free or new connection. */
const connectTimeoutMs = 10_000;

/** A server that is there ends a statement at its limit; one that is not is given up so much later. */
const answerMarginMs = 5000;

/** A transaction whose process hangs gives its locks back after this. */
const idleInTransactionMs = 30_000;

export interface PoolOptions {
  readonly url: string;
  readonly connections: number;
  /** Longest run of one statement, waiting for others' locks included; 0: no limit. */
  readonly statementTimeoutMs: number;
  readonly log: Logger;
}

/**
 * Connections of `pg` for Kysely. One that breaks is replaced and never ends the process: a query on it rejects, retryable. Texts are
 * stored whole, see `stored-text.ts`.
 */
export function createPostgresPool({ url, connections, statementTimeoutMs, log }: PoolOptions): PostgresPool {
  const pool = new Pool({
    connectionString: url,
    max: connections,
    connectionTimeoutMillis: connectTimeoutMs,
    statement_timeout: statementTimeoutMs,
    ...(statementTimeoutMs === 0 ? {} : { query_timeout: statementTimeoutMs + answerMarginMs }),
    idle_in_transaction_session_timeout: idleInTransactionMs,
    keepAlive: true,
    application_name: 'plotline',
  });
  const heard = (error: Error): void => {
    log.warn({ error: error.message }, 'a connection to the database broke');
  };
  // The pool hears its idle connections alone; one that is in use and breaks would end the process.
  pool.on('error', heard);
  pool.on('connect', (client) => client.on('error', () => {}));
  return {
    connect: () => pool.connect().then(withWholeTexts, rejectFailure),
    end: () => pool.end(),
    options: {},
  };
}

function withWholeTexts(client: PoolClient): PostgresPoolClient {
  let isInTransaction = false;
  /** Why nothing more is asked of it: an answer that is still to come would be taken for the next one's. */
  let fault: unknown = null;
  const ask = async (text: string, parameters: readonly unknown[]) => {
    if (fault !== null) throw fault;
    try {
      const result = await client.query<Record<string, unknown>>(text, asStored(parameters));
      return { ...result, rows: asGiven(result.rows) };
    } catch (error) {
      const failure = queryFailure(error);
      if (isUnanswered(error)) fault = failure;
      throw failure;
    }
  };
  return {
    query: (text: string, parameters: readonly unknown[]) => {
      if (/^(begin|start transaction)\b/.test(text)) isInTransaction = true;
      if (/^(commit|rollback)$/.test(text)) isInTransaction = false;
      // A transaction is repeated as a whole, see `transactions.ts`.
      return isInTransaction ? ask(text, parameters) : repeated(() => ask(text, parameters));
    },
    release: (error?: Error | boolean) => client.release(fault === null ? error : true),
  } as unknown as PostgresPoolClient;
}

function rejectFailure(error: unknown): never {
  throw queryFailure(error);
}
