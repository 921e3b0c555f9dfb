// Variables worked out in the order of their dependencies: options first, then which of them are chosen.

import { parseDuration } from '../../lib/time/duration';
import { calculateInterval } from '../../lib/time/interval';
import { formatDuration } from '../../lib/time/duration';
import type { TimeRange } from '../../lib/time/range';
import { ALL_VALUE, type ScopedValue, type Variable, type VariableOption } from '../model';
import { interpolate, references, single, type BoundVariable, type Lookup } from './interpolate';
import { compileRegex, filterByRegex, parseCustomOptions, sortOptions } from './options';
import { parseVariableQuery, type VariableQuery } from './query';

export interface VariableState {
  readonly variable: Variable;
  readonly options: readonly VariableOption[];
  /** `[ALL_VALUE]` when all are chosen */
  readonly selected: readonly string[];
  readonly error?: string;
}

export interface NamedDataSource {
  readonly uid: string;
  readonly name: string;
  readonly type: string;
  readonly isDefault: boolean;
}

export interface ResolveInput {
  readonly variables: readonly Variable[];
  /** chosen values from the address, by variable name */
  readonly chosen: ReadonlyMap<string, readonly string[]>;
  readonly range: TimeRange;
  readonly dataSources: readonly NamedDataSource[];
  /** values of a query against the data source with this uid (or name; `undefined` is the default one) */
  readonly fetchOptions: (source: string | undefined, query: VariableQuery) => Promise<readonly VariableOption[]>;
}

/** Every variable's state, in the order of the dashboard. A failed query gives a state with an error, not a throw. */
export async function resolveVariables(input: ResolveInput): Promise<VariableState[]> {
  const pending = new Map<string, Promise<VariableState>>();
  const byName = new Map(input.variables.map((variable) => [variable.name, variable]));

  const resolve = (variable: Variable, path: readonly string[]): Promise<VariableState> => {
    const known = pending.get(variable.name);
    if (known !== undefined) return known;
    const promise = resolveOne(variable, path);
    pending.set(variable.name, promise);
    return promise;
  };

  const resolveOne = async (variable: Variable, path: readonly string[]): Promise<VariableState> => {
    const needed = dependencies(variable).filter((name) => !path.includes(name));
    const states = await Promise.all(
      needed.map((name) => {
        const other = byName.get(name);
        return other === undefined ? undefined : resolve(other, [...path, variable.name]);
      }),
    );
    const lookup = stateLookup(
      states.filter((state) => state !== undefined),
      input.range,
    );
    return settle(variable, input, lookup);
  };

  return Promise.all(input.variables.map((variable) => resolve(variable, [variable.name])));
}

function dependencies(variable: Variable): string[] {
  const text = [variable.query, variable.regex, variable.datasource?.uid ?? ''].join(' ');
  return [...new Set(references(text))].filter((name) => name !== variable.name && !name.startsWith('__'));
}

async function settle(variable: Variable, input: ResolveInput, lookup: Lookup): Promise<VariableState> {
  try {
    const options = await optionsOf(variable, input, lookup);
    return { variable, options, selected: select(variable, options, input.chosen.get(variable.name)) };
  } catch (error) {
    const chosen = input.chosen.get(variable.name) ?? variable.current;
    return { variable, options: [], selected: chosen, error: error instanceof Error ? error.message : String(error) };
  }
}

async function optionsOf(
  variable: Variable,
  { range, dataSources, fetchOptions }: ResolveInput,
  lookup: Lookup,
): Promise<readonly VariableOption[]> {
  const query = interpolate(variable.query, lookup, variable.type === 'query' ? 'query' : 'text');
  switch (variable.type) {
    case 'query': {
      const source = variable.datasource?.uid === undefined ? undefined : interpolate(variable.datasource.uid, lookup);
      const found = await fetchOptions(source, parseVariableQuery(query));
      return sortOptions(filterByRegex(found, interpolate(variable.regex, lookup)), variable.sort);
    }
    case 'custom':
      return parseCustomOptions(query);
    case 'constant':
    case 'textbox':
      return [{ text: query, value: query }];
    case 'interval':
      return intervalOptions(variable, query, range);
    case 'datasource': {
      const pattern = variable.regex === '' ? undefined : compileRegex(interpolate(variable.regex, lookup));
      return dataSources
        .filter(({ type, name }) => type === query && (pattern?.test(name) ?? true))
        .sort((a, b) => Number(b.isDefault) - Number(a.isDefault))
        .map(({ uid, name }) => ({ text: name, value: uid }));
    }
    case 'other':
      return variable.options;
  }
}

