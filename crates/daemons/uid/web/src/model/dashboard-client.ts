// Dashboards: the list, one of them, the one people land on.

import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { request } from '../api/http';
import { parseSearch, type SearchHit } from '../api/types/search';
import { parseDashboard } from '../dashboard/parse';
import type { Dashboard } from '../dashboard/model';
import { asObject, asString } from '../lib/json';
import { queryKeys } from './query-keys';

export interface LoadedDashboard {
  readonly dashboard: Dashboard;
  readonly folderTitle: string;
  /** the file as the server has it */
  readonly json: unknown;
}

async function fetchDashboard(path: string): Promise<LoadedDashboard> {
  const body = asObject(await request(path));
  return {
    dashboard: parseDashboard(body['dashboard']),
    folderTitle: asString(asObject(body['meta'])['folderTitle']),
    json: body['dashboard'],
  };
}

export function useDashboard(uid: string): ReturnType<typeof useQuery<LoadedDashboard>> {
  return useQuery({
    queryKey: queryKeys.dashboard(uid),
    queryFn: () => fetchDashboard(`api/dashboards/uid/${encodeURIComponent(uid)}`),
    staleTime: 60_000,
  });
}

export function useDashboardSearch(query: string, enabled = true): ReturnType<typeof useQuery<SearchHit[]>> {
  return useQuery({
    queryKey: queryKeys.search(query),
    queryFn: async ({ signal }) =>
      parseSearch(await request(`api/search?type=dash-db&limit=1000&query=${encodeURIComponent(query)}`, { signal })),
    staleTime: 30_000,
    placeholderData: keepPreviousData,
    enabled,
  });
}

/** Where `/` leads: a home dashboard chosen on the server, if there is one. */
export function useHomeRedirect(): ReturnType<typeof useQuery<string>> {
  return useQuery({
    queryKey: queryKeys.homeDashboard,
    queryFn: async () => asString(asObject(await request('api/dashboards/home'))['redirectUri']),
    staleTime: 60_000,
    retry: false,
  });
}
