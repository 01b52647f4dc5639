import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from '../../src/log.ts';
import { isAmbiguous, slackCodeOf } from './errors.ts';
import { asObject, asText } from '../json.ts';
import { completeUpload } from './upload.ts';
import type { SlackWeb } from './web.ts';

/** In units of `settleMs`, together 8 s of them: Slack processes a chart within one or two, and a reply cannot wait for ever. */
const waits = [0.1, 0.2, 0.4, 0.8, 1.5, 2.5, 2.5];

/**
 * Makes uploaded images ready to stand in `image` blocks: completes them without a channel, and waits until Slack has
 * processed them, for it refuses a message that shows one before. Resolves to the ids that are ready; the others need another
 * way. Rejects only when aborted.
 */
export async function prepareImages(
  web: SlackWeb,
  files: readonly { readonly fileId: string; readonly title: string }[],
  options: { readonly log: Logger; readonly settleMs: number; readonly signal: AbortSignal },
): Promise<ReadonlySet<string>> {
  const ready = new Set<string>();
  if (files.length === 0) return ready;
  const { log, settleMs, signal } = options;
  try {
    await completeUpload(web, files, null, signal);
  } catch (error) {
    if (signal.aborted) throw error;
    log.warn({ error: String(error) }, 'images could not be completed');
    // After a lost answer Slack may have them all the same: the look below tells.
    if (!isAmbiguous(error)) return ready;
  }
  for (const wait of waits) {
    const open = files.filter(({ fileId }) => !ready.has(fileId));
    const states = await Promise.all(open.map(({ fileId }) => stateOf(web, fileId, options)));
    for (const [index, { fileId }] of open.entries()) if (states[index] === 'processed') ready.add(fileId);
    if (ready.size === files.length || states.includes('unseen')) return ready;
    await delay(wait * settleMs, undefined, { signal });
  }
  log.warn({ missing: files.length - ready.size }, 'Slack did not process an image in time');
  return ready;
}

/** `unseen`: the bot may not look at files here, so waiting tells nothing. */
async function stateOf(
  web: SlackWeb,
  fileId: string,
  { log, signal }: { readonly log: Logger; readonly signal: AbortSignal },
): Promise<'processed' | 'pending' | 'unseen'> {
  try {
    const file = asObject((await web.call('files.info', { file: fileId }, signal))['file']);
    const isImage = asText(file['mimetype'])?.startsWith('image/') === true;
    return isImage && file['file_access'] !== 'check_file_info' ? 'processed' : 'pending';
  } catch (error) {
    if (signal.aborted) throw error;
    log.debug({ fileId, error: String(error) }, 'an image could not be looked up');
    return slackCodeOf(error) === 'missing_scope' ? 'unseen' : 'pending';
  }
}
