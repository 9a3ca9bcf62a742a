//! What a target cannot express.
#![allow(unused_assignments, reason = "the derive of miette assigns fields that it does not read")]

use miette::Diagnostic;
use thiserror::Error;

use crate::source::Span;

/// Something that stops the output for an enforcement point.
#[derive(Error, Diagnostic, Debug)]
pub(super) enum EmitError {
    #[error("there is no target `{target}`")]
    #[diagnostic(code(C0701), help("{help}"))]
    UnknownTarget {
        target: String,
        #[label("not a target")]
        span: Span,
        help: String,
    },

    #[error("the target `{target}` is not compiled yet")]
    #[diagnostic(code(C0901), help("the target that can be built is `nftables`"))]
    NotCompiled {
        target: String,
        #[label("cannot be built")]
        span: Span,
    },

    #[error("`{name}` cannot be an interface of a Linux firewall")]
    #[diagnostic(
        code(C0702),
        help(
            "the kernel allows 15 bytes; cordon allows letters, digits, `.`, `_` and `-`, since other characters have a meaning in rulesets"
        )
    )]
    BadInterface {
        name: String,
        #[label("not a name that the kernel and nftables both take")]
        span: Span,
    },

    #[error("`{name}` cannot be expressed on `{device}`: {what}")]
    #[diagnostic(
        code(C0703),
        help(
            "the target {target} has no way to say this; change the rule, or add `unsupported leave-out` to have that part denied there"
        )
    )]
    Unsupported {
        name: String,
        what: String,
        device: String,
        target: String,
        #[label("this rule")]
        span: Span,
    },

    #[error("part of `{name}` is left out on `{device}`: {what}")]
    #[diagnostic(
        code(C0704),
        severity(Warning),
        help(
            "the target {target} has no way to say this; the rule has `unsupported leave-out`, so that part is denied there"
        )
    )]
    LeftOut {
        name: String,
        what: String,
        device: String,
        target: String,
        #[label("this rule")]
        span: Span,
    },

    #[error("this is a bug in cordon: {what}")]
    #[diagnostic(code(C0999), help("nothing was written; please report it together with the policy"))]
    Bug {
        what: String,
        #[label("while compiling this enforcement point")]
        span: Span,
    },
}
