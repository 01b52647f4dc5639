import { LogLevel } from '@slack/web-api';
import type { Logger as SdkLogger } from '@slack/web-api';
import type { Logger } from '../../src/log.ts';

/** Slack's SDKs log whole requests and events at debug level, which holds what people wrote: that level is dropped. */
export function sdkLogger(log: Logger): SdkLogger {
  const message = (parts: readonly unknown[]): string => parts.map(String).join(' ').slice(0, 2000);
  return {
    debug: () => {},
    info: (...parts) => log.debug({}, message(parts)),
    warn: (...parts) => log.warn({}, message(parts)),
    error: (...parts) => log.error({}, message(parts)),
    setLevel: () => {},
    getLevel: () => LogLevel.INFO,
    setName: () => {},
  };
}
