import { isPickable } from './file-types.ts';
import type { InteractionState, Interactions } from './interactions.ts';
import { permissionsIn } from './permissions.ts';
import type { GivenFile, People } from './people.ts';
import type { Setting } from './setting.ts';
import type { AttachmentState, CommandState, Json, MessageState } from './state.ts';
import { wireAttachment, wireChannel, wireInteractionMember, wireMessageEvent, wireUser } from './wire.ts';
import { allComponents, componentTypes } from './wire-components.ts';
import type { DiscordWorld } from './world.ts';

export interface Where {
  /** Default: the channel of the message, or `general`. */
  readonly channelId?: string;
  /** Default: Ada. */
  readonly author?: string;
}

export type FormValue = string | boolean | readonly string[] | readonly GivenFile[];

/** What people do with commands, buttons and forms. What Discord's app would not let them do throws. */
export interface Clicks {
  /** `name`, or `name subcommand`. */
  slash(
    name: string,
    options?: Readonly<Record<string, string | number | boolean | GivenFile>>,
    where?: Where,
  ): InteractionState;
  messageCommand(name: string, messageId: string, where?: Where): InteractionState;
  press(messageId: string, customId: string, where?: Where): InteractionState;
  choose(messageId: string, customId: string, values: readonly string[], where?: Where): InteractionState;
  /** Fills in the form that an interaction was answered with; what is not named stays empty. */
  submitModal(opened: InteractionState, values: Readonly<Record<string, FormValue>>): InteractionState;
}

