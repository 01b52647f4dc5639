import { createServer } from 'node:net';
import { networkInterfaces } from 'node:os';
import type { Attack, Stage } from '../attack.ts';
import { lookAt, words } from '../cards.ts';
import { deflated, sharedStrings, sheetHead, sheetTail, workbookOf, zipOf } from '../fixtures.ts';
import { judge } from '../outside.ts';

/** Inside, at a place that the hostile files name; its content must not come back through a card or a loaded table. */
const secretPath = '/tmp/plotline-entity-secret';
const secret = 'entity-secret-6f1d';

/** Threat 11: XML that wants files and addresses. */
export const entityAttacks: readonly Attack[] = [
  entity('t11-xlsx', 'a workbook whose shared strings and sheet name external entities', 'entity.xlsx', (doctype) =>
    workbookOf({
      'xl/sharedStrings.xml': sharedStrings(
        '<si><t>Region</t></si><si><t>&file;&net;</t></si><si><t>x</t></si>',
        doctype('sst'),
      ),
      'xl/worksheets/sheet1.xml': `${doctype('worksheet')}${sheetHead.replace(/^<\?xml.*?\?>/, '')}<row><c t="inlineStr"><is><t>&file;</t></is></c></row>${sheetTail}`,
    }),
  ),
  entity('t11-ods', 'an OpenDocument sheet with external entities and an XInclude', 'entity.ods', (doctype) =>
    zipOf([
      { name: 'mimetype', data: deflated('application/vnd.oasis.opendocument.spreadsheet') },
      { name: 'META-INF/manifest.xml', data: deflated('<manifest/>') },
      {
        name: 'content.xml',
        data: deflated(
          `<?xml version="1.0"?>${doctype('x')}<office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" xmlns:xi="http://www.w3.org/2001/XInclude"><office:body><office:spreadsheet><table:table table:name="S"><table:table-row><table:table-cell><text:p>a &file; &net;<xi:include href="file://${secretPath}" parse="text"/></text:p></table:table-cell></table:table-row><table:table-row><table:table-cell><text:p>1</text:p></table:table-cell></table:table-row></table:table></office:spreadsheet></office:body></office:document-content>`,
        ),
      },
    ]),
  ),
  entity('t11-xml-spreadsheet', 'an Excel 2003 XML spreadsheet with external entities', 'entity.xml', (doctype) =>
    Buffer.from(
      `<?xml version="1.0"?>${doctype('Workbook')}<Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet" xmlns:ss="urn:schemas-microsoft-com:office:spreadsheet"><Worksheet ss:Name="S"><Table><Row><Cell><Data ss:Type="String">name &file;&net;</Data></Cell></Row><Row><Cell><Data ss:Type="String">b</Data></Cell></Row></Table></Worksheet></Workbook>`,
    ),
  ),
  entity(
    't11-svg',
    'a drawing with external entities, a style sheet and an image by address',
    'entity.svg',
    (doctype, urls) =>
      Buffer.from(
        `<?xml version="1.0"?><?xml-stylesheet href="${urls[0]}/style.css"?>${doctype('svg')}<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"><text>&file;&net;</text><image xlink:href="${urls[0]}/image.png"/><use xlink:href="file://${secretPath}#a"/></svg>`,
      ),
  ),
  entity('t11-docx', 'a document with external entities and a remote template', 'entity.docx', (doctype, urls) =>
    zipOf([
      {
        name: '[Content_Types].xml',
        data: deflated('<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>'),
      },
      {
        name: 'word/_rels/settings.xml.rels',
        data: deflated(
          `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/attachedTemplate" Target="${urls[0]}/t.dotm" TargetMode="External"/></Relationships>`,
        ),
      },
      {
        name: 'word/document.xml',
        data: deflated(
          `<?xml version="1.0"?>${doctype('w:document')}<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body><w:p><w:r><w:t>&file;&net;</w:t></w:r></w:p></w:body></w:document>`,
        ),
      },
    ]),
  ),
  {
    id: 't11-parsers-of-code',
    threat: 11,
    attack: 'code that parses XML with every entity and network option on: no address of the host is reached',
    alone: false,
    run: async (stage) => {
      const session = await stage.borrowed();
      await using listener = await listen();
      const execution = await stage.run(
        session,
        `import urllib.request
from lxml import etree
urls = ${JSON.stringify(listener.urls)}
for url in urls:
    source = '<!DOCTYPE a [<!ENTITY n SYSTEM "' + url + '/e">]><a>&n;</a>'
    try: etree.fromstring(source, etree.XMLParser(resolve_entities=True, no_network=False, load_dtd=True, huge_tree=True))
    except Exception as fault: print(type(fault).__name__)
    try: urllib.request.urlopen(url, timeout=1); print('REACHED')
    except Exception as fault: print(type(fault).__name__)
print('tried', len(urls))`,
        20_000,
      );
      return judge(
        {
          'every address was tried': execution.stdout.includes(`tried ${listener.urls.length}`),
          'nobody called': listener.calls() === 0,
          'nothing was reached': !execution.stdout.includes('REACHED'),
        },
        `${listener.urls.length} addresses of the host tried, ${listener.calls()} connections seen there`,
      );
    },
  },
];

