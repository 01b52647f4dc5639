import type { OutgoingMessage } from '../../src/ports/platforms.ts';
import { cardButtons } from './buttons.ts';
import { displayBudget } from './limits.ts';
import { discordMarkdown, splitForDiscord } from './markdown.ts';
import { renderProgress } from './render-progress.ts';
import { renderReply } from './render-reply.ts';
import type { RenderedPost } from './rendered-post.ts';

export function renderMessage(message: OutgoingMessage): RenderedPost {
  switch (message.kind) {
    case 'progress':
      return renderProgress(message.progress);
    case 'reply':
      return renderReply(message.reply);
    case 'card':
      return { ...renderText(message.text), rows: cardButtons(message.file) };
    case 'notice':
    case 'refusal':
    default:
      return renderText(message.text);
  }
}

export function renderText(markdown: string): RenderedPost {
  const texts = splitForDiscord(discordMarkdown(markdown), displayBudget);
  return { kind: 'text', texts: texts.length === 0 ? ['…'] : texts, rows: [], wholeText: null };
}
