import type { GatewayHandlers } from '../../src/ports/platforms.ts';

/** Handlers that know nothing and do nothing, but for the given ones. */
export function createHandlers(given: Partial<GatewayHandlers> = {}): GatewayHandlers {
  return {
    onTask: () => Promise.resolve(),
    isOurs: () => Promise.resolve(true),
    keepDraft: () => Promise.resolve(),
    drafts: () => Promise.resolve([]),
    dropDraft: () => Promise.resolve(),
    onCancel: () => Promise.resolve(0),
    onEdit: () => Promise.resolve('unknown'),
    onDelete: () => Promise.resolve(),
    onRerun: () => Promise.resolve(false),
    onFeedback: () => Promise.resolve(),
    knowsThread: () => Promise.resolve(false),
    findTask: () => Promise.resolve(null),
    onOverview: () =>
      Promise.resolve({
        threads: [],
        usage: {
          questions: 0,
          inputTokens: 0,
          cachedInputTokens: 0,
          outputTokens: 0,
          sandboxMs: 0,
          sinceMs: 0,
          money: [],
        },
        limits: [],
        everyone: { running: 0, waiting: 0 },
      }),
    onForget: () => Promise.resolve(0),
    onShowCode: () => Promise.resolve([]),
    onShowDetails: () => Promise.resolve([]),
    ...given,
  };
}
