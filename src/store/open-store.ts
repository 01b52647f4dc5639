import { join } from 'node:path';
import type { Logger } from '../log.ts';
import type { Store } from '../ports/store.ts';
import { createSecretBox } from './secret-box.ts';
import { createSqliteStore } from './sqlite-store.ts';

/** What of the settings says where threads are kept. */
export interface StoreSettings {
  readonly dataDir: string;
  /** `null`: a SQLite file in `dataDir`. */
  readonly databaseUrl: string | null;
  /** 32 bytes. `null`: no tokens are kept. */
  readonly secretsKey: Uint8Array | null;
}

/**
 * Rejects in words for whoever runs the bot: with `config` where it cannot be opened, retryable where the server does not answer. The
 * driver is loaded where it is used.
 */
export async function openStore({ dataDir, databaseUrl, secretsKey }: StoreSettings, log: Logger): Promise<Store> {
  const box = secretsKey === null ? null : createSecretBox(secretsKey);
  if (databaseUrl === null) return createSqliteStore({ path: join(dataDir, 'plotline.sqlite'), box, log });
  const { createPostgresStore } = await import('./postgres-store.ts');
  return createPostgresStore({ url: databaseUrl, box, log });
}
