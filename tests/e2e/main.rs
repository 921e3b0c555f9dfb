//! The programs as their users run them: real processes, free ports, temporary folders.

mod alerts;
mod browser;
mod crash;
mod process;
mod seed;
mod stack;
