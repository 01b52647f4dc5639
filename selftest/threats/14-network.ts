import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { networkInterfaces } from 'node:os';
import { type Attack, outcome, verdict } from '../attack.ts';
import { machineNamespaces } from '../walls.ts';

/** Longest time of a try: what hangs would make a cell wait. */
const trySeconds = 1;

interface Try {
  readonly id: string;
  readonly attack: string;
  /** Python that raises OSError. `HOSTS`: addresses of this machine; `PORT`: where it listens meanwhile; `NAME`: its abstract socket. */
  readonly code: string;
}

const tries: readonly Try[] = [
  {
    id: 't14-metadata',
    attack: "the cloud's metadata service by TCP",
    code: 'for address in ("169.254.169.254", "169.254.170.2", "100.100.100.200"): attempt(address, lambda: tcp(address, 80))',
  },
  {
    id: 't14-metadata-v6',
    attack: "the cloud's metadata service by IPv6",
    code: 'attempt("fd00:ec2::254", lambda: tcp("fd00:ec2::254", 80, socket.AF_INET6))',
  },
  {
    id: 't14-gateway',
    attack: "the bridge's gateway and the Docker engine's ports",
    code: 'for port in (80, 2375, 2376): attempt(f"172.17.0.1:{port}", lambda: tcp("172.17.0.1", port))',
  },
  {
    id: 't14-host-addresses',
    attack: 'every address of the host, where a listener waits',
    code: 'for address in HOSTS: attempt(address, lambda: tcp(address, PORT))',
  },
  {
    id: 't14-host-loopback',
    attack: "the host's loopback, where a listener waits",
    code: 'attempt("127.0.0.1", lambda: tcp("127.0.0.1", PORT))\nattempt("::1", lambda: tcp("::1", PORT, socket.AF_INET6))',
  },
  {
    id: 't14-udp',
    attack: 'UDP to the internet and to the host',
    code: `for address in ("8.8.8.8", "169.254.169.254", *HOSTS):
    attempt(address, lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", (address, 53)))`,
  },
  {
    id: 't14-icmp',
    attack: 'ICMP, raw and unprivileged',
    code: `for kind in (socket.SOCK_RAW, socket.SOCK_DGRAM):
    def ping():
        with socket.socket(socket.AF_INET, kind, socket.IPPROTO_ICMP) as one: one.sendto(bytes(8), ("8.8.8.8", 0))
    attempt(f"kind {kind}", ping)`,
  },
  {
    id: 't14-dns',
    attack: 'names looked up, by the system and by hand',
    code: `for name in ("example.com", "metadata.google.internal", "host.docker.internal"):
    attempt(name, lambda: socket.getaddrinfo(name, 80))
attempt("1.1.1.1", lambda: tcp("1.1.1.1", 53))`,
  },
  {
    id: 't14-docker-socket',
    attack: "the engine's sockets in the file system",
    code: `for path in ("/var/run/docker.sock", "/run/docker.sock", "/run/containerd/containerd.sock", "/run/podman/podman.sock", "/run/dbus/system_bus_socket"):
    def open_socket():
        with socket.socket(socket.AF_UNIX) as one: one.connect(path)
    attempt(path, open_socket)`,
  },
  {
    id: 't14-abstract-sockets',
    attack: "the host's abstract unix sockets, where a listener waits",
    code: `for name in (NAME, "/containerd-shim/x.sock", "/org/freedesktop/systemd1/notify"):
    def open_socket():
        with socket.socket(socket.AF_UNIX) as one: one.connect("\\0" + name)
    attempt(name, open_socket)`,
  },
];

const attempting = `
import socket, time
socket.setdefaulttimeout(3)
def tcp(address, port, family=socket.AF_INET):
    with socket.socket(family) as one:
        one.connect((address, port))
        one.sendall(b"GET / HTTP/1.0\\r\\n\\r\\n")
def attempt(name, action):
    started = time.monotonic()
    try:
        action()
        answer = "REACHED"
    except OSError as problem:
        answer = problem.strerror or str(problem)
    print(f"{time.monotonic() - started:.3f} {name}: {answer}")
`;

export const networkAttacks: readonly Attack[] = [
  {
    id: 't14-namespace',
    threat: 14,
    attack: 'from outside: a network namespace of its own with nothing in it but loopback',
    alone: false,
    async run(stage) {
      const session = await stage.shared();
      const processes = await stage.host.processes(session);
      const own = await machineNamespaces(stage);
      const looks = await Promise.all(
        processes.map(async ({ pid }) => {
          const namespaces = await stage.host.namespaces(pid);
          const devices = await stage.host.networkDevices(pid);
          return namespaces === null || devices === null
            ? null
            : { net: namespaces['net'], devices: devices.join(' ') };
        }),
      );
      const found = looks.filter((look) => look !== null);
      const seen = [...new Set(found.map(({ net, devices }) => `${net} with ${devices}`))];
      return verdict(`${seen.join(', ')}; the host's is ${own['net']}`, [
        found.length === 0 && 'the host sees no process of the container',
        found.some(({ net }) => net === own['net']) && "it is the host's network namespace",
        found.some(({ devices }) => devices !== 'lo') && `devices: ${seen.join(', ')}`,
      ]);
    },
  },
  ...tries.map(
    ({ id, attack, code }) =>
      ({
        id,
        threat: 14,
        attack: `${attack}: refused within ${trySeconds} s, and the host sees no connection`,
        alone: false,
        async run(stage) {
          const session = await stage.shared();
          const name = `plotline-selftest-${process.pid}-${id}`;
          let connections = 0;
          const count = (): void => void (connections += 1);
          const byNetwork = await listening(createServer(count), { port: 0 });
          const byName = await listening(createServer(count), { path: `\0${name}` });
          try {
            const address = byNetwork.address();
            const port = typeof address === 'object' && address !== null ? address.port : 0;
            const setting = `HOSTS = ${JSON.stringify(hostAddresses())}\nPORT = ${port}\nNAME = ${JSON.stringify(name)}\n`;
            const execution = await stage.run(session, setting + attempting + code);
            const lines = execution.stdout.trim().split('\n');
            const slow = lines.filter((line) => !(Number.parseFloat(line) <= trySeconds));
            return verdict(lines.join('; ').slice(0, 240), [
              execution.status !== 'ok' && outcome(execution),
              execution.stdout.includes('REACHED') && lines.filter((line) => line.includes('REACHED')).join('; '),
              slow.length > 0 && `over ${trySeconds} s: ${slow.join('; ')}`,
              connections > 0 && `the host saw ${connections} connections`,
            ]);
          } finally {
            byNetwork.close();
            byName.close();
          }
        },
      }) satisfies Attack,
  ),
];

/** IPv4, without loopback, at most four. */
function hostAddresses(): readonly string[] {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  return all
    .filter(({ family, internal }) => family === 'IPv4' && !internal)
    .map(({ address }) => address)
    .slice(0, 4);
}

/** A port without an address is open on all there are, also where the machine has no IPv6. */
async function listening(
  server: Server,
  where: { readonly port: number } | { readonly path: string },
): Promise<Server> {
  server.listen(where);
  await once(server, 'listening');
  return server;
}
