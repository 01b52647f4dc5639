/** A schema of the OpenAPI file, as far as it is corrected here. */
interface Schema {
  readonly properties?: Record<string, unknown>;
  readonly oneOf?: unknown[];
}

/**
 * Where Discord's OpenAPI file is behind its own documentation, the documentation holds. Nothing else is ever changed in it:
 * whatever the file refuses beyond this is a mistake of the fake or of the bot.
 */
export function correctOpenApi(schemas: Record<string, Schema>): void {
  // Forwards: docs, resources/message, message reference types.
  schema(schemas, 'MessageReferenceType').oneOf?.push({ title: 'FORWARD', const: 1 });
  // Problems of fields have words as codes: docs, reference, error messages.
  const error = {
    type: 'object',
    properties: { code: { type: 'string' }, message: { type: 'string' } },
    required: ['code', 'message'],
  };
  set(schema(schemas, 'InnerErrors'), '_errors', { type: 'array', items: error });
  // Permissions of commands may be text: docs, interactions/application-commands; discord.js sends text.
  for (const name of [
    'ApplicationCommandCreateRequest',
    'ApplicationCommandUpdateRequest',
    'ApplicationCommandPatchRequestPartial',
  ]) {
    set(schema(schemas, name), 'default_member_permissions', {
      type: ['string', 'integer', 'null'],
      pattern: String.raw`^\d+$`,
    });
  }
}

function schema(schemas: Record<string, Schema>, name: string): Schema {
  const found = schemas[name];
  if (found === undefined) throw new Error(`the OpenAPI file has no ${name} any more: correct less`);
  return found;
}

function set({ properties }: Schema, name: string, value: unknown): void {
  if (properties?.[name] === undefined) throw new Error(`the OpenAPI file has no ${name} any more: correct less`);
  properties[name] = value;
}
