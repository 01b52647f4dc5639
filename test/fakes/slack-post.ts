import { createHmac } from 'node:crypto';

/** Posts as Slack does, with its `v0` signature. Resolves to the status; rejects where nobody answers. */
export async function postSigned(
  url: string,
  text: string,
  options: { readonly secret: string; readonly isForm?: boolean; readonly headers?: Readonly<Record<string, string>> },
): Promise<number> {
  const timestamp = String(Math.floor(Date.now() / 1000));
  const digest = createHmac('sha256', options.secret).update(`v0:${timestamp}:${text}`).digest('hex');
  const response = await fetch(url, {
    method: 'POST',
    body: text,
    headers: {
      'content-type': options.isForm === true ? 'application/x-www-form-urlencoded' : 'application/json',
      'x-slack-request-timestamp': timestamp,
      'x-slack-signature': `v0=${digest}`,
      ...options.headers,
    },
  });
  await response.arrayBuffer();
  return response.status;
}
