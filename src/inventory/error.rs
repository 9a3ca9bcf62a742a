//! What can be wrong with an inventory.
#![allow(unused_assignments, reason = "the derive of miette assigns fields that it does not read")]

use miette::{Diagnostic, LabeledSpan};
use thiserror::Error;

use crate::source::Span;

/// A mistake in an `inventory` statement, in its table or in its mapping.
#[derive(Error, Diagnostic, Debug)]
pub(super) enum InventoryError {
    #[error("the inventory `{name}` is declared twice")]
    #[diagnostic(code(C1002), help("two tables are two inventories with a name each"))]
    Twice {
        name: String,
        #[label(primary, "declared again here")]
        span: Span,
        #[label("declared first here")]
        first: Span,
    },

    #[error("cordon does not know the form `{format}` of a table")]
    #[diagnostic(code(C1003), help("{help}"))]
    UnknownFormat {
        format: String,
        #[label("not a form that cordon knows")]
        span: Span,
        help: String,
    },

    #[error("an inventory has both `format` and `mapping`")]
    #[diagnostic(
        code(C1003),
        help("both say what the columns mean; keep `mapping` for tables that are no form of cordon's own")
    )]
    FormatAndMapping {
        #[label(primary, "says it again")]
        span: Span,
        #[label("says it")]
        format: Span,
    },

    #[error("the mapping `{path}` cannot be read: {what}")]
    #[diagnostic(code(C1004), help("docs/inventory.md shows what a mapping is made of"))]
    Mapping {
        path: String,
        what: String,
        #[label("here")]
        span: Span,
    },

    #[error("the table `{path}` cannot be read: {what}")]
    #[diagnostic(
        code(C1005),
        help(
            "cells may have moved into other columns, so nothing of the table is used; export it again as CSV in UTF-8, with quotes around texts that hold the separator"
        )
    )]
    Table {
        path: String,
        what: String,
        #[label("here")]
        span: Span,
    },

    #[error("the table `{path}` has no column with addresses")]
    #[diagnostic(
        code(C1006),
        help(
            "expected one of `{expected}`; the table has {found}; a mapping can name the column that holds them"
        )
    )]
    NoAddresses {
        path: String,
        expected: String,
        found: String,
        #[label(primary, "no such column")]
        span: Span,
        #[label("read for this inventory")]
        statement: Span,
    },

    #[error("two columns are called `{name}`")]
    #[diagnostic(
        code(C1006),
        help("it is not said which of them holds {place}; rename one of them in the table")
    )]
    ColumnTwice {
        name: String,
        place: String,
        #[label("in this table")]
        span: Span,
    },

    #[error("not understood in `{path}`: {number}: {cells}")]
    #[diagnostic(
        code(C1007),
        severity(Warning),
        help(
            "a device without a readable address is in no class; a mapping can say what a value stands for"
        )
    )]
    Unreadable {
        path: String,
        number: String,
        cells: String,
        #[label(collection)]
        labels: Vec<LabeledSpan>,
    },
}