function intervalOptions(variable: Variable, query: string, range: TimeRange): VariableOption[] {
  const listed = query
    .split(',')
    .map((text) => text.trim().replace(/^"|"$/g, ''))
    .filter((text) => text !== '' && text !== 'auto')
    .map((text) => ({ text, value: text }));
  if (!variable.auto) return listed;
  const minimum = parseDuration(variable.autoMin) ?? 10_000;
  const value = formatDuration(calculateInterval(range.to - range.from, variable.autoCount, minimum));
  return [{ text: 'auto', value: `$__auto:${value}` }, ...listed];
}

/** Keeps chosen values that still exist; else what the dashboard was saved with; else the first option. */
function select(
  variable: Variable,
  options: readonly VariableOption[],
  chosen: readonly string[] | undefined,
): readonly string[] {
  if (variable.type === 'textbox' || variable.type === 'constant') {
    const saved = variable.current.length > 0 && variable.type === 'textbox' ? variable.current : [variable.query];
    return variable.type === 'textbox' ? (chosen ?? saved) : saved;
  }
  const wanted = (chosen ?? variable.current).map((value) =>
    value === 'All' && variable.includeAll ? ALL_VALUE : value,
  );
  if (variable.includeAll && (wanted.includes(ALL_VALUE) || options.length === 0)) return [ALL_VALUE];
  const found = wanted.flatMap((value) => {
    const match = options.find(
      (option) => option.value === value || option.text === value || isAuto(option.value, value),
    );
    return match === undefined ? [] : [match.value];
  });
  const kept = [...new Set(found)];
  if (kept.length > 0) return variable.multi ? kept : kept.slice(0, 1);
  if (variable.type === 'other') return wanted;
  const [first] = options;
  if (variable.includeAll && chosen === undefined && variable.current.length === 0) return [ALL_VALUE];
  return first === undefined ? [] : [first.value];
}

function isAuto(option: string, wanted: string): boolean {
  return option.startsWith('$__auto') && wanted.startsWith('$__auto');
}

/** The values a state stands for: all options when all are chosen. */
export function expandSelection(state: VariableState): readonly ScopedValue[] {
  const { options, selected } = state;
  if (selected.includes(ALL_VALUE)) return options;
  return selected.map((value) => options.find((option) => option.value === value) ?? { value, text: value });
}

export function bindState(state: VariableState): BoundVariable {
  const { variable, selected } = state;
  const { name, allValue } = variable;
  const isMulti = variable.multi || variable.includeAll;
  if (selected.includes(ALL_VALUE)) {
    if (allValue !== '') return { name, values: [allValue], texts: ['All'], isMulti, verbatim: true };
    const values = state.options.map((option) => option.value);
    return { name, values, texts: ['All'], isMulti };
  }
  const chosen = expandSelection(state);
  return {
    name,
    values: chosen.map(({ value }) => value.replace(/^\$__auto(_\w+)?:/, '')),
    texts: chosen.map(({ text }) => text),
    isMulti,
  };
}

/** Looks names up among resolved variables and the built-in ones of a time range. */
export function stateLookup(states: readonly VariableState[], range: TimeRange): Lookup {
  const bound = new Map(states.map((state) => [state.variable.name, bindState(state)]));
  const seconds = Math.round((range.to - range.from) / 1000);
  const builtIn: Readonly<Record<string, string>> = {
    __from: String(range.from),
    __to: String(range.to),
    __range: `${seconds}s`,
    __range_s: String(seconds),
    __range_ms: String(range.to - range.from),
  };
  return (name) => {
    const value = builtIn[name];
    if (value !== undefined) return { ...single(name, value), verbatim: name !== '__from' && name !== '__to' };
    return bound.get(name);
  };
}
