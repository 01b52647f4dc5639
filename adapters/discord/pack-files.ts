import type { OutgoingFile, PostReceipt } from '../../src/ports/platforms.ts';
import type { Artifact } from '../../src/types.ts';
import { formatBytes } from '../format.ts';
import { discordLimits } from './limits.ts';

/** A file on its way out, with what is known of it. */
export interface PlannedFile {
  readonly outgoing: OutgoingFile;
  readonly artifact: Artifact | null;
  /** Shows what is in another file: it is not counted as one. */
  readonly isExtra: boolean;
}

/** Sorts out what Discord would refuse, and puts the rest, in order, into as few messages as their limits allow. */
export function packFiles(
  files: readonly PlannedFile[],
  limits: { readonly fileBytes: number },
): { readonly groups: readonly (readonly PlannedFile[])[]; readonly notPosted: PostReceipt['notPosted'] } {
  const notPosted: { name: string; reason: string }[] = [];
  const groups: PlannedFile[][] = [];
  const room = discordLimits.requestBytes - discordLimits.requestOverheadBytes;
  let groupBytes = 0;
  let count = 0;
  for (const file of files) {
    const { name, sizeBytes } = file.outgoing.file;
    const isOneTooMany = !file.isExtra && count >= discordLimits.filesPerReply;
    const reason = isOneTooMany ? tooMany : refusal(sizeBytes, limits.fileBytes);
    if (reason !== null) {
      notPosted.push({ name, reason });
      continue;
    }
    if (!file.isExtra) count += 1;
    const group = groups.at(-1);
    if (group === undefined || group.length >= discordLimits.filesPerMessage || groupBytes + sizeBytes > room) {
      groups.push([file]);
      groupBytes = sizeBytes;
    } else {
      group.push(file);
      groupBytes += sizeBytes;
    }
  }
  return { groups, notPosted };
}

const tooMany = `I post at most ${discordLimits.filesPerReply} files with one answer; ask for it on its own`;

function refusal(sizeBytes: number, fileBytes: number): string | null {
  if (sizeBytes === 0) return 'it is empty, and Discord takes no empty files';
  if (sizeBytes <= fileBytes) return null;
  return `it has ${formatBytes(sizeBytes)}, and this server takes at most ${formatBytes(fileBytes)} a file; ask for a part of it or for a zip`;
}
