//! What an operator's tools do with a data folder from outside: look at it, copy it, mend it.
//!
//! Looking takes no lock and changes nothing: another process may use the folder meanwhile. Mending takes the lock.

mod analyze;
mod list;
mod repair;
mod sandbox;

#[cfg(test)]
mod tests;

pub use analyze::{AnalyzeError, BlockAnalysis, analyze_block};
pub use list::{BlockListing, ListedBlock, list_blocks};
pub use repair::{Examination, Finding, Remedy, RepairError, Repaired, examine, repair};
pub use sandbox::{Sandbox, SandboxError};
