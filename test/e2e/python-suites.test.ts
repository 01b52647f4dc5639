import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

/**
 * The suites of the Python inside the image. The loader's and the ledger's run in a container of it; the driver's speak the protocol with
 * containers from outside, for which the machine needs a Python of its own.
 */

const image = process.env['SANDBOX_IMAGE'] ?? 'plotline-sandbox:latest';
const folder = fileURLToPath(new URL('../sandbox-python', import.meta.url));

function run(program: string, args: readonly string[]): { readonly code: number | null; readonly output: string } {
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8', timeout: 600_000 });
  return { code: status, output: `${stdout}${stderr}` };
}

describe.skipIf(run('docker', ['version']).code !== 0 && process.env['CI'] !== 'true')('Python suites', () => {
  it.each([
    ['the loader and the file card', 'intake'],
    ['the row ledger', 'ledger'],
  ])(
    '%s',
    (_, suiteFolder) => {
      const limits = ['--network', 'none', '--memory', '2g', '--read-only', '--tmpfs', '/tmp'];
      const mount = ['-v', `${folder}/${suiteFolder}:/tests:ro`, '-w', '/tests'];
      const suite = ['-m', 'unittest', 'discover', '-p', 'test_*.py'];
      const { code, output } = run('docker', [
        'run',
        '--rm',
        ...limits,
        ...mount,
        '--entrypoint',
        'python3',
        image,
        ...suite,
      ]);
      expect(output).toMatch(/Ran [1-9]\d* tests/);
      expect(code, output.slice(-4000)).toBe(0);
    },
    620_000,
  );

  it.skipIf(run('python3', ['--version']).code !== 0)(
    'the driver and the kernel',
    () => {
      const { code, output } = run('python3', ['-m', 'unittest', 'discover', '-s', folder]);
      expect(output).toMatch(/Ran [1-9]\d* tests/);
      expect(code, output.slice(-4000)).toBe(0);
    },
    620_000,
  );
});
