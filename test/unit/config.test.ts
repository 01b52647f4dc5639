import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { readConfig, variableNames } from '../../src/config.ts';

it('has defaults that need nothing', () => {
  const config = readConfig({});
  expect(config.model).toBeNull();
  expect(config.slack).toBeNull();
  expect(config.sandbox).toMatchObject({ cellTimeoutMs: 60_000, memoryBytes: 1024 ** 3 });
  expect(config.attachmentBytes).toBe(100 * 1024 ** 2);
});

it('reports every problem at once and never a value', () => {
  const secret = 'not-a-slack-token-0123456789';
  const read = (): unknown =>
    readConfig({
      SLACK_BOT_TOKEN: secret,
      SANDBOX_CELL_SECONDS: 'soon',
      SANDBOX_MEMORY_MB: '1',
      OPENAI_BASE_URL: 'ftp://x',
    });
  expect(read).toThrow(/OPENAI_BASE_URL[^]*SLACK_BOT_TOKEN[^]*SANDBOX_MEMORY_MB[^]*SANDBOX_CELL_SECONDS/);
  expect(read).not.toThrow(new RegExp(secret));
});

it.each([
  [{ OPENAI_BASE_URL: 'http://localhost:11434/v1' }, /OPENAI_API_KEY/],
  [{ SLACK_BOT_TOKEN: 'xoxb-1' }, /SLACK_APP_TOKEN/],
  [{ SLACK_APP_TOKEN: 'xapp-1' }, /SLACK_BOT_TOKEN/],
  [{ SANDBOX_MEMORY_MB: '959' }, /SANDBOX_MEMORY_MB to 960 or more, or SANDBOX_WORKSPACE_MB to 511 or less/],
  [{ SANDBOX_MEMORY_MB: '383', SANDBOX_WORKSPACE_MB: '128' }, /SANDBOX_MEMORY_MB to 384 or more$/m],
  [{ SANDBOX_POOL_SIZE: '9', SANDBOX_MAX: '8' }, /SANDBOX_POOL_SIZE/],
])('says which settings do not go together: %o', (env, message) => {
  expect(() => readConfig(env)).toThrow(message);
});

it.each([
  ['960', '512'],
  ['959', '511'],
  ['384', '128'],
])('takes %s MB of memory with %s MB of files', (memory, workspace) => {
  const { sandbox } = readConfig({ SANDBOX_MEMORY_MB: memory, SANDBOX_WORKSPACE_MB: workspace });
  expect([sandbox.memoryBytes, sandbox.workspaceBytes]).toEqual([+memory * 1024 ** 2, +workspace * 1024 ** 2]);
});

it.each(['SANDBOX_MAX', 'SANDBOX_POOL_SIZE', 'SANDBOX_PROCESSES', 'SANDBOX_MEMORY_MB', 'TASKS_AT_ONCE'])(
  'takes whole numbers alone for %s',
  (name) => {
    expect(() => readConfig({ SANDBOX_MAX: '64', [name]: '1.5' })).toThrow(`${name}: must be a whole number`);
  },
);

it.each([
  ['https://api.openai.com/v1', 'responses'],
  ['https://team.openai.azure.com/openai/v1', 'responses'],
  ['http://localhost:11434/v1', 'chat'],
  ['https://openrouter.ai/api/v1', 'chat'],
])('picks the API that %s serves', (baseUrl, api) => {
  expect(readConfig({ OPENAI_API_KEY: 'k', OPENAI_BASE_URL: baseUrl }).model?.api).toBe(api);
});

it('treats an empty variable as unset', () => {
  expect(readConfig({ OPENAI_API_KEY: '  ', DATA_DIR: '' })).toMatchObject({ model: null, dataDir: 'data' });
});

describe('DATABASE_URL', () => {
  it.each([
    'postgres://plotline:p%40ss@db.example:5432/plotline?sslmode=verify-full',
    'postgresql://db.example/plotline',
    'postgres://plotline@/plotline?host=/var/run/postgresql',
  ])('takes %s', (databaseUrl) => {
    expect(readConfig({ DATABASE_URL: databaseUrl })).toMatchObject({ databaseUrl });
  });

  it.each([
    'mysql://plotline:not-to-be-shown@db.example/plotline',
    'postgres://plotline:not-to-be-shown@db.example/',
    'postgres://plotline:not-to-be/shown@db.example:5432/plotline',
    'db.example/plotline?password=not-to-be-shown',
  ])('says what %s lacks, without the password', (databaseUrl) => {
    const read = (): unknown => readConfig({ DATABASE_URL: databaseUrl });
    expect(read).toThrow(/DATABASE_URL: must be postgres:/);
    expect(read).not.toThrow(/not-to-be/);
  });
});

