// From a panel to the request that fills it.

import { formatGoDuration, parseDuration, formatDuration } from '../lib/time/duration';
import { calculateInterval, minimumInterval, rateInterval, roundInterval } from '../lib/time/interval';
import type { TimeRange } from '../lib/time/range';
import type { JsonObject } from '../lib/json';
import type { DataSourceRef, Panel, Target } from './model';
import { interpolate, single, type Lookup } from './variables/interpolate';

export interface QueryableDataSource {
  readonly uid: string;
  readonly name: string;
  readonly type: string;
  /** `jsonData.timeInterval` */
  readonly timeInterval: string | undefined;
}

/** Finds by uid or name; `undefined` asks for the default one. */
export type FindDataSource = (uidOrName: string | undefined) => QueryableDataSource | undefined;

export interface PlannedQuery extends JsonObject {
  readonly refId: string;
  readonly expr: string;
}

export interface QueryPlan {
  readonly range: TimeRange;
  readonly queries: readonly PlannedQuery[];
  /** milliseconds between points, as far as we can tell */
  readonly interval: number;
  /** names of data sources the panel asks for and that do not exist */
  readonly missing: readonly string[];
}

const MAX_POINTS_PER_SERIES = 11_000;
const DEFAULT_MAX_LINES = 1_000;

export interface PlanInput {
  readonly panel: Panel;
  readonly range: TimeRange;
  readonly widthPx: number;
  readonly lookup: Lookup;
  readonly findDataSource: FindDataSource;
  readonly dashboardUid: string;
}

export function planQueries(input: PlanInput): QueryPlan {
  const { panel, lookup, findDataSource } = input;
  const range = panelRange(panel, input.range);
  const maxDataPoints = panel.maxDataPoints ?? Math.max(Math.round(input.widthPx), 100);
  const queries: PlannedQuery[] = [];
  const missing = new Set<string>();
  let shortest = Infinity;
  for (const target of panel.targets) {
    if (target.hide) continue;
    const reference = sourceReference(target.datasource, panel.datasource, lookup);
    const source = findDataSource(reference);
    if (source === undefined) {
      missing.add(reference ?? 'default');
      continue;
    }
    if (target.expr.trim() === '') continue;
    const minimum = minimumInterval(
      orUndefined(interpolate(target.interval === '$__rate_interval' ? '' : target.interval, lookup)) ??
        orUndefined(interpolate(panel.interval, lookup)),
      source.timeInterval,
    );
    const interval = calculateInterval(range.to - range.from, maxDataPoints, minimum);
    shortest = Math.min(shortest, interval * target.intervalFactor);
    queries.push(planTarget(target, source, interval, minimum, maxDataPoints, range, input));
  }
  return { range, queries, interval: Number.isFinite(shortest) ? shortest : 15_000, missing: [...missing] };
}

function orUndefined(text: string): string | undefined {
  return text === '' ? undefined : text;
}

/** A target's own source, else the panel's; “mixed” panels leave it to the targets. */
function sourceReference(
  target: DataSourceRef | undefined,
  panel: DataSourceRef | undefined,
  lookup: Lookup,
): string | undefined {
  const uid = target?.uid ?? (panel?.uid === '-- Mixed --' ? undefined : panel?.uid);
  return uid === undefined ? undefined : interpolate(uid, lookup);
}

/** `timeFrom` and `timeShift` of the panel laid over the dashboard's range. */
export function panelRange(panel: Pick<Panel, 'timeFrom' | 'timeShift'>, range: TimeRange): TimeRange {
  const width = parseDuration(panel.timeFrom.replace(/^now-/, ''));
  const shift = parseDuration(panel.timeShift) ?? 0;
  const from = width === undefined ? range.from : range.to - width;
  return { from: from - shift, to: range.to - shift };
}

/** `$__interval` and its kin for one query, before the panel's own variables. */
export function intervalLookup(interval: number, scrape: number, lookup: Lookup): Lookup {
  const rate = rateInterval(interval, scrape);
  const values: Readonly<Record<string, string>> = {
    __interval: formatDuration(interval),
    __interval_ms: String(interval),
    __rate_interval: formatGoDuration(rate),
    __rate_interval_ms: String(rate),
    __auto: formatDuration(interval),
  };
  return (name) => {
    const value = values[name];
    return value === undefined ? lookup(name) : single(name, value);
  };
}

function planTarget(
  target: Target,
  source: QueryableDataSource,
  interval: number,
  scrape: number,
  maxDataPoints: number,
  range: TimeRange,
  { lookup, panel, dashboardUid }: PlanInput,
): PlannedQuery {
  const safe = roundInterval((range.to - range.from) / MAX_POINTS_PER_SERIES);
  const step = Math.max(interval, safe);
  const inner = intervalLookup(step, scrape, lookup);
  const isLoki = source.type === 'loki';
  const queryType = isLoki ? { queryType: target.instant ? 'instant' : 'range', maxLines: maxLines(target.raw) } : {};
  return {
    ...target.raw,
    ...queryType,
    refId: target.refId,
    datasource: { uid: source.uid, type: source.type },
    expr: interpolate(target.expr, inner, 'query'),
    legendFormat: interpolate(target.legendFormat, lookup),
    interval: interpolate(target.interval || panel.interval, inner),
    format: target.format,
    instant: target.instant,
    range: target.range || !target.instant,
    intervalMs: step,
    maxDataPoints,
    ...(dashboardUid === '' ? {} : { dashboardUID: dashboardUid, panelId: panel.id }),
  };
}

function maxLines(raw: JsonObject): number {
  return typeof raw['maxLines'] === 'number' ? raw['maxLines'] : DEFAULT_MAX_LINES;
}
