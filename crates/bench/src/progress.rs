//! What is running and how far it is, on standard error.

use std::{
    io::{IsTerminal, Write},
    sync::atomic::{AtomicU64, Ordering},
};

/// One piece of work of a known size. Shared by the threads that do it.
#[derive(Debug)]
pub struct Progress {
    what: String,
    total: u64,
    done: AtomicU64,
    style: Style,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Style {
    #[cfg_attr(not(test), expect(dead_code, reason = "tests do not talk"))]
    Silent,
    /// A line that is overwritten, every percent.
    Terminal,
    /// A line every ten percent.
    Log,
}

impl Progress {
    /// Work called `what` of `total` units.
    pub fn new(what: String, total: u64) -> Self {
        let style = if std::io::stderr().is_terminal() { Style::Terminal } else { Style::Log };
        let progress = Self { what, total: total.max(1), done: AtomicU64::new(0), style };
        progress.show(0);
        progress
    }

    /// Says nothing.
    #[cfg(test)]
    pub fn silent() -> Self {
        Self { what: String::new(), total: 1, done: AtomicU64::new(0), style: Style::Silent }
    }

    /// Says that so many more units are done.
    pub fn advance(&self, units: u64) {
        let before = self.done.fetch_add(units, Ordering::Relaxed);
        let grain = if self.style == Style::Terminal { 100 } else { 10 };
        let part = |done: u64| done.min(self.total) * grain / self.total;
        if part(before + units) > part(before) {
            self.show(part(before + units) * 100 / grain);
        }
    }

    fn show(&self, percent: u64) {
        match self.style {
            Style::Silent => {}
            Style::Log => eprintln!("{} ... {percent} %", self.what),
            Style::Terminal => {
                let end = if percent == 100 { "\n" } else { "" };
                eprint!("\r{} ... {percent} %{end}", self.what);
                // Nothing depends on the line being seen.
                let _ = std::io::stderr().flush();
            }
        }
    }
}

/// Says something that takes a while and cannot be measured, or what came out.
pub fn say(text: impl std::fmt::Display) {
    eprintln!("{text}");
}
