// Where panels stand: repeats made, rows opened or closed, gaps shut.

import type { GridPos, Panel, ScopedValue } from './model';

const COLUMNS = 24;

export interface RowSection {
  /** `undefined` for what stands above the first row */
  readonly row: Panel | undefined;
  readonly panels: readonly Panel[];
}

/** Panels grouped under the row they stand in, each group in reading order. */
export function sections(panels: readonly Panel[]): RowSection[] {
  const ordered = [...panels].sort((a, b) => a.gridPos.y - b.gridPos.y || a.gridPos.x - b.gridPos.x);
  const out: { row: Panel | undefined; panels: Panel[] }[] = [{ row: undefined, panels: [] }];
  for (const panel of ordered) {
    if (panel.type === 'row') out.push({ row: panel, panels: [...panel.panels] });
    else out[out.length - 1]?.panels.push(panel);
  }
  return out.filter((section) => section.row !== undefined || section.panels.length > 0);
}

/** Everything on the page with its final place; `isOpen` says which rows show their panels. */
export function placePanels(rows: readonly RowSection[], isOpen: (row: Panel) => boolean): Panel[] {
  const placed: Panel[] = [];
  let y = 0;
  for (const { row, panels } of rows) {
    if (row !== undefined) {
      placed.push({ ...row, gridPos: { x: 0, y, w: COLUMNS, h: 1 } });
      y += 1;
      if (!isOpen(row)) continue;
    }
    const compacted = compact(panels, y);
    placed.push(...compacted);
    const bottom = compacted.reduce((lowest, { gridPos }) => Math.max(lowest, gridPos.y + gridPos.h), y);
    y = bottom;
  }
  return placed;
}

/** Each panel as far up as those before it allow, as people know it from dragging panels around. */
function compact(panels: readonly Panel[], top: number): Panel[] {
  /** the first free line of each column */
  const free = Array<number>(COLUMNS).fill(top);
  const ordered = [...panels].sort((a, b) => a.gridPos.y - b.gridPos.y || a.gridPos.x - b.gridPos.x);
  return ordered.map((panel) => {
    const { x, w, h } = panel.gridPos;
    const y = Math.max(top, ...free.slice(x, x + w));
    free.fill(y + h, x, x + w);
    const gridPos: GridPos = { x, y, w, h };
    return { ...panel, gridPos };
  });
}

/** The chosen values of a variable, “All” already spelled out. */
export type ValuesOf = (variable: string) => readonly ScopedValue[];

/** Rows and panels with `repeat` copied once a value. */
export function expandRepeats(rows: readonly RowSection[], valuesOf: ValuesOf): RowSection[] {
  return rows
    .flatMap((section) => repeatSection(section, valuesOf))
    .map((section) => ({
      ...section,
      panels: repeatPanels(section.panels, valuesOf),
    }));
}

function scoped(panel: Panel, variable: string, value: ScopedValue, index: number): Panel {
  return {
    ...panel,
    key: index === 0 ? panel.key : `${panel.key}-${variable}-${value.value}`,
    scope: new Map([...panel.scope, [variable, value]]),
  };
}

function repeatSection(section: RowSection, valuesOf: ValuesOf): RowSection[] {
  const { row } = section;
  if (row === undefined || row.repeat === '') return [section];
  const values = valuesOf(row.repeat);
  if (values.length === 0) return [section];
  return values.map((value, index) => ({
    row: scoped(row, row.repeat, value, index),
    panels: section.panels.map((panel) => scoped(panel, row.repeat, value, index)),
  }));
}

function repeatPanels(panels: readonly Panel[], valuesOf: ValuesOf): Panel[] {
  const out: Panel[] = [];
  let shift = 0;
  for (const panel of panels) {
    const values = panel.repeat === '' ? [] : valuesOf(panel.repeat);
    const moved = { ...panel, gridPos: { ...panel.gridPos, y: panel.gridPos.y + shift } };
    if (values.length === 0) {
      out.push(moved);
      continue;
    }
    const { x, y, w, h } = moved.gridPos;
    const vertical = panel.repeatDirection === 'v';
    const perRow = vertical ? 1 : Math.min(values.length, Math.max(panel.maxPerRow, 1));
    const width = vertical ? w : Math.floor(COLUMNS / perRow);
    values.forEach((value, index) => {
      const line = Math.floor(index / perRow);
      const gridPos = { x: vertical ? x : (index % perRow) * width, y: y + line * h, w: width, h };
      out.push({ ...scoped(moved, panel.repeat, value, index), gridPos });
    });
    shift += (Math.ceil(values.length / perRow) - 1) * h;
  }
  return out;
}
