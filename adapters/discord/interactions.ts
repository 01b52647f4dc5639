import { ApplicationCommandType, InteractionType } from 'discord.js';
import type {
  APIApplicationCommandInteraction,
  APIChatInputApplicationCommandInteraction,
  APIInteraction,
  APIModalSubmitInteraction,
  REST,
} from 'discord.js';
import type { Logger } from '../../src/log.ts';
import type { GatewayHandlers } from '../../src/ports/platforms.ts';
import { createCooldown, refusalFor } from './access.ts';
import type { AccessRules } from './access.ts';
import { askByCommand } from './analyze.ts';
import { createButtonPresses } from './button-presses.ts';
import { analyzeCommand, analyzeMessageCommand } from './command-definitions.ts';
import type { Drafts, Question } from './drafts.ts';
import { createQuestionForm } from './form.ts';
import type { Intake } from './intake.ts';
import { interactionFile, personOf, threadAt } from './message.ts';
import type { Place } from './message.ts';
import { missingText } from './permission-check.ts';
import { isModerator, missingPermissions } from './permissions.ts';
import { plotlineText } from './plotline-command.ts';
import type { Giver, Orders } from './orders.ts';
import { createResponder } from './responder.ts';
import type { Responder } from './responder.ts';
import type { Speech } from './speech.ts';
import { placeOf } from './surroundings.ts';
import type { Surroundings } from './surroundings.ts';
import { createTurns } from './turns.ts';

/** Commands, forms and buttons. */
export interface Interactions {
  /** Acknowledged before anything is looked up. Resolves once it is dealt with. */
  handle(interaction: APIInteraction): Promise<void>;
}

export interface InteractionDeps {
  readonly handlers: GatewayHandlers;
  readonly orders: Orders;
  readonly intake: Intake;
  readonly speech: Speech;
  readonly surroundings: Surroundings;
  readonly access: AccessRules;
  readonly rest: Pick<REST, 'get' | 'post' | 'patch' | 'delete'>;
  readonly drafts: Drafts;
  readonly hasMessageContent: boolean;
  /** Ends waiting for Discord when the gateway stops. */
  readonly signal: AbortSignal;
  readonly log: Logger;
}

const nowhere = 'I cannot be used in this kind of channel. Use a text channel, a thread or a direct message.';
const broken = 'That failed on my side, and nothing came of it. Try it again in a minute.';
const lost = 'Since you opened the form, the files of the message were lost to me. Choose “Analyze this file” again.';

