import { z } from 'zod';
import type { Limit, LimitKind, LimitScope, Prices } from './ports/usage.ts';

const scopes: readonly LimitScope[] = ['person', 'channel', 'workspace'];

const second = 1000;

/** How a limit is named behind its scope, and what one of its unit is in the store's. */
const kinds: readonly { readonly kind: LimitKind; readonly name: string; readonly unit: number }[] = [
  { kind: 'tasks-at-once', name: 'TASKS_AT_ONCE', unit: 1 },
  { kind: 'tasks-per-day', name: 'TASKS_PER_DAY', unit: 1 },
  { kind: 'tokens-per-day', name: 'TOKENS_PER_DAY', unit: 1 },
  { kind: 'sandbox-ms-per-day', name: 'SANDBOX_SECONDS_PER_DAY', unit: second },
];

const variables = scopes.flatMap((scope) =>
  kinds.map(({ kind, name, unit }) => ({ variable: `LIMIT_${scope.toUpperCase()}_${name}`, scope, kind, unit })),
);

const count = z.coerce.number().int('must be a whole number').min(1).max(1_000_000_000_000).optional();
const price = z.coerce.number().min(0).max(1_000_000).optional();

export const limitsEnvironment = {
  ...Object.fromEntries(variables.map(({ variable }) => [variable, count])),
  PRICE_INPUT_PER_MILLION: price,
  PRICE_CACHED_INPUT_PER_MILLION: price,
  PRICE_OUTPUT_PER_MILLION: price,
  PRICE_CURRENCY: z
    .string()
    .trim()
    .regex(/^[A-Za-z]{2,10}$/, 'must be the letters of a currency, like USD')
    .default('USD'),
};

const priceShape = z.object({
  PRICE_INPUT_PER_MILLION: price,
  PRICE_CACHED_INPUT_PER_MILLION: price,
  PRICE_OUTPUT_PER_MILLION: price,
  PRICE_CURRENCY: limitsEnvironment.PRICE_CURRENCY,
});

type PriceValues = z.infer<typeof priceShape>;

/** Those that are set; none: no limit. */
export function limitsConfig(values: Readonly<Record<string, unknown>>): readonly Limit[] {
  return variables.flatMap(({ variable, scope, kind, unit }) => {
    const value = values[variable];
    return typeof value === 'number' ? [{ scope, kind, value: value * unit }] : [];
  });
}

/** `null`: nothing has a price. Input from the cache costs as any other where its price is not set. */
export function pricesConfig(values: PriceValues): Prices | null {
  const { PRICE_INPUT_PER_MILLION: input, PRICE_OUTPUT_PER_MILLION: output } = values;
  if (input === undefined || output === undefined) return null;
  return {
    currency: values.PRICE_CURRENCY.toUpperCase(),
    inputPerMillion: input,
    cachedInputPerMillion: values.PRICE_CACHED_INPUT_PER_MILLION ?? input,
    outputPerMillion: output,
  };
}

/** Half a price would give half the money. */
export function priceProblems(values: PriceValues): readonly string[] {
  const {
    PRICE_INPUT_PER_MILLION: input,
    PRICE_CACHED_INPUT_PER_MILLION: cached,
    PRICE_OUTPUT_PER_MILLION: output,
  } = values;
  if (input === undefined && output === undefined) {
    return cached === undefined
      ? []
      : ['PRICE_CACHED_INPUT_PER_MILLION: needs PRICE_INPUT_PER_MILLION and PRICE_OUTPUT_PER_MILLION beside it'];
  }
  if (input === undefined)
    return ['PRICE_INPUT_PER_MILLION: needed beside PRICE_OUTPUT_PER_MILLION (0 where it costs nothing)'];
  return output === undefined
    ? ['PRICE_OUTPUT_PER_MILLION: needed beside PRICE_INPUT_PER_MILLION (0 where it costs nothing)']
    : [];
}
