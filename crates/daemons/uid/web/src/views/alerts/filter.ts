// Which rules the alerts page shows.

import type { Rule, RuleGroup } from '../../api/types/prometheus';

export const STATES = ['firing', 'pending', 'inactive'] as const;
export type RuleState = (typeof STATES)[number];

function matches(rule: Rule, state: RuleState | undefined, words: readonly string[]): boolean {
  if (rule.type !== 'alerting' || (state !== undefined && rule.state !== state)) return false;
  const text = [rule.name, rule.query, ...Object.entries(rule.labels).flat()].join(' ').toLowerCase();
  return words.every((word) => text.includes(word));
}

const RANK: Readonly<Record<string, number>> = { firing: 0, pending: 1, inactive: 2 };

/** Alerting rules only, the loudest first; groups with none left are dropped. */
export function alertingGroups(groups: readonly RuleGroup[], state: RuleState | undefined, query: string): RuleGroup[] {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  const rank = (rule: Rule): number => RANK[rule.state] ?? 3;
  return groups
    .map((group) => ({
      ...group,
      rules: group.rules.filter((rule) => matches(rule, state, words)).sort((a, b) => rank(a) - rank(b)),
    }))
    .filter((group) => group.rules.length > 0)
    .sort((a, b) => Math.min(...a.rules.map(rank)) - Math.min(...b.rules.map(rank)));
}

export function countStates(groups: readonly RuleGroup[]): Record<RuleState, number> {
  const counts: Record<RuleState, number> = { firing: 0, pending: 0, inactive: 0 };
  for (const rule of groups.flatMap((group) => group.rules)) {
    const state = STATES.find((item) => item === rule.state);
    if (rule.type === 'alerting' && state !== undefined) counts[state] += 1;
  }
  return counts;
}
