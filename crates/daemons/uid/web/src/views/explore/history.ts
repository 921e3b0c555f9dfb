// Queries that were run, kept in this browser.

import { asArray, asNumber, asObject, asString, parseJson } from '../../lib/json';

export interface HistoryEntry {
  readonly datasource: string;
  readonly expr: string;
  /** milliseconds */
  readonly at: number;
}

const STORAGE_KEY = 'uid.explore.history';
const MAX_ENTRIES = 100;
const KEEP_MS = 14 * 86_400_000;

export function readHistory(now: number): HistoryEntry[] {
  return asArray(parseJson(localStorage.getItem(STORAGE_KEY) ?? ''))
    .map(asObject)
    .map((entry) => ({
      datasource: asString(entry['datasource']),
      expr: asString(entry['expr']),
      at: asNumber(entry['at']) ?? 0,
    }))
    .filter((entry) => entry.expr !== '' && now - entry.at < KEEP_MS);
}

/** Newest first; the same query again moves to the front. */
export function remember(entry: HistoryEntry): void {
  const others = readHistory(entry.at).filter(
    (item) => item.expr !== entry.expr || item.datasource !== entry.datasource,
  );
  try {
    localStorage.setItem(STORAGE_KEY, JSON.stringify([entry, ...others].slice(0, MAX_ENTRIES)));
  } catch {
    // A full store loses the history, not the query.
  }
}
