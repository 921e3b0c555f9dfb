// Ctrl-K: dashboards and pages by a few letters.

import { useDeferredValue, useState, type KeyboardEvent, type ReactNode } from 'react';
import { useNavigate } from 'react-router';
import { useDashboardSearch } from '../../model/dashboard-client';
import { Dialog } from '../Dialog';
import { Icon, type IconName } from '../Icon';
import { PLACES } from './Frame';

interface Entry {
  readonly key: string;
  readonly label: string;
  readonly detail: string;
  readonly icon: IconName;
  readonly to: string;
}

const MAX_ENTRIES = 50;

export function SearchDialog({ onClose }: { readonly onClose: () => void }): ReactNode {
  const navigate = useNavigate();
  const [text, setText] = useState('');
  const [active, setActive] = useState(0);
  const search = useDashboardSearch('');
  const query = useDeferredValue(text.trim().toLowerCase());

  const pages: Entry[] = PLACES.map(({ label, icon, to }) => ({ key: to, label, detail: 'Page', icon, to }));
  const dashboards: Entry[] = (search.data ?? []).map((hit) => ({
    key: hit.uid,
    label: hit.title,
    detail: hit.folderTitle === '' ? 'Dashboard' : hit.folderTitle,
    icon: 'dashboards',
    to: `/d/${encodeURIComponent(hit.uid)}`,
  }));
  const entries = (query === '' ? [...pages, ...dashboards] : [...dashboards, ...pages])
    .filter((entry) => query.split(/\s+/).every((word) => entry.label.toLowerCase().includes(word)))
    .slice(0, MAX_ENTRIES);
  const selected = Math.min(active, entries.length - 1);

  const open = (entry: Entry | undefined): void => {
    if (entry === undefined) return;
    void navigate(entry.to);
    onClose();
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      event.preventDefault();
      const step = event.key === 'ArrowDown' ? 1 : -1;
      setActive((selected + step + entries.length) % Math.max(entries.length, 1));
    } else if (event.key === 'Enter') {
      event.preventDefault();
      open(entries[selected]);
    }
  };
  return (
    <Dialog bare onClose={onClose} title="Search">
      <div className="search-dialog">
        <div className="search-field">
          <Icon name="search" />
          <input
            aria-activedescendant={entries[selected] === undefined ? undefined : `search-${selected}`}
            aria-controls="search-results"
            aria-expanded="true"
            aria-label="Search dashboards and pages"
            autoComplete="off"
            autoFocus
            onChange={(event) => {
              setText(event.target.value);
              setActive(0);
            }}
            onKeyDown={onKeyDown}
            placeholder="Search dashboards and pages"
            role="combobox"
            spellCheck={false}
            value={text}
          />
        </div>
        <ul aria-label="Results" id="search-results" role="listbox">
          {entries.map((entry, index) => (
            <li
              aria-selected={index === selected}
              id={`search-${index}`}
              key={entry.key}
              onClick={() => open(entry)}
              onPointerMove={() => setActive(index)}
              ref={index === selected ? scrollIntoView : undefined}
              role="option"
            >
              <Icon name={entry.icon} />
              <span className="truncate">{entry.label}</span>
              <span className="muted">{entry.detail}</span>
            </li>
          ))}
          {entries.length === 0 && <li className="muted">Nothing matches “{text}”</li>}
        </ul>
      </div>
    </Dialog>
  );
}

function scrollIntoView(element: HTMLElement | null): void {
  element?.scrollIntoView({ block: 'nearest' });
}
