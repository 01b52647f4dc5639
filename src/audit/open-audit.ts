import { hostname } from 'node:os';
import { AppError } from '../errors.ts';
import type { Logger } from '../log.ts';
import type { Audit } from '../ports/audit.ts';
import { openAuditFiles } from './audit-files.ts';
import { noAudit } from './no-audit.ts';

/** `path` as in the settings; `null`: nothing is recorded. Throws `config` where its folder cannot be written. */
export function openAudit(path: string | null, log: Logger): Audit & Disposable {
  if (path === null) return { ...noAudit, [Symbol.dispose]: () => {} };
  try {
    return openAuditFiles({ path, host: hostname(), processId: process.pid, log });
  } catch (error) {
    throw new AppError(
      'config',
      `The audit log ${path} cannot be written: ${error instanceof Error ? error.message : String(error)}. ` +
        'Check the folder of AUDIT_LOG (by default DATA_DIR), or set AUDIT_LOG=off.',
      { cause: error },
    );
  }
}
