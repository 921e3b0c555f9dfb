//! Tokens into trees.

use std::sync::Arc;

use super::ast::{Branch, Command, Node, Operand, Pipe, Source, Term, Tree};
use super::lexer::{Keyword, Kind, Token, tokenize};
use super::number;
use crate::format::quote;

/// The longest text of a template, in bytes.
const MAX_TEXT_BYTES: usize = 4 << 20;

/// How deeply actions and parentheses may be nested. Go allows 10,000; each level costs stack here as there.
const MAX_NESTING: usize = 100;

/// A text that is no template: `template: name:line: message`, as Go has it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ParseError {
    message: String,
    line: usize,
}

impl ParseError {
    /// The line of the text, from 1.
    pub fn line(&self) -> usize {
        self.line
    }
}

/// Parses a text into the template of that name and those that it defines.
pub(crate) fn parse(
    name: &str,
    text: &str,
    has_function: &dyn Fn(&str) -> bool,
) -> Result<Vec<Tree>, ParseError> {
    if text.len() > MAX_TEXT_BYTES {
        return Err(ParseError {
            message: format!("template: {name}:1: text exceeds {MAX_TEXT_BYTES} bytes"),
            line: 1,
        });
    }
    let source = Arc::new(Source { name: name.into(), text: text.into() });
    let parser = Parser {
        source,
        tokens: tokenize(text),
        next: 0,
        furthest: 0,
        has_function,
        variables: vec!["$".into()],
        range_depth: 0,
        nesting: 0,
        action_line: 0,
        trees: Vec::new(),
    };
    parser.parse(name)
}

struct Parser<'f> {
    source: Arc<Source>,
    tokens: Vec<Token>,
    next: usize,
    /// The last token that was looked at: errors name its line.
    furthest: usize,
    has_function: &'f dyn Fn(&str) -> bool,
    variables: Vec<Box<str>>,
    range_depth: usize,
    nesting: usize,
    action_line: usize,
    trees: Vec<Tree>,
}

type Parsed<T> = Result<T, ParseError>;

/// What ended a list of nodes.
enum Terminator {
    End,
    Else,
}

impl Terminator {
    fn text(&self) -> &'static str {
        match self {
            Terminator::End => "{{end}}",
            Terminator::Else => "{{else}}",
        }
    }
}

enum Item {
    Node(Node),
    Terminator(Terminator),
}

