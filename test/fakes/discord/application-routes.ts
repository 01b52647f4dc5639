import { fileTypeProblems } from './file-types.ts';
import { guildPermissions } from './permissions.ts';
import { invalidForm, refusal } from './refusal.ts';
import type { FieldProblem } from './refusal.ts';
import { bodyOf, done, ok } from './route.ts';
import type { Answer, Call, Routes } from './route.ts';
import type { CommandState, GuildState, Json, UserState } from './state.ts';
import { wireChannel, wireCommand, wireMember, wireRole, wireUser } from './wire.ts';
import { privateChannel } from './setting.ts';
import { wireGuild } from './wire-guild.ts';

/** Commands of one kind at most. Source: docs, interactions/application-commands. */
const maxCommands: Readonly<Record<number, number>> = { 1: 100, 2: 15, 3: 15 };

export const applicationRoutes: Routes = {
  'GET /users/@me': (call) => ok({ ...me(call), mfa_enabled: false, locale: 'en-US', verified: true, email: null }),
  'GET /users/{user_id}': (call) => ok(wireUser(userOf(call))),
  'POST /users/@me/channels': (call) => {
    const id = String(bodyOf(call)['recipient_id']);
    const user = call.world.state.users.get(id);
    if (user === undefined) throw refusal('unknownUser');
    return ok(wireChannel(call.world, privateChannel(call.world.state, id)));
  },
  'GET /applications/@me': (call) => ok(application(call)),
  'GET /guilds/{guild_id}': (call) => ok(wireGuild(guildOf(call))),
  'GET /guilds/{guild_id}/roles': (call) => ok([...guildOf(call).roles.values()].map(wireRole)),
  'GET /guilds/{guild_id}/channels': (call) => {
    const { state } = call.world;
    const guild = guildOf(call);
    const channels = [...state.channels.values()].filter(
      ({ guildId, kind }) => guildId === guild.id && kind !== 'thread',
    );
    return ok(channels.map((channel) => wireChannel(call.world, channel)));
  },
  'GET /guilds/{guild_id}/members/{user_id}': (call) => {
    const guild = guildOf(call);
    const user = userOf(call);
    if (!guild.members.has(user.id)) throw refusal('unknownMember');
    return ok(wireMember(guild, user, user.id));
  },
  ...commandRoutes('/applications/{application_id}/commands'),
  ...commandRoutes('/applications/{application_id}/guilds/{guild_id}/commands'),
};

function commandRoutes(path: string): Routes {
  return {
    [`GET ${path}`]: (call) => ok(commandsOf(call).map((command) => wired(call, command))),
    [`PUT ${path}`]: (call) => {
      const definitions = (call.body ?? []) as readonly Json[];
      const problems = [...commandProblems(definitions)];
      if (problems.length > 0) throw invalidForm(problems);
      const { state } = call.world;
      const old = commandsOf(call);
      state.commands = state.commands.filter((command) => !old.includes(command));
      return ok(definitions.map((definition) => wired(call, add(call, definition, old))));
    },
    [`POST ${path}`]: (call): Answer => {
      const definition = bodyOf(call);
      const { state } = call.world;
      const old = commandsOf(call);
      const same = old.find((command) => isSame(command.definition, definition));
      const others = old.filter((command) => command !== same);
      const problems = commandProblems([...others.map((command) => command.definition), definition]);
      if (problems.length > 0) throw invalidForm(problems);
      state.commands = state.commands.filter((command) => command !== same);
      return { status: same === undefined ? 201 : 200, body: wired(call, add(call, definition, old)) };
    },
    [`DELETE ${path}/{command_id}`]: (call) => {
      const { state } = call.world;
      const command = commandsOf(call).find(({ id }) => id === call.parameters['command_id']);
      if (command === undefined) throw refusal('unknownCommand');
      state.commands = state.commands.filter((one) => one !== command);
      return done;
    },
  };
}

function commandsOf({ world, parameters }: Call): readonly CommandState[] {
  const { state } = world;
  if (parameters['application_id'] !== state.applicationId) throw refusal('missingAccess');
  const guildId = parameters['guild_id'] ?? null;
  if (guildId !== null && !state.guilds.has(guildId)) throw refusal('missingAccess');
  return state.commands.filter((command) => command.guildId === guildId);
}

