import { plainTextObject } from './blocks.ts';
import type { Json } from '../json.ts';
import { slackLimits } from './limits.ts';

export const questionCallbackId = 'plotline-question';
/** Where the typed question is in the submitted view: `state.values[questionBlockId][questionInputId].value`. */
export const questionBlockId = 'plotline-question-text';
export const questionInputId = 'plotline-question-input';

/** Names that are listed; further ones are counted. */
const shownNames = 10;

/**
 * What *Analyze this file* asks for. `files`: names as their senders wrote them. `privateMetadata` comes back with the submission.
 * Throws a `RangeError` where it is over Slack's 3,000 characters, for a cut one could not be read.
 */
export function questionView(files: readonly string[], privateMetadata: string): Json {
  if (privateMetadata.length > slackLimits.privateMetadataCharacters) {
    throw new RangeError(
      `private_metadata has ${privateMetadata.length} characters; Slack takes ${slackLimits.privateMetadataCharacters}`,
    );
  }
  return {
    type: 'modal',
    callback_id: questionCallbackId,
    private_metadata: privateMetadata,
    title: { type: 'plain_text', text: 'Analyze this file' },
    submit: { type: 'plain_text', text: 'Ask' },
    close: { type: 'plain_text', text: 'Cancel' },
    blocks: [
      { type: 'section', text: plainTextObject(filesText(files), slackLimits.sectionCharacters, 'No file.') },
      {
        type: 'input',
        block_id: questionBlockId,
        label: { type: 'plain_text', text: 'Your question' },
        hint: { type: 'plain_text', text: 'The answer is posted in the thread of the message.' },
        element: {
          type: 'plain_text_input',
          action_id: questionInputId,
          multiline: true,
          max_length: slackLimits.inputCharacters,
          placeholder: { type: 'plain_text', text: 'What is in it, and what is wrong with it?' },
        },
      },
    ],
  };
}

function filesText(files: readonly string[]): string {
  if (files.length === 0) return 'This message has no file; the files of its thread are used.';
  const names = files.slice(0, shownNames).map((name) => plainTextObject(name, 120, 'a file without a name')['text']);
  const more = files.length - names.length;
  return `${files.length === 1 ? 'File' : 'Files'}: ${names.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}
