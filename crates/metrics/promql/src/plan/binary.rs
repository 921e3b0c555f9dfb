//! Plans of binary operators.

use model::METRIC_NAME;
use vector::{BinaryOp, Cardinality, Comparison, Kept, Matching, SetOp};

use super::{
    ScalarBinary, VectorBinary, VectorKind, VectorOp,
    build::{Builder, Built, METADATA_LABELS},
};
use crate::{
    engine::EngineError,
    syntax::{self, Card, Expr, Operator, ValueType},
};

impl Builder {
    pub(super) fn binary(&self, binary: &syntax::Binary) -> Built<VectorKind> {
        let scalar = |expr: &Expr| expr.value_type() == ValueType::Scalar;
        let Some(matching) = &binary.matching else {
            let scalar_left = scalar(&binary.lhs);
            let (vector, number) = match scalar_left {
                true => (&binary.rhs, &binary.lhs),
                false => (&binary.lhs, &binary.rhs),
            };
            let kept = if scalar_left { Kept::Right } else { Kept::Left };
            return Ok(VectorKind::ScalarBinary(Box::new(ScalarBinary {
                op: vector_op(binary.op)?,
                comparison: if binary.return_bool { Comparison::Bool } else { Comparison::Filter(kept) },
                vector: self.vector(vector, "")?,
                scalar: self.scalar(number)?,
                scalar_left,
            })));
        };
        let (left, right) = (self.vector(&binary.lhs, "")?, self.vector(&binary.rhs, "")?);
        let unmatched = vec![METRIC_NAME.to_owned()];
        let set = match binary.op {
            Operator::And => Some(SetOp::And),
            Operator::Or => Some(SetOp::Or),
            Operator::Unless => Some(SetOp::Unless),
            _ => None,
        };
        let mut rules = Matching {
            on: matching.on,
            labels: matching.labels.clone(),
            cardinality: match matching.card {
                Card::ManyToOne => Cardinality::ManyToOne,
                Card::OneToMany => Cardinality::OneToMany,
                Card::OneToOne | Card::ManyToMany => Cardinality::OneToOne,
            },
            include: matching.include.clone(),
            fill_left: matching.fill_left,
            fill_right: matching.fill_right,
            unmatched,
            dropped: Vec::new(),
        };
        if let Some(op) = set {
            return Ok(VectorKind::Set {
                op,
                key: rules.key(),
                left: Box::new(left),
                right: Box::new(right),
            });
        }
        let op = vector_op(binary.op)?;
        let changes_meaning = matches!(op, VectorOp::Number(op, _) if !op.is_comparison());
        if changes_meaning || (binary.return_bool && !self.context.delayed_name_removal) {
            rules.dropped = METADATA_LABELS.map(str::to_owned).to_vec();
        }
        Ok(VectorKind::Binary(Box::new(VectorBinary {
            op,
            return_bool: binary.return_bool,
            matching: rules,
            left,
            right,
        })))
    }
}

pub(super) fn number_op(op: Operator) -> Option<BinaryOp> {
    Some(match op {
        Operator::Add => BinaryOp::Add,
        Operator::Sub => BinaryOp::Sub,
        Operator::Mul => BinaryOp::Mul,
        Operator::Div => BinaryOp::Div,
        Operator::Mod => BinaryOp::Mod,
        Operator::Pow => BinaryOp::Pow,
        Operator::Atan2 => BinaryOp::Atan2,
        Operator::Equal => BinaryOp::Equal,
        Operator::NotEqual => BinaryOp::NotEqual,
        Operator::Greater => BinaryOp::Greater,
        Operator::GreaterOrEqual => BinaryOp::GreaterOrEqual,
        Operator::Less => BinaryOp::Less,
        Operator::LessOrEqual => BinaryOp::LessOrEqual,
        Operator::TrimUpper | Operator::TrimLower | Operator::And | Operator::Or | Operator::Unless => {
            return None;
        }
    })
}

fn vector_op(op: Operator) -> Built<VectorOp> {
    match op {
        Operator::TrimUpper | Operator::TrimLower => Ok(VectorOp::Trim(op.as_str())),
        op => number_op(op)
            .map(|number| VectorOp::Number(number, op.as_str()))
            .ok_or_else(|| not_allowed(op, "operations between Vectors")),
    }
}

pub(super) fn not_allowed(op: Operator, place: &str) -> EngineError {
    EngineError::execution(format!("operator {} not allowed for {place}", model::quote(op.as_str())))
}
