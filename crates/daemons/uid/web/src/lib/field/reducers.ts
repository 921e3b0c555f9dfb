// One value out of a column: the reducers of stat panels, legends and the reduce transformation.

import { numeric } from '../data/frame';

type Reduced = number | string | boolean | null | readonly unknown[];

interface Reducer {
  /** as a column heading */
  readonly name: string;
  readonly reduce: (values: readonly unknown[]) => Reduced;
  /** keeps the field's unit */
  readonly keepsUnit: boolean;
}

/** Non-null numbers only, as the calculations see them. */
function numbers(values: readonly unknown[]): number[] {
  const out: number[] = [];
  for (const value of values) {
    const number = numeric(value);
    if (number !== null) out.push(number);
  }
  return out;
}

const onNumbers =
  (calculate: (values: readonly number[]) => number | null) =>
  (values: readonly unknown[]): number | null => {
    const present = numbers(values);
    return present.length === 0 ? null : calculate(present);
  };

const total = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0);
const least = (values: readonly number[]): number => values.reduce((a, b) => Math.min(a, b), Infinity);
const most = (values: readonly number[]): number => values.reduce((a, b) => Math.max(a, b), -Infinity);
const mean = (values: readonly number[]): number => total(values) / values.length;
const first = (values: readonly number[]): number => values[0] ?? 0;
const last = (values: readonly number[]): number => values[values.length - 1] ?? 0;

function variance(values: readonly number[]): number {
  const middle = mean(values);
  return total(values.map((value) => (value - middle) ** 2)) / values.length;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? 0;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? 0) + upper) / 2;
}

function percentile(values: readonly number[], share: number): number | null {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.round((sorted.length - 1) * share)] ?? null;
}

/** What a counter grew by: upward steps only, starting again after a drop. */
function delta(values: readonly number[]): number {
  let sum = 0;
  let previous = first(values);
  for (const value of values.slice(1)) {
    sum += value >= previous ? value - previous : value;
    previous = value;
  }
  return sum;
}

function smallestStep(values: readonly number[]): number | null {
  let smallest: number | null = null;
  for (let index = 1; index < values.length; index += 1) {
    const step = (values[index] ?? 0) - (values[index - 1] ?? 0);
    if (smallest === null || step < smallest) smallest = step;
  }
  return smallest;
}

const isNothing = (value: unknown): boolean => value === null || value === undefined;

function plain(value: unknown): Reduced {
  if (typeof value === 'number' || typeof value === 'string' || typeof value === 'boolean') return value;
  return isNothing(value) ? null : JSON.stringify(value);
}

const REDUCERS: Readonly<Record<string, Reducer>> = {
  lastNotNull: {
    name: 'Last *',
    keepsUnit: true,
    reduce: (values) => plain(values.findLast((value) => !isNothing(value) && !Number.isNaN(value))),
  },
  last: { name: 'Last', keepsUnit: true, reduce: (values) => plain(values[values.length - 1]) },
  firstNotNull: {
    name: 'First *',
    keepsUnit: true,
    reduce: (values) => plain(values.find((value) => !isNothing(value) && !Number.isNaN(value))),
  },
  first: { name: 'First', keepsUnit: true, reduce: (values) => plain(values[0]) },
  min: { name: 'Min', keepsUnit: true, reduce: onNumbers(least) },
  max: { name: 'Max', keepsUnit: true, reduce: onNumbers(most) },
  mean: { name: 'Mean', keepsUnit: true, reduce: onNumbers(mean) },
  median: { name: 'Median', keepsUnit: true, reduce: onNumbers(median) },
  variance: { name: 'Variance', keepsUnit: false, reduce: onNumbers(variance) },
  stdDev: { name: 'StdDev', keepsUnit: true, reduce: onNumbers((values) => Math.sqrt(variance(values))) },
  sum: { name: 'Total', keepsUnit: true, reduce: (values) => total(numbers(values)) },
  count: { name: 'Count', keepsUnit: false, reduce: (values) => values.filter((value) => !isNothing(value)).length },
  countAll: { name: 'Count all', keepsUnit: false, reduce: (values) => values.length },
  range: { name: 'Range', keepsUnit: true, reduce: onNumbers((values) => most(values) - least(values)) },
  delta: { name: 'Delta', keepsUnit: true, reduce: onNumbers(delta) },
  step: { name: 'Step', keepsUnit: true, reduce: onNumbers(smallestStep) },
  diff: { name: 'Difference', keepsUnit: true, reduce: onNumbers((values) => last(values) - first(values)) },
  diffperc: {
    name: 'Difference percent',
    keepsUnit: false,
    reduce: onNumbers((values) =>
      first(values) === 0 ? null : ((last(values) - first(values)) / first(values)) * 100,
    ),
  },
  logmin: {
    name: 'Min (above zero)',
    keepsUnit: true,
    reduce: onNumbers((values) => {
      const positive = values.filter((value) => value > 0);
      return positive.length === 0 ? null : least(positive);
    }),
  },
  allIsZero: {
    name: 'All Zeros',
    keepsUnit: false,
    reduce: (values) => values.length > 0 && values.every((value) => value === 0),
  },
  allIsNull: { name: 'All Nulls', keepsUnit: false, reduce: (values) => values.every(isNothing) },
  changeCount: {
    name: 'Change Count',
    keepsUnit: false,
    reduce: (values) => {
      const present = values.filter((value) => !isNothing(value));
      return present.length === 0 ? null : present.slice(1).filter((value, index) => value !== present[index]).length;
    },
  },
  distinctCount: {
    name: 'Distinct Count',
    keepsUnit: false,
    reduce: (values) => (values.length === 0 ? null : new Set(values.filter((value) => !isNothing(value))).size),
  },
  allValues: { name: 'All values', keepsUnit: false, reduce: (values) => [...values] },
  uniqueValues: { name: 'All unique values', keepsUnit: false, reduce: (values) => [...new Set(values)] },
};

const ALIASES: Readonly<Record<string, string>> = { current: 'lastNotNull', avg: 'mean', total: 'sum' };

function percentileReducer(id: string): Reducer | undefined {
  const match = /^p(\d{1,2})$/.exec(id);
  const rank = Number(match?.[1]);
  if (match === null || rank < 1) return undefined;
  const teens = rank >= 11 && rank <= 13;
  const ending = teens ? 'th' : (['th', 'st', 'nd', 'rd'][rank % 10] ?? 'th');
  return { name: `${rank}${ending} %`, keepsUnit: true, reduce: onNumbers((values) => percentile(values, rank / 100)) };
}

export function findReducer(id: string): Reducer | undefined {
  const name = ALIASES[id] ?? id;
  return Object.hasOwn(REDUCERS, name) ? REDUCERS[name] : percentileReducer(name);
}

/** The reduced value; `null` for an unknown reducer. */
export function reduceValues(values: readonly unknown[], id: string): Reduced {
  return findReducer(id)?.reduce(values) ?? null;
}

/** For calculations whose result is drawn or summed. */
export function reduceNumber(values: readonly unknown[], id: string): number | null {
  const reduced = reduceValues(values, id);
  return typeof reduced === 'number' ? reduced : typeof reduced === 'boolean' ? Number(reduced) : null;
}
