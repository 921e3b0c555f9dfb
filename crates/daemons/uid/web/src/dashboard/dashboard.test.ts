import { describe, expect, it } from 'vitest';
import { expandRepeats, placePanels, sections } from './layout';
import { ALL_VALUE, type Panel } from './model';
import { parseDashboard, refIdAt } from './parse';
import { panelRange, planQueries, type PlanInput } from './query-plan';
import { interpolate } from './variables/interpolate';
import { resolveVariables, stateLookup, bindState, type ResolveInput } from './variables/resolve';

const dashboard = (panels: readonly unknown[], list: readonly unknown[] = []): ReturnType<typeof parseDashboard> =>
  parseDashboard({ uid: 'u', title: 'T', schemaVersion: 42, panels, templating: { list } });
const HOUR = 3_600_000;

describe('parseDashboard', () => {
  it('fills in what a file leaves out', () => {
    const parsed = dashboard([{}]);
    expect(parsed).toMatchObject({ title: 'T', time: { from: 'now-6h', to: 'now' }, refresh: '', timezone: 'browser' });
    expect(parsed.panels[0]).toMatchObject({ type: 'timeseries', gridPos: { x: 0, y: 0, w: 12, h: 9 }, targets: [] });
  });

  it('reads data sources given as name, object or nothing', () => {
    const { panels } = dashboard([
      { datasource: 'Prometheus' },
      { datasource: { type: 'loki', uid: 'x' } },
      { datasource: null },
    ]);
    expect(panels.map((panel) => panel.datasource)).toEqual([
      { uid: 'Prometheus' },
      { type: 'loki', uid: 'x' },
      undefined,
    ]);
  });

  it('keeps positions on the grid', () => {
    const { panels } = dashboard([{ gridPos: { x: 20, y: -3, w: 99, h: 0 } }]);
    expect(panels[0]?.gridPos).toEqual({ x: 0, y: 0, w: 24, h: 1 });
  });

  it('names queries that have no name', () => {
    expect([0, 25, 26, 701].map(refIdAt)).toEqual(['A', 'Z', 'AA', 'ZZ']);
  });

  it.each([
    null,
    'x',
    [],
    { panels: {} },
    { time: 5, templating: { list: [1, null] }, panels: [{ targets: 'x', gridPos: [] }] },
  ])('survives %o', (json) => {
    expect(() => parseDashboard(json)).not.toThrow();
  });
});

describe('layout', () => {
  const at = (id: number, x: number, y: number, w: number, h: number, rest: object = {}): object => ({
    id,
    gridPos: { x, y, w, h },
    ...rest,
  });
  const places = (panels: readonly Panel[]): unknown[] =>
    panels.map(({ key, gridPos: { x, y, w, h } }) => [key, x, y, w, h]);

  it('folds rows and closes the gap', () => {
    const rows = sections(
      dashboard([
        at(1, 0, 0, 24, 1, { type: 'row' }),
        at(2, 0, 1, 12, 8),
        at(3, 0, 9, 24, 1, { type: 'row' }),
        at(4, 0, 10, 6, 4),
      ]).panels,
    );
    expect(places(placePanels(rows, () => true))).toEqual([
      ['1', 0, 0, 24, 1],
      ['2', 0, 1, 12, 8],
      ['3', 0, 9, 24, 1],
      ['4', 0, 10, 6, 4],
    ]);
    expect(places(placePanels(rows, (row) => row.key === '3'))).toEqual([
      ['1', 0, 0, 24, 1],
      ['3', 0, 1, 24, 1],
      ['4', 0, 2, 6, 4],
    ]);
  });

  it('takes the panels of a folded row from the row', () => {
    const rows = sections(
      dashboard([at(1, 0, 0, 24, 1, { type: 'row', collapsed: true, panels: [at(2, 0, 1, 12, 8)] })]).panels,
    );
    expect(places(placePanels(rows, (row) => !row.collapsed))).toHaveLength(1);
    expect(places(placePanels(rows, () => true))).toEqual([
      ['1', 0, 0, 24, 1],
      ['2', 0, 1, 12, 8],
    ]);
  });

  it('moves panels up into free space and apart where they overlap', () => {
    const rows = sections(
      dashboard([at(1, 0, 0, 12, 4), at(2, 12, 0, 12, 8), at(3, 0, 8, 12, 4), at(4, 6, 9, 6, 4)]).panels,
    );
    expect(places(placePanels(rows, () => true))).toEqual([
      ['1', 0, 0, 12, 4],
      ['2', 12, 0, 12, 8],
      ['3', 0, 4, 12, 4],
      ['4', 6, 8, 6, 4],
    ]);
  });

  it('repeats panels across and down', () => {
    const values = ['a', 'b', 'c'].map((value) => ({ value, text: value }));
    const repeat = (rest: object): unknown[] =>
      places(
        placePanels(
          expandRepeats(
            sections(dashboard([at(1, 0, 0, 12, 4, { repeat: 'v', ...rest }), at(2, 0, 4, 24, 2)]).panels),
            () => values,
          ),
          () => true,
        ),
      );
    expect(repeat({ maxPerRow: 2 })).toEqual([
      ['1', 0, 0, 12, 4],
      ['1-v-b', 12, 0, 12, 4],
      ['1-v-c', 0, 4, 12, 4],
      ['2', 0, 8, 24, 2],
    ]);
    expect(repeat({ repeatDirection: 'v' })).toEqual([
      ['1', 0, 0, 12, 4],
      ['1-v-b', 0, 4, 12, 4],
      ['1-v-c', 0, 8, 12, 4],
      ['2', 0, 12, 24, 2],
    ]);
  });

  it('repeats rows with their panels and values', () => {
    const rows = expandRepeats(
      sections(dashboard([at(1, 0, 0, 24, 1, { type: 'row', repeat: 'v' }), at(2, 0, 1, 12, 4)]).panels),
      () => [
        { value: 'a', text: 'A' },
        { value: 'b', text: 'B' },
      ],
    );
    expect(rows.map((row) => row.panels[0]?.scope.get('v'))).toEqual([
      { value: 'a', text: 'A' },
      { value: 'b', text: 'B' },
    ]);
  });
});

