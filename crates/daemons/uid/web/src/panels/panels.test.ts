import { describe, expect, it } from 'vitest';
import { makeField, makeFrame, type DataFrame } from '../lib/data/frame';
import { commonLabels, dedupLines, levelOf, logLines, prettify } from './logs/lines';
import { divide } from './shared/grid';
import { panelValues, parseReduceOptions } from './shared/values';
import { nextSorting, sortedRows, tableColumns } from './table/columns';
import { alignSeries, stackSeries } from './timeseries/align';
import { toggleSeries } from './timeseries/ChartLegend';
import { tooltipRows } from './timeseries/ChartTooltip';
import { buildChart } from './timeseries/series';

const raw = (
  times: readonly number[],
  values: readonly unknown[],
  spanNulls: boolean | number = false,
): Parameters<typeof alignSeries>[0][number] => ({
  times,
  values,
  interval: 10,
  spanNulls,
});

describe('alignSeries', () => {
  it('puts series on one axis', () => {
    expect(alignSeries([raw([10, 20], [1, 2]), raw([15, 25], [3, 4])])).toEqual({
      times: [10, 15, 20, 25],
      columns: [
        [1, undefined, 2, undefined],
        [undefined, 3, undefined, 4],
      ],
    });
  });

  it('keeps gaps, also over moments of other series', () => {
    const { times, columns } = alignSeries([raw([10, 20, 50], [1, 2, 5]), raw([10, 20, 30, 40, 50], [1, 1, 1, 1, 1])]);
    expect(times).toEqual([10, 20, 30, 40, 50]);
    expect(columns[0]).toEqual([1, 2, null, null, 5]);
  });

  it('draws across gaps when told to, up to a width', () => {
    expect(alignSeries([raw([10, 20, 50], [1, 2, 5], true)]).columns[0]).toEqual([1, 2, 5]);
    expect(alignSeries([raw([10, 20, 50], [1, 2, 5], 40)]).columns[0]).toEqual([1, 2, 5]);
    expect(alignSeries([raw([10, 20, 50], [1, 2, 5], 20)]).columns[0]).toEqual([1, 2, null, 5]);
  });

  it('breaks at nulls and NaN', () => {
    expect(alignSeries([raw([10, 20, 30], [1, null, 3])]).columns[0]).toEqual([1, null, 3]);
    expect(alignSeries([raw([10, 20, 30], [1, NaN, 3], true)]).columns[0]).toEqual([1, 3]);
  });

  it('believes the samples when they are wider apart than asked for', () => {
    expect(alignSeries([raw([0, 60, 120], [1, 2, 3])]).columns[0]).toEqual([1, 2, 3]);
  });
});

describe('stackSeries', () => {
  const columns = [
    [1, 2, null],
    [10, null, 30],
  ];
  it('adds up', () => {
    const rule = { group: 'A', percent: false };
    expect(stackSeries(columns, [rule, rule])).toEqual({
      columns: [
        [1, 2, null],
        [11, 2, 30],
      ],
      below: [undefined, 0],
    });
  });
  it('shares out', () => {
    const rule = { group: 'A', percent: true };
    expect(stackSeries([[1], [3]], [rule, rule]).columns).toEqual([[0.25], [1]]);
  });
  it('leaves others alone', () => {
    const alone = { group: undefined, percent: false };
    expect(stackSeries(columns, [alone, alone])).toEqual({ columns, below: [undefined, undefined] });
  });
});

const frame = (name: string, values: readonly number[]): DataFrame =>
  makeFrame([
    makeField('Time', 'time', [0, 10]),
    makeField('Value', 'number', values, { config: { displayNameFromDS: name, unit: 's' } }),
  ]);

describe('chart', () => {
  const build = (hidden: ReadonlySet<string> = new Set()): ReturnType<typeof buildChart> =>
    buildChart({ frames: [frame('a', [1, 2]), frame('b', [5, 6])], theme: 'dark', zone: 'utc', interval: 10, hidden });

  it('names and colours series', () => {
    expect(build().series.map(({ name, color }) => [name, color])).toEqual([
      ['a', '#73BF69'],
      ['b', '#F2CC0C'],
    ]);
  });

  it('sorts the tooltip by value and can show one series', () => {
    const hover = { index: 0, x: 0, y: 0, nearest: 0 };
    expect(
      tooltipRows(build(), new Set(), hover, { mode: 'multi', sort: 'desc' }).map((row) => row.series.name),
    ).toEqual(['b', 'a']);
    expect(
      tooltipRows(build(), new Set(), hover, { mode: 'single', sort: 'desc' }).map((row) => row.series.name),
    ).toEqual(['a']);
    expect(
      tooltipRows(build(), new Set(['b']), hover, { mode: 'multi', sort: 'asc' }).map((row) => row.series.name),
    ).toEqual(['a']);
  });

  it('shows one series alone, then all again', () => {
    const names = ['a', 'b', 'c'];
    const alone = toggleSeries(new Set(), names, 'b', true);
    expect([...alone]).toEqual(['a', 'c']);
    expect(toggleSeries(alone, names, 'b', true).size).toBe(0);
    expect([...toggleSeries(new Set(), names, 'b', false)]).toEqual(['b']);
    expect(toggleSeries(new Set(['a', 'c']), names, 'b', false).size).toBe(0);
  });
});

