// Words on a dashboard: Markdown, HTML or code, sanitised.

import { marked } from 'marked';
import { useMemo, type ReactNode } from 'react';
import { SafeHtml } from '../../components/SafeHtml';
import { interpolate } from '../../dashboard/variables/interpolate';
import { asString } from '../../lib/json';
import type { PanelProps } from '../types';

export function TextPanel({ panel, lookup }: PanelProps): ReactNode {
  const mode = asString(panel.options['mode'], 'markdown');
  const content = asString(panel.options['content']);
  const text = useMemo(() => interpolate(content, lookup), [content, lookup]);
  const html = useMemo(() => (mode === 'html' ? text : marked.parse(text, { async: false, gfm: true })), [mode, text]);
  if (mode === 'code') return <pre className="text-code">{text}</pre>;
  return <SafeHtml className="text-panel" html={html} />;
}
