// `reduce`: every series becomes a row (or every field one value).

import { makeField, makeFrame, type DataFrame, type Field } from '../data/frame';
import { displayName } from '../field/names';
import { findReducer, reduceValues } from '../field/reducers';
import { asBoolean, asStrings, type JsonObject } from '../json';

export function reduce(frames: readonly DataFrame[], options: JsonObject): DataFrame[] {
  const listed = asStrings(options['reducers']);
  const reducers = (listed.length > 0 ? listed : ['max']).filter((id) => findReducer(id) !== undefined);
  const withTime = asBoolean(options['includeTimeField']);
  const isReduced = (field: Field): boolean => withTime || field.type !== 'time';
  if (options['mode'] === 'reduceFields') return frames.map((frame) => reduceFields(frame, reducers, isReduced));
  return seriesToRows(frames, reducers, isReduced, asBoolean(options['labelsToFields']));
}

function seriesToRows(
  frames: readonly DataFrame[],
  reducers: readonly string[],
  isReduced: (field: Field) => boolean,
  withLabels: boolean,
): DataFrame[] {
  const rows = frames.flatMap((frame) =>
    frame.fields.filter(isReduced).map((field) => ({ field, name: displayName(field, frame, frames) })),
  );
  if (rows.length === 0) return [];
  const labels = withLabels ? [...new Set(rows.flatMap(({ field }) => Object.keys(field.labels ?? {})))] : [];
  const config = rows[0]?.field.config ?? {};
  const { displayName: _name, displayNameFromDS: _sourceName, ...shared } = config;
  const { unit: _unit, ...unitless } = shared;
  return [
    makeFrame([
      makeField(
        'Field',
        'string',
        rows.map(({ name }) => name),
      ),
      ...labels.map((label) =>
        makeField(
          label,
          'string',
          rows.map(({ field }) => field.labels?.[label] ?? null),
        ),
      ),
      ...reducers.map((id) => {
        const reducer = findReducer(id);
        const values = rows.map(({ field }) => reduceValues(field.values, id));
        return makeField(reducer?.name ?? id, typeOf(values), values, {
          config: reducer?.keepsUnit === true ? shared : unitless,
        });
      }),
    ]),
  ];
}

function reduceFields(frame: DataFrame, reducers: readonly string[], isReduced: (field: Field) => boolean): DataFrame {
  const fields = frame.fields.filter(isReduced).flatMap((field) =>
    reducers.map((id) => {
      const values = [reduceValues(field.values, id)];
      const name = reducers.length > 1 ? `${field.name} (${findReducer(id)?.name ?? id})` : field.name;
      return { ...field, name, type: typeOf(values), values };
    }),
  );
  return makeFrame(fields, { ...frame });
}

function typeOf(values: readonly unknown[]): Field['type'] {
  const present = values.find((value) => value !== null);
  if (present === undefined || typeof present === 'number') return 'number';
  return typeof present === 'boolean' ? 'boolean' : typeof present === 'string' ? 'string' : 'other';
}
