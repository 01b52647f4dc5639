import type { UploadedFile } from './multipart.ts';
import { invalidForm, refusal } from './refusal.ts';
import type { FieldProblem } from './refusal.ts';
import type { AttachmentState, Json } from './state.ts';
import { allComponents, componentTypes, fileName, shownFiles } from './wire-components.ts';
import type { DiscordLimits } from './world.ts';

/** The limits that Discord's OpenAPI file lacks. Sources: reference, sections 1.3 and 1.6. */
export const messageLimits = {
  /** UTF-16 units: which unit Discord counts in is not documented, and this is the strictest. */
  contentLength: 2000,
  /** All Text Displays of a message together. */
  textDisplayLength: 4000,
  components: 40,
  actionRows: 5,
  embedsLength: 6000,
  files: 10,
} as const;

/** Bits of a message's flags. Source: docs, resources/message. */
export const messageFlags = {
  suppressEmbeds: 1 << 2,
  hasThread: 1 << 5,
  ephemeral: 1 << 6,
  loading: 1 << 7,
  suppressNotifications: 1 << 12,
  componentsV2: 1 << 15,
} as const;

/** A message as it would be after the request. */
export interface ProposedMessage {
  readonly content: string;
  readonly embeds: readonly Json[];
  readonly components: readonly Json[];
  readonly flags: number;
  readonly hasPoll: boolean;
  readonly hasStickers: boolean;
  readonly kept: readonly AttachmentState[];
  readonly files: readonly UploadedFile[];
  readonly isInteraction: boolean;
  /** A forward, and an answer that is still to come. */
  readonly mayBeEmpty: boolean;
}

/** @throws DiscordRefusal what Discord would say: 413/40005 for sizes, 50006 for nothing at all, else 50035. */
export function checkMessage(message: ProposedMessage, limits: DiscordLimits): void {
  if (message.files.some(({ bytes }) => bytes.byteLength > limits.maxFileBytes)) throw refusal('tooLarge');
  const problems = [
    ...flagProblems(message),
    ...textProblems(message),
    ...componentProblems(message),
    ...fileProblems(message),
  ];
  if (problems.length > 0) throw invalidForm(problems);
  const { content, embeds, components, kept, files, hasPoll, hasStickers, mayBeEmpty } = message;
  const parts = content.trim() === '' ? embeds.length + components.length + kept.length + files.length : 1;
  if (parts === 0 && !hasPoll && !hasStickers && !mayBeEmpty) throw refusal('emptyMessage');
}

function tooLong(path: string, limit: number): FieldProblem {
  return { path, code: 'BASE_TYPE_MAX_LENGTH', message: `Must be ${limit} or fewer in length.` };
}

function flagProblems({ flags, isInteraction }: ProposedMessage): readonly FieldProblem[] {
  const { suppressEmbeds, suppressNotifications, componentsV2, ephemeral } = messageFlags;
  const allowed = suppressEmbeds | suppressNotifications | componentsV2 | (isInteraction ? ephemeral : 0);
  return (flags & ~allowed) === 0
    ? []
    : [{ path: 'flags', code: 'MESSAGE_FLAGS_INVALID', message: `Flags ${flags & ~allowed} cannot be set here.` }];
}

function textProblems({ content, embeds, flags, hasPoll, hasStickers }: ProposedMessage): readonly FieldProblem[] {
  const problems: FieldProblem[] = [];
  if (content.length > messageLimits.contentLength) problems.push(tooLong('content', messageLimits.contentLength));
  const length = embeds.reduce((sum, embed) => sum + embedLength(embed), 0);
  if (length > messageLimits.embedsLength) {
    const message = `Embeds hold ${length} of at most ${messageLimits.embedsLength} characters together.`;
    problems.push({ path: 'embeds', code: 'MAX_EMBED_SIZE_EXCEEDED', message });
  }
  if ((flags & messageFlags.componentsV2) === 0) return problems;
  const conflicts = { content: content !== '', embeds: embeds.length > 0, poll: hasPoll, sticker_ids: hasStickers };
  for (const [path, isThere] of Object.entries(conflicts)) {
    const message = `The '${path}' field cannot be used when using MessageFlags.IS_COMPONENTS_V2`;
    if (isThere) problems.push({ path, code: 'MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2', message });
  }
  return problems;
}

