import { createHmac } from 'node:crypto';
import type { AttachmentState } from './state.ts';
import type { DiscordWorld } from './world.ts';

/** Links to files carry their end and a signature, all hexadecimal; an expired one answers 404. */
export function signedLink(world: DiscordWorld, file: AttachmentState): string {
  const issued = Math.floor(world.state.now() / 1000);
  const expires = Math.floor((world.state.now() + world.linkLifetimeMs) / 1000);
  const path = `/attachments/${file.channelId}/${file.id}/${encodeURIComponent(file.filename)}`;
  const ex = expires.toString(16);
  const is = issued.toString(16);
  return `${world.origin()}${path}?ex=${ex}&is=${is}&hm=${signature(world, file.id, ex, is)}&`;
}

/** The file of a link, or null if there is none, it was altered or has expired. */
export function fileOfLink(world: DiscordWorld, url: URL): AttachmentState | null {
  const id = url.pathname.split('/')[3] ?? '';
  const file = world.state.attachments.get(id) ?? null;
  const [ex, is, hm] = ['ex', 'is', 'hm'].map((name) => url.searchParams.get(name) ?? '');
  if (file === null || hm !== signature(world, id, ex ?? '', is ?? '')) return null;
  return Number.parseInt(ex ?? '', 16) * 1000 < world.state.now() ? null : file;
}

function signature({ state }: DiscordWorld, id: string, ex: string, is: string): string {
  return createHmac('sha256', state.token).update(`${state.linkEpoch}/${id}/${ex}/${is}`).digest('hex');
}
