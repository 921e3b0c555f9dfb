// Version 16: `rows[].panels[].span` become positions on a grid of 24 columns.

import { asArray, asBoolean, asNumber, asObject, asString, type JsonObject } from '../../lib/json';

const COLUMNS = 24;
const CELL_PX = 38;
const MINIMUM_CELLS = 3;
const DEFAULT_ROW_PX = 250;

export function migrateRows(rows: readonly unknown[]): JsonObject[] {
  const parsed = rows.map(asObject);
  const withHeadings = parsed.some(
    (row) => asBoolean(row['collapse']) || asBoolean(row['showTitle']) || asString(row['repeat']) !== '',
  );
  const out: JsonObject[] = [];
  let nextId =
    1 +
    Math.max(
      0,
      ...parsed.flatMap((row) => asArray(row['panels']).map((panel) => asNumber(asObject(panel)['id']) ?? 0)),
    );
  let y = 0;
  for (const row of parsed) {
    const collapsed = asBoolean(row['collapse']);
    const { panels, height } = placePanels(row, withHeadings ? y + 1 : y);
    if (!withHeadings) {
      out.push(...panels);
      y += height;
      continue;
    }
    out.push({
      id: nextId,
      type: 'row',
      title: asString(row['title']),
      collapsed,
      repeat: asString(row['repeat']),
      gridPos: { x: 0, y, w: COLUMNS, h: 1 },
      panels: collapsed ? panels : [],
    });
    nextId += 1;
    y += 1;
    if (collapsed) continue;
    out.push(...panels);
    y += height;
  }
  return out;
}

function placePanels(row: JsonObject, top: number): { panels: JsonObject[]; height: number } {
  const rowPx = pixels(row['height']) ?? DEFAULT_ROW_PX;
  const panels: JsonObject[] = [];
  let x = 0;
  let y = top;
  let lineHeight = 0;
  for (const item of asArray(row['panels'])) {
    const panel = asObject(item);
    const w = Math.min(Math.max(Math.round((asNumber(panel['span']) ?? 4) * 2), 1), COLUMNS);
    const h = Math.max(Math.ceil((pixels(panel['height']) ?? rowPx) / CELL_PX), MINIMUM_CELLS);
    if (x + w > COLUMNS) {
      x = 0;
      y += lineHeight;
      lineHeight = 0;
    }
    panels.push({ ...panel, gridPos: { x, y, w, h } });
    x += w;
    lineHeight = Math.max(lineHeight, h);
  }
  return { panels, height: y + lineHeight - top };
}

/** `250`, `"250"` or `"250px"`. */
function pixels(value: unknown): number | undefined {
  return asNumber(typeof value === 'string' ? value.replace(/px$/, '') : value);
}
