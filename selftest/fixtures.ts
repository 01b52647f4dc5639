import { crc32, constants, deflateRawSync } from 'node:zlib';

/** Hostile files, made as they are needed: archives whose headers lie, bombs, workbooks with XML of one's choice. */

export interface ZipEntry {
  readonly name: string;
  readonly data: Deflated;
  /** What the headers say it unpacks to; the truth where absent. */
  readonly declaredBytes?: number;
}

/** Raw deflate, and the size that it unpacks to. */
export interface Deflated {
  readonly bytes: Buffer;
  readonly sizeBytes: number;
  readonly crc: number;
}

export function deflated(content: string | Uint8Array): Deflated {
  const data = Buffer.from(content);
  return { bytes: deflateRawSync(data), sizeBytes: data.length, crc: crc32(data) };
}

/** Past this size nobody should get to the end, where the checksum is compared, so it is left at 0. */
const checkedBytes = 1024 ** 3;

/** `head`, then `body` many times, then `tail`, never held unpacked: a flushed block of deflate can be repeated as it is. */
export function repeated(head: string, body: string | Uint8Array, times: number, tail = ''): Deflated {
  const block = (text: string | Uint8Array): Buffer =>
    deflateRawSync(text, { level: 9, finishFlush: constants.Z_FULL_FLUSH });
  const piece = Buffer.from(body);
  const pieces = Array.from<Buffer>({ length: times });
  const sizeBytes = Buffer.byteLength(head) + piece.length * times + Buffer.byteLength(tail);
  const isChecked = sizeBytes <= checkedBytes;
  return {
    bytes: Buffer.concat([block(head), ...pieces.fill(block(piece)), deflateRawSync(tail)]),
    sizeBytes,
    crc: isChecked
      ? crc32(
          tail,
          pieces.reduce((sum: number) => crc32(piece, sum), crc32(head)),
        )
      : 0,
  };
}

/** With `shared`, every entry after the first has the first one's bytes, as overlapping bombs do. */
export function zipOf(entries: readonly ZipEntry[], options: { readonly shared?: boolean } = {}): Buffer {
  const body: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const [index, { name, data, declaredBytes = data.sizeBytes }] of entries.entries()) {
    const fields = Buffer.alloc(26);
    fields.writeUInt16LE(20, 0);
    fields.writeUInt16LE(0x0800, 2);
    fields.writeUInt16LE(8, 4);
    fields.writeUInt32LE(0x21_0000, 6);
    fields.writeUInt32LE(data.crc, 10);
    fields.writeUInt32LE(data.bytes.length, 14);
    fields.writeUInt32LE(Math.min(declaredBytes, 0xffff_fffe), 18);
    fields.writeUInt16LE(Buffer.byteLength(name), 22);
    const isRepeat = options.shared === true && index > 0;
    const local = Buffer.concat([Buffer.from('PK\x03\x04'), fields, Buffer.from(name), data.bytes]);
    const rest = Buffer.alloc(14);
    rest.writeUInt32LE(isRepeat ? 0 : offset, 10);
    directory.push(Buffer.from('PK\x01\x02\x14\x00', 'latin1'), fields, rest, Buffer.from(name));
    if (isRepeat) continue;
    body.push(local);
    offset += local.length;
  }
  const central = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 'latin1');
  end.writeUInt16LE(entries.length, 8);
  end.writeUInt16LE(entries.length, 10);
  end.writeUInt32LE(central.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...body, central, end]);
}

const xml = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>';
const main = 'http://schemas.openxmlformats.org/spreadsheetml/2006/main';
const types = 'http://schemas.openxmlformats.org/package/2006/content-types';
const relations = 'http://schemas.openxmlformats.org/package/2006/relationships';
const officeRelations = 'http://schemas.openxmlformats.org/officeDocument/2006/relationships';

export const sheetHead = `${xml}<worksheet xmlns="${main}"><sheetData>`;
export const sheetTail = '</sheetData></worksheet>';

