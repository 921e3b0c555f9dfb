// Defaults and overrides laid over the fields of a panel's frames.

import type { DataFrame, Field } from '../data/frame';
import { asString, asStrings } from '../json';
import { setProperty, type FieldConfig, type FieldConfigSource, type Matcher } from './config';
import { parsePattern } from './mappings';
import { displayName } from './names';
import { reduceNumber } from './reducers';

/** Frames with every field's final configuration; what the data source itself set is beaten by the panel. */
export function applyFieldConfig(frames: readonly DataFrame[], source: FieldConfigSource): DataFrame[] {
  const withDefaults = frames.map((frame) => ({
    ...frame,
    fields: frame.fields.map((field) => ({ ...field, config: mergeConfig(field.config, source.defaults) })),
  }));
  const overridden =
    source.overrides.length === 0
      ? withDefaults
      : withDefaults.map((frame) => ({
          ...frame,
          fields: frame.fields.map((field) => applyOverrides(field, frame, withDefaults, source)),
        }));
  return overridden;
}

function mergeConfig(own: FieldConfig, defaults: FieldConfig): FieldConfig {
  const custom =
    own.custom === undefined && defaults.custom === undefined ? {} : { custom: { ...own.custom, ...defaults.custom } };
  return { ...own, ...defaults, ...custom };
}

function applyOverrides(
  field: Field,
  frame: DataFrame,
  frames: readonly DataFrame[],
  source: FieldConfigSource,
): Field {
  let config = field.config;
  for (const override of source.overrides) {
    if (!matchesField(override.matcher, field, frame, frames)) continue;
    for (const { id, value } of override.properties) config = setProperty(config, id, value);
  }
  return config === field.config ? field : { ...field, config };
}

/** Does this matcher mean this field? Unknown matchers mean none. */
export function matchesField(matcher: Matcher, field: Field, frame: DataFrame, frames: readonly DataFrame[]): boolean {
  const { id, options } = matcher;
  const name = (): string => displayName(field, frame, frames);
  switch (id) {
    case 'byName':
      return asString(options) === name() || asString(options) === field.name;
    case 'byNames': {
      const list = typeof options === 'object' && options !== null ? (options as Record<string, unknown>) : {};
      const named = asStrings(list['names']).includes(name());
      return list['mode'] === 'exclude' ? !named : named;
    }
    case 'byRegexp':
      return (
        (parsePattern(asString(options))?.test(name()) ?? false) ||
        (parsePattern(asString(options))?.test(field.name) ?? false)
      );
    case 'byFrameRefID':
      return frame.refId === asString(options);
    case 'byType':
      return field.type === options;
    case 'byTypes':
      return asStrings(options).includes(field.type);
    case 'byValue':
      return matchesValue(options, field);
    case 'numeric':
      return field.type === 'number';
    case 'time':
      return field.type === 'time';
    case 'first':
      return frame.fields[0] === field;
    case 'firstTimeField':
      return frame.fields.find((item) => item.type === 'time') === field;
    case 'anyMatch':
    case 'alwaysMatch':
      return true;
    default:
      return false;
  }
}

function matchesValue(options: unknown, field: Field): boolean {
  const rule = typeof options === 'object' && options !== null ? (options as Record<string, unknown>) : {};
  const value = reduceNumber(field.values, asString(rule['reducer'], 'lastNotNull'));
  const limit = typeof rule['value'] === 'number' ? rule['value'] : 0;
  switch (rule['op']) {
    case 'gt':
      return value !== null && value > limit;
    case 'gte':
      return value !== null && value >= limit;
    case 'lt':
      return value !== null && value < limit;
    case 'lte':
      return value !== null && value <= limit;
    case 'eq':
      return value === limit;
    case 'neq':
      return value !== limit;
    default:
      return false;
  }
}