describe('interpolate', () => {
  const lookup =
    (values: readonly string[], isMulti = true) =>
    (name: string) =>
      name === 'n' ? { name, values, texts: values.map((value) => value.toUpperCase()), isMulti } : undefined;

  it.each([
    ['$n', '{a,b}'],
    ['${n}', '{a,b}'],
    ['[[n]]', '{a,b}'],
    ['${n:csv}', 'a,b'],
    ['[[n:pipe]]', 'a|b'],
    ['${n:regex}', '(a|b)'],
    ['${n:json}', '["a","b"]'],
    ['${n:singlequote}', "'a','b'"],
    ['${n:doublequote}', '"a","b"'],
    ['${n:sqlstring}', "'a','b'"],
    ['${n:distributed}', 'a,n=b'],
    ['${n:lucene}', '("a" OR "b")'],
    ['${n:percentencode}', '%7Ba%2Cb%7D'],
    ['${n:queryparam}', 'var-n=a&var-n=b'],
    ['${n:text}', 'A + B'],
    ['${n.text}', 'A + B'],
    ['${n:join:;}', 'a;b'],
    ['${n:customqueryparam:p:x-}', 'p=x-a&p=x-b'],
    ['${n:unheardof}', '{a,b}'],
    ['$other ${other:csv} [[other]]', '$other ${other:csv} [[other]]'],
    ['cost $5 $', 'cost $5 $'],
  ])('%s is %s', (text, expected) => {
    expect(interpolate(text, lookup(['a', 'b']))).toBe(expected);
  });

  it('writes single values bare', () => {
    expect(interpolate('$n ${n:regex} ${n:lucene}', lookup(['a.b'], false))).toBe('a.b a\\.b a.b');
    expect(interpolate('${n:lucene}', lookup([]))).toBe('__empty__');
    expect(interpolate('${n:sqlstring}', lookup(["o'b"]))).toBe("'o''b'");
  });

  it('escapes for query strings', () => {
    expect(interpolate('{a=~"$n"}', lookup(['x.y', 'z']), 'query')).toBe('{a=~"(x\\\\.y|z)"}');
    expect(interpolate('{a=~"$n"}', lookup(['x.y']), 'query')).toBe('{a=~"x\\\\.y"}');
    expect(interpolate('{a="$n"}', lookup(['say "hi"\\'], false), 'query')).toBe('{a="say \\"hi\\"\\\\"}');
  });

  it('writes dates', () => {
    const date = (text: string): string =>
      interpolate(text, (name) => ({ name, values: ['0'], texts: ['0'], isMulti: false }));
    expect([date('${__from}'), date('${__from:date}'), date('${__from:date:seconds}')]).toEqual([
      '0',
      '1970-01-01T00:00:00.000Z',
      '0',
    ]);
  });
});

