// Version 28: `singlestat` → `stat`, or `gauge` where it drew one.

import { asArray, asBoolean, asNumber, asObject, asString, type JsonObject } from '../../lib/json';

const REDUCERS: Readonly<Record<string, string>> = {
  avg: 'mean',
  current: 'lastNotNull',
  total: 'sum',
  first: 'firstNotNull',
  min: 'min',
  max: 'max',
  range: 'range',
  delta: 'delta',
  diff: 'diff',
  last_time: 'last',
};

export function migrateSinglestat(panel: JsonObject): JsonObject {
  const type = panel['type'];
  if (type !== 'singlestat' && type !== 'grafana-singlestat-panel') return panel;
  const gauge = asObject(panel['gauge']);
  const isGauge = asBoolean(gauge['show']);
  const colorBackground = asBoolean(panel['colorBackground']);
  const colorValue = asBoolean(panel['colorValue']);
  return {
    ...panel,
    type: isGauge ? 'gauge' : 'stat',
    options: {
      reduceOptions: { calcs: [REDUCERS[asString(panel['valueName'])] ?? 'mean'], fields: '', values: false },
      orientation: 'horizontal',
      ...(isGauge
        ? {
            showThresholdMarkers: asBoolean(gauge['thresholdMarkers'], true),
            showThresholdLabels: asBoolean(gauge['thresholdLabels']),
          }
        : {
            colorMode: colorBackground ? 'background' : colorValue ? 'value' : 'none',
            graphMode: asBoolean(asObject(panel['sparkline'])['show']) ? 'area' : 'none',
            justifyMode: 'auto',
            textMode: panel['valueName'] === 'name' ? 'name' : 'auto',
          }),
    },
    fieldConfig: {
      defaults: {
        unit: unitOf(panel),
        ...(asNumber(panel['decimals']) === undefined ? {} : { decimals: asNumber(panel['decimals']) }),
        ...(isGauge ? { min: asNumber(gauge['minValue']) ?? 0, max: asNumber(gauge['maxValue']) ?? 100 } : {}),
        ...(typeof panel['nullText'] === 'string' ? { noValue: panel['nullText'] } : {}),
        color: { mode: colorBackground || colorValue || isGauge ? 'thresholds' : 'fixed', fixedColor: 'text' },
        thresholds: thresholdsOf(panel),
        mappings: mappingsOf(panel),
      },
      overrides: [],
    },
  };
}

/** A prefix or postfix is kept where no unit is set. */
function unitOf(panel: JsonObject): string {
  const format = asString(panel['format'], 'none');
  if (format !== 'none') return format;
  const [prefix, postfix] = [asString(panel['prefix']), asString(panel['postfix'])];
  return postfix !== '' ? `suffix:${postfix.trim()}` : prefix !== '' ? `prefix:${prefix}` : 'none';
}

/** `"10,20"` and three colours. */
function thresholdsOf(panel: JsonObject): JsonObject {
  const values = asString(panel['thresholds'])
    .split(',')
    .map((text) => asNumber(text))
    .filter((value) => value !== undefined);
  const colors = asArray(panel['colors']);
  return {
    mode: 'absolute',
    steps: [undefined, ...values].map((value, index) => ({
      value: value ?? null,
      color: asString(colors[index], ['green', 'orange', 'red'][index] ?? 'red'),
    })),
  };
}

function mappingsOf(panel: JsonObject): JsonObject[] {
  const ranges = asNumber(panel['mappingType']) === 2;
  if (ranges) {
    return asArray(panel['rangeMaps']).map((item) => {
      const map = asObject(item);
      const bound = (key: string): number | null => asNumber(map[key]) ?? null;
      return {
        type: 'range',
        options: { from: bound('from'), to: bound('to'), result: { text: asString(map['text']) } },
      };
    });
  }
  return asArray(panel['valueMaps']).map((item) => {
    const map = asObject(item);
    const value = String(map['value'] ?? '');
    const result = { text: asString(map['text']) };
    return value === 'null'
      ? { type: 'special', options: { match: 'null+nan', result } }
      : { type: 'value', options: { [value]: result } };
  });
}
