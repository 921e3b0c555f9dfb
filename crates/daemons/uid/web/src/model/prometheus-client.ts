// What we ask Prometheus and Loki themselves, through the data source proxy.

import { useQuery } from '@tanstack/react-query';
import { request } from '../api/http';
import { parseRules, parseTargets, type RuleGroup, type ScrapeTarget } from '../api/types/prometheus';
import type { DataSource } from '../api/types/settings';
import type { VariableOption } from '../dashboard/model';
import type { VariableQuery } from '../dashboard/variables/query';
import { compileRegex } from '../dashboard/variables/options';
import { formatMetric } from '../lib/field/names';
import { asArray, asNumber, asObject, asStringMap, asStrings } from '../lib/json';
import type { TimeRange } from '../lib/time/range';
import { queryKeys } from './query-keys';

type SourceRef = Pick<DataSource, 'uid' | 'type'>;

function proxied(source: SourceRef, path: string, params: Record<string, string> = {}): string {
  const prefix = source.type === 'loki' ? 'loki/api/v1' : 'api/v1';
  const search = new URLSearchParams(Object.entries(params).filter(([, value]) => value !== ''));
  const query = search.size > 0 ? `?${search.toString()}` : '';
  return `api/datasources/proxy/uid/${encodeURIComponent(source.uid)}/${prefix}/${path}${query}`;
}

/** Prometheus takes seconds, Loki nanoseconds. */
function bounds(source: SourceRef, range: TimeRange): Record<string, string> {
  const isLoki = source.type === 'loki';
  const at = (ms: number): string => (isLoki ? `${Math.round(ms)}000000` : String(ms / 1000));
  return { start: at(range.from), end: at(range.to) };
}

function matching(source: SourceRef, selector: string): Record<string, string> {
  return source.type === 'loki' ? { query: selector } : { 'match[]': selector };
}

async function list(
  source: SourceRef,
  path: string,
  params: Record<string, string>,
  signal?: AbortSignal,
): Promise<string[]> {
  const body = asObject(await request(proxied(source, path, params), signal === undefined ? {} : { signal }));
  return asStrings(body['data']);
}

export function fetchLabelNames(
  source: SourceRef,
  range: TimeRange,
  match = '',
  signal?: AbortSignal,
): Promise<string[]> {
  return list(source, 'labels', { ...bounds(source, range), ...matching(source, match) }, signal);
}

export function fetchLabelValues(
  source: SourceRef,
  label: string,
  range: TimeRange,
  match = '',
  signal?: AbortSignal,
): Promise<string[]> {
  return list(
    source,
    `label/${encodeURIComponent(label)}/values`,
    { ...bounds(source, range), ...matching(source, match) },
    signal,
  );
}

/** The options a variable's query yields. */
export async function fetchVariableOptions(
  source: SourceRef,
  query: VariableQuery,
  range: TimeRange,
): Promise<VariableOption[]> {
  const same = (values: readonly string[]): VariableOption[] => values.map((value) => ({ text: value, value }));
  switch (query.kind) {
    case 'labelNames':
      return same(await fetchLabelNames(source, range, query.match));
    case 'labelValues':
      return same(await fetchLabelValues(source, query.label, range, query.match));
    case 'metrics': {
      const pattern = query.pattern === '' ? undefined : compileRegex(query.pattern);
      const names = await fetchLabelValues(source, '__name__', range);
      return same(names.filter((name) => pattern?.test(name) ?? true));
    }
    case 'queryResult':
      return fetchQueryResult(source, query.expr, range);
    case 'series': {
      const body = asObject(
        await request(proxied(source, 'series', { ...bounds(source, range), 'match[]': query.match })),
      );
      return same(asArray(body['data']).map((labels) => formatMetric(asStringMap(labels))));
    }
  }
}

/** Series with value and time, as `name{labels} value timestamp`, for a regular expression to cut from. */
async function fetchQueryResult(source: SourceRef, expr: string, range: TimeRange): Promise<VariableOption[]> {
  const body = asObject(await request(proxied(source, 'query', { query: expr, time: String(range.to / 1000) })));
  const result = asObject(body['data'])['result'];
  return asArray(result).map((item) => {
    const series = asObject(item);
    const [time, value] = asArray(series['value']);
    const text = `${formatMetric(asStringMap(series['metric']))} ${String(value)} ${String((asNumber(time) ?? 0) * 1000)}`;
    return { text, value: text };
  });
}

export function useRules(source: DataSource): ReturnType<typeof useQuery<RuleGroup[]>> {
  return useQuery(rulesQuery(source));
}

export function rulesQuery(source: SourceRef): {
  queryKey: readonly unknown[];
  queryFn: (context: { signal: AbortSignal }) => Promise<RuleGroup[]>;
  refetchInterval: number;
} {
  return {
    queryKey: queryKeys.rules(source.uid),
    queryFn: async ({ signal }) =>
      parseRules(await request(`api/datasources/proxy/uid/${encodeURIComponent(source.uid)}/api/v1/rules`, { signal })),
    refetchInterval: 30_000,
  };
}

export function useTargets(source: DataSource): ReturnType<typeof useQuery<ScrapeTarget[]>> {
  return useQuery({
    queryKey: queryKeys.targets(source.uid),
    queryFn: async ({ signal }) =>
      parseTargets(await request(proxied(source, 'targets', { state: 'active' }), { signal })),
    refetchInterval: 15_000,
  });
}

/** Names for completion; kept for a while, for they change slowly. */
export function useMetricNames(source: DataSource | undefined, range: TimeRange): readonly string[] {
  const enabled = source !== undefined;
  const { data } = useQuery({
    queryKey: queryKeys.labels(source?.uid ?? '', '__name__'),
    queryFn: ({ signal }) =>
      source === undefined || source.type === 'loki' ? [] : fetchLabelValues(source, '__name__', range, '', signal),
    enabled,
    staleTime: 300_000,
    retry: false,
  });
  return data ?? [];
}

export function useLabelNames(source: DataSource | undefined, range: TimeRange): readonly string[] {
  const { data } = useQuery({
    queryKey: queryKeys.labels(source?.uid ?? '', 'names'),
    queryFn: ({ signal }) => (source === undefined ? [] : fetchLabelNames(source, range, '', signal)),
    enabled: source !== undefined,
    staleTime: 300_000,
    retry: false,
  });
  return data ?? [];
}

export function useLabelValues(source: DataSource | undefined, label: string, range: TimeRange): readonly string[] {
  const { data } = useQuery({
    queryKey: queryKeys.labels(source?.uid ?? '', ['values', label]),
    queryFn: ({ signal }) => (source === undefined ? [] : fetchLabelValues(source, label, range, '', signal)),
    enabled: source !== undefined && label !== '',
    staleTime: 300_000,
    retry: false,
  });
  return data ?? [];
}