/** Its card is made and its table is loaded as a model would; neither may hold the secret, and nobody may call the listener. */
function entity(
  id: string,
  attack: string,
  name: string,
  make: (doctype: (root: string) => string, urls: readonly string[]) => Buffer,
): Attack {
  return {
    id,
    threat: 11,
    attack: `${attack}: nothing of a file comes back, and no connection reaches the host`,
    alone: false,
    run: async (stage) => {
      const session = await stage.borrowed();
      await using listener = await listen();
      await stage.run(session, `open('${secretPath}', 'w').write('${secret}')`);
      const bytes = make((root) => doctypeOf(root, listener.urls), listener.urls);
      const { card, goesOn } = await lookAt(stage, session, name, bytes);
      const loaded = await loadAll(stage, session, name);
      const seen = `${JSON.stringify(card)}${loaded}`;
      return judge(
        {
          'there was a secret to read': !loaded.includes('no secret'),
          'the secret is not in it': !seen.includes(secret) && !seen.includes('root:x:0'),
          'nobody called': listener.calls() === 0,
          'the next cell works': goesOn,
          'a card came back': card.ok || words(card) !== '',
        },
        `${card.ok ? 'read' : 'refused'}: ${words(card)} ${listener.calls()} connections`,
      );
    },
  };
}

async function loadAll(stage: Stage, session: Awaited<ReturnType<Stage['session']>>, name: string): Promise<string> {
  const execution = await stage.run(
    session,
    `import plotline
try:
    for table in plotline.tables('${name}'): print(plotline.load('${name}', table).to_csv())
except Exception as fault: print(type(fault).__name__, fault)
import os; os.path.exists('${secretPath}') or print('no secret')`,
    20_000,
  );
  return `${execution.stdout}${execution.stderr}${JSON.stringify(execution.results)}`;
}

function doctypeOf(root: string, urls: readonly string[]): string {
  const nets = urls.map((url, index) => `<!ENTITY net${index === 0 ? '' : index} SYSTEM "${url}/entity">`).join('');
  const remote = `<!ENTITY % remote SYSTEM "${urls[0]}/remote.dtd">%remote;`;
  return `<!DOCTYPE ${root} [<!ENTITY file SYSTEM "file://${secretPath}"><!ENTITY etc SYSTEM "file:///etc/passwd">${nets}${remote}]>`;
}

interface Listener extends AsyncDisposable {
  /** One for each address that this machine has, loopback first. */
  readonly urls: readonly string[];
  /** Connections so far. */
  calls(): number;
}

/** Answers nobody, and counts who calls at any of the machine's addresses. */
async function listen(): Promise<Listener> {
  let calls = 0;
  const server = createServer((socket) => {
    calls += 1;
    socket.destroy();
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '0.0.0.0', resolve);
  });
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const own = Object.values(networkInterfaces()).flatMap((entries) =>
    (entries ?? []).flatMap((entry) => (entry.family === 'IPv4' ? [entry.address] : [])),
  );
  const hosts = [...new Set(['127.0.0.1', ...own])].slice(0, 4);
  return {
    urls: hosts.map((host) => `http://${host}:${port}`),
    calls: () => calls,
    [Symbol.asyncDispose]: () => new Promise((resolve) => server.close(() => resolve())),
  };
}
