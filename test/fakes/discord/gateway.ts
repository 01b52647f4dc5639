import type { IncomingMessage, Server } from 'node:http';
import { WebSocketServer } from 'ws';
import type { RawData, WebSocket } from 'ws';
import type { OpenApiOracle } from './openapi.ts';
import { may } from './permissions.ts';
import type { GuildState, Json } from './state.ts';
import { wireUser } from './wire.ts';
import { wireGuildCreate } from './wire-guild.ts';
import { intentBits } from './world.ts';
import type { Dispatch, DiscordWorld } from './world.ts';

/** Faults of the gateway, and what happened there. */
export interface GatewayControl {
  /** Breaks every connection without a goodbye; sessions can be resumed. */
  cut(): void;
  /** Closes every connection with a code, such as 4009. */
  close(code: number): void;
  /** Says "invalid session" (op 9); the session can be resumed or not. */
  invalidate(canResume: boolean): void;
  /** Asks to reconnect (op 7). */
  askToReconnect(): void;
  /** Sessions are forgotten: the next RESUME gets "invalid session", and what was missed is lost. */
  forgetSessions(): void;
  /** Answers the next IDENTIFYs by closing with that code, such as 4004 or 4014. */
  refuseIdentify(code: number, times: number): void;
  /** No more acknowledgements of heartbeats, as on a dead connection. */
  dropHeartbeats(isDropping: boolean): void;
  /** A RESUME replays this many events more than were missed. */
  replayMore(events: number): void;
  readonly identifies: readonly {
    readonly intents: number;
    readonly shard: readonly [number, number];
    readonly atMs: number;
  }[];
  readonly resumes: number;
  readonly presences: readonly Json[];
  /** Connections that are ready. */
  readonly ready: number;
  sessionStartsLeft: number;
}

export interface Gateway extends GatewayControl {
  readonly violations: string[];
  readonly dispatch: (dispatch: Dispatch) => void;
  readonly end: () => void;
}

interface Session {
  readonly id: string;
  readonly intents: number;
  readonly shard: readonly [number, number];
  readonly events: { readonly s: number; readonly t: string; readonly d: Json }[];
  socket: WebSocket | null;
  sequence: number;
}

/** Outbound frames of a client at most, in bytes, and sends in 60 s. Source: docs, events/gateway. */
const maxFrameBytes = 4096;
const maxSends = 120;
const privileged = intentBits.GuildMembers | intentBits.GuildPresences;
const knownIntents = (1 << 26) - 1;

