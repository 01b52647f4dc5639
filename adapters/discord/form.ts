import { ComponentType, TextInputStyle } from 'discord.js';
import type {
  APIMessageApplicationCommandInteraction,
  APIModalInteractionResponseCallbackData,
  APIModalSubmitInteraction,
} from 'discord.js';
import type { Attachment } from '../../src/types.ts';
import { fileTypes, questionCharacters } from './command-definitions.ts';
import { asObject } from '../json.ts';
import { filesOf } from './attachments.ts';
import { createFormTargets } from './form-targets.ts';
import { interactionFile } from './message.ts';

const formName = 'analyze';
const questionId = 'question';
const uploadId = 'files';

/** The form behind *Analyze this file*: a question about the files of a message, and further files. */
export interface QuestionForm {
  open(interaction: APIMessageApplicationCommandInteraction): APIModalInteractionResponseCallbackData;
  /** For the process that the form is sent to: this one may have been started anew by then. Never rejects. */
  keep(interaction: APIMessageApplicationCommandInteraction): Promise<void>;
  /** `null` for another form. */
  read(interaction: APIModalSubmitInteraction): Promise<{
    readonly question: string;
    readonly attachments: readonly Attachment[];
    readonly messageId: string;
    /** The message's files are not known any more, and no others came. */
    readonly isLost: boolean;
    /** To be called once the question was taken. */
    readonly done: () => Promise<void>;
  } | null>;
}

/** The form's id names the message and, by the interaction that opened it, the files that were asked about. */
export function createQuestionForm(deps: Parameters<typeof createFormTargets>[0]): QuestionForm {
  const targets = createFormTargets(deps);

  return {
    open: ({ id, data }) => {
      const message = data.resolved.messages[data.target_id];
      const files = filesOf(asObject(message));
      targets.remember(id, files);
      return {
        custom_id: `${formName}:${data.target_id}:${id}`,
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

    keep: ({ id }) => targets.keep(id),

    read: async ({ data, channel }) => {
      const [name, messageId, formId = ''] = data.custom_id.split(':');
      if (name !== formName || messageId === undefined || channel === undefined) return null;
      const fields = data.components.flatMap((row) => ('component' in row ? [row.component] : []));
      const text = fields.find((field) => field.custom_id === questionId);
      const upload = fields.find((field) => field.custom_id === uploadId);
      const uploaded = upload !== undefined && 'values' in upload ? upload.values : [];
      const given = uploaded.flatMap((id) => data.resolved?.attachments?.[id] ?? []).flatMap(interactionFile);
      const files = await targets.filesFor(formId, { channelId: channel.id, id: messageId });
      return {
        question: text !== undefined && 'value' in text && typeof text.value === 'string' ? text.value.trim() : '',
        attachments: [...(files ?? []), ...given],
        messageId,
        isLost: files === null && given.length === 0,
        done: () => targets.drop(formId),
      };
    },
  };
}