/** A command of the same kind and name keeps its id. */
function add({ world, parameters }: Call, definition: Json, old: readonly CommandState[]): CommandState {
  const { state } = world;
  const { id: _given, ...kept } = definition;
  const command: CommandState = {
    id: old.find((one) => isSame(one.definition, definition))?.id ?? state.nextId(),
    guildId: parameters['guild_id'] ?? null,
    version: state.nextId(),
    definition: kept,
  };
  state.commands.push(command);
  return command;
}

function isSame(one: Json, other: Json): boolean {
  return one['name'] === other['name'] && (one['type'] ?? 1) === (other['type'] ?? 1);
}

function wired({ world }: Call, command: CommandState): Json {
  return wireCommand(command, world.state.applicationId);
}

function commandProblems(definitions: readonly Json[]): readonly FieldProblem[] {
  const problems: FieldProblem[] = [];
  for (const [index, definition] of definitions.entries()) {
    const type = Number(definition['type'] ?? 1);
    const name = String(definition['name']);
    const hasDescription = typeof definition['description'] === 'string' && definition['description'] !== '';
    const at = (path: string, code: string, message: string): void => {
      problems.push({ path: `${index}.${path}`, code, message });
    };
    if (type === 1 && !isCommandName(name)) at('name', 'APPLICATION_COMMAND_INVALID_NAME', 'Command name is invalid');
    if (type === 1 && !hasDescription) at('description', 'BASE_TYPE_REQUIRED', 'This field is required');
    if (type !== 1 && (hasDescription || definition['options']))
      at('description', 'APPLICATION_COMMANDS_CONTEXT', 'Only slash commands have that.');
    if (definitions.findIndex((one) => isSame(one, definition)) !== index)
      at('name', 'APPLICATION_COMMANDS_DUPLICATE_NAME', 'Names must be unique');
    const options = (definition['options'] ?? []) as readonly Json[];
    const firstOptional = options.findIndex((option) => option['required'] !== true);
    for (const [place, option] of options.entries()) {
      if (!isCommandName(String(option['name'])))
        at(`options.${place}.name`, 'APPLICATION_COMMAND_INVALID_NAME', 'Option name is invalid');
      if (firstOptional !== -1 && place > firstOptional && option['required'] === true) {
        at(
          `options.${place}`,
          'APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID',
          'Required options must be placed before non-required options',
        );
      }
      problems.push(...fileTypeProblems(option['file_types'], `${index}.options.${place}.file_types`));
    }
  }
  for (const [type, max] of Object.entries(maxCommands)) {
    const count = definitions.filter((one) => Number(one['type'] ?? 1) === Number(type)).length;
    if (count > max)
      problems.push({
        path: '_body',
        code: 'APPLICATION_COMMANDS_EXCEEDED',
        message: `${count} of at most ${max} commands.`,
      });
  }
  return problems;
}

function isCommandName(name: string): boolean {
  return /^[-_'\p{L}\p{N}]{1,32}$/u.test(name) && name === name.toLowerCase();
}

function me({ world }: Call): Json {
  const bot = world.state.users.get(world.state.botId);
  if (bot === undefined) throw refusal('unknownUser');
  return wireUser(bot);
}

function userOf({ world, parameters }: Call): UserState {
  const id = parameters['user_id'] ?? '';
  const user = world.state.users.get(id);
  if (user === undefined) throw refusal('unknownUser');
  return user;
}

function guildOf({ world, parameters }: Call): GuildState {
  const guild = world.state.guilds.get(parameters['guild_id'] ?? '');
  if (guild === undefined) throw refusal('unknownGuild');
  if (guildPermissions(guild, world.state.botId) === 0n && !guild.members.has(world.state.botId))
    throw refusal('missingAccess');
  return guild;
}

function application(call: Call): Json {
  const { state, portal } = call.world;
  const bot = me(call);
  const owner = [...state.users.values()].find((user) => !user.bot);
  // GATEWAY_MESSAGE_CONTENT_LIMITED. Source: docs, resources/application.
  const flags = portal.messageContent ? 1 << 19 : 0;
  return {
    ...Object.fromEntries(
      ['icon', 'type', 'interactions_endpoint_url', 'role_connections_verification_url', 'team'].map((name) => [
        name,
        null,
      ]),
    ),
    id: state.applicationId,
    name: bot['username'],
    description: '',
    bot,
    verify_key: '0'.repeat(64),
    flags,
    flags_new: String(flags),
    redirect_uris: [],
    owner: owner === undefined ? bot : wireUser(owner),
    approximate_guild_count: state.guilds.size,
    approximate_user_install_count: 0,
    approximate_user_authorization_count: 0,
    explicit_content_filter: 0,
    eligible_oauth2_scopes: [],
  };
}
