import type { ScrapeTarget } from '../../api/types/prometheus';

export interface TargetPool {
  readonly name: string;
  readonly up: number;
  readonly targets: readonly ScrapeTarget[];
}

/** Targets by scrape pool; pools with trouble first, and in each the targets that are down. */
export function groupTargets(targets: readonly ScrapeTarget[]): TargetPool[] {
  const pools = new Map<string, ScrapeTarget[]>();
  for (const target of targets) pools.set(target.pool, [...(pools.get(target.pool) ?? []), target]);
  const isUp = (target: ScrapeTarget): boolean => target.health === 'up';
  return [...pools]
    .map(([name, members]) => ({
      name,
      up: members.filter(isUp).length,
      targets: members.sort((a, b) => Number(isUp(a)) - Number(isUp(b)) || a.url.localeCompare(b.url)),
    }))
    .sort(
      (a, b) => Number(a.up === a.targets.length) - Number(b.up === b.targets.length) || a.name.localeCompare(b.name),
    );
}
