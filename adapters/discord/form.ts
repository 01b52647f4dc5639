import { ComponentType, Routes, TextInputStyle } from 'discord.js';
import type {
  APIMessage,
  APIMessageApplicationCommandInteraction,
  APIModalInteractionResponseCallbackData,
  APIModalSubmitInteraction,
  REST,
} from 'discord.js';
import type { Logger } from '../../src/log.ts';
import type { Attachment } from '../../src/types.ts';
import { fileTypes, questionCharacters } from './command-definitions.ts';
import { asObject } from '../json.ts';
import { filesOf } from './attachments.ts';
import { interactionFile } from './message.ts';

const formId = 'analyze';
const questionId = 'question';
const uploadId = 'files';

const rememberedTargets = 500;
/** Discord waits three seconds for the answer to the form. */
const readTimeoutMs = 1500;

/** The form behind *Analyze this file*: a question about the files of a message, and further files. */
export interface QuestionForm {
  open(interaction: APIMessageApplicationCommandInteraction): APIModalInteractionResponseCallbackData;
  /** `null` for another form. */
  read(interaction: APIModalSubmitInteraction): Promise<{
    readonly question: string;
    readonly attachments: readonly Attachment[];
    readonly messageId: string;
    /** The message's files are not known any more: the bot was started anew since the form was opened. */
    readonly isLost: boolean;
  } | null>;
}

/**
 * Discord shows the command the whole message, also where the bot may not read it otherwise; the form that is sent in has only
 * its id. So the files are kept here meanwhile, and after a restart the message is read as far as the bot may.
 */
export function createQuestionForm(deps: { readonly rest: Pick<REST, 'get'>; readonly log: Logger }): QuestionForm {
  const targets = new Map<string, readonly Attachment[]>();

  const filesOfTarget = async (channelId: string, messageId: string): Promise<readonly Attachment[] | null> => {
    const known = targets.get(messageId);
    if (known !== undefined) return known;
    try {
      const signal = AbortSignal.timeout(readTimeoutMs);
      const message = (await deps.rest.get(Routes.channelMessage(channelId, messageId), { signal })) as APIMessage;
      const files = filesOf(asObject(message));
      return files.length === 0 ? null : files;
    } catch (error) {
      deps.log.warn({ channelId, messageId, error: String(error) }, 'the message of a form could not be read');
      return null;
    }
  };

  return {
    open: ({ data }) => {
      const message = data.resolved.messages[data.target_id];
      const files = filesOf(asObject(message));
      const oldest = targets.keys().next().value;
      if (targets.size >= rememberedTargets && oldest !== undefined) targets.delete(oldest);
      targets.set(data.target_id, files);
      return {
        custom_id: `${formId}:${data.target_id}`,
        title: 'Analyze this file',
        components: [
          {
            type: ComponentType.Label,
            label: 'Your question',
            description: 'Leave it empty for an overview',
            component: {
              type: ComponentType.TextInput,
              custom_id: questionId,
              style: TextInputStyle.Paragraph,
              required: false,
              max_length: questionCharacters,
              placeholder: 'Revenue by month as a line chart',
            },
          },
          {
            type: ComponentType.Label,
            label: files.length === 0 ? 'The message has no file: add one' : 'More files, if you like',
            component: {
              type: ComponentType.FileUpload,
              custom_id: uploadId,
              min_values: files.length === 0 ? 1 : 0,
              max_values: 10,
              required: files.length === 0,
              file_types: [...fileTypes],
            },
          },
        ],
      };
    },

    read: async ({ data, channel }) => {
      const [name, messageId] = data.custom_id.split(':');
      if (name !== formId || messageId === undefined || channel === undefined) return null;
      const fields = data.components.flatMap((row) => ('component' in row ? [row.component] : []));
      const text = fields.find((field) => field.custom_id === questionId);
      const upload = fields.find((field) => field.custom_id === uploadId);
      const uploaded = upload !== undefined && 'values' in upload ? upload.values : [];
      const given = uploaded.flatMap((id) => data.resolved?.attachments?.[id] ?? []).flatMap(interactionFile);
      const files = await filesOfTarget(channel.id, messageId);
      return {
        question: text !== undefined && 'value' in text && typeof text.value === 'string' ? text.value.trim() : '',
        attachments: [...(files ?? []), ...given],
        messageId,
        isLost: files === null && given.length === 0,
      };
    },
  };
}