describe('REDIS_URL', () => {
  it.each(['redis://localhost', 'rediss://bot:p%40ss@queue.example:6380/2', 'redis://:secret@[::1]:6379/'])(
    'takes %s',
    (redisUrl) => {
      expect(readConfig({ REDIS_URL: redisUrl })).toMatchObject({ redisUrl });
    },
  );

  it.each([
    'localhost:6379',
    'http://queue.example',
    'redis://',
    'redis://:not-to-be/shown@queue.example',
    'redis://queue.example/plotline',
  ])('says what is wrong with %s, without the password', (redisUrl) => {
    const read = (): unknown => readConfig({ REDIS_URL: redisUrl });
    expect(read).toThrow(/REDIS_URL: must be redis:/);
    expect(read).not.toThrow(/not-to-be/);
  });
});

describe('Slack', () => {
  const key = '0123456789abcdef'.repeat(4);
  const token = { SLACK_BOT_TOKEN: 'xoxb-1' };
  const oauth = {
    SLACK_CLIENT_ID: '1.2',
    SLACK_CLIENT_SECRET: 'very-secret-value',
    SLACK_PUBLIC_URL: 'https://bot.example/plotline/',
    SECRETS_KEY: key,
  };
  const socket = { SLACK_APP_TOKEN: 'xapp-1' };
  const http = { SLACK_SIGNING_SECRET: 'signing-secret-value' };

  it.each([
    [token, { kind: 'token', botToken: 'xoxb-1' }],
    [
      oauth,
      {
        kind: 'oauth',
        clientId: '1.2',
        clientSecret: 'very-secret-value',
        publicUrl: 'https://bot.example/plotline',
      },
    ],
  ])('one workspace or many, over Socket Mode or signed HTTP: %o', (env, install) => {
    expect(readConfig({ ...env, ...socket }).slack).toMatchObject({
      transport: { kind: 'socket', appToken: 'xapp-1' },
      install,
      port: 3000,
    });
    expect(readConfig({ ...env, ...http, SLACK_PORT: '8080' }).slack).toMatchObject({
      transport: { kind: 'http', signingSecret: 'signing-secret-value', port: 8080 },
      install,
      port: 8080,
    });
  });

  it('lets in the people of the workspace and answers mentions, until it is told otherwise', () => {
    const none = { workspaces: [], channels: [], groups: [], users: [] };
    expect(readConfig({ ...token, ...socket }).slack).toMatchObject({
      followUps: 'mention',
      access: { allow: none, deny: none, guests: false, connect: false },
    });
    const access = {
      SLACK_FOLLOW_UPS: 'thread',
      SLACK_ALLOW_WORKSPACES: ' T1 ,E1,',
      SLACK_ALLOW_CHANNELS: 'C1,G1,D1',
      SLACK_ALLOW_GROUPS: 'S1',
      SLACK_ALLOW_USERS: 'U1,W1,U1',
      SLACK_DENY_WORKSPACES: 'T2',
      SLACK_DENY_CHANNELS: 'C2',
      SLACK_DENY_GROUPS: 'S2',
      SLACK_DENY_USERS: 'U2',
      SLACK_GUESTS: 'on',
      SLACK_CONNECT: 'on',
    };
    expect(readConfig({ ...token, ...socket, ...access }).slack).toMatchObject({
      followUps: 'thread',
      access: {
        allow: { workspaces: ['T1', 'E1'], channels: ['C1', 'G1', 'D1'], groups: ['S1'], users: ['U1', 'W1'] },
        deny: { workspaces: ['T2'], channels: ['C2'], groups: ['S2'], users: ['U2'] },
        guests: true,
        connect: true,
      },
    });
  });

  it.each([
    [{ ...token, ...oauth, ...socket }, ['SLACK_BOT_TOKEN: serves one workspace']],
    [{ ...token, ...socket, ...http }, ['SLACK_SIGNING_SECRET: is for signed HTTP']],
    [token, ['SLACK_APP_TOKEN: needed beside SLACK_BOT_TOKEN']],
    [oauth, ['SLACK_APP_TOKEN: needed beside SLACK_CLIENT_ID']],
    [http, ['SLACK_BOT_TOKEN: needed beside SLACK_SIGNING_SECRET']],
    [
      { SLACK_CLIENT_ID: '1.2' },
      ['SLACK_CLIENT_SECRET: needed', 'SLACK_PUBLIC_URL: needed', 'SECRETS_KEY: needed', 'SLACK_APP_TOKEN: needed'],
    ],
    [{ ...oauth, ...http, SLACK_CLIENT_ID: '' }, ['SLACK_CLIENT_ID: needed beside SLACK_CLIENT_SECRET']],
    [{ ...oauth, ...http, SLACK_PUBLIC_URL: 'http://bot.example' }, ['SLACK_PUBLIC_URL: must be https']],
    [{ ...oauth, ...http, SLACK_PUBLIC_URL: 'https://bot.example/?a=1' }, ['SLACK_PUBLIC_URL: must have nothing']],
    [{ ...token, ...http, SLACK_PUBLIC_URL: 'https://bot.example' }, ['SLACK_PUBLIC_URL: is only for installing']],
    [{ ...oauth, ...http, SECRETS_KEY: 'short' }, ['SECRETS_KEY: must be 32 bytes']],
    [{ ...token, ...http, SLACK_PORT: '70000' }, ['SLACK_PORT: ']],
    [{ ...token, ...http, SLACK_GUESTS: 'yes' }, ['SLACK_GUESTS: ']],
    [{ ...token, ...http, SLACK_ALLOW_USERS: '@ada' }, ['SLACK_ALLOW_USERS: must be ids like U0123ABCD']],
    [{ ...token, ...http, SLACK_DENY_CHANNELS: 'C1;C2' }, ['SLACK_DENY_CHANNELS: must be ids']],
    [{ ...token, ...http, SLACK_ALLOW_WORKSPACES: 'C1' }, ['SLACK_ALLOW_WORKSPACES: must be ids']],
  ])('says which settings do not go together, all at once and without a value: %o', (env, problems) => {
    let message = '';
    try {
      readConfig(env);
    } catch (error) {
      message = String(error);
    }
    for (const problem of problems) expect(message).toContain(`  - ${problem}`);
    expect(message.split('  - ')).toHaveLength(problems.length + 1);
    expect(message).not.toMatch(/very-secret|signing-secret-value|xoxb-1|xapp-1|0123456789abcdef|@ada/);
  });

  it('takes plain HTTP for the pages only on this machine', () => {
    const url = 'http://localhost:3000';
    expect(readConfig({ ...oauth, ...http, SLACK_PUBLIC_URL: url }).slack?.install).toMatchObject({ publicUrl: url });
  });
});

