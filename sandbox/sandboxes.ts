import { type Endpoint, endpointName } from './endpoint.ts';
import { createFleet, engineState, type ReadySandboxes } from './fleet.ts';
import { asideMs } from './limits.ts';
import { createDockerSandbox, type DockerSandboxSettings } from './provider.ts';

/** `poolSize` and `maxContainers` are for each engine. */
export interface SandboxesSettings extends Omit<DockerSandboxSettings, 'endpoint' | 'hasNeighbours'> {
  /** Empty: the engine of the usual place, which includes `DOCKER_HOST` and its companions. */
  readonly endpoints: readonly Endpoint[];
}

/** The sandboxes of one engine or of several. Throws `config` where the certificates of an endpoint cannot be read. */
export function createSandboxes({ endpoints, ...settings }: SandboxesSettings): ReadySandboxes {
  const [first = null, ...others] = endpoints;
  const { log, maxContainers } = settings;
  if (others.length === 0) {
    const sandbox = createDockerSandbox({ ...settings, endpoint: first });
    const host = { name: first === null ? 'local' : endpointName(first), sandbox, maxContainers };
    return { ...sandbox, engines: () => [engineState(host, true)] };
  }
  const hosts = endpoints.map((endpoint) => {
    const name = endpointName(endpoint);
    const own = { ...settings, endpoint, hasNeighbours: true, log: log.child({ host: name }) };
    return { name, sandbox: createDockerSandbox(own), maxContainers };
  });
  return createFleet({ hosts, asideMs, log });
}
