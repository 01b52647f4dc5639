import { spawn } from 'node:child_process';
import { Agent } from 'node:http';
import { Duplex } from 'node:stream';

/** Longest wait for the far end of ssh, and how soon a connection that went silent counts as broken. Unit: seconds. */
const connectSeconds = 10;
const aliveSeconds = 15;

const keptErrorBytes = 4096;

/**
 * Carries the engine's API over ssh: each connection is one `ssh DESTINATION docker system dial-stdio`, which joins its two ends to the
 * engine's socket there. It asks nothing: a password or an unknown host key is a failure, whose reason is the error's message.
 */
export function createSshAgent(destination: string, port: number | null): Agent {
  const agent = new Agent();
  agent.createConnection = () => dial(destination, port);
  return agent;
}

function dial(destination: string, port: number | null): Duplex {
  const options = ['BatchMode=yes', `ConnectTimeout=${connectSeconds}`, `ServerAliveInterval=${aliveSeconds}`];
  const child = spawn('ssh', [
    '-T',
    ...options.flatMap((option) => ['-o', option]),
    ...(port === null ? [] : ['-p', String(port)]),
    '--',
    destination,
    'docker system dial-stdio',
  ]);
  let said = '';
  const connection = new Duplex({
    read: () => void child.stdout.resume(),
    // A failed write is no news: the end of ssh says why, and comes right after.
    write: (chunk: Uint8Array, _, done) => void child.stdin.write(chunk, () => done()),
    final: (done) => void child.stdin.end(() => done()),
    destroy: (error, done) => {
      child.kill();
      done(error);
    },
  });
  child.stdout.on('data', (chunk: Uint8Array) => {
    if (!connection.push(chunk)) child.stdout.pause();
  });
  child.stderr.on('data', (chunk: Uint8Array) => {
    said = (said + String(chunk)).slice(-keptErrorBytes);
  });
  child.stdin.on('error', () => {});
  child.on('error', (error) => connection.destroy(error));
  // Not at the end of its output: only the exit code tells an engine that hung up from an ssh that failed, and it comes after.
  child.on('close', (code) => {
    if (code === 0) connection.push(null);
    else connection.destroy(new Error(said.trim().split('\n').at(-1) || `ssh ended with code ${code}`));
  });
  return connection;
}
