/**
 * Runs inside a network namespace of its own: starts a server there and offers its port as a Unix socket, which crosses the
 * namespace's border. So a server that listens on all interfaces is reached from this machine's loopback only.
 *
 *   node loopback-bridge.ts SOCKET PORT COMMAND [ARGUMENT…]
 */
import { spawn } from 'node:child_process';
import { connect, createServer } from 'node:net';

const [socketPath = '', port = '', command = '', ...rest] = process.argv.slice(2);
const server = spawn(command, rest, { stdio: ['ignore', 'ignore', 'inherit'] });

const bridge = createServer((outside) => {
  const inside = connect(Number(port), '127.0.0.1');
  outside.pipe(inside).pipe(outside);
  inside.on('error', () => outside.destroy());
  outside.on('error', () => inside.destroy());
});
bridge.listen(socketPath);

const end = (): void => {
  server.kill('SIGTERM');
  process.exit(0);
};
server.on('exit', end);
process.on('SIGTERM', end);
// The standard input belongs to whoever started this: it ends when they do, however they end.
process.stdin.on('end', end).on('error', end).resume();
