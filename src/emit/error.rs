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

    #[error("`{name}` is not an interface of pfSense")]
    #[diagnostic(
        code(C0710),
        help(
            "rules name interfaces as pfSense's config does: `wan`, `lan`, `opt1`, `opt2` and so on; Interfaces > Assignments shows which is which"
        )
    )]
    BadPfsenseInterface {
        name: String,
        #[label("a rule for it would become a comment")]
        span: Span,
    },

    #[error("`{name}` cannot be expressed on `{device}`: {what}")]
    #[diagnostic(
        code(C0711),
        help(
            "let the statement name services that the target has words for, or restrict it to other enforcement points with `on`"
        )
    )]
    UnsupportedManagement {
        name: String,
        what: String,
        device: String,
        #[label("this statement")]
        span: Span,
    },

    #[error("`{name}` cannot be an interface of a Cisco switch")]
    #[diagnostic(
        code(C0705),
        help(
            "a name is letters, then numbers with `/` or `.` between them, such as `Vlan230` or `Te1/1/1`, of 32 characters at most"
        )
    )]
    BadCiscoInterface {
        name: String,
        #[label("not a name that IOS takes")]
        span: Span,
    },

    #[error("the access lists of `{device}` take {needed} hardware entries, but it has {budget}")]
    #[diagnostic(
        code(C0706),
        help(
            "lists that do not fit are handled by the CPU or not at all; make rules narrower, or attach fewer zones to one switch; the largest list is {largest}"
        )
    )]
    HardwareEntries {
        device: String,
        needed: u64,
        budget: u32,
        largest: String,
        #[label("`tcam {budget}`")]
        span: Span,
    },

    #[error("`fragments deny` means nothing on `{device}`, whose target is {target}")]
    #[diagnostic(
        code(C0712),
        help(
            "leave it out: only the access lists of `cisco-ios` judge each fragment by itself; firewalls put packets together before they judge them"
        )
    )]
    Fragments {
        device: String,
        target: String,
        #[label("not for this target")]
        span: Span,
    },

    #[error("nothing keeps the guard `{name}` between `{from}` and `{to}`")]
    #[diagnostic(
        code(C0713),
        help("{why}. Let a firewall on the way keep it, or write a guard that one of these can keep")
    )]
    NothingKeeps {
        name: String,
        from: String,
        to: String,
        why: String,
        #[label("not kept on every path of what it counts")]
        span: Span,
    },

    #[error(
        "no firewall between `{from}` and `{to}` knows how long a session lasts, so nothing keeps the guard `{name}`"
    )]
    #[diagnostic(
        code(C0620),
        help(
            "{why}. Let an nftables firewall on the way keep it; or let the rule hold `during` a schedule or `until` a day, and end sessions with a posture or on the server where people log in"
        )
    )]
    SessionTime {
        name: String,
        from: String,
        to: String,
        why: String,
        #[label("not kept on every path of what it counts")]
        span: Span,
    },

    #[error("`{device}` would keep the guard `{name}` in {count} rules, and count in each of them apart")]
    #[diagnostic(
        code(C0714),
        help(
            "pfSense counts the connections of a source for each rule; write the rule so that it goes to one interface, and no forbid cuts it into parts"
        )
    )]
    CountedApart {
        name: String,
        device: String,
        count: usize,
        #[label("counted in {count} rules")]
        span: Span,
    },

    #[error("`ports` mean nothing on `{device}`, whose target is {target}")]
    #[diagnostic(
        code(C0715),
        help(
            "leave them out: only `cisco-ios` has words for storms on its ports; a firewall sees no frame that stays inside of a network"
        )
    )]
    Ports {
        device: String,
        target: String,
        #[label("not for this target")]
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
