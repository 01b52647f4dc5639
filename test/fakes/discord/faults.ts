import type { OpenApiOracle } from './openapi.ts';

/** What goes wrong with one request on purpose. */
export type DiscordFault =
  /** 429: nothing happens; `retryAfterMs` until it may be tried again. */
  | { readonly kind: 'rate-limited'; readonly retryAfterMs: number; readonly global?: boolean }
  /** 502 without or after the effect. */
  | { readonly kind: 'bad-gateway' | 'bad-gateway-after' }
  /** The connection breaks without or after the effect; of a download: half-way. */
  | { readonly kind: 'cut' | 'cut-after' }
  /** 413, code 40005. */
  | { readonly kind: 'too-large' }
  | { readonly kind: 'slow'; readonly ms: number }
  /** Any other no, such as 403 with code 50013. */
  | { readonly kind: 'refuse'; readonly status: number; readonly code: number; readonly message: string };

/** The operation, as in `POST /channels/{channel_id}/messages`; `download` for files, `*` for every operation. */
export type FaultyRoute = string;

export interface PlannedDiscordFault {
  readonly route: FaultyRoute;
  /** The fault of the nth request from now on, from 0. Default 0. */
  readonly call?: number;
  /** How many requests from there on. Default 1. */
  readonly times?: number;
  readonly fault: DiscordFault;
}

export interface DiscordFaults {
  /** @throws Error for a route that Discord does not have: its fault would never come. */
  plan(...faults: readonly PlannedDiscordFault[]): void;
  clear(): void;
  /** Faults that have come so far. */
  readonly happened: number;
  /** Counts a request and gives its fault. */
  next(route: FaultyRoute): DiscordFault | null;
}

export function createDiscordFaults(oracle: OpenApiOracle): DiscordFaults {
  let plans: { readonly route: string; from: number; left: number; readonly fault: DiscordFault }[] = [];
  let happened = 0;
  return {
    plan: (...faults) => {
      for (const { route, call = 0, times = 1, fault } of faults) {
        if (route !== '*' && route !== 'download' && !oracle.isOperation(route))
          throw new Error(`Discord has no ${route}`);
        plans.push({ route, from: call, left: times, fault });
      }
    },
    clear: () => {
      plans = [];
    },
    get happened() {
      return happened;
    },
    next: (route) => {
      let found: DiscordFault | null = null;
      for (const plan of plans) {
        if (plan.route !== route && (plan.route !== '*' || route === 'download')) continue;
        if (plan.from > 0) plan.from -= 1;
        else if (plan.left > 0 && found === null) {
          plan.left -= 1;
          found = plan.fault;
        }
      }
      plans = plans.filter(({ left }) => left > 0);
      if (found !== null) happened += 1;
      return found;
    },
  };
}
