//! What in a policy somebody has to answer for: risks to data, rules wider than they need to be, and what is accepted.
#![allow(unused_assignments, reason = "the derive of miette assigns fields that it does not read")]

use miette::Diagnostic;
use thiserror::Error;

use crate::source::Span;

/// Something that is allowed, works, and deserves a second look.
#[derive(Error, Diagnostic, Debug)]
pub(super) enum CheckWarning {
    // --- what is accepted ---
    #[error("`{name}` accepts {code}, but nothing of that kind is found")]
    #[diagnostic(
        code(C0640),
        severity(Warning),
        help(
            "remove it; an acceptance that stands for nothing would cover a new risk that nobody has looked at"
        )
    )]
    AcceptsNothing {
        name: String,
        code: &'static str,
        #[label("accepts nothing")]
        span: Span,
    },
}
