//! From words to a tree: recursive descent for what begins with a word, precedence climbing for operators.
//!
//! Stops at the first error. Nesting is bounded, for trees are walked by recursion from here on.

mod duration;
mod modifier;
mod selector;

use super::{
    Aggregate, Binary, Call, Expr, ExprKind, Number, Operator, ParserOptions, Span, StringLiteral, Unary,
    error::Problem,
    functions::function,
    lexer::tokenize,
    literal,
    token::{Keyword, Kind, Token},
};

/// How deep expressions may nest, operators in a row included: three levels of recursion a node fit a thread's stack many times over.
pub const MAX_DEPTH: u32 = 250;

/// Binds tighter than every operator but `^`.
const UNARY_PRECEDENCE: u8 = 5;

type Parsed<T> = Result<T, Problem>;

pub(super) struct Parser<'a> {
    input: &'a str,
    options: ParserOptions,
    tokens: Vec<Token>,
    at: usize,
    depth: u32,
}

impl<'a> Parser<'a> {
    pub(super) fn new(input: &'a str, options: ParserOptions) -> Self {
        Self { input, options, tokens: tokenize(input), at: 0, depth: 0 }
    }

    /// The whole input as one expression.
    pub(super) fn parse_query(mut self) -> Parsed<Expr> {
        if *self.kind() == Kind::End {
            return Err(Problem::new(Span::default(), "no expression found in input"));
        }
        let expr = self.expression(0)?;
        self.expect_end()?;
        Ok(expr)
    }

    /// The whole input as one selector without modifiers.
    pub(super) fn parse_selector(mut self) -> Parsed<Expr> {
        let name = match self.kind() {
            Kind::LeftBrace => None,
            kind if kind.is_metric_name() => Some(self.advance()),
            _ => return Err(self.unexpected("", "")),
        };
        let expr = self.selector(name)?;
        self.expect_end()?;
        Ok(expr)
    }

    fn expect_end(&mut self) -> Parsed<()> {
        match self.kind() {
            Kind::End => Ok(()),
            _ => Err(self.unexpected("", "")),
        }
    }