export function createClicks(
  world: DiscordWorld,
  setting: Setting,
  interactions: Interactions,
  people: People,
): Clicks {
  const { state, limits } = world;

  const happen = (
    kind: InteractionState['kind'],
    where: Where & {
      readonly message?: MessageState;
      readonly files?: readonly AttachmentState[];
      readonly metadata?: Json;
    },
    data: Json,
  ): InteractionState => {
    const { message = null, files = [], author: userId = setting.ada.id } = where;
    const channel = state.channels.get(where.channelId ?? message?.channelId ?? setting.general.id);
    if (channel === undefined) throw new Error('there is no such channel');
    const type = { slash: 2, 'message-command': 2, component: 3, 'modal-submit': 5 }[kind];
    const user = state.users.get(userId);
    const guild = channel.guildId === null ? undefined : state.guilds.get(channel.guildId);
    if (user === undefined) throw new Error(`there is no user ${userId}`);
    const owners = guild === undefined ? { '1': userId } : { '0': guild.id };
    const metadata: Record<string, unknown> = {
      type,
      user: wireUser(user),
      authorizing_integration_owners: owners,
      ...where.metadata,
    };
    const interaction = interactions.open({
      kind,
      channelId: channel.id,
      guildId: channel.guildId,
      userId,
      messageId: message?.id ?? null,
      metadata,
      files,
    });
    metadata['id'] = interaction.id;
    world.emit({
      type: 'INTERACTION_CREATE',
      guildId: channel.guildId,
      // Interactions reach the bot wherever they happen, seen or not.
      channelId: null,
      intents: 0,
      payload: () => ({
        id: interaction.id,
        application_id: state.applicationId,
        type,
        data,
        version: 1,
        token: interaction.token,
        channel_id: channel.id,
        channel: wireChannel(world, channel),
        app_permissions: String(permissionsIn(state, channel, state.botId)),
        locale: 'en-US',
        entitlements: [],
        authorizing_integration_owners: owners,
        context: guild === undefined ? 1 : 0,
        attachment_size_limit: limits.maxFileBytes,
        ...(message === null ? {} : { message: wireMessageEvent(world, message, true) }),
        ...(guild === undefined
          ? { user: wireUser(user) }
          : {
              guild_id: guild.id,
              guild_locale: 'en-US',
              member: wireInteractionMember(world, guild, channel, userId),
            }),
      }),
    });
    return interaction;
  };

  const command = (name: string, type: number): CommandState => {
    const found = state.commands.find(
      ({ definition }) => definition['name'] === name && (definition['type'] ?? 1) === type,
    );
    if (found === undefined) throw new Error(`the bot has no command "${name}" of type ${type}`);
    return found;
  };

  const resolved = (files: readonly AttachmentState[]): Json => ({
    attachments: Object.fromEntries(files.map((file) => [file.id, wireAttachment(world, file)])),
  });

  const componentOf = (message: MessageState, customId: string): Json => {
    const found = allComponents(message.components).find((one) => one['custom_id'] === customId);
    if (found === undefined) throw new Error(`message ${message.id} has no component ${customId}`);
    if (found['disabled'] === true) throw new Error(`${customId} is disabled`);
    return found;
  };

  const use = (messageId: string, customId: string, more: Json, where: Where): InteractionState => {
    const message = state.messages.get(messageId);
    if (message === undefined) throw new Error(`there is no message ${messageId}`);
    if (message.ephemeralFor !== null && message.ephemeralFor !== (where.author ?? setting.ada.id)) {
      throw new Error('somebody else does not see that message');
    }
    const component = componentOf(message, customId);
    const data = { custom_id: customId, component_type: component['type'], id: component['id'] ?? 1, ...more };
    return happen('component', { ...where, message, metadata: { interacted_message_id: messageId } }, data);
  };

  return {
    slash: (fullName, options = {}, where = {}) => {
      const [name = '', subcommand] = fullName.split(' ');
      const { id, definition } = command(name, 1);
      const holder = subcommand === undefined ? definition : subcommandOf(definition, subcommand);
      const wanted = (holder['options'] ?? []) as readonly Json[];
      const channelId = where.channelId ?? setting.general.id;
      for (const given of Object.keys(options)) {
        if (!wanted.some((option) => option['name'] === given)) throw new Error(`/${name} has no option ${given}`);
      }
      const files: AttachmentState[] = [];
      const filled = wanted.flatMap((option) => {
        const value = options[String(option['name'])];
        if (value === undefined) {
          if (option['required'] === true) throw new Error(`/${name} needs ${String(option['name'])}`);
          return [];
        }
        const common = { name: option['name'], type: option['type'] };
        if (typeof value !== 'object') return [{ ...common, value }];
        if (!isPickable(value.name, option['file_types'])) throw new Error(`${value.name} cannot be picked there`);
        const file = people.store(channelId, value, true);
        files.push(file);
        return [{ ...common, value: file.id }];
      });
      const chosen = subcommand === undefined ? filled : [{ name: subcommand, type: 1, options: filled }];
      const data = { id, name, type: 1, options: chosen, ...(files.length === 0 ? {} : { resolved: resolved(files) }) };
      return happen('slash', { ...where, channelId, files }, data);
    },
    messageCommand: (name, messageId, where = {}) => {
      const { id } = command(name, 3);
      const target = state.messages.get(messageId);
      if (target === undefined) throw new Error(`there is no message ${messageId}`);
      const {
        member: _member,
        channel_type: _type,
        ...wired
      } = wireMessageEvent(world, target, true) as Record<string, unknown>;
      const data = { id, name, type: 3, target_id: messageId, resolved: { messages: { [messageId]: wired } } };
      const place = { channelId: target.channelId, ...where };
      return happen('message-command', { ...place, metadata: { target_message_id: messageId } }, data);
    },
    press: (messageId, customId, where = {}) => use(messageId, customId, {}, where),
    choose: (messageId, customId, values, where = {}) => use(messageId, customId, { values }, where),
    submitModal: (opened, values) => {
      const { modal } = opened;
      if (modal === null) throw new Error('that interaction was not answered with a form');
      const fields = allComponents(modal['components'] as readonly Json[]);
      for (const id of Object.keys(values)) {
        if (!fields.some((field) => field['custom_id'] === id)) throw new Error(`the form has no field ${id}`);
      }
      const files: AttachmentState[] = [];
      const fill = (field: Json): Json => {
        const { type, custom_id: customId } = field;
        const value = values[String(customId)];
        const common = { type, id: 1, custom_id: customId };
        checkField(field, value);
        if (type === componentTypes.fileUpload) {
          const uploaded = ((value ?? []) as readonly GivenFile[]).map((file) =>
            people.store(opened.channelId, file, true),
          );
          files.push(...uploaded);
          return { ...common, values: uploaded.map(({ id }) => id) };
        }
        if (Array.isArray(value)) return { ...common, values: value };
        return { ...common, value: value ?? '' };
      };
      const components = (modal['components'] as readonly Json[]).map((part) => {
        if (part['type'] === componentTypes.label)
          return { type: componentTypes.label, id: 1, component: fill(part['component'] as Json) };
        if (part['type'] === componentTypes.textDisplay) return { type: componentTypes.textDisplay, id: 1 };
        return { type: componentTypes.actionRow, id: 1, components: (part['components'] as readonly Json[]).map(fill) };
      });
      const message = state.messages.get(opened.messageId ?? '');
      const place = {
        channelId: opened.channelId,
        author: opened.userId,
        files,
        metadata: { triggering_interaction_metadata: opened.metadata },
      };
      const data = {
        custom_id: modal['custom_id'],
        components,
        ...(files.length === 0 ? {} : { resolved: resolved(files) }),
      };
      return happen('modal-submit', { ...place, ...(message === undefined ? {} : { message }) }, data);
    },
  };
}

function subcommandOf(definition: Json, name: string): Json {
  const found = ((definition['options'] ?? []) as readonly Json[]).find((option) => option['name'] === name);
  if (found === undefined) throw new Error(`/${String(definition['name'])} has no ${name}`);
  return found;
}

/** What Discord's app checks before it sends a form. */
function checkField(field: Json, value: FormValue | undefined): void {
  const name = String(field['custom_id']);
  const isRequired = field['required'] !== false;
  const isEmpty = value === undefined || value === '' || (Array.isArray(value) && value.length === 0);
  if (isRequired && isEmpty) throw new Error(`the form needs ${name}`);
  if (isEmpty) return;
  if (typeof value === 'string') {
    const isFitting =
      value.length <= Number(field['max_length'] ?? 4000) && value.length >= Number(field['min_length'] ?? 0);
    if (!isFitting) throw new Error(`${name} is too long or too short`);
  }
  if (!Array.isArray(value)) return;
  const maxValues = Number(field['max_values'] ?? 1);
  if (value.length > maxValues) throw new Error(`${name} takes ${maxValues} at most`);
  for (const file of value) {
    if (typeof file === 'object' && !isPickable((file as GivenFile).name, field['file_types']))
      throw new Error(`${(file as GivenFile).name} cannot be picked there`);
  }
}
