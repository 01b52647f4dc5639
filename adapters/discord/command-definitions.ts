import {
  ApplicationCommandOptionType,
  ApplicationCommandType,
  ApplicationIntegrationType,
  InteractionContextType,
} from 'discord.js';
import type { RESTPutAPIApplicationCommandsJSONBody } from 'discord.js';

export const analyzeCommand = 'analyze';
export const analyzeMessageCommand = 'Analyze this file';
export const plotlineCommand = 'plotline';

/** Longest question in a form; of an option Discord takes 6,000. */
export const questionCharacters = 4000;

/** What the file pickers offer: Discord takes ten. Attached to a message, a file of any other kind is looked at as well. */
export const fileTypes = ['.csv', '.tsv', '.txt', '.xlsx', '.xlsm', '.xls', '.ods', '.json', '.zip', '.pdf'] as const;

const everywhere = {
  contexts: [InteractionContextType.Guild, InteractionContextType.BotDM],
  integration_types: [ApplicationIntegrationType.GuildInstall],
};

/** All commands of the bot, as they are registered. */
export const commandDefinitions: RESTPutAPIApplicationCommandsJSONBody = [
  {
    ...everywhere,
    type: ApplicationCommandType.ChatInput,
    name: analyzeCommand,
    description: 'Ask a question about a spreadsheet or a data file',
    options: [
      {
        type: ApplicationCommandOptionType.Attachment,
        name: 'file',
        description: 'CSV, Excel, ODS, JSON, ZIP, PDF or text',
        required: true,
        file_types: [...fileTypes],
      },
      {
        type: ApplicationCommandOptionType.String,
        name: 'question',
        description: 'What you want to know; without one you get an overview',
        required: false,
        max_length: questionCharacters,
      },
    ],
  },
  { ...everywhere, type: ApplicationCommandType.Message, name: analyzeMessageCommand },
  {
    ...everywhere,
    type: ApplicationCommandType.ChatInput,
    name: plotlineCommand,
    description: 'Your questions: what runs, end it, what it took, have it forgotten',
    options: [
      subcommand('status', 'Your newest threads, and how busy I am here'),
      subcommand('stop', 'End what runs here for you'),
      {
        ...subcommand('forget', 'Have me forget questions, files, code and answers'),
        options: [
          {
            type: ApplicationCommandOptionType.String,
            name: 'what',
            description: 'How much of it; without a choice this thread, or in a channel what you began there',
            required: false,
            choices: [
              { name: 'this thread', value: 'thread' },
              { name: 'all threads I began in this channel', value: 'channel' },
              { name: 'all threads I began on this server', value: 'everywhere' },
            ],
          },
        ],
      },
      subcommand('help', 'What I can do, and how to ask'),
      subcommand('usage', 'What your questions took this month'),
    ],
  },
];

function subcommand(name: string, description: string) {
  return { type: ApplicationCommandOptionType.Subcommand as const, name, description };
}
