// A button that opens a small sheet under it. Escape and clicks elsewhere close it; focus comes back to the button.

import { useEffect, useId, useRef, useState, type ReactNode } from 'react';

export interface PopoverProps {
  /** the button's accessible name */
  readonly name: string;
  readonly label: ReactNode;
  readonly className?: string;
  readonly align?: 'start' | 'end';
  readonly children: (close: () => void) => ReactNode;
  /** told about every change */
  readonly onOpenChange?: (open: boolean) => void;
}

export function Popover({
  name,
  label,
  className = 'button',
  align = 'start',
  children,
  onOpenChange,
}: PopoverProps): ReactNode {
  const [open, setOpen] = useState(false);
  const anchor = useRef<HTMLDivElement>(null);
  const id = useId();
  const buttonId = `${id}-button`;

  const change = (next: boolean): void => {
    setOpen(next);
    onOpenChange?.(next);
  };
  const close = (): void => {
    change(false);
    document.getElementById(buttonId)?.focus();
  };

  useEffect(() => {
    if (!open) return;
    const onPointer = (event: PointerEvent): void => {
      if (event.target instanceof Node && anchor.current?.contains(event.target) !== true) setOpen(false);
    };
    const onKey = (event: KeyboardEvent): void => {
      if (event.key !== 'Escape') return;
      event.stopPropagation();
      setOpen(false);
      document.getElementById(buttonId)?.focus();
    };
    document.addEventListener('pointerdown', onPointer);
    document.addEventListener('keydown', onKey, true);
    return () => {
      document.removeEventListener('pointerdown', onPointer);
      document.removeEventListener('keydown', onKey, true);
    };
  }, [open, buttonId]);

  return (
    <div className="popover-anchor" ref={anchor}>
      <button
        aria-controls={open ? id : undefined}
        aria-expanded={open}
        aria-label={name}
        className={className}
        id={buttonId}
        onClick={() => change(!open)}
        title={name}
        type="button"
      >
        {label}
      </button>
      {open && (
        <div className={`popover popover-${align}`} id={id}>
          {children(close)}
        </div>
      )}
    </div>
  );
}
