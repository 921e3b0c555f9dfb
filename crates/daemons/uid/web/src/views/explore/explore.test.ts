import { describe, expect, it } from 'vitest';
import { completionContext, rankCompletions } from '../../lib/query/completion';
import type { LogLine } from '../../panels/logs/lines';
import { addFilter } from './add-filter';
import { readHistory, remember } from './history';
import { logHistogram } from './log-histogram';
import { exploreParams, parseExplore } from './url-state';

describe('address', () => {
  it('survives a round trip', () => {
    const state = { datasource: 'p', expr: '{a="1"} |= "x & y"', range: { from: 'now-3h', to: 'now' } };
    expect(parseExplore(new URLSearchParams(exploreParams(state).toString()))).toEqual(state);
  });

  it.each([
    ['left={"datasource":"Loki","queries":[{"expr":"up"}],"range":{"from":"now-2h","to":"now"}}', 'Loki'],
    ['left=["now-2h","now","Loki",{"expr":"up"}]', 'Loki'],
    [
      'panes={"x":{"queries":[{"expr":"up","datasource":{"uid":"Loki"}}],"range":{"from":"now-2h","to":"now"}}}',
      'Loki',
    ],
  ])('reads %s', (query, datasource) => {
    expect(parseExplore(new URLSearchParams(query))).toEqual({
      datasource,
      expr: 'up',
      range: { from: 'now-2h', to: 'now' },
    });
  });

  it.each(['', 'panes=oops', 'panes=[]', 'left=7'])('takes defaults from “%s”', (query) => {
    expect(parseExplore(new URLSearchParams(query))).toEqual({
      datasource: '',
      expr: '',
      range: { from: 'now-1h', to: 'now' },
    });
  });
});

describe('addFilter', () => {
  it.each([
    ['{app="x"} |= "y"', 'pod', '=', 'p1', '{app="x", pod="p1"} |= "y"'],
    ['{}', 'pod', '!=', 'p1', '{pod!="p1"}'],
    ['{app="x"} | json', 'status', '=', '500', '{app="x"} | json | status="500"'],
    ['{app="x"} | json', 'app', '!=', 'x', '{app="x", app!="x"} | json'],
    ['{app="x"}', 'detected_level', '=', 'error', '{app="x"} | detected_level="error"'],
    ['{app="a}b"}', 'q', '=', 'say "hi"\\', '{app="a}b", q="say \\"hi\\"\\\\"}'],
    ['{app="x"}', 'app', '=', 'x', '{app="x"}'],
    ['up', 'a', '=', 'b', 'up'],
  ] as const)('%s with %s %s %s', (expr, label, operator, value, expected) => {
    expect(addFilter(expr, label, operator, value)).toBe(expected);
  });
});

describe('completion', () => {
  const at = (marked: string): unknown => {
    const cursor = marked.indexOf('|');
    const { kind, prefix, label } = completionContext(marked.replace('|', ''), cursor);
    return label === '' ? [kind, prefix] : [kind, prefix, label];
  };
  it.each([
    ['http_re|', ['word', 'http_re']],
    ['sum(rate(http_|', ['word', 'http_']],
    ['up{|', ['labelName', '']],
    ['up{job="a", in|', ['labelName', 'in']],
    ['up{job="a|', ['labelValue', 'a', 'job']],
    ['up{job=~"a|', ['labelValue', 'a', 'job']],
    ['sum by (jo|', ['labelName', 'jo']],
    ['rate(x[5|', ['none', '']],
    ['label_replace(x, "a|', ['none', '']],
    ['|', ['none', '']],
    ['up # comment\nra|', ['word', 'ra']],
  ])('at %s offers %o', (text, expected) => {
    expect(at(text)).toEqual(expected);
  });

  it('prefers beginnings, then short words', () => {
    expect(rankCompletions(['irate', 'rated', 'rate', 'x'], 'rate', 3)).toEqual(['rate', 'rated', 'irate']);
  });
});

describe('history', () => {
  it('keeps one entry a query, newest first, for two weeks', () => {
    remember({ datasource: 'p', expr: 'a', at: 1_000 });
    remember({ datasource: 'p', expr: 'b', at: 2_000 });
    remember({ datasource: 'p', expr: 'a', at: 3_000 });
    expect(readHistory(4_000).map(({ expr, at }) => [expr, at])).toEqual([
      ['a', 3_000],
      ['b', 2_000],
    ]);
    expect(readHistory(15 * 86_400_000)).toEqual([]);
  });

  it('survives rubbish in the store', () => {
    localStorage.setItem('uid.explore.history', '{"not":"a list"');
    expect(readHistory(0)).toEqual([]);
  });
});

describe('logHistogram', () => {
  it('counts lines of each level', () => {
    const line = (time: number, level: LogLine['level']): LogLine => ({
      key: '',
      time,
      nanos: '',
      text: '',
      labels: {},
      level,
    });
    const { frames, interval } = logHistogram(
      [line(0, 'info'), line(500, 'info'), line(59_999, 'error'), line(70_000, 'error')],
      { from: 0, to: 60_000 },
    );
    expect(interval).toBe(1000);
    expect(
      frames.map((frame) => [
        frame.fields[1]?.name,
        frame.fields[1]?.values.reduce<number>((sum, count) => sum + Number(count), 0),
      ]),
    ).toEqual([
      ['error', 1],
      ['info', 2],
    ]);
  });
});
