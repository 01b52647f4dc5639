import { gzipSync } from 'node:zlib';
import type { Attack } from '../attack.ts';
import { lookAt, words } from '../cards.ts';
import {
  deflated,
  encryptedOldWorkbook,
  encryptedWorkbook,
  repeated,
  sharedStrings,
  sheetHead,
  sheetTail,
  workbookOf,
  zipOf,
} from '../fixtures.ts';
import { judge } from '../outside.ts';

const mebibyte = 1024 * 1024;

/** A card may take 30 s before the bot gives up on it; the rest is for the killing and the next cell. */
const longestSeconds = 36;
const botGrowthBytes = 96 * mebibyte;

/** Threat 10: files that are small outside and huge inside. The card comes back in words, and the sandbox works on. */
export const bombAttacks: readonly Attack[] = [
  bomb('t10-nested-zip', 'a zip of some kB that holds a zip that holds 4 GB', /\d/, () => {
    const inner = zipOf([{ name: 'sales.csv', data: repeated('a,b\n', '1,2\n'.repeat(mebibyte / 4), 4000) }]);
    return ['nested.zip', zipOf([{ name: 'inner.zip', data: deflated(inner) }])];
  }),
  bomb('t10-overlapping-zip', 'a zip whose 2,000 entries all point at the same 16 MB', /zip|read/i, () => {
    const data = repeated('a,b\n', '1,2\n'.repeat(mebibyte / 4), 16);
    const entries = Array.from({ length: 2000 }, (_, number) => ({ name: `sales-${number}.csv`, data }));
    return ['overlapping.zip', zipOf(entries, { shared: true })];
  }),
  bomb('t10-lying-zip', 'a zip entry that says 1 kB and unpacks to 2 GB', /./, () => {
    const data = repeated('a,b\n', '1,2\n'.repeat(mebibyte / 4), 2000);
    return ['lying.zip', zipOf([{ name: 'sales.csv', data, declaredBytes: 1000 }])];
  }),
  bomb('t10-gzip', 'a gzip of 1 MB that unpacks to 1 GB', /./, () => [
    'sales.csv.gz',
    // Members of a gzip follow each other: the same 16 MB, 64 times.
    Buffer.concat(
      Array.from<Buffer>({ length: 64 }).fill(gzipSync(Buffer.alloc(16 * mebibyte, '1,2\n'), { level: 9 })),
    ),
  ]),
  bomb('t10-xlsx-sheet', 'a workbook of some MB whose sheet is 3 GB of cells', /times its size|unpacks/, () => [
    'sheet.xlsx',
    workbookOf({
      'xl/worksheets/sheet1.xml': repeated(sheetHead, '<row><c><v>1</v></c></row>'.repeat(40_000), 3000, sheetTail),
    }),
  ]),
  bomb('t10-xlsx-lying', 'a workbook whose sheet says 2 kB and unpacks to 3 GB', /./, () => [
    'lying.xlsx',
    workbookOf(
      { 'xl/worksheets/sheet1.xml': repeated(sheetHead, '<row><c><v>1</v></c></row>'.repeat(40_000), 3000, sheetTail) },
      { declaredBytes: 2000 },
    ),
  ]),
  bomb(
    't10-xlsx-far-cell',
    'a workbook of 2 kB whose last cell is XFD1048576: 17,000,000,000 cells if taken at its word',
    /./,
    () => [
      'far.xlsx',
      workbookOf({
        'xl/worksheets/sheet1.xml': `${sheetHead.replace('<sheetData>', '<dimension ref="A1:XFD1048576"/><sheetData>')}<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>2</v></c></row>${sheetTail}`,
      }),
    ],
  ),
  bomb(
    't10-shared-strings',
    'a workbook with 64 MB of shared strings, packed so that no ratio gives it away',
    /./,
    () => {
      const names = Array.from({ length: 800 }, (_, number) => {
        const id = ((number * 2_654_435_761) % 1_000_003).toString(36);
        return `<si><t>Customer ${id} of the northern region, wholesale and retail, delivered at the end of each month</t></si>`;
      });
      const strings = repeated(sharedStrings('').replace('</sst>', ''), names.join(''), 700, '</sst>');
      return ['strings.xlsx', workbookOf({ 'xl/sharedStrings.xml': strings })];
    },
  ),
  bomb('t10-billion-laughs', 'nested entities in the shared strings: ten to the ninth times "lol"', /./, () => {
    const levels = Array.from({ length: 9 }, (_, level) => `<!ENTITY l${level + 1} "${`&l${level};`.repeat(10)}">`);
    const doctype = `<!DOCTYPE sst [<!ENTITY l0 "lol">${levels.join('')}]>`;
    return [
      'laughs.xlsx',
      workbookOf({ 'xl/sharedStrings.xml': sharedStrings('<si><t>&l9;</t></si>'.repeat(3), doctype) }),
    ];
  }),
  bomb('t10-quadratic-xml', 'one entity of 100 kB, used 20,000 times, in an OpenDocument sheet', /./, () => {
    const content = `<?xml version="1.0"?><!DOCTYPE d [<!ENTITY a "${'a'.repeat(100_000)}">]><office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0">${'&a;'.repeat(20_000)}</office:document-content>`;
    return [
      'quadratic.ods',
      zipOf([
        { name: 'mimetype', data: deflated('application/vnd.oasis.opendocument.spreadsheet') },
        { name: 'META-INF/manifest.xml', data: deflated('<manifest/>') },
        { name: 'content.xml', data: deflated(content) },
      ]),
    ];
  }),
  bomb('t10-encrypted-xlsx', 'a workbook with a password: said in words, without trying it', /password/, () => [
    'secret.xlsx',
    encryptedWorkbook(),
  ]),
  bomb('t10-encrypted-xls', 'an old workbook with a password: said in words, without trying it', /password/, () => [
    'secret.xls',
    encryptedOldWorkbook(),
  ]),
  bomb('t10-deep-json', 'JSON of 2,000,000 opening brackets', /./, () => ['deep.json', Buffer.alloc(2_000_000, '[')]),
  bomb('t10-wide-csv', 'one line of 300,000 columns', /./, () => ['wide.csv', Buffer.alloc(600_000, 'a,')]),
];

/** `said` must match the words of the card where the file is refused; a file that is read after all needs no words. */
function bomb(id: string, attack: string, said: RegExp, make: () => readonly [string, Buffer]): Attack {
  return {
    id,
    threat: 10,
    attack: `${attack}: a card in words, bounded time and memory, and the next cell works`,
    alone: false,
    run: async (stage) => {
      const session = await stage.borrowed();
      const [name, bytes] = make();
      const { card, seconds, botGrowthBytes: grown, goesOn } = await lookAt(stage, session, name, bytes);
      const text = words(card);
      return judge(
        {
          'read, or refused in words': card.ok || said.test(text),
          'in time': seconds < longestSeconds,
          'the bot stays small': grown < botGrowthBytes,
          'the next cell works': goesOn,
        },
        `${(bytes.length / 1024).toFixed(0)} kB, ${seconds.toFixed(1)} s, ${card.ok ? `read, ${card.tables.length} tables` : 'refused'}: ${text}`,
      );
    },
  };
}
