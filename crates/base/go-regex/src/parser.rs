//! Parses Go's regular expression syntax (Perl flavour) into the automaton's intermediate form.
//!
//! The parser keeps a stack of open groups instead of recursing, so nesting costs heap, not stack. Its order of
//! checks is that of Go's parser, because the order decides which of several errors the user sees.

mod class;
mod escape;
mod frame;
mod node;
mod unicode;

#[cfg(test)]
mod tests;

use regex_syntax::hir::{Class, ClassUnicode, Dot, Hir, Look};

use self::frame::{Frame, Group};
use self::node::{Item, Node};
use crate::error::{Error, ErrorKind};

/// The longest pattern that is looked at, in bytes. Go has no such limit; 1 MiB is far beyond what people write.
const MAX_PATTERN_BYTES: usize = 1 << 20;

/// The most character ranges all classes of one pattern may hold together (8 bytes each).
const MAX_CLASS_RANGES: usize = 4 << 20;

/// The most pieces (classes, assertions, groups, repetitions; literal text is one piece) of one pattern.
const MAX_PIECES: usize = 256 << 10;

/// Go's limit for one repetition count and for the product of nested ones.
const MAX_REPEAT: u32 = 1000;

/// A pattern that has been understood.
#[derive(Debug)]
pub(crate) struct Parsed {
    /// What to match.
    pub hir: Hir,
    /// One entry a group, in the order of their opening parentheses, the whole match first. Go allows two groups of
    /// one name, the automaton does not: so names are kept here and not in `hir`.
    pub names: Vec<Option<Box<str>>>,
}

/// Parses `pattern`; `dot_matches_newline` is the flag `s` at the start.
pub(crate) fn parse(pattern: &str, dot_matches_newline: bool) -> Result<Parsed, Error> {
    if pattern.len() > MAX_PATTERN_BYTES {
        // The pattern itself would be a megabyte of error text.
        let head = pattern.chars().take(64).collect::<String>();
        return Err(Error::new(ErrorKind::Large, &format!("{head}…")));
    }
    let flags =
        Flags { fold_case: false, one_line: true, dot_newline: dot_matches_newline, swap_greed: false };
    Parser::new(pattern, flags).parse()
}

#[derive(Debug, Clone, Copy)]
struct Flags {
    /// `i`
    fold_case: bool,
    /// not `m`
    one_line: bool,
    /// `s`
    dot_newline: bool,
    /// `U`
    swap_greed: bool,
}

struct Parser<'p> {
    whole: &'p str,
    /// What is still to be read; always a suffix of `whole`.
    rest: &'p str,
    flags: Flags,
    /// Open groups; the first is the pattern itself.
    frames: Vec<Frame>,
    names: Vec<Option<Box<str>>>,
    class_ranges: usize,
    pieces: usize,
}

