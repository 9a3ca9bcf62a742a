//! What is wrong with a target of the user.
#![allow(unused_assignments, reason = "the derive of miette assigns fields that it does not read")]

use miette::Diagnostic;
use thiserror::Error;

use crate::source::Span;

/// Something that stops all output.
#[derive(Error, Diagnostic, Debug)]
pub(in crate::emit) enum CustomError {
    #[error("this capability file cannot be read: {what}")]
    #[diagnostic(
        code(C0721),
        help(
            "docs/templates.md lists its keys; a key that is unknown or stands twice is refused, since it could change what the target is taken to be able to do"
        )
    )]
    Unreadable {
        what: String,
        #[label("here")]
        span: Span,
    },

    #[error("this capability file describes no target that cordon can make: {what}")]
    #[diagnostic(code(C0722), help("{help}"))]
    Unusable {
        what: String,
        help: &'static str,
        #[label("here")]
        span: Span,
    },

    #[error("`{path}` cannot be the path of an output: {what}")]
    #[diagnostic(
        code(C0723),
        help(
            "an output lies in the folder of its device: letters, digits, `.`, `_` and `-`, as in `rules.rsc`"
        )
    )]
    BadOutput {
        path: String,
        what: &'static str,
        #[label("not below the folder of the device")]
        span: Span,
    },

    #[error("`{file}` does not belong to the target `{target}`: {what}")]
    #[diagnostic(code(C0724), help("{help}"))]
    Stray {
        file: String,
        target: String,
        what: &'static str,
        help: String,
        #[label("{what}")]
        span: Span,
    },

    #[error("a template for the view `{expected}` has to say so")]
    #[diagnostic(
        code(C0725),
        help(
            "its first line has to be `{{# view: {expected} #}}`; a view may change with its version, and then a template has to be read again before its output can be trusted"
        )
    )]
    OtherView {
        expected: String,
        #[label("not `{{# view: {expected} #}}`")]
        span: Span,
    },

    #[error("this template cannot be used: {what}")]
    #[diagnostic(
        code(C0726),
        help(
            "a template has `if`, `for`, `set` and `macro`, the filters `join` and `length`, and the fields of its view; it reaches no other file"
        )
    )]
    BadTemplate {
        what: String,
        #[label("here")]
        span: Span,
    },

    #[error("this template names what its view does not have: {what}")]
    #[diagnostic(
        code(C0727),
        help(
            "docs/templates.md lists the fields of each view; a field that is not there would leave a gap in the output"
        )
    )]
    UnknownField {
        what: String,
        #[label("not in the view")]
        span: Span,
    },

    #[error("this template does not come to an end")]
    #[diagnostic(
        code(C0728),
        help(
            "it may take {steps} steps, which is far more than a view of {bytes} bytes needs; look for a loop in a loop, or a macro that calls itself"
        )
    )]
    Endless {
        steps: u64,
        bytes: u64,
        #[label("stopped here")]
        span: Span,
    },

    #[error("the output of this template is larger than {limit} bytes")]
    #[diagnostic(
        code(C0729),
        help("no device loads a file of this size; look for a loop that prints too much")
    )]
    TooLarge {
        limit: usize,
        #[label("this template")]
        span: Span,
    },

    #[error("`{device}` would need more than {limit} addresses and rules")]
    #[diagnostic(
        code(C0729),
        help(
            "the target {target} has no ranges of addresses; narrow what the zones, classes and rules name"
        )
    )]
    TooMuch {
        device: String,
        target: String,
        limit: usize,
        #[label("this enforcement point")]
        span: Span,
    },

    #[error("`{name}` cannot be an interface on the target `{target}`")]
    #[diagnostic(
        code(C0730),
        help(
            "its capability file allows {max_bytes} bytes of: {characters}; other characters could have a meaning in the output"
        )
    )]
    BadInterface {
        name: String,
        target: String,
        max_bytes: usize,
        characters: String,
        #[label("not such a name")]
        span: Span,
    },
}
