//! What can be wrong with a file of tests.
#![allow(unused_assignments, reason = "the derive of miette assigns fields that it does not read")]

use miette::{Diagnostic, LabeledSpan};
use thiserror::Error;

use crate::source::Span;

/// A mistake in a table of packets or in a file of assertions. While there is one, no test is run: a test that is left out
/// would look like one that passed.
#[derive(Error, Diagnostic, Debug)]
pub(super) enum TestError {
    #[error("the table of tests `{path}` cannot be read: {what}")]
    #[diagnostic(
        code(C1101),
        help(
            "cells may have moved into other columns; export it again as CSV, with quotes around texts that hold the separator"
        )
    )]
    Table {
        path: String,
        what: String,
        #[label("here")]
        span: Span,
    },

    #[error("the table of tests `{path}` has no column `{name}`")]
    #[diagnostic(code(C1102), help("{help}"))]
    NoColumn {
        path: String,
        name: &'static str,
        help: String,
        #[label("its first row names the columns")]
        span: Span,
    },

    #[error("two columns are called `{name}`")]
    #[diagnostic(
        code(C1102),
        help("it is not said which of them holds what is expected; rename one of them")
    )]
    ColumnTwice {
        name: &'static str,
        #[label("in this table")]
        span: Span,
    },

    #[error("the column `{found}` is not `{name}`, and nothing in it would be tested")]
    #[diagnostic(code(C1102), help("call it `{name}`, or give it a name that is less like it"))]
    ColumnMisspelt {
        found: String,
        name: &'static str,
        #[label("in this table")]
        span: Span,
    },

    #[error("{rows} of `{path}` cannot be read as a packet")]
    #[diagnostic(
        code(C1103),
        help("a row has a protocol, two addresses of one family and, for tcp and udp, a destination port")
    )]
    NoPacket {
        path: String,
        rows: String,
        #[label(collection)]
        labels: Vec<LabeledSpan>,
    },

    #[error("{rows} of `{path}` cannot be read as a verdict")]
    #[diagnostic(code(C1104), help("a verdict is one of `allow`, `scheduled`, `deny` and `local`"))]
    NoVerdict {
        path: String,
        rows: String,
        #[label(collection)]
        labels: Vec<LabeledSpan>,
    },

    #[error("a file of tests states something else than assertions")]
    #[diagnostic(
        code(C1105),
        help("tests do not change what they test; move the statement to the files of the policy")
    )]
    OtherStatement {
        #[label("not `assert`")]
        span: Span,
    },

    #[error("`{path}` holds no test")]
    #[diagnostic(code(C1106), help("it may have been cut short; add {what}, or remove the file"))]
    Empty {
        path: String,
        what: &'static str,
        #[label("nothing to test here")]
        span: Span,
    },
}
