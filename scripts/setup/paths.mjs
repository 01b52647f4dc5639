import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The project's folder. */
export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** What the set-up remembers and installs for the project alone; safe to delete. */
export const stateFolder = join(root, '.plotline');
