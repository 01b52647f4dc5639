import type { IncomingMessage, ServerResponse } from 'node:http';
import { asObject, asText } from '../json.ts';

/** The pages that somebody sees who installs the app. They load nothing, run nothing, and show nothing unescaped. */

export function installPage(authorizeUrl: string): string {
  return page(
    'Add Plotline to Slack',
    '<p>Attach a spreadsheet to a message, mention Plotline and ask. It answers in the thread, with charts, tables and files.</p>' +
      `<p><a class="button" href="${escapeHtml(authorizeUrl)}">Add to Slack</a></p>` +
      '<p>Slack shows next what Plotline may do. Somebody who may install apps in the workspace must agree.</p>',
  );
}

/** `installation` is Bolt's; only names and ids of it are shown. */
export function showInstalled(installation: object, _request: IncomingMessage, response: ServerResponse): void {
  const fields = asObject(installation);
  const team = asObject(fields['team']);
  const enterprise = asObject(fields['enterprise']);
  const isOrgWide = fields['isEnterpriseInstall'] === true;
  const where = isOrgWide ? enterprise : team;
  const name = asText(where['name']) ?? asText(where['id']) ?? 'your workspace';
  const appId = asText(fields['appId']);
  const teamId = asText(team['id']);
  const link =
    isOrgWide || appId === null || teamId === null
      ? 'slack://open'
      : `slack://app?team=${encodeURIComponent(teamId)}&id=${encodeURIComponent(appId)}`;
  const next = isOrgWide
    ? '<p>An admin of the organisation can now add it to workspaces.</p>'
    : '<p>In a channel, <code>/invite</code> it, attach a spreadsheet and mention it. In a direct message no mention is needed.</p>';
  send(
    response,
    200,
    page(
      'Plotline is installed',
      `<p>It can now be asked in <strong>${escapeHtml(name)}</strong>.</p>${next}` +
        `<p><a class="button" href="${escapeHtml(link)}">Open Slack</a></p>`,
    ),
  );
}

export function showNotWelcome(response: ServerResponse): void {
  const words =
    'This Plotline is not for this workspace. Whoever runs it decides that (in the settings: SLACK_ALLOW_WORKSPACES, ' +
    'SLACK_DENY_WORKSPACES); ask them. Nothing of your workspace was kept.';
  send(response, 403, page('Plotline was not installed', `<p>${words}</p>`));
}

/** `installUrl`: where to begin again. The reason is Slack's or Bolt's code; the rest is in the log. */
export function showFailure(error: unknown, installUrl: string, response: ServerResponse): void {
  const { status, words } = explain(error);
  const again = `<p><a class="button" href="${escapeHtml(installUrl)}">Begin again</a></p>`;
  send(response, status, page('Plotline was not installed', `<p>${escapeHtml(words)}</p>${again}`));
}

function explain(error: unknown): { readonly status: number; readonly words: string } {
  const fields = asObject(error);
  // The codes of @slack/oauth and @slack/web-api.
  switch (asText(fields['code']) ?? '') {
    case 'slack_oauth_installer_authorization_error':
      return { status: 403, words: 'Slack was not given the permission. Nothing was changed.' };
    case 'slack_oauth_missing_state':
    case 'slack_oauth_invalid_state':
      return {
        status: 400,
        words: 'This page belongs to another browser, or was begun more than ten minutes ago. Nothing was changed.',
      };
    case 'slack_oauth_missing_code':
      return { status: 400, words: 'Slack sent no code. Nothing was changed.' };
    case 'slack_webapi_platform_error': {
      const reason = asText(asObject(fields['data'])['error']) ?? 'it did not say why';
      return {
        status: 502,
        words: `Slack refused it (${reason.slice(0, 60)}). Whoever runs Plotline finds more in the log.`,
      };
    }
    default:
      return {
        status: 500,
        words: 'Something went wrong on the side of Plotline. Whoever runs it finds more in the log.',
      };
  }
}

function send(response: ServerResponse, status: number, body: string): void {
  response.writeHead(status, {
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy':
      "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
    'cache-control': 'no-store',
  });
  response.end(body);
}

function page(title: string, body: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<style>
body { font: 16px/1.5 system-ui, sans-serif; max-width: 34rem; margin: 4rem auto; padding: 0 1rem; color: #1d1c1d; }
.button { display: inline-block; padding: .5rem 1rem; border-radius: .4rem; background: #1f3a5f; color: #fff; text-decoration: none; }
</style>
</head>
<body>
<h1>${title}</h1>
${body}
</body>
</html>
`;
}

function escapeHtml(text: string): string {
  const entities: Readonly<Record<string, string>> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
    "'": '&#39;',
  };
  return text.replace(/[&<>"']/g, (sign) => entities[sign] ?? '');
}
