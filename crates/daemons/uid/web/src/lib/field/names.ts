// What a field is called on screen.

import type { DataFrame, Field, Labels } from '../data/frame';

/** `{a="1", b="2"}` */
export function formatLabels(labels: Labels): string {
  const pairs = Object.entries(labels)
    .sort(([a], [b]) => a.localeCompare(b))
    .map(([key, value]) => `${key}="${value}"`);
  return `{${pairs.join(', ')}}`;
}

/** The label that every series has and that alone tells them apart, if there is one. */
function singleLabel(frames: readonly DataFrame[]): string | undefined {
  let only: string | undefined;
  for (const frame of frames) {
    for (const field of frame.fields) {
      if (field.labels === undefined) continue;
      const keys = Object.keys(field.labels);
      if (keys.length !== 1 || (only !== undefined && only !== keys[0])) return undefined;
      only = keys[0];
    }
  }
  return only;
}

export function displayName(field: Field, frame: DataFrame, frames: readonly DataFrame[]): string {
  const { config } = field;
  if (config.displayName !== undefined && config.displayName !== '') {
    return config.displayName.includes('$') ? fillName(config.displayName, field, frame) : config.displayName;
  }
  if (config.displayNameFromDS !== undefined && config.displayNameFromDS !== '') return config.displayNameFromDS;
  return rawName(field, frame, frames);
}

function rawName(field: Field, frame: DataFrame, frames: readonly DataFrame[]): string {
  if (field.type === 'time') return field.name;
  const parts: string[] = [];
  const framesDiffer = new Set(frames.map((item) => item.name)).size > 1;
  if (framesDiffer && frame.name !== undefined) parts.push(frame.name);
  if (field.name !== '' && field.name !== 'Value') parts.push(field.name);
  const labels = field.labels;
  if (labels !== undefined && Object.keys(labels).length > 0) {
    const single = singleLabel(frames);
    parts.push(single === undefined ? formatLabels(labels) : (labels[single] ?? ''));
  }
  if (parts.length > 0) return [...new Set(parts)].join(' ');
  return frame.name ?? (field.name === '' ? 'Value' : field.name);
}

/** `${__field.name}`, `${__field.labels.x}`, `${__series.name}` in a display name. */
function fillName(text: string, field: Field, frame: DataFrame): string {
  return text
    .replace(
      /\$\{__field\.labels(?:\.(\w+)|\["([^"]+)"\])\}/g,
      (_all, dotted?: string, quoted?: string) => field.labels?.[dotted ?? quoted ?? ''] ?? '',
    )
    .replace(/\$\{__field\.labels\}/g, () => formatLabels(field.labels ?? {}))
    .replace(/\$\{__field\.(?:name|displayName)\}/g, () => field.config.displayNameFromDS ?? field.name)
    .replace(/\$\{__series\.name\}/g, () => field.config.displayNameFromDS ?? frame.name ?? field.name);
}

/** Names side by side: the second “cpu” becomes “cpu 1”. */
export function uniqueNames(names: readonly string[]): string[] {
  const totals = new Map<string, number>();
  for (const name of names) totals.set(name, (totals.get(name) ?? 0) + 1);
  const seen = new Map<string, number>();
  return names.map((name) => {
    if ((totals.get(name) ?? 0) < 2) return name;
    const count = (seen.get(name) ?? 0) + 1;
    seen.set(name, count);
    return `${name} ${count}`;
  });
}

/** A series' legend: `{{label}}` patterns, `__auto`, or the whole selector when empty. */
export function formatLegend(pattern: string, labels: Labels, query: string): string {
  if (pattern === '__auto') return autoLegend(labels, query);
  if (pattern === '') return formatMetric(labels) || query;
  return pattern.replace(/\{\{\s*(.+?)\s*\}\}/g, (_all, name: string) => labels[name] ?? '');
}

function autoLegend(labels: Labels, query: string): string {
  const keys = Object.keys(labels).filter((key) => key !== '__name__');
  if (keys.length === 1) return labels[keys[0] ?? ''] ?? '';
  return formatMetric(labels) || query;
}

/** `name{a="1"}` */
export function formatMetric(labels: Labels): string {
  const { __name__: name = '', ...rest } = labels;
  return Object.keys(rest).length > 0 ? `${name}${formatLabels(rest)}` : name;
}
