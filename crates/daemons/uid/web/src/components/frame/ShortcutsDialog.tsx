import type { ReactNode } from 'react';
import { Dialog } from '../Dialog';

const GROUPS: readonly { readonly title: string; readonly keys: readonly (readonly [string, string])[] }[] = [
  {
    title: 'Anywhere',
    keys: [
      ['Ctrl K', 'Search dashboards and pages'],
      ['g h', 'Home'],
      ['g d', 'Dashboards'],
      ['g e', 'Explore'],
      ['g a', 'Alerts'],
      ['g s', 'Status'],
      ['?', 'This list'],
    ],
  },
  {
    title: 'Dashboard',
    keys: [
      ['d r', 'Refresh all panels'],
      ['d E', 'Open all rows'],
      ['d C', 'Close all rows'],
      ['d k', 'Kiosk view on and off'],
      ['v', 'View the panel under the pointer, and back'],
      ['e', 'Open the panel under the pointer in Explore'],
      ['Escape', 'Leave the panel view'],
    ],
  },
  {
    title: 'Time range',
    keys: [
      ['t z', 'Zoom out'],
      ['t ←', 'Move back'],
      ['t →', 'Move forward'],
      ['t a', 'Make the range absolute'],
    ],
  },
  { title: 'Explore', keys: [['Shift Enter', 'Run the query']] },
];

export function ShortcutsDialog({ onClose }: { readonly onClose: () => void }): ReactNode {
  return (
    <Dialog onClose={onClose} title="Keyboard shortcuts" wide>
      <div className="shortcuts">
        {GROUPS.map((group) => (
          <section key={group.title}>
            <h3>{group.title}</h3>
            <dl>
              {group.keys.map(([keys, meaning]) => (
                <div key={keys}>
                  <dt>
                    {keys.split(' ').map((key) => (
                      <kbd key={key}>{key}</kbd>
                    ))}
                  </dt>
                  <dd>{meaning}</dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
    </Dialog>
  );
}
