//! Why rows do not go together.

use model::Labels;

/// The side of a binary operation that a message is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Before the operator.
    Left,
    /// After the operator.
    Right,
}

impl Side {
    fn as_str(self) -> &'static str {
        match self {
            Self::Left => "left",
            Self::Right => "right",
        }
    }
}

/// Why series of two sides do not pair up. The texts are Prometheus', which Loki shares.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum MatchError {
    /// The side that should have one series a match group has two.
    #[error(
        "found duplicate series for the match group {group} on the {} hand-side of the operation: [{first}, {second}];many-to-many \
         matching not allowed: matching labels must be unique on one side",
        .side.as_str()
    )]
    DuplicateOnOneSide {
        /// The labels they share.
        group: Labels,
        /// Where they stand.
        side: Side,
        /// One of them.
        first: Labels,
        /// The other.
        second: Labels,
    },
    /// A one-to-one operation finds two series for one.
    #[error("multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)")]
    ImplicitManyToOne,
    /// Two series of the "many" side would get the same labels.
    #[error("multiple matches for labels: grouping labels must ensure unique matches")]
    GroupNotUnique,
}

/// Two series of a result have the same labels at the same step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("vector cannot contain metrics with the same labelset")]
pub struct SameLabelset;
