// The time range of a page, held by the address, and the moment it was last brought up to date.

import { useCallback, useEffect, useMemo, useState } from 'react';
import { useSearchParams } from 'react-router';
import { parseDuration } from '../../lib/time/duration';
import { resolveRange, shiftRange, zoomOut, type RawRange, type TimeRange } from '../../lib/time/range';
import type { TimeZone } from '../../lib/time/zone';

export interface TimeState {
  readonly raw: RawRange;
  readonly range: TimeRange;
  readonly zone: TimeZone;
  /** `5s`, or empty for off */
  readonly refresh: string;
  readonly setRaw: (raw: RawRange) => void;
  readonly setAbsolute: (range: TimeRange) => void;
  readonly setRefresh: (refresh: string) => void;
  readonly refreshNow: () => void;
  readonly zoomOut: () => void;
  readonly shift: (direction: -1 | 1) => void;
}

export interface TimeDefaults {
  readonly time: RawRange;
  readonly refresh: string;
  readonly zone: TimeZone;
}

/** Time as held by `from`, `to`, `refresh` and `timezone` in the address; the defaults are left out of it. */
export function useUrlTime(defaults: TimeDefaults): TimeState {
  const [params, setParams] = useSearchParams();
  const from = params.get('from') ?? defaults.time.from;
  const to = params.get('to') ?? defaults.time.to;
  const refresh = params.get('refresh') ?? defaults.refresh;
  const zone = params.get('timezone') ?? defaults.zone;
  const change = useCallback(
    (entries: Readonly<Record<string, string>>) => {
      setParams((old) => {
        const next = new URLSearchParams(old);
        for (const [key, value] of Object.entries(entries)) next.set(key, value);
        return next;
      });
    },
    [setParams],
  );
  const setRaw = useCallback((raw: RawRange) => change({ from: raw.from, to: raw.to }), [change]);
  const setRefresh = useCallback((value: string) => change({ refresh: value }), [change]);
  return useTime({ from, to, refresh, zone, setRaw, setRefresh });
}

export interface TimeSource {
  readonly from: string;
  readonly to: string;
  readonly refresh: string;
  readonly zone: TimeZone;
  readonly setRaw: (raw: RawRange) => void;
  readonly setRefresh: (refresh: string) => void;
}

/** The same for any other place that holds a range. */
export function useTime({ from, to, refresh, zone, setRaw, setRefresh }: TimeSource): TimeState {
  const [now, setNow] = useState(() => Date.now());
  const raw = useMemo<RawRange>(() => ({ from, to }), [from, to]);
  const range = useMemo(() => resolveRange(raw, now, zone), [raw, now, zone]);
  const refreshNow = useCallback(() => setNow(Date.now()), []);

  useEffect(() => {
    const period = refresh === '' ? undefined : parseDuration(refresh);
    if (period === undefined || period < 1000) return undefined;
    const timer = setInterval(() => {
      if (document.visibilityState === 'visible') setNow(Date.now());
    }, period);
    return () => clearInterval(timer);
  }, [refresh]);

  return useMemo(() => {
    const setAbsolute = (next: TimeRange): void =>
      setRaw({ from: String(Math.round(next.from)), to: String(Math.round(next.to)) });
    return {
      raw,
      range,
      zone,
      refresh,
      setRaw: (next: RawRange) => {
        setNow(Date.now());
        setRaw(next);
      },
      setAbsolute,
      setRefresh,
      refreshNow,
      zoomOut: () => setAbsolute(zoomOut(range, Date.now())),
      shift: (direction: -1 | 1) => setAbsolute(shiftRange(range, direction)),
    };
  }, [raw, range, zone, refresh, setRaw, setRefresh, refreshNow]);
}
