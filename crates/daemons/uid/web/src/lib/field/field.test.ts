import { describe, expect, it } from 'vitest';
import { makeField, makeFrame, type DataFrame, type Labels } from '../data/frame';
import { applyFieldConfig } from './apply';
import { parseFieldConfig, parseFieldConfigSource, setProperty } from './config';
import { displayProcessor, displayText, seriesDisplayColor } from './display';
import { mapValue, parseMappings } from './mappings';
import { displayName, formatLegend, uniqueNames } from './names';
import { continuousColor, readableOn, resolveColor, seriesColor } from './palette';
import { findReducer, reduceValues } from './reducers';
import { absoluteSteps, activeThreshold, parseThresholds } from './thresholds';

const series = (labels: Labels | undefined, name?: string, refId = 'A'): DataFrame =>
  makeFrame(
    [makeField('Time', 'time', [1, 2]), makeField('Value', 'number', [1, 2], labels === undefined ? {} : { labels })],
    { refId, ...(name === undefined ? {} : { name }) },
  );
const context = { theme: 'dark', zone: 'utc', seriesIndex: 0, name: 'x' } as const;

describe('thresholds', () => {
  const steps = [
    { value: null, color: 'green' },
    { value: 80, color: 'yellow' },
    { value: 90, color: 'red' },
  ];
  it.each([
    [-5, 'green'],
    [79.9, 'green'],
    [80, 'yellow'],
    [1e9, 'red'],
  ])('%d is %s', (value, color) => {
    const thresholds = parseThresholds({ mode: 'absolute', steps });
    expect(thresholds && activeThreshold(thresholds, value, 0, 100)?.color).toBe(color);
  });

  it('measures percentages between min and max', () => {
    const thresholds = parseThresholds({ mode: 'percentage', steps });
    expect(thresholds && activeThreshold(thresholds, 17, 0, 20)?.color).toBe('yellow');
    expect(thresholds && absoluteSteps(thresholds, 0, 20).map((step) => step.value)).toEqual([-Infinity, 16, 18]);
  });

  it('stops at the first larger step', () => {
    const unordered = parseThresholds({
      steps: [
        { value: null, color: 'a' },
        { value: 50, color: 'b' },
        { value: 10, color: 'c' },
      ],
    });
    expect(unordered && activeThreshold(unordered, 20, 0, 1)?.color).toBe('a');
  });
});

describe('mappings', () => {
  const mappings =
    parseMappings([
      { type: 'value', options: { 0: { text: 'DOWN', color: 'red' }, 1: { text: 'UP' } } },
      { type: 'range', options: { from: 10, to: 20, result: { text: 'some' } } },
      { type: 'range', options: { from: 100, to: null, result: { text: 'many' } } },
      { type: 'regex', options: { pattern: '/^http-(.*)$/', result: { text: '$1' } } },
      { type: 'special', options: { match: 'null+nan', result: { text: 'none' } } },
      { type: 'special', options: { match: 'true', result: { text: 'yes' } } },
    ]) ?? [];
  it.each([
    [0, 'DOWN'],
    ['1', 'UP'],
    [10, 'some'],
    ['15.5', 'some'],
    [1e6, 'many'],
    ['http-api', 'api'],
    [null, 'none'],
    [NaN, 'none'],
    [true, 'yes'],
    ['true', 'yes'],
    [5, undefined],
    ['other', undefined],
  ])('%o becomes %s', (value, text) => {
    expect(mapValue(mappings, value)?.text).toBe(text);
  });

  it('reads the numeric kinds of old files', () => {
    const old = parseMappings([
      { type: 1, value: '3', text: 'three' },
      { type: 2, from: '5', to: '9', text: 'range' },
    ]);
    expect([3, 7].map((value) => mapValue(old ?? [], value)?.text)).toEqual(['three', 'range']);
  });
});

