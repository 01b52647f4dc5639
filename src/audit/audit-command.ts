import { checkFile, missingEnds } from './verify.ts';
import type { AuditCheck } from './verify.ts';

export const auditUsage = `npm run audit -- FILE…

Checks the hash chain of an audit log and names the first line of each file that was changed, removed, added or moved.
Name all files together: each says which one it follows. The exit code is 0 where every chain holds.

The chain cannot show that the last lines of the last file are missing. Keep the hash that is printed for it somewhere else,
and compare: it must be in the file for ever.`;

/** Prints a line for each file; resolves to the exit code. */
export async function runAuditCommand(paths: readonly string[], print: (line: string) => void): Promise<number> {
  const checks: AuditCheck[] = [];
  let isWhole = true;
  for (const path of paths) {
    const found = await checkFile(path).catch((error: unknown) => String(error));
    if (typeof found === 'string') {
      print(`UNREAD  ${path}: ${found}`);
      isWhole = false;
      continue;
    }
    checks.push(found);
    if (found.broken === null) {
      const cut = found.isCut ? ', then a line that a crash cut' : '';
      print(`ok      ${path}: ${found.lines} lines${cut}; the last hash is ${found.lastHash}`);
    } else {
      print(`BROKEN  ${path}: line ${found.broken.line}: ${found.broken.reason}`);
      isWhole = false;
    }
  }
  for (const { file, reason } of missingEnds(checks)) {
    print(`BROKEN  ${file}: ${reason}`);
    isWhole = false;
  }
  return isWhole ? 0 : 1;
}
