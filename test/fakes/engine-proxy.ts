import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The Docker engine behind a socket of the test's own, which can go away as it does when the engine is restarted. */
export interface EngineProxy extends AsyncDisposable {
  readonly path: string;
  /** Containers that were asked for through here. */
  readonly creations: number;
  /** Ends every connection and takes no new ones: containers whose stdin came from here end. */
  cut(): Promise<void>;
  restore(): Promise<void>;
}

export async function startEngineProxy(enginePath: string): Promise<EngineProxy> {
  const folder = await mkdtemp(join(tmpdir(), 'plotline-engine-'));
  const path = join(folder, 'docker.sock');
  const sockets = new Set<Socket>();
  let server: Server | null = null;
  let creations = 0;

  const keep = (socket: Socket): void => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => sockets.delete(socket));
  };
  const restore = async (): Promise<void> => {
    // Half-open: an attach ends its two directions one after the other.
    const listening = createServer({ allowHalfOpen: true }, (client) => {
      const engine = connect({ path: enginePath, allowHalfOpen: true });
      keep(client);
      keep(engine);
      client.on('data', (piece) => {
        if (/^POST \S*\/containers\/create/m.test(piece.toString('latin1'))) creations += 1;
      });
      client.pipe(engine);
      engine.pipe(client);
      client.on('close', () => engine.destroy());
      engine.on('close', () => client.destroy());
    });
    await new Promise<void>((resolve) => listening.listen(path, resolve));
    server = listening;
  };
  const cut = async (): Promise<void> => {
    const closing = server;
    server = null;
    for (const socket of sockets) socket.destroy();
    if (closing !== null) await new Promise((resolve) => closing.close(resolve));
  };

  await restore();
  return {
    path,
    get creations() {
      return creations;
    },
    cut,
    restore,
    [Symbol.asyncDispose]: async () => {
      await cut();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
