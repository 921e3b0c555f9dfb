// The fields of one log line, with what can be done about each.

import { useState, type ReactNode } from 'react';
import { Icon } from '../../components/Icon';
import { copyText } from '../../components/ShareButton';
import { isObject, parseJson } from '../../lib/json';
import type { LogLine } from './lines';

export interface LogDetailsProps {
  readonly line: LogLine;
  readonly columns: readonly string[];
  readonly onColumn: (name: string) => void;
  readonly onFilter?: (label: string, value: string, operator: '=' | '!=') => void;
}

/** Fields of a JSON line that the query has not taken out itself. */
export function parsedFields(line: LogLine): [string, string][] {
  const parsed = parseJson(line.text);
  if (!isObject(parsed)) return [];
  return Object.entries(parsed)
    .filter(([name]) => !Object.hasOwn(line.labels, name))
    .map(([name, value]) => [name, typeof value === 'string' ? value : JSON.stringify(value)]);
}

export function LogDetails({ line, columns, onColumn, onFilter }: LogDetailsProps): ReactNode {
  const [copied, setCopied] = useState(false);
  const fields = Object.entries(line.labels).sort(([a], [b]) => a.localeCompare(b));
  return (
    <div className="log-details">
      <table aria-label="Fields of the line">
        <tbody>
          {fields.map(([name, value]) => (
            <tr key={name}>
              <td className="log-details-actions">
                {onFilter !== undefined && (
                  <>
                    <button
                      aria-label={`Filter for ${name}`}
                      onClick={() => onFilter(name, value, '=')}
                      title="Filter for this value"
                      type="button"
                    >
                      <Icon name="plus" size={14} />
                    </button>
                    <button
                      aria-label={`Filter out ${name}`}
                      onClick={() => onFilter(name, value, '!=')}
                      title="Filter out this value"
                      type="button"
                    >
                      <Icon name="minus" size={14} />
                    </button>
                  </>
                )}
                <button
                  aria-label={`Show ${name} as column`}
                  aria-pressed={columns.includes(name)}
                  onClick={() => onColumn(name)}
                  title="Show as column"
                  type="button"
                >
                  <Icon name="columns" size={14} />
                </button>
                <button
                  aria-label={`Copy ${name}`}
                  onClick={() => void copyText(value)}
                  title="Copy the value"
                  type="button"
                >
                  <Icon name="copy" size={14} />
                </button>
              </td>
              <th scope="row">{name}</th>
              <td className="log-details-value">{value}</td>
            </tr>
          ))}
          {parsedFields(line).map(([name, value]) => (
            <tr key={name}>
              <td className="log-details-actions">
                <button
                  aria-label={`Copy ${name}`}
                  onClick={() => void copyText(value)}
                  title="Copy the value"
                  type="button"
                >
                  <Icon name="copy" size={14} />
                </button>
              </td>
              <th className="muted" scope="row">
                {name}
              </th>
              <td className="log-details-value">{value}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <button className="button" onClick={() => void copyText(line.text).then(setCopied)} type="button">
        <Icon name="copy" size={14} />
        {copied ? 'Copied' : 'Copy line'}
      </button>
    </div>
  );
}
