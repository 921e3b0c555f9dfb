//! Pieces of a pattern with the measures that Go's limits are about.

use regex_syntax::hir::{Capture, Hir, Repetition};

use crate::error::ErrorKind;

/// The tallest tree Go accepts.
const MAX_HEIGHT: u32 = 1000;

/// The largest program Go accepts, in instructions (128 MiB of them).
const MAX_SIZE: u64 = (128 << 20) / 40;

/// One piece of a branch. Characters stay characters until the branch ends, so that a long literal is one allocation.
#[derive(Debug)]
pub(super) enum Item {
    Literal(char),
    Node(Node),
}

impl Item {
    pub fn into_node(self) -> Node {
        match self {
            Item::Literal(char) => Node::literal(char.encode_utf8(&mut [0; 4])),
            Item::Node(node) => node,
        }
    }
}

/// How a node was made, to know what flattens into what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Concat,
    Alternate,
    Other,
}

/// A piece of the pattern and its measures in Go's tree.
#[derive(Debug)]
pub(super) struct Node {
    pub hir: Hir,
    kind: Kind,
    height: u32,
    /// Instructions of Go's program.
    size: u64,
    /// The largest product of nested repetition counts.
    pub repeats: u32,
}

impl Node {
    pub fn leaf(hir: Hir) -> Node {
        Node { hir, kind: Kind::Other, height: 1, size: 1, repeats: 1 }
    }

    fn literal(text: &str) -> Node {
        Node { size: text.chars().count().max(1) as u64, ..Node::leaf(Hir::literal(text.as_bytes())) }
    }

    pub fn concat(items: Vec<Item>) -> Node {
        let mut nodes = Vec::new();
        let mut text = String::new();
        for item in items {
            match item {
                Item::Literal(char) => text.push(char),
                Item::Node(node) => {
                    if !text.is_empty() {
                        nodes.push(Node::literal(&text));
                        text.clear();
                    }
                    nodes.push(node);
                }
            }
        }
        if !text.is_empty() {
            nodes.push(Node::literal(&text));
        }
        if nodes.is_empty() {
            return Node::leaf(Hir::empty());
        }
        Node::join(nodes, Kind::Concat, 0, Hir::concat)
    }

    pub fn alternate(nodes: Vec<Node>) -> Node {
        let jumps = nodes.len().saturating_sub(1) as u64;
        Node::join(nodes, Kind::Alternate, jumps, Hir::alternation)
    }

    fn join(mut nodes: Vec<Node>, kind: Kind, extra: u64, build: fn(Vec<Hir>) -> Hir) -> Node {
        if nodes.len() == 1
            && let Some(node) = nodes.pop()
        {
            return node;
        }
        let level = |node: &Node| if node.kind == kind { node.height - 1 } else { node.height };
        Node {
            kind,
            height: 1 + nodes.iter().map(level).max().unwrap_or(0),
            size: nodes.iter().fold(extra, |sum, node| sum.saturating_add(node.size)),
            repeats: nodes.iter().map(|node| node.repeats).max().unwrap_or(1),
            hir: build(nodes.into_iter().map(|node| node.hir).collect()),
        }
    }

    pub fn capture(self, index: u32) -> Node {
        let capture = Capture { index, name: None, sub: Box::new(self.hir) };
        Node {
            hir: Hir::capture(capture),
            kind: Kind::Other,
            height: self.height + 1,
            size: self.size.saturating_add(2),
            repeats: self.repeats,
        }
    }

    /// `counted` tells `x{0,1}` from `x?`: only the former takes part in the limit of nested counts.
    pub fn repeat(self, min: u32, max: Option<u32>, greedy: bool, counted: bool) -> Node {
        let size = match max {
            None if min == 0 => self.size.saturating_add(2),
            None => self.size.saturating_mul(u64::from(min)).saturating_add(1),
            Some(max) => (self.size.saturating_mul(u64::from(max))).saturating_add(u64::from(max - min)),
        };
        let repeats = match max {
            Some(0) => 1,
            _ if counted => self.repeats.saturating_mul(max.unwrap_or(min).max(1)),
            _ => self.repeats,
        };
        let repetition = Repetition { min, max, greedy, sub: Box::new(self.hir) };
        Node {
            hir: Hir::repetition(repetition),
            kind: Kind::Other,
            height: self.height + 1,
            size: size.max(1),
            repeats,
        }
    }

    pub fn check(&self) -> Result<(), ErrorKind> {
        if self.size > MAX_SIZE {
            return Err(ErrorKind::Large);
        }
        if self.height > MAX_HEIGHT {
            return Err(ErrorKind::NestingDepth);
        }
        Ok(())
    }
}

/// The numbers of `{n}`, `{n,}` or `{n,m}`.
#[derive(Debug)]
pub(super) struct Count {
    pub min: u32,
    pub max: Option<u32>,
    /// Length of the text with its braces.
    pub bytes: usize,
}

impl Count {
    /// `None` if `text` does not begin with a repetition in braces. Numbers too big for the type are `u32::MAX`.
    pub fn parse(text: &str) -> Option<Count> {
        let (min, rest) = number(text.strip_prefix('{')?)?;
        let (max, rest) = match rest.strip_prefix(',') {
            None => (Some(min), rest),
            Some(rest) if rest.starts_with('}') => (None, rest),
            Some(rest) => {
                let (max, rest) = number(rest)?;
                (Some(max), rest)
            }
        };
        let rest = rest.strip_prefix('}')?;
        Some(Count { min, max, bytes: text.len() - rest.len() })
    }
}

/// Decimal digits without leading zeros.
fn number(text: &str) -> Option<(u32, &str)> {
    let end = text.bytes().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len());
    let (digits, rest) = text.split_at_checked(end)?;
    if digits.is_empty() || (digits.len() > 1 && digits.starts_with('0')) {
        return None;
    }
    Some((digits.parse().unwrap_or(u32::MAX), rest))
}
