import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const folder = fileURLToPath(new URL('../images/jupyter', import.meta.url));
const buildTimeoutMs = 600_000;

/**
 * The sandbox image with a Jupyter kernel, nbformat and nbclient in it, built where this machine has none of this Dockerfile and
 * this sandbox image. Resolves to its name; rejects where Docker or Debian's packages are out of reach.
 */
export async function provideJupyterImage(
  sandboxImage: string = process.env['SANDBOX_IMAGE'] ?? 'plotline-sandbox:latest',
): Promise<string> {
  const { stdout: base } = await run('docker', ['image', 'inspect', '--format', '{{.Id}}', sandboxImage]);
  const recipe = await readFile(`${folder}/Dockerfile`, 'utf8');
  const hash = createHash('sha256').update(`${recipe}\n${base.trim()}`).digest('hex').slice(0, 16);
  const name = `plotline-jupyter-test:${hash}`;
  const isThere = await run('docker', ['image', 'inspect', name]).then(
    () => true,
    () => false,
  );
  if (!isThere) {
    const args = ['build', '--quiet', '--build-arg', `SANDBOX_IMAGE=${sandboxImage}`, '--tag', name, folder];
    await run('docker', args, { timeout: buildTimeoutMs });
  }
  return name;
}
