// A query field with completion of metrics, labels and functions.

import {
  useDeferredValue,
  useId,
  useLayoutEffect,
  useMemo,
  useRef,
  useState,
  type KeyboardEvent,
  type ReactNode,
} from 'react';
import type { DataSource } from '../../api/types/settings';
import {
  completionContext,
  LOGQL_WORDS,
  PROMQL_WORDS,
  rankCompletions,
  type CompletionContext,
} from '../../lib/query/completion';
import type { TimeRange } from '../../lib/time/range';
import { useLabelNames, useLabelValues, useMetricNames } from '../../model/prometheus-client';

export interface QueryEditorProps {
  readonly value: string;
  readonly source: DataSource | undefined;
  readonly range: TimeRange;
  readonly onChange: (value: string) => void;
  readonly onRun: () => void;
}

const MAX_COMPLETIONS = 12;
const MAX_ROWS = 12;

export function QueryEditor({ value, source, range, onChange, onRun }: QueryEditorProps): ReactNode {
  const field = useRef<HTMLTextAreaElement>(null);
  const [context, setContext] = useState<CompletionContext>();
  const [active, setActive] = useState(0);
  const listId = useId();
  const nextCursor = useRef<number>(undefined);
  const isLoki = source?.type === 'loki';

  const metrics = useMetricNames(source, range);
  const labels = useLabelNames(source, range);
  const label = useDeferredValue(context?.label ?? '');
  const values = useLabelValues(source, label, range);
  const items = useMemo(() => {
    if (context === undefined) return [];
    const words: Readonly<Record<CompletionContext['kind'], readonly string[]>> = {
      none: [],
      word: isLoki ? LOGQL_WORDS : [...metrics, ...PROMQL_WORDS],
      labelName: labels,
      labelValue: values,
    };
    const ranked = rankCompletions(words[context.kind], context.prefix, MAX_COMPLETIONS);
    return ranked.length === 1 && ranked[0] === context.prefix ? [] : ranked;
  }, [context, isLoki, metrics, labels, values]);

  useLayoutEffect(() => {
    const cursor = nextCursor.current;
    if (cursor === undefined) return;
    nextCursor.current = undefined;
    field.current?.setSelectionRange(cursor, cursor);
  }, [value]);

  const accept = (item: string | undefined): void => {
    const end = field.current?.selectionStart;
    if (item === undefined || context === undefined || end === undefined) return;
    nextCursor.current = context.from + item.length;
    onChange(value.slice(0, context.from) + item + value.slice(end));
    setContext(undefined);
    field.current?.focus();
  };
  const onKeyDown = (event: KeyboardEvent<HTMLTextAreaElement>): void => {
    if (event.key === 'Enter' && (event.shiftKey || event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      setContext(undefined);
      onRun();
      return;
    }
    if (items.length === 0) return;
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      event.preventDefault();
      setActive((active + (event.key === 'ArrowDown' ? 1 : -1) + items.length) % items.length);
    } else if (event.key === 'Tab' || event.key === 'Enter') {
      event.preventDefault();
      accept(items[active] ?? items[0]);
    } else if (event.key === 'Escape') {
      event.preventDefault();
      setContext(undefined);
    }
  };
  const open = items.length > 0;
  return (
    <div className="query-editor">
      <textarea
        aria-activedescendant={open ? `${listId}-${active}` : undefined}
        aria-autocomplete="list"
        aria-controls={open ? listId : undefined}
        aria-expanded={open}
        aria-label="Query"
        autoCapitalize="off"
        autoComplete="off"
        className="mono"
        onBlur={() => setContext(undefined)}
        onChange={(event) => {
          onChange(event.target.value);
          setContext(completionContext(event.target.value, event.target.selectionStart));
          setActive(0);
        }}
        onClick={() => setContext(undefined)}
        onKeyDown={onKeyDown}
        placeholder={
          isLoki
            ? 'LogQL, such as {job="app"} |= "error"'
            : 'PromQL, such as sum by (job) (rate(http_requests_total[$__rate_interval]))'
        }
        ref={field}
        role="combobox"
        rows={Math.min(Math.max(value.split('\n').length, 2), MAX_ROWS)}
        spellCheck={false}
        value={value}
      />
      {open && (
        <ul aria-label="Completions" className="completions mono" id={listId} role="listbox">
          {items.map((item, index) => (
            <li
              aria-selected={index === active}
              id={`${listId}-${index}`}
              key={item}
              onPointerDown={(event) => {
                event.preventDefault();
                accept(item);
              }}
              role="option"
            >
              {item}
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
