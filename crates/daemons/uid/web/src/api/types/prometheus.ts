// The parts of the Prometheus HTTP API that pages show: /api/v1/rules and /api/v1/targets.

import { asArray, asNumber, asObject, asString, asStringMap } from '../../lib/json';
import type { Labels } from '../../lib/data/frame';

export interface ActiveAlert {
  readonly labels: Labels;
  readonly annotations: Labels;
  readonly state: string;
  readonly activeAt: string;
  readonly value: string;
}

export interface Rule {
  readonly name: string;
  readonly type: 'alerting' | 'recording';
  /** `firing`, `pending`, `inactive`; empty for recording rules */
  readonly state: string;
  readonly query: string;
  /** seconds */
  readonly duration: number;
  readonly labels: Labels;
  readonly annotations: Labels;
  readonly health: string;
  readonly lastError: string;
  readonly lastEvaluation: string;
  readonly alerts: readonly ActiveAlert[];
}

export interface RuleGroup {
  readonly name: string;
  readonly file: string;
  /** seconds */
  readonly interval: number;
  readonly rules: readonly Rule[];
}

export function parseRules(raw: unknown): RuleGroup[] {
  return asArray(asObject(asObject(raw)['data'])['groups']).map((item) => {
    const group = asObject(item);
    return {
      name: asString(group['name']),
      file: asString(group['file']),
      interval: asNumber(group['interval']) ?? 0,
      rules: asArray(group['rules']).map(parseRule),
    };
  });
}

function parseRule(raw: unknown): Rule {
  const rule = asObject(raw);
  return {
    name: asString(rule['name']),
    type: rule['type'] === 'recording' ? 'recording' : 'alerting',
    state: asString(rule['state']),
    query: asString(rule['query']),
    duration: asNumber(rule['duration']) ?? 0,
    labels: asStringMap(rule['labels']),
    annotations: asStringMap(rule['annotations']),
    health: asString(rule['health'], 'unknown'),
    lastError: asString(rule['lastError']),
    lastEvaluation: asString(rule['lastEvaluation']),
    alerts: asArray(rule['alerts']).map((item) => {
      const alert = asObject(item);
      return {
        labels: asStringMap(alert['labels']),
        annotations: asStringMap(alert['annotations']),
        state: asString(alert['state']),
        activeAt: asString(alert['activeAt']),
        value: asString(alert['value']),
      };
    }),
  };
}

export interface ScrapeTarget {
  readonly pool: string;
  readonly url: string;
  readonly health: string;
  readonly lastError: string;
  readonly lastScrape: string;
  /** seconds */
  readonly lastScrapeDuration: number;
  readonly labels: Labels;
}

export function parseTargets(raw: unknown): ScrapeTarget[] {
  return asArray(asObject(asObject(raw)['data'])['activeTargets']).map((item) => {
    const target = asObject(item);
    return {
      pool: asString(target['scrapePool']) || (asStringMap(target['labels'])['job'] ?? ''),
      url: asString(target['scrapeUrl']),
      health: asString(target['health'], 'unknown'),
      lastError: asString(target['lastError']),
      lastScrape: asString(target['lastScrape']),
      lastScrapeDuration: asNumber(target['lastScrapeDuration']) ?? 0,
      labels: asStringMap(target['labels']),
    };
  });
}
