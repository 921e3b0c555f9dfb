// The icons of the app: strokes on a 16-pixel grid, in the colour of the text around them.

import type { ReactNode } from 'react';

const PATHS = {
  dashboards: 'M2 2h5v7H2zM9 2h5v4H9zM9 8h5v6H9zM2 11h5v3H2z',
  explore: 'M8 1.5a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13zM10.8 5.2 9.2 9.2l-4 1.6 1.6-4z',
  alerts: 'M8 1.5a4 4 0 0 0-4 4c0 4-2 5-2 6h12c0-1-2-2-2-6a4 4 0 0 0-4-4zM6.5 14h3',
  status: 'M1.5 8.5h3l2-5 3 9.5 2-4.500h3',
  admin:
    'M8 5.500a2.500 2.500 0 1 0 0 5 2.500 2.500 0 0 0 0-5zM8 1.500v2M8 12.500v2M1.500 8h2M12.500 8h2M3.400 3.400l1.400 1.400M11.200 11.200l1.400 1.400M3.400 12.600l1.400-1.400M11.200 4.800l1.400-1.400',
  search: 'M7 2a5 5 0 1 0 0 10A5 5 0 0 0 7 2zM10.700 10.700 14.500 14.500',
  clock: 'M8 1.500a6.500 6.500 0 1 0 0 13 6.500 6.500 0 0 0 0-13zM8 4v4l2.500 2',
  refresh: 'M13.500 8a5.500 5.500 0 1 1-1.700-4M13.500 1.500v3h-3',
  share:
    'M6 8.500a3 3 0 0 0 4.500.300l2-2a3 3 0 0 0-4.200-4.200l-1 1M10 7.500a3 3 0 0 0-4.500-.300l-2 2a3 3 0 0 0 4.200 4.200l1-1',
  zoomOut: 'M7 2a5 5 0 1 0 0 10A5 5 0 0 0 7 2zM10.700 10.700 14.500 14.500M4.800 7h4.400',
  chevronDown: 'm4 6 4 4 4-4',
  chevronRight: 'm6 4 4 4-4 4',
  chevronLeft: 'm10 4-4 4 4 4',
  close: 'm3.500 3.500 9 9M12.500 3.500l-9 9',
  menu: 'M2 4h12M2 8h12M2 12h12',
  dots: 'M8 3.500v.01M8 8v.01M8 12.500v.01',
  info: 'M8 1.500a6.500 6.500 0 1 0 0 13 6.500 6.500 0 0 0 0-13zM8 7.200v4M8 4.800v.01',
  warning: 'M8 2 1.500 13.500h13zM8 6.500v3.500M8 11.900v.01',
  link: 'M9 2.500h4.500V7M13.500 2.500 7.500 8.500M11.500 9.500v4h-9v-9h4',
  copy: 'M5.500 5.500h8v8h-8zM10.500 5.500v-3h-8v8h3',
  plus: 'M8 3v10M3 8h10',
  minus: 'M3 8h10',
  play: 'M4.500 2.500v11l9-5.500z',
  folder: 'M1.500 3.500h5l1.500 2h6.500v8h-13z',
  eye: 'M1 8s2.500-4.500 7-4.500S15 8 15 8s-2.500 4.500-7 4.500S1 8 1 8zM8 6.200a1.800 1.800 0 1 0 0 3.600 1.800 1.800 0 0 0 0-3.600z',
  sun: 'M8 5a3 3 0 1 0 0 6 3 3 0 0 0 0-6zM8 1v1.500M8 13.500V15M1 8h1.500M13.500 8H15M3 3l1 1M12 12l1 1M3 13l1-1M12 4l1-1',
  moon: 'M13.500 9.500A6 6 0 0 1 6.500 2.500a6 6 0 1 0 7 7z',
  logout: 'M6 2.500H2.500v11H6M10.500 4.500 14 8l-3.500 3.500M14 8H6',
  columns: 'M2 2.500h12v11H2zM6 2.500v11M10 2.500v11',
  history: 'M2.500 8a5.500 5.500 0 1 1 1.700 4M2.500 14.500v-3h3M8 5v3.200l2 1.300',
  expand: 'M9.500 2.500h4v4M6.500 13.500h-4v-4M13.500 2.500 9 7M2.500 13.500 7 9',
} as const;

export type IconName = keyof typeof PATHS;

export interface IconProps {
  readonly name: IconName;
  readonly size?: number;
}

export function Icon({ name, size = 16 }: IconProps): ReactNode {
  return (
    <svg
      aria-hidden="true"
      fill="none"
      focusable="false"
      height={size}
      stroke="currentColor"
      strokeLinecap="round"
      strokeLinejoin="round"
      strokeWidth={name === 'dots' ? 2.4 : 1.4}
      style={{ flex: 'none' }}
      viewBox="0 0 16 16"
      width={size}
    >
      <path d={PATHS[name]} />
    </svg>
  );
}
