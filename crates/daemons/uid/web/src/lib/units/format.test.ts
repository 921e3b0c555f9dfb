import { describe, expect, it } from 'vitest';
import { UNIT_CATEGORIES } from './catalog';
import { decimalsFor, toFixed } from './fixed';
import { formatWithUnit } from './format';
import golden from './golden.json';

const ids = Object.values(UNIT_CATEGORIES).flatMap((units) => Object.keys(units));

describe('catalog', () => {
  it('has 273 units, each id once', () => {
    expect(ids).toHaveLength(273);
    expect(new Set(ids).size).toBe(273);
  });
});

describe('formatWithUnit', () => {
  it.each(Object.entries(golden.texts))('writes %s as dashboards expect it', (unit, texts) => {
    expect(golden.values.map((value) => formatWithUnit(unit, value))).toEqual(texts);
  });

  it('covers every unit but dates in the golden file', () => {
    expect(Object.keys(golden.texts).sort()).toEqual(ids.filter((id) => !id.startsWith('dateTime')).sort());
  });

  it.each([
    ['bytes', 123456789, 2, '117.74 MiB'],
    ['decbytes', 1.5e9, undefined, '1.50 GB'],
    ['bytes', 0, undefined, '0 B'],
    ['percentunit', 0.12345, undefined, '12.3%'],
    ['percent', 12.345, 2, '12.35%'],
    ['s', 0.0000123, undefined, '12.3 µs'],
    ['s', 90, undefined, '1.50 mins'],
    ['s', 86400, undefined, '1 day'],
    ['s', 0, 2, '0 s'],
    ['ms', 7.2e6, undefined, '2 hours'],
    ['reqps', 3.14159, undefined, '3.14 req/s'],
    ['short', -1500, undefined, '-1.50 K'],
    ['currencyUSD', -12.5, undefined, '-$12.5'],
    ['currencySEK', 1234, undefined, '1.23Kkr'],
    ['dtdurations', 3725, 2, '1 hour, 2 minutes, 5 seconds'],
    ['dthms', 3725, undefined, '01:02:05'],
    ['dtdhms', 100000, undefined, '1 d 03:46:40'],
    ['clocks', 100000, 0, '27h'],
    ['bool_yes_no', 0, undefined, 'No'],
    ['none', Infinity, undefined, '∞'],
    ['none', NaN, undefined, 'NaN'],
  ])('%s of %d with %s decimals is %s', (unit, value, decimals, text) => {
    expect(formatWithUnit(unit, value, { decimals })).toBe(text);
  });

  it.each([
    ['prefix:~', 3, '~3'],
    ['suffix:abc', 3, '3 abc'],
    ['si:mF', 1500, '1.50 F'],
    ['count:x', 1500, '1.50K x'],
    ['currency:€', 1500, '€1.50K'],
    ['currency:financial:$', 1234.5, '$1,234.5'],
    ['bool:on/off', 0, 'off'],
    ['furlongs', 12.3, '12.3 furlongs'],
    ['farenheit', 3, '3 °F'],
  ])('%s is made up on the spot', (unit, value, text) => {
    expect(formatWithUnit(unit, value)).toBe(text);
  });

  it('writes dates in the given zone', () => {
    expect(formatWithUnit('dateTimeAsIso', 0, { zone: 'utc' })).toBe('1970-01-01 00:00:00');
    expect(formatWithUnit('dateTimeAsUS', 0, { zone: 'America/New_York' })).toBe('12/31/1969 7:00:00 pm');
    expect(formatWithUnit('time:DD.MM.YYYY [at] HH:mm', 0, { zone: 'utc' })).toBe('01.01.1970 at 00:00');
    expect(formatWithUnit('dateTimeAsIsoNoDateIfToday', 3_600_000, { zone: 'utc', now: 7_200_000 })).toBe('01:00:00');
    expect(formatWithUnit('dateTimeFromNow', 0, { now: 7_200_000 })).toBe('2 hours ago');
  });
});

describe('decimals', () => {
  it.each([
    [0, 0],
    [7, 0],
    [0.5, 3],
    [1.5, 2],
    [12.345, 1],
    [123.4, 0],
    [0.00123, 5],
  ])('of %d are %d', (value, decimals) => {
    expect(decimalsFor(value)).toBe(decimals);
  });

  it('pads and rounds', () => {
    expect(toFixed(1.005, 1)).toBe('1.0');
    expect(toFixed(2, 2)).toBe('2.00');
    expect(toFixed(1e-7)).toBe('1e-7');
  });
});
