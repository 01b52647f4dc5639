import type { Audit } from '../ports/audit.ts';

/** For the conversation in the terminal, and where `AUDIT_LOG=off`. */
export const noAudit: Audit = { record: () => {} };
