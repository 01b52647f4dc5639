import { createHmac, randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Where the app is installed: one workspace, or a whole organisation. */
export interface OauthPlace {
  readonly team: { readonly id: string; readonly name: string } | null;
  readonly enterprise: { readonly id: string; readonly name: string } | null;
}

export type Json = Readonly<Record<string, unknown>>;

/** A Slack that installs apps: authorize page, codes, tokens, their rotation, and what the bot asks with them. */
export interface OauthSlack extends AsyncDisposable {
  readonly apiUrl: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly signingSecret: string;
  /** Every token, code and refresh token that it ever gave out, for searching what must not hold them. */
  readonly secrets: ReadonlySet<string>;
  /** Web API methods called so far, with their arguments and the token they came with. */
  readonly calls: readonly { readonly method: string; readonly args: Json; readonly token: string | null }[];
  /** What the person at the authorize page does next. */
  consent(answer: { readonly place: OauthPlace } | 'deny'): void;
  /** Tokens that are given out from now on live so long, and can be renewed; `null`: they live for ever. */
  rotate(livesSeconds: number | null): void;
  /** Users that `users.info` knows, by id. */
  readonly users: Map<string, Json>;
  /** Answers instead of the method's own, until it is deleted here. */
  readonly answers: Map<string, (args: Json) => Json>;
  /** Slack takes back all tokens of the place. */
  revoke(place: OauthPlace): void;
  /** Posts a signed event to the bot. Resolves to the HTTP status. */
  send(url: string, body: Json): Promise<number>;
}

interface Grant {
  readonly place: OauthPlace;
  readonly scope: string;
}

const bot = { userId: 'U0BOT', botId: 'B0BOT', appId: 'A0PLOTLINE' };

export async function startOauthSlack(redirectUris: readonly string[]): Promise<OauthSlack> {
  const clientId = '1111.2222';
  const clientSecret = randomBytes(16).toString('hex');
  const signingSecret = randomBytes(16).toString('hex');
  const secrets = new Set<string>([clientSecret, signingSecret]);
  const calls: { method: string; args: Json; token: string | null }[] = [];
  const users = new Map<string, Json>();
  const answers = new Map<string, (args: Json) => Json>();
  const codes = new Map<string, Grant & { readonly redirectUri: string }>();
  const tokens = new Map<string, Grant & { readonly expiresAtMs: number }>();
  const refreshTokens = new Map<string, Grant>();
  let consent: { readonly place: OauthPlace } | 'deny' = 'deny';
  let livesSeconds: number | null = null;

  const secret = (begin: string): string => {
    const made = `${begin}${randomBytes(18).toString('hex')}`;
    secrets.add(made);
    return made;
  };

  const issue = ({ place, scope }: Grant): Json => {
    const token = secret(livesSeconds === null ? 'xoxb-1-' : 'xoxe.xoxb-1-');
    tokens.set(token, {
      place,
      scope,
      expiresAtMs: livesSeconds === null ? Infinity : Date.now() + livesSeconds * 1000,
    });
    const rotation = livesSeconds === null ? {} : { refresh_token: secret('xoxe-1-'), expires_in: livesSeconds };
    if (rotation.refresh_token !== undefined) refreshTokens.set(rotation.refresh_token, { place, scope });
    return {
      ok: true,
      access_token: token,
      token_type: 'bot',
      scope,
      bot_user_id: bot.userId,
      app_id: bot.appId,
      team: place.team,
      enterprise: place.enterprise,
      is_enterprise_install: place.team === null,
      ...rotation,
    };
  };

  /** Slack's own page, and what the person there does at once. */
  const authorize = (url: URL, response: ServerResponse): void => {
    const redirectUri = url.searchParams.get('redirect_uri') ?? '';
    if (url.searchParams.get('client_id') !== clientId || !redirectUris.includes(redirectUri)) {
      response.writeHead(400).end('bad_redirect_uri');
      return;
    }
    const back = new URL(redirectUri);
    back.searchParams.set('state', url.searchParams.get('state') ?? '');
    if (consent === 'deny') {
      back.searchParams.set('error', 'access_denied');
    } else {
      const code = secret('code.');
      codes.set(code, { place: consent.place, scope: url.searchParams.get('scope') ?? '', redirectUri });
      back.searchParams.set('code', code);
    }
    response.writeHead(302, { location: back.href }).end();
  };

  const access = (args: Json): Json => {
    if (args['client_id'] !== clientId) return refusal('invalid_client_id');
    if (args['client_secret'] !== clientSecret) return refusal('bad_client_secret');
    if (args['grant_type'] === 'refresh_token') {
      const used = String(args['refresh_token']);
      const grant = refreshTokens.get(used);
      if (grant === undefined) return refusal('invalid_refresh_token');
      refreshTokens.delete(used);
      return issue(grant);
    }
    const code = String(args['code']);
    const grant = codes.get(code);
    if (grant === undefined) return refusal('invalid_code');
    codes.delete(code);
    if (args['redirect_uri'] !== grant.redirectUri) return refusal('bad_redirect_uri');
    return { ...issue(grant), authed_user: { id: 'U0ADMIN' } };
  };

  const withToken = (method: string, args: Json, token: string | null): Json => {
    const grant = tokens.get(token ?? '');
    if (grant === undefined) return refusal(token === null ? 'not_authed' : 'invalid_auth');
    if (Date.now() >= grant.expiresAtMs) return refusal('token_expired');
    const { team, enterprise } = grant.place;
    switch (method) {
      case 'auth.test':
        return {
          ok: true,
          url: 'https://example.slack.com/',
          team_id: team?.id ?? enterprise?.id,
          user_id: bot.userId,
          bot_id: bot.botId,
          enterprise_id: enterprise?.id,
          is_enterprise_install: team === null,
        };
      case 'auth.revoke':
        tokens.delete(token ?? '');
        return { ok: true, revoked: true };
      case 'users.info': {
        if (!grant.scope.split(',').includes('users:read'))
          return { ...refusal('missing_scope'), needed: 'users:read' };
        const user = users.get(String(args['user']));
        return user === undefined ? refusal('user_not_found') : { ok: true, user };
      }
      case 'chat.postMessage':
      case 'chat.update':
        return { ok: true, ts: args['ts'] ?? `${calls.length}.000100`, channel: args['channel'] };
      case 'chat.postEphemeral':
        return { ok: true, message_ts: `${calls.length}.000200` };
      case 'chat.delete':
        return { ok: true };
      case 'conversations.replies':
        return { ok: true, messages: [] };
      default:
        return refusal('unknown_method');
    }
  };

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const url = new URL(request.url ?? '/', 'http://localhost');
    if (url.pathname === '/oauth/v2/authorize') return authorize(url, response);
    let text = '';
    for await (const chunk of request) text += String(chunk);
    const method = url.pathname.replace('/api/', '');
    const args: Json = Object.fromEntries(new URLSearchParams(text));
    const token = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1] ?? null;
    calls.push({ method, args, token });
    const made =
      answers.get(method)?.(args) ?? (method === 'oauth.v2.access' ? access(args) : withToken(method, args, token));
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(made));
  };

  const server = createServer((request, response) => {
    answer(request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });

  return {
    apiUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/`,
    clientId,
    clientSecret,
    signingSecret,
    secrets,
    calls,
    users,
    answers,
    consent: (next) => {
      consent = next;
    },
    rotate: (seconds) => {
      livesSeconds = seconds;
    },
    revoke: (place) => {
      const isThere = (grant: Grant): boolean =>
        grant.place.team?.id === place.team?.id && grant.place.enterprise?.id === place.enterprise?.id;
      for (const [token, grant] of tokens) if (isThere(grant)) tokens.delete(token);
      for (const [token, grant] of refreshTokens) if (isThere(grant)) refreshTokens.delete(token);
    },
    send: async (url, body) => {
      const text = JSON.stringify(body);
      const timestamp = String(Math.floor(Date.now() / 1000));
      const digest = createHmac('sha256', signingSecret).update(`v0:${timestamp}:${text}`).digest('hex');
      const headers = {
        'content-type': 'application/json',
        'x-slack-request-timestamp': timestamp,
        'x-slack-signature': `v0=${digest}`,
      };
      return (await fetch(url, { method: 'POST', headers, body: text })).status;
    },
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function refusal(error: string): Json {
  return { ok: false, error };
}

/** Someone at a browser: keeps cookies as one does, follows what Slack and the bot send back. */
export function createBrowser() {
  const cookies = new Map<string, string>();
  const get = async (url: string): Promise<Response> => {
    const headers = { cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; ') };
    const response = await fetch(url, { headers, redirect: 'manual' });
    for (const cookie of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(cookie) ?? [];
      cookies.set(name, value);
    }
    return response;
  };
  /** The link of the install page; its cookie is kept. */
  const begin = async (installUrl: string): Promise<string> => {
    const page = await (await get(installUrl)).text();
    return (/href="([^"]+)"/.exec(page)?.[1] ?? '').replaceAll('&amp;', '&');
  };
  return {
    get,
    begin,
    /** From the install page to the last one. */
    install: async (installUrl: string): Promise<{ readonly status: number; readonly page: string }> => {
      const back = (await get(await begin(installUrl))).headers.get('location') ?? '';
      const last = await get(back);
      return { status: last.status, page: await last.text() };
    },
  };
}

/** Which of the secrets stand in the text, also encoded; nothing of them, so that a failing test shows none. */
export function traces(secrets: Iterable<string>, text: string): readonly string[] {
  const forms = (secret: string): readonly string[] => [
    secret,
    Buffer.from(secret).toString('base64').replace(/=+$/, ''),
    Buffer.from(secret).toString('hex'),
  ];
  return [...secrets]
    .filter((secret) => forms(secret).some((form) => text.includes(form)))
    .map((secret) => `${secret.slice(0, 8)}…`);
}