describe('resolveVariables', () => {
  const input = (list: readonly unknown[], rest: Partial<ResolveInput> = {}): ResolveInput => ({
    variables: dashboard([], list).variables,
    chosen: new Map(),
    range: { from: 0, to: 6 * HOUR },
    dataSources: [
      { uid: 'l', name: 'Loki', type: 'loki', isDefault: false },
      { uid: 'p2', name: 'Prom two', type: 'prometheus', isDefault: false },
      { uid: 'p1', name: 'Prom one', type: 'prometheus', isDefault: true },
    ],
    fetchOptions: () => Promise.resolve([]),
    ...rest,
  });
  const resolve = async (list: readonly unknown[], rest?: Partial<ResolveInput>): Promise<unknown[]> =>
    (await resolveVariables(input(list, rest))).map(({ variable, options, selected }) => [
      variable.name,
      options.map(({ value }) => value),
      selected,
    ]);

  it('splits custom lists', async () => {
    expect(await resolve([{ name: 'c', type: 'custom', query: 'a, b\\,c, Name : value' }])).toEqual([
      ['c', ['a', 'b,c', 'value'], ['a']],
    ]);
  });

  it('lists data sources of a type, the default one first', async () => {
    expect(
      await resolve([{ name: 'ds', type: 'datasource', query: 'prometheus', current: { value: 'Prom two' } }]),
    ).toEqual([['ds', ['p1', 'p2'], ['p2']]]);
    expect(await resolve([{ name: 'ds', type: 'datasource', query: 'prometheus', regex: '/two$/' }])).toEqual([
      ['ds', ['p2'], ['p2']],
    ]);
    expect(
      await resolve([{ name: 'ds', type: 'datasource', query: 'prometheus', current: { value: 'gone' } }]),
    ).toEqual([['ds', ['p1', 'p2'], ['p1']]]);
  });

  it('asks with the values of the variables it depends on', async () => {
    const asked: unknown[] = [];
    const fetchOptions: ResolveInput['fetchOptions'] = (source, query) => {
      asked.push([source, query]);
      return Promise.resolve(['x', 'y'].map((value) => ({ text: value, value })));
    };
    const list = [
      { name: 'pod', query: 'label_values(up{ns="$ns"}, pod)', datasource: { uid: '${ds}' } },
      { name: 'ns', query: 'label_values(ns)' },
      { name: 'ds', type: 'datasource', query: 'prometheus' },
    ];
    expect(await resolve(list, { fetchOptions, chosen: new Map([['ns', ['y']]]) })).toEqual([
      ['pod', ['x', 'y'], ['x']],
      ['ns', ['x', 'y'], ['y']],
      ['ds', ['p1', 'p2'], ['p1']],
    ]);
    expect(asked).toContainEqual(['p1', { kind: 'labelValues', match: 'up{ns="y"}', label: 'pod' }]);
    expect(asked).toContainEqual([undefined, { kind: 'labelValues', match: '', label: 'ns' }]);
  });

  it('does not hang on variables that need each other', async () => {
    const list = [
      { name: 'a', type: 'custom', query: '$b' },
      { name: 'b', type: 'custom', query: '$a' },
    ];
    await expect(resolve(list)).resolves.toHaveLength(2);
  });

  it('filters by regex, with named groups, and sorts', async () => {
    const fetchOptions = (): Promise<{ text: string; value: string }[]> =>
      Promise.resolve(['node-10', 'node-9', 'pod-1'].map((value) => ({ text: value, value })));
    expect(await resolve([{ name: 'a', query: 'x', regex: '/node-(\\d+)/', sort: 3 }], { fetchOptions })).toEqual([
      ['a', ['9', '10'], ['9']],
    ]);
    const [state] = await resolveVariables(
      input([{ name: 'a', query: 'x', regex: '/(?<text>node)-(?<value>.*)/', sort: 8 }], { fetchOptions }),
    );
    expect(state?.options).toEqual([
      { text: 'node', value: '10' },
      { text: 'node', value: '9' },
    ]);
  });

  it('stands for all values, or for what the dashboard says all is', async () => {
    const variable = { name: 'm', type: 'custom', query: 'a,b', multi: true, includeAll: true };
    const chosen = new Map([['m', ['All']]]);
    const [all] = await resolveVariables(input([variable], { chosen }));
    expect(all?.selected).toEqual([ALL_VALUE]);
    expect(all && bindState(all).values).toEqual(['a', 'b']);
    const [given] = await resolveVariables(input([{ ...variable, allValue: '.+' }], { chosen }));
    expect(given && interpolate('{x=~"$m"}', stateLookup([given], { from: 0, to: 1 }), 'query')).toBe('{x=~".+"}');
  });

  it('drops values that are gone and keeps several only where allowed', async () => {
    const chosen = new Map([['m', ['b', 'gone', 'a']]]);
    expect(await resolve([{ name: 'm', type: 'custom', query: 'a,b', multi: true }], { chosen })).toEqual([
      ['m', ['a', 'b'], ['b', 'a']],
    ]);
    expect(await resolve([{ name: 'm', type: 'custom', query: 'a,b' }], { chosen })).toEqual([
      ['m', ['a', 'b'], ['b']],
    ]);
  });

  it('works out automatic intervals', async () => {
    const [state] = await resolveVariables(
      input([
        {
          name: 'i',
          type: 'interval',
          query: '1m,1h',
          auto: true,
          auto_count: 30,
          auto_min: '10s',
          current: { value: '$__auto' },
        },
      ]),
    );
    expect(state && bindState(state).values).toEqual(['10m']);
  });

  it('tells what went wrong', async () => {
    const fetchOptions = (): Promise<never> => Promise.reject(new Error('no such host'));
    const [state] = await resolveVariables(
      input([{ name: 'q', query: 'label_values(x)', current: { value: 'old' } }], { fetchOptions }),
    );
    expect(state).toMatchObject({ error: 'no such host', selected: ['old'] });
  });

  it('knows the built-in ones', () => {
    const lookup = stateLookup([], { from: 0, to: HOUR });
    expect(interpolate('[$__range] $__range_s $__range_ms $__from', lookup, 'query')).toBe('[3600s] 3600 3600000 0');
  });
});