describe('links to files', () => {
  it('need an address and a key to sign with; neither is shown', () => {
    expect(readConfig({}).publicUrl).toBeNull();
    const given = { PUBLIC_URL: 'https://bot.example/plotline/', SECRETS_KEY: 'ab'.repeat(32), HTTP_PORT: '8080' };
    expect(() => readConfig({ ...given, HTTP_PORT: '' })).toThrow('HTTP_PORT: needed beside PUBLIC_URL');
    expect(readConfig(given).publicUrl).toBe('https://bot.example/plotline');
    expect(() => readConfig({ PUBLIC_URL: given.PUBLIC_URL })).toThrow('SECRETS_KEY: needed beside PUBLIC_URL');
    for (const url of ['bot.example', 'ftp://bot.example', 'https://a.example/?x=1', 'https://me:pass@a.example']) {
      expect(() => readConfig({ ...given, PUBLIC_URL: url })).toThrow('PUBLIC_URL: must be an address');
    }
  });
});

describe('the Docker engines', () => {
  const hostsOf = (list: string, tlsDir = '') =>
    readConfig({ SANDBOX_HOSTS: list, SANDBOX_TLS_DIR: tlsDir }).sandbox.hosts;

  it('are none by default: the usual one', () => {
    expect(readConfig({}).sandbox.hosts).toEqual([]);
    expect(hostsOf(' , ')).toEqual([]);
  });

  it('are reached by socket, by TCP with certificates, and by ssh', () => {
    expect(
      hostsOf(
        ' unix:///run/user/1000/docker.sock, tcp://10.0.0.5 ,tcp://[fd00::1]:2400,ssh://ada@big.example:22022,ssh://box',
        '/tls',
      ),
    ).toEqual([
      { kind: 'unix', path: '/run/user/1000/docker.sock' },
      { kind: 'tcp', host: '10.0.0.5', port: 2376, tlsDir: '/tls' },
      { kind: 'tcp', host: 'fd00::1', port: 2400, tlsDir: '/tls' },
      { kind: 'ssh', destination: 'ada@big.example', port: 22_022 },
      { kind: 'ssh', destination: 'box', port: null },
    ]);
  });

  it('may be plain TCP only on this machine', () => {
    const plain = hostsOf('tcp://127.0.0.1,tcp://localhost:2377,tcp://[::1]');
    expect(plain.map((host) => (host.kind === 'tcp' ? [host.host, host.port] : null))).toEqual([
      ['127.0.0.1', 2375],
      ['localhost', 2377],
      ['::1', 2375],
    ]);
    for (const far of [
      'tcp://10.0.0.5:2375',
      'tcp://127.0.0.1.example.com',
      'tcp://docker.internal',
      'tcp://[fd00::1]',
    ]) {
      expect(() => hostsOf(far)).toThrow(/SANDBOX_HOSTS: .*neither encrypted nor authenticated.*SANDBOX_TLS_DIR.*ssh:/);
    }
  });

  it.each([
    ['docker.sock', /no Docker endpoint.*unix:/],
    ['unix://docker.sock', /no Docker endpoint/],
    ['http://127.0.0.1:2375', /no Docker endpoint/],
    ['tcp://:2375', /SANDBOX_HOSTS/],
    ['ssh://-oProxyCommand=x', /SANDBOX_HOSTS/],
    ['ssh://-l@host', /names no user/],
    ['ssh://host/path', /goes on after the host/],
    ['tcp://ada@127.0.0.1', /names a user/],
    ['unix:///a.sock,unix:///a.sock', /listed twice/],
  ])('%s is refused in words', (list, words) => {
    expect(() => hostsOf(list)).toThrow(words);
  });

  it('shows no password, and every problem at once', () => {
    const read = () => readConfig({ SANDBOX_HOSTS: 'ssh://ada:s3cret@host,nonsense', SANDBOX_POOL_SIZE: '9' });
    expect(read).toThrow(/holds a password[^]*nonsense[^]*SANDBOX_POOL_SIZE/);
    expect(read).not.toThrow(/s3cret/);
  });
});

