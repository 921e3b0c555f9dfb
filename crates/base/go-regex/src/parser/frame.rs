//! One open group on the parser's stack.

use regex_syntax::hir::Hir;

use super::Flags;
use super::node::{Item, Node};
use crate::error::ErrorKind;

/// What the parenthesis opened.
#[derive(Debug, Clone, Copy)]
pub(super) enum Group {
    /// `(?:…)`, or the pattern itself.
    Plain,
    /// `(…)`, with its number.
    Capture(u32),
}

/// Branches that are complete and the one being read.
#[derive(Debug)]
pub(super) struct Frame {
    group: Group,
    /// The flags to return to when the group ends.
    pub flags: Flags,
    branches: Vec<Node>,
    /// The pieces of the branch being read; the last one is what a repetition applies to.
    pub sequence: Vec<Item>,
}

impl Frame {
    pub fn new(group: Group, flags: Flags) -> Frame {
        Frame { group, flags, branches: Vec::new(), sequence: Vec::new() }
    }

    /// Ends the branch being read, at a `|` or at the end of the group.
    pub fn close_branch(&mut self) -> Result<(), ErrorKind> {
        let node = Node::concat(std::mem::take(&mut self.sequence));
        node.check()?;
        // `a||||b` has one empty branch, not three: keeps a row of bars cheap.
        let repeats_empty = is_empty(&node) && self.branches.last().is_some_and(is_empty);
        if !repeats_empty {
            self.branches.push(node);
        }
        Ok(())
    }

    /// Ends the group.
    pub fn close(mut self) -> Result<Node, ErrorKind> {
        self.close_branch()?;
        let node = Node::alternate(self.branches);
        let node = match self.group {
            Group::Plain => node,
            Group::Capture(index) => node.capture(index),
        };
        node.check()?;
        Ok(node)
    }
}

fn is_empty(node: &Node) -> bool {
    node.hir == Hir::empty()
}
