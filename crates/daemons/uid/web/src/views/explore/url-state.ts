// Explore in the address, in Grafana's form: `panes={"a":{datasource,queries,range}}`; the older `left=` is read too.

import { asArray, asObject, asString, isObject, parseJson } from '../../lib/json';
import type { RawRange } from '../../lib/time/range';

export interface ExploreState {
  /** uid or name; empty for the default one */
  readonly datasource: string;
  readonly expr: string;
  readonly range: RawRange;
}

export const DEFAULT_RANGE: RawRange = { from: 'now-1h', to: 'now' };

export function exploreParams(state: ExploreState): URLSearchParams {
  const pane = {
    datasource: state.datasource,
    queries: [{ refId: 'A', expr: state.expr, datasource: { uid: state.datasource } }],
    range: state.range,
  };
  return new URLSearchParams({ schemaVersion: '1', panes: JSON.stringify({ a: pane }) });
}

export function exploreUrl(state: ExploreState): string {
  return `/explore?${exploreParams(state).toString()}`;
}

export function parseExplore(params: URLSearchParams): ExploreState {
  const panes = parseJson(params.get('panes') ?? '');
  const [first] = Object.values(asObject(panes));
  const left = parseJson(params.get('left') ?? '');
  // The oldest form is a list: from, to, data source, queries.
  if (Array.isArray(left)) {
    const [from, to, datasource, query] = asArray(left);
    return {
      datasource: asString(datasource),
      expr: asString(asObject(query)['expr']),
      range: { from: asString(from, DEFAULT_RANGE.from), to: asString(to, DEFAULT_RANGE.to) },
    };
  }
  return parsePane(asObject(first ?? left));
}

function parsePane(pane: Record<string, unknown>): ExploreState {
  const query = asObject(asArray(pane['queries'])[0]);
  const range = asObject(pane['range']);
  const source = query['datasource'];
  return {
    datasource: asString(pane['datasource']) || (isObject(source) ? asString(source['uid']) : asString(source)),
    expr: asString(query['expr']),
    range: { from: endText(range['from'], DEFAULT_RANGE.from), to: endText(range['to'], DEFAULT_RANGE.to) },
  };
}

function endText(value: unknown, fallback: string): string {
  return typeof value === 'number' ? String(value) : asString(value, fallback) || fallback;
}