it('Discord needs its token alone; who may use it are lists of ids', () => {
  expect(readConfig({}).discord).toBe(null);
  const { discord } = readConfig({
    DISCORD_TOKEN: 'token',
    DISCORD_MESSAGE_CONTENT: 'true',
    DISCORD_ALLOW_GUILDS: '@me, 100000000000000001',
    DISCORD_DENY_USERS: '100000000000000002,100000000000000003',
    DISCORD_COOLDOWN_SECONDS: '30',
  });
  expect(discord).toMatchObject({ token: 'token', applicationId: null, messageContent: true });
  expect(discord?.access).toEqual({
    allow: { guilds: ['@me', '100000000000000001'], channels: [], roles: [], users: [] },
    deny: { guilds: [], channels: [], roles: [], users: ['100000000000000002', '100000000000000003'] },
    cooldownMs: 30_000,
  });
  expect(() => readConfig({ DISCORD_ALLOW_USERS: '@me' })).toThrow(/DISCORD_ALLOW_USERS/);
  expect(() => readConfig({ DISCORD_MESSAGE_CONTENT: 'yes' })).toThrow(/must be true or false/);
});

it('nothing is served or traced unless it is asked for', () => {
  expect(readConfig({ HTTP_HOST: '0.0.0.0', OTEL_SERVICE_NAME: 'x' })).toMatchObject({ http: null, traces: null });
  expect(readConfig({ HTTP_PORT: '9464' }).http).toEqual({ host: '127.0.0.1', port: 9464, operatorPassword: null });
  expect(() => readConfig({ HTTP_PORT: '9464', OPERATOR_PASSWORD: 'short' })).toThrow(
    /OPERATOR_PASSWORD: must have 12/,
  );
  const traced = readConfig({
    OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318/',
    OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20abc==, x-team = a',
  });
  expect(traced.traces).toEqual({
    endpoint: 'http://collector:4318',
    serviceName: 'plotline',
    headers: { authorization: 'Bearer abc==', 'x-team': 'a' },
  });
  const wrong = () =>
    readConfig({ HTTP_PORT: '70000', OTEL_EXPORTER_OTLP_ENDPOINT: 'collector', OTEL_EXPORTER_OTLP_HEADERS: 's3cret' });
  expect(wrong).toThrow(/HTTP_PORT[^]*OTEL_EXPORTER_OTLP_ENDPOINT[^]*OTEL_EXPORTER_OTLP_HEADERS/);
  expect(wrong).not.toThrow(/s3cret/);
});

