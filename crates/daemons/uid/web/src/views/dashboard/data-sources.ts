import type { DataSource } from '../../api/types/settings';
import { asString } from '../../lib/json';
import type { QueryableDataSource } from '../../dashboard/query-plan';

/** By uid, then by name; without either the default one. */
export function findDataSource(sources: readonly DataSource[], reference: string | undefined): DataSource | undefined {
  if (reference === undefined || reference === '' || reference === 'default') {
    return sources.find((source) => source.isDefault) ?? sources[0];
  }
  return (
    sources.find((source) => source.uid === reference) ??
    sources.find((source) => source.name === reference) ??
    sources.find((source) => source.name.toLowerCase() === reference.toLowerCase())
  );
}

export function asQueryable(source: DataSource | undefined): QueryableDataSource | undefined {
  if (source === undefined) return undefined;
  const interval = asString(source.jsonData['timeInterval']);
  return {
    uid: source.uid,
    name: source.name,
    type: source.type,
    timeInterval: interval === '' ? undefined : interval,
  };
}
