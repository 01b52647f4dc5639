import { analysisParts } from './analysis-parts.ts';
import type { Files } from './cards.ts';
import { compileColumns, compileRows } from './compile-columns.ts';
import { finishAnalysis } from './finish-analysis.ts';
import { namedColumns } from './named-columns.ts';
import type { Named } from './named-columns.ts';
import type { Reading } from './parse-analysis.ts';
import type { AnalysisPlan, Plan } from './plan.ts';

/** Decides what a reading means. `null` where a measure was asked for that no column matches. */

export function compile(reading: Reading, files: Files): Plan | null {
  const named = namedColumns(reading);
  return (
    compileColumns(reading, named, files) ??
    compileRows(reading, named, files) ??
    compileAnalysis(reading, named, files)
  );
}

/** It follows `by` or `per`: without its groups, the answer would be one to another question. */
function isGroup(question: string, word: string): boolean {
  const before = question.slice(0, question.indexOf(word));
  return /\b(?:by|per|for each|pro|je|nach)\s+(?:(?:the|each|der|dem)\s+)?$/i.test(before);
}

function compileAnalysis(reading: Reading, named: readonly Named[], files: Files): AnalysisPlan | null {
  const parts = analysisParts(reading, named, files);
  if (parts.measures.length === 0 || reading.unknown.some((word) => isGroup(reading.question, word))) return null;
  return finishAnalysis({ ...parts, reading, files, filters: reading.filters });
}
