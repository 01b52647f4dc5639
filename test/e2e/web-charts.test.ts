import { describe, expect, it } from 'vitest';
import { createEngine } from '../../sandbox/engine.ts';
import { createOwnerId } from '../../sandbox/owner.ts';
import { createDockerSandbox } from '../../sandbox/provider.ts';
import { AppError } from '../../src/errors.ts';
import { createLogger } from '../../src/log.ts';
import { chartMime } from '../../src/types.ts';
import type { MimeBundle } from '../../src/types.ts';
import { findBrowser, openOffline } from '../fakes/offline-browser.ts';
import type { OpenedPage } from '../fakes/offline-browser.ts';
import { createScriptedModel, pythonCall } from '../fakes/scripted-model.ts';
import { startTestBot } from '../fakes/test-bot.ts';

/** Charts that are drawn in the browser: made in the real sandbox, opened in a real browser that has no network. */

const megabyte = 1024 * 1024;
const limits = { memoryBytes: 1024 * megabyte, workspaceBytes: 256 * megabyte, cpus: 2, processes: 128 };
const image = process.env['SANDBOX_IMAGE'] ?? 'plotline-sandbox:latest';

const plotlyCode = `
import pandas as pd, plotly.express as px
frame = pd.DataFrame({"Month": list(pd.date_range("2024-01-01", periods=6, freq="MS")) * 2,
                      "Revenue": [10, 40, 20, 50, 30, 60, 35, 15, 45, 25, 55, 5], "Region": ["North"] * 6 + ["South"] * 6})
px.line(frame, x="Month", y="Revenue", color="Region", title="Revenue & cost <b>by month</b>")`;

const altairFrame = `
import pandas as pd, altair as alt
frame = pd.DataFrame({"Region": ["North", "South", "West"], "Revenue": [120, 340, 210]})`;

// The title would end the page's script, or hide the rest of it, if it went in as it is.
const altairCode = `${altairFrame}
alt.Chart(frame, title="Revenue </script><!--<script> by region").mark_bar().encode(x="Region", y="Revenue")`;

const layeredCode = `${altairFrame}
bars = alt.Chart(frame).mark_bar().encode(x="Region", y="Revenue")
(bars + bars.mark_text(dy=-8).encode(text="Revenue")).properties(title="Bars with figures")`;

const brokenCode = `${altairFrame}
alt.Chart(frame).transform_calculate(wrong="datum.(").mark_bar().encode(x="Region", y="wrong:Q")`;

const mapCode = `
import plotly.express as px
px.choropleth(locations=["DEU", "FRA"], color=[1, 2], title="Map")`;

const reason = (error: unknown): string => (error instanceof AppError ? error.userMessage : String(error));

const engineMissing = await createEngine({ endpoint: null, image, runtime: 'auto' })
  .check()
  .then(() => null, reason);
const browser = findBrowser();
const browserMissing = browser === null ? 'There is no Chromium on this machine.' : null;

for (const missing of [engineMissing, browserMissing]) {
  if (missing === null) continue;
  if (process.env['CI'] === 'true') throw new Error(missing);
  process.stderr.write(`\nSKIPPED: charts in a browser. ${missing}\n\n`);
}

/** What the last expression of each code displays, and what the cells printed to stderr. */
async function display(
  codes: readonly string[],
): Promise<{ readonly bundles: readonly MimeBundle[]; readonly stderr: string }> {
  await using provider = createDockerSandbox({
    endpoint: null,
    image,
    runtime: 'auto',
    ownerId: createOwnerId(),
    limits,
    poolSize: 0,
    maxContainers: 1,
    log: createLogger('silent'),
  });
  const signal = AbortSignal.timeout(60_000);
  await using session = await provider.acquire(limits, signal);
  const bundles: MimeBundle[] = [];
  let printed = '';
  for (const code of codes) {
    const { results, stderr, error } = await session.run(code, { timeoutMs: 30_000, signal, onOutput: () => {} });
    if (error !== null) throw new Error(error.traceback);
    bundles.push(...results);
    printed += stderr;
  }
  return { bundles, stderr: printed };
}

const pageOf = (bundle: MimeBundle | undefined): string => {
  const page = bundle?.['text/html'];
  if (typeof page !== 'string') throw new Error('the chart has no page');
  return page;
};

const count = (text: string, pattern: RegExp): number => [...text.matchAll(new RegExp(pattern, 'g'))].length;