    /// An expression of operators that bind at least as tightly as `least`.
    fn expression(&mut self, least: u8) -> Parsed<Expr> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(self.too_deep());
        }
        let mut left = self.operand()?;
        loop {
            if left.depth > MAX_DEPTH {
                return Err(self.too_deep());
            }
            let Kind::Operator(op) = *self.kind() else { break };
            let precedence = op.precedence();
            if precedence < least {
                break;
            }
            let op_span = self.advance();
            let (return_bool, matching) = self.binary_modifiers()?;
            let right_least = if op == Operator::Pow { precedence } else { precedence + 1 };
            let right = self.expression(right_least)?;
            let span = left.span.to(right.span);
            let op_span = Span::new(op_span.start, right.span.start);
            if !self.options.binop_fill_modifiers
                && (matching.fill_left.is_some() || matching.fill_right.is_some())
            {
                return Err(Problem::new(span, "binop fill modifiers are experimental and not enabled"));
            }
            let binary = Binary { op, lhs: left, rhs: right, return_bool, matching: Some(matching), op_span };
            left = Expr::new(ExprKind::Binary(Box::new(binary)), span);
        }
        self.depth -= 1;
        Ok(left)
    }

    /// What stands between operators: a beginning and the modifiers behind it.
    fn operand(&mut self) -> Parsed<Expr> {
        if let Kind::Operator(op @ (Operator::Add | Operator::Sub)) = *self.kind() {
            return self.unary(op == Operator::Sub);
        }
        let mut expr = self.primary()?;
        loop {
            match self.kind() {
                Kind::LeftBracket => expr = self.range_or_subquery(expr)?,
                Kind::Keyword(Keyword::Offset) => self.offset(&mut expr)?,
                Kind::At => self.at_modifier(&mut expr)?,
                Kind::Keyword(Keyword::Anchored) => self.extend_range(&mut expr, "anchored")?,
                Kind::Keyword(Keyword::Smoothed) => self.extend_range(&mut expr, "smoothed")?,
                _ => return Ok(expr),
            }
        }
    }

    fn unary(&mut self, negative: bool) -> Parsed<Expr> {
        let sign = self.advance();
        let expr = self.expression(UNARY_PRECEDENCE + 1)?;
        let span = sign.to(expr.span);
        if let ExprKind::Number(number) = expr.kind {
            let value = if negative { -number.value } else { number.value };
            return Ok(Expr::new(ExprKind::Number(Number { value, ..number }), span));
        }
        Ok(Expr::new(ExprKind::Unary(Box::new(Unary { negative, expr })), span))
    }

    fn primary(&mut self) -> Parsed<Expr> {
        match self.kind().clone() {
            Kind::Number | Kind::Duration => {
                let (number, span) = self.number()?;
                Ok(Expr::new(ExprKind::Number(number), span))
            }
            Kind::String => {
                let (bytes, span) = self.string()?;
                Ok(Expr::new(ExprKind::String(StringLiteral { bytes }), span))
            }
            Kind::LeftParen => {
                let open = self.advance();
                let inner = self.expression(0)?;
                let close = self.expect(&Kind::RightParen, "", "")?;
                Ok(Expr::new(ExprKind::Paren(Box::new(inner)), open.to(close)))
            }
            Kind::LeftBrace => self.selector(None),
            Kind::Aggregator(_)
                if matches!(
                    self.kind_after(),
                    Kind::LeftParen | Kind::Keyword(Keyword::By | Keyword::Without)
                ) =>
            {
                self.aggregate()
            }
            Kind::Identifier if *self.kind_after() == Kind::LeftParen => self.call(),
            Kind::Keyword(
                Keyword::Start
                | Keyword::End
                | Keyword::Step
                | Keyword::Range
                | Keyword::MaxOf
                | Keyword::MinOf,
            ) if *self.kind_after() == Kind::LeftParen => self.call(),
            kind if kind.is_metric_name() => {
                let span = self.advance();
                self.selector(Some(span))
            }
            _ => Err(self.unexpected("", "")),
        }
    }

    fn call(&mut self) -> Parsed<Expr> {
        let name_span = self.advance();
        let name = self.text(name_span);
        let args = self.arguments()?;
        let Some(function) = function(name) else {
            let name = model::quote(name);
            return Err(Problem::new(name_span, format!("unknown function with name {name}")));
        };
        if function.experimental && !self.options.experimental_functions {
            let name = model::quote(name);
            return Err(Problem::new(name_span, format!("function {name} is not enabled")));
        }
        let span = name_span.to(self.previous());
        Ok(Expr::new(ExprKind::Call(Call { function, args }), span))
    }

    fn aggregate(&mut self) -> Parsed<Expr> {
        let Kind::Aggregator(op) = *self.kind() else {
            return Err(self.unexpected("aggregation", ""));
        };
        let start = self.advance();
        let mut grouping = self.aggregate_grouping()?;
        if *self.kind() != Kind::LeftParen {
            return Err(self.unexpected("aggregation", ""));
        }
        let mut args = self.arguments()?;
        if grouping.is_none() {
            grouping = self.aggregate_grouping()?;
        }
        let span = start.to(self.previous());
        let problem = |message: String| Err(Problem::new(span, message));
        if args.is_empty() {
            return problem("no arguments for aggregate expression provided".to_owned());
        }
        if op.is_experimental() && !self.options.experimental_functions {
            return problem(format!(
                "{}() is experimental and must be enabled with --enable-feature=promql-experimental-functions",
                op.as_str()
            ));
        }
        let wanted = if op.takes_parameter() { 2 } else { 1 };
        if args.len() != wanted {
            return problem(format!(
                "wrong number of arguments for aggregate expression provided, expected {wanted}, got {}",
                args.len()
            ));
        }
        let expr = args.remove(wanted - 1);
        let (without, grouping) = grouping.unwrap_or_default();
        let aggregate = Aggregate { op, expr, param: args.pop(), grouping, without };
        Ok(Expr::new(ExprKind::Aggregate(Box::new(aggregate)), span))
    }

    /// `by (…)` or `without (…)`, if it stands here.
    fn aggregate_grouping(&mut self) -> Parsed<Option<(bool, Vec<String>)>> {
        let without = match self.kind() {
            Kind::Keyword(Keyword::By) => false,
            Kind::Keyword(Keyword::Without) => true,
            _ => return Ok(None),
        };
        self.advance();
        Ok(Some((without, self.grouping_labels()?)))
    }

    fn arguments(&mut self) -> Parsed<Vec<Expr>> {
        self.expect(&Kind::LeftParen, "", "")?;
        let mut args = Vec::new();
        if *self.kind() == Kind::RightParen {
            self.advance();
            return Ok(args);
        }
        loop {
            args.push(self.expression(0)?);
            match self.kind() {
                Kind::Comma => {
                    let comma = self.advance();
                    if matches!(self.kind(), Kind::RightParen | Kind::Comma) {
                        return Err(Problem::new(comma, "trailing commas not allowed in function call args"));
                    }
                }
                Kind::RightParen => {
                    self.advance();
                    return Ok(args);
                }
                _ => return Err(self.unexpected("", "")),
            }
        }
    }

    /// A number or a duration, the latter in seconds.
    fn number(&mut self) -> Parsed<(Number, Span)> {
        let is_duration = *self.kind() == Kind::Duration;
        let span = self.advance();
        let text = self.text(span);
        let value = if is_duration {
            literal::parse_duration(text).map(|millis| millis as f64 / 1000.0)
        } else {
            literal::parse_number(text)
        };
        match value {
            Ok(value) => Ok((Number { value, is_duration }, span)),
            Err(message) => Err(Problem::new(span, message)),
        }
    }

    fn string(&mut self) -> Parsed<(Vec<u8>, Span)> {
        let span = self.advance();
        let text = self.text(span);
        match literal::unquote(text) {
            Some(bytes) => Ok((bytes, span)),
            None => {
                let message = format!("error unquoting string {}: invalid syntax", model::quote(text));
                Err(Problem::new(span, message))
            }
        }
    }

    // Words.

    fn token(&self) -> &Token {
        &self.tokens[self.at]
    }

    fn kind(&self) -> &Kind {
        &self.token().kind
    }

    /// The word after the current one.
    fn kind_after(&self) -> &Kind {
        let last = self.tokens.len() - 1;
        &self.tokens[(self.at + 1).min(last)].kind
    }

    /// Goes on to the next word; the end stays where it is.
    fn advance(&mut self) -> Span {
        let span = self.token().span;
        if self.at + 1 < self.tokens.len() {
            self.at += 1;
        }
        span
    }

    fn expect(&mut self, kind: &Kind, context: &str, expected: &str) -> Parsed<Span> {
        if self.kind() == kind { Ok(self.advance()) } else { Err(self.unexpected(context, expected)) }
    }

    /// Where the word before the current one stands.
    fn previous(&self) -> Span {
        self.tokens[self.at.saturating_sub(1)].span
    }

    fn text(&self, span: Span) -> &'a str {
        &self.input[span.start..span.end]
    }

    fn unexpected(&self, context: &str, expected: &str) -> Problem {
        let token = self.token();
        if let Kind::Error(message) = &token.kind {
            return Problem::new(token.span, message.clone());
        }
        let mut message = format!("unexpected {}", token.kind.describe(self.text(token.span)));
        if !context.is_empty() {
            message.push_str(" in ");
            message.push_str(context);
        }
        if !expected.is_empty() {
            message.push_str(", expected ");
            message.push_str(expected);
        }
        Problem::new(token.span, message)
    }

    fn too_deep(&self) -> Problem {
        Problem::new(
            self.token().span,
            format!("expression is nested too deeply, the limit is {MAX_DEPTH} levels"),
        )
    }
}
