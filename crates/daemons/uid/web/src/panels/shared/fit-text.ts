// The largest font that lets a text fit into a box.

const measured = new Map<string, number>();
let context: CanvasRenderingContext2D | null | undefined;

/** Width in ems, in the page's own font. */
function widthInEms(text: string, weight: number): number {
  const key = `${weight}/${text}`;
  const known = measured.get(key);
  if (known !== undefined) return known;
  context ??= document.createElement('canvas').getContext('2d');
  let ems = text.length * 0.6;
  if (context !== null) {
    context.font = `${weight} 100px ${getComputedStyle(document.body).fontFamily}`;
    ems = context.measureText(text).width / 100;
  }
  if (measured.size > 5000) measured.clear();
  measured.set(key, ems);
  return ems;
}

export interface FitInput {
  readonly text: string;
  readonly width: number;
  readonly height: number;
  readonly max: number;
  readonly min?: number;
  readonly weight?: number;
}

/** Pixels. */
export function fitFontSize({ text, width, height, max, min = 12, weight = 500 }: FitInput): number {
  const ems = Math.max(widthInEms(text, weight), 0.1);
  return Math.max(Math.min(width / ems, height / 1.2, max), min);
}
