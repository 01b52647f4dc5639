import { asArray, asObject, asText } from '../json.ts';
import type { Json } from '../json.ts';

/** Who an event or a click is about: read from what Slack wraps around it. */

/** One installation of the app: a workspace, or one workspace of a Grid organisation that installed it for all of them. */
export function workspaceIdOf(envelope: Json): string {
  const installed = asObject(asArray(envelope['authorizations'])[0]);
  // In shared channels the envelope's `team_id` may be a stranger's; the context is the side that hears it.
  const context = asText(envelope['context_team_id']) ?? asText(envelope['team_id']) ?? '';
  const team = asText(installed['team_id']);
  if (installed['is_enterprise_install'] !== true) return team ?? context;
  const enterprise =
    asText(installed['enterprise_id']) ??
    asText(envelope['context_enterprise_id']) ??
    asText(envelope['enterprise_id']) ??
    '';
  return `${enterprise}.${team ?? context}`;
}

/** The bot's user in that installation; `null` where the envelope does not name it. */
export function botUserIdOf(envelope: Json): string | null {
  const installed = asObject(asArray(envelope['authorizations'])[0]);
  return installed['is_bot'] === true ? asText(installed['user_id']) : null;
}

/** The same for a click, a submitted view, a shortcut or a slash command, which have no `authorizations`. */
export function workspaceIdOfPayload(payload: Json): string {
  const message = asObject(payload['message']);
  const team =
    asText(asObject(payload['view'])['app_installed_team_id']) ??
    // In shared channels the payload's team may be the clicker's own; a message of ours has ours.
    (asText(message['bot_id']) === null ? null : asText(message['team'])) ??
    asText(asObject(payload['team'])['id']) ??
    asText(payload['team_id']) ??
    asText(asObject(payload['user'])['team_id']) ??
    '';
  const install = payload['is_enterprise_install'];
  const enterprise = asText(asObject(payload['enterprise'])['id']) ?? asText(payload['enterprise_id']);
  return (install === true || install === 'true') && enterprise !== null ? `${enterprise}.${team}` : team;
}
