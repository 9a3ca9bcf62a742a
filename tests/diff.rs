//! `cordon diff`: exact rows for all packets, no rows for refactorings, and the command in a repository.

mod command;
pub(crate) mod example;
mod random;
