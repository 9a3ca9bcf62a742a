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

    // --- data ---
    #[error("`{name}` may carry PHI that can be read on the way")]
    #[diagnostic(
        code(C0641),
        severity(Warning),
        help(
            "name a service that is `encrypted`, or one that has `phi none` if it carries no PHI; or say who bears it: `accepted C0641 because \"...\" until DATE`"
        )
    )]
    Unencrypted {
        name: String,
        from: String,
        to: String,
        services: String,
        #[label("{services}, from {from} to {to}")]
        span: Span,
    },

    #[error("`{name}` opens a store of PHI to the outside")]
    #[diagnostic(
        code(C0642),
        severity(Warning),
        help(
            "let a proxy in a zone of its own stand between; or say who bears it: `accepted C0642 because \"...\" until DATE`"
        )
    )]
    StoreOutside {
        name: String,
        from: String,
        to: String,
        services: String,
        #[label("{services}, from {from} to {to}")]
        span: Span,
    },

    #[error("`{name}` joins a store of PHI and a place that is not cleared for it")]
    #[diagnostic(
        code(C0643),
        severity(Warning),
        help(
            "one side keeps PHI, and the other has `phi none`; narrow the rule, give the other side `phi transit` if it may have PHI, or the service `phi none` if it carries none; or say who bears it: `accepted C0643 because \"...\" until DATE`"
        )
    )]
    NotCleared {
        name: String,
        from: String,
        to: String,
        services: String,
        #[label("{services}, from {from} to {to}")]
        span: Span,
    },

    #[error("`{name}` opens sessions into devices that only pass PHI on")]
    #[diagnostic(
        code(C0644),
        severity(Warning),
        help(
            "such a device deals with its own servers, which are the peers that it reaches; let one of them stand between; or say who bears it: `accepted C0644 because \"...\" until DATE`"
        )
    )]
    SessionsIn {
        name: String,
        from: String,
        to: String,
        services: String,
        #[label("{services}, from {from} to {to}")]
        span: Span,
    },

    // --- least privilege ---
    #[error("`{name}` allows addresses that belong to nobody")]
    #[diagnostic(
        code(C0651),
        severity(Warning),
        help(
            "its source is a whole zone, though the zone has classes and peers; name those that need {to}, give what serves everyone `role infrastructure`, or say who bears it: `accepted C0651 because \"...\" until DATE`"
        )
    )]
    WholeZone {
        name: String,
        from: String,
        to: String,
        #[label("addresses of {from} that no class and no peer holds")]
        span: Span,
    },

    #[error("`{name}` allows nearly all ports")]
    #[diagnostic(
        code(C0652),
        severity(Warning),
        help(
            "name the services that are needed; or say who bears it: `accepted C0652 because \"...\" until DATE`"
        )
    )]
    AnyService {
        name: String,
        from: String,
        to: String,
        #[label("from {from} to {to}")]
        span: Span,
    },

    #[error("`{name}` allows {protocols} to others than administrators")]
    #[diagnostic(
        code(C0653),
        severity(Warning),
        help(
            "let it come from a class, peer or zone with `role admin`; or say who bears it: `accepted C0653 because \"...\" until DATE`"
        )
    )]
    AdminProtocol {
        name: String,
        protocols: String,
        from: String,
        to: String,
        #[label("from {from} to {to}")]
        span: Span,
    },

    #[error("`{name}` reaches servers that none of its siblings reaches")]
    #[diagnostic(
        code(C0654),
        severity(Warning),
        help(
            "the other classes of `{family}` do without {servers}, and reach nothing that it does not; narrow the rules of this class, or say who bears it: `accepted C0654 because \"...\" until DATE`"
        )
    )]
    ReachesMore {
        name: String,
        servers: String,
        family: String,
        #[label("also reaches {servers}")]
        span: Span,
    },
}

/// A clause that accepts what cannot be accepted so.
#[derive(Error, Diagnostic, Debug)]
pub(super) enum AcceptanceError {
    #[error("{code} is accepted without an end")]
    #[diagnostic(code(C0645), help("{why}; say until when: `until YYYY-MM-DD` behind the reason"))]
    WithoutEnd {
        code: &'static str,
        why: &'static str,
        #[label("until which day?")]
        span: Span,
    },

    #[error("{code} cannot be accepted: {summary}")]
    #[diagnostic(code(C0646), help("{help}"))]
    NotAcceptable {
        code: &'static str,
        summary: &'static str,
        help: &'static str,
        #[label("not a finding to accept")]
        span: Span,
    },
}
