// What could stand where the cursor is, in PromQL and LogQL.

export type CompletionKind = 'none' | 'word' | 'labelName' | 'labelValue';

export interface CompletionContext {
  readonly kind: CompletionKind;
  /** what has been typed of it */
  readonly prefix: string;
  /** where it begins */
  readonly from: number;
  /** for label values: of which label */
  readonly label: string;
}

const WORD_END = /[a-zA-Z_:][\w:.]*$/;

export const PROMQL_WORDS: readonly string[] = (
  'sum avg min max count stddev stdvar topk bottomk quantile count_values group by without on ignoring group_left group_right ' +
  'rate irate increase delta idelta deriv predict_linear histogram_quantile histogram_avg histogram_count histogram_sum ' +
  'abs absent absent_over_time ceil floor round clamp clamp_max clamp_min exp ln log2 log10 sqrt sgn sort sort_desc ' +
  'label_replace label_join time timestamp vector scalar changes resets offset bool and or unless ' +
  'avg_over_time min_over_time max_over_time sum_over_time count_over_time quantile_over_time stddev_over_time ' +
  'last_over_time present_over_time day_of_month day_of_week days_in_month hour minute month year'
).split(' ');

export const LOGQL_WORDS: readonly string[] = (
  'rate count_over_time bytes_rate bytes_over_time sum_over_time avg_over_time min_over_time max_over_time first_over_time ' +
  'last_over_time quantile_over_time stddev_over_time stdvar_over_time absent_over_time sum avg min max count topk bottomk sort ' +
  'sort_desc by without json logfmt pattern regexp unpack line_format label_format unwrap decolorize drop keep ip duration bytes'
).split(' ');

interface Open {
  readonly char: string;
  readonly at: number;
}

export function completionContext(text: string, cursor: number): CompletionContext {
  const before = text.slice(0, cursor);
  const { stack, quoteAt } = scan(before);
  const inside = stack[stack.length - 1];
  const none: CompletionContext = { kind: 'none', prefix: '', from: cursor, label: '' };
  if (quoteAt !== -1) {
    if (inside?.char !== '{') return none;
    const label = /([a-zA-Z_]\w*)\s*(=|!=|=~|!~)\s*$/.exec(before.slice(inside.at + 1, quoteAt))?.[1];
    return label === undefined
      ? none
      : { kind: 'labelValue', prefix: before.slice(quoteAt + 1), from: quoteAt + 1, label };
  }
  const prefix = WORD_END.exec(before)?.[0] ?? '';
  const from = cursor - prefix.length;
  if (inside?.char === '[' || /\d$/.test(before.slice(0, from))) return none;
  if (inside?.char === '{') {
    const ready = /[{,]\s*$/.test(before.slice(0, from));
    return ready ? { kind: 'labelName', prefix, from, label: '' } : none;
  }
  if (
    inside?.char === '(' &&
    /\b(by|without|on|ignoring|group_left|group_right)\s*$/.test(before.slice(0, inside.at))
  ) {
    return { kind: 'labelName', prefix, from, label: '' };
  }
  return prefix === '' ? none : { kind: 'word', prefix, from, label: '' };
}

/** Which brackets are open at the end of the text, and whether a string is. */
function scan(text: string): { stack: Open[]; quoteAt: number } {
  const stack: Open[] = [];
  for (let index = 0; index < text.length; index += 1) {
    const char = text[index] ?? '';
    if (char === '"' || char === "'" || char === '`') {
      const start = index;
      index += 1;
      while (index < text.length && text[index] !== char) index += text[index] === '\\' && char !== '`' ? 2 : 1;
      if (index >= text.length) return { stack, quoteAt: start };
    } else if (char === '#') {
      while (index < text.length && text[index] !== '\n') index += 1;
    } else if ('({['.includes(char)) {
      stack.push({ char, at: index });
    } else if (')}]'.includes(char)) {
      stack.pop();
    }
  }
  return { stack, quoteAt: -1 };
}

/** Those that begin with the prefix first, then those that contain it. */
export function rankCompletions(words: readonly string[], prefix: string, limit: number): string[] {
  const wanted = prefix.toLowerCase();
  const starting: string[] = [];
  const containing: string[] = [];
  for (const word of words) {
    const at = word.toLowerCase().indexOf(wanted);
    if (at === 0) starting.push(word);
    else if (at > 0) containing.push(word);
  }
  return [...new Set([...starting.sort((a, b) => a.length - b.length || a.localeCompare(b)), ...containing])].slice(
    0,
    limit,
  );
}