function expectSelfContained({ dom, console: messages, requests }: OpenedPage): void {
  expect(messages).toEqual([]);
  expect(requests).toEqual([]);
  expect(dom).not.toMatch(/<[^>]*\s(src|srcset|href|xlink:href|data|action)=["']?\s*(https?:)?\/\//i);
  expect(dom).not.toMatch(/@import|url\(["']?(https?:)?\/\//i);
  expect(dom).not.toContain('could not be drawn');
}

describe.skipIf(engineMissing !== null || browser === null)('charts in a browser without a network', () => {
  it('plotly draws its lines', async () => {
    const { bundles, stderr } = await display([plotlyCode]);
    expect(stderr).toBe('');
    const [bundle] = bundles;
    const html = pageOf(bundle);
    expect(Buffer.byteLength(html)).toBeLessThan(10 * megabyte);
    const page = openOffline(browser ?? '', html);
    expectSelfContained(page);
    expect(page.dom).toContain('<title>Revenue &amp; cost by month</title>');
    expect(page.dom).toMatch(/class="gtitle"[^>]*>.*Revenue &amp; cost.*by month/);
    // Six points each: one move and five lines.
    const plot = /class="scatterlayer.*?class="infolayer"/s.exec(page.dom)?.[0] ?? '';
    const lines = [...plot.matchAll(/class="js-line"[^>]*\sd="([^"]*)"/g)].map(([, path]) => path ?? '');
    expect(lines.map((path) => path.match(/-?[\d.]+,-?[\d.]+/g)?.length)).toEqual([6, 6]);
    expect(page.dom).toMatch(/class="legendtext"[^>]*>North<.*class="legendtext"[^>]*>South</s);
  });

  it('altair draws its bars', async () => {
    const { bundles, stderr } = await display([altairCode]);
    expect(stderr).toBe('');
    const [bundle] = bundles;
    const html = pageOf(bundle);
    expect(Buffer.byteLength(html)).toBeLessThan(2 * megabyte);
    const page = openOffline(browser ?? '', html);
    expectSelfContained(page);
    expect(page.dom).toContain('<title>Revenue &lt;/script&gt;&lt;!--&lt;script&gt; by region</title>');
    expect(page.dom).toMatch(/<text[^>]*>Revenue &lt;\/script&gt;&lt;!--&lt;script&gt; by region<\/text>/);
    expect(count(page.dom, /aria-roledescription="bar"/)).toBe(3);
    expect(page.dom).toContain('aria-label="Region: South; Revenue: 340"');
    // Filling the window is what sets this apart from Vega-Lite's 20 pixels for each bar.
    const width = Number(/<svg[^>]*class="marks"[^>]*\swidth="([\d.]+)"/.exec(page.dom)?.[1]);
    expect(width).toBeGreaterThan(500);
  });

  it('a chart that Vega refuses says so instead of staying blank', async () => {
    const { bundles, stderr } = await display([brokenCode]);
    expect(stderr).toBe('');
    const [bundle] = bundles;
    const { dom } = openOffline(browser ?? '', pageOf(bundle));
    expect(dom).toMatch(/This chart could not be drawn: \w+/);
  });

  it('a page that does ask for the network is caught', () => {
    const script = 'https://cdn.example/plotly.js';
    const data = 'https://data.example/world.json';
    const page = openOffline(browser ?? '', `<script src="${script}"></script><script>fetch("${data}")</script>`);
    expect(page.requests).toEqual(expect.arrayContaining([script, data]));
    expect(page.console.join()).toContain('Failed to fetch');
    expect(() => expectSelfContained(page)).toThrow(/deeply equal/);
  });
});

describe.skipIf(engineMissing !== null)('charts for a browser in the reply', () => {
  it('come as a picture and as a page to open; as a page alone where the data cannot be read back', async () => {
    const model = createScriptedModel([
      { calls: [pythonCall(plotlyCode, 'Drawing')] },
      { calls: [pythonCall(layeredCode, 'Drawing bars')] },
      { text: 'Here are the charts.' },
    ]);
    await using bot = await startTestBot({ SANDBOX_IMAGE: image }, model);
    const { reply, files } = await bot.platform.ask('web-charts', 'Draw revenue by month with plotly');
    expect(reply).toMatchObject({ outcome: 'answered', notices: [] });
    expect(reply.artifacts.map(({ kind, title, file }) => [kind, title, file.mimeType])).toEqual([
      ['chart', 'Revenue & cost by month', 'image/png'],
      ['file', 'Revenue & cost by month', 'text/html'],
      ['file', 'Bars with figures', 'text/html'],
    ]);
    expect(reply.artifacts[0]?.altText).toMatch(/^Line chart: .*North.*South/);
    expect(files.map(({ file }) => file.name.split('.').at(-1))).toEqual(['png', 'html', 'html']);
    const [picture, page, layered] = files.map(({ bytes }) => bytes);
    expect(picture?.subarray(1, 4).toString()).toBe('PNG');
    expect(page?.toString()).toContain('Plotly.newPlot');
    expect(layered?.toString()).toContain('vegaEmbed(');
  });

  it('carry their title even where the data cannot be read back, and maps say that they need a network', async () => {
    const { bundles, stderr } = await display([layeredCode, mapCode]);
    const [bundle] = bundles;
    expect(bundle?.[chartMime]).toMatchObject({ type: 'unknown', title: 'Bars with figures', series: [] });
    expect(bundle).not.toHaveProperty(['image/png']);
    expect(bundles[1]?.[chartMime]).toMatchObject({ type: 'unknown', title: 'Map' });
    expect(stderr).toMatch(/^\[this plotly map fetches .* offline it stays blank\]\n$/);
  });
});