export function createGateway(
  server: Server,
  world: DiscordWorld,
  oracle: OpenApiOracle,
  heartbeatMs: number,
  url: () => string,
): Gateway {
  const { state, portal } = world;
  const sockets = new WebSocketServer({ server });
  const sessions = new Map<string, Session>();
  const violations: string[] = [];
  const identifies: { intents: number; shard: readonly [number, number]; atMs: number }[] = [];
  const presences: Json[] = [];
  const refusals: number[] = [];
  let isDropping = false;
  let replayed = 0;
  let resumes = 0;

  const isOf = ({ shard }: Session, guildId: string | null): boolean =>
    guildId === null ? shard[0] === 0 : Number((BigInt(guildId) >> 22n) % BigInt(shard[1])) === shard[0];

  const deliver = (session: Session, type: string, payload: Json): void => {
    session.sequence += 1;
    const event = { s: session.sequence, t: type, d: payload };
    session.events.push(event);
    if (session.socket !== null) send(session.socket, { op: 0, ...event });
  };

  const dispatch = ({ type, guildId, channelId, intents, payload }: Dispatch): void => {
    const channel = channelId === null ? undefined : state.channels.get(channelId);
    if (channel !== undefined && !may(state, channel, state.botId, 'ViewChannel')) return;
    for (const session of sessions.values()) {
      if (!isOf(session, guildId) || (intents !== 0 && (session.intents & intents) === 0)) continue;
      const sent = payload((session.intents & intentBits.MessageContent) !== 0);
      const schema = schemas[type];
      if (schema !== undefined) violations.push(...oracle.problemsOf(schema, sent).map((one) => `${type}: ${one}`));
      deliver(session, type, sent);
    }
  };

  const identify = (socket: WebSocket, given: Json): Session | null => {
    const intents = Number(given['intents']);
    const shard = (given['shard'] ?? [0, 1]) as [number, number];
    identifies.push({ intents, shard, atMs: state.now() });
    control.sessionStartsLeft -= 1;
    const forbidden = privileged | (portal.messageContent ? 0 : intentBits.MessageContent);
    const refused = refusals.shift();
    const code =
      refused ??
      (given['token'] !== state.token
        ? 4004
        : (intents & ~knownIntents) !== 0
          ? 4013
          : (intents & forbidden) !== 0
            ? 4014
            : null);
    if (code !== null) {
      socket.close(code, closeReasons[code] ?? '');
      return null;
    }
    const session: Session = { id: state.nextId(), intents, shard, events: [], socket, sequence: 0 };
    sessions.set(session.id, session);
    const guilds = [...state.guilds.values()].filter(
      (guild) => guild.members.has(state.botId) && isOf(session, guild.id),
    );
    deliver(session, 'READY', ready(session, guilds));
    if ((intents & intentBits.Guilds) !== 0) {
      for (const guild of guilds) deliver(session, 'GUILD_CREATE', wireGuildCreate(world, guild));
    }
    return session;
  };

  const ready = (session: Session, guilds: readonly GuildState[]): Json => {
    const bot = state.users.get(state.botId);
    return {
      v: 10,
      user: bot === undefined ? {} : { ...wireUser(bot), verified: true, mfa_enabled: false, email: null },
      guilds: guilds.map(({ id }) => ({ id, unavailable: true })),
      session_id: session.id,
      resume_gateway_url: url(),
      session_type: 'normal',
      shard: session.shard,
      application: { id: state.applicationId, flags: portal.messageContent ? 1 << 19 : 0 },
    };
  };

  const resume = (socket: WebSocket, given: Json): Session | null => {
    const session = sessions.get(String(given['session_id']));
    if (session === undefined || given['token'] !== state.token) {
      send(socket, { op: 9, d: false });
      return null;
    }
    resumes += 1;
    session.socket = socket;
    const known = Number(given['seq']) - replayed;
    for (const event of session.events.filter(({ s, t }) => s > known && !onceOnly.has(t))) {
      send(socket, { op: 0, ...event });
    }
    deliver(session, 'RESUMED', {});
    return session;
  };

  sockets.on('connection', (socket: WebSocket, _request: IncomingMessage) => {
    let session: Session | null = null;
    let sends = 0;
    const renewal = setInterval(() => {
      sends = 0;
    }, 60_000);
    socket.on('error', () => undefined);
    socket.on('close', () => {
      clearInterval(renewal);
      if (session?.socket === socket) session.socket = null;
    });
    socket.on('message', (data: RawData) => {
      const text = (data as Buffer).toString();
      sends += 1;
      if (Buffer.byteLength(text) > maxFrameBytes) return socket.close(4002, closeReasons[4002]);
      if (sends > maxSends) return socket.close(4008, closeReasons[4008]);
      const { op, d } = JSON.parse(text) as { readonly op: number; readonly d: Json };
      if (op === 1) {
        if (!isDropping) send(socket, { op: 11 });
      } else if (op === 2) {
        if (session !== null) return socket.close(4005, closeReasons[4005]);
        session = identify(socket, d);
      } else if (op === 6) session = resume(socket, d);
      else if (session === null) socket.close(4003, closeReasons[4003]);
      else if (op === 3) presences.push(d);
      else if (op !== 4 && op !== 8) socket.close(4001, closeReasons[4001]);
    });
    send(socket, { op: 10, d: { heartbeat_interval: heartbeatMs } });
  });

  const all = (act: (socket: WebSocket) => void): void => {
    for (const socket of sockets.clients) act(socket);
  };

  const control: Gateway = {
    violations,
    dispatch,
    cut: () => all((socket) => socket.terminate()),
    close: (code) => {
      // After 4007 and 4009 a session cannot be resumed. Source: docs, topics/opcodes.
      if (code === 4007 || code === 4009) sessions.clear();
      all((socket) => socket.close(code, closeReasons[code] ?? ''));
    },
    invalidate: (canResume) => {
      if (!canResume) sessions.clear();
      all((socket) => send(socket, { op: 9, d: canResume }));
    },
    askToReconnect: () => all((socket) => send(socket, { op: 7, d: null })),
    forgetSessions: () => sessions.clear(),
    refuseIdentify: (code, times) => {
      refusals.push(...Array.from({ length: times }, () => code));
    },
    dropHeartbeats: (drops) => {
      isDropping = drops;
    },
    replayMore: (events) => {
      replayed = events;
    },
    identifies,
    presences,
    get resumes() {
      return resumes;
    },
    get ready() {
      return [...sessions.values()].filter(({ socket }) => socket !== null).length;
    },
    sessionStartsLeft: 1000,
    end: () => {
      all((socket) => socket.terminate());
      sockets.close();
    },
  };
  return control;
}

/** What belongs to the start of a session or a connection, and is never replayed. */
const onceOnly = new Set(['READY', 'GUILD_CREATE', 'RESUMED']);

/** Events that are an object of the OpenAPI file with more members. */
const schemas: Readonly<Record<string, string>> = {
  MESSAGE_CREATE: 'MessageResponse',
  MESSAGE_UPDATE: 'MessageResponse',
  THREAD_CREATE: 'ThreadResponse',
  THREAD_UPDATE: 'ThreadResponse',
};

const closeReasons: Readonly<Record<number, string>> = {
  4001: 'Unknown opcode.',
  4002: 'Error while decoding payload.',
  4003: 'Not authenticated.',
  4004: 'Authentication failed.',
  4005: 'Already authenticated.',
  4008: 'Rate limited.',
  4009: 'Session timed out.',
  4013: 'Invalid intent(s).',
  4014: 'Disallowed intent(s).',
};

function send(socket: WebSocket, frame: Json): void {
  if (socket.readyState === socket.OPEN) socket.send(JSON.stringify({ s: null, t: null, ...frame }));
}
