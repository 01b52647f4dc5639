import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';

/** What a link leads to: a file of a task's reply, until a moment. */
export interface LinkTarget {
  readonly taskId: string;
  readonly sha256: string;
  /** Whole seconds since 1970. */
  readonly expiresAt: number;
}

export interface LinkTokens {
  /** Letters, digits, `-`, `.`: nothing that Markdown reads as more than text. */
  sign(target: LinkTarget): string;
  /** `null`: not signed here. Whether it has expired is the caller's question. */
  read(token: string): LinkTarget | null;
}

/** Longer than any token: task ids have some hundred characters. */
const longestToken = 4096;

/** `secretsKey`: 32 bytes. Tokens have a key of their own, derived from it, so that neither use can be turned against the other. */
export function createLinkTokens(secretsKey: Uint8Array): LinkTokens {
  const key = Buffer.from(hkdfSync('sha256', secretsKey, '', 'plotline: links to files, version 1', 32));
  const macOf = (payload: string): Buffer => createHmac('sha256', key).update(payload).digest();
  return {
    sign: ({ taskId, sha256, expiresAt }) => {
      const payload = Buffer.from(JSON.stringify([expiresAt, sha256, taskId])).toString('hex');
      return `${payload}.${macOf(payload).toString('hex')}`;
    },
    read: (token) => {
      if (token.length > longestToken) return null;
      const [, payload = '', mac = ''] = /^([0-9a-f]+)\.([0-9a-f]{64})$/.exec(token) ?? [];
      // Looked at whatever came, so that a wrong signature takes as long as a wrong form.
      const isOurs = timingSafeEqual(macOf(payload), Buffer.from(mac.padEnd(64, '0'), 'hex'));
      return isOurs && payload !== '' ? targetOf(payload) : null;
    },
  };
}

function targetOf(payload: string): LinkTarget {
  const [expiresAt, sha256, taskId] = JSON.parse(Buffer.from(payload, 'hex').toString()) as [number, string, string];
  return { expiresAt, sha256, taskId };
}
