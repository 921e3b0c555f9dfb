// From the answers of the queries to what a panel draws.

import type { Panel } from '../../dashboard/model';
import type { PlannedQuery } from '../../dashboard/query-plan';
import { interpolate, type Lookup } from '../../dashboard/variables/interpolate';
import type { DataFrame } from '../../lib/data/frame';
import type { QueryResult } from '../../lib/data/parse';
import { applyFieldConfig } from '../../lib/field/apply';
import { isObject, type JsonObject } from '../../lib/json';
import { applyTransformations } from '../../lib/transform/apply';

export interface PanelError {
  readonly message: string;
  readonly query: string;
}

export interface PanelData {
  readonly frames: readonly DataFrame[];
  readonly errors: readonly PanelError[];
  readonly notices: readonly string[];
}

/** Types that draw one value a frame and so want all frames, empty or not, left out when they hold nothing. */
export function preparePanelData(
  panel: Pick<Panel, 'transformations' | 'fieldConfig'>,
  results: readonly QueryResult[],
  queries: readonly PlannedQuery[],
  lookup: Lookup,
): PanelData {
  const order = new Map(queries.map((query, index) => [query.refId, index]));
  const sorted = [...results].sort((a, b) => (order.get(a.refId) ?? 0) - (order.get(b.refId) ?? 0));
  const raw = sorted.flatMap((result) => result.frames).filter((frame) => frame.length > 0);
  const steps = panel.transformations.map((step) => ({ ...step, options: interpolateOptions(step.options, lookup) }));
  const transformed = steps.length === 0 ? raw : applyTransformations(raw, steps);
  return {
    frames: applyFieldConfig(transformed, panel.fieldConfig),
    errors: sorted.flatMap((result) =>
      result.error === undefined
        ? []
        : [{ message: result.error, query: queries.find((query) => query.refId === result.refId)?.expr ?? '' }],
    ),
    notices: [
      ...new Set(
        sorted.flatMap((result) => result.frames.flatMap((frame) => frame.meta.notices.map((notice) => notice.text))),
      ),
    ],
  };
}

/** Strings in a transformation's options may hold variables. */
function interpolateOptions(options: JsonObject, lookup: Lookup): JsonObject {
  const fill = (value: unknown): unknown => {
    if (typeof value === 'string') return interpolate(value, lookup);
    if (Array.isArray(value)) return value.map(fill);
    return isObject(value) ? Object.fromEntries(Object.entries(value).map(([key, item]) => [key, fill(item)])) : value;
  };
  return Object.fromEntries(Object.entries(options).map(([key, value]) => [key, fill(value)]));
}
