import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

const flags = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-quic',
  // Also where the machine has a network, and for addresses given in numbers.
  '--host-resolver-rules=MAP * ~NOTFOUND',
  '--enable-logging=stderr',
  '--virtual-time-budget=5000',
];

export interface OpenedPage {
  /** The document after its scripts ran, without what is inside script elements. */
  readonly dom: string;
  /** What scripts logged, and what they threw. */
  readonly console: readonly string[];
  /** Addresses the page asked for, none of which it got; the browser's own requests are left out. */
  readonly requests: readonly string[];
}

/** The command of an installed Chromium; `null` when there is none. */
export function findBrowser(): string | null {
  return names.find((name) => spawnSync(name, ['--version'], { timeout: 10_000 }).status === 0) ?? null;
}

/** Opens a page from a file in a browser that can resolve no host name. Throws when the browser fails or takes over 20 s. */
export function openOffline(browser: string, html: string): OpenedPage {
  const folder = mkdtempSync(join(tmpdir(), 'plotline-page-'));
  try {
    const file = join(folder, 'page.html');
    writeFileSync(file, html);
    const netLog = join(folder, 'net.json');
    const { status, signal, stdout, stderr } = spawnSync(
      browser,
      [
        ...flags,
        `--user-data-dir=${join(folder, 'profile')}`,
        `--log-net-log=${netLog}`,
        '--dump-dom',
        pathToFileURL(file).href,
      ],
      { encoding: 'utf8', timeout: 20_000, killSignal: 'SIGKILL', maxBuffer: 64 * 1024 * 1024 },
    );
    if (status !== 0) throw new Error(`${browser} ended with ${status ?? signal}: ${stderr.slice(-1000)}`);
    return {
      dom: stdout.replaceAll(/(<script\b[^>]*>).*?<\/script>/gs, '$1</script>'),
      // Chromium's cache keys begin with the site on whose behalf something was fetched.
      requests: [...readFileSync(netLog, 'utf8').matchAll(/_dk_file:\/\/ file:\/\/ ([^"]+)"/g)].map(
        ([, url]) => url ?? '',
      ),
      console: stderr.split('\n').filter((line) => line.includes(':CONSOLE')),
    };
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}
