// Named colours of dashboards, per theme, and the palettes made of them. These are data that dashboards refer to by
// name; the colours of our own pages are the tokens in styles/tokens.css.

export type ThemeName = 'light' | 'dark';

/** From super-light to dark. The light theme uses each hue one shade darker. */
const HUES: Readonly<Record<string, readonly string[]>> = {
  red: ['#FFA6B0', '#FF7383', '#F2495C', '#E02F44', '#C4162A', '#AD0317'],
  orange: ['#FFCB7D', '#FFB357', '#FF9830', '#FF780A', '#FA6400', '#E55400'],
  yellow: ['#FFF899', '#FFEE52', '#FADE2A', '#F2CC0C', '#E0B400', '#CC9D00'],
  green: ['#C8F2C2', '#96D98D', '#73BF69', '#56A64B', '#37872D', '#19730E'],
  blue: ['#C0D8FF', '#8AB8FF', '#5794F2', '#3274D9', '#1F60C4', '#1250B0'],
  purple: ['#DEB6F2', '#CA95E5', '#B877D9', '#A352CC', '#8F3BB8', '#7C2EA3'],
};
const SHADES = ['super-light-', 'light-', '', 'semi-dark-', 'dark-'];

/** The classic series colours; names resolve per theme. */
const CLASSIC: readonly string[] = [
  'green',
  'semi-dark-yellow',
  'light-blue',
  'semi-dark-orange',
  'red',
  'blue',
  'purple',
  '#705DA0',
  'dark-green',
  'yellow',
  ...'447EBC C15C17 890F02 0A437C 6D1F62 584477 B7DBAB F4D598 70DBED F9BA8F F29191 82B5D8 E5A8E2 AEA2E0 629E51 E5AC0E'
    .concat(' 64B0C8 E0752D BF1B00 0A50A1 962D82 614D93 9AC48A F2C96D 65C5DB F9934E EA6460 5195CE D683CE 806EB7 3F6833')
    .concat(' 967302 2F575E 99440A 58140C 052B51 511749 3F2B5B E0F9D7 FCEACA CFFAFF F9E2D2 FCE2DE BADFF4 F9D9F9 DEDAF7')
    .split(' ')
    .map((hex) => `#${hex}`),
];

const COLORBLIND = ['#0072B2', '#E69F00', '#009E73', '#CC79A7', '#56B4E9', '#D55E00', '#F0E442'];

const viridis = '#440154 #472d7b #3b528b #2c728e #21918c #28ae80 #5ec962 #addc30 #fde725'.split(' ');
const magma = '#000004 #1d1147 #51127c #832681 #b73779 #e75263 #fc8961 #fec488 #fcfdbf'.split(' ');
const plasma = '#0d0887 #4c02a1 #7e03a8 #aa2395 #cc4778 #e66c5c #f89540 #fdc527 #f0f921'.split(' ');
const inferno = '#000004 #210c4a #57106e #8a226a #bc3754 #e45a31 #f98e09 #f9cb35 #fcffa4'.split(' ');
const cividis = '#002051 #11366c #3c4d6e #62646f #7f7c75 #9a9478 #bbaf71 #e2cb5c #fdea45'.split(' ');

/** `panel` stands for the panel's own background. */
const CONTINUOUS: Readonly<Record<string, readonly string[]>> = {
  'continuous-GrYlRd': ['green', 'yellow', 'red'],
  'continuous-RdYlGr': ['red', 'yellow', 'green'],
  'continuous-BlYlRd': ['dark-blue', 'super-light-yellow', 'dark-red'],
  'continuous-YlRd': ['super-light-yellow', 'dark-red'],
  'continuous-BlPu': ['blue', 'purple'],
  'continuous-YlBl': ['super-light-yellow', 'dark-blue'],
  'continuous-blues': ['panel', 'dark-blue'],
  'continuous-reds': ['panel', 'dark-red'],
  'continuous-greens': ['panel', 'dark-green'],
  'continuous-purples': ['panel', 'dark-purple'],
  'continuous-viridis': viridis,
  'continuous-magma': magma,
  'continuous-plasma': plasma,
  'continuous-inferno': inferno,
  'continuous-cividis': cividis,
};

