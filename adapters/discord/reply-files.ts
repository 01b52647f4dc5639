import type { OutgoingArtifact, OutgoingFile } from '../../src/ports/platforms.ts';
import type { Artifact, Reply } from '../../src/types.ts';
import { recordsText } from '../table-text.ts';
import type { TableText } from '../table-text.ts';
import { tableWords } from '../table-words.ts';
import { discordLimits, recordPreview, tablePicturesPerReply } from './limits.ts';
import type { PlannedFile } from './pack-files.ts';

/** Tables of the reply that are shown as pictures: those too wide for a code block, the first ones. */
export function picturedTables({ artifacts }: Pick<Reply, 'artifacts'>): ReadonlySet<Artifact> {
  return new Set(artifacts.filter(needsPicture).slice(0, tablePicturesPerReply));
}

/** The table row by row where all of it fits so, else `null`. */
export function wholeRecords(table: NonNullable<Artifact['table']>): TableText | null {
  const records = recordsText(table, recordPreview);
  return records.shownRows === table.rowCount ? records : null;
}

/** The reply's files in their order, each picture of a table before its table. `files`: none, or one for each artifact. */
export function filesOfReply(reply: Reply, files: readonly OutgoingArtifact[]): readonly PlannedFile[] {
  const pictured = picturedTables(reply);
  return files.flatMap((outgoing, index) => {
    const artifact = reply.artifacts[index] ?? null;
    const file: PlannedFile = { outgoing, artifact, isExtra: false };
    if (artifact === null || outgoing.picture === undefined || !pictured.has(artifact)) return [file];
    return [pictureOf(artifact, outgoing.picture), file];
  });
}

function pictureOf(artifact: Artifact, outgoing: OutgoingFile): PlannedFile {
  const { table, title } = artifact;
  const altText = table === null ? title : tableWords(title, table, discordLimits.altTextCharacters);
  return { outgoing, artifact: { ...artifact, kind: 'chart', altText, file: outgoing.file }, isExtra: true };
}

/** A single row is read better line by line than in a picture. */
function needsPicture({ table, picture }: Artifact): boolean {
  if (table === null || picture === undefined || table.columns.length === 0) return false;
  return table.rowCount !== 1 || wholeRecords(table) === null;
}
