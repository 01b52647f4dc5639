import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { composeAllowList } from '../fakes/socket-proxy.ts';

interface Service {
  readonly image: string;
  readonly hostname?: string;
  readonly build?: { readonly target: string };
  readonly read_only?: boolean;
  readonly cap_drop?: readonly string[];
  readonly cap_add?: readonly string[];
  readonly privileged?: boolean;
  readonly security_opt?: readonly string[];
  readonly mem_limit?: string;
  readonly pids_limit?: number;
  readonly restart?: string;
  readonly user?: string;
  readonly logging?: { readonly options: Readonly<Record<string, string>> };
  readonly environment?: Readonly<Record<string, string>>;
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly networks?: readonly string[];
  readonly network_mode?: string;
  readonly pid?: string;
  readonly healthcheck?: object;
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
}

const text = readFileSync('compose.yaml', 'utf8');
const file = parse(text, { merge: true }) as {
  readonly services: Readonly<Record<string, Service>>;
  readonly volumes: Readonly<Record<string, unknown>>;
  readonly networks: Readonly<Record<string, { readonly internal?: boolean } | null>>;
};
const services = Object.entries(file.services);
const dockerfile = readFileSync('Dockerfile', 'utf8');

describe('compose.yaml', () => {
  it.each(services)('%s may do little, use little and log little', (_name, service) => {
    expect(service).toMatchObject({ read_only: true, cap_drop: ['ALL'], security_opt: ['no-new-privileges:true'] });
    expect(service.mem_limit).toMatch(/^\d+[mg]$/);
    expect(service.pids_limit).toBeGreaterThan(0);
    expect(service.logging?.options).toEqual({ 'max-size': '10m', 'max-file': '5' });
    expect([service.cap_add, service.privileged, service.pid]).toEqual([undefined, undefined, undefined]);
    expect(service.network_mode ?? 'none').toBe('none');
    expect(service.image).toMatch(/:[\w.-]+$/);
  });

  it('what runs is started again, and its health is known', () => {
    const lasting = services.filter(([, { network_mode }]) => network_mode === undefined);
    expect(lasting.map(([name]) => name)).toEqual(['bot', 'engine-proxy', 'postgres', 'redis']);
    for (const [name, { restart, healthcheck }] of lasting) {
      expect(restart).toBe('unless-stopped');
      // The bot's stands in its image.
      expect(healthcheck !== undefined || /HEALTHCHECK/.test(dockerfile), name).toBe(true);
    }
    const targets = services.flatMap(([, { build }]) => build ?? []).map(({ target }) => target);
    expect(targets).toEqual(['bot', 'sandbox']);
    expect(targets.filter((target) => !dockerfile.includes(` AS ${target}\n`))).toEqual([]);
    const waits = Object.entries(file.services['bot']?.depends_on ?? {}).map(([name, { condition }]) => [
      name,
      condition,
    ]);
    expect(waits).toEqual([
      ['postgres', 'service_healthy'],
      ['redis', 'service_healthy'],
      ['engine-proxy', 'service_healthy'],
      ['sandbox-image', 'service_completed_successfully'],
    ]);
  });

  it("only the proxy has the engine's socket, and nobody but the bot reaches the proxy, the records and the world", () => {
    const withSocket = services.filter(([, { volumes }]) => volumes?.some((volume) => volume.includes('docker.sock')));
    expect(withSocket.map(([name, { volumes }]) => [name, volumes])).toEqual([
      ['engine-proxy', ['/var/run/docker.sock:/var/run/docker.sock:ro']],
    ]);
    // Everything else that is mounted is a volume with a name.
    const mounted = services
      .filter(([name]) => name !== 'engine-proxy')
      .flatMap(([, { volumes = [] }]) => volumes.map((volume) => volume.split(':')[0] ?? ''));
    expect(mounted.toSorted()).toEqual(Object.keys(file.volumes).toSorted());

    const members = Object.keys(file.networks).map((network) => [
      network,
      file.networks[network]?.internal ?? false,
      services.filter(([, { networks }]) => networks?.includes(network)).map(([name]) => name),
    ]);
    expect(members).toEqual([
      ['outside', false, ['bot']],
      ['records', true, ['bot', 'postgres', 'redis']],
      ['engine', true, ['bot', 'engine-proxy']],
    ]);
    const published = services.flatMap(([name, { ports = [] }]) => ports.map((port) => `${name} ${port}`));
    expect(published).toEqual(['bot 127.0.0.1:${HTTP_PORT:-8080}:8080']);
  });

  it('the bot has one name in all of its containers, by which its audit log goes on', () => {
    expect(file.services['bot']?.hostname).toMatch(/^[a-z]+$/);
  });

  it('every variable it asks for is in .env.example, and no secret stands in it', () => {
    const asked = new Set([...text.matchAll(/\$\{(\w+)/g)].map(([, name]) => name ?? ''));
    expect([...asked].toSorted()).toEqual(['HTTP_PORT', 'POSTGRES_PASSWORD']);
    const example = readFileSync('.env.example', 'utf8');
    expect([...asked].filter((name) => !new RegExp(`\\b${name}\\b`).test(example))).toEqual([]);
    for (const [, { environment = {} }] of services) {
      const secrets = Object.entries(environment).filter(([name]) => /PASSWORD|TOKEN|SECRET|KEY/.test(name));
      expect(secrets.filter(([, value]) => !value.startsWith('${'))).toEqual([]);
    }
  });

  it('Docker Compose itself takes it, where it is installed', ({ skip }) => {
    const settings = { ...process.env, POSTGRES_PASSWORD: 'x' };
    const args = [
      'compose',
      '--env-file',
      '.env.example',
      '--file',
      'compose.yaml',
      'config',
      '--no-interpolate',
      '--quiet',
    ];
    if (spawnSync('docker', ['compose', 'version']).status !== 0) skip('there is no docker compose here');
    const { status, stderr } = spawnSync('docker', args, { env: settings, encoding: 'utf8' });
    // Without a .env the one complaint is about that.
    expect(status === 0 || /env file .*\.env not found/.test(stderr), stderr).toBe(true);
  });
});

describe("the proxy's list", () => {
  const { allows, allowsBind } = composeAllowList();
  const id = '0123456789abcdef'.repeat(4);

  it.each([
    ['GET', '/info'],
    ['GET', '/version'],
    ['GET', '/events'],
    ['GET', '/containers/json'],
    ['GET', `/containers/${id}/json`],
    ['GET', '/images/plotline-sandbox:latest/json'],
    ['GET', '/images/registry.example:5000/team/plotline-sandbox@sha256:00ff/json'],
    ['POST', '/containers/create'],
    ['POST', `/containers/${id}/attach`],
    ['POST', `/containers/${id}/start`],
    ['POST', `/containers/${id}/wait`],
    ['POST', `/containers/${id}/pause`],
    ['POST', `/containers/${id}/unpause`],
    ['DELETE', `/containers/${id}`],
  ])('has %s %s', (method, path) => {
    expect(allows(method, path)).toBe(true);
  });

  it.each([
    ['GET', `/containers/${id}/archive`],
    ['GET', `/containers/${id}/logs`],
    ['GET', `/containers/${id}/top`],
    ['GET', '/containers/postgres/json'],
    ['GET', '/images/json'],
    ['GET', '/images/../secrets/json'],
    ['GET', '/images/a/../../secrets/json'],
    ['GET', '/images/a//json'],
    ['GET', '/images/x/get'],
    ['GET', '/secrets'],
    ['GET', '/swarm'],
    ['GET', '/volumes'],
    ['GET', '/networks'],
    ['GET', '/v1.41/info/../secrets'],
    ['HEAD', '/info'],
    ['POST', `/containers/${id}/exec`],
    ['POST', `/containers/${id}/update`],
    ['POST', `/containers/${id}/rename`],
    ['POST', `/containers/${id}/stop`],
    ['POST', `/containers/${id}/start/../exec`],
    ['POST', '/containers/create/x'],
    ['POST', '/containers/prune'],
    ['POST', '/exec/1/start'],
    ['POST', '/build'],
    ['POST', '/images/create'],
    ['POST', '/volumes/create'],
    ['POST', '/networks/create'],
    ['POST', '/swarm/init'],
    ['PUT', `/containers/${id}/archive`],
    ['DELETE', '/containers/postgres'],
    ['DELETE', '/images/plotline-sandbox'],
    ['DELETE', '/volumes/records'],
    ['CONNECT', '/'],
  ])('lacks %s %s', (method, path) => {
    expect(allows(method, path)).toBe(false);
  });

  it('gives no container a folder of the machine', () => {
    expect(
      ['/', '/etc', '/var/run/docker.sock', '/dev', '/dev/null', '/dev/null/none/../../..'].filter(allowsBind),
    ).toEqual([]);
  });
});