/** A colour the browser understands. */
export function resolveColor(name: string, theme: ThemeName): string {
  if (name === 'transparent') return 'rgba(0, 0, 0, 0)';
  if (name === 'panel') return theme === 'dark' ? '#181b1f' : '#ffffff';
  if (name === 'text') return theme === 'dark' ? '#ccccdc' : '#24292e';
  const match = /^(super-light-|semi-dark-|light-|dark-)?(red|orange|yellow|green|blue|purple)$/.exec(name);
  if (match === null) return name;
  const shade = SHADES.indexOf(match[1] ?? '') + (theme === 'light' ? 1 : 0);
  return HUES[match[2] ?? '']?.[shade] ?? name;
}

/** The n-th series colour. */
export function seriesColor(index: number, theme: ThemeName, mode = 'palette-classic'): string {
  const palette = mode === 'palette-colorblind' ? COLORBLIND : CLASSIC;
  return resolveColor(palette[index % palette.length] ?? 'green', theme);
}

/** A colour that depends on the name alone. */
export function colorByName(name: string, theme: ThemeName): string {
  let hash = 5381;
  for (const character of name) hash = (hash * 33 + (character.codePointAt(0) ?? 0)) >>> 0;
  return seriesColor(hash % CLASSIC.length, theme);
}

/** The colour at `share` (0–1) of a continuous scale; `undefined` for an unknown scale. */
export function continuousColor(mode: string, share: number, theme: ThemeName): string | undefined {
  const scale = Object.hasOwn(CONTINUOUS, mode) ? CONTINUOUS[mode] : undefined;
  if (scale === undefined) return undefined;
  const clamped = Number.isFinite(share) ? Math.min(Math.max(share, 0), 1) : 0;
  const position = clamped * (scale.length - 1);
  const index = Math.min(Math.floor(position), scale.length - 2);
  return mix(
    resolveColor(scale[index] ?? 'green', theme),
    resolveColor(scale[index + 1] ?? 'green', theme),
    position - index,
  );
}

export function isContinuous(mode: string): boolean {
  return Object.hasOwn(CONTINUOUS, mode);
}

type Rgb = readonly [number, number, number];

export function parseHex(color: string): Rgb | undefined {
  const short = /^#([\da-f])([\da-f])([\da-f])$/i.exec(color);
  const digits =
    short === null ? /^#([\da-f]{2})([\da-f]{2})([\da-f]{2})/i.exec(color)?.slice(1) : short.slice(1).map((d) => d + d);
  if (digits === undefined) {
    const rgb = /^rgba?\(\s*(\d+)[\s,]+(\d+)[\s,]+(\d+)/i.exec(color)?.slice(1).map(Number);
    return rgb === undefined ? undefined : [rgb[0] ?? 0, rgb[1] ?? 0, rgb[2] ?? 0];
  }
  const [red = 0, green = 0, blue = 0] = digits.map((pair) => Number.parseInt(pair, 16));
  return [red, green, blue];
}

function mix(from: string, to: string, share: number): string {
  const [a, b] = [parseHex(from), parseHex(to)];
  if (a === undefined || b === undefined) return from;
  const channel = (index: 0 | 1 | 2): number => Math.round(a[index] + (b[index] - a[index]) * share);
  return `rgb(${channel(0)}, ${channel(1)}, ${channel(2)})`;
}

/** The same colour, see-through; names the browser knows but we do not read are mixed by CSS. */
export function withAlpha(color: string, alpha: number): string {
  const rgb = parseHex(color);
  if (rgb === undefined) return `color-mix(in srgb, ${color} ${Math.round(alpha * 100)}%, transparent)`;
  return `rgba(${rgb[0]}, ${rgb[1]}, ${rgb[2]}, ${alpha})`;
}

/** Black or white, whichever reads better on `background`. */
export function readableOn(background: string): string {
  const rgb = parseHex(background);
  if (rgb === undefined) return '#ffffff';
  const [red, green, blue] = rgb.map((channel) => {
    const share = channel / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  const luminance = 0.2126 * (red ?? 0) + 0.7152 * (green ?? 0) + 0.0722 * (blue ?? 0);
  return luminance > 0.32 ? '#111217' : '#ffffff';
}
