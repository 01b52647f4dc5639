import { vi } from 'vitest';

/** Resolves once `check` passes, which on a machine with much to do may take its time. */
export function eventually<T>(
  check: () => T | Promise<T>,
  { timeout = 8000, interval = 10 }: { readonly timeout?: number; readonly interval?: number } = {},
): Promise<T> {
  return vi.waitFor(check, { timeout, interval });
}
