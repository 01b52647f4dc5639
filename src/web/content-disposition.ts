/** A download under this name (RFC 6266): plain letters for old readers, all of it in UTF-8 for the others. */
export function contentDisposition(name: string): string {
  const wellFormed = name.toWellFormed();
  const plain = plainName(wellFormed);
  const encoded = encodeURIComponent(wellFormed).replace(
    /['()*!]/g,
    (letter) => `%${letter.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `attachment; filename="${plain}"; filename*=UTF-8''${encoded}`;
}

/** Letters, digits, `.` and `-` only: the end of a link, which says what it leads to and is not read. */
export function plainName(name: string): string {
  const plain = name
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .replace(/[^A-Za-z0-9.-]+/g, '-')
    .replace(/^[.-]+|[.-]+$/g, '');
  return plain === '' ? 'file' : plain.slice(-100).replace(/^[.-]+/, '');
}
