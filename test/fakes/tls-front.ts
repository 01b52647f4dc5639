import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer } from 'node:tls';

/** A socket behind TLS on a loopback port, for whoever shows a certificate of the front's own authority: as Docker's tcp with TLS. */
export interface TlsFront extends AsyncDisposable {
  readonly port: number;
  /** With `ca.pem`, `cert.pem` and `key.pem`. */
  readonly clientDir: string;
  /** The same files, of an authority that the front does not know; only its `ca.pem` is the front's. */
  readonly strangerDir: string;
}

export async function createTlsFront(socketPath: string): Promise<TlsFront> {
  const folder = mkdtempSync(join(tmpdir(), 'plotline-tls-'));
  const client = makeCertificates(join(folder, 'known'));
  const stranger = makeCertificates(join(folder, 'stranger'));
  writeFileSync(join(stranger, 'ca.pem'), readFileSync(join(client, 'ca.pem')));
  const server = createServer(
    {
      ca: readFileSync(join(client, 'ca.pem')),
      cert: readFileSync(join(client, 'cert.pem')),
      key: readFileSync(join(client, 'key.pem')),
      requestCert: true,
      rejectUnauthorized: true,
    },
    (outside) => {
      const inside = connect(socketPath);
      outside.on('error', () => inside.destroy());
      inside.on('error', () => outside.destroy());
      outside.pipe(inside).pipe(outside);
    },
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    clientDir: client,
    strangerDir: stranger,
    [Symbol.asyncDispose]: async () => {
      server.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** An authority of its own and one certificate for 127.0.0.1, good for both ends: `ca.pem`, `cert.pem`, `key.pem` in the folder it gives back. */
export function makeCertificates(folder: string): string {
  execFileSync('mkdir', ['-p', folder]);
  const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' });
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  openssl('req', '-x509', ...newKey, '-subj', '/CN=authority', '-days', '1', '-keyout', 'ca-key.pem', '-out', 'ca.pem');
  openssl('req', ...newKey, '-subj', '/CN=docker', '-keyout', 'key.pem', '-out', 'request.pem');
  writeFileSync(join(folder, 'extensions'), 'subjectAltName=IP:127.0.0.1\nextendedKeyUsage=serverAuth,clientAuth\n');
  const authority = ['-CA', 'ca.pem', '-CAkey', 'ca-key.pem', '-CAcreateserial'];
  openssl(
    'x509',
    '-req',
    '-in',
    'request.pem',
    ...authority,
    '-days',
    '1',
    '-extfile',
    'extensions',
    '-out',
    'cert.pem',
  );
  return folder;
}
