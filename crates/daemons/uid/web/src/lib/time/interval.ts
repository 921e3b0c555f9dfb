// How far apart points are: the rounding table, `$__interval` and `$__rate_interval`.

import { parseDuration } from './duration';

/** Upper bound (exclusive) → interval, both in milliseconds. */
const ROUNDING: readonly (readonly [number, number])[] = [
  [10, 1],
  [15, 10],
  [35, 20],
  [75, 50],
  [150, 100],
  [350, 200],
  [750, 500],
  [1_500, 1_000],
  [3_500, 2_000],
  [7_500, 5_000],
  [12_500, 10_000],
  [17_500, 15_000],
  [25_000, 20_000],
  [45_000, 30_000],
  [90_000, 60_000],
  [210_000, 120_000],
  [450_000, 300_000],
  [750_000, 600_000],
  [1_050_000, 900_000],
  [1_500_000, 1_200_000],
  [2_700_000, 1_800_000],
  [5_400_000, 3_600_000],
  [9_000_000, 7_200_000],
  [16_200_000, 10_800_000],
  [32_400_000, 21_600_000],
  [86_400_000, 43_200_000],
  [604_800_000, 86_400_000],
  [1_814_400_000, 604_800_000],
  [3_628_800_000, 2_592_000_000],
];

const YEAR = 31_536_000_000;
const DEFAULT_SCRAPE = 15_000;

/** The nearest pleasant interval. */
export function roundInterval(ms: number): number {
  return ROUNDING.find(([bound]) => ms < bound)?.[1] ?? YEAR;
}

/** `$__interval` in milliseconds, never below `minimum`. */
export function calculateInterval(rangeMs: number, maxDataPoints: number, minimum: number): number {
  return Math.max(roundInterval(rangeMs / Math.max(maxDataPoints, 1)), minimum, 1);
}

/** Panel minimum → data source interval → 15 s. */
export function minimumInterval(panelInterval: string | undefined, sourceInterval: string | undefined): number {
  const panel = panelInterval === undefined ? undefined : parseDuration(panelInterval);
  const source = sourceInterval === undefined ? undefined : parseDuration(sourceInterval);
  return panel ?? source ?? DEFAULT_SCRAPE;
}

/** `$__rate_interval` in milliseconds. */
export function rateInterval(interval: number, scrape: number): number {
  return Math.max(interval + scrape, 4 * scrape);
}