describe('panelValues', () => {
  const values = (options: object): string[] =>
    panelValues({
      frames: [frame('a', [1, 2]), frame('b', [5, 60])],
      options: parseReduceOptions({ reduceOptions: options }),
      theme: 'dark',
      zone: 'utc',
    }).map(({ name, value }) => `${name}=${value.text}${value.suffix ?? ''}`);

  it('reduces each series', () => {
    expect(values({ calcs: ['lastNotNull'] })).toEqual(['a=2 s', 'b=1 min']);
    expect(values({ calcs: ['count'] })).toEqual(['a=2', 'b=2']);
  });
  it('shows rows when asked, up to the limit', () => {
    expect(values({ values: true, limit: 1 })).toEqual(['a=1 s', 'b=5 s']);
  });
  it('picks fields by pattern', () => {
    expect(values({ fields: '/^b$/' })).toEqual(['b=1 min']);
    expect(values({ fields: 'a' })).toEqual(['a=2 s']);
  });
});

describe('divide', () => {
  it.each([
    [1, 200, 100, 'auto', { columns: 1, rows: 1 }],
    [4, 800, 80, 'auto', { columns: 4, rows: 1 }],
    [3, 100, 600, 'horizontal', { columns: 1, rows: 3 }],
    [3, 100, 600, 'vertical', { columns: 3, rows: 1 }],
  ])('%d values in %d × %d (%s)', (count, width, height, orientation, cells) => {
    expect(divide(count, width, height, orientation)).toEqual(cells);
  });
});

describe('log lines', () => {
  it.each([
    [{ level: 'warn' }, '', 'warning'],
    [{ detected_level: 'err' }, '', 'error'],
    [{}, 'FATAL: no space', 'critical'],
    [{}, 'level=debug msg=x', 'debug'],
    [{}, 'informative text', 'unknown'],
    [{ level: 'blue' }, 'an error', 'error'],
  ])('with %o and “%s” are %s', (labels, text, level) => {
    expect(levelOf(labels as Record<string, string>, text)).toBe(level);
  });

  const lines = logLines([
    makeFrame([
      makeField('labels', 'other', [
        { app: 'x', pod: '1' },
        { app: 'x', pod: '2' },
      ]),
      makeField('Time', 'time', [1000, 1000]),
      makeField('Line', 'string', ['first', 'second']),
      makeField('tsNs', 'string', ['1000000001', '1000000002']),
    ]),
  ]);

  it('come newest first, by the nanosecond', () => {
    expect(lines.map((line) => line.text)).toEqual(['second', 'first']);
    expect(commonLabels(lines)).toEqual({ app: 'x' });
  });

  it('drop neighbours that say the same', () => {
    const [line] = lines;
    const say = (text: string): NonNullable<typeof line> => ({ ...line!, text });
    const counts = (strategy: 'exact' | 'numbers' | 'signature', ...texts: string[]): number[] =>
      dedupLines(texts.map(say), strategy).map((item) => item.duplicates);
    expect(counts('exact', 'a', 'a', 'b')).toEqual([1, 0]);
    expect(counts('numbers', 'took 5 ms', 'took 17 ms')).toEqual([1]);
    expect(counts('signature', 'one: two', 'three: four', 'five')).toEqual([1, 0]);
  });

  it('spread JSON, and only JSON', () => {
    expect(prettify('{"a":1}')).toBe('{\n  "a": 1\n}');
    expect(prettify('{not json')).toBe('{not json');
  });
});

describe('table', () => {
  const people = makeFrame([
    makeField('name', 'string', ['b10', 'b9', null]),
    makeField('hidden', 'string', ['', '', ''], { config: { custom: { hidden: true } } }),
    makeField('age', 'number', [1, 3, 2]),
  ]);
  const columns = tableColumns(people, 'dark', 'utc');

  it('aligns numbers right and leaves hidden fields out', () => {
    expect(columns.map(({ name, align }) => [name, align])).toEqual([
      ['name', 'left'],
      ['age', 'right'],
    ]);
  });

  it('sorts naturally, nothing last', () => {
    expect(sortedRows(people, columns, { column: 'name', descending: false })).toEqual([1, 0, 2]);
    expect(sortedRows(people, columns, { column: 'age', descending: true })).toEqual([1, 2, 0]);
  });

  it('takes sorting away with the third click', () => {
    const once = nextSorting(undefined, 'a');
    const twice = nextSorting(once, 'a');
    expect([once, twice, nextSorting(twice, 'a')]).toEqual([
      { column: 'a', descending: false },
      { column: 'a', descending: true },
      undefined,
    ]);
  });
});
