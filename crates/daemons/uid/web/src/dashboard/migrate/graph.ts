// The old `graph` panel → `timeseries` (or `bargauge`, when its x axis lists series).

import { asArray, asBoolean, asNumber, asObject, asString, type JsonObject } from '../../lib/json';

const CALCS: readonly (readonly [string, string])[] = [
  ['min', 'min'],
  ['max', 'max'],
  ['avg', 'mean'],
  ['current', 'lastNotNull'],
  ['total', 'sum'],
];

interface Property {
  readonly id: string;
  readonly value: unknown;
}

export function migrateGraph(panel: JsonObject): JsonObject {
  if (panel['type'] !== 'graph' && panel['type'] !== 'graphite') return panel;
  const mode = asObject(panel['xaxis'])['mode'];
  return {
    ...panel,
    type: mode === 'series' ? 'bargauge' : mode === 'histogram' ? 'histogram' : 'timeseries',
    options: {
      legend: legendOptions(asObject(panel['legend'])),
      tooltip: tooltipOptions(asObject(panel['tooltip'])),
      ...(mode === 'series' ? { reduceOptions: { calcs: ['lastNotNull'], values: false, fields: '' } } : {}),
    },
    fieldConfig: { defaults: defaults(panel), overrides: overrides(panel) },
  };
}

function legendOptions(legend: JsonObject): JsonObject {
  const calcs = CALCS.filter(([old]) => asBoolean(legend[old])).map(([, name]) => name);
  return {
    showLegend: asBoolean(legend['show'], true),
    displayMode: asBoolean(legend['alignAsTable']) ? 'table' : 'list',
    placement: asBoolean(legend['rightSide']) ? 'right' : 'bottom',
    calcs: asBoolean(legend['values']) ? calcs : [],
    ...(asNumber(legend['sideWidth']) === undefined ? {} : { width: asNumber(legend['sideWidth']) }),
  };
}

function tooltipOptions(tooltip: JsonObject): JsonObject {
  const sort = asNumber(tooltip['sort']);
  return {
    mode: asBoolean(tooltip['shared'], true) ? 'multi' : 'single',
    sort: sort === 1 ? 'asc' : sort === 2 ? 'desc' : 'none',
  };
}

function defaults(panel: JsonObject): JsonObject {
  const left = asObject(asArray(panel['yaxes'])[0]);
  const custom: JsonObject = {
    ...drawing(panel),
    ...axis(left),
    fillOpacity: Math.min((asNumber(panel['fill']) ?? 1) * 10, 100),
    gradientMode: (asNumber(panel['fillGradient']) ?? 0) > 0 ? 'opacity' : 'none',
    lineWidth: asNumber(panel['linewidth']) ?? 1,
    pointSize: 2 + 2 * (asNumber(panel['pointradius']) ?? 2),
    lineInterpolation: asBoolean(panel['steppedLine']) ? 'stepAfter' : 'linear',
    spanNulls: panel['nullPointMode'] === 'connected',
    stacking: {
      mode: asBoolean(panel['stack']) ? (asBoolean(panel['percentage']) ? 'percent' : 'normal') : 'none',
      group: 'A',
    },
  };
  if (asBoolean(panel['dashes'])) {
    custom['lineStyle'] = {
      fill: 'dash',
      dash: [asNumber(panel['dashLength']) ?? 10, asNumber(panel['spaceLength']) ?? 10],
    };
  }
  const thresholds = thresholdSteps(asArray(panel['thresholds']));
  if (thresholds !== undefined) custom['thresholdsStyle'] = { mode: thresholds.style };
  return {
    color: { mode: 'palette-classic' },
    unit: asString(left['format'], 'short'),
    ...(asNumber(left['decimals'] ?? panel['decimals']) === undefined
      ? {}
      : { decimals: asNumber(left['decimals'] ?? panel['decimals']) }),
    ...(asNumber(left['min']) === undefined ? {} : { min: asNumber(left['min']) }),
    ...(asNumber(left['max']) === undefined ? {} : { max: asNumber(left['max']) }),
    ...(thresholds === undefined ? {} : { thresholds: { mode: 'absolute', steps: thresholds.steps } }),
    custom,
  };
}

/** None of lines, bars and points set means points, as the old panel drew them. */
function drawing(panel: JsonObject): JsonObject {
  if (asBoolean(panel['bars'])) return { drawStyle: 'bars', showPoints: 'never' };
  if (asBoolean(panel['lines'], true))
    return { drawStyle: 'line', showPoints: asBoolean(panel['points']) ? 'always' : 'never' };
  return { drawStyle: 'points', showPoints: 'always' };
}

function axis(yaxis: JsonObject): JsonObject {
  const base = asNumber(yaxis['logBase']) ?? 1;
  return {
    axisLabel: asString(yaxis['label']),
    axisPlacement: asBoolean(yaxis['show'], true) ? 'auto' : 'hidden',
    scaleDistribution: base > 1 ? { type: 'log', log: base } : { type: 'linear' },
  };
}

