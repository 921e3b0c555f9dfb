//! Walking over a query.

use super::{Expr, ExprKind, VectorSelector};

impl Expr {
    /// The expressions directly below this one.
    pub fn children(&self) -> Vec<&Self> {
        match &self.kind {
            ExprKind::Number(_) | ExprKind::String(_) | ExprKind::Selector(_) | ExprKind::Matrix(_) => {
                Vec::new()
            }
            ExprKind::Subquery(subquery) => vec![&subquery.expr],
            ExprKind::Aggregate(aggregate) => {
                let mut children: Vec<&Self> = aggregate.param.iter().collect();
                children.push(&aggregate.expr);
                children
            }
            ExprKind::Binary(binary) => vec![&binary.lhs, &binary.rhs],
            ExprKind::Call(call) => call.args.iter().collect(),
            ExprKind::Paren(inner) => vec![inner],
            ExprKind::Unary(unary) => vec![&unary.expr],
        }
    }

    /// Calls `visit` for this expression and all below it, outer ones first, from left to right.
    pub fn walk<'a>(&'a self, visit: &mut impl FnMut(&'a Self)) {
        visit(self);
        for child in self.children() {
            child.walk(visit);
        }
    }

    /// All selectors, from left to right.
    pub fn selectors(&self) -> Vec<&VectorSelector> {
        let mut selectors = Vec::new();
        self.walk(&mut |expr| match &expr.kind {
            ExprKind::Selector(selector) => selectors.push(selector),
            ExprKind::Matrix(matrix) => selectors.push(&matrix.selector),
            _ => {}
        });
        selectors
    }
}
