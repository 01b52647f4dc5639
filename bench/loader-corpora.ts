import { createReadStream, existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import type { SandboxSession } from '../src/ports/sandbox.ts';
import { shareFigure } from './figures.ts';
import type { Figure } from './figures.ts';
import { acquire, openSandboxes } from './sandboxes.ts';

const rows = {
  delimiter: { name: 'dialects: delimiter', atLeast: 97 },
  quote: { name: 'dialects: quote', atLeast: 97 },
  encoding: { name: 'dialects: encoding', atLeast: 97 },
  opened: { name: 'workbooks: opened or clearly refused', atLeast: 100 },
  sheets: { name: 'workbooks: sheet names, hidden ones known', atLeast: 99.5 },
  cells: { name: "workbooks: sheets whose non-empty cells are Excel's", atLeast: 99.5 },
} as const;

const scores = z.record(
  z.enum(Object.keys(rows) as (keyof typeof rows)[]),
  z.object({ peer: z.string(), of: z.int().positive(), ours: z.int(), theirs: z.int() }),
);

const longestMs = 600_000;
const program = fileURLToPath(new URL('loader_corpora.py', import.meta.url));

/**
 * The loader on files with truth, and on the same files what people use otherwise. The files are not part of the project: they are in
 * the folder that PLOTLINE_CORPORA names, or in `../shared/corpora`; without them the rows are left out.
 */
export async function loaderCorpora(): Promise<readonly Figure[]> {
  const corpora = process.env['PLOTLINE_CORPORA'] ?? '../shared/corpora';
  if (!existsSync(join(corpora, 'dialects', 'truth.json'))) {
    process.stderr.write(`left out: there are no corpora in ${corpora} (PLOTLINE_CORPORA names another folder)\n`);
    return [];
  }
  await using provider = openSandboxes({ maxContainers: 1 });
  await using session = await acquire(provider);
  const found = await judged(session, corpora);
  return (Object.keys(rows) as (keyof typeof rows)[]).map((key) => {
    const { peer, of, ours, theirs } = found[key];
    return shareFigure({ ...rows[key], of, right: ours, besideName: peer, besideRight: theirs });
  });
}

async function judged(session: SandboxSession, corpora: string): Promise<z.infer<typeof scores>> {
  const signal = AbortSignal.timeout(longestMs);
  // A session takes files into its working directory only: they are put where they belong by the cell.
  const places: [string, string][] = [];
  for (const entry of await readdir(corpora, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    const name = `.corpus-${places.length}`;
    await session.write(name, createReadStream(path), signal);
    places.push([name, path.slice(join(corpora, '/').length)]);
  }
  const code = `
import os, subprocess, sys
for name, path in ${JSON.stringify(places)}:
    os.makedirs(os.path.dirname(".corpora/" + path), exist_ok=True)
    os.rename(name, ".corpora/" + path)
done = subprocess.run([sys.executable, "-c", ${JSON.stringify(await readFile(program, 'utf8'))}, ".corpora"], capture_output=True, text=True)
print(done.stdout.splitlines()[-1] if done.returncode == 0 else done.stderr[-2000:])
`;
  const execution = await session.run(code, { timeoutMs: longestMs, signal, onOutput: () => {} });
  try {
    return scores.parse(JSON.parse(execution.stdout));
  } catch (error) {
    throw new Error(`the corpora could not be judged: ${execution.error?.message ?? execution.stdout}`, {
      cause: error,
    });
  }
}
