//! From text to syntax tree.
//!
//! In: one file. Out: its [`ast::File`] and everything that is wrong with its form. Parsing goes on after a mistake,
//! so one run shows all of them. Depth and size are bounded, and no input makes it panic.

pub mod ast;
mod block;
mod clauses;
mod error;
mod lexical;
mod outline;
mod parse;
mod parts;
mod statements;

pub use lexical::{MAX_NAME_BYTES, valid_name};
pub use outline::{ClauseOutline, StatementOutline, outline};
pub use parse::parse;
pub use parts::{Part, Parts, is_reserved, parts};

/// The parser that is generated from the grammar. Kept apart since it cannot document its rules.
#[allow(missing_docs, reason = "the derive cannot document the rules that it generates")]
mod grammar {
    /// The generated parser.
    #[derive(pest_derive::Parser)]
    #[grammar = "../grammar/cordon.pest"]
    pub(super) struct Grammar;
}
