// “Filter for” and “filter out”: a matcher worked into a log query.

const PARSER_STAGE = /\|\s*(json|logfmt|pattern|regexp|unpack|decolorize)\b/;
/** Not part of a stream, so no selector finds them. */
const METADATA = new Set(['detected_level', 'trace_id', 'span_id']);

function quote(value: string): string {
  return `"${value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`;
}

/** Where the first selector's closing brace is; strings are stepped over. */
function selectorEnd(expr: string): number {
  const open = expr.indexOf('{');
  if (open === -1) return -1;
  for (let index = open + 1; index < expr.length; index += 1) {
    const char = expr[index];
    if (char === '"' || char === '`') {
      index += 1;
      while (index < expr.length && expr[index] !== char) index += expr[index] === '\\' && char === '"' ? 2 : 1;
    } else if (char === '}') {
      return index;
    }
  }
  return -1;
}

/** Labels that a stage of the query made are filtered behind it, others in the stream selector. */
export function addFilter(expr: string, label: string, operator: '=' | '!=', value: string): string {
  const end = selectorEnd(expr);
  if (end === -1) return expr;
  const matcher = `${label}${operator}${quote(value)}`;
  const selector = expr.slice(expr.indexOf('{') + 1, end);
  const inSelector = new RegExp(`(^|[,\\s])${label.replace(/\W/g, '\\$&')}\\s*(=|!=|=~|!~)`).test(selector);
  if (selector.includes(matcher) || (!inSelector && expr.slice(end).includes(`| ${matcher}`))) return expr;
  if (!inSelector && (METADATA.has(label) || PARSER_STAGE.test(expr.slice(end))))
    return `${expr.trimEnd()} | ${matcher}`;
  const separator = selector.trim() === '' ? '' : ', ';
  return `${expr.slice(0, end).trimEnd()}${separator}${matcher}${expr.slice(end)}`;
}