/** A workbook of one sheet with a small table; `parts` come on top or instead. `declaredBytes` is what bombs among them claim. */
export function workbookOf(
  parts: Readonly<Record<string, string | Deflated>>,
  options: { readonly declaredBytes?: number } = {},
): Buffer {
  const standard: Readonly<Record<string, string | Deflated>> = {
    '[Content_Types].xml': `${xml}<Types xmlns="${types}"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Default Extension="bin" ContentType="application/vnd.ms-office.vbaProject"/><Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/><Override PartName="/xl/worksheets/sheet1.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/><Override PartName="/xl/sharedStrings.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"/></Types>`,
    '_rels/.rels': `${xml}<Relationships xmlns="${relations}"><Relationship Id="rId1" Type="${officeRelations}/officeDocument" Target="xl/workbook.xml"/></Relationships>`,
    'xl/workbook.xml': `${xml}<workbook xmlns="${main}" xmlns:r="${officeRelations}"><sheets><sheet name="Sales" sheetId="1" r:id="rId1"/></sheets></workbook>`,
    'xl/_rels/workbook.xml.rels': `${xml}<Relationships xmlns="${relations}"><Relationship Id="rId1" Type="${officeRelations}/worksheet" Target="worksheets/sheet1.xml"/><Relationship Id="rId2" Type="${officeRelations}/sharedStrings" Target="sharedStrings.xml"/></Relationships>`,
    'xl/worksheets/sheet1.xml': `${sheetHead}${tidyRows}${sheetTail}`,
    'xl/sharedStrings.xml': sharedStrings('<si><t>Region</t></si><si><t>Amount</t></si><si><t>North</t></si>'),
  };
  const entries = Object.entries({ ...standard, ...parts }).map(([name, part]) => {
    const data = typeof part === 'string' ? deflated(part) : part;
    const lies = options.declaredBytes !== undefined && typeof part !== 'string';
    return lies ? { name, data, declaredBytes: options.declaredBytes } : { name, data };
  });
  return zipOf(entries);
}

const tidyRows = [
  '<row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" t="s"><v>1</v></c></row>',
  ...[2, 3, 4].map((row) => `<row r="${row}"><c r="A${row}" t="s"><v>2</v></c><c r="B${row}"><v>${row}</v></c></row>`),
].join('');

export function sharedStrings(items: string, doctype = ''): string {
  return `${xml}${doctype}<sst xmlns="${main}">${items}</sst>`;
}

export interface TarEntry {
  readonly name: string;
  /** `0` a file, `2` a symbolic link, `1` a hard link, `5` a folder, `3` a character device. */
  readonly type: '0' | '1' | '2' | '3' | '5';
  readonly link?: string;
  readonly content?: string;
}

export function tarOf(entries: readonly TarEntry[]): Buffer {
  const blocks = entries.flatMap(({ name, type, link = '', content = '' }) => {
    const header = Buffer.alloc(512);
    const size = Buffer.byteLength(content);
    header.write(name, 0, 100);
    header.write('0000777\x000000000\x000000000\x00', 100);
    header.write(`${size.toString(8).padStart(11, '0')}\0${'0'.repeat(11)}\0`, 124);
    header.write(' '.repeat(8), 148);
    header.write(type, 156);
    header.write(link, 157, 100);
    header.write('ustar\x0000', 257);
    const sum = header.reduce((total, byte) => total + byte, 0);
    header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
    const data = Buffer.alloc(Math.ceil(size / 512) * 512);
    data.write(content);
    return [header, data];
  });
  return Buffer.concat([...blocks, Buffer.alloc(1024)]);
}

/** An OLE container that holds the streams of a workbook with a password: what Excel makes of an .xlsx that it encrypts. */
export function encryptedWorkbook(): Buffer {
  const sector = 512;
  const header = Buffer.alloc(sector, 0xff);
  header.fill(0, 0, 76);
  Buffer.from('d0cf11e0a1b11ae1', 'hex').copy(header);
  header.writeUInt16LE(0x3e, 24);
  header.writeUInt16LE(3, 26);
  header.writeUInt16LE(0xfffe, 28);
  header.writeUInt16LE(9, 30);
  header.writeUInt16LE(6, 32);
  header.writeUInt32LE(1, 44);
  header.writeUInt32LE(1, 48);
  header.writeUInt32LE(4096, 56);
  header.writeUInt32LE(0xffff_fffe, 60);
  header.writeUInt32LE(0xffff_fffe, 68);
  header.writeUInt32LE(0, 76);
  const table = Buffer.alloc(sector, 0xff);
  table.writeUInt32LE(0xffff_fffd, 0);
  table.writeUInt32LE(0xffff_fffe, 4);
  const directory = Buffer.alloc(sector);
  for (const [index, name] of ['Root Entry', 'EncryptionInfo', 'EncryptedPackage'].entries()) {
    const at = index * 128;
    directory.write(name, at, 'utf16le');
    directory.writeUInt16LE(name.length * 2 + 2, at + 64);
    directory.writeUInt8(index === 0 ? 5 : 2, at + 66);
    directory.fill(0xff, at + 68, at + 80);
    directory.writeUInt32LE(0xffff_fffe, at + 116);
  }
  return Buffer.concat([header, table, directory, Buffer.alloc(8 * sector, 0x5a)]);
}

/** An old workbook (BIFF 8) whose second record says that the rest is encrypted. */
export function encryptedOldWorkbook(): Buffer {
  const begin = Buffer.from('09081000000605004f1bcd0700000000000000000000', 'hex').subarray(0, 20);
  const password = Buffer.concat([
    Buffer.from('2f003600', 'hex'),
    Buffer.from('010001000100', 'hex'),
    Buffer.alloc(48, 0x5a),
  ]);
  return Buffer.concat([begin, password, Buffer.alloc(2000, 0xa5)]);
}
