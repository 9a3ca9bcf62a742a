//! All integration tests, in one binary so that they link once.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::wildcard_enum_match_arm,
    clippy::print_stderr,
    reason = "a test fails where it meets what it did not expect"
)]

mod apply;
mod inventory;
mod kernel;
mod support;
mod families;
mod sizes;
mod speed;
mod golden;
mod cisco;
mod scenario;
mod observe;
mod openings;
mod lints;
mod tidy;
mod ui;
mod read;
mod robust;
mod random;
mod cli;
mod formats;
mod explain;
mod explain_rule;
mod start;
mod topology;
mod custom_target;
mod pfsense;
mod posture;
mod report;
mod diff;
mod testing;
mod simulate;
mod refactor;
mod hazards;
mod redundancy;
mod verify;
mod mutation;
mod rules;
mod fuzz;
mod format;
