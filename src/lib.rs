//! cordon compiles one readable policy of zones, device classes and allowed peers into firewall configurations.
//!
//! The modules stand in the order in which data flows; each imports only those above it. See ARCHITECTURE.md.

mod parallel;
pub mod source;
pub mod edit;
pub mod diag;
pub mod set;
pub mod syntax;
pub mod format;
pub mod ir;
pub mod inventory;
pub mod check;
pub mod plan;
pub mod emit;
pub mod read;
pub mod prove;
pub mod report;
pub mod diff;
pub mod query;
pub mod flows;
pub mod simulate;
pub mod observe;
pub mod deploy;
pub mod testing;
pub mod refactor;
pub mod cli;