impl Parser<'_> {
    fn parse(mut self, name: &str) -> Parsed<Vec<Tree>> {
        let mut root = Vec::new();
        while self.peek().kind != Kind::End {
            if self.peek().kind == Kind::LeftDelimiter {
                let hold = self.next;
                self.take();
                if self.take_non_space().kind == Kind::Keyword(Keyword::Define) {
                    self.definition()?;
                    continue;
                }
                self.next = hold;
            }
            match self.text_or_action()? {
                Item::Node(node) => root.push(node),
                Item::Terminator(terminator) => {
                    return Err(self.error(format!("unexpected {}", terminator.text())));
                }
            }
        }
        self.add(name.into(), root)?;
        Ok(self.trees)
    }

    // === tokens ===

    fn token_at(&mut self, index: usize) -> &Token {
        let last = self.tokens.len() - 1;
        self.furthest = self.furthest.max(index.min(last));
        &self.tokens[index.min(last)]
    }

    fn peek(&mut self) -> &Token {
        self.token_at(self.next)
    }

    fn take(&mut self) -> Token {
        let token = self.peek().clone();
        self.next += 1;
        token
    }

    fn take_non_space(&mut self) -> Token {
        self.skip_space();
        self.take()
    }

    fn peek_non_space(&mut self) -> &Token {
        self.skip_space();
        self.peek()
    }

    fn skip_space(&mut self) {
        while self.peek().kind == Kind::Space {
            self.next += 1;
        }
    }

    fn expect(&mut self, kind: Kind, context: &str) -> Parsed<Token> {
        let token = self.take_non_space();
        if token.kind == kind { Ok(token) } else { Err(self.unexpected(&token, context)) }
    }

    fn error(&self, message: impl std::fmt::Display) -> ParseError {
        let line = self.tokens.get(self.furthest).map_or(1, |token| token.line);
        ParseError { message: format!("template: {}:{line}: {message}", self.source.name), line }
    }

    fn unexpected(&self, token: &Token, context: &str) -> ParseError {
        if token.kind != Kind::Error {
            return self.error(format!("unexpected {} in {context}", token.describe()));
        }
        if self.action_line == 0 || self.action_line == token.line {
            return self.error(&token.text);
        }
        let place = format!("started at {}:{}", self.source.name, self.action_line);
        if token.text.ends_with(" action") {
            self.error(format!("{} {place}", token.text))
        } else {
            self.error(format!("{} in action {place}", token.text))
        }
    }

    /// Runs `inner` one level deeper.
    fn nested<T>(&mut self, inner: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        if self.nesting == MAX_NESTING {
            return Err(self.error("max expression depth exceeded"));
        }
        self.nesting += 1;
        let result = inner(self);
        self.nesting -= 1;
        result
    }

    // === definitions ===

    /// Keeps a tree unless it is empty and another has that name.
    fn add(&mut self, name: Arc<str>, root: Vec<Node>) -> Parsed<()> {
        let tree = Tree { name, source: Arc::clone(&self.source), root };
        let Some(at) = self.trees.iter().position(|other| other.name == tree.name) else {
            self.trees.push(tree);
            return Ok(());
        };
        if self.trees[at].is_empty() {
            self.trees[at] = tree;
        } else if !tree.is_empty() {
            return Err(self.error(format!("template: multiple definition of template {:?}", tree.name)));
        }
        Ok(())
    }

    /// Reads a list with its own variables, up to `{{end}}`, and keeps it as a template.
    fn own_tree(&mut self, name: &str, context: &str) -> Parsed<()> {
        let variables = std::mem::replace(&mut self.variables, vec!["$".into()]);
        let range_depth = std::mem::replace(&mut self.range_depth, 0);
        let (root, terminator) = self.nested(Self::item_list)?;
        if let Terminator::Else = terminator {
            return Err(self.error(format!("unexpected {} in {context}", terminator.text())));
        }
        self.variables = variables;
        self.range_depth = range_depth;
        self.add(name.into(), root)
    }

    fn definition(&mut self) -> Parsed<()> {
        let context = "define clause";
        let token = self.take_non_space();
        let name = self.template_name(&token, context)?;
        self.expect(Kind::RightDelimiter, context)?;
        self.own_tree(&name, context)
    }

    fn template_name(&mut self, token: &Token, context: &str) -> Parsed<String> {
        match token.kind {
            Kind::Str | Kind::RawString => {
                quote::unquote(&token.text).ok_or_else(|| self.error("invalid syntax"))
            }
            _ => Err(self.unexpected(token, context)),
        }
    }

    // === lists and actions ===

    fn item_list(&mut self) -> Parsed<(Vec<Node>, Terminator)> {
        let mut nodes = Vec::new();
        while self.peek_non_space().kind != Kind::End {
            match self.text_or_action()? {
                Item::Node(node) => nodes.push(node),
                Item::Terminator(terminator) => return Ok((nodes, terminator)),
            }
        }
        Err(self.error("unexpected EOF"))
    }

    fn text_or_action(&mut self) -> Parsed<Item> {
        let token = self.take_non_space();
        match token.kind {
            Kind::Text => Ok(Item::Node(Node::Text(token.text.into()))),
            Kind::LeftDelimiter => {
                self.action_line = token.line;
                let item = self.action();
                self.action_line = 0;
                item
            }
            _ => Err(self.unexpected(&token, "input")),
        }
    }

    fn action(&mut self) -> Parsed<Item> {
        let token = self.take_non_space();
        let node = match token.kind {
            Kind::Keyword(Keyword::Else) => return self.else_control(),
            Kind::Keyword(Keyword::End) => {
                self.expect(Kind::RightDelimiter, "end")?;
                return Ok(Item::Terminator(Terminator::End));
            }
            Kind::Keyword(Keyword::Block) => self.block_control()?,
            Kind::Keyword(Keyword::Template) => self.template_control()?,
            Kind::Keyword(Keyword::If) => Node::If(self.branch(Some(Keyword::If), "if")?),
            Kind::Keyword(Keyword::With) => Node::With(self.branch(Some(Keyword::With), "with")?),
            Kind::Keyword(Keyword::Range) => Node::Range(self.branch(None, "range")?),
            Kind::Keyword(Keyword::Break) => self.leave_range("break", Node::Break)?,
            Kind::Keyword(Keyword::Continue) => self.leave_range("continue", Node::Continue)?,
            _ => {
                self.next -= 1;
                Node::Action(self.pipeline("command", Kind::RightDelimiter)?)
            }
        };
        Ok(Item::Node(node))
    }

    fn else_control(&mut self) -> Parsed<Item> {
        // `{{else if …}}` is read by the branch that it belongs to.
        if !matches!(self.peek_non_space().kind, Kind::Keyword(Keyword::If | Keyword::With)) {
            self.expect(Kind::RightDelimiter, "else")?;
        }
        Ok(Item::Terminator(Terminator::Else))
    }

    fn leave_range(&mut self, word: &str, node: Node) -> Parsed<Node> {
        let token = self.take_non_space();
        if token.kind != Kind::RightDelimiter {
            return Err(self.unexpected(&token, &format!("{{{{{word}}}}}")));
        }
        if self.range_depth == 0 {
            return Err(self.error(format!("{{{{{word}}}}} outside {{{{range}}}}")));
        }
        Ok(node)
    }

    /// `if`, `with` (either may be chained by `else`) or `range`.
    fn branch(&mut self, chained: Option<Keyword>, context: &str) -> Parsed<Branch> {
        let variables = self.variables.len();
        let pipe = self.pipeline(context, Kind::RightDelimiter)?;
        let is_range = chained.is_none();
        self.range_depth += usize::from(is_range);
        let (body, terminator) = self.nested(Self::item_list)?;
        self.range_depth -= usize::from(is_range);
        let otherwise = match (terminator, chained) {
            (Terminator::End, _) => None,
            (Terminator::Else, Some(keyword)) if self.peek().kind == Kind::Keyword(keyword) => {
                self.take();
                let branch = self.nested(|parser| parser.branch(chained, context))?;
                Some(vec![if keyword == Keyword::If { Node::If(branch) } else { Node::With(branch) }])
            }
            (Terminator::Else, _) => {
                if matches!(self.peek().kind, Kind::Keyword(_)) {
                    let token = self.take();
                    return Err(self.unexpected(&token, "else"));
                }
                let (nodes, terminator) = self.nested(Self::item_list)?;
                if let Terminator::Else = terminator {
                    return Err(self.error(format!("expected end; found {}", terminator.text())));
                }
                Some(nodes)
            }
        };
        self.variables.truncate(variables);
        Ok(Branch { pipe, body, otherwise })
    }

    fn block_control(&mut self) -> Parsed<Node> {
        let context = "block clause";
        let token = self.take_non_space();
        let name = self.template_name(&token, context)?;
        let pipe = self.pipeline(context, Kind::RightDelimiter)?;
        self.own_tree(&name, context)?;
        Ok(Node::Template { pos: token.pos, name: name.into(), pipe: Some(pipe) })
    }

    fn template_control(&mut self) -> Parsed<Node> {
        let context = "template clause";
        let token = self.take_non_space();
        let name = self.template_name(&token, context)?;
        let pipe = if self.take_non_space().kind == Kind::RightDelimiter {
            None
        } else {
            self.next -= 1;
            Some(self.pipeline(context, Kind::RightDelimiter)?)
        };
        Ok(Node::Template { pos: token.pos, name: name.into(), pipe })
    }

    // === pipelines ===

    fn pipeline(&mut self, context: &str, end: Kind) -> Parsed<Pipe> {
        let mut pipe = Pipe {
            pos: self.peek_non_space().pos,
            declared: Vec::new(),
            assigns: false,
            commands: Vec::new(),
        };
        self.declarations(context, &mut pipe)?;
        loop {
            let token = self.take_non_space();
            match token.kind {
                kind if kind == end => break,
                Kind::Bool
                | Kind::Character
                | Kind::Field
                | Kind::Identifier
                | Kind::Number
                | Kind::RawString
                | Kind::Str
                | Kind::Variable
                | Kind::LeftParen
                | Kind::Keyword(Keyword::Dot | Keyword::Nil) => {
                    self.next -= 1;
                    pipe.commands.push(self.command()?);
                }
                _ => return Err(self.unexpected(&token, context)),
            }
        }
        if pipe.commands.is_empty() {
            return Err(self.error(format!("missing value for {context}")));
        }
        for (index, command) in pipe.commands.iter().enumerate().skip(1) {
            if command.operands.first().is_some_and(|operand| operand.term.is_literal()) {
                return Err(self.error(format!("non executable command in pipeline stage {}", index + 1)));
            }
        }
        Ok(pipe)
    }

    /// `$x :=`, `$x =`, `$i, $x :=`
    fn declarations(&mut self, context: &str, pipe: &mut Pipe) -> Parsed<()> {
        loop {
            if self.peek_non_space().kind != Kind::Variable {
                return Ok(());
            }
            let hold = self.next;
            let variable = self.take();
            let kind = self.peek_non_space().kind;
            let is_comma = kind == Kind::Char && self.peek().text == ",";
            if !is_comma && !matches!(kind, Kind::Assign | Kind::Declare) {
                self.next = hold;
                return Ok(());
            }
            self.take();
            let name: Box<str> = variable.text.into();
            pipe.declared.push(name.clone());
            self.variables.push(name);
            if !is_comma {
                pipe.assigns = kind == Kind::Assign;
                return Ok(());
            }
            if context != "range" || pipe.declared.len() >= 2 {
                return Err(self.error(format!("too many declarations in {context}")));
            }
            if !matches!(self.peek_non_space().kind, Kind::Variable | Kind::RightDelimiter | Kind::RightParen)
            {
                return Err(self.error("range can only initialize variables"));
            }
        }
    }

    fn command(&mut self) -> Parsed<Command> {
        let pos = self.peek_non_space().pos;
        let mut operands = Vec::new();
        loop {
            self.skip_space();
            if let Some(operand) = self.operand()? {
                operands.push(operand);
            }
            let token = self.take();
            match token.kind {
                Kind::Space => continue,
                Kind::RightDelimiter | Kind::RightParen => self.next -= 1,
                Kind::Pipe => {}
                _ => return Err(self.unexpected(&token, "operand")),
            }
            break;
        }
        if operands.is_empty() {
            return Err(self.error("empty command"));
        }
        Ok(Command { pos, operands })
    }

    /// A term with the fields behind it.
    fn operand(&mut self) -> Parsed<Option<Operand>> {
        let Some(base) = self.term()? else { return Ok(None) };
        if self.peek().kind != Kind::Field {
            return Ok(Some(base));
        }
        let pos = self.peek().pos;
        let mut more: Vec<Box<str>> = Vec::new();
        while self.peek().kind == Kind::Field {
            let token = self.take();
            more.push(token.text.trim_start_matches('.').into());
        }
        if base.term.is_literal() {
            return Err(
                self.error(format!("unexpected . after term {}", quote::quote(&base.to_string(), false)))
            );
        }
        let term = match base.term {
            Term::Field(mut fields) => {
                fields.extend(more);
                Term::Field(fields)
            }
            Term::Variable { name, mut fields } => {
                fields.extend(more);
                Term::Variable { name, fields }
            }
            _ => Term::Chain { base: Box::new(base), fields: more },
        };
        Ok(Some(Operand { pos, term }))
    }

    fn term(&mut self) -> Parsed<Option<Operand>> {
        let token = self.take_non_space();
        let term = match token.kind {
            Kind::Identifier => {
                if !(self.has_function)(&token.text) {
                    return Err(self.error(format!("function {:?} not defined", token.text)));
                }
                Term::Function(token.text.into())
            }
            Kind::Keyword(Keyword::Dot) => Term::Dot,
            Kind::Keyword(Keyword::Nil) => Term::Nil,
            Kind::Variable => {
                if !self.variables.iter().any(|name| **name == *token.text) {
                    return Err(self.error(format!("undefined variable {:?}", token.text)));
                }
                Term::Variable { name: token.text.into(), fields: Vec::new() }
            }
            Kind::Field => Term::Field(vec![token.text.trim_start_matches('.').into()]),
            Kind::Bool => Term::Bool(token.text == "true"),
            Kind::Character | Kind::Number => {
                Term::Number(number::parse(&token.text).map_err(|message| self.error(message))?)
            }
            Kind::LeftParen => {
                let pipe =
                    self.nested(|parser| parser.pipeline("parenthesized pipeline", Kind::RightParen))?;
                return Ok(Some(Operand { pos: pipe.pos, term: Term::Pipe(Box::new(pipe)) }));
            }
            Kind::Str | Kind::RawString => match quote::unquote(&token.text) {
                Some(text) => Term::Str { quoted: token.text.into(), text: text.into() },
                None => return Err(self.error("invalid syntax")),
            },
            _ => {
                self.next -= 1;
                return Ok(None);
            }
        };
        Ok(Some(Operand { pos: token.pos, term }))
    }
}
