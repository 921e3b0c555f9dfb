//! Tests of the programs as processes; see `e2e/`.
