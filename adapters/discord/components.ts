import type { Json } from '../json.ts';

/** Numbers of Discord's component types (docs: components/reference). */
export const componentTypes = {
  actionRow: 1,
  button: 2,
  textDisplay: 10,
  mediaGallery: 12,
  file: 13,
  separator: 14,
} as const;

/** Bits of a message's `flags` that a bot may set. */
export const messageFlags = { suppressEmbeds: 1 << 2, componentsV2: 1 << 15 } as const;

export function textDisplay(content: string): Json {
  return { type: componentTypes.textDisplay, content };
}

/** One picture in a gallery of its own: several in one are cropped to tiles. */
export function picture(attachmentName: string, altText: string): Json {
  const media = { url: `attachment://${attachmentName}` };
  return {
    type: componentTypes.mediaGallery,
    items: [altText === '' ? { media } : { media, description: altText }],
  };
}

export function fileComponent(attachmentName: string): Json {
  return { type: componentTypes.file, file: { url: `attachment://${attachmentName}` } };
}

export function thinLine(): Json {
  return { type: componentTypes.separator, divider: false, spacing: 1 };
}
