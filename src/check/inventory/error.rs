//! What can be wrong with what a policy says of inventories, and doubtful about their devices.
#![allow(unused_assignments, reason = "the derive of miette assigns fields that it does not read")]

use miette::{Diagnostic, LabeledSpan};
use thiserror::Error;

use super::assets::Alike;
use crate::ir::Endpoint;
use crate::source::Span;

/// A mistake in a condition, or devices that deserve a second look. Of many devices alike, a few are shown.
#[derive(Error, Diagnostic, Debug)]
pub(super) enum AssetError {
    #[error("members come from an inventory, but the policy has none")]
    #[diagnostic(
        code(C1008),
        help("add `inventory NAME {{ file \"devices.csv\" }}`, or list the members with `hosts`")
    )]
    NoInventory {
        #[label("from no inventory")]
        span: Span,
    },

    #[error("devices have no `{name}`")]
    #[diagnostic(code(C1009), help("{help}"))]
    UnknownColumn {
        name: String,
        #[label("nothing that a device has")]
        span: Span,
        help: String,
    },

    #[error("no device can have the value `{value}` here")]
    #[diagnostic(code(C1009), help("{help}"))]
    UnknownValue {
        value: String,
        #[label("selects nothing, or everything")]
        span: Span,
        help: String,
    },

    #[error("selected by `{class}`, but not in its zone `{zone}`: {devices}")]
    #[diagnostic(
        code(C1010),
        severity(Warning),
        help(
            "they are not members, so the rules of the class do not reach them; move them into the zone, or narrow the condition"
        )
    )]
    SelectedElsewhere {
        devices: String,
        class: String,
        zone: String,
        #[label(primary, "selected here")]
        span: Span,
        #[label(collection)]
        labels: Vec<LabeledSpan>,
    },

    #[error("`{class}` has {devices}, fewer than the {least} that it has to have")]
    #[diagnostic(
        code(C1019),
        help("a part of the inventory may be missing; if the devices are gone for good, lower the number")
    )]
    TooFew {
        class: String,
        devices: String,
        least: String,
        #[label("more were expected")]
        span: Span,
    },

    #[error("in no class: {devices}")]
    #[diagnostic(
        code(C1011),
        severity(Warning),
        help(
            "no rule of a class speaks of them; give them a class, or let a class of their zone have `members unclassified`; `cordon inventory` lists them"
        )
    )]
    Unclassified {
        devices: String,
        #[label(collection)]
        labels: Vec<LabeledSpan>,
    },

    #[error("both `{one}` and `{other}`, which have different rules: {devices}")]
    #[diagnostic(
        code(C1012),
        severity(Warning),
        help("they may do what either may; let the conditions or addresses of the two exclude each other")
    )]
    TwoClasses {
        devices: String,
        one: String,
        other: String,
        #[label(collection)]
        labels: Vec<LabeledSpan>,
        #[label("this class")]
        one_span: Span,
        #[label("and this class")]
        other_span: Span,
    },

    #[error("elsewhere than the inventory says: {devices}")]
    #[diagnostic(
        code(C1013),
        severity(Warning),
        help("the address decides what a device may do; correct the inventory, or move the device")
    )]
    OtherZone {
        devices: String,
        #[label(collection)]
        labels: Vec<LabeledSpan>,
    },

    #[error("in no zone but the rest: {devices}")]
    #[diagnostic(
        code(C1013),
        severity(Warning),
        help("`{rest}` holds what no other zone does; add the prefix to a zone, or correct the address")
    )]
    NoZone {
        devices: String,
        rest: String,
        #[label(collection)]
        labels: Vec<LabeledSpan>,
    },

    #[error("nobody answers for {devices}")]
    #[diagnostic(
        code(C1014),
        severity(Warning),
        help("neither the inventory, nor the class, nor the zone has an owner")
    )]
    NoOwner {
        devices: String,
        #[label(collection)]
        labels: Vec<LabeledSpan>,
    },

    #[error("past the end of the vendor's support: {devices} {of}")]
    #[diagnostic(
        code(C1015),
        severity(Warning),
        help("what is found in them will not be mended; replace them, or narrow what may reach them")
    )]
    PastSupport {
        devices: String,
        of: String,
        #[label(collection)]
        labels: Vec<LabeledSpan>,
    },

    #[error("reachable from {from}: {devices} of high risk in `{class}`")]
    #[diagnostic(
        code(C1016),
        severity(Warning),
        help("let fewer zones open connections to them; `cordon report` shows who does")
    )]
    WidelyReachable {
        devices: String,
        class: String,
        from: String,
        #[label(primary, "this class")]
        span: Span,
        #[label(collection)]
        labels: Vec<LabeledSpan>,
    },

    #[error("with an address that another device has too: {devices}")]
    #[diagnostic(
        code(C1017),
        severity(Warning),
        help(
            "which of them has the address, and so which class is right, cannot be known; correct the inventory"
        )
    )]
    SharedAddress {
        devices: String,
        #[label(collection)]
        labels: Vec<LabeledSpan>,
    },
}

