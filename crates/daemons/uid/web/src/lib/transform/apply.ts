// Transformations: frames in, frames out, one after the other. To add one: a file beside this and a line in the table.

import type { DataFrame } from '../data/frame';
import type { JsonObject } from '../json';
import { filterFieldsByName, renameByRegex } from './fields';
import { groupBy } from './group-by';
import { joinByField } from './join';
import { labelsToFields } from './labels-to-fields';
import { merge } from './merge';
import { organize } from './organize';
import { reduce } from './reduce';
import { filterByRefId, limit, seriesToRows, sortBy } from './rows';

export type Transformer = (frames: readonly DataFrame[], options: JsonObject) => DataFrame[];

const TRANSFORMERS: Readonly<Record<string, Transformer>> = {
  organize,
  merge,
  labelsToFields,
  reduce,
  groupBy,
  joinByField,
  seriesToColumns: joinByField,
  seriesToRows,
  sortBy,
  limit,
  filterByRefId,
  filterFieldsByName,
  renameByRegex,
};

export interface TransformStep {
  readonly id: string;
  readonly disabled: boolean;
  readonly options: JsonObject;
}

/** Unknown transformations pass the frames on unchanged. */
export function applyTransformations(
  frames: readonly DataFrame[],
  steps: readonly TransformStep[],
): readonly DataFrame[] {
  return steps.reduce<readonly DataFrame[]>((current, step) => {
    const transformer = Object.hasOwn(TRANSFORMERS, step.id) ? TRANSFORMERS[step.id] : undefined;
    return step.disabled || transformer === undefined ? current : transformer(current, step.options);
  }, frames);
}

/** Ids that would be passed over: a panel can say so. */
export function unsupportedTransformations(steps: readonly TransformStep[]): string[] {
  return steps.filter((step) => !step.disabled && !Object.hasOwn(TRANSFORMERS, step.id)).map((step) => step.id);
}
