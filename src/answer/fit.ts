import type { PlatformLimits } from '../ports/platforms.ts';
import type { Artifact } from '../types.ts';
import { megabytes } from './size-text.ts';

/** What one reply carries at most: more is no longer looked at, and a zip serves better. */
const maxArtifacts = 20;

/** Names in the notice about the rest. */
const namedOfTheRest = 10;

/**
 * What of the artifacts, the most wanted first, can go out with one reply on this platform: no file over its limit and at most
 * 20. `notices` name what cannot, and how to get it.
 */
export function fitArtifacts(
  artifacts: readonly Artifact[],
  limits: Pick<PlatformLimits, 'fileBytes'>,
): { readonly artifacts: readonly Artifact[]; readonly notices: readonly string[] } {
  const tooLarge = artifacts.filter(({ file }) => file.sizeBytes > limits.fileBytes);
  const small = artifacts.filter(({ file }) => file.sizeBytes <= limits.fileBytes);
  const notices = tooLarge.map(
    ({ file }) =>
      `\`${file.name}\` has ${megabytes(file.sizeBytes)}, and at most ${megabytes(limits.fileBytes)} can be posted here. ` +
      'Ask for a part of it, or for a zip.',
  );
  if (small.length <= maxArtifacts) return { artifacts: small, notices };
  return { artifacts: small.slice(0, maxArtifacts), notices: [...notices, restNotice(small.slice(maxArtifacts))] };
}

function restNotice(rest: readonly Artifact[]): string {
  const names = rest.slice(0, namedOfTheRest).map(({ file }) => `\`${file.name}\``);
  const unnamed = rest.length - names.length;
  const list = `${names.join(', ')}${unnamed > 0 ? ` and ${unnamed} more` : ''}`;
  const counted = rest.length === 1 ? '1 more file was' : `${rest.length} more files were`;
  return `${counted} made and not posted (${list}): ${maxArtifacts} go with one answer. Ask for a zip to get them all.`;
}
