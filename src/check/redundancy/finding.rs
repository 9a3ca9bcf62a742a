//! What in a policy could be left out, or said in fewer words, and nothing would change.
#![allow(unused_assignments, reason = "the derive of miette assigns fields that it does not read")]

use miette::{Diagnostic, LabeledSpan};
use thiserror::Error;

use crate::source::Span;

/// Something that a policy says without need.
#[derive(Error, Diagnostic, Debug)]
pub(super) enum Surplus {
    #[error("`{name}` adds nothing to what other statements say")]
    #[diagnostic(
        code(C0661),
        severity(Warning),
        help(
            "remove it, and the same packets pass at the same times with the same logs; or narrow {by}, if this is the one that is meant"
        )
    )]
    Redundant {
        name: String,
        by: String,
        #[label(primary, "all of this is said elsewhere")]
        span: Span,
        #[label(collection)]
        covers: Vec<LabeledSpan>,
    },

    #[error("`{word}` adds nothing to its list")]
    #[diagnostic(code(C0662), severity(Warning), help("remove it; {by} holds all of it"))]
    IdleWord {
        word: String,
        by: String,
        #[label("the rest of the list holds this already")]
        span: Span,
    },

    #[error("`{word}` adds nothing to `{name}`")]
    #[diagnostic(
        code(C0663),
        severity(Warning),
        help(
            "remove it here, and the same packets pass at the same times with the same logs; or narrow {by}, if this is the one that is meant"
        )
    )]
    CoveredWord {
        word: String,
        name: String,
        by: String,
        #[label(primary, "what this adds is said elsewhere")]
        span: Span,
        #[label(collection)]
        covers: Vec<LabeledSpan>,
    },

    #[error("{names} differ in `{clause}` only")]
    #[diagnostic(
        code(C0664),
        severity(Warning),
        help(
            "say it once, with the other clauses as they are: `{merged}`; or, if they are to be counted and logged apart, give each a `reason` of its own"
        )
    )]
    Mergeable {
        names: String,
        clause: &'static str,
        merged: String,
        #[label(primary, "says the same but for `{clause}`")]
        span: Span,
        #[label(collection)]
        others: Vec<LabeledSpan>,
    },
}

/// Names in backticks, the first few and how many more there are.
pub(super) fn in_words<'n>(names: impl ExactSizeIterator<Item = &'n str>) -> String {
    const SHOWN: usize = 4;
    let more = names.len().saturating_sub(SHOWN);
    let mut shown: Vec<String> = names.take(SHOWN).map(|name| format!("`{name}`")).collect();
    if more > 0 {
        shown.push(format!("{more} more"));
    }
    match shown.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        _ => shown.join(""),
    }
}