impl<'p> Parser<'p> {
    fn new(whole: &'p str, flags: Flags) -> Parser<'p> {
        Parser {
            whole,
            rest: whole,
            flags,
            frames: vec![Frame::new(Group::Plain, flags)],
            names: vec![None],
            class_ranges: 0,
            pieces: 0,
        }
    }

    fn parse(mut self) -> Result<Parsed, Error> {
        // The text from the previous token on, if that token was a repetition.
        let mut last_repeat = None;
        while let Some(&byte) = self.rest.as_bytes().first() {
            let token = self.rest;
            let mut repeated = false;
            match byte {
                b'(' => self.open_group()?,
                b'|' => {
                    self.advance(1);
                    self.close_branch()?;
                }
                b')' => self.close_group()?,
                b'^' => {
                    let look = if self.flags.one_line { Look::Start } else { Look::StartLF };
                    self.push_look(1, look)?;
                }
                b'$' => {
                    let look = if self.flags.one_line { Look::End } else { Look::EndLF };
                    self.push_look(1, look)?;
                }
                b'.' => {
                    let dot = if self.flags.dot_newline { Dot::AnyChar } else { Dot::AnyCharExceptLF };
                    self.advance(1);
                    self.push(Item::Node(Node::leaf(Hir::dot(dot))))?;
                }
                b'[' => self.class()?,
                b'*' => repeated = self.repeat_operator(0, None, 1, last_repeat)?,
                b'+' => repeated = self.repeat_operator(1, None, 1, last_repeat)?,
                b'?' => repeated = self.repeat_operator(0, Some(1), 1, last_repeat)?,
                b'{' => repeated = self.counted_repeat(last_repeat)?,
                b'\\' => self.backslash()?,
                _ => {
                    let char = self.next_char();
                    self.push_literal(char)?;
                }
            }
            last_repeat = repeated.then_some(token);
        }
        if self.frames.len() != 1 {
            return Err(self.whole_error(ErrorKind::MissingParen));
        }
        let Some(frame) = self.frames.pop() else {
            return Err(self.whole_error(ErrorKind::MissingParen));
        };
        let node = frame.close().map_err(|kind| self.whole_error(kind))?;
        Ok(Parsed { hir: node.hir, names: self.names })
    }

    // === the text ===

    fn advance(&mut self, bytes: usize) {
        self.rest = self.rest.get(bytes..).unwrap_or("");
    }

    /// Takes one character; the caller knows that there is one.
    fn next_char(&mut self) -> char {
        let mut chars = self.rest.chars();
        let char = chars.next().unwrap_or(char::REPLACEMENT_CHARACTER);
        self.rest = chars.as_str();
        char
    }

    /// What was read since the rest of the text was `from`.
    fn read_since(&self, from: &'p str) -> &'p str {
        from.get(..from.len() - self.rest.len()).unwrap_or(from)
    }

    fn whole_error(&self, kind: ErrorKind) -> Error {
        Error::new(kind, self.whole)
    }

    // === the stack ===

    fn push(&mut self, item: Item) -> Result<(), Error> {
        if matches!(item, Item::Node(_)) {
            self.pieces += 1;
            if self.pieces > MAX_PIECES {
                return Err(self.whole_error(ErrorKind::Large));
            }
        }
        if let Some(frame) = self.frames.last_mut() {
            frame.sequence.push(item);
        }
        Ok(())
    }

    fn push_look(&mut self, bytes: usize, look: Look) -> Result<(), Error> {
        self.advance(bytes);
        self.push(Item::Node(Node::leaf(Hir::look(look))))
    }

    fn push_literal(&mut self, char: char) -> Result<(), Error> {
        if self.flags.fold_case
            && let Some(class) = unicode::folded(char)
        {
            return self.push(Item::Node(Node::leaf(Hir::class(Class::Unicode(class)))));
        }
        self.push(Item::Literal(char))
    }

    fn push_class(&mut self, class: ClassUnicode) -> Result<(), Error> {
        self.class_ranges += class.ranges().len();
        if self.class_ranges > MAX_CLASS_RANGES {
            return Err(self.whole_error(ErrorKind::Large));
        }
        self.push(Item::Node(Node::leaf(Hir::class(Class::Unicode(class)))))
    }

    fn close_branch(&mut self) -> Result<(), Error> {
        if let Some(frame) = self.frames.last_mut() {
            frame.close_branch().map_err(|kind| Error::new(kind, self.whole))?;
        }
        Ok(())
    }

    // === groups ===

    fn open_group(&mut self) -> Result<(), Error> {
        if self.rest.starts_with("(?") {
            return self.perl_group();
        }
        self.advance(1);
        self.open_capture(None);
        Ok(())
    }

    fn open_capture(&mut self, name: Option<&str>) {
        let index = u32::try_from(self.names.len()).unwrap_or(u32::MAX);
        self.names.push(name.map(Box::from));
        self.frames.push(Frame::new(Group::Capture(index), self.flags));
    }

    fn close_group(&mut self) -> Result<(), Error> {
        self.advance(1);
        if self.frames.len() < 2 {
            return Err(self.whole_error(ErrorKind::UnexpectedParen));
        }
        let Some(frame) = self.frames.pop() else {
            return Err(self.whole_error(ErrorKind::UnexpectedParen));
        };
        self.flags = frame.flags;
        let node = frame.close().map_err(|kind| self.whole_error(kind))?;
        self.push(Item::Node(node))
    }

    /// `(?P<name>`, `(?<name>`, `(?flags)`, `(?flags:`.
    fn perl_group(&mut self) -> Result<(), Error> {
        let from = self.rest;
        let bytes = from.as_bytes();
        let name_at = match (bytes.get(2), bytes.get(3)) {
            (Some(b'P'), Some(b'<')) if bytes.len() > 4 => Some(4),
            (Some(b'<'), Some(_)) => Some(3),
            _ => None,
        };
        if let Some(name_at) = name_at {
            let Some(end) = from.find('>') else {
                return Err(Error::new(ErrorKind::InvalidNamedCapture, from));
            };
            self.advance(end + 1);
            let name = from.get(name_at..end).unwrap_or("");
            if name.is_empty() || !name.bytes().all(|byte| byte == b'_' || byte.is_ascii_alphanumeric()) {
                return Err(Error::new(ErrorKind::InvalidNamedCapture, self.read_since(from)));
            }
            self.open_capture(Some(name));
            return Ok(());
        }

        self.advance(2);
        let mut flags = self.flags;
        let mut on = true;
        let mut saw_flag = false;
        while !self.rest.is_empty() {
            match self.next_char() {
                'i' => flags.fold_case = on,
                'm' => flags.one_line = !on,
                's' => flags.dot_newline = on,
                'U' => flags.swap_greed = on,
                '-' if on => {
                    on = false;
                    saw_flag = false;
                    continue;
                }
                end @ (':' | ')') if on || saw_flag => {
                    if end == ':' {
                        self.frames.push(Frame::new(Group::Plain, self.flags));
                    }
                    self.flags = flags;
                    return Ok(());
                }
                _ => break,
            }
            saw_flag = true;
        }
        Err(Error::new(ErrorKind::InvalidPerlOp, self.read_since(from)))
    }

    // === repetitions ===

    /// `{n}`, `{n,}`, `{n,m}`; a brace that is none of these is a literal. True if it was a repetition.
    fn counted_repeat(&mut self, last_repeat: Option<&'p str>) -> Result<bool, Error> {
        let Some(count) = node::Count::parse(self.rest) else {
            self.advance(1);
            self.push_literal('{')?;
            return Ok(false);
        };
        let too_big = |bound: u32| bound > MAX_REPEAT;
        if too_big(count.min) || count.max.is_some_and(|max| too_big(max) || count.min > max) {
            let text = self.rest.get(..count.bytes).unwrap_or(self.rest);
            return Err(Error::new(ErrorKind::InvalidRepeatSize, text));
        }
        self.repeat(count.min, count.max, count.bytes, last_repeat, true)
    }

    fn repeat_operator(
        &mut self,
        min: u32,
        max: Option<u32>,
        bytes: usize,
        last_repeat: Option<&'p str>,
    ) -> Result<bool, Error> {
        self.repeat(min, max, bytes, last_repeat, false)
    }

    fn repeat(
        &mut self,
        min: u32,
        max: Option<u32>,
        bytes: usize,
        last_repeat: Option<&'p str>,
        counted: bool,
    ) -> Result<bool, Error> {
        let from = self.rest;
        self.advance(bytes);
        let mut greedy = !self.flags.swap_greed;
        if self.rest.starts_with('?') {
            self.advance(1);
            greedy = !greedy;
        }
        if let Some(last_repeat) = last_repeat {
            return Err(Error::new(ErrorKind::InvalidRepeatOp, self.read_since(last_repeat)));
        }
        let operator = self.read_since(from);
        let Some(item) = self.frames.last_mut().and_then(|frame| frame.sequence.pop()) else {
            return Err(Error::new(ErrorKind::MissingRepeatArgument, operator));
        };
        let node = item.into_node().repeat(min, max, greedy, counted);
        node.check().map_err(|kind| self.whole_error(kind))?;
        if counted && (min >= 2 || max.is_some_and(|max| max >= 2)) && node.repeats > MAX_REPEAT {
            return Err(Error::new(ErrorKind::InvalidRepeatSize, operator));
        }
        self.push(Item::Node(node))?;
        Ok(true)
    }
}
