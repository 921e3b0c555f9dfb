// Light or dark: the system's choice until a person chooses.

import { createContext, use, useEffect, useMemo, useState, useSyncExternalStore, type ReactNode } from 'react';
import type { ThemeName } from '../lib/field/palette';

export type ThemeChoice = 'system' | ThemeName;

interface ThemeState {
  readonly choice: ThemeChoice;
  readonly theme: ThemeName;
  readonly choose: (choice: ThemeChoice) => void;
}

const STORAGE_KEY = 'uid.theme';
const ThemeContext = createContext<ThemeState>({ choice: 'system', theme: 'dark', choose: () => undefined });

function storedChoice(): ThemeChoice {
  const stored = localStorage.getItem(STORAGE_KEY);
  return stored === 'light' || stored === 'dark' ? stored : 'system';
}

const systemQuery = (): MediaQueryList => window.matchMedia('(prefers-color-scheme: light)');

function subscribe(onChange: () => void): () => void {
  const query = systemQuery();
  query.addEventListener('change', onChange);
  return () => query.removeEventListener('change', onChange);
}

export function ThemeProvider({ children }: { readonly children: ReactNode }): ReactNode {
  const [choice, setChoice] = useState<ThemeChoice>(storedChoice);
  const systemIsLight = useSyncExternalStore(subscribe, () => systemQuery().matches);
  const theme: ThemeName = choice === 'system' ? (systemIsLight ? 'light' : 'dark') : choice;
  useEffect(() => {
    document.documentElement.dataset['theme'] = theme;
  }, [theme]);
  const state = useMemo<ThemeState>(
    () => ({
      choice,
      theme,
      choose: (next) => {
        if (next === 'system') localStorage.removeItem(STORAGE_KEY);
        else localStorage.setItem(STORAGE_KEY, next);
        setChoice(next);
      },
    }),
    [choice, theme],
  );
  return <ThemeContext value={state}>{children}</ThemeContext>;
}

export function useTheme(): ThemeState {
  return use(ThemeContext);
}
