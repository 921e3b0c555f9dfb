// The controls of a dashboard's variables.

import { useState, type ReactNode } from 'react';
import { Icon } from '../../components/Icon';
import { Popover } from '../../components/Popover';
import { ALL_VALUE } from '../../dashboard/model';
import type { VariableState } from '../../dashboard/variables/resolve';

export interface VariableBarProps {
  readonly states: readonly VariableState[];
  readonly onChoose: (name: string, values: readonly string[]) => void;
}

const HIDE_LABEL = 1;
const HIDE_VARIABLE = 2;

export function VariableBar({ states, onChoose }: VariableBarProps): ReactNode {
  const shown = states.filter(({ variable }) => variable.hide !== HIDE_VARIABLE && variable.type !== 'constant');
  if (shown.length === 0) return null;
  return (
    <div aria-label="Variables" className="variables" role="group">
      {shown.map((state) => (
        <div className="variable" key={state.variable.name}>
          {state.variable.hide !== HIDE_LABEL && <span className="variable-label">{state.variable.label}</span>}
          <Control onChoose={(values) => onChoose(state.variable.name, values)} state={state} />
          {state.error !== undefined && (
            <span className="variable-error" title={state.error}>
              <Icon name="warning" />
              <span className="visually-hidden">{state.error}</span>
            </span>
          )}
        </div>
      ))}
    </div>
  );
}

interface ControlProps {
  readonly state: VariableState;
  readonly onChoose: (values: readonly string[]) => void;
}

function Control({ state, onChoose }: ControlProps): ReactNode {
  const { variable, selected } = state;
  if (variable.type === 'textbox') return <TextControl key={selected[0]} onChoose={onChoose} state={state} />;
  if (variable.type === 'other') return <span className="tag">{variable.kind} variables are not supported yet</span>;
  return <ChoiceControl onChoose={onChoose} state={state} />;
}

function TextControl({ state, onChoose }: ControlProps): ReactNode {
  const [text, setText] = useState(state.selected[0] ?? '');
  return (
    <input
      aria-label={state.variable.label}
      className="input variable-text"
      onBlur={() => {
        if (text !== (state.selected[0] ?? '')) onChoose([text]);
      }}
      onChange={(event) => setText(event.target.value)}
      onKeyDown={(event) => {
        if (event.key === 'Enter') onChoose([text]);
      }}
      value={text}
    />
  );
}

const MAX_SHOWN = 300;

function ChoiceControl({ state, onChoose }: ControlProps): ReactNode {
  const { variable, options, selected } = state;
  const all = variable.includeAll ? [{ text: 'All', value: ALL_VALUE }] : [];
  const texts = [...all, ...options].filter((option) => selected.includes(option.value)).map((option) => option.text);
  const label = texts.length > 0 ? texts.join(' + ') : selected.length > 0 ? selected.join(' + ') : 'None';
  return (
    <Popover
      className="button variable-button"
      label={
        <>
          <span className="truncate">{label}</span>
          <Icon name="chevronDown" size={12} />
        </>
      }
      name={`${variable.label}: ${label}`}
    >
      {(close) => <ChoiceList close={close} onChoose={onChoose} options={[...all, ...options]} state={state} />}
    </Popover>
  );
}

interface ChoiceListProps extends ControlProps {
  readonly options: readonly { readonly text: string; readonly value: string }[];
  readonly close: () => void;
}

/** The next selection when `value` is clicked in a variable with several. */
export function toggleChoice(selected: readonly string[], value: string): string[] {
  if (value === ALL_VALUE) return selected.includes(ALL_VALUE) ? [] : [ALL_VALUE];
  const others = selected.filter((item) => item !== ALL_VALUE);
  return others.includes(value) ? others.filter((item) => item !== value) : [...others, value];
}

function ChoiceList({ state, options, onChoose, close }: ChoiceListProps): ReactNode {
  const { variable, selected } = state;
  const [filter, setFilter] = useState('');
  const matching = options.filter((option) => option.text.toLowerCase().includes(filter.toLowerCase()));
  const pick = (value: string): void => {
    if (variable.multi) {
      onChoose(toggleChoice(selected, value));
      return;
    }
    onChoose([value]);
    close();
  };
  return (
    <div className="choice">
      {options.length > 8 && (
        <input
          aria-label={`Search ${variable.label}`}
          autoFocus
          className="input"
          onChange={(event) => setFilter(event.target.value)}
          onKeyDown={(event) => {
            const [first] = matching;
            if (event.key === 'Enter' && first !== undefined) pick(first.value);
          }}
          placeholder="Search"
          value={filter}
        />
      )}
      <ul className="menu" role="group">
        {matching.slice(0, MAX_SHOWN).map((option) => (
          <li key={option.value}>
            <button aria-pressed={selected.includes(option.value)} onClick={() => pick(option.value)} type="button">
              {variable.multi && (
                <input
                  checked={selected.includes(option.value)}
                  readOnly
                  tabIndex={-1}
                  type="checkbox"
                  aria-hidden="true"
                />
              )}
              <span className="truncate">{option.text}</span>
            </button>
          </li>
        ))}
        {matching.length === 0 && <li className="muted menu-note">No values</li>}
        {matching.length > MAX_SHOWN && (
          <li className="muted menu-note">{matching.length - MAX_SHOWN} more: search to narrow down</li>
        )}
      </ul>
    </div>
  );
}
