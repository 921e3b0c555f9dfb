// A dashboard's variables: their values in the address, their options from the data sources.

import { keepPreviousData, useQuery, useQueryClient } from '@tanstack/react-query';
import { useCallback, useMemo } from 'react';
import { useSearchParams } from 'react-router';
import type { DataSource } from '../../api/types/settings';
import type { Dashboard } from '../../dashboard/model';
import { resolveVariables, type VariableState } from '../../dashboard/variables/resolve';
import type { TimeRange } from '../../lib/time/range';
import { fetchVariableOptions } from '../../model/prometheus-client';
import { queryKeys } from '../../model/query-keys';
import { findDataSource } from './data-sources';

export interface Variables {
  /** `undefined` until they have been worked out for the first time */
  readonly states: readonly VariableState[] | undefined;
  readonly choose: (name: string, values: readonly string[]) => void;
}

const OPTIONS_STALE_MS = 60_000;
const REFRESH_ON_TIME = 2;

/** `var-x=a&var-x=b` → x: [a, b] */
export function chosenValues(params: URLSearchParams): Map<string, string[]> {
  const chosen = new Map<string, string[]>();
  for (const [key, value] of params) {
    if (!key.startsWith('var-')) continue;
    const name = key.slice(4);
    chosen.set(name, [...(chosen.get(name) ?? []), value]);
  }
  return chosen;
}

export function useVariables(
  dashboard: Dashboard,
  dataSources: readonly DataSource[] | undefined,
  range: TimeRange,
): Variables {
  const [params, setParams] = useSearchParams();
  const client = useQueryClient();
  const { variables, uid } = dashboard;
  const address = [...params]
    .filter(([key]) => key.startsWith('var-'))
    .map(([key, value]) => `${key}=${value}`)
    .join('&');
  const followsTime = variables.some(
    (variable) => variable.refresh === REFRESH_ON_TIME || variable.type === 'interval',
  );
  const timeKey = followsTime ? range : null;

  const { data } = useQuery({
    queryKey: queryKeys.variables(uid, [address, timeKey, dataSources?.map((source) => source.uid)]),
    queryFn: () =>
      resolveVariables({
        variables,
        chosen: chosenValues(params),
        range,
        dataSources: dataSources ?? [],
        fetchOptions: async (reference, query) => {
          const source = findDataSource(dataSources ?? [], reference);
          if (source === undefined) throw new Error(`data source ${reference ?? ''} not found`);
          return client.fetchQuery({
            queryKey: queryKeys.labels(source.uid, [query, timeKey]),
            queryFn: () => fetchVariableOptions(source, query, range),
            staleTime: OPTIONS_STALE_MS,
          });
        },
      }),
    enabled: variables.length > 0 && dataSources !== undefined,
    placeholderData: keepPreviousData,
    staleTime: Infinity,
  });

  const choose = useCallback(
    (name: string, values: readonly string[]) =>
      setParams((old) => {
        const next = new URLSearchParams(old);
        next.delete(`var-${name}`);
        for (const value of values) next.append(`var-${name}`, value);
        return next;
      }),
    [setParams],
  );
  const states = variables.length === 0 ? NO_STATES : data;
  return useMemo(() => ({ states, choose }), [states, choose]);
}

const NO_STATES: readonly VariableState[] = [];
