import { z } from 'zod';

/** Where operators look: health, readiness, metrics, and whatever else is served to them. */
export interface HttpConfig {
  readonly host: string;
  /** 0: any free one; the log says which. */
  readonly port: number;
  /** Of the pages that are not for everybody who reaches the port; `null`: these are not served. */
  readonly operatorPassword: string | null;
}

/** Where spans go: OpenTelemetry's own variables, so that what other programs are told works here too. */
export interface TracesConfig {
  /** Of the collector, without `/v1/traces`. */
  readonly endpoint: string;
  readonly serviceName: string;
  /** Sent with each export; they may be secrets. */
  readonly headers: Readonly<Record<string, string>>;
}

const text = z.string().trim().min(1);

export const operationsEnvironment = {
  HTTP_PORT: z.coerce.number().int('must be a whole number').min(0).max(65_535).optional(),
  HTTP_HOST: text.default('127.0.0.1'),
  OPERATOR_PASSWORD: text.min(12, 'must have 12 characters or more').optional(),
  OTEL_EXPORTER_OTLP_ENDPOINT: z.url({ protocol: /^https?$/ }).optional(),
  OTEL_EXPORTER_OTLP_HEADERS: text
    .refine(
      (value) => headersOf(value) !== null,
      'must be name=value pairs with commas between, values percent-encoded',
    )
    .optional(),
  OTEL_SERVICE_NAME: text.default('plotline'),
};

const operationsShape = z.object(operationsEnvironment);
type Values = z.infer<typeof operationsShape>;

/** `null` where nothing is served. */
export function httpConfig({ HTTP_PORT: port, HTTP_HOST: host, OPERATOR_PASSWORD }: Values): HttpConfig | null {
  return port === undefined ? null : { host, port, operatorPassword: OPERATOR_PASSWORD ?? null };
}

/** `null` where nothing is traced. */
export function tracesConfig(values: Values): TracesConfig | null {
  if (values.OTEL_EXPORTER_OTLP_ENDPOINT === undefined) return null;
  return {
    endpoint: values.OTEL_EXPORTER_OTLP_ENDPOINT.replace(/\/+$/, ''),
    serviceName: values.OTEL_SERVICE_NAME,
    headers: headersOf(values.OTEL_EXPORTER_OTLP_HEADERS ?? '') ?? {},
  };
}

/** `null` where the text is no list of headers. */
function headersOf(value: string): Readonly<Record<string, string>> | null {
  const pairs = value.split(',').filter((pair) => pair.trim() !== '');
  const headers: Record<string, string> = {};
  for (const pair of pairs) {
    const [, name, given] = /^\s*([\w!#$%&'*+.^`|~-]+)\s*=\s*(.*?)\s*$/.exec(pair) ?? [];
    if (name === undefined || given === undefined) return null;
    try {
      headers[name] = decodeURIComponent(given);
    } catch {
      return null;
    }
  }
  return headers;
}
