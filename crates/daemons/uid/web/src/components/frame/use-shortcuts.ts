// Keys: single ones and two in a row, never while someone types.

import { useEffect, useRef } from 'react';
import { useNavigate } from 'react-router';

export interface Shortcut {
  /** `d r`, `?`, `Escape` */
  readonly keys: string;
  readonly run: () => void;
}

const SEQUENCE_MS = 1000;

function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  return target.isContentEditable || ['INPUT', 'TEXTAREA', 'SELECT'].includes(target.tagName);
}

/** Listens while the component is mounted. A sequence must be finished within a second. */
export function useShortcuts(shortcuts: readonly Shortcut[]): void {
  const current = useRef(shortcuts);
  useEffect(() => {
    current.current = shortcuts;
  });
  useEffect(() => {
    let previous = '';
    let previousAt = 0;
    const onKey = (event: KeyboardEvent): void => {
      if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
      const sequence = event.timeStamp - previousAt < SEQUENCE_MS ? `${previous} ${event.key}` : event.key;
      const found =
        current.current.find((item) => item.keys === sequence) ??
        current.current.find((item) => item.keys === event.key);
      previous = found === undefined ? event.key : '';
      previousAt = event.timeStamp;
      if (found === undefined) return;
      event.preventDefault();
      found.run();
    };
    document.addEventListener('keydown', onKey);
    return () => document.removeEventListener('keydown', onKey);
  }, []);
}

export interface GlobalShortcuts {
  readonly onSearch: () => void;
  readonly onHelp: () => void;
}

export function useGlobalShortcuts({ onSearch, onHelp }: GlobalShortcuts): void {
  const navigate = useNavigate();
  const go = (to: string) => (): void => void navigate(to);
  useShortcuts([
    { keys: '?', run: onHelp },
    { keys: 'g h', run: go('/') },
    { keys: 'g d', run: go('/dashboards') },
    { keys: 'g e', run: go('/explore') },
    { keys: 'g a', run: go('/alerting/list') },
    { keys: 'g s', run: go('/status') },
  ]);
  const search = useRef(onSearch);
  useEffect(() => {
    search.current = onSearch;
  });
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (!(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== 'k') return;
      event.preventDefault();
      search.current();
    };
    document.addEventListener('keydown', onKey);
    return () => document.removeEventListener('keydown', onKey);
  }, []);
}
