// Rail, page, and what floats above both: search and the list of shortcuts.

import { Suspense, useState, type ReactNode } from 'react';
import { NavLink, Outlet } from 'react-router';
import { useTheme, type ThemeChoice } from '../../context/theme';
import { useLogout, useSession } from '../../model/session-client';
import { Icon, type IconName } from '../Icon';
import { Popover } from '../Popover';
import { SearchDialog } from './SearchDialog';
import { ShortcutsDialog } from './ShortcutsDialog';
import { useGlobalShortcuts } from './use-shortcuts';

interface Place {
  readonly to: string;
  readonly label: string;
  readonly icon: IconName;
}

export const PLACES: readonly Place[] = [
  { to: '/dashboards', label: 'Dashboards', icon: 'dashboards' },
  { to: '/explore', label: 'Explore', icon: 'explore' },
  { to: '/alerting/list', label: 'Alerts', icon: 'alerts' },
  { to: '/status', label: 'Status', icon: 'status' },
  { to: '/admin', label: 'Administration', icon: 'admin' },
];

const FOLD_KEY = 'uid.rail.folded';

export function Frame(): ReactNode {
  const [folded, setFolded] = useState(() => localStorage.getItem(FOLD_KEY) === 'true');
  const [overlay, setOverlay] = useState<'search' | 'shortcuts'>();
  useGlobalShortcuts({ onSearch: () => setOverlay('search'), onHelp: () => setOverlay('shortcuts') });

  const fold = (): void => {
    localStorage.setItem(FOLD_KEY, String(!folded));
    setFolded(!folded);
  };
  return (
    <div className={`frame${folded ? ' is-folded' : ''}`}>
      <a className="skip-link" href="#main" onClick={skipToMain}>
        Skip to content
      </a>
      <nav aria-label="Main" className="rail">
        <button
          aria-label={folded ? 'Unfold the navigation' : 'Fold the navigation'}
          className="rail-item rail-fold"
          onClick={fold}
          type="button"
        >
          <Icon name="menu" />
          <span className="rail-word">Observability</span>
        </button>
        <button
          className="rail-item rail-search"
          onClick={() => setOverlay('search')}
          title="Search (Ctrl K)"
          type="button"
        >
          <Icon name="search" />
          <span className="rail-word">Search</span>
          <kbd className="rail-word">Ctrl K</kbd>
        </button>
        {PLACES.map((place) => (
          <NavLink className="rail-item" key={place.to} title={place.label} to={place.to}>
            <Icon name={place.icon} />
            <span className="rail-word">{place.label}</span>
          </NavLink>
        ))}
        <div className="rail-end">
          <PersonMenu />
        </div>
      </nav>
      <main id="main" tabIndex={-1}>
        <Suspense fallback={<div className="loading-bar" />}>
          <Outlet />
        </Suspense>
      </main>
      {overlay === 'search' && <SearchDialog onClose={() => setOverlay(undefined)} />}
      {overlay === 'shortcuts' && <ShortcutsDialog onClose={() => setOverlay(undefined)} />}
    </div>
  );
}

/** The base address of the page is not its own, so a bare `#main` would leave it. */
function skipToMain(event: { preventDefault: () => void }): void {
  event.preventDefault();
  document.getElementById('main')?.focus();
}

const THEMES: readonly { readonly choice: ThemeChoice; readonly label: string }[] = [
  { choice: 'system', label: 'As the system' },
  { choice: 'light', label: 'Light' },
  { choice: 'dark', label: 'Dark' },
];

function PersonMenu(): ReactNode {
  const session = useSession();
  const logout = useLogout();
  const { choice, choose } = useTheme();
  const user = session.data;
  const name = user?.name ?? '';
  return (
    <Popover
      className="rail-item"
      label={
        <>
          <span aria-hidden="true" className="avatar">
            {name.slice(0, 1).toUpperCase()}
          </span>
          <span className="rail-word truncate">{name}</span>
        </>
      }
      name={`${name}: theme and log out`}
    >
      {() => (
        <ul className="menu menu-up">
          <li className="menu-heading">Theme</li>
          {THEMES.map((theme) => (
            <li key={theme.choice}>
              <button aria-pressed={theme.choice === choice} onClick={() => choose(theme.choice)} type="button">
                {theme.label}
              </button>
            </li>
          ))}
          <li className="menu-line" role="separator" />
          <li>
            {user?.anonymous === true ? (
              <NavLink to="/login">Log in</NavLink>
            ) : (
              <button onClick={() => logout.mutate()} type="button">
                <Icon name="logout" />
                Log out
              </button>
            )}
          </li>
        </ul>
      )}
    </Popover>
  );
}
