import type { Attack } from './attack.ts';
import { escapeAttacks } from './threats/01-escape.ts';
import { processBombAttacks } from './threats/02-process-bombs.ts';
import { memoryAttacks } from './threats/03-memory.ts';
import { diskAttacks } from './threats/04-disk.ts';
import { endlessCellAttacks } from './threats/05-endless-cells.ts';
import { outputFloodAttacks } from './threats/06-output-floods.ts';
import { protocolAttacks } from './threats/07-protocol.ts';
import { outputFileAttacks } from './threats/08-output-files.ts';
import { outputLimitAttacks } from './threats/08-output-limits.ts';
import { archiveAttacks } from './threats/09-archives.ts';
import { bombAttacks } from './threats/10-bombs.ts';
import { entityAttacks } from './threats/11-external-entities.ts';
import { codeInFilesAttacks } from './threats/12-code-in-files.ts';
import { secretAttacks } from './threats/13-secrets.ts';
import { networkAttacks } from './threats/14-network.ts';
import { injectionAttacks } from './threats/15-prompt-injection.ts';
import { formulaAttacks } from './threats/16-formulas.ts';
import { isolationAttacks } from './threats/17-isolation.ts';
import { chatInjectionAttacks } from './threats/18-chat-injection.ts';
import { hoggingAttacks } from './threats/19-hogging.ts';
import { orphanAttacks } from './threats/20-orphans.ts';
import { sideChannelAttacks } from './threats/21-side-channels.ts';

/** Every attack, by threat. Each threat has its file. */
export const battery: readonly Attack[] = [
  ...escapeAttacks,
  ...processBombAttacks,
  ...memoryAttacks,
  ...diskAttacks,
  ...endlessCellAttacks,
  ...outputFloodAttacks,
  ...protocolAttacks,
  ...outputFileAttacks,
  ...outputLimitAttacks,
  ...archiveAttacks,
  ...bombAttacks,
  ...entityAttacks,
  ...codeInFilesAttacks,
  ...secretAttacks,
  ...networkAttacks,
  ...injectionAttacks,
  ...formulaAttacks,
  ...isolationAttacks,
  ...chatInjectionAttacks,
  ...hoggingAttacks,
  ...orphanAttacks,
  ...sideChannelAttacks,
];
