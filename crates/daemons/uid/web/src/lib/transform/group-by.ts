// `groupBy`: one row for each combination of the grouping fields, the others aggregated.

import { makeField, makeFrame, type DataFrame, type Field } from '../data/frame';
import { displayName } from '../field/names';
import { reduceValues } from '../field/reducers';
import { asObject, asStrings, type JsonObject } from '../json';

export function groupBy(frames: readonly DataFrame[], options: JsonObject): DataFrame[] {
  const rules = asObject(options['fields']);
  return frames.flatMap((frame) => {
    const named = frame.fields.map((field) => ({ field, rule: asObject(rules[displayName(field, frame, frames)]) }));
    const keys = named.filter(({ rule }) => rule['operation'] === 'groupby').map(({ field }) => field);
    if (keys.length === 0) return [];
    const groups = rowsByKey(keys, frame.length);
    const columns: Field[] = keys.map((key) => ({ ...key, values: groups.map((rows) => key.values[rows[0] ?? 0]) }));
    for (const { field, rule } of named) {
      if (rule['operation'] !== 'aggregate') continue;
      for (const id of asStrings(rule['aggregations'])) {
        const values = groups.map((rows) =>
          reduceValues(
            rows.map((row) => field.values[row]),
            id,
          ),
        );
        columns.push(makeField(`${field.name} (${id})`, field.type, values, { config: field.config }));
      }
    }
    return [makeFrame(columns, { ...frame })];
  });
}

function rowsByKey(keys: readonly Field[], length: number): number[][] {
  const groups = new Map<string, number[]>();
  for (let row = 0; row < length; row += 1) {
    const key = JSON.stringify(keys.map((field) => field.values[row] ?? null));
    const rows = groups.get(key);
    if (rows === undefined) groups.set(key, [row]);
    else rows.push(row);
  }
  return [...groups.values()];
}
