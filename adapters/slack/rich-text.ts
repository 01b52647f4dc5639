import { asArray, asObject, asText } from '../json.ts';
import type { Json } from '../json.ts';

/** Everything inside `rich_text` blocks, in reading order, whatever it is nested in. */
function elementsOf(blocks: readonly Json[]): readonly Json[] {
  const within = (element: Json): readonly Json[] => [
    element,
    ...asArray(element['elements']).flatMap((child) => within(asObject(child))),
  ];
  return blocks.filter((block) => block['type'] === 'rich_text').flatMap(within);
}

/** `text` may be cut or lack what the blocks have. */
export function blocksMention(blocks: readonly Json[], userId: string): boolean {
  return elementsOf(blocks).some((element) => element['type'] === 'user' && element['user_id'] === userId);
}

/** Ids of files that are part of the message's text. */
export function fileIdsIn(blocks: readonly Json[]): readonly string[] {
  return elementsOf(blocks).flatMap((element) =>
    element['type'] === 'file'
      ? (asText(element['file_id']) ?? asText(asObject(element['file'])['id']) ?? asText(element['id']) ?? [])
      : [],
  );
}

/** The blocks' words in Slack's own markup, as `text` would have them. Empty without `rich_text` blocks. */
export function markupOf(blocks: readonly Json[]): string {
  return blocks
    .filter((block) => block['type'] === 'rich_text')
    .map(markup)
    .join('\n')
    .trim();
}

function markup(element: Json): string {
  switch (element['type']) {
    case 'text':
      return escape(asText(element['text']) ?? '');
    case 'user':
      return `<@${asText(element['user_id']) ?? ''}>`;
    case 'usergroup':
      return `<!subteam^${asText(element['usergroup_id']) ?? ''}>`;
    case 'channel':
      return `<#${asText(element['channel_id']) ?? ''}>`;
    case 'broadcast':
      return `<!${asText(element['range']) ?? 'channel'}>`;
    case 'emoji':
      return `:${asText(element['name']) ?? ''}:`;
    case 'date':
      return escape(asText(element['fallback']) ?? '');
    case 'link': {
      const url = escape(asText(element['url']) ?? '');
      const label = asText(element['text']);
      return label === null ? `<${url}>` : `<${url}|${escape(label)}>`;
    }
    case 'rich_text_list':
      return children(element)
        .map((item) => `• ${item}`)
        .join('\n');
    case 'rich_text':
      return children(element).join('\n');
    default:
      return children(element).join('');
  }
}

function children(element: Json): readonly string[] {
  return asArray(element['elements']).map((child) => markup(asObject(child)));
}

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
