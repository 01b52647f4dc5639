import type Docker from 'dockerode';
import { readFileSync } from 'node:fs';
import type { Agent } from 'node:http';
import { join } from 'node:path';
import { AppError } from '../src/errors.ts';
import { createSshAgent } from './ssh-agent.ts';

/** Where one Docker engine listens. */
export type Endpoint =
  | { readonly kind: 'unix'; readonly path: string }
  /** `tlsDir` holds `ca.pem`, `cert.pem` and `key.pem`; null: neither encrypted nor authenticated. */
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number; readonly tlsDir: string | null }
  /** By the machine's own `ssh` command, with its keys, known hosts and configuration. */
  | { readonly kind: 'ssh'; readonly destination: string; readonly port: number | null };

/** The endpoint as people write it, for messages and the log. */
export function endpointName(endpoint: Endpoint): string {
  if (endpoint.kind === 'unix') return `unix://${endpoint.path}`;
  if (endpoint.kind === 'ssh') {
    return `ssh://${endpoint.destination}${endpoint.port === null ? '' : `:${endpoint.port}`}`;
  }
  return `tcp://${endpoint.host.includes(':') ? `[${endpoint.host}]` : endpoint.host}:${endpoint.port}`;
}

/** How the client library reaches it; whatever DOCKER_HOST and its companions say counts only for null. Throws `config` without certificates. */
export function dockerOptions(endpoint: Endpoint | null): Docker.DockerOptions & { readonly agent?: Agent } {
  if (endpoint === null) return {};
  // An empty host makes the client library take the socket even where DOCKER_HOST is set.
  if (endpoint.kind === 'unix') return { socketPath: endpoint.path, host: '' };
  if (endpoint.kind === 'ssh') {
    // The name is for the HTTP header alone: the engine at the other end of ssh is the only one there is.
    return { host: 'docker', protocol: 'http', agent: createSshAgent(endpoint.destination, endpoint.port) };
  }
  const { host, port, tlsDir } = endpoint;
  if (tlsDir === null) return { host, port, protocol: 'http' };
  return { host, port, protocol: 'https', ...certificates(tlsDir) };
}

function certificates(tlsDir: string): { readonly ca: Buffer; readonly cert: Buffer; readonly key: Buffer } {
  const read = (name: string): Buffer => {
    const path = join(tlsDir, name);
    try {
      return readFileSync(path);
    } catch (error) {
      const reason = error instanceof Error && 'code' in error ? String(error.code) : String(error);
      throw new AppError(
        'config',
        `SANDBOX_TLS_DIR: ${path} cannot be read (${reason}). The folder holds ca.pem, cert.pem and key.pem, as Docker's own DOCKER_CERT_PATH does.`,
        { cause: error },
      );
    }
  };
  return { ca: read('ca.pem'), cert: read('cert.pem'), key: read('key.pem') };
}