describe('reducers', () => {
  const values = [5, 3, null, 1, 6, 6];
  it.each([
    ['lastNotNull', 6],
    ['current', 6],
    ['first', 5],
    ['min', 1],
    ['max', 6],
    ['mean', 4.2],
    ['avg', 4.2],
    ['median', 5],
    ['sum', 21],
    ['total', 21],
    ['count', 5],
    ['countAll', 6],
    ['range', 5],
    ['diff', 1],
    ['diffperc', 20],
    ['delta', 9],
    ['step', -2],
    ['changeCount', 3],
    ['distinctCount', 4],
    ['logmin', 1],
    ['allIsZero', false],
    ['allIsNull', false],
    ['p50', 5],
    ['p99', 6],
    ['nonsense', null],
    ['toString', null],
  ])('%s is %o', (id, expected) => {
    expect(reduceValues(values, id)).toEqual(expected);
  });

  it.each([
    ['sum', 0],
    ['count', 0],
    ['allIsZero', false],
    ['max', null],
    ['lastNotNull', null],
  ])('%s of nothing is %o', (id, expected) => {
    expect(reduceValues([], id)).toBe(expected);
  });

  it('takes percentiles without interpolation', () => {
    expect(reduceValues([1, 2, 3, 4], 'p50')).toBe(3);
    expect(reduceValues([1, 2, 3, 4, 10], 'variance')).toBe(10);
  });

  it('names them as headings', () => {
    expect(['lastNotNull', 'sum', 'p95', 'p12'].map((id) => findReducer(id)?.name)).toEqual([
      'Last *',
      'Total',
      '95th %',
      '12th %',
    ]);
  });
});

describe('names', () => {
  it('uses all labels, or the only one', () => {
    const [a, b] = [series({ job: 'x', i: '1' }), series({ job: 'y', i: '2' })];
    expect(displayName(a.fields[1]!, a, [a, b])).toBe('{i="1", job="x"}');
    const [c, d] = [series({ job: 'y' }), series({ job: 'z' })];
    expect(displayName(c.fields[1]!, c, [c, d])).toBe('y');
  });

  it('uses frame names where there is nothing else', () => {
    const named = series(undefined, 'frameA');
    expect(displayName(named.fields[1]!, named, [named])).toBe('frameA');
    expect(displayName(series(undefined).fields[1]!, series(undefined), [])).toBe('Value');
  });

  it('prefers display names, with their variables filled in', () => {
    const frame = series({ job: 'x' });
    const field = {
      ...frame.fields[1]!,
      config: { displayName: '${__field.labels.job} of ${__field.name}', displayNameFromDS: 'ds' },
    };
    expect(displayName(field, frame, [frame])).toBe('x of ds');
    expect(displayName({ ...field, config: { displayNameFromDS: 'ds' } }, frame, [frame])).toBe('ds');
  });

  it('numbers doubles', () => {
    expect(uniqueNames(['cpu', 'mem', 'cpu'])).toEqual(['cpu 1', 'mem', 'cpu 2']);
  });

  it.each([
    ['{{job}} - {{ instance }}', 'api - a:1'],
    ['{{missing}}!', '!'],
    ['', 'up{instance="a:1", job="api"}'],
    ['__auto', 'up{instance="a:1", job="api"}'],
  ])('writes the legend %s', (pattern, expected) => {
    expect(formatLegend(pattern, { __name__: 'up', job: 'api', instance: 'a:1' }, 'up')).toBe(expected);
  });

  it('shortens automatic legends to a single label', () => {
    expect(formatLegend('__auto', { __name__: 'up', job: 'api' }, 'up')).toBe('api');
    expect(formatLegend('__auto', {}, 'sum(up)')).toBe('sum(up)');
  });
});

describe('colours', () => {
  it('resolves names per theme', () => {
    expect(resolveColor('green', 'dark')).toBe('#73BF69');
    expect(resolveColor('green', 'light')).toBe('#56A64B');
    expect(resolveColor('semi-dark-red', 'dark')).toBe('#E02F44');
    expect(resolveColor('#123456', 'dark')).toBe('#123456');
  });

  it('goes round the palette', () => {
    expect(seriesColor(0, 'dark')).toBe('#73BF69');
    expect(seriesColor(56, 'dark')).toBe('#73BF69');
  });

  it('mixes continuous scales', () => {
    expect(continuousColor('continuous-GrYlRd', 0, 'dark')).toBe('rgb(115, 191, 105)');
    expect(continuousColor('continuous-GrYlRd', 1, 'dark')).toBe('rgb(242, 73, 92)');
    expect(continuousColor('thresholds', 0.5, 'dark')).toBeUndefined();
  });

  it('picks readable ink', () => {
    expect(readableOn('#FADE2A')).toBe('#111217');
    expect(readableOn('#C4162A')).toBe('#ffffff');
  });
});

