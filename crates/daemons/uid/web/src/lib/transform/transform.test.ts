import { describe, expect, it } from 'vitest';
import { makeField, makeFrame, type DataFrame } from '../data/frame';
import { displayName } from '../field/names';
import type { JsonObject } from '../json';
import { applyTransformations, unsupportedTransformations } from './apply';

const run = (frames: readonly DataFrame[], id: string, options: JsonObject = {}): readonly DataFrame[] =>
  applyTransformations(frames, [{ id, disabled: false, options }]);
/** Columns by name. */
const table = (frame: DataFrame | undefined): Record<string, readonly unknown[]> =>
  Object.fromEntries(
    (frame?.fields ?? []).map((field) => [displayName(field, frame ?? makeFrame([]), []), field.values]),
  );

const series = (job: string, values: readonly number[], times: readonly number[] = [1, 2]): DataFrame =>
  makeFrame([makeField('Time', 'time', times), makeField('Value', 'number', values, { labels: { job } })], {
    refId: 'A',
  });

const people = makeFrame([
  makeField('name', 'string', ['bo', 'al', 'al']),
  makeField('age', 'number', [3, 1, 2], { config: { unit: 'd' } }),
]);

describe('organize', () => {
  it('leaves out, orders, renames', () => {
    const [frame] = run([people], 'organize', {
      excludeByName: { Nobody: true },
      indexByName: { age: 0, name: 1 },
      renameByName: { name: 'Who' },
    });
    expect(frame?.fields.map((field) => displayName(field, frame, []))).toEqual(['age', 'Who']);
    expect(table(run([people], 'organize', { excludeByName: { age: true } })[0])).toEqual({ name: ['bo', 'al', 'al'] });
  });
});

describe('merge', () => {
  it('joins rows on the fields all frames share', () => {
    const a = makeFrame([makeField('job', 'string', ['x', 'y']), makeField('Value #A', 'number', [1, 2])]);
    const b = makeFrame([makeField('job', 'string', ['y', 'z']), makeField('Value #B', 'number', [20, 30])]);
    expect(table(run([a, b], 'merge')[0])).toEqual({
      job: ['x', 'y', 'z'],
      'Value #A': [1, 2, null],
      'Value #B': [null, 20, 30],
    });
  });

  it('keeps contradicting rows apart', () => {
    const a = makeFrame([makeField('Time', 'time', [1]), makeField('Value', 'number', [1])]);
    const b = makeFrame([makeField('Time', 'time', [1]), makeField('Value', 'number', [2])]);
    expect(table(run([a, b], 'merge')[0])).toEqual({ Time: [1, 1], Value: [1, 2] });
  });

  it('changes nothing without a common field', () => {
    const other = makeFrame([makeField('other', 'number', [1])]);
    expect(run([people, other], 'merge')).toEqual([people, other]);
  });
});

describe('labelsToFields', () => {
  it('makes columns of the labels of series', () => {
    expect(table(run([series('x', [5, 6])], 'labelsToFields', { mode: 'columns' })[0])).toEqual({
      Time: [1, 2],
      job: ['x', 'x'],
      Value: [5, 6],
    });
  });

  it('makes columns of the labels of log lines', () => {
    const logs = makeFrame([
      makeField('labels', 'other', [{ app: 'a' }, { app: 'b', level: 'warn' }]),
      makeField('Time', 'time', [1, 2]),
      makeField('Line', 'string', ['one', 'two']),
      makeField('tsNs', 'string', ['1000000', '2000000']),
    ]);
    expect(table(run([logs], 'labelsToFields')[0])).toEqual({
      Time: [1, 2],
      app: ['a', 'b'],
      level: [null, 'warn'],
      Line: ['one', 'two'],
    });
  });

  it('makes rows when asked', () => {
    expect(table(run([series('x', [5, 6])], 'labelsToFields', { mode: 'rows' })[0])).toEqual({
      label: ['job'],
      value: ['x'],
    });
  });
});

describe('reduce', () => {
  const frames = [series('x', [1, 3]), series('y', [5, 9])];

  it('makes a row of each series', () => {
    expect(table(run(frames, 'reduce', { reducers: ['max', 'mean', 'lastNotNull', 'sum'] })[0])).toEqual({
      Field: ['x', 'y'],
      Max: [3, 9],
      Mean: [2, 7],
      'Last *': [3, 9],
      Total: [4, 14],
    });
  });

  it('takes the maximum unless told otherwise, and labels on request', () => {
    expect(table(run(frames, 'reduce', { labelsToFields: true })[0])).toEqual({
      Field: ['x', 'y'],
      job: ['x', 'y'],
      Max: [3, 9],
    });
  });

  it('reduces fields in place', () => {
    expect(table(run([people], 'reduce', { mode: 'reduceFields', reducers: ['sum'] })[0])).toMatchObject({ age: [6] });
  });
});

describe('rows and joins', () => {
  it('groups', () => {
    const fields = { name: { operation: 'groupby' }, age: { operation: 'aggregate', aggregations: ['sum'] } };
    expect(table(run([people], 'groupBy', { fields })[0])).toEqual({ name: ['bo', 'al'], 'age (sum)': [3, 3] });
  });

  it('joins by time, outer and inner', () => {
    const frames = [series('x', [1, 2], [10, 20]), series('y', [3, 4], [20, 30])];
    expect(run(frames, 'joinByField')[0]?.fields.map((field) => field.values)).toEqual([
      [10, 20, 30],
      [1, 2, null],
      [null, 3, 4],
    ]);
    expect(run(frames, 'seriesToColumns', { mode: 'inner' })[0]?.fields.map((field) => field.values)).toEqual([
      [20],
      [2],
      [3],
    ]);
  });

  it('lists series as rows, newest first', () => {
    const frames = [series('x', [1, 2], [10, 30]), series('y', [3], [20])];
    expect(table(run(frames, 'seriesToRows')[0])).toEqual({
      Time: [30, 20, 10],
      Metric: ['x', 'y', 'x'],
      Value: [2, 3, 1],
    });
  });

  it('sorts by the first rule only', () => {
    const sort = [{ field: 'age', desc: true }, { field: 'name' }];
    expect(table(run([people], 'sortBy', { sort })[0])).toEqual({ name: ['bo', 'al', 'al'], age: [3, 2, 1] });
  });

  it('limits from either end', () => {
    expect(table(run([people], 'limit', { limitField: 1 })[0])).toEqual({ name: ['bo'], age: [3] });
    expect(table(run([people], 'limit', { limitField: -1 })[0])).toEqual({ name: ['al'], age: [2] });
  });

  it('filters and renames fields', () => {
    expect(table(run([people], 'filterFieldsByName', { include: { names: ['age'] } })[0])).toEqual({ age: [3, 1, 2] });
    expect(table(run([people], 'filterFieldsByName', { exclude: { pattern: '/^a/' } })[0])).toEqual({
      name: ['bo', 'al', 'al'],
    });
    const renamed = run([people], 'renameByRegex', { regex: '^(.).*', renamePattern: '$1!' })[0];
    expect(Object.keys(table(renamed))).toEqual(['n!', 'a!']);
  });
});

describe('applyTransformations', () => {
  it('passes over what it does not know or what is switched off', () => {
    expect(run([people], 'regression')).toEqual([people]);
    const off = { id: 'limit', disabled: true, options: { limitField: 0 } };
    expect(applyTransformations([people], [off])).toEqual([people]);
    expect(unsupportedTransformations([off, { id: 'regression', disabled: false, options: {} }])).toEqual([
      'regression',
    ]);
  });
});
