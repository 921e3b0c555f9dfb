// Transformations of rows and whole frames: `seriesToRows`, `sortBy`, `limit`, `filterByRefId`.

import { makeField, makeFrame, numberFields, timeField, type DataFrame } from '../data/frame';
import { parsePattern } from '../field/mappings';
import { displayName } from '../field/names';
import { asArray, asBoolean, asNumber, asObject, asString, type JsonObject } from '../json';

/** Time, Metric, Value: newest first. */
export function seriesToRows(frames: readonly DataFrame[]): DataFrame[] {
  const rows = frames.flatMap((frame) => {
    const time = timeField(frame);
    if (time === undefined) return [];
    return numberFields(frame).flatMap((field) => {
      const metric = displayName(field, frame, frames);
      return field.values.map((value, index) => ({ time: time.values[index], metric, value }));
    });
  });
  rows.sort((a, b) => Number(b.time) - Number(a.time));
  const config = frames.flatMap(numberFields)[0]?.config ?? {};
  const { displayName: _name, displayNameFromDS: _sourceName, ...shared } = config;
  return [
    makeFrame([
      makeField(
        'Time',
        'time',
        rows.map((row) => row.time),
      ),
      makeField(
        'Metric',
        'string',
        rows.map((row) => row.metric),
      ),
      makeField(
        'Value',
        'number',
        rows.map((row) => row.value),
        { config: shared },
      ),
    ]),
  ];
}

/** By the first entry of `sort` only. */
export function sortBy(frames: readonly DataFrame[], options: JsonObject): DataFrame[] {
  const rule = asObject(asArray(options['sort'])[0]);
  const name = asString(rule['field']);
  const sign = asBoolean(rule['desc']) ? -1 : 1;
  return frames.map((frame) => {
    const key = frame.fields.find((field) => field.name === name || displayName(field, frame, frames) === name);
    if (key === undefined) return frame;
    const order = Array.from({ length: frame.length }, (_, index) => index).sort(
      (a, b) => sign * compareValues(key.values[a], key.values[b]),
    );
    return pick(frame, order);
  });
}

/** Numbers by size, texts naturally, nothing last. */
export function compareValues(a: unknown, b: unknown): number {
  const [noA, noB] = [a === null || a === undefined, b === null || b === undefined];
  if (noA || noB) return Number(noA) - Number(noB);
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  return String(a).localeCompare(String(b), 'en', { numeric: true });
}

function pick(frame: DataFrame, rows: readonly number[]): DataFrame {
  return makeFrame(
    frame.fields.map((field) => ({ ...field, values: rows.map((row) => field.values[row]) })),
    { ...frame },
  );
}

/** A negative limit keeps the tail. */
export function limit(frames: readonly DataFrame[], options: JsonObject): DataFrame[] {
  const count = asNumber(options['limitField']) ?? 10;
  return frames.map((frame) =>
    makeFrame(
      frame.fields.map((field) => ({
        ...field,
        values: count < 0 ? field.values.slice(count) : field.values.slice(0, count),
      })),
      { ...frame },
    ),
  );
}

export function filterByRefId(frames: readonly DataFrame[], options: JsonObject): DataFrame[] {
  const include = parsePattern(asString(options['include']));
  const exclude = parsePattern(asString(options['exclude']));
  const isKept = (refId: string): boolean =>
    (asString(options['include']) === '' || (include?.test(refId) ?? true)) &&
    (asString(options['exclude']) === '' || !(exclude?.test(refId) ?? false));
  return frames.filter((frame) => isKept(frame.refId ?? ''));
}
