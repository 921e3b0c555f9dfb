// `labelsToFields`: labels of series – or of log lines – become columns (or rows of label and value).

import { makeField, makeFrame, type DataFrame, type Field } from '../data/frame';
import { asString, asStringMap, asStrings, type JsonObject } from '../json';

export function labelsToFields(frames: readonly DataFrame[], options: JsonObject): DataFrame[] {
  const keep = asStrings(options['keepLabels']);
  const isKept = (label: string): boolean => keep.length === 0 || keep.includes(label);
  if (options['mode'] === 'rows') return frames.map((frame) => asRows(frame, isKept));
  const valueLabel = asString(options['valueLabel']);
  return frames.map((frame) => asColumns(frame, isKept, valueLabel));
}

function asColumns(frame: DataFrame, isKept: (label: string) => boolean, valueLabel: string): DataFrame {
  const columns: Field[] = [];
  const rest: Field[] = [];
  const isLog = frame.fields.some(isLabelColumn);
  for (const field of frame.fields) {
    // What Loki adds for its own bookkeeping is no column to read.
    if (isLog && (field.name === 'tsNs' || field.name === 'id')) continue;
    if (isLabelColumn(field)) {
      columns.push(...labelColumns(field, isKept));
    } else if (field.labels === undefined) {
      rest.push(field);
    } else {
      for (const [label, value] of Object.entries(field.labels)) {
        if (!isKept(label) || label === valueLabel) continue;
        columns.push(makeField(label, 'string', Array<string>(frame.length).fill(value)));
      }
      const named = field.labels[valueLabel];
      const { labels: _labels, ...bare } = field;
      const { displayNameFromDS: _name, ...config } = field.config;
      rest.push({ ...bare, name: named ?? field.name, config });
    }
  }
  const times = rest.filter((field) => field.type === 'time');
  const others = rest.filter((field) => field.type !== 'time');
  return makeFrame([...times, ...columns, ...others], { ...frame });
}

function isLabelColumn(field: Field): boolean {
  return field.name === 'labels' && field.type === 'other';
}

/** Log lines carry their labels as one object a row. */
function labelColumns(field: Field, isKept: (label: string) => boolean): Field[] {
  const rows = field.values.map(asStringMap);
  const names = [...new Set(rows.flatMap((row) => Object.keys(row)))].filter(isKept);
  return names.map((name) =>
    makeField(
      name,
      'string',
      rows.map((row) => row[name] ?? null),
    ),
  );
}

function asRows(frame: DataFrame, isKept: (label: string) => boolean): DataFrame {
  const pairs = frame.fields.flatMap((field) => Object.entries(field.labels ?? {}).filter(([label]) => isKept(label)));
  return makeFrame(
    [
      makeField(
        'label',
        'string',
        pairs.map(([label]) => label),
      ),
      makeField(
        'value',
        'string',
        pairs.map(([, value]) => value),
      ),
    ],
    { ...frame },
  );
}
