import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createClicks } from './clicks.ts';
import type { Clicks } from './clicks.ts';
import { createDiscordFaults } from './faults.ts';
import type { DiscordFaults } from './faults.ts';
import { createGateway } from './gateway.ts';
import type { GatewayControl } from './gateway.ts';
import { createInteractions } from './interactions.ts';
import type { InteractionState } from './interactions.ts';
import { createOpenApiOracle } from './openapi.ts';
import type { OpenApiOracle } from './openapi.ts';
import { createPeople } from './people.ts';
import type { People } from './people.ts';
import { createRest } from './rest.ts';
import type { RequestRecord, RestDeps } from './rest.ts';
import { createSetting } from './setting.ts';
import type { Setting } from './setting.ts';
import { createState } from './state.ts';
import type { AttachmentState, DiscordState, Json, MessageState } from './state.ts';
import { wireMessage } from './wire.ts';
import type { DiscordLimits, DiscordWorld, PortalSettings } from './world.ts';

export interface FakeDiscordOptions extends Partial<DiscordLimits>, Partial<PortalSettings> {
  /** How long links to files live, in ms. Default: a day, as people see it; Discord documents nothing. */
  readonly linkLifetimeMs?: number;
  readonly heartbeatMs?: number;
  /** Shared between many fakes of one test, as it takes half a second to make. */
  readonly oracle?: OpenApiOracle;
  /** See `RestDeps.tamper`. */
  readonly tamper?: RestDeps['tamper'];
}

/**
 * A Discord in this process, on loopback: gateway and REST for the real discord.js. Every request and every answer is checked by
 * Discord's own OpenAPI file, and what that lacks is enforced (`limits.ts`, `modal-limits.ts`, `file-types.ts`). Disposing of it
 * throws if it ever gave an answer that Discord could not have given, or was asked for what it does not know.
 */
export interface FakeDiscord extends AsyncDisposable, People, Clicks {
  /** For discord.js: `new Client({ rest: { api } })`; it asks there for the gateway. */
  readonly api: string;
  /** Where files are served; the place of cdn.discordapp.com. */
  readonly origin: string;
  readonly token: string;
  readonly state: DiscordState;
  readonly setting: Setting;
  /** The text that mentions the bot, and the one that mentions its role. */
  readonly botMention: string;
  readonly roleMention: string;
  readonly faults: DiscordFaults;
  readonly gateway: GatewayControl;
  readonly requests: readonly RequestRecord[];
  readonly interactions: ReadonlyMap<string, InteractionState>;
  /** What was answered with 4xx, in their order. */
  readonly refusals: readonly RequestRecord[];
  readonly violations: readonly string[];
  /** Empties the violations: for the test that makes some on purpose. */
  takeViolations(): readonly string[];
  /** What everybody sees in a channel or thread, in its order; without Discord's own first message of a thread. */
  messages(channelId: string): readonly MessageState[];
  /** What only one person sees there. */
  ephemerals(channelId: string): readonly MessageState[];
  /** As the bot with all rights would fetch it. */
  wire(message: MessageState): Json;
  bytesOf(attachment: AttachmentState): Uint8Array;
  /** The files of a message by name: of a V2 message also those that its components show. */
  fileOf(message: MessageState, name: string): AttachmentState;
  /** Links that were given out so far answer 404 from now on. */
  expireLinks(): void;
  /** Moves the clock of deadlines: of answers, tokens, links and nonces. */
  advance(ms: number): void;
}

const mebibyte = 1024 * 1024;

export async function startFakeDiscord(options: FakeDiscordOptions = {}): Promise<FakeDiscord> {
  const state = createState();
  const oracle = options.oracle ?? createOpenApiOracle();
  const setting = createSetting(state);
  let port = 0;
  const origin = (): string => `http://127.0.0.1:${port}`;
  const gatewayUrl = (): string => `ws://127.0.0.1:${port}`;
  const world: DiscordWorld = {
    state,
    limits: {
      maxFileBytes: options.maxFileBytes ?? 10 * mebibyte,
      maxRequestBytes: options.maxRequestBytes ?? 25 * mebibyte,
    },
    portal: { messageContent: options.messageContent ?? false },
    linkLifetimeMs: options.linkLifetimeMs ?? 24 * 60 * 60_000,
    origin,
    emit: (dispatch) => gateway.dispatch(dispatch),
  };
  const interactions = createInteractions(world);
  const faults = createDiscordFaults(oracle);
  const rest = createRest({
    world,
    interactions,
    oracle,
    faults,
    gatewayUrl,
    sessionStartsLeft: () => gateway.sessionStartsLeft,
    tamper: options.tamper ?? ((_operation, answer) => answer),
  });
  const server = createServer((request, response) => {
    rest.handle(request, response).catch((error: unknown) => {
      // A client that went away while it sent is no mistake of the fake.
      if (request.destroyed && !request.complete) return;
      rest.violations.push(`${request.method} ${request.url}: ${error instanceof Error ? error.stack : String(error)}`);
      response.writeHead(500).end();
    });
  });
  const gateway = createGateway(server, world, oracle, options.heartbeatMs ?? 41_250, gatewayUrl);
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  port = (server.address() as AddressInfo).port;
  const people = createPeople(world, setting);
  const violations = (): readonly string[] => [...rest.violations, ...gateway.violations];
  const takeViolations = (): readonly string[] => {
    const taken = violations();
    rest.violations.length = 0;
    gateway.violations.length = 0;
    return taken;
  };
  return {
    ...people,
    ...createClicks(world, setting, interactions, people),
    api: `${origin()}/api`,
    origin: origin(),
    token: state.token,
    state,
    setting,
    botMention: `<@${state.botId}>`,
    roleMention: `<@&${setting.botRoleId}>`,
    faults,
    gateway,
    requests: rest.requests,
    interactions: interactions.all,
    get refusals() {
      return rest.requests.filter(({ status }) => status >= 400 && status < 500);
    },
    get violations() {
      return violations();
    },
    takeViolations,
    messages: (channelId) =>
      [...state.messages.values()].filter(
        (one) => one.channelId === channelId && one.ephemeralFor === null && one.type !== 21,
      ),
    ephemerals: (channelId) =>
      [...state.messages.values()].filter((one) => one.channelId === channelId && one.ephemeralFor !== null),
    wire: (message) => wireMessage(world, message, true),
    bytesOf: ({ bytes }) => bytes,
    fileOf: ({ attachments, id }, name) => {
      const file = attachments.find(({ filename }) => filename === name);
      if (file === undefined)
        throw new Error(
          `message ${id} has ${attachments.map(({ filename }) => filename).join(', ') || 'no files'}, not ${name}`,
        );
      return file;
    },
    expireLinks: () => {
      state.linkEpoch += 1;
    },
    advance: (ms) => state.advance(ms),
    [Symbol.asyncDispose]: async () => {
      gateway.end();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      const wrong = violations();
      if (wrong.length > 0) throw new Error(`the fake Discord is not like Discord:\n${wrong.slice(0, 20).join('\n')}`);
    },
  };
}
