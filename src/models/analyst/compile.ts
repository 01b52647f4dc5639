import { analysisParts } from './analysis-parts.ts';
import type { Files } from './cards.ts';
import { compileColumns, compileRows } from './compile-columns.ts';
import { finishAnalysis } from './finish-analysis.ts';
import { withLeftOut } from './left-out.ts';
import { namedColumns } from './named-columns.ts';
import type { Named } from './named-columns.ts';
import type { Reading } from './parse-analysis.ts';
import type { AnalysisPlan, RunPlan } from './plan.ts';

/** Decides what a reading means. `null` where a measure was asked for that no column matches. */

export function compile(reading: Reading, files: Files): RunPlan | null {
  const named = namedColumns(reading);
  return withLeftOut(
    compileColumns(reading, named, files) ??
      compileRows(reading, named, files) ??
      compileAnalysis(reading, named, files),
    reading,
  );
}

function compileAnalysis(reading: Reading, named: readonly Named[], files: Files): AnalysisPlan | null {
  const parts = analysisParts(reading, named, files);
  if (parts.measures.length === 0) return null;
  return finishAnalysis({ ...parts, reading, files, filters: reading.filters });
}
