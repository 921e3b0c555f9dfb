//! What is wrong with a pipeline's configuration.

/// Why a pipeline cannot be built.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// A stage is not a map with one key.
    #[error("pipeline_stages[{at}]: pipeline stage must contain only one key")]
    Shape {
        /// Its place in the list, from 0.
        at: usize,
    },
    /// A stage's configuration does not hold.
    #[error("pipeline_stages[{at}]: invalid {stage} stage config")]
    Stage {
        /// Its place in the list, from 0.
        at: usize,
        /// Its name.
        stage: String,
        /// What is wrong.
        source: StageError,
    },
    /// More stages, or stages in stages, than anybody writes.
    #[error("pipeline has too many stages: at most {most} in a list, {depth} levels deep")]
    TooLarge {
        /// Most stages in a list.
        most: usize,
        /// Most levels of `match`.
        depth: usize,
    },
}

/// What is wrong with one stage.
#[derive(Debug, thiserror::Error)]
pub enum StageError {
    /// A key is missing, of the wrong type, or contradicts another.
    #[error("{0}")]
    Invalid(String),
    /// The configuration is not of the stage's shape.
    #[error("unexpected shape")]
    Shape(#[source] serde_yaml::Error),
    /// A regular expression.
    #[error("could not compile regular expression")]
    Regex(#[from] go_regex::Error),
    /// A template.
    #[error("could not parse template")]
    Template(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// No stage of that name exists.
    #[error("unknown stage type")]
    Unknown,
    /// A stage or an option of the original that is not there yet.
    #[error("not supported yet: {0}")]
    NotSupported(String),
    /// Stages of a `match`.
    #[error("stages of the match stage")]
    Nested(#[source] Box<BuildError>),
}

impl StageError {
    pub(crate) fn invalid(text: impl Into<String>) -> Self {
        Self::Invalid(text.into())
    }
}
