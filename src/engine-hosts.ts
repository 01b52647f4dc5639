/** One Docker engine that SANDBOX_HOSTS names. */
export type EngineHost =
  | { readonly kind: 'unix'; readonly path: string }
  /** `tlsDir`: the folder with its certificates; null: plain, on this machine alone. */
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number; readonly tlsDir: string | null }
  | { readonly kind: 'ssh'; readonly destination: string; readonly port: number | null };

/** The ports that Docker uses for its API. */
const plainPort = 2375;
const tlsPort = 2376;

/** Reads a comma-separated list. `problems` say in words what cannot be used; then `hosts` holds the rest. */
export function parseEngineHosts(
  list: string,
  tlsDir: string | null,
): { readonly hosts: readonly EngineHost[]; readonly problems: readonly string[] } {
  const hosts: EngineHost[] = [];
  const problems: string[] = [];
  const seen = new Set<string>();
  for (const text of list.split(',').map((part) => part.trim())) {
    if (text === '') continue;
    const found = parseEngineHost(text, tlsDir);
    const key = JSON.stringify(found);
    if (typeof found === 'string') problems.push(`SANDBOX_HOSTS: ${found}`);
    else if (seen.has(key)) problems.push(`SANDBOX_HOSTS: ${withoutPassword(text)} is listed twice`);
    else hosts.push(found);
    seen.add(key);
  }
  return { hosts, problems };
}

/** The host, or what is wrong with it. */
function parseEngineHost(text: string, tlsDir: string | null): EngineHost | string {
  const path = /^unix:\/\/(\/.+)$/.exec(text)?.[1];
  if (path !== undefined) return { kind: 'unix', path };
  const shown = withoutPassword(text);
  const forms = 'write unix:///path/to/docker.sock, tcp://host:port or ssh://user@host';
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !/^(tcp|ssh):$/.test(url.protocol)) return `${shown} is no Docker endpoint; ${forms}`;
  if (url.hostname === '' || url.hostname.startsWith('-')) return `${shown} names no host; ${forms}`;
  if (url.password !== '') return `${shown} holds a password, which ssh takes from its keys alone; leave it out`;
  if (!/^\/?$/.test(url.pathname) || url.search !== '' || url.hash !== '')
    return `${shown} goes on after the host; ${forms}`;
  const port = url.port === '' ? null : Number(url.port);
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  if (url.protocol === 'ssh:') {
    const user = decodeURIComponent(url.username);
    if (user.startsWith('-')) return `${shown} names no user; ${forms}`;
    return { kind: 'ssh', destination: user === '' ? host : `${user}@${host}`, port };
  }
  if (url.username !== '') return `${shown} names a user, which only ssh:// has; ${forms}`;
  if (tlsDir === null && !isLoopback(host)) {
    return (
      `${shown} would be neither encrypted nor authenticated, and whoever reaches it is root there; ` +
      'give its certificates with SANDBOX_TLS_DIR, or use ssh://'
    );
  }
  return { kind: 'tcp', host, port: port ?? (tlsDir === null ? plainPort : tlsPort), tlsDir };
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
}

/** Problems are shown and logged. */
function withoutPassword(text: string): string {
  return text.replace(/(:\/\/[^/@]*?):[^@]*@/, '$1:…@');
}
