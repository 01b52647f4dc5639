/** What the image's HEALTHCHECK runs: asks the bot's own server. Without one (no HTTP_PORT) a running process is all there is to know. */
const { HTTP_PORT: port, HTTP_HOST: address } = process.env;

/** A server that listens everywhere is asked here. */
const host = !address || address === '0.0.0.0' || address === '::' ? '127.0.0.1' : address;

if (port) {
  const url = `http://${host.includes(':') ? `[${host}]` : host}:${port}/healthz`;
  const isHealthy = await fetch(url, { signal: AbortSignal.timeout(8000) }).then(
    ({ ok }) => ok,
    () => false,
  );
  process.exitCode = isHealthy ? 0 : 1;
}
