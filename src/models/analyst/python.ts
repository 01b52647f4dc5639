import type { RunPlan } from './plan.ts';
import { analysisCode } from './python-analysis.ts';
import { titleOf } from './python-chart.ts';
import { columnsCode, rowsCode } from './python-columns.ts';
import { listingCode, mediaCode, paletteCode, qrCode, textCode } from './python-media.ts';
import { convertCode, profileCode } from './python-profile.ts';

/** The cell for a plan: self-contained Python that prints its figures as one line of JSON. `coerce` is for the second attempt. */
export function codeFor(plan: RunPlan, coerce: boolean): string {
  switch (plan.kind) {
    case 'analysis':
      return analysisCode(plan, coerce);
    case 'columns':
      return columnsCode(plan, coerce);
    case 'rows':
      return rowsCode(plan, coerce);
    case 'profile':
      return profileCode(plan);
    case 'convert':
      return convertCode(plan);
    case 'video':
    case 'gif':
      return mediaCode(plan);
    case 'palette':
      return paletteCode(plan);
    case 'text':
      return textCode(plan);
    case 'listing':
      return listingCode(plan);
    case 'qr':
      return qrCode(plan);
    default:
      return plan satisfies never;
  }
}

/** The progress line for a person. */
export function titleFor(plan: RunPlan): string {
  switch (plan.kind) {
    case 'analysis':
      return plan.dimensions.length === 0
        ? `Computing ${plan.measures.map(({ label }) => label).join(', ')}`
        : `${plan.show === 'table' ? 'Computing' : 'Drawing'} ${titleOf(plan)}`;
    case 'columns':
      return plan.form === 'correlation'
        ? 'Correlating the number columns'
        : `Drawing a ${plan.form === 'histogram' ? 'histogram' : `${plan.form} plot`} of ${plan.columns.map(({ name }) => name).join(' and ')}`;
    case 'rows':
      return `Picking rows of ${plan.source.table.file}`;
    case 'profile':
      return (
        {
          describe: 'Describing',
          missing: 'Looking for missing values in',
          duplicates: 'Looking for duplicates in',
          schema: 'Listing the columns of',
        }[plan.form] + ` ${plan.tables[0]?.file ?? 'the file'}`
      );
    case 'convert':
      return `${plan.clean ? 'Cleaning' : 'Converting'} ${plan.file}`;
    case 'video':
      return 'Making the video';
    case 'gif':
      return 'Making the GIF';
    case 'palette':
      return `Finding the colours of ${plan.file}`;
    case 'text':
      return `Reading the text of ${plan.file}`;
    case 'listing':
      return `Listing ${plan.file}`;
    case 'qr':
      return 'Making the QR code';
    default:
      return plan satisfies never;
  }
}
