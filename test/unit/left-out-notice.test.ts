import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { componentMessage, layOut } from '../../adapters/discord/layout.ts';
import { renderMessage as renderForDiscord } from '../../adapters/discord/render.ts';
import { renderMessage as renderForSlack } from '../../adapters/slack/render.ts';
import { createFileLinks } from '../../src/web/file-links.ts';
import { createLogger } from '../../src/log.ts';
import { anyText } from '../fakes/any-reply.ts';
import { forgedLinks, pingsIn, readAsDiscord } from '../fakes/discord-reader.ts';
import { brokenLimits } from '../fakes/discord-limits.ts';

const links = createFileLinks({
  blobs: { get: () => (async function* nothing() {})() },
  store: { posts: async () => [] },
  key: new Uint8Array(32),
  publicUrl: 'https://bot.example/plot-line',
  clock: () => Date.UTC(2026, 0, 1),
  log: createLogger('silent'),
});

/** The notice about files that were not posted, as the core writes it. */
const notice = fc
  .array(fc.record({ name: anyText, reason: fc.constantFrom('it has 11 MB', 'at most 10 MB a file; ask for a zip') }), {
    minLength: 1,
    maxLength: 25,
  })
  .map((left) => {
    const taskId = 'discord-111111111111111111-222222222222222222-333333333333333333';
    const urls = left.map(({ name }) => {
      return links.linkTo(taskId, { name, mimeType: 'text/csv', sizeBytes: 1, sha256: 'a'.repeat(64) }).url;
    });
    const lines = left.map(({ name, reason }, index) => {
      return `• \`${name.replace(/[`\n\r]/g, '')}\`: ${reason}. Download it within 7 days: ${urls[index]}`;
    });
    return { urls, message: { kind: 'notice' as const, text: `Not posted:\n${lines.join('\n')}` } };
  });

it('links to files are whole and alone on their line’s end, on both platforms, and ping nobody', () => {
  fc.assert(
    fc.property(notice, ({ urls, message }) => {
      const rendered = renderForDiscord(message);
      for (const part of layOut(rendered, [])) {
        expect(pingsIn(part.text)).toEqual([]);
        expect(forgedLinks(readAsDiscord(part.text))).toEqual([]);
        expect(brokenLimits(componentMessage(part, 'post-1').body)).toEqual([]);
      }
      const { texts } = rendered;
      const shown = texts.join('\n');
      const inSlack = renderForSlack(message)
        .map(({ text, blocks }) => `${text}\n${JSON.stringify(blocks)}`)
        .join('\n');
      for (const url of urls) {
        expect(shown.split(/\s/)).toContain(url);
        expect(inSlack).toContain(url);
      }
    }),
    { numRuns: 150 },
  );
});
