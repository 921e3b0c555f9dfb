import { describe, expect, it } from 'vitest';
import { asArray, asObject, type JsonObject } from '../../lib/json';
import { migrate } from './migrate';

const panelsOf = (json: JsonObject): JsonObject[] => asArray(migrate(json)['panels']).map(asObject);
const only = (panel: JsonObject, schemaVersion = 42): JsonObject =>
  panelsOf({ schemaVersion, panels: [panel] })[0] ?? {};
const defaultsOf = (panel: JsonObject): JsonObject => asObject(asObject(panel['fieldConfig'])['defaults']);

describe('rows', () => {
  it('become grid positions', () => {
    const panels = panelsOf({
      schemaVersion: 14,
      rows: [
        {
          height: '250px',
          panels: [
            { id: 1, span: 8 },
            { id: 2, span: 4 },
            { id: 3, span: 6 },
          ],
        },
        { height: 76, panels: [{ id: 4, span: 12 }] },
      ],
    });
    expect(panels.map((panel) => panel['gridPos'])).toEqual([
      { x: 0, y: 0, w: 16, h: 7 },
      { x: 16, y: 0, w: 8, h: 7 },
      { x: 0, y: 7, w: 12, h: 7 },
      { x: 0, y: 14, w: 24, h: 3 },
    ]);
  });

  it('get headings when one is titled or folded', () => {
    const panels = panelsOf({
      rows: [
        { title: 'Open', showTitle: true, panels: [{ id: 7, span: 12 }] },
        { title: 'Folded', collapse: true, panels: [{ id: 8, span: 12 }] },
      ],
    });
    expect(panels.map((panel) => [panel['type'], panel['title'], asObject(panel['gridPos'])['y']])).toEqual([
      ['row', 'Open', 0],
      [undefined, undefined, 1],
      ['row', 'Folded', 8],
    ]);
    expect(asArray(panels[2]?.['panels'])).toHaveLength(1);
    expect(panels[0]?.['id']).toBe(9);
  });
});

describe('graph', () => {
  const graph: JsonObject = {
    type: 'graph',
    lines: true,
    fill: 2,
    linewidth: 3,
    stack: true,
    nullPointMode: 'connected',
    legend: { show: true, alignAsTable: true, rightSide: true, values: true, avg: true, current: true },
    tooltip: { shared: true, sort: 2 },
    yaxes: [
      { format: 'bytes', min: 0, label: 'size', logBase: 10 },
      { format: 'percent', max: 100 },
    ],
    aliasColors: { errors: '#ff0000' },
    seriesOverrides: [
      { alias: '/cache.*/', yaxis: 2, fill: 0 },
      { alias: 'plain', dashes: true },
    ],
    thresholds: [{ op: 'gt', value: 5, colorMode: 'critical', fill: true, line: true }],
  };

  it('keeps its drawing, axis and legend', () => {
    const panel = only(graph, 16);
    expect(panel['type']).toBe('timeseries');
    expect(defaultsOf(panel)).toMatchObject({
      unit: 'bytes',
      min: 0,
      custom: {
        drawStyle: 'line',
        fillOpacity: 20,
        lineWidth: 3,
        spanNulls: true,
        stacking: { mode: 'normal', group: 'A' },
        axisLabel: 'size',
        scaleDistribution: { type: 'log', log: 10 },
        thresholdsStyle: { mode: 'line+area' },
      },
      thresholds: {
        steps: [
          { value: null, color: 'transparent' },
          { value: 5, color: 'red' },
        ],
      },
    });
    expect(panel['options']).toMatchObject({
      legend: { showLegend: true, displayMode: 'table', placement: 'right', calcs: ['mean', 'lastNotNull'] },
      tooltip: { mode: 'multi', sort: 'desc' },
    });
  });

  it('turns series overrides and colours into overrides', () => {
    expect(asObject(only(graph)['fieldConfig'])['overrides']).toEqual([
      {
        matcher: { id: 'byName', options: 'errors' },
        properties: [{ id: 'color', value: { mode: 'fixed', fixedColor: '#ff0000' } }],
      },
      {
        matcher: { id: 'byRegexp', options: '/cache.*/' },
        properties: [
          { id: 'custom.axisPlacement', value: 'right' },
          { id: 'unit', value: 'percent' },
          { id: 'max', value: 100 },
          { id: 'custom.fillOpacity', value: 0 },
        ],
      },
      {
        matcher: { id: 'byName', options: 'plain' },
        properties: [{ id: 'custom.lineStyle', value: { fill: 'dash', dash: [10, 10] } }],
      },
    ]);
  });

  it.each([
    [{ bars: true }, 'bars'],
    [{ lines: false, points: true }, 'points'],
    [{ lines: false }, 'points'],
    [{}, 'line'],
  ])('draws %o as %s', (flags, style) => {
    expect(asObject(defaultsOf(only({ type: 'graph', ...flags }))['custom'])['drawStyle']).toBe(style);
  });

  it.each([
    ['series', 'bargauge'],
    ['histogram', 'histogram'],
    ['time', 'timeseries'],
  ])('with x axis %s becomes %s', (mode, type) => {
    expect(only({ type: 'graph', xaxis: { mode } })['type']).toBe(type);
  });
});

