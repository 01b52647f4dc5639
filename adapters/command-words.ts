/** Words that are an order to the bot instead of a question, when they are all of the message. */
export type Command = 'stop' | 'show-code' | 'forget' | 'help';

export function commandIn(text: string): Command | null {
  const word = text
    .toLowerCase()
    .replace(/[\s.!?]+/g, ' ')
    .trim();
  if (/^(?:please )?(?:stop|cancel|abort)(?: please)?$/.test(word)) return 'stop';
  if (/^(?:please )?(?:show )?(?:me )?(?:the |your )?code(?: please)?$/.test(word)) return 'show-code';
  if (/^(?:please )?forget(?: (?:it|this|everything))?(?: ?(?:this |the )?thread)?(?: please)?$/.test(word)) {
    return 'forget';
  }
  return /^(?:please )?help(?: me)?(?: please)?$/.test(word) ? 'help' : null;
}