export function createInteractions(deps: InteractionDeps): Interactions {
  const { handlers, orders, surroundings, access, hasMessageContent } = deps;
  const cooldown = createCooldown(access.cooldownMs);
  const isOurs = createTurns(handlers);
  const form = createQuestionForm(deps);
  const refusalToAsk = ({ person }: Giver, key: string): string | null => cooldown.take(person.id, key, Date.now());
  const presses = createButtonPresses({ ...deps, refusalToAsk });

  /** Why no question may be asked here now; else `null`. */
  const problemWithAsking = (interaction: APIInteraction, giver: Giver): string | null => {
    const has = permissionBits(interaction.app_permissions);
    const missing = has === null ? [] : missingPermissions(has, giver.place.kind);
    if (missing.length > 0) return missingText(missing, giver.place);
    return refusalToAsk(giver, interaction.id);
  };

  const analyze = async (
    interaction: APIChatInputApplicationCommandInteraction,
    giver: Giver,
    responder: Responder,
  ): Promise<void> => {
    const options = interaction.data.options ?? [];
    const valueOf = (name: string): string | null => {
      const option = options.find((each) => each.name === name);
      return option !== undefined && 'value' in option ? String(option.value) : null;
    };
    const file = interaction.data.resolved?.attachments?.[valueOf('file') ?? ''];
    const attachments = file === undefined ? [] : interactionFile(file);
    const text = (valueOf('question') ?? '').trim();
    await askByCommand(questionOf(interaction, giver, text, attachments), null, responder, deps);
  };

  const submitted = async (
    interaction: APIModalSubmitInteraction,
    giver: Giver,
    responder: Responder,
  ): Promise<void> => {
    const read = await form.read(interaction);
    if (read === null || read.isLost) {
      await responder.refuse(lost);
      return;
    }
    const where = `${giver.place.guildId ?? '@me'}/${giver.place.id}/${read.messageId}`;
    const about = `https://discord.com/channels/${where}`;
    const question = questionOf(interaction, giver, read.question, read.attachments);
    await askByCommand(question, about, responder, deps);
    await read.done();
  };

  const command = async (
    interaction: APIApplicationCommandInteraction,
    giver: Giver,
    responder: Responder,
  ): Promise<void> => {
    const { data } = interaction;
    const isQuestion = data.name === analyzeCommand || data.name === analyzeMessageCommand;
    const problem = isQuestion ? problemWithAsking(interaction, giver) : null;
    if (problem !== null) {
      await responder.refuse(problem);
      return;
    }
    if (data.type === ApplicationCommandType.ChatInput) {
      const typed = interaction as APIChatInputApplicationCommandInteraction;
      if (data.name === analyzeCommand) return await analyze(typed, giver, responder);
      if (!(await responder.defer())) return;
      const { userId: botUserId } = surroundings.self();
      const text = await plotlineText(typed, giver, { handlers, orders, botUserId, hasMessageContent });
      await responder.answer({ text });
    } else if (data.type === ApplicationCommandType.Message) {
      const used = interaction as Parameters<typeof form.open>[0];
      if (await responder.openForm(form.open(used))) await form.keep(used);
    }
  };

  return {
    handle: async (interaction) => {
      if (!(await isOurs(interaction.id))) return;
      const giver = giverOf(interaction);
      const from = { channelId: interaction.channel?.id ?? '', userId: giver?.person.id ?? '' };
      const responder = createResponder(interaction, from, deps);
      if (giver === null) {
        await responder.refuse(nowhere);
        return;
      }
      const refusal = refusalFor(access, {
        userId: giver.person.id,
        guildId: giver.place.guildId,
        channelIds: [giver.place.id, ...(giver.place.parentId === null ? [] : [giver.place.parentId])],
        roleIds: interaction.member?.roles ?? [],
      });
      if (refusal !== null) {
        await responder.refuse(refusal);
        return;
      }
      try {
        if (interaction.type === InteractionType.ApplicationCommand) await command(interaction, giver, responder);
        else if (interaction.type === InteractionType.MessageComponent)
          await presses.press(interaction, giver, responder);
        else if (interaction.type === InteractionType.ModalSubmit) await submitted(interaction, giver, responder);
      } catch (error) {
        await responder.apologize(broken);
        throw error;
      }
    },
  };
}

/** `null` where nobody is named, or in channels that hold no conversation. */
function giverOf(interaction: APIInteraction): Giver | null {
  const { channel, member } = interaction;
  const user = member?.user ?? interaction.user;
  if (channel === undefined || user === undefined) return null;
  const parentId = 'parent_id' in channel ? (channel.parent_id ?? null) : null;
  const guildId = interaction.guild_id ?? null;
  const place = placeOf({ id: channel.id, type: channel.type, parentId, guildId });
  if (place === null) return null;
  const bits = permissionBits(member?.permissions);
  return {
    person: personOf(user, member?.nick),
    place,
    thread: conversationAt(place),
    isModerator: bits !== null && isModerator(bits),
  };
}

function questionOf(
  { id: interactionId }: APIInteraction,
  { person, place }: Giver,
  text: string,
  attachments: Question['attachments'],
): Question {
  return { interactionId, place, person, text, attachments, askedAtMs: Date.now() };
}

/** A text channel holds many conversations. */
function conversationAt(place: Place): Giver['thread'] {
  return place.kind === 'text' ? null : threadAt(place, place.id);
}

function permissionBits(bits: string | undefined): bigint | null {
  return bits === undefined ? null : BigInt(bits);
}
