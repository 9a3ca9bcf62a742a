//! What can be wrong with the form of a policy.
#![allow(unused_assignments, reason = "the derive of miette assigns fields that it does not read")]

use miette::Diagnostic;
use thiserror::Error;

use crate::source::Span;

/// A mistake in the form of a policy file.
#[derive(Error, Diagnostic, Debug)]
pub(super) enum SyntaxError {
    #[error("`{text}` does not fit here")]
    #[diagnostic(code(C0001))]
    Unexpected {
        text: String,
        #[label("{place}")]
        span: Span,
        place: String,
        #[help]
        help: String,
    },

    #[error("this block is never closed")]
    #[diagnostic(code(C0002), help("write `}}` behind the last clause of the {context}"))]
    Unclosed {
        context: &'static str,
        #[label(primary, "opened here")]
        span: Span,
        #[label("and not closed up to here")]
        end: Span,
    },

    #[error("this {context} has no name")]
    #[diagnostic(code(C0003), help("write the name behind the keyword: `{context} my_name {{ ... }}`"))]
    NoName {
        context: &'static str,
        #[label("a name belongs behind this word")]
        span: Span,
    },

    #[error("`{word}` is not a statement")]
    #[diagnostic(code(C0004))]
    UnknownStatement {
        word: String,
        #[label("no statement begins with this word")]
        span: Span,
        #[help]
        help: String,
    },

    #[error("this text is never closed")]
    #[diagnostic(
        code(C0005),
        help("end the text with `\"` on the same line; a `\"` inside is written `\\\"`")
    )]
    UnclosedText {
        #[label("the line ends before the text does")]
        span: Span,
    },

    #[error("the character {character} cannot stand in a policy")]
    #[diagnostic(
        code(C0006),
        help(
            "control characters and characters that hide or reorder text make a policy look other than it is; remove it"
        )
    )]
    ForbiddenCharacter {
        character: String,
        #[label("shown here as `?`")]
        span: Span,
    },

    #[error("parentheses are nested more than {limit} deep")]
    #[diagnostic(code(C0007), help("simplify the condition"))]
    TooDeep {
        limit: usize,
        #[label("one too many")]
        span: Span,
    },

    #[error("`{name}` cannot be a name")]
    #[diagnostic(code(C0008))]
    BadName {
        name: String,
        #[label("{problem}")]
        span: Span,
        problem: String,
        #[help]
        help: Option<String>,
    },

    #[error("`{clause}` is said twice")]
    #[diagnostic(code(C0009), help("keep one of them"))]
    Twice {
        clause: &'static str,
        #[label(primary, "said again here")]
        span: Span,
        #[label("said first here")]
        first: Span,
    },

    #[error("there is no block that this `}}` could close")]
    #[diagnostic(code(C0010), help("remove it, or add the `{{` that belongs to it"))]
    StrayClose {
        #[label("closes nothing")]
        span: Span,
    },

    #[error("`\\{escape}` means nothing in a text")]
    #[diagnostic(
        code(C0011),
        help(
            "a text knows `\\\"` for a quote, `\\\\` for a backslash, `\\n` for a line break and `\\t` for a tab"
        )
    )]
    UnknownEscape {
        escape: char,
        #[label("not an escape")]
        span: Span,
    },

    #[error("this file is too intricate to be read")]
    #[diagnostic(code(C0012), help("split the statement at this place, or the file"))]
    TooIntricate {
        #[label("given up here")]
        span: Span,
    },

    #[error("this `{word}` cannot be read")]
    #[diagnostic(code(C0013), help("the form is `{form}`"))]
    Unreadable {
        word: String,
        #[label("a part is missing or misplaced")]
        span: Span,
        form: &'static str,
    },

    #[error("this assertion does not say what it expects")]
    #[diagnostic(code(C0014), help("the form is `assert denied {{ ... }}` or `assert allowed {{ ... }}`"))]
    NoExpectation {
        #[label("`denied` or `allowed` belongs behind this word")]
        span: Span,
    },

    #[error("this does not say what is required of what")]
    #[diagnostic(code(C0015), help("the form is `require owner, reason on allow, manage`"))]
    NoRequirement {
        #[label("attributes, `on`, and kinds of statements")]
        span: Span,
    },
}
