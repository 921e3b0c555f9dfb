//! The grammar: `or := and {"||" and}`, `and := unary {"&&" unary}`, `unary := "!" unary | "(" or ")" | call`.

use crate::{
    RuleError, Span,
    lexer::{Token, tokens},
};

/// Longest rule that is read, in bytes.
const MAX_RULE_BYTES: usize = 64 << 10;
/// Deepest nesting of `!` and `(`.
const MAX_DEPTH: usize = 100;

/// A rule's syntax tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expr {
    /// All of them; at least two.
    And(Vec<Expr>),
    /// One of them; at least two.
    Or(Vec<Expr>),
    /// Not that.
    Not(Box<Expr>),
    /// A matcher.
    Call(Call),
}

/// ``Name(`argument`, …)``.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// The name as written.
    pub name: String,
    /// Where the name stands.
    pub name_span: Span,
    /// Its arguments, in order.
    pub arguments: Vec<Argument>,
    /// From the name to the closing parenthesis.
    pub span: Span,
}

/// One string.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Argument {
    /// Its value, escapes resolved.
    pub text: String,
    /// Where it stands, quotes included.
    pub span: Span,
}

/// Parses a rule. `&&` binds tighter than `||`.
///
/// # Errors
/// Anything that is not of the grammar, rules over 64 KiB and nesting over 100 levels.
pub fn parse(rule: &str) -> Result<Expr, RuleError> {
    if rule.len() > MAX_RULE_BYTES {
        return Err(RuleError::new(0..0, format!("the rule is longer than {MAX_RULE_BYTES} bytes")));
    }
    let mut parser = Parser { tokens: tokens(rule)?, at: 0 };
    let expr = parser.or(0)?;
    match parser.next() {
        (Token::End, _) => Ok(expr),
        (token, span) => Err(RuleError::new(
            span,
            format!("expected `&&`, `||` or the end of the rule, found {}", token.describe()),
        )),
    }
}

struct Parser {
    tokens: Vec<(Token, Span)>,
    at: usize,
}

impl Parser {
    fn peek(&self) -> &Token {
        self.tokens.get(self.at).map_or(&Token::End, |(token, _)| token)
    }

    fn next(&mut self) -> (Token, Span) {
        let end = self.tokens.len().saturating_sub(1);
        let found = self.tokens.get(self.at.min(end)).cloned().unwrap_or((Token::End, 0..0));
        self.at += 1;
        found
    }

    fn or(&mut self, depth: usize) -> Result<Expr, RuleError> {
        let mut parts = vec![self.and(depth)?];
        while *self.peek() == Token::Or {
            self.at += 1;
            parts.push(self.and(depth)?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Expr::Or(parts) })
    }

    fn and(&mut self, depth: usize) -> Result<Expr, RuleError> {
        let mut parts = vec![self.unary(depth)?];
        while *self.peek() == Token::And {
            self.at += 1;
            parts.push(self.unary(depth)?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Expr::And(parts) })
    }

    fn unary(&mut self, depth: usize) -> Result<Expr, RuleError> {
        let (token, span) = self.next();
        if depth > MAX_DEPTH {
            return Err(RuleError::new(span, format!("the rule nests deeper than {MAX_DEPTH} levels")));
        }
        match token {
            Token::Not => Ok(Expr::Not(Box::new(self.unary(depth + 1)?))),
            Token::Open => {
                let inner = self.or(depth + 1)?;
                self.expect(&Token::Close)?;
                Ok(inner)
            }
            Token::Word(name) => self.call(name, span),
            other => Err(RuleError::new(span, format!("expected a matcher, found {}", other.describe()))),
        }
    }

