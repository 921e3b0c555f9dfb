// Series of different frames on one time axis, with gaps where samples are missing.

export interface RawSeries {
  readonly times: readonly unknown[];
  readonly values: readonly unknown[];
  /** milliseconds between samples, as the query asked for */
  readonly interval: number;
  readonly spanNulls: boolean | number;
}

/** `null` breaks the line, `undefined` is passed over. */
export type Column = (number | null | undefined)[];

export interface Aligned {
  readonly times: number[];
  readonly columns: Column[];
}

/** A gap is more than this many intervals wide. */
const GAP_FACTOR = 1.5;

interface Sample {
  readonly time: number;
  readonly value: number | null;
}

function samplesOf({ times, values }: RawSeries): Sample[] {
  const samples: Sample[] = [];
  let ordered = true;
  times.forEach((time, index) => {
    if (typeof time !== 'number') return;
    const value = values[index];
    if (time < (samples[samples.length - 1]?.time ?? -Infinity)) ordered = false;
    samples.push({ time, value: typeof value === 'number' && Number.isFinite(value) ? value : null });
  });
  return ordered ? samples : samples.sort((a, b) => a.time - b.time);
}

/** The distance samples really have, where it is larger than what was asked for. */
function spacing(samples: readonly Sample[], interval: number): number {
  let least = Infinity;
  for (let index = 1; index < samples.length; index += 1) {
    const distance = (samples[index]?.time ?? 0) - (samples[index - 1]?.time ?? 0);
    if (distance > 0 && distance < least) least = distance;
  }
  return Number.isFinite(least) ? Math.max(interval, least) : interval;
}

/** Puts a `null` where samples are missing, unless the gap is one to draw across. */
function withGaps(series: RawSeries): Sample[] {
  const samples = samplesOf(series);
  const { spanNulls } = series;
  const distance = spacing(samples, series.interval);
  const out: Sample[] = [];
  let lastValue: number | undefined;
  let pendingNull: number | undefined;
  for (const { time, value } of samples) {
    if (value === null) {
      pendingNull ??= time;
      continue;
    }
    if (lastValue !== undefined) {
      const width = time - lastValue;
      const isGap = pendingNull !== undefined || width > distance * GAP_FACTOR;
      const isSpanned = spanNulls === true || (typeof spanNulls === 'number' && width <= spanNulls);
      if (isGap && !isSpanned) out.push({ time: pendingNull ?? lastValue + distance, value: null });
    }
    out.push({ time, value });
    lastValue = time;
    pendingNull = undefined;
  }
  return out;
}

export function alignSeries(series: readonly RawSeries[]): Aligned {
  const prepared = series.map(withGaps);
  const moments = new Set<number>();
  for (const samples of prepared) for (const { time } of samples) moments.add(time);
  const times = [...moments].sort((a, b) => a - b);
  const position = new Map(times.map((time, index) => [time, index]));
  const columns = prepared.map((samples): Column => {
    const column: Column = Array<number | null | undefined>(times.length).fill(undefined);
    for (const { time, value } of samples) {
      const index = position.get(time);
      if (index !== undefined) column[index] = value;
    }
    widenGaps(column);
    return column;
  });
  return { times, columns };
}

/** A gap reaches up to the next sample, also over moments that only other series have. */
function widenGaps(column: Column): void {
  let inGap = false;
  column.forEach((value, index) => {
    if (value === null) inGap = true;
    else if (value !== undefined) inGap = false;
    else if (inGap) column[index] = null;
  });
}

export interface StackRule {
  /** series with the same group stand on each other; `undefined` stands alone */
  readonly group: string | undefined;
  readonly percent: boolean;
}

export interface Stacked {
  readonly columns: Column[];
  /** index of the series each one stands on, if any */
  readonly below: (number | undefined)[];
}

/** Adds up the series of each group. A missing sample adds nothing where others of its group have one. */
export function stackSeries(columns: readonly Column[], rules: readonly StackRule[]): Stacked {
  const totals = new Map<string, number[]>();
  rules.forEach(({ group, percent }, index) => {
    if (group === undefined || !percent) return;
    const sum = totals.get(group) ?? [];
    columns[index]?.forEach((value, row) => (sum[row] = (sum[row] ?? 0) + Math.abs(value ?? 0)));
    totals.set(group, sum);
  });
  const running = new Map<string, (number | undefined)[]>();
  const top = new Map<string, number>();
  const below: (number | undefined)[] = [];
  const stacked = columns.map((column, index): Column => {
    const rule = rules[index];
    if (rule?.group === undefined) {
      below.push(undefined);
      return column;
    }
    const { group, percent } = rule;
    const base = running.get(group) ?? [];
    const next = [...base];
    const total = totals.get(group);
    const out = column.map((value, row) => {
      const present = base[row];
      if (value === null || value === undefined) return present ?? value;
      const whole = total?.[row] ?? 0;
      const share = percent ? (whole === 0 ? 0 : value / whole) : value;
      next[row] = (present ?? 0) + share;
      return next[row];
    });
    below.push(top.get(group));
    top.set(group, index);
    running.set(group, next);
    return out;
  });
  return { columns: stacked, below };
}
