import { fileTypeProblems } from './file-types.ts';
import type { FieldProblem } from './refusal.ts';
import type { Json } from './state.ts';
import { allComponents, componentTypes } from './wire-components.ts';

/** What the OpenAPI file does not say of forms. Source: reference, section 1.5; docs, components/reference. */
export function modalProblems(modal: Json): readonly FieldProblem[] {
  const all = allComponents(modal['components'] as readonly Json[]);
  const ids = all.map((one) => one['custom_id']).filter((id) => typeof id === 'string');
  const duplicated = new Set(ids).size < ids.length;
  const uploads = all.filter(({ type }) => type === componentTypes.fileUpload);
  return [
    ...(duplicated
      ? [
          {
            path: 'components',
            code: 'COMPONENT_CUSTOM_ID_DUPLICATED',
            message: 'Component custom id cannot be duplicated',
          },
        ]
      : []),
    ...uploads.flatMap((upload) => fileTypeProblems(upload['file_types'], 'components.file_types')),
    ...uploads
      .filter((upload) => Number(upload['min_values'] ?? 1) > Number(upload['max_values'] ?? 1))
      .map(() => ({ path: 'components', code: 'MIN_MAX', message: 'min_values is above max_values.' })),
  ];
}