function embedLength(embed: Json): number {
  const text = (value: unknown): number => (typeof value === 'string' ? value.length : 0);
  const fields = (embed['fields'] ?? []) as readonly Json[];
  const own = text(embed['title']) + text(embed['description']);
  const footer = text((embed['footer'] as Json | null | undefined)?.['text']);
  const author = text((embed['author'] as Json | null | undefined)?.['name']);
  return fields.reduce((sum, field) => sum + text(field['name']) + text(field['value']), own + footer + author);
}

function componentProblems({ components, flags }: ProposedMessage): readonly FieldProblem[] {
  const problems: FieldProblem[] = [];
  const all = allComponents(components);
  const add = (code: string, message: string): void => {
    problems.push({ path: 'components', code, message });
  };
  if ((flags & messageFlags.componentsV2) === 0) {
    if (components.length > messageLimits.actionRows) add('BASE_TYPE_BAD_LENGTH', 'Must be between 0 and 5 in length.');
    if (components.some(({ type }) => type !== componentTypes.actionRow)) {
      add('UNION_TYPE_CHOICES', 'Only action rows, unless the message has the flag IS_COMPONENTS_V2.');
    }
  }
  if (all.length > messageLimits.components) {
    add('COMPONENT_MAX_TOTAL_COMPONENTS_EXCEEDED', `${all.length} components, nested ones counted, of at most 40.`);
  }
  const shown = all.reduce(
    (sum, one) => sum + (one['type'] === componentTypes.textDisplay ? String(one['content']).length : 0),
    0,
  );
  if (shown > messageLimits.textDisplayLength) {
    add('COMPONENT_DISPLAYABLE_TEXT_SIZE_EXCEEDED', `${shown} characters of text of at most 4000.`);
  }
  const ids = all.map((one) => one['custom_id']).filter((id) => typeof id === 'string');
  if (new Set(ids).size < ids.length) add('COMPONENT_CUSTOM_ID_DUPLICATED', 'Component custom id cannot be duplicated');
  const numbers = all.map((one) => one['id']).filter((id) => typeof id === 'number' && id > 0);
  if (new Set(numbers).size < numbers.length)
    add('COMPONENT_ID_DUPLICATED', 'Component ids must be unique in a message.');
  for (const button of all.filter(({ type }) => type === componentTypes.button)) {
    const isLink = button['style'] === 5;
    if (isLink !== isText(button['url']))
      add('BASE_TYPE_REQUIRED', 'A url is required for link buttons, and only there.');
    if (isLink === isText(button['custom_id'])) add('BASE_TYPE_REQUIRED', 'A custom id is required, except on links.');
    if (!isText(button['label']) && !button['emoji'])
      add('BUTTON_COMPONENT_MISSING', 'A button needs a label or an emoji.');
  }
  for (const file of all.filter(({ type }) => type === componentTypes.file)) {
    if (fileName(file['file']) === null) add('UNFURLED_MEDIA_ITEM_ATTACHMENT_ONLY', 'A file must be attachment://…');
  }
  return problems;
}

function isText(value: unknown): boolean {
  return typeof value === 'string' && value !== '';
}

function fileProblems({ components, embeds, kept, files }: ProposedMessage): readonly FieldProblem[] {
  const problems: FieldProblem[] = [];
  if (kept.length + files.length > messageLimits.files) {
    problems.push({ path: 'attachments', code: 'BASE_TYPE_MAX_LENGTH', message: 'Must be 10 or fewer in length.' });
  }
  const names = new Set([...kept.map(({ filename }) => filename), ...files.map(({ name }) => safeName(name))]);
  for (const name of shownFiles(components, embeds)) {
    const message = `No uploaded file is called ${name}.`;
    if (!names.has(name))
      problems.push({ path: 'components', code: 'UNFURLED_MEDIA_ITEM_REFERENCED_ATTACHMENT_NOT_FOUND', message });
  }
  for (const name of shownFiles([], embeds)) {
    const message = `${name} is no jpg, jpeg, png, webp or gif.`;
    if (!/\.(jpe?g|png|webp|gif)$/i.test(name)) problems.push({ path: 'embeds', code: 'EMBED_IMAGE_TYPE', message });
  }
  return problems;
}

/** As Discord stores a file's name: blanks as underscores, and only letters, digits, dots, dashes and underscores. */
export function safeName(name: string): string {
  const safe = name.replaceAll(' ', '_').replaceAll(/[^\p{L}\p{N}._-]/gu, '');
  return safe === '' ? 'unknown' : safe;
}