    fn call(&mut self, name: String, name_span: Span) -> Result<Expr, RuleError> {
        self.expect(&Token::Open)?;
        let mut arguments = Vec::new();
        let mut span = self.tokens.get(self.at).map_or(name_span.clone(), |(_, span)| span.clone());
        if *self.peek() == Token::Close {
            self.at += 1;
        } else {
            loop {
                match self.next() {
                    (Token::Text(text), span) => arguments.push(Argument { text, span }),
                    (token, span) => {
                        return Err(RuleError::new(
                            span,
                            format!(
                                "expected a string in backticks or double quotes, found {}",
                                token.describe()
                            ),
                        ));
                    }
                }
                match self.next() {
                    (Token::Comma, _) => {}
                    (Token::Close, close) => {
                        span = close;
                        break;
                    }
                    (token, span) => {
                        return Err(RuleError::new(
                            span,
                            format!("expected `,` or `)`, found {}", token.describe()),
                        ));
                    }
                }
            }
        }
        let span = name_span.start..span.end;
        Ok(Expr::Call(Call { name, name_span, arguments, span }))
    }

    fn expect(&mut self, want: &Token) -> Result<(), RuleError> {
        let (token, span) = self.next();
        if token == *want {
            return Ok(());
        }
        Err(RuleError::new(span, format!("expected {}, found {}", want.describe(), token.describe())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(expr: &Expr) -> String {
        let join = |parts: &[Expr]| parts.iter().map(shape).collect::<Vec<_>>().join(" ");
        match expr {
            Expr::And(parts) => format!("(and {})", join(parts)),
            Expr::Or(parts) => format!("(or {})", join(parts)),
            Expr::Not(inner) => format!("(not {})", shape(inner)),
            Expr::Call(call) => {
                let arguments: Vec<_> = call.arguments.iter().map(|a| a.text.as_str()).collect();
                format!("{}[{}]", call.name, arguments.join(","))
            }
        }
    }

    #[test]
    fn parses_the_grammar() {
        let check = |rule: &str, want: &str| assert_eq!(shape(&parse(rule).expect(rule)), want, "{rule}");
        check("Host(`a`)", "Host[a]");
        check("Host(\"a\\\"\\x62\\u0063\")", "Host[a\"bc]");
        check("A(`1`) && B(`2`) || C(`3`)", "(or (and A[1] B[2]) C[3])");
        check("A(`1`)||B(`2`)&&C(`3`)", "(or A[1] (and B[2] C[3]))");
        check("!(A(`1`) || !B(`x`, `y`))", "(not (or A[1] (not B[x,y])))");
        check(" Path ( `/` ) ", "Path[/]");
        check("Any()", "Any[]");
    }

    #[test]
    fn errors_name_the_place() {
        let check = |rule: &str, want: &str| {
            assert_eq!(parse(rule).expect_err(rule).to_string(), format!("invalid rule, {want}"), "{rule}");
        };
        check("", "column 1: expected a matcher, found the end of the rule");
        check("Host(`a`", "column 9: expected `,` or `)`, found the end of the rule");
        check("Host(`a", "column 6: the string is not closed, a backtick is missing");
        check("Host('a')", "column 6: single quotes do not make a string, use backticks or double quotes");
        check("Host(`a`) & B()", "column 11: expected `&&`");
        check("Host(`a`) B()", "column 11: expected `&&`, `||` or the end of the rule, found `B`");
        check("Host(a)", "column 6: expected a string in backticks or double quotes, found `a`");
        check("(Host(`a`)", "column 11: expected `)`, found the end of the rule");
        check("Host(\"\\q\")", "column 7: invalid escape in a string");
        check(&"!".repeat(200), &format!("column {}: the rule nests deeper than 100 levels", MAX_DEPTH + 2));
    }

    proptest::proptest! {
        #[test]
        fn never_panics(rule in ".{0,60}") {
            let _ = parse(&rule);
        }

        #[test]
        fn never_panics_on_near_rules(rule in "(Host|Path|!|\\(|\\)|&&|\\|\\||`a`|\"b\\\\\"|,| ){0,30}") {
            let _ = parse(&rule);
        }
    }
}
