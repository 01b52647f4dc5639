import type { Json } from './state.ts';

/** One field that Discord refuses; `path` in dots, as in `components.0.custom_id`. */
export interface FieldProblem {
  readonly path: string;
  readonly code: string;
  readonly message: string;
}

/** An answer by which Discord says no. Codes: docs, topics/opcodes-and-status-codes. */
export class DiscordRefusal extends Error {
  readonly status: number;
  readonly code: number;
  readonly fields: readonly FieldProblem[];

  constructor(status: number, code: number, message: string, fields: readonly FieldProblem[] = []) {
    super(message);
    this.status = status;
    this.code = code;
    this.fields = fields;
  }

  toBody(): Json {
    const plain = { code: this.code, message: this.message };
    return this.fields.length === 0 ? plain : { ...plain, errors: nested(this.fields) };
  }
}

export function invalidForm(fields: readonly FieldProblem[]): DiscordRefusal {
  return new DiscordRefusal(400, 50_035, 'Invalid Form Body', fields);
}

export function refusal(name: keyof typeof refusals): DiscordRefusal {
  const [status, code, message] = refusals[name];
  return new DiscordRefusal(status, code, message);
}

const refusals = {
  unauthorized: [401, 0, '401: Unauthorized'],
  notFound: [404, 0, '404: Not Found'],
  unknownChannel: [404, 10_003, 'Unknown Channel'],
  unknownGuild: [404, 10_004, 'Unknown Guild'],
  unknownMember: [404, 10_007, 'Unknown Member'],
  unknownMessage: [404, 10_008, 'Unknown Message'],
  unknownUser: [404, 10_013, 'Unknown User'],
  unknownWebhook: [404, 10_015, 'Unknown Webhook'],
  unknownInteraction: [404, 10_062, 'Unknown interaction'],
  unknownCommand: [404, 10_063, 'Unknown application command'],
  tooLarge: [413, 40_005, 'Request entity too large'],
  alreadyAcknowledged: [400, 40_060, 'Interaction has already been acknowledged.'],
  missingAccess: [403, 50_001, 'Missing Access'],
  otherAuthor: [403, 50_005, 'Cannot edit a message authored by another user'],
  emptyMessage: [400, 50_006, 'Cannot send an empty message'],
  closedDms: [403, 50_007, 'Cannot send messages to this user'],
  wrongChannelKind: [400, 50_024, 'Cannot execute action on this channel type'],
  notATextChannel: [400, 50_008, 'Cannot send messages in a non-text channel'],
  missingPermissions: [403, 50_013, 'Missing Permissions'],
  invalidWebhookToken: [401, 50_027, 'Invalid Webhook Token'],
  invalidJson: [400, 50_109, 'The request body contains invalid JSON.'],
  archived: [400, 50_083, 'Thread is archived'],
  noHistory: [400, 160_002, 'Cannot reply without permission to read message history'],
  threadExists: [400, 160_004, 'A thread has already been created for this message'],
  locked: [400, 160_005, 'Thread is locked'],
} as const satisfies Record<string, readonly [number, number, string]>;

/** By the steps of the paths. A field has either problems of its own or some further inside, as the OpenAPI file says: the inner ones win. */
function nested(fields: readonly FieldProblem[]): Json {
  interface Level {
    [key: string]: Level | { code: string; message: string }[];
  }
  const errors: Level = {};
  for (const { path, code, message } of fields) {
    if (fields.some((other) => other.path.startsWith(`${path}.`))) continue;
    let level = errors;
    for (const step of path.split('.')) {
      const next = level[step];
      level = next === undefined || Array.isArray(next) ? (level[step] = {}) : next;
    }
    const known = level['_errors'];
    level['_errors'] = [...(Array.isArray(known) ? known : []), { code, message }];
  }
  return errors;
}
