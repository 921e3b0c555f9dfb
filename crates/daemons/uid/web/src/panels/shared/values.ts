// The values that stat, gauge, bar gauge and pie panels show: one a series, or one a row.

import { makeField, timeField, type DataFrame, type Field } from '../../lib/data/frame';
import { displayProcessor, fieldBounds, type Bounds, type DisplayValue } from '../../lib/field/display';
import { displayName, uniqueNames } from '../../lib/field/names';
import { parsePattern } from '../../lib/field/mappings';
import type { ThemeName } from '../../lib/field/palette';
import { findReducer, reduceValues } from '../../lib/field/reducers';
import { asBoolean, asNumber, asObject, asString, asStrings, type JsonObject } from '../../lib/json';
import type { TimeZone } from '../../lib/time/zone';

export interface ReduceOptions {
  readonly calcs: readonly string[];
  /** a pattern, a name, or empty for number fields */
  readonly fields: string;
  readonly limit: number;
  /** every row instead of one calculation */
  readonly all: boolean;
}

const DEFAULT_LIMIT = 25;

export function parseReduceOptions(options: JsonObject): ReduceOptions {
  const reduce = asObject(options['reduceOptions']);
  const calcs = asStrings(reduce['calcs']);
  return {
    calcs: calcs.length > 0 ? calcs : ['lastNotNull'],
    fields: asString(reduce['fields']),
    limit: asNumber(reduce['limit']) ?? DEFAULT_LIMIT,
    all: asBoolean(reduce['values']),
  };
}

export interface PanelValue {
  readonly key: string;
  readonly name: string;
  readonly value: DisplayValue;
  readonly field: Field;
  readonly bounds: Bounds;
  /** for a sparkline */
  readonly times: readonly unknown[];
}

export interface ValuesInput {
  readonly frames: readonly DataFrame[];
  readonly options: ReduceOptions;
  readonly theme: ThemeName;
  readonly zone: TimeZone;
}

export function panelValues({ frames, options, theme, zone }: ValuesInput): PanelValue[] {
  const picked = frames.flatMap((frame) =>
    frame.fields.filter((field) => isPicked(field, frame, frames, options.fields)).map((field) => ({ frame, field })),
  );
  const names = uniqueNames(picked.map(({ frame, field }) => displayName(field, frame, frames)));
  const shared = sharedBounds(picked.map(({ field }) => field));
  return picked.flatMap(({ frame, field }, index): PanelValue[] => {
    const name = names[index] ?? '';
    const bounds = boundsOf(field, shared);
    const times = timeField(frame)?.values ?? [];
    const show = (source: Field): ((value: unknown) => DisplayValue) =>
      displayProcessor(source, { theme, zone, seriesIndex: index, name }, bounds);
    if (options.all) {
      const display = show(field);
      return field.values.slice(0, options.limit).map((value, row) => ({
        key: `${index}-${row}`,
        name: rowName(frame, field, row) ?? name,
        value: display(value),
        field,
        bounds,
        times,
      }));
    }
    return options.calcs.map((calc) => {
      const source = findReducer(calc)?.keepsUnit === false ? withoutUnit(field) : field;
      const suffix = options.calcs.length > 1 ? ` ${findReducer(calc)?.name ?? calc}` : '';
      return {
        key: `${index}-${calc}`,
        name: name + suffix,
        value: show(source)(reduceValues(field.values, calc)),
        field,
        bounds,
        times,
      };
    });
  });
}

function isPicked(field: Field, frame: DataFrame, frames: readonly DataFrame[], fields: string): boolean {
  if (fields === '') return field.type === 'number';
  const name = displayName(field, frame, frames);
  if (fields.startsWith('/')) return parsePattern(fields)?.test(name) ?? false;
  return name === fields || field.name === fields;
}

/** The extremes of all fields: without limits of their own, gauges of one panel share a scale. */
function sharedBounds(fields: readonly Field[]): Bounds {
  const all = fields.map(fieldBounds);
  return {
    min: all.reduce((least, { min }) => Math.min(least, min), Infinity),
    max: all.reduce((most, { max }) => Math.max(most, max), -Infinity),
  };
}

function boundsOf({ config }: Field, shared: Bounds): Bounds {
  return { min: config.min ?? shared.min, max: config.max ?? shared.max };
}

/** A table's rows are called by their first text column. */
function rowName(frame: DataFrame, field: Field, row: number): string | undefined {
  const text = frame.fields.find((other) => other !== field && other.type === 'string')?.values[row];
  return typeof text === 'string' ? text : undefined;
}

function withoutUnit(field: Field): Field {
  const { unit: _unit, ...config } = field.config;
  return makeField(field.name, 'number', field.values, { config });
}
