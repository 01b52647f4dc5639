/**
 * Discord's limits of one message, written down a second time (docs: resources/message, components/reference): what the adapter
 * sends is held against these numbers, not against its own. Lengths in characters, sizes in bytes.
 */

type Json = Readonly<Record<string, unknown>>;

const objects = (value: unknown): readonly Json[] => (Array.isArray(value) ? (value as Json[]) : []);
const lengthOf = (value: unknown): number => (typeof value === 'string' ? value.length : 0);

/** Everything in the request that Discord would refuse, in words. */
export function brokenLimits(
  body: Json,
  files: readonly { readonly name: string; readonly sizeBytes: number }[] = [],
  maxFileBytes = 10_485_760,
): readonly string[] {
  const isOfComponents = (Number(body['flags'] ?? 0) & 32_768) !== 0;
  const broken: string[] = [];
  const refuse = (isBroken: boolean, what: string): void => {
    if (isBroken) broken.push(what);
  };
  const all = flat(objects(body['components']));
  const attachments = objects(body['attachments']);

  refuse(lengthOf(body['content']) > 2000, `content of ${lengthOf(body['content'])}`);
  refuse(isOfComponents && 'content' in body, 'content beside components');
  refuse((Number(body['flags'] ?? 0) & ~(4 | 4096 | 32_768)) !== 0, `flags ${String(body['flags'])}`);
  refuse(!isOfComponents && all.some(({ type }) => type !== 1 && type !== 2), 'new components in a plain message');
  refuse(lengthOf(body['content']) + all.length + attachments.length === 0, 'nothing in it');
  refuse(lengthOf(body['nonce']) > 25, 'a long nonce');

  const texts = all.filter(({ type }) => type === 10).map(({ content }) => lengthOf(content));
  refuse(all.length > 40, `${all.length} components`);
  refuse(texts.reduce((sum, length) => sum + length, 0) > 4000, `texts of ${texts.join(' + ')}`);
  refuse(texts.includes(0), 'an empty text');
  const ids = all.flatMap(({ id }) => (typeof id === 'number' ? [id] : []));
  refuse(new Set(ids).size < ids.length || ids.some((id) => id < 0 || id > 2_147_483_647), `ids ${ids.join()}`);

  const customIds = all.flatMap((one) => (typeof one['custom_id'] === 'string' ? [one['custom_id']] : []));
  refuse(new Set(customIds).size < customIds.length, 'the same custom id twice');
  refuse(
    customIds.some((id) => id.length < 1 || id.length > 100),
    'a long custom id',
  );
  for (const row of all.filter(({ type }) => type === 1)) {
    const count = objects(row['components']).length;
    refuse(count < 1 || count > 5, `${count} buttons in a row`);
  }
  refuse(
    all.some(({ type, label }) => type === 2 && lengthOf(label) > 80),
    'a long label',
  );

  const items = all.flatMap((one) => objects(one['items']));
  refuse(
    all.some((one) => objects(one['items']).length > 10),
    'a gallery of more than 10',
  );
  for (const { description } of [...items, ...attachments]) {
    refuse(description !== undefined && (lengthOf(description) < 1 || lengthOf(description) > 1024), 'alt text');
  }

  const names = attachments.map(({ filename }) => String(filename));
  refuse(files.length > 10, `${files.length} files`);
  refuse(names.join() !== files.map(({ name }) => name).join(), `files ${names.join()}`);
  refuse(new Set(names).size < names.length, 'the same file name twice');
  refuse(
    names.some((name) => !/^[A-Za-z0-9._-]{1,255}$/.test(name) || name.startsWith('.')),
    `names ${names.join()}`,
  );
  const shown = [...items.map(({ media }) => media), ...all.map(({ file }) => file)].flatMap((media) => {
    const url = (media as Json | undefined)?.['url'];
    return typeof url === 'string' ? [url.replace('attachment://', '')] : [];
  });
  refuse(isOfComponents && shown.toSorted().join() !== names.toSorted().join(), `shown ${shown.join()}`);
  refuse(
    files.some(({ sizeBytes }) => sizeBytes < 1 || sizeBytes > maxFileBytes),
    'a file too large or empty',
  );
  refuse(
    files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0) + JSON.stringify(body).length > 26_214_400,
    'a request too large',
  );

  const mentions = body['allowed_mentions'] as Json | undefined;
  refuse(JSON.stringify(mentions) !== '{"parse":[],"replied_user":false}', 'mentions allowed');
  refuse((Number(body['flags'] ?? 0) & 4) === 0, 'embeds not suppressed');
  return broken;
}

function flat(components: readonly Json[]): readonly Json[] {
  return components.flatMap((component) => [component, ...flat(objects(component['components']))]);
}
