// The list of dashboards, narrowed and put into folders.

import type { SearchHit } from '../../api/types/search';

export interface Folder {
  readonly title: string;
  readonly hits: readonly SearchHit[];
}

const GENERAL = 'General';

/** Every word must occur in the title, every chosen tag on the dashboard. */
export function filterHits(hits: readonly SearchHit[], query: string, tags: readonly string[]): SearchHit[] {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  return hits.filter((hit) => {
    const title = hit.title.toLowerCase();
    return words.every((word) => title.includes(word)) && tags.every((tag) => hit.tags.includes(tag));
  });
}

/** Folders by name, those without one first. */
export function groupByFolder(hits: readonly SearchHit[]): Folder[] {
  const folders = new Map<string, SearchHit[]>();
  for (const hit of hits) {
    const title = hit.folderTitle === '' ? GENERAL : hit.folderTitle;
    folders.set(title, [...(folders.get(title) ?? []), hit]);
  }
  return [...folders]
    .sort(([a], [b]) => Number(b === GENERAL) - Number(a === GENERAL) || a.localeCompare(b))
    .map(([title, items]) => ({ title, hits: items.sort((a, b) => a.title.localeCompare(b.title)) }));
}

/** Most used first. */
export function tagCounts(hits: readonly SearchHit[]): (readonly [string, number])[] {
  const counts = new Map<string, number>();
  for (const tag of hits.flatMap((hit) => hit.tags)) counts.set(tag, (counts.get(tag) ?? 0) + 1);
  return [...counts].sort(([a, x], [b, y]) => y - x || a.localeCompare(b));
}