describe('singlestat', () => {
  it('becomes a stat', () => {
    const panel = only({
      type: 'singlestat',
      valueName: 'current',
      format: 'percent',
      decimals: 1,
      colorBackground: true,
      thresholds: '50,80',
      colors: ['green', 'orange', 'red'],
      sparkline: { show: true },
      valueMaps: [
        { value: 'null', text: 'N/A' },
        { value: '1', text: 'up' },
      ],
    });
    expect(panel['type']).toBe('stat');
    expect(panel['options']).toMatchObject({
      colorMode: 'background',
      graphMode: 'area',
      reduceOptions: { calcs: ['lastNotNull'] },
    });
    expect(defaultsOf(panel)).toMatchObject({
      unit: 'percent',
      decimals: 1,
      thresholds: {
        steps: [
          { value: null, color: 'green' },
          { value: 50, color: 'orange' },
          { value: 80, color: 'red' },
        ],
      },
      mappings: [
        { type: 'special', options: { match: 'null+nan', result: { text: 'N/A' } } },
        { type: 'value', options: { 1: { text: 'up' } } },
      ],
    });
  });

  it('becomes a gauge where it drew one', () => {
    const panel = only({ type: 'singlestat', gauge: { show: true, minValue: 1, maxValue: 9 } });
    expect([panel['type'], defaultsOf(panel)['min'], defaultsOf(panel)['max']]).toEqual(['gauge', 1, 9]);
  });
});

describe('table', () => {
  it('brings its styles along', () => {
    const panel = only({
      type: 'table-old',
      transform: 'timeseries_aggregations',
      columns: [{ value: 'avg' }, { value: 'current' }],
      styles: [
        { pattern: 'Time', type: 'date', dateFormat: 'YYYY' },
        { pattern: '/.*/', unit: 's', colorMode: 'cell', thresholds: ['1', '2'], colors: ['green', 'red', 'blue'] },
      ],
    });
    expect(panel['transformations']).toEqual([
      { id: 'reduce', options: { reducers: ['mean', 'lastNotNull'], includeTimeField: false } },
    ]);
    expect(asObject(panel['fieldConfig'])['overrides']).toMatchObject([
      { matcher: { id: 'byName', options: 'Time' }, properties: [{ id: 'unit', value: 'time: YYYY' }] },
      {
        matcher: { id: 'byRegexp', options: '/.*/' },
        properties: [
          { id: 'unit' },
          { id: 'custom.cellOptions', value: { type: 'color-background' } },
          { id: 'thresholds' },
        ],
      },
    ]);
  });

  it('turns display modes into cell options', () => {
    const panel = only({
      type: 'table',
      fieldConfig: { defaults: { custom: { displayMode: 'lcd-gauge' } }, overrides: [] },
    });
    expect(asObject(defaultsOf(panel)['custom'])['cellOptions']).toEqual({ type: 'gauge', mode: 'lcd' });
  });
});

describe('small steps', () => {
  it('appends a merge to old labelsToFields', () => {
    const transformations = [{ id: 'labelsToFields', options: {} }];
    expect(asArray(only({ type: 'table', transformations }, 30)['transformations'])).toHaveLength(2);
    expect(asArray(only({ type: 'table', transformations }, 31)['transformations'])).toHaveLength(1);
  });

  it('reads hidden legends, old text panels and clones of repeats', () => {
    expect(
      asObject(only({ type: 'timeseries', options: { legend: { displayMode: 'hidden' } } })['options'])['legend'],
    ).toEqual({ displayMode: 'list', showLegend: false });
    expect(only({ type: 'text2', mode: 'html', content: 'x' })).toMatchObject({
      type: 'text',
      options: { mode: 'html', content: 'x' },
    });
    expect(panelsOf({ panels: [{ id: 1 }, { id: 2, repeatPanelId: 1 }] })).toHaveLength(1);
  });

  it('raises variables', () => {
    const list = [
      { name: 'a', type: 'query', refresh: 0 },
      { name: 'b', type: 'constant', hide: 0 },
      { name: 'c', type: 'constant', hide: 2 },
    ];
    expect(asObject(migrate({ templating: { list } })['templating'])['list']).toMatchObject([
      { refresh: 1 },
      { type: 'textbox' },
      { type: 'constant' },
    ]);
  });

  it.each([
    {},
    { panels: 'x' },
    { rows: [null, 3] },
    { panels: [null, [], 'x'] },
    { refresh: false },
    { templating: 7 },
  ])('survives %o', (json) => {
    expect(() => migrate(json)).not.toThrow();
  });
});