impl AssetError {
    pub(super) fn unclassified(Alike { devices, labels }: Alike) -> Self {
        AssetError::Unclassified { devices, labels }
    }

    pub(super) fn two_classes(Alike { devices, labels }: Alike, one: &Endpoint, other: &Endpoint) -> Self {
        let (one_span, other_span) = (one.span, other.span);
        let (one, other) = (one.name.clone(), other.name.clone());
        AssetError::TwoClasses { devices, one, other, labels, one_span, other_span }
    }

    pub(super) fn other_zone(Alike { devices, labels }: Alike) -> Self {
        AssetError::OtherZone { devices, labels }
    }

    pub(super) fn no_zone(Alike { devices, labels }: Alike, rest: &str) -> Self {
        AssetError::NoZone { devices, rest: rest.to_owned(), labels }
    }

    pub(super) fn no_owner(Alike { devices, labels }: Alike) -> Self {
        AssetError::NoOwner { devices, labels }
    }

    /// Of a class, or in none.
    pub(super) fn past_support(Alike { devices, mut labels }: Alike, class: Option<&Endpoint>) -> Self {
        let at_class =
            class.map(|class| LabeledSpan::new_with_span(Some("this class".to_owned()), class.span));
        labels.splice(0..0, at_class);
        let of = class.map_or_else(|| "in no class".to_owned(), |class| format!("of `{}`", class.name));
        AssetError::PastSupport { devices, of, labels }
    }

    pub(super) fn widely_reachable(Alike { devices, labels }: Alike, class: &Endpoint, from: &str) -> Self {
        let (from, span) = (from.to_owned(), class.span);
        AssetError::WidelyReachable { devices, class: class.name.clone(), from, span, labels }
    }

    pub(super) fn shared_address(Alike { devices, labels }: Alike) -> Self {
        AssetError::SharedAddress { devices, labels }
    }
}

/// Two classes of one zone that both take what is unclassified.
#[derive(Error, Diagnostic, Debug)]
#[error("`{name}` and `{first_name}` both take what is unclassified in `{zone}`")]
#[diagnostic(
    code(C1018),
    help("one class of a zone can have `members unclassified`; remove it from the other")
)]
pub(in crate::check) struct TwiceUnclassified {
    name: String,
    first_name: String,
    zone: String,
    #[label(primary, "takes it too")]
    span: Span,
    #[label("takes it")]
    first: Span,
}

impl TwiceUnclassified {
    /// The classes, and the zone that they lie in.
    pub(in crate::check) fn new(one: &Endpoint, other: &Endpoint, zone: String) -> Self {
        let (first, again) = if one.span < other.span { (one, other) } else { (other, one) };
        let (name, first_name) = (again.name.clone(), first.name.clone());
        TwiceUnclassified { name, first_name, zone, span: again.span, first: first.span }
    }
}
