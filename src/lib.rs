//! cordon compiles one readable policy of zones, device classes and allowed peers into firewall configurations.
//!
//! The modules stand in the order in which data flows; each imports only those above it. See ARCHITECTURE.md.

pub mod check;
pub mod cli;
pub mod diag;
pub mod emit;
pub mod ir;
pub mod plan;
pub mod query;
pub mod report;
pub mod set;
pub mod source;
pub mod syntax;
