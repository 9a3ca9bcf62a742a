//! `cordon diff`: exact rows for all packets, no rows for refactorings, and the command in a repository.

mod command;
mod example;
mod random;
