// The bar over every page: where one is, and what can be done here.

import { useEffect, type ReactNode } from 'react';
import { Link } from 'react-router';

export interface TopBarProps {
  readonly path?: readonly { readonly label: string; readonly to: string }[];
  readonly title: string;
  readonly children?: ReactNode;
}

export function TopBar({ path = [], title, children }: TopBarProps): ReactNode {
  useEffect(() => {
    document.title = `${title} – Observability`;
  }, [title]);
  return (
    <header className="top-bar">
      <nav aria-label="Path" className="top-bar-path">
        {path.map((step) => (
          <span key={step.to + step.label}>
            <Link to={step.to}>{step.label}</Link>
            <span aria-hidden="true" className="top-bar-slash">
              /
            </span>
          </span>
        ))}
        <h1 className="truncate">{title}</h1>
      </nav>
      <div className="top-bar-actions">{children}</div>
    </header>
  );
}
