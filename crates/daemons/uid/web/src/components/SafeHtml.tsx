// Markup from outside, shown only after DOMPurify has been through it. The one place that sets inner HTML.

import DOMPurify from 'dompurify';
import { useEffect, useRef, type ReactNode } from 'react';

export interface SafeHtmlProps {
  readonly html: string;
  readonly className?: string;
}

export function SafeHtml({ html, className }: SafeHtmlProps): ReactNode {
  const element = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const target = element.current;
    if (target === null) return;
    const fragment = DOMPurify.sanitize(html, {
      RETURN_DOM_FRAGMENT: true,
      FORBID_TAGS: ['style', 'form', 'input', 'button', 'textarea', 'select'],
      FORBID_ATTR: ['style'],
    });
    for (const link of fragment.querySelectorAll('a[target]')) link.setAttribute('rel', 'noopener noreferrer');
    target.replaceChildren(fragment);
  }, [html]);
  return <div className={className} ref={element} />;
}
