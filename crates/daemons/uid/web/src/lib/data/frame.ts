// Columns with names and types: what every query returns and every panel draws.

import type { FieldConfig } from '../field/config';

export type FieldType = 'time' | 'number' | 'string' | 'boolean' | 'other';

export type Labels = Readonly<Record<string, string>>;

export interface Field {
  readonly name: string;
  readonly type: FieldType;
  readonly labels?: Labels;
  readonly config: FieldConfig;
  readonly values: readonly unknown[];
}

export interface FrameMeta {
  readonly type?: string;
  /** `logs`, `table`, `graph` … where the data source says so */
  readonly preferredVisualisationType?: string;
  readonly executedQueryString?: string;
  readonly notices: readonly { readonly severity: string; readonly text: string }[];
}

export interface DataFrame {
  readonly name?: string;
  readonly refId?: string;
  readonly meta: FrameMeta;
  readonly fields: readonly Field[];
  readonly length: number;
}

export const NO_META: FrameMeta = { notices: [] };

export function makeFrame(
  fields: readonly Field[],
  rest: Partial<Omit<DataFrame, 'fields' | 'length'>> = {},
): DataFrame {
  return {
    meta: NO_META,
    ...rest,
    fields,
    length: fields.reduce((most, field) => Math.max(most, field.values.length), 0),
  };
}

export function makeField(
  name: string,
  type: FieldType,
  values: readonly unknown[],
  rest: Partial<Pick<Field, 'labels' | 'config'>> = {},
): Field {
  return { name, type, values, config: {}, ...rest };
}

export function timeField(frame: DataFrame): Field | undefined {
  return frame.fields.find((field) => field.type === 'time');
}

export function numberFields(frame: DataFrame): readonly Field[] {
  return frame.fields.filter((field) => field.type === 'number');
}

/** The value as a number; `null` for anything that is none. */
export function numeric(value: unknown): number | null {
  if (typeof value === 'number') return Number.isNaN(value) ? null : value;
  if (typeof value === 'boolean') return value ? 1 : 0;
  if (typeof value === 'string' && value.trim() !== '') {
    const parsed = Number(value);
    return Number.isNaN(parsed) ? null : parsed;
  }
  return null;
}
