// Title, marks and menu of a panel.

import type { ReactNode } from 'react';
import { Link, useNavigate } from 'react-router';
import { Icon } from '../../components/Icon';
import { Popover } from '../../components/Popover';
import type { Link as PanelLink } from '../../dashboard/model';

export interface PanelHeaderProps {
  readonly title: string;
  readonly description: string;
  readonly links: readonly PanelLink[];
  readonly warnings: readonly string[];
  readonly viewed: boolean;
  readonly exploreUrl: () => string | undefined;
  readonly onView: () => void;
  readonly onInspect: () => void;
}

/** Addresses a dashboard may link to: no `javascript:` and its kin. */
export function safeHref(url: string): string | undefined {
  return /^(https?:\/\/|mailto:|\/(?!\/)|\?|#|[\w-]+(\/|$|\?))/i.test(url.trim()) ? url.trim() : undefined;
}

export function PanelHeader(props: PanelHeaderProps): ReactNode {
  const { title, description, links, warnings, viewed, exploreUrl, onView, onInspect } = props;
  const navigate = useNavigate();
  return (
    <header className="panel-header">
      <h2 className="truncate" title={title}>
        {title}
      </h2>
      {description !== '' && (
        <Popover className="panel-mark" label={<Icon name="info" size={14} />} name="Description">
          {() => <p className="panel-note">{description}</p>}
        </Popover>
      )}
      {links.map((link) => {
        const href = safeHref(link.url);
        return href === undefined ? null : (
          <a
            aria-label={link.title || 'Link'}
            className="panel-mark"
            href={href}
            key={link.title + link.url}
            rel="noopener noreferrer"
            target={link.targetBlank ? '_blank' : undefined}
            title={link.title}
          >
            <Icon name="link" size={14} />
          </a>
        );
      })}
      {warnings.length > 0 && (
        <Popover className="panel-mark is-warning" label={<Icon name="warning" size={14} />} name="Warnings">
          {() => (
            <ul className="panel-note">
              {warnings.map((warning) => (
                <li key={warning}>{warning}</li>
              ))}
            </ul>
          )}
        </Popover>
      )}
      <span className="panel-header-gap" />
      <Popover
        align="end"
        className="panel-mark panel-menu"
        label={<Icon name="dots" />}
        name={`Menu of ${title === '' ? 'panel' : title}`}
      >
        {(close) => (
          <ul className="menu">
            <li>
              <button
                onClick={() => {
                  close();
                  onView();
                }}
                type="button"
              >
                <Icon name="expand" /> {viewed ? 'Back to dashboard' : 'View'} <kbd>v</kbd>
              </button>
            </li>
            <li>
              <button
                disabled={exploreUrl() === undefined}
                onClick={() => {
                  const url = exploreUrl();
                  if (url !== undefined) void navigate(url);
                }}
                type="button"
              >
                <Icon name="explore" /> Explore <kbd>e</kbd>
              </button>
            </li>
            <li>
              <button
                onClick={() => {
                  close();
                  onInspect();
                }}
                type="button"
              >
                <Icon name="info" /> Inspect
              </button>
            </li>
          </ul>
        )}
      </Popover>
    </header>
  );
}

/** Links of the dashboard itself. */
export function DashboardLinks({ links }: { readonly links: readonly PanelLink[] }): ReactNode {
  const shown = links.filter((link) => link.type === 'link');
  if (shown.length === 0) return null;
  return (
    <div className="dashboard-links">
      {shown.map((link) => {
        const href = safeHref(link.url);
        if (href === undefined) return null;
        return href.startsWith('/') ? (
          <Link className="button" key={link.title} to={href}>
            <Icon name="link" size={14} /> {link.title}
          </Link>
        ) : (
          <a
            className="button"
            href={href}
            key={link.title}
            rel="noopener noreferrer"
            target={link.targetBlank ? '_blank' : undefined}
          >
            <Icon name="link" size={14} /> {link.title}
          </a>
        );
      })}
    </div>
  );
}