const THRESHOLD_COLORS: Readonly<Record<string, string>> = { critical: 'red', warning: 'orange', ok: 'green' };

function thresholdSteps(thresholds: readonly unknown[]): { steps: JsonObject[]; style: string } | undefined {
  if (thresholds.length === 0) return undefined;
  let fill = false;
  let line = false;
  const parsed = thresholds
    .map((item) => {
      const threshold = asObject(item);
      fill ||= asBoolean(threshold['fill']);
      line ||= asBoolean(threshold['line']);
      const custom = asString(threshold['fillColor']) || asString(threshold['lineColor']);
      return {
        value: asNumber(threshold['value']) ?? 0,
        below: threshold['op'] === 'lt',
        color: THRESHOLD_COLORS[asString(threshold['colorMode'])] ?? (custom || 'red'),
      };
    })
    .sort((a, b) => a.value - b.value);
  const steps: JsonObject[] = [{ value: null, color: 'transparent' }];
  for (const threshold of parsed) {
    if (threshold.below) {
      const before = steps[steps.length - 1];
      if (before !== undefined) before['color'] = threshold.color;
    }
    steps.push({ value: threshold.value, color: threshold.below ? 'transparent' : threshold.color });
  }
  return { steps, style: fill && line ? 'line+area' : fill ? 'area' : line ? 'line' : 'off' };
}

function overrides(panel: JsonObject): JsonObject[] {
  const out: JsonObject[] = [];
  for (const [name, color] of Object.entries(asObject(panel['aliasColors']))) {
    out.push({
      matcher: { id: 'byName', options: name },
      properties: [{ id: 'color', value: { mode: 'fixed', fixedColor: color } }],
    });
  }
  const right = asObject(asArray(panel['yaxes'])[1]);
  for (const item of asArray(panel['seriesOverrides'])) {
    const override = asObject(item);
    const alias = asString(override['alias']);
    if (alias === '') continue;
    const properties = overrideProperties(override, right);
    if (properties.length === 0) continue;
    const pattern = /^([/~@;%#'])(.*)\1[a-z]*$/.exec(alias);
    out.push({
      matcher: {
        id: pattern === null ? 'byName' : 'byRegexp',
        options: pattern === null ? alias : `/${pattern[2] ?? ''}/`,
      },
      properties,
    });
  }
  return out;
}

function overrideProperties(override: JsonObject, right: JsonObject): Property[] {
  const properties: Property[] = [];
  const set = (id: string, value: unknown): void => void properties.push({ id, value });
  for (const [key, value] of Object.entries(override)) {
    switch (key) {
      case 'color':
        set('color', { mode: 'fixed', fixedColor: value });
        break;
      case 'fill':
        set('custom.fillOpacity', Math.min((asNumber(value) ?? 0) * 10, 100));
        break;
      case 'linewidth':
        set('custom.lineWidth', value);
        break;
      case 'pointradius':
        set('custom.pointSize', 2 + 2 * (asNumber(value) ?? 2));
        break;
      case 'points':
        set('custom.showPoints', value === true ? 'always' : 'never');
        break;
      case 'bars':
        if (value === true) set('custom.drawStyle', 'bars');
        break;
      case 'lines':
        if (value === true) set('custom.drawStyle', 'line');
        else set('custom.lineWidth', 0);
        break;
      case 'dashes':
        if (value === true) set('custom.lineStyle', { fill: 'dash', dash: [10, 10] });
        break;
      case 'stack':
        set(
          'custom.stacking',
          value === false ? { mode: 'none', group: 'A' } : { mode: 'normal', group: value === true ? 'A' : value },
        );
        break;
      case 'steppedLine':
        if (value === true) set('custom.lineInterpolation', 'stepAfter');
        break;
      case 'nullPointMode':
        set('custom.spanNulls', value === 'connected');
        break;
      case 'fillBelowTo':
        set('custom.fillBelowTo', value);
        break;
      case 'transform':
        set('custom.transform', value === 'negative-Y' ? 'negative-Y' : 'constant');
        break;
      case 'legend':
        if (value === false) set('custom.hideFrom', { legend: true, tooltip: false, viz: false });
        break;
      case 'hiddenSeries':
        if (value === true) set('custom.hideFrom', { legend: false, tooltip: false, viz: true });
        break;
      case 'yaxis':
        if (asNumber(value) === 2) {
          set('custom.axisPlacement', 'right');
          if (typeof right['format'] === 'string') set('unit', right['format']);
          if (asNumber(right['min']) !== undefined) set('min', right['min']);
          if (asNumber(right['max']) !== undefined) set('max', right['max']);
        }
        break;
      default:
        break;
    }
  }
  return properties;
}
