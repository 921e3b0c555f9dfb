// The little query language of Prometheus and Loki variables, and how its answers are fetched.

export type VariableQuery =
  | { readonly kind: 'labelNames'; readonly match: string }
  | { readonly kind: 'labelValues'; readonly match: string; readonly label: string }
  | { readonly kind: 'metrics'; readonly pattern: string }
  | { readonly kind: 'queryResult'; readonly expr: string }
  | { readonly kind: 'series'; readonly match: string };

/** Reads a query after its variables have been filled in. */
export function parseVariableQuery(text: string): VariableQuery {
  const query = text.trim();
  const names = /^label_names\(\s*(.*?)\s*\)\s*$/s.exec(query);
  if (names !== null) return { kind: 'labelNames', match: names[1] ?? '' };
  const values = /^label_values\(\s*(?:(.+),\s*)?([\w.:"-]+)\s*\)\s*$/s.exec(query);
  if (values !== null) {
    return { kind: 'labelValues', match: (values[1] ?? '').trim(), label: (values[2] ?? '').replaceAll('"', '') };
  }
  const metrics = /^metrics\(\s*(.*?)\s*\)\s*$/s.exec(query);
  if (metrics !== null) return { kind: 'metrics', pattern: metrics[1] ?? '' };
  const result = /^query_result\((.+)\)\s*$/s.exec(query);
  if (result !== null) return { kind: 'queryResult', expr: (result[1] ?? '').trim() };
  return { kind: 'series', match: query };
}
