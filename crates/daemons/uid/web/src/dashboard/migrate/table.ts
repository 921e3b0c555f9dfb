// The old table panel (`table-old`, or `table` with `styles`) → today's, and version 38's cell options.

import { asArray, asNumber, asObject, asString, asStrings, isObject, type JsonObject } from '../../lib/json';

const TRANSFORMS: Readonly<Record<string, string>> = {
  timeseries_to_rows: 'seriesToRows',
  timeseries_to_columns: 'seriesToColumns',
  timeseries_aggregations: 'reduce',
  table: 'merge',
};
const COLUMNS: Readonly<Record<string, string>> = {
  avg: 'mean',
  total: 'sum',
  current: 'lastNotNull',
  min: 'min',
  max: 'max',
  count: 'count',
};
const CELL_TYPES: Readonly<Record<string, JsonObject>> = {
  'color-background': { type: 'color-background', mode: 'gradient' },
  'color-background-solid': { type: 'color-background', mode: 'basic' },
  'gradient-gauge': { type: 'gauge', mode: 'gradient' },
  'lcd-gauge': { type: 'gauge', mode: 'lcd' },
  basic: { type: 'gauge', mode: 'basic' },
};

export function migrateTable(panel: JsonObject): JsonObject {
  const type = panel['type'];
  const isOld = type === 'table-old' || (type === 'table' && Array.isArray(panel['styles']));
  if (isOld) return convert(panel);
  return type === 'table' ? { ...panel, fieldConfig: withCellOptions(asObject(panel['fieldConfig'])) } : panel;
}

function convert(panel: JsonObject): JsonObject {
  const transform = TRANSFORMS[asString(panel['transform'])];
  const reducers = asArray(panel['columns']).map((column) => COLUMNS[asString(asObject(column)['value'])] ?? 'mean');
  const styles = asArray(panel['styles']).map(asObject);
  return {
    ...panel,
    type: 'table',
    options: { showHeader: true },
    transformations:
      transform === undefined
        ? asArray(panel['transformations'])
        : [{ id: transform, options: transform === 'reduce' ? { reducers, includeTimeField: false } : {} }],
    fieldConfig: { defaults: { custom: {} }, overrides: styles.map(styleOverride) },
  };
}

function styleOverride(style: JsonObject): JsonObject {
  const pattern = asString(style['pattern']);
  const properties: { id: string; value: unknown }[] = [];
  if (asString(style['alias']) !== '') properties.push({ id: 'displayName', value: style['alias'] });
  if (typeof style['unit'] === 'string') properties.push({ id: 'unit', value: style['unit'] });
  if (asNumber(style['decimals']) !== undefined)
    properties.push({ id: 'decimals', value: asNumber(style['decimals']) });
  if (style['type'] === 'date')
    properties.push({ id: 'unit', value: `time: ${asString(style['dateFormat'], 'YYYY-MM-DD HH:mm:ss')}` });
  if (style['type'] === 'hidden') properties.push({ id: 'custom.hidden', value: true });
  const mode = style['colorMode'];
  if (mode === 'cell' || mode === 'row')
    properties.push({ id: 'custom.cellOptions', value: { type: 'color-background' } });
  if (mode === 'value') properties.push({ id: 'custom.cellOptions', value: { type: 'color-text' } });
  const thresholds = asStrings(style['thresholds']).map(Number).filter(Number.isFinite);
  if (thresholds.length > 0)
    properties.push({ id: 'thresholds', value: steps(thresholds, asStrings(style['colors'])) });
  const isPattern = /^\/.*\/[a-z]*$/.test(pattern);
  return { matcher: { id: isPattern ? 'byRegexp' : 'byName', options: pattern }, properties };
}

function steps(values: readonly number[], colors: readonly string[]): JsonObject {
  return {
    mode: 'absolute',
    steps: [null, ...values].map((value, index) => ({ value, color: colors[index] ?? 'green' })),
  };
}

/** Version 38: `custom.displayMode` names a kind of cell. */
function withCellOptions(fieldConfig: JsonObject): JsonObject {
  const defaults = asObject(fieldConfig['defaults']);
  const custom = asObject(defaults['custom']);
  return {
    ...fieldConfig,
    defaults:
      typeof custom['displayMode'] === 'string' && !isObject(custom['cellOptions'])
        ? { ...defaults, custom: { ...custom, cellOptions: cellOptions(custom['displayMode']) } }
        : defaults,
    overrides: asArray(fieldConfig['overrides']).map((item) => {
      const override = asObject(item);
      return {
        ...override,
        properties: asArray(override['properties']).map((property) => {
          const { id, value } = asObject(property);
          return id === 'custom.displayMode'
            ? { id: 'custom.cellOptions', value: cellOptions(asString(value)) }
            : property;
        }),
      };
    }),
  };
}

function cellOptions(mode: string): JsonObject {
  return CELL_TYPES[mode] ?? { type: mode };
}
