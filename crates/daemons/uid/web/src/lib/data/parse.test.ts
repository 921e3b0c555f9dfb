import { describe, expect, it } from 'vitest';
import { parseQueryResponse } from './parse';

describe('parseQueryResponse', () => {
  it('reads a series with its labels, name and missing numbers', () => {
    const [result] = parseQueryResponse({
      results: {
        A: {
          status: 200,
          frames: [
            {
              schema: {
                refId: 'A',
                fields: [
                  { name: 'Time', type: 'time', config: { interval: 15000 } },
                  { name: 'Value', type: 'number', labels: { job: 'api' }, config: { displayNameFromDS: 'api' } },
                ],
              },
              data: {
                values: [
                  [1, 2, 3],
                  [1, null, null],
                ],
                entities: [null, { NaN: [1], Inf: [2] }],
              },
            },
          ],
        },
      },
    });
    const [time, value] = result?.frames[0]?.fields ?? [];
    expect(time?.config.interval).toBe(15000);
    expect(value?.labels).toEqual({ job: 'api' });
    expect(value?.config.displayNameFromDS).toBe('api');
    expect(value?.values).toEqual([1, NaN, Infinity]);
    expect(result?.frames[0]?.length).toBe(3);
  });

  it('keeps errors beside what did work', () => {
    const results = parseQueryResponse({ results: { A: { error: 'parse error', status: 400 }, B: { frames: [] } } });
    expect(results.map(({ refId, error }) => [refId, error])).toEqual([
      ['A', 'parse error'],
      ['B', undefined],
    ]);
  });

  it('reads what marks log lines', () => {
    const frame = {
      schema: { meta: { preferredVisualisationType: 'logs', notices: [{ text: 'cut' }] }, fields: [] },
      data: { values: [] },
    };
    const [result] = parseQueryResponse({ results: { A: { frames: [frame] } } });
    expect(result?.frames[0]?.meta).toEqual({
      preferredVisualisationType: 'logs',
      notices: [{ severity: 'info', text: 'cut' }],
    });
  });

  it.each([
    null,
    'text',
    [],
    {},
    { results: [] },
    { results: { A: null } },
    { results: { A: { frames: [null, 3, { schema: 4 }] } } },
  ])('survives %o', (body) => {
    expect(() => parseQueryResponse(body)).not.toThrow();
  });
});
