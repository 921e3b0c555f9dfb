// Calm boxes for the states a page can be in: nothing there, something wrong.

import type { ReactNode } from 'react';
import { Icon } from './Icon';

export interface EmptyStateProps {
  readonly title: string;
  readonly children?: ReactNode;
}

export function EmptyState({ title, children }: EmptyStateProps): ReactNode {
  return (
    <div className="empty">
      <h2>{title}</h2>
      {children !== undefined && <div className="empty-body">{children}</div>}
    </div>
  );
}

export interface ErrorNoticeProps {
  readonly title: string;
  /** the server's own words */
  readonly message: string;
  readonly query?: string;
  readonly onRetry?: () => void;
}

export function ErrorNotice({ title, message, query, onRetry }: ErrorNoticeProps): ReactNode {
  return (
    <div className="error-notice" role="alert">
      <Icon name="warning" />
      <div className="error-notice-body">
        <strong>{title}</strong>
        <p>{message}</p>
        {query !== undefined && query !== '' && <pre>{query}</pre>}
        {onRetry !== undefined && (
          <button className="button" onClick={onRetry} type="button">
            Try again
          </button>
        )}
      </div>
    </div>
  );
}

/** A thin bar along the upper edge while something loads. */
export function LoadingBar({ active }: { readonly active: boolean }): ReactNode {
  return active ? <div aria-label="Loading" className="loading-bar" role="progressbar" /> : null;
}