describe('planQueries', () => {
  const plan = (panel: object, rest: Partial<PlanInput> = {}): ReturnType<typeof planQueries> => {
    const [parsed] = dashboard([panel]).panels;
    if (parsed === undefined) throw new Error('no panel');
    return planQueries({
      panel: parsed,
      range: { from: 0, to: 6 * HOUR },
      widthPx: 600,
      lookup: stateLookup([], { from: 0, to: 6 * HOUR }),
      findDataSource: (reference) =>
        reference === 'gone'
          ? undefined
          : {
              uid: reference ?? 'default',
              name: 'x',
              type: reference === 'logs' ? 'loki' : 'prometheus',
              timeInterval: '15s',
            },
      dashboardUid: 'u',
      ...rest,
    });
  };

  it('fills in intervals', () => {
    const { queries, interval } = plan({
      targets: [{ expr: 'rate(x[$__rate_interval]) + $__interval_ms + x[$__interval] + y[$__range]' }],
    });
    expect(queries[0]).toMatchObject({
      refId: 'A',
      intervalMs: 30_000,
      maxDataPoints: 600,
      range: true,
      instant: false,
      expr: 'rate(x[1m0s]) + 30000 + x[30s] + y[21600s]',
    });
    expect(interval).toBe(30_000);
  });

  it('respects the minimum step of target and panel', () => {
    expect(plan({ interval: '5m', targets: [{ expr: 'x' }] }).queries[0]).toMatchObject({ intervalMs: 300_000 });
    expect(
      plan({ interval: '5m', targets: [{ expr: 'x[$__rate_interval]', interval: '1m' }] }).queries[0],
    ).toMatchObject({ intervalMs: 60_000, expr: 'x[4m0s]' });
    expect(plan({ maxDataPoints: 6, targets: [{ expr: 'x' }] }).queries[0]).toMatchObject({
      intervalMs: HOUR,
      maxDataPoints: 6,
    });
  });

  it('asks each target where it wants to be asked', () => {
    const { queries, missing } = plan({
      datasource: { uid: '-- Mixed --' },
      targets: [
        { refId: 'A', expr: 'a', datasource: { uid: 'p' } },
        { refId: 'B', expr: '{b="1"}', datasource: 'logs' },
        { refId: 'C', expr: 'c', hide: true },
        { refId: 'D', expr: 'd', datasource: 'gone' },
        { refId: 'E', expr: ' ' },
      ],
    });
    expect(queries.map(({ refId, datasource }) => [refId, datasource])).toEqual([
      ['A', { uid: 'p', type: 'prometheus' }],
      ['B', { uid: 'logs', type: 'loki' }],
    ]);
    expect(queries[1]).toMatchObject({ queryType: 'range', maxLines: 1000 });
    expect(missing).toEqual(['gone']);
  });

  it('shifts and narrows the range as the panel says', () => {
    expect(panelRange({ timeFrom: '1h', timeShift: '' }, { from: 0, to: 6 * HOUR })).toEqual({
      from: 5 * HOUR,
      to: 6 * HOUR,
    });
    expect(panelRange({ timeFrom: '', timeShift: '1h' }, { from: 2 * HOUR, to: 6 * HOUR })).toEqual({
      from: HOUR,
      to: 5 * HOUR,
    });
  });
});
