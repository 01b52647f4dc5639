import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { hasPostgres } from '../../scripts/setup/postgres.mjs';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'plotline-setup-'));
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

const putPrograms = (bin: string, ...names: readonly string[]): void => {
  mkdirSync(bin, { recursive: true });
  for (const name of names) writeFileSync(join(bin, name), '');
};

it("finds a server in Debian's folder of a version, which is on no PATH", () => {
  putPrograms(join(folder, '15', 'bin'), 'psql');
  vi.stubEnv('PATH', '/nowhere');
  // Where the machine itself has one in a place of system programs, there is nothing to tell apart.
  const here = hasPostgres(join(folder, 'missing'));
  expect(hasPostgres(folder)).toBe(here);
  putPrograms(join(folder, '17', 'bin'), 'initdb', 'postgres');
  expect(hasPostgres(folder)).toBe(true);
});

it('finds a server on PATH, whole or not at all', () => {
  vi.stubEnv('PATH', folder);
  putPrograms(folder, 'initdb', 'postgres');
  expect(hasPostgres(join(folder, 'missing'))).toBe(true);
});
