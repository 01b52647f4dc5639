/**
 * Runs inside a network namespace of its own: starts a server there and offers its port as a Unix socket, which crosses the
 * namespace's border. So a server that listens on all interfaces is reached from this machine's loopback only.
 *
 *   node loopback-bridge.ts SOCKET PORT BACK COMMAND [ARGUMENT…]
 *
 * BACK is `PORT=SOCKET` where the server also posts to a port of its loopback that is served outside, at a Unix socket; or `-`.
 */
import { spawn } from 'node:child_process';
import { connect, createServer } from 'node:net';
import type { Server, Socket } from 'node:net';

const [socketPath = '', port = '', back = '-', command = '', ...rest] = process.argv.slice(2);
const server = spawn(command, rest, { stdio: ['ignore', 'ignore', 'inherit'] });

const bridgeTo = (open: () => Socket): Server =>
  createServer((near) => {
    const far = open();
    near.pipe(far).pipe(near);
    far.on('error', () => near.destroy());
    near.on('error', () => far.destroy());
  });
bridgeTo(() => connect(Number(port), '127.0.0.1')).listen(socketPath);
const [backPort, backSocket = ''] = back.split('=');
if (backSocket !== '') bridgeTo(() => connect(backSocket)).listen(Number(backPort), '127.0.0.1');

const end = (): void => {
  server.kill('SIGTERM');
  process.exit(0);
};
server.on('exit', end);
process.on('SIGTERM', end);
// The standard input belongs to whoever started this: it ends when they do, however they end.
process.stdin.on('end', end).on('error', end).resume();
