// Copies the address of what one sees, with the time range made absolute if wanted.

import { useState, type ReactNode } from 'react';
import type { TimeRange } from '../lib/time/range';
import { Icon } from './Icon';
import { Popover } from './Popover';

export interface ShareButtonProps {
  readonly range?: TimeRange;
}

export async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // Without https the clipboard is closed to us; a hidden field is not.
    const field = document.createElement('textarea');
    field.value = text;
    field.style.position = 'fixed';
    field.style.opacity = '0';
    document.body.append(field);
    field.select();
    const copied = document.execCommand('copy');
    field.remove();
    return copied;
  }
}

export function ShareButton({ range }: ShareButtonProps): ReactNode {
  const [lock, setLock] = useState(false);
  const [copied, setCopied] = useState<boolean>();
  const url = new URL(window.location.href);
  if (lock && range !== undefined) {
    url.searchParams.set('from', String(range.from));
    url.searchParams.set('to', String(range.to));
  }
  return (
    <Popover
      align="end"
      className="button button-icon"
      label={<Icon name="share" />}
      name="Share"
      onOpenChange={() => setCopied(undefined)}
    >
      {() => (
        <div className="share">
          <label className="field">
            <span>Link to this view</span>
            <input className="input mono" onFocus={(event) => event.target.select()} readOnly value={url.href} />
          </label>
          {range !== undefined && (
            <label className="check">
              <input checked={lock} onChange={(event) => setLock(event.target.checked)} type="checkbox" />
              Lock the time range
            </label>
          )}
          <button
            className="button button-primary"
            onClick={() => void copyText(url.href).then(setCopied)}
            type="button"
          >
            <Icon name="copy" />
            {copied === undefined ? 'Copy link' : copied ? 'Copied' : 'Copy it by hand'}
          </button>
        </div>
      )}
    </Popover>
  );
}
