// `joinByField`: frames side by side, matched on one field (time, unless told otherwise).

import { makeFrame, type DataFrame, type Field } from '../data/frame';
import { displayName } from '../field/names';
import { asString, type JsonObject } from '../json';

export function joinByField(frames: readonly DataFrame[], options: JsonObject): DataFrame[] {
  if (frames.length < 2) return [...frames];
  const by = asString(options['byField']);
  const keyed = frames.flatMap((frame) => {
    const key =
      by === ''
        ? frame.fields.find((field) => field.type === 'time')
        : frame.fields.find((field) => field.name === by || displayName(field, frame, frames) === by);
    return key === undefined ? [] : [{ frame, key }];
  });
  const first = keyed[0];
  if (first === undefined) return [...frames];
  const inner = options['mode'] === 'inner';
  const seen = new Map<unknown, number>();
  for (const { key } of keyed) for (const value of new Set(key.values)) seen.set(value, (seen.get(value) ?? 0) + 1);
  const values = [...seen].filter(([, count]) => !inner || count === keyed.length).map(([value]) => value);
  if (values.every((value) => typeof value === 'number')) values.sort((a, b) => Number(a) - Number(b));
  const fields: Field[] = [{ ...first.key, values }];
  for (const { frame, key } of keyed) {
    const rowOf = new Map(key.values.map((value, index) => [value, index]));
    for (const field of frame.fields) {
      if (field === key) continue;
      const column = values.map((value) => {
        const row = rowOf.get(value);
        return row === undefined ? null : field.values[row];
      });
      fields.push({ ...field, values: column, config: keepFrameName(field, frame) });
    }
  }
  return [makeFrame(fields, { meta: first.frame.meta })];
}

/** A frame's name is lost in the join, so a bare `Value` takes it over. */
function keepFrameName(field: Field, frame: DataFrame): Field['config'] {
  const needed = field.name === 'Value' && field.labels === undefined && field.config.displayNameFromDS === undefined;
  return needed && frame.name !== undefined ? { ...field.config, displayNameFromDS: frame.name } : field.config;
}
