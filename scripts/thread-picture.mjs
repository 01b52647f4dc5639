/**
 * `node scripts/thread-picture.mjs DIR PICTURE.png`: the conversation that `npm run demo -- … --out DIR` wrote, drawn as a chat
 * thread. The README's picture is made with it. Needs Chromium.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

/** @typedef {{from: 'person' | 'bot', kind: string, text: string, artifacts?: readonly File[], attachments?: readonly File[], code?: readonly {title: string}[]}} Entry */
/** @typedef {{kind: string, name: string, mimeType: string, size: number, path: string, altText: string}} File */

const [folder = 'out', picture = 'docs/thread.png'] = process.argv.slice(2);
const entries = /** @type {Entry[]} */ (JSON.parse(readFileSync(join(folder, 'thread.json'), 'utf8')));

/** @param {string} text */
const escape = (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

/** The little Markdown that replies use: bold, italics, code, bullets. @param {string} text */
function html(text) {
  const lines = escape(text)
    .replaceAll(/\*\*(.+?)\*\*/g, '<b>$1</b>')
    .replaceAll(/(^|\s)\*(.+?)\*/g, '$1<b>$2</b>')
    .replaceAll(/(^|\s)_(.+?)_(?=\s|$)/gm, '$1<i>$2</i>')
    .replaceAll(/`(.+?)`/g, '<code>$1</code>')
    .split('\n');
  return lines.map((line) => (/^[-•] /.test(line) ? `<li>${line.slice(2)}</li>` : `<p>${line}</p>`)).join('');
}

/** @param {File} file */
function attachment(file) {
  const size = file.size < 1024 ? `${file.size} bytes` : `${Math.round(file.size / 1024)} KB`;
  if (file.kind === 'chart' && existsSync(join(folder, file.path))) {
    return `<img src="${pathToFileURL(resolve(folder, file.path)).href}" alt="${escape(file.altText)}">`;
  }
  return `<span class="file"><b>${escape(file.name)}</b> ${size}</span>`;
}

/** @param {Entry} entry */
function message(entry) {
  const files = [...(entry.attachments ?? []), ...(entry.artifacts ?? [])].map(attachment).join('');
  const name = entry.from === 'person' ? 'Ada' : 'Plotline <small>APP</small>';
  const mention = entry.from === 'person' ? '<span class="mention">@plotline</span> ' : '';
  const words = entry.from === 'person' ? `<p>${mention}${escape(entry.text)}</p>` : html(entry.text);
  return `<div class="message"><div class="face ${entry.from}">${entry.from === 'person' ? 'A' : 'P'}</div>
    <div><div class="name">${name}</div><div class="is-${entry.kind}">${words}</div>${files}</div></div>`;
}

const page = `<!doctype html><meta charset="utf-8"><style>
  body { margin: 0; padding: 20px 24px; width: 672px; background: #fff; color: #1d1c1d; font: 15px/1.46 "Noto Sans", "DejaVu Sans", sans-serif }
  .message { display: grid; grid-template-columns: 44px 1fr; margin: 0 0 14px }
  .face { width: 34px; height: 34px; border-radius: 8px; display: grid; place-items: center; font-weight: 700; color: #fff; background: #7a4fbf }
  .face.bot { background: #0072b2 } .name { font-weight: 700 } small { background: #e6e6e6; border-radius: 3px; padding: 0 4px; font-size: 10px; color: #555 }
  p { margin: 2px 0 } li { margin-left: 18px } img { display: block; width: 560px; margin-top: 8px; border: 1px solid #ddd; border-radius: 8px }
  .file { display: inline-block; border: 1px solid #ddd; border-radius: 8px; padding: 6px 12px; margin: 6px 6px 0 0; font-size: 13px }
  .is-card { border-left: 4px solid #e0a100; padding-left: 10px; color: #444; font-size: 14px } .is-progress { color: #666; font-size: 13px }
  .mention { background: #e8f5fa; color: #1264a3; border-radius: 3px; padding: 0 2px } code { background: #f5f5f5; border-radius: 3px }
</style>${entries.map(message).join('\n')}<div id="end"></div>`;

const work = mkdtempSync(join(tmpdir(), 'plotline-picture-'));
try {
  const file = join(work, 'thread.html');
  const browser = ['--headless', '--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking'];
  const profile = `--user-data-dir=${join(work, 'profile')}`;
  /** @param {readonly string[]} args */
  const chromium = (args) =>
    execFileSync('chromium', [...browser, profile, ...args, pathToFileURL(file).href], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
  // The page says its own height in its title, so that the picture ends where the thread does.
  writeFileSync(
    file,
    `${page}<script>onload = () => (document.title = document.getElementById('end').offsetTop + 20)</script>`,
  );
  const height = Number(/<title>(\d+)/.exec(chromium(['--dump-dom']))?.[1] ?? 1200);
  chromium([`--window-size=720,${height}`, '--force-device-scale-factor=1.5', `--screenshot=${resolve(picture)}`]);
} finally {
  rmSync(work, { recursive: true, force: true });
}