describe('display', () => {
  const field = (config: unknown, values: readonly unknown[] = [1, 50, 95]): ReturnType<typeof makeField> =>
    makeField('Value', 'number', values, { config: parseFieldConfig(config) });

  it('formats, maps and colours', () => {
    const display = displayProcessor(
      field({
        unit: 'percent',
        min: 0,
        max: 100,
        mappings: [{ type: 'value', options: { 0: { text: 'idle', color: 'blue' } } }],
        thresholds: {
          mode: 'absolute',
          steps: [
            { value: null, color: 'green' },
            { value: 90, color: 'red' },
          ],
        },
      }),
      context,
    );
    expect([0, 50, 95].map((value) => displayText(display(value)))).toEqual(['idle', '50%', '95%']);
    expect([0, 50, 95].map((value) => display(value).color)).toEqual(['#5794F2', '#73BF69', '#F2495C']);
    expect(display(50).share).toBe(0.5);
  });

  it('writes moments as moments, whatever unit numbers have', () => {
    const time = (unit: string): string =>
      displayText(displayProcessor(makeField('Time', 'time', [0], { config: { unit } }), context)(0));
    expect(['short', '', 'time:YYYY'].map(time)).toEqual(['1970-01-01 00:00:00', '1970-01-01 00:00:00', '1970']);
  });

  it('shows what stands for no value', () => {
    expect(displayText(displayProcessor(field({ noValue: 'n/a' }), context)(null))).toBe('n/a');
    expect(displayText(displayProcessor(field({}), context)(null))).toBe('');
  });

  it('colours a series by its last value', () => {
    const config = {
      color: { mode: 'thresholds' },
      thresholds: {
        mode: 'absolute',
        steps: [
          { value: null, color: 'green' },
          { value: 90, color: 'red' },
        ],
      },
    };
    expect(seriesDisplayColor(field(config), context, { min: 0, max: 100 })).toBe('#F2495C');
    expect(seriesDisplayColor(field({}), { ...context, seriesIndex: 4 }, { min: 0, max: 1 })).toBe('#F2495C');
    expect(
      seriesDisplayColor(field({ color: { mode: 'fixed', fixedColor: 'blue' } }), context, { min: 0, max: 1 }),
    ).toBe('#5794F2');
  });
});

describe('field configuration', () => {
  it('sets standard and custom properties and leaves unknown ones alone', () => {
    let config = setProperty({}, 'unit', 'bytes');
    config = setProperty(config, 'custom.stacking.mode', 'normal');
    config = setProperty(config, 'constructor', 'x');
    expect(config).toEqual({ unit: 'bytes', custom: { stacking: { mode: 'normal' } } });
  });

  it.each([
    [{ id: 'byName', options: 'x' }, ['bytes', undefined]],
    [{ id: 'byRegexp', options: '/^y$/' }, [undefined, 'bytes']],
    [{ id: 'byRegexp', options: '/(' }, [undefined, undefined]],
    [{ id: 'byFrameRefID', options: 'B' }, [undefined, 'bytes']],
    [{ id: 'byType', options: 'number' }, ['bytes', 'bytes']],
    [{ id: 'unheardOf' }, [undefined, undefined]],
  ])('matches %o', (matcher, units) => {
    const frames = [series({ job: 'x' }, undefined, 'A'), series({ job: 'y' }, undefined, 'B')];
    const source = parseFieldConfigSource({ overrides: [{ matcher, properties: [{ id: 'unit', value: 'bytes' }] }] });
    expect(applyFieldConfig(frames, source).map((frame) => frame.fields[1]?.config.unit)).toEqual(units);
  });

  it('lets later overrides win', () => {
    const override = (value: string): unknown => ({
      matcher: { id: 'byType', options: 'number' },
      properties: [{ id: 'unit', value }],
    });
    const source = parseFieldConfigSource({
      defaults: { unit: 's', min: 0 },
      overrides: [override('ms'), override('ns')],
    });
    expect(applyFieldConfig([series({})], source)[0]?.fields[1]?.config).toMatchObject({ unit: 'ns', min: 0 });
  });
});