describe('limits and prices', () => {
  it('are none until they are set; seconds become milliseconds', () => {
    expect(readConfig({})).toMatchObject({ limits: [], prices: null });
    const { limits } = readConfig({
      LIMIT_PERSON_TASKS_AT_ONCE: '3',
      LIMIT_CHANNEL_TOKENS_PER_DAY: '2000000',
      LIMIT_WORKSPACE_SANDBOX_SECONDS_PER_DAY: '600',
      LIMIT_WORKSPACE_TASKS_PER_DAY: '',
    });
    expect(limits).toEqual([
      { scope: 'person', kind: 'tasks-at-once', value: 3 },
      { scope: 'channel', kind: 'tokens-per-day', value: 2_000_000 },
      { scope: 'workspace', kind: 'sandbox-ms-per-day', value: 600_000 },
    ]);
    expect(() => readConfig({ LIMIT_PERSON_TASKS_PER_DAY: '0' })).toThrow(
      /LIMIT_PERSON_TASKS_PER_DAY: must be 1 or more/,
    );
    expect(() => readConfig({ LIMIT_PERSON_TASKS_PER_DAY: '1.5' })).toThrow(/must be a whole number/);
  });

  it('a price of input and one of output; what comes from the cache costs as much unless it is said', () => {
    const both = { PRICE_INPUT_PER_MILLION: '1.25', PRICE_OUTPUT_PER_MILLION: '10' };
    expect(readConfig(both).prices).toEqual({
      currency: 'USD',
      inputPerMillion: 1.25,
      cachedInputPerMillion: 1.25,
      outputPerMillion: 10,
    });
    expect(readConfig({ ...both, PRICE_CACHED_INPUT_PER_MILLION: '0', PRICE_CURRENCY: 'eur' }).prices).toMatchObject({
      currency: 'EUR',
      cachedInputPerMillion: 0,
    });
  });

  it.each([
    [{ PRICE_INPUT_PER_MILLION: '1' }, /PRICE_OUTPUT_PER_MILLION: needed beside/],
    [{ PRICE_OUTPUT_PER_MILLION: '1' }, /PRICE_INPUT_PER_MILLION: needed beside/],
    [{ PRICE_CACHED_INPUT_PER_MILLION: '1' }, /PRICE_CACHED_INPUT_PER_MILLION: needs/],
    [{ PRICE_CURRENCY: '$' }, /PRICE_CURRENCY: must be the letters/],
    [{ PRICE_INPUT_PER_MILLION: '-1', PRICE_OUTPUT_PER_MILLION: '1' }, /PRICE_INPUT_PER_MILLION/],
  ])('half of them is refused: %o', (env, words) => {
    expect(() => readConfig(env)).toThrow(words);
  });
});

it.each(['.env.example', 'README.md'])('%s names every variable', (file) => {
  const text = readFileSync(file, 'utf8');
  expect(variableNames.filter((name) => !new RegExp(`\\b${name}\\b`).test(text))).toEqual([]);
});

it('.env.example sets nothing but variables that exist, to their defaults', () => {
  const lines = readFileSync('.env.example', 'utf8')
    .split('\n')
    .filter((line) => /^\w+=/.test(line));
  const env = Object.fromEntries(lines.map((line) => line.split(/=(.*)/).slice(0, 2)));
  expect(Object.keys(env).filter((name) => !variableNames.includes(name))).toEqual([]);
  expect(readConfig(env)).toEqual(readConfig({}));
});
