import type { Artifact, ExecutionStatus } from '../types.ts';
import type { CellArtifact } from './collect.ts';
import { pictureNameFor, safeFileName, uniqueFileName } from './file-names.ts';

export interface CellOutcome {
  readonly status: ExecutionStatus;
  readonly artifacts: readonly CellArtifact[];
}

/**
 * What of all that the cells of a task left is the answer, in this order, and within it as it was made:
 * - charts of cells that worked; a later one with the same title replaces an earlier one (a repair, a restyle),
 * - tables of the last cell that showed any, and every table the code marked with `plotline.show`,
 * - files as they are at the end: the newest version of each path that still exists; charts that were saved first, pictures that
 *   nothing is known about last, because a cell may write hundreds of them on the way to something else.
 * Equal bytes go out once, under names that are safe wherever they are saved. `existing` are the paths in the working directory
 * now; `null` when the container is gone.
 */
export function selectArtifacts(
  cells: readonly CellOutcome[],
  existing: ReadonlySet<string> | null,
): readonly Artifact[] {
  const worked = cells.filter((cell) => cell.status === 'ok');
  const shown = (worked.length > 0 ? worked : cells)
    .flatMap((cell) => cell.artifacts)
    .filter(({ path }) => path === null);
  const lastTables = worked
    .map((cell) => cell.artifacts.filter(({ artifact }) => artifact.kind === 'table'))
    .findLast((tables) => tables.length > 0);

  const displayed = shown.filter(({ artifact, marked }, index) => {
    if (artifact.kind === 'table') return marked || lastTables?.some((last) => last.artifact === artifact) === true;
    return !shown.slice(index + 1).some((later) => replaces(later.artifact, artifact));
  });
  const written = cells.flatMap((cell) => cell.artifacts).filter(({ path }) => path !== null);
  const files = written.filter(
    ({ path }, index) =>
      path !== null &&
      (existing === null || existing.has(path)) &&
      !written.slice(index + 1).some((later) => later.path === path),
  );

  const bytesSeen = new Set<string>();
  const namesTaken = new Set<string>();
  const ordered = files.toSorted((one, other) => rankOf(one.artifact) - rankOf(other.artifact));
  const named = [...displayed, ...ordered].flatMap(({ artifact }) => {
    if (bytesSeen.has(artifact.file.sha256)) return [];
    bytesSeen.add(artifact.file.sha256);
    const name = uniqueFileName(safeFileName(artifact.file.name), namesTaken);
    namesTaken.add(name);
    return [{ ...artifact, file: { ...artifact.file, name } }];
  });
  return named.map((artifact) => withPictureName(artifact, namesTaken));
}

/** A table's picture is called as the table, where no file of the reply is. */
function withPictureName(artifact: Artifact, namesTaken: Set<string>): Artifact {
  if (artifact.picture === undefined) return artifact;
  const name = uniqueFileName(pictureNameFor(artifact.file.name), namesTaken);
  namesTaken.add(name);
  return { ...artifact, picture: { ...artifact.picture, name } };
}

function rankOf({ kind, chart }: Artifact): number {
  if (chart !== null) return 0;
  return kind === 'file' ? 1 : 2;
}

function replaces(later: Artifact, earlier: Artifact): boolean {
  return later.kind === earlier.kind && later.chart !== null && earlier.chart !== null && later.title === earlier.title;
}
