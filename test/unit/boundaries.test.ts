import { globSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

/** Which files may import a package or folder. Everything not listed may be imported anywhere. */
const homes: readonly (readonly [imported: RegExp, allowed: RegExp])[] = [
  [/^openai/, /^src\/models\//],
  [/^(kysely|node:sqlite|pg$)/, /^src\/store\//],
  [/^@slack\//, /^adapters\/slack\//],
  [/^discord\.js/, /^adapters\/discord\//],
  [/^(bull|ioredis|@bull-board\/)/, /^src\/queue\//],
  [/^dockerode/, /^sandbox\//],
  [/^(hono|@hono\/)/, /^src\/(web|queue)\//],
  [/^prom-client/, /^src\/observe\/metrics\.ts$/],
  [/^@opentelemetry\//, /^src\/observe\/otlp-tracer\.ts$/],
  [/^dotenv/, /^src\/main\.ts$/],
  [
    /^node:/,
    /^(src\/(main|bot|config|log)\.ts|src\/(models|store|blobs|queue|card-command|usage-command|audit|web|observe)\/|adapters\/|sandbox\/)/,
  ],
  [/\/src\/(?!types|ports|errors|log)/, /^src\//],
  [/(\.\.\/)+(adapters|sandbox)\//, /^src\/(main|bot|bot-worker)\.ts$/],
  [/\/conversation\//, /^src\/bot(-worker|-rounds)?\.ts$/],
  [/\/agent\//, /^src\/bot(-worker)?\.ts$|^src\/conversation\//],
  [/\/(models|store|blobs|queue)\//, /^src\/(main|bot|bot-worker|bot-pages)\.ts$/],
  [/\/(web|observe)\//, /^src\/(bot|bot-worker|bot-pages)\.ts$/],
  [/\/audit\//, /^src\/(main|bot)\.ts$/],
  [/^@aws-sdk\//, /^src\/blobs\//],
];

const files = globSync(['src/**/*.ts', 'adapters/**/*.ts', 'sandbox/**/*.ts']);
const importPattern = /(?:^|\n)\s*(?:import|export)\b[^'";]*?from\s*'([^']+)'|\bimport\(\s*'([^']+)'\s*\)/g;

const importsOf = (file: string): readonly string[] =>
  [...readFileSync(file, 'utf8').matchAll(importPattern)].map((match) => match[1] ?? match[2] ?? '');

it('imports only what its folder may', () => {
  expect(files.length).toBeGreaterThan(10);
  const broken = files.flatMap((file) => {
    return importsOf(file)
      .filter((name) => homes.some(([pattern, allowed]) => pattern.test(name) && !allowed.test(file)))
      .map((name) => `${file} imports ${name}`);
  });
  expect(broken).toEqual([]);
});

it('the ports know nothing but each other, the data and the errors', () => {
  const ports = files.filter((file) => file.startsWith('src/ports/'));
  expect(ports.length).toBeGreaterThan(3);
  const foreign = ports.flatMap((file) =>
    importsOf(file).filter((name) => !/^(\.\/[a-z]+|\.\.\/(types|errors))\.ts$/.test(name)),
  );
  expect(foreign).toEqual([]);
});

it('sees imports where they are', () => {
  const found = [...readFileSync('src/log.ts', 'utf8').matchAll(importPattern)].map((match) => match[1]);
  expect(found).toEqual(['node:async_hooks', 'pino']);
});
