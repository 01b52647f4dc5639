import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import type { SandboxSession } from '../../src/ports/sandbox.ts';
import type { Attack, Stage } from '../attack.ts';
import { lookAt, words } from '../cards.ts';
import { deflated, workbookOf } from '../fixtures.ts';
import { judge, take } from '../outside.ts';

/** Threat 12: files that are programs. Looking at one runs nothing; code that opens one runs it inside, and only there. */
export const codeInFilesAttacks: readonly Attack[] = [
  pickled('t12-pickle', 'a pickle whose loading runs a command', 'model.pkl', {
    make: "pickle.dump(Payload(), open('model.pkl', 'wb'))",
    open: "pickle.load(open('model.pkl', 'rb'))",
  }),
  pickled('t12-joblib', 'a joblib file whose loading runs a command', 'model.joblib', {
    make: "import joblib; joblib.dump(Payload(), 'model.joblib')",
    open: "import joblib; joblib.load('model.joblib')",
  }),
  pickled('t12-npy', 'a .npy array of objects whose loading runs a command', 'array.npy', {
    make: "import numpy; numpy.save('array.npy', numpy.array([Payload()], dtype=object), allow_pickle=True)",
    open: "import numpy; numpy.load('array.npy', allow_pickle=True)",
  }),
  pickled('t12-pandas', 'a pickle under the name of a table, read by pandas', 'table.csv', {
    make: "pickle.dump(Payload(), open('table.csv', 'wb'))",
    open: "import pandas; pandas.read_pickle('table.csv')",
  }),
  {
    id: 't12-macros',
    threat: 12,
    attack: 'a workbook with macros, an XLM sheet and a DDE link: its cells are read, nothing of it runs',
    alone: false,
    run: async (stage) => {
      const session = await stage.borrowed();
      const canary = canaryPath();
      const command = `cmd|'/C touch ${canary}'!A1`;
      const bytes = workbookOf({
        'xl/vbaProject.bin': deflated(
          `Attribute VB_Name = "ThisWorkbook"\nSub Workbook_Open()\nShell "touch ${canary}"\nEnd Sub\n`,
        ),
        'xl/macrosheets/sheet1.xml': `<xm:macrosheet xmlns:xm="http://schemas.microsoft.com/office/excel/2006/main"><sheetData><row r="1"><c r="A1"><f>EXEC("touch ${canary}")</f></c></row></sheetData></xm:macrosheet>`,
        'xl/externalLinks/externalLink1.xml': `<externalLink xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><ddeLink ddeService="cmd" ddeTopic="/C touch ${canary}"/></externalLink>`,
        'xl/worksheets/sheet1.xml': `<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData><row r="1"><c r="A1" t="inlineStr"><is><t>Region</t></is></c><c r="B1" t="inlineStr"><is><t>Amount</t></is></c></row><row r="2"><c r="A2" t="str"><f>${command}</f><v>North</v></c><c r="B2"><v>2</v></c></row></sheetData></worksheet>`,
      });
      const { card, goesOn } = await lookAt(stage, session, 'macros.xlsm', bytes);
      const loaded = await stage.run(
        session,
        `import os, plotline\nprint(plotline.load('macros.xlsm').shape, os.path.exists('${canary}'))`,
      );
      return judge(
        {
          'the table is read': card.tables.length > 0 && loaded.stdout.startsWith('('),
          'nothing ran inside': loaded.stdout.endsWith('False\n'),
          'nothing ran on the host': !existsSync(canary),
          'the next cell works': goesOn,
        },
        `${card.tables.length} tables read; ${words(card)}`,
      );
    },
  },
];

/** Made inside, taken out to the bot, handed in again as an attachment, looked at, and at last opened on purpose. */
function pickled(
  id: string,
  attack: string,
  name: string,
  python: { readonly make: string; readonly open: string },
): Attack {
  return {
    id,
    threat: 12,
    attack: `${attack}: not by looking at it, not in the bot, only where code inside opens it`,
    alone: false,
    run: async (stage) => {
      const canary = canaryPath();
      const maker = await stage.borrowed();
      const made = await stage.run(maker, `${payload(canary)}\n${python.make}`);
      const { bytes } = await take(maker, name, stage.signal);
      await stage.run(maker, `import os; os.remove('${name}')`);
      const { card, goesOn } = await lookAt(stage, maker, name, bytes);
      const afterLook = await isThere(stage, maker, canary);
      await stage.run(maker, `import pickle\n${python.open}`, 20_000);
      const afterOpening = await isThere(stage, maker, canary);
      return judge(
        {
          'the file came out': made.status === 'ok' && bytes.includes(Buffer.from(canary)),
          'looking at it ran nothing': !afterLook,
          'opening it ran it inside': afterOpening,
          'the host has nothing of it': !existsSync(canary),
          'a card came back': card.ok || words(card) !== '',
          'the next cell works': goesOn,
        },
        `${bytes.length} bytes through the bot; the card: ${words(card) || card.kind}; ran inside only when opened`,
      );
    },
  };
}

function payload(canary: string): string {
  return `import os, pickle
class Payload:
    def __reduce__(self): return (os.system, ('touch ${canary}',))`;
}

async function isThere(stage: Stage, session: SandboxSession, path: string): Promise<boolean> {
  return (await stage.run(session, `import os; print(os.path.exists('${path}'))`)).stdout === 'True\n';
}

/** A place that the host has as well, so that a payload that ran there would leave its mark. */
function canaryPath(): string {
  return `/tmp/plotline-selftest-${randomBytes(8).toString('hex')}`;
}
