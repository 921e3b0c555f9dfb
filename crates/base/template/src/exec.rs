//! Running a template.

mod call;
mod error;
mod escape;
mod eval;
mod field;
mod limits;
mod run;

#[cfg(test)]
mod tests;

pub use call::Call;
pub use error::{ExecError, FunctionError};
pub use escape::{Escaper, TextEscaper};
pub use limits::{Execution, Limits, MissingKey};
pub(crate) use run::{Templates, run};
