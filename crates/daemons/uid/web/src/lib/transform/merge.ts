// `merge`: several frames become one table; rows join where the fields every frame has are equal.

import { makeField, makeFrame, type DataFrame, type Field } from '../data/frame';

interface Row {
  readonly values: Map<string, unknown>;
}

export function merge(frames: readonly DataFrame[]): DataFrame[] {
  const filled = frames.filter((frame) => frame.fields.length > 0 && frame.length > 0);
  if (filled.length < 2) return filled.length === 1 ? filled : [...frames];
  const columns = new Map<string, Field>();
  for (const frame of filled) {
    for (const field of frame.fields) if (!columns.has(columnOf(field))) columns.set(columnOf(field), field);
  }
  const shared = [...columns.keys()].filter((name) =>
    filled.every((frame) => frame.fields.some((field) => columnOf(field) === name)),
  );
  if (shared.length === 0) return [...frames];
  const rows: Row[] = [];
  const byKey = new Map<string, Row[]>();
  for (const frame of filled) {
    for (let index = 0; index < frame.length; index += 1) {
      const values = new Map(frame.fields.map((field) => [columnOf(field), field.values[index]]));
      const key = JSON.stringify(shared.map((name) => values.get(name) ?? null));
      const mates = byKey.get(key) ?? [];
      const mate = mates.find((row) => fits(row, values));
      if (mate === undefined) {
        const row = { values };
        rows.push(row);
        byKey.set(key, [...mates, row]);
      } else {
        for (const [name, value] of values) if (value !== null && value !== undefined) mate.values.set(name, value);
      }
    }
  }
  const fields = [...columns].map(([name, field]) =>
    makeField(
      name,
      field.type,
      rows.map((row) => row.values.get(name) ?? null),
      { config: field.config },
    ),
  );
  const first = filled[0];
  return [
    makeFrame(
      fields,
      first === undefined ? {} : { meta: first.meta, ...(first.refId === undefined ? {} : { refId: first.refId }) },
    ),
  ];
}

function columnOf(field: Field): string {
  return field.config.displayName ?? field.name;
}

/** No value of the two rows contradicts the other. */
function fits(row: Row, values: ReadonlyMap<string, unknown>): boolean {
  for (const [name, value] of values) {
    const present = row.values.get(name);
    if (present !== undefined && present !== null && value !== null && value !== undefined && present !== value)
      return false;
  }
  return true;
}
