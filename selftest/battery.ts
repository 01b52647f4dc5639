import type { Attack } from './attack.ts';
import { escapeAttacks } from './threats/01-escape.ts';
import { processBombAttacks } from './threats/02-process-bombs.ts';
import { memoryAttacks } from './threats/03-memory.ts';
import { diskAttacks } from './threats/04-disk.ts';
import { endlessCellAttacks } from './threats/05-endless-cells.ts';
import { outputFloodAttacks } from './threats/06-output-floods.ts';
import { outputFileAttacks } from './threats/08-output-files.ts';
import { outputLimitAttacks } from './threats/08-output-limits.ts';
import { archiveAttacks } from './threats/09-archives.ts';
import { bombAttacks } from './threats/10-bombs.ts';

/** Every attack, by threat. Each threat has its file. */
export const battery: readonly Attack[] = [
  ...escapeAttacks,
  ...processBombAttacks,
  ...memoryAttacks,
  ...diskAttacks, ...endlessCellAttacks, ...outputFloodAttacks,
  ...outputFileAttacks,
  ...outputLimitAttacks,
  ...archiveAttacks,
  ...bombAttacks,
];
