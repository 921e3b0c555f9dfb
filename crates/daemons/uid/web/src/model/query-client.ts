// Panel queries: one POST a panel, the old picture kept until the new one is there.

import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { ApiError, request } from '../api/http';
import type { PlannedQuery } from '../dashboard/query-plan';
import { parseQueryResponse, type QueryResult } from '../lib/data/parse';
import type { TimeRange } from '../lib/time/range';
import { queryKeys } from './query-keys';

export interface QueryInput {
  readonly range: TimeRange;
  readonly queries: readonly PlannedQuery[];
}

/** Refused queries come back as results with an error, so that the others can still be drawn. */
export async function runQueries({ range, queries }: QueryInput, signal?: AbortSignal): Promise<QueryResult[]> {
  const body = { from: String(range.from), to: String(range.to), queries };
  const options = { method: 'POST', body, ...(signal === undefined ? {} : { signal }) } as const;
  try {
    return parseQueryResponse(await request('api/ds/query', options));
  } catch (error) {
    // With every query refused the status says so too, and the words are in the results.
    const results = error instanceof ApiError ? parseQueryResponse(error.body) : [];
    if (results.some((result) => result.error !== undefined)) return results;
    throw error;
  }
}

export function useQueries(input: QueryInput, enabled: boolean): ReturnType<typeof useQuery<QueryResult[]>> {
  return useQuery({
    queryKey: queryKeys.panel(input),
    queryFn: ({ signal }) => runQueries(input, signal),
    enabled: enabled && input.queries.length > 0,
    placeholderData: keepPreviousData,
    staleTime: Infinity,
    gcTime: 15_000,
    retry: false,
  });
}
