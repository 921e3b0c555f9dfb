// Dashboard JSON → model. Old versions are brought up to date first, by `migrate/`.

import { parseFieldConfigSource } from '../lib/field/config';
import { asArray, asBoolean, asNumber, asObject, asString, asStrings, isObject, type JsonObject } from '../lib/json';
import { migrate } from './migrate/migrate';
import type {
  Dashboard,
  DataSourceRef,
  GridPos,
  Link,
  Panel,
  Target,
  Transformation,
  Variable,
  VariableOption,
  VariableType,
} from './model';

const REFRESH_INTERVALS = ['5s', '10s', '30s', '1m', '5m', '15m', '30m', '1h', '2h', '1d'];
const VARIABLE_TYPES: readonly VariableType[] = ['query', 'custom', 'constant', 'textbox', 'interval', 'datasource'];

export function parseDashboard(raw: unknown): Dashboard {
  const json = migrate(asObject(raw));
  const time = asObject(json['time']);
  const picker = asObject(json['timepicker']);
  const intervals = asStrings(picker['refresh_intervals']);
  return {
    uid: asString(json['uid']),
    title: asString(json['title'], 'Untitled'),
    description: asString(json['description']),
    tags: asStrings(json['tags']),
    time: { from: timeText(time['from'], 'now-6h'), to: timeText(time['to'], 'now') },
    refresh: asString(json['refresh']),
    refreshIntervals: intervals.length > 0 ? intervals : REFRESH_INTERVALS,
    timezone: asString(json['timezone'], 'browser') || 'browser',
    graphTooltip: asNumber(json['graphTooltip']) ?? 0,
    panels: asArray(json['panels']).map((panel, index) => parsePanel(asObject(panel), index)),
    variables: asArray(asObject(json['templating'])['list']).map((item) => parseVariable(asObject(item))),
    links: asArray(json['links']).map(parseLink),
  };
}

function timeText(value: unknown, fallback: string): string {
  if (typeof value === 'number') return String(value);
  return asString(value, fallback) || fallback;
}

function parsePanel(json: JsonObject, index: number): Panel {
  const id = asNumber(json['id']) ?? -1 - index;
  return {
    id,
    key: String(id),
    type: asString(json['type'], 'timeseries'),
    title: asString(json['title']),
    description: asString(json['description']),
    transparent: asBoolean(json['transparent']),
    gridPos: parseGridPos(json['gridPos']),
    datasource: parseDataSourceRef(json['datasource']),
    targets: asArray(json['targets']).map((target, position) => parseTarget(asObject(target), position)),
    options: asObject(json['options']),
    fieldConfig: parseFieldConfigSource(json['fieldConfig']),
    transformations: asArray(json['transformations']).map(parseTransformation),
    links: asArray(json['links']).map(parseLink),
    interval: asString(json['interval']),
    maxDataPoints: asNumber(json['maxDataPoints']),
    timeFrom: asString(json['timeFrom']),
    timeShift: asString(json['timeShift']),
    repeat: asString(json['repeat']),
    repeatDirection: json['repeatDirection'] === 'v' ? 'v' : 'h',
    maxPerRow: asNumber(json['maxPerRow']) ?? 4,
    scope: new Map(),
    collapsed: asBoolean(json['collapsed']),
    panels: asArray(json['panels']).map((panel, position) => parsePanel(asObject(panel), index * 1000 + position)),
  };
}

function parseGridPos(raw: unknown): GridPos {
  const pos = asObject(raw);
  const whole = (key: string, fallback: number, least: number, most: number): number =>
    Math.min(Math.max(Math.round(asNumber(pos[key]) ?? fallback), least), most);
  const w = whole('w', 12, 1, 24);
  return { x: whole('x', 0, 0, 24 - w), y: whole('y', 0, 0, 100_000), w, h: whole('h', 9, 1, 1000) };
}

/** A reference object, a name, or nothing. */
export function parseDataSourceRef(raw: unknown): DataSourceRef | undefined {
  if (typeof raw === 'string') return raw === '' || raw === 'default' ? undefined : { uid: raw };
  if (!isObject(raw)) return undefined;
  const type = asString(raw['type']);
  const uid = asString(raw['uid']);
  if (type === '' && uid === '') return undefined;
  return { ...(type === '' ? {} : { type }), ...(uid === '' ? {} : { uid }) };
}

function parseTarget(json: JsonObject, position: number): Target {
  const instant = asBoolean(json['instant']);
  return {
    refId: asString(json['refId']) || refIdAt(position),
    hide: asBoolean(json['hide']),
    datasource: parseDataSourceRef(json['datasource']),
    expr: asString(json['expr']),
    legendFormat: asString(json['legendFormat']),
    format: asString(json['format'], 'time_series'),
    instant,
    range: asBoolean(json['range'], !instant),
    interval: asString(json['interval']),
    intervalFactor: asNumber(json['intervalFactor']) ?? 1,
    raw: json,
  };
}

/** A, B, … Z, AA, AB … */
export function refIdAt(position: number): string {
  const letter = String.fromCharCode(65 + (position % 26));
  return position < 26 ? letter : refIdAt(Math.floor(position / 26) - 1) + letter;
}

function parseTransformation(raw: unknown): Transformation {
  const json = asObject(raw);
  return { id: asString(json['id']), disabled: asBoolean(json['disabled']), options: asObject(json['options']) };
}

function parseLink(raw: unknown): Link {
  const json = asObject(raw);
  return {
    title: asString(json['title']),
    url: asString(json['url']),
    type: json['type'] === 'dashboards' ? 'dashboards' : 'link',
    tags: asStrings(json['tags']),
    targetBlank: asBoolean(json['targetBlank']),
    includeVars: asBoolean(json['includeVars']),
    keepTime: asBoolean(json['keepTime']),
  };
}

function parseVariable(json: JsonObject): Variable {
  const kind = asString(json['type'], 'query');
  const name = asString(json['name']);
  const query = json['query'];
  const current = asObject(json['current'])['value'];
  return {
    name,
    label: asString(json['label']) || name,
    type: VARIABLE_TYPES.find((type) => type === kind) ?? 'other',
    kind,
    query: isObject(query)
      ? asString(query['query']) || describeQuery(query)
      : asString(query) || asString(json['definition']),
    datasource: parseDataSourceRef(json['datasource']),
    regex: asString(json['regex']),
    sort: asNumber(json['sort']) ?? 0,
    refresh: asNumber(json['refresh']) ?? 0,
    hide: asNumber(json['hide']) ?? 0,
    multi: asBoolean(json['multi']),
    includeAll: asBoolean(json['includeAll']),
    allValue: asString(json['allValue']),
    skipUrlSync: asBoolean(json['skipUrlSync']),
    current: Array.isArray(current)
      ? asStrings(current)
      : current === undefined || current === null
        ? []
        : [String(current)],
    options: asArray(json['options']).flatMap(parseOption),
    auto: asBoolean(json['auto']),
    autoCount: asNumber(json['auto_count']) ?? 30,
    autoMin: asString(json['auto_min'], '10s'),
  };
}

/** Loki's structured form: `{type: 1, label, stream}`. */
function describeQuery(query: JsonObject): string {
  const label = asString(query['label']);
  if (label === '') return query['type'] === 0 ? 'label_names()' : '';
  const selector = asString(query['stream']) || asString(query['metric']);
  return selector === '' ? `label_values(${label})` : `label_values(${selector}, ${label})`;
}

function parseOption(raw: unknown): VariableOption[] {
  const json = asObject(raw);
  const value = json['value'];
  if (typeof value !== 'string') return [];
  return [{ value, text: asString(json['text'], value) }];
}
