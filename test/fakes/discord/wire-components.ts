import { signedLink } from './links.ts';
import type { AttachmentState, Json, MessageState } from './state.ts';
import type { DiscordWorld } from './world.ts';

/** Numbers of the kinds of component. Source: docs, components/reference. */
export const componentTypes = {
  actionRow: 1,
  button: 2,
  stringSelect: 3,
  section: 9,
  textDisplay: 10,
  thumbnail: 11,
  mediaGallery: 12,
  file: 13,
  separator: 14,
  container: 17,
  label: 18,
  fileUpload: 19,
} as const;

/** A component and everything inside it, from the outside in. */
export function allComponents(components: readonly Json[]): readonly Json[] {
  return components.flatMap((component) => [
    component,
    ...allComponents((component['components'] ?? []) as readonly Json[]),
    ...allComponents(component['accessory'] === undefined ? [] : [component['accessory'] as Json]),
    ...allComponents(component['component'] === undefined ? [] : [component['component'] as Json]),
  ]);
}

/** Names of the files that components and embeds show, as in `attachment://chart.png`. */
export function shownFiles(components: readonly Json[], embeds: readonly Json[]): ReadonlySet<string> {
  const media = [
    ...allComponents(components).flatMap((component) => [
      component['media'],
      component['file'],
      ...((component['items'] ?? []) as readonly Json[]).map((item) => item['media']),
    ]),
    ...embeds.flatMap((embed) => [embed['image'], embed['thumbnail']]),
  ];
  return new Set(media.map(fileName).filter((name) => name !== null));
}

export function fileName(media: unknown): string | null {
  const url = (media as Json | null | undefined)?.['url'];
  return typeof url === 'string' && url.startsWith('attachment://') ? url.slice('attachment://'.length) : null;
}

/** The files that a message has in its `attachments`: those that nothing else in it shows. */
export function shownAttachments(message: MessageState): readonly AttachmentState[] {
  const shown = shownFiles(message.components, message.embeds);
  return message.attachments.filter(({ filename }) => !shown.has(filename));
}

export function wireComponents(world: DiscordWorld, message: MessageState): readonly Json[] {
  let nextId = 1;
  const wire = (component: Json): Json => {
    const { type, components, accessory, ...own } = withoutNulls(component);
    const id = typeof own['id'] === 'number' && own['id'] > 0 ? own['id'] : nextId++;
    const inner = components === undefined ? {} : { components: (components as readonly Json[]).map(wire) };
    const beside = accessory === undefined ? {} : { accessory: wire(accessory as Json) };
    return { ...defaultsOf(type as number), ...own, ...media(own, type as number), ...inner, ...beside, type, id };
  };
  const media = (own: Json, type: number): Json => {
    if (type === componentTypes.file) {
      const file = message.attachments.find(({ filename }) => filename === fileName(own['file']));
      return {
        file: unfurled(own['file'] as Json),
        name: file?.filename ?? null,
        size: file?.bytes.byteLength ?? null,
      };
    }
    if (type === componentTypes.thumbnail) return { media: unfurled(own['media'] as Json) };
    if (type !== componentTypes.mediaGallery) return {};
    const items = own['items'] as readonly Json[];
    return {
      items: items.map((item) => ({
        description: null,
        spoiler: false,
        ...withoutNulls(item),
        media: unfurled(item['media'] as Json),
      })),
    };
  };
  const unfurled = (given: Json): Json => {
    const file = message.attachments.find(({ filename }) => filename === fileName(given));
    if (file === undefined) return { id: message.id, url: given['url'], proxy_url: given['url'] };
    const url = signedLink(world, file);
    return { id: file.id, attachment_id: file.id, url, proxy_url: url, content_type: file.contentType };
  };
  return message.components.map(wire);
}

function defaultsOf(type: number): Json {
  switch (type) {
    case componentTypes.container:
      return { accent_color: null, spoiler: false };
    case componentTypes.thumbnail:
      return { description: null, spoiler: false };
    case componentTypes.file:
      return { spoiler: false };
    case componentTypes.separator:
      return { spacing: 1, divider: true };
    case componentTypes.stringSelect:
      return { min_values: 1, max_values: 1 };
    default:
      return {};
  }
}

export function wireEmbeds(world: DiscordWorld, message: MessageState): readonly Json[] {
  const picture = (given: unknown): Json => {
    const { url } = given as { readonly url: string };
    const file = message.attachments.find(({ filename }) => filename === fileName(given));
    const link = file === undefined ? url : signedLink(world, file);
    return { url: link, proxy_url: link };
  };
  return message.embeds.map((embed) => {
    const { image, thumbnail, fields, ...own } = withoutNulls(embed);
    return {
      type: 'rich',
      ...own,
      ...(image === undefined ? {} : { image: picture(image) }),
      ...(thumbnail === undefined ? {} : { thumbnail: picture(thumbnail) }),
      ...(fields === undefined
        ? {}
        : { fields: (fields as readonly Json[]).map((field) => ({ inline: false, ...field })) }),
    };
  });
}

function withoutNulls(given: Json): Json {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== null));
}
