import { readFileSync } from 'node:fs';
import Ajv2020 from 'ajv/dist/2020.js';
import type { ErrorObject, ValidateFunction } from 'ajv/dist/2020.js';
import { correctOpenApi } from './openapi-corrections.ts';
import type { FieldProblem } from './refusal.ts';
import type { Json } from './state.ts';

/**
 * What Discord's own OpenAPI file says of a request or an answer (github.com/discord/discord-api-spec, MIT, Copyright 2023
 * Discord). It knows the shapes; the limits that it lacks are in `limits.ts`.
 */
export interface OpenApiOracle {
  /** The operation of a path below `/api/v10`, such as `GET /channels/{channel_id}`; null where Discord has none. */
  operationOf(method: string, path: string): FoundOperation | null;
  isOperation(operation: string): boolean;
  problemsOfRequest(
    operation: string,
    query: URLSearchParams,
    contentType: string | null,
    body: unknown,
  ): readonly FieldProblem[];
  /** Empty: the answer is one that Discord could give. `body` is null where there is none. */
  problemsOfAnswer(operation: string, status: number, body: unknown): readonly string[];
  /** Of an object by the name of its schema, such as `MessageResponse`. */
  problemsOf(schema: string, value: unknown): readonly string[];
}

export interface FoundOperation {
  readonly operation: string;
  readonly parameters: Readonly<Record<string, string>>;
  /** May be called without the bot's token: the address holds one. */
  readonly isOpen: boolean;
}

interface Parameter {
  readonly name: string;
  readonly in: string;
}

interface Operation {
  readonly parameters?: readonly Parameter[];
  readonly security?: readonly Json[];
  readonly requestBody?: { readonly required?: boolean; readonly content: Json };
  readonly responses: Record<string, { readonly $ref?: string; readonly content?: Json }>;
}

type PathItem = Record<string, Operation | undefined>;

const methods = ['get', 'post', 'put', 'patch', 'delete'] as const;

export function createOpenApiOracle(): OpenApiOracle {
  const spec = JSON.parse(readFileSync(new URL('openapi.json', import.meta.url), 'utf8')) as {
    readonly paths: Record<string, PathItem>;
    readonly components: { readonly schemas: Parameters<typeof correctOpenApi>[0] };
  };
  correctOpenApi(spec.components.schemas);
  const ajv = new Ajv2020.default({ strict: false, validateFormats: false });
  ajv.addSchema(spec, 'discord');
  // The more literal path wins: `/users/@me` before `/users/{user_id}`.
  const templates = Object.keys(spec.paths)
    .map((template) => ({ template, steps: template.split('/') }))
    .toSorted((a, b) => variables(a.template) - variables(b.template));

  const operationAt = (operation: string): Operation | null => {
    const [method = '', template = ''] = operation.split(' ');
    return spec.paths[template]?.[method.toLowerCase()] ?? null;
  };

  const validator = (pointer: string): ValidateFunction => {
    const found = ajv.getSchema(`discord#${pointer}`);
    if (found === undefined) throw new Error(`the OpenAPI file has no ${pointer}`);
    return found;
  };

  const failures = (pointer: string, value: unknown): readonly ErrorObject[] => {
    const validate = validator(pointer);
    // A copy, as it goes over the wire: without members that are undefined.
    return validate(JSON.parse(JSON.stringify(value))) ? [] : (validate.errors ?? []);
  };

  return {
    operationOf: (method, path) => {
      const steps = path.split('/').map((step) => decodeURIComponent(step));
      for (const { template, steps: wanted } of templates) {
        if (wanted.length !== steps.length) continue;
        const parameters: Record<string, string> = {};
        const fits = wanted.every((step, index) => {
          const given = steps[index] ?? '';
          const name = /^\{(\w+)\}$/.exec(step)?.[1];
          if (name === undefined) return step === given;
          parameters[name] = given;
          return given !== '' && (!name.endsWith('_id') || /^\d+$/.test(given));
        });
        const operation = fits ? spec.paths[template]?.[method.toLowerCase()] : undefined;
        if (operation === undefined || !methods.some((one) => one === method.toLowerCase())) continue;
        const isOpen = operation.security?.some((scheme) => Object.keys(scheme).length === 0) ?? false;
        return { operation: `${method} ${template}`, parameters, isOpen };
      }
      return null;
    },
    isOperation: (operation) => operationAt(operation) !== null,
    problemsOfRequest: (operation, query, contentType, body) => {
      const described = operationAt(operation);
      const known = new Set((described?.parameters ?? []).filter((one) => one.in === 'query').map(({ name }) => name));
      const strangers = [...query.keys()]
        .filter((name) => !known.has(name))
        .map((name) => ({ path: name, code: 'UNKNOWN_QUERY', message: `This route has no query parameter ${name}.` }));
      if (described?.requestBody === undefined) return strangers;
      if (body === null) {
        const isMissing = described.requestBody.required === true;
        return isMissing
          ? [...strangers, { path: '_body', code: 'BASE_TYPE_REQUIRED', message: 'A body is required.' }]
          : strangers;
      }
      const type = contentType ?? 'application/json';
      if (!(type in described.requestBody.content)) {
        return [...strangers, { path: '_body', code: 'CONTENT_TYPE', message: `This route does not take ${type}.` }];
      }
      const pointer = `${pointerTo(operation)}/requestBody/content/${escaped(type)}/schema`;
      return [...strangers, ...failures(pointer, body).map(toField)];
    },
    problemsOfAnswer: (operation, status, body) => {
      const responses = operationAt(operation)?.responses ?? {};
      const key = [String(status), `${String(status)[0]}XX`].find((one) => one in responses);
      const response = key === undefined ? undefined : responses[key];
      if (key === undefined || response === undefined) return [`${operation} does not answer ${status}`];
      const base = response.$ref === undefined ? `${pointerTo(operation)}/responses/${key}` : response.$ref.slice(1);
      const shared = /^\/components\/responses\/(\w+)$/.exec(base)?.[1];
      if (shared === undefined && response.content === undefined) {
        return body === null ? [] : [`${operation} ${status} has no body`];
      }
      return failures(`${base}/content/${escaped('application/json')}/schema`, body).map(toText);
    },
    problemsOf: (schema, value) => failures(`/components/schemas/${schema}`, value).map(toText),
  };
}

function variables(template: string): number {
  return template.split('{').length;
}

function pointerTo(operation: string): string {
  const [method = '', template = ''] = operation.split(' ');
  return `/paths/${escaped(template)}/${method.toLowerCase()}`;
}

/** A step of a JSON pointer in an address. */
function escaped(step: string): string {
  return encodeURIComponent(step.replaceAll('~', '~0').replaceAll('/', '~1'));
}

function toField({ instancePath, keyword, message }: ErrorObject): FieldProblem {
  const path = instancePath === '' ? '_body' : instancePath.slice(1).replaceAll('/', '.');
  return { path, code: keyword, message: message ?? 'is not valid' };
}

function toText({ instancePath, message, params }: ErrorObject): string {
  return `${instancePath} ${message} ${JSON.stringify(params)}`;
}
