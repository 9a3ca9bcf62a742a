//! What can be wrong with the sense of a policy.
#![allow(unused_assignments, reason = "the derive of miette assigns fields that it does not read")]

use miette::{Diagnostic, LabeledSpan};
use thiserror::Error;

use crate::source::Span;

/// A mistake in what a policy says, or something in it that deserves a second look.
#[derive(Error, Diagnostic, Debug)]
pub(super) enum CheckError {
    // --- names ---
    #[error("there is no {kind} `{name}`")]
    #[diagnostic(code(C0101))]
    UnknownName {
        kind: &'static str,
        name: String,
        #[label("nothing of this kind has this name")]
        span: Span,
        #[help]
        help: Option<String>,
    },

    #[error("`{name}` is declared twice")]
    #[diagnostic(code(C0102), help("{kinds} share their names; rename one of the two"))]
    Duplicate {
        name: String,
        kinds: &'static str,
        #[label(primary, "declared again here")]
        span: Span,
        #[label("declared first here")]
        first: Span,
    },

    #[error("the policy is named twice")]
    #[diagnostic(code(C0102), help("a policy is one whole with one name; remove one of the two"))]
    PolicyNamedTwice {
        #[label(primary, "named again here")]
        span: Span,
        #[label("named first here")]
        first: Span,
    },

    #[error("`{name}` already has a meaning")]
    #[diagnostic(
        code(C0103),
        help(
            "`any` stands for every zone or every service, and `postures` for a folder of the output; choose another name"
        )
    )]
    ReservedName {
        name: String,
        #[label("cannot be declared")]
        span: Span,
    },

    #[error("`{value}` is not a value of `{attribute}`")]
    #[diagnostic(code(C0104))]
    UnknownValue {
        attribute: &'static str,
        value: String,
        #[label("{known}")]
        span: Span,
        known: String,
        #[help]
        help: Option<String>,
    },

    #[error("`{value}` is not a date")]
    #[diagnostic(code(C0105), help("write year, month and day: `2027-03-31`"))]
    BadDate {
        value: String,
        #[label("{problem}")]
        span: Span,
        problem: String,
    },

    #[error("the group `{name}` contains itself")]
    #[diagnostic(code(C0106), help("take one of the names out, so that the groups form no circle"))]
    GroupCycle {
        name: String,
        #[label(primary, "leads back to the group")]
        span: Span,
        #[label("the group is declared here")]
        declared: Span,
    },

    #[error("the {kind} `{name}` lies in no zone")]
    #[diagnostic(code(C0107), help("name its zone: `{kind} {name} in ZONE {{ ... }}`"))]
    NoZone {
        kind: &'static str,
        name: String,
        #[label("`in ZONE` is missing behind this name")]
        span: Span,
    },

    // --- addresses ---
    #[error("`{text}` is not {expected}")]
    #[diagnostic(code(C0201))]
    BadAddress {
        text: String,
        expected: &'static str,
        #[label("{problem}")]
        span: Span,
        problem: String,
        #[help]
        help: Option<String>,
    },

    #[error("`{text}` has bits set behind its prefix length")]
    #[diagnostic(
        code(C0202),
        help("`{network}` is the prefix, `{address}` the single address; write the one that is meant")
    )]
    HostBits {
        text: String,
        network: String,
        address: String,
        #[label("prefix or address?")]
        span: Span,
    },

    #[error("`{text}` is an IPv4 address written as IPv6")]
    #[diagnostic(
        code(C0203),
        help(
            "write `{plain}`; a v4-mapped address would slip past what is said of the IPv4 host (RFC 4291, 2.5.5.2)"
        )
    )]
    V4Mapped {
        text: String,
        plain: String,
        #[label("v4-mapped")]
        span: Span,
    },

    #[error("the zones `{first_zone}` and `{zone}` overlap")]
    #[diagnostic(
        code(C0204),
        help("both hold {overlap}; an address can belong to one zone only, so give it to one of the two")
    )]
    ZonesOverlap {
        zone: String,
        first_zone: String,
        overlap: String,
        #[label(primary, "this zone")]
        span: Span,
        #[label("and this one")]
        first: Span,
    },

    #[error("`{text}` lies outside the zone `{zone}`")]
    #[diagnostic(code(C0205), help("{help}"))]
    OutsideZone {
        text: String,
        zone: String,
        #[label(primary, "{outside} is not in the zone")]
        span: Span,
        outside: String,
        #[label("the zone is declared here")]
        zone_span: Span,
        help: String,
    },

    #[error("the {kind} `{name}` is empty")]
    #[diagnostic(
        code(C0206),
        severity(Warning),
        help("an empty set matches nothing, so no rule that names only it does anything")
    )]
    Empty {
        kind: &'static str,
        name: String,
        #[label("has no address")]
        span: Span,
    },

    #[error("`except {text}` takes nothing away")]
    #[diagnostic(
        code(C0207),
        severity(Warning),
        help("nothing in the list before `except` holds it; remove it, or correct the list")
    )]
    IdleExcept {
        text: String,
        #[label("not part of the list")]
        span: Span,
    },

    #[error("`{name}` is a second zone with `rest`")]
    #[diagnostic(
        code(C0208),
        help("only one zone can be all that no other holds; give the other its prefixes")
    )]
    TwoRests {
        name: String,
        #[label(primary, "this zone")]
        span: Span,
        #[label("and this one")]
        first: Span,
    },

    #[error("the zone `{name}` has both `rest` and `net`")]
    #[diagnostic(
        code(C0209),
        help("`rest` is all that no other zone holds, so it needs no prefixes; remove one of the two")
    )]
    RestWithNet {
        name: String,
        #[label("both stand in this zone")]
        span: Span,
    },

    // --- services ---
    #[error("`{protocol}` has no ports")]
    #[diagnostic(code(C0301), help("{help}"))]
    NoPorts {
        protocol: String,
        #[label("a port makes no sense here")]
        span: Span,
        help: String,
    },

    #[error("`{protocol}` needs ports")]
    #[diagnostic(
        code(C0302),
        help("write the ports behind it, `{protocol} 443`, or `{protocol} any` for all of them")
    )]
    PortsMissing {
        protocol: String,
        #[label("which ports?")]
        span: Span,
    },

    #[error("`{text}` is not a port")]
    #[diagnostic(
        code(C0303),
        help("a port is a number from 0 to 65535, a range is `FIRST-LAST`, and `any` is all of them")
    )]
    BadPort {
        text: String,
        #[label("{problem}")]
        span: Span,
        problem: String,
    },

    #[error("`{protocol}` has no message `{text}`")]
    #[diagnostic(code(C0304))]
    BadMessage {
        protocol: String,
        text: String,
        #[label("not a message type")]
        span: Span,
        #[help]
        help: String,
    },

    #[error("nothing uses the {kind} `{name}`")]
    #[diagnostic(code(C0305), severity(Warning), help("remove it, or name it in a rule"))]
    Unused {
        kind: &'static str,
        name: String,
        #[label("declared here, used nowhere")]
        span: Span,
    },

    #[error("the service `{name}` is empty")]
    #[diagnostic(code(C0306), help("say what it is made of: `service {name} {{ tcp 443 }}`"))]
    EmptyService {
        name: String,
        #[label("has no protocol")]
        span: Span,
    },

    #[error("`{text}` is not a protocol number")]
    #[diagnostic(code(C0307), help("{help}"))]
    BadProtocol {
        text: String,
        #[label("expected a number from 0 to 255")]
        span: Span,
        help: String,
    },

    #[error("`{protocol} {text}` opens nothing")]
    #[diagnostic(
        code(C0308),
        severity(Warning),
        help(
            "a policy speaks of who may open a connection; errors and answers pass where something was asked, and nowhere else"
        )
    )]
    OpensNothing {
        protocol: String,
        text: String,
        #[label("an error or an answer")]
        span: Span,
    },

    // --- rules ---
    #[error("this {kind} does not say {what}")]
    #[diagnostic(code(C0401), help("what is left out matches nothing; to mean all of them, write `any`"))]
    Incomplete {
        kind: &'static str,
        what: String,
        clauses: String,
        #[label("without {clauses}")]
        span: Span,
    },

    #[error("the schedule `{name}` does not say {what}")]
    #[diagnostic(
        code(C0401),
        help("a whole one reads `schedule {name} {{ mon..fri 18:00-22:00  timezone utc }}`")
    )]
    IncompleteSchedule {
        name: String,
        what: &'static str,
        #[label("without {clauses}")]
        span: Span,
        clauses: &'static str,
    },

    #[error("`{name}` allows nothing that is not forbidden")]
    #[diagnostic(code(C0402), help("a forbid wins over every allow; remove this rule, or narrow the forbid"))]
    WhollyForbidden {
        name: String,
        #[label(primary, "all of this")]
        span: Span,
        #[label(collection)]
        forbids: Vec<LabeledSpan>,
    },

    #[error("part of `{name}` is forbidden")]
    #[diagnostic(
        code(C0403),
        severity(Warning),
        help("taken away: {overlap}; say so with `except`, or narrow the forbid")
    )]
    PartlyForbidden {
        name: String,
        overlap: String,
        #[label(primary, "part of this")]
        span: Span,
        #[label(collection)]
        forbids: Vec<LabeledSpan>,
    },

    #[error("`{name}` matches nothing")]
    #[diagnostic(code(C0404), severity(Warning))]
    EmptyRule {
        name: String,
        #[label("no packet fits it")]
        span: Span,
        #[help]
        help: String,
    },

    #[error("`{name}` stays inside one zone")]
    #[diagnostic(
        code(C0405),
        severity(Warning),
        help(
            "no firewall sees traffic between two hosts of one zone; port ACLs or client isolation on the switch can"
        )
    )]
    InsideZone {
        name: String,
        #[label("from `{zone}` to `{zone}`")]
        span: Span,
        zone: String,
    },

    #[error("a forbid cannot end")]
    #[diagnostic(
        code(C0406),
        help(
            "a forbid that ends silently opens what it closed; remove `until`, and remove the statement when its day comes"
        )
    )]
    ForbidUntil {
        #[label("a forbid takes no `until`")]
        span: Span,
    },

    #[error("a forbid cannot name a schedule")]
    #[diagnostic(
        code(C0409),
        help("a forbid holds at all times; name the schedule in the allow, which then holds at no other")
    )]
    ForbidDuring {
        #[label("a forbid takes no `during`")]
        span: Span,
    },

    #[error("`{text}` is not a time of the day")]
    #[diagnostic(code(C0410), help("write two times of a 24-hour clock: `18:00-22:00`, up to `24:00`"))]
    BadHours {
        text: String,
        #[label("{problem}")]
        span: Span,
        problem: String,
    },

    #[error("the schedule `{name}` holds at all times")]
    #[diagnostic(code(C0411), help("remove it, and leave `during {name}` out of rules"))]
    AlwaysScheduled {
        name: String,
        #[label("covers every minute of the week")]
        span: Span,
    },

    #[error("`{name}` has expired")]
    #[diagnostic(
        code(C0407),
        severity(Warning),
        help("it is no longer compiled; remove it, or agree on a later date")
    )]
    Expired {
        name: String,
        #[label("held until this day; the build is as of {as_of}")]
        span: Span,
        as_of: String,
    },

    #[error("the same is said twice")]
    #[diagnostic(code(C0408), severity(Warning), help("one of the two is enough"))]
    SaidTwice {
        #[label(primary, "said again here")]
        span: Span,
        #[label("said first here")]
        first: Span,
    },

    // --- topology ---
    #[error("nothing enforces `{name}`")]
    #[diagnostic(
        code(C0501),
        help("no enforcement point has an interface to both sides ({pairs}); attach the zones to one")
    )]
    NotEnforced {
        name: String,
        pairs: String,
        #[label("crosses no enforcement point")]
        span: Span,
    },

    #[error("part of `{name}` is enforced by nothing")]
    #[diagnostic(
        code(C0502),
        severity(Warning),
        help("no enforcement point has an interface to both sides of {pairs}; attach the zones to one")
    )]
    PartlyNotEnforced {
        name: String,
        pairs: String,
        #[label("part of this crosses no enforcement point")]
        span: Span,
    },

    #[error("the zone `{name}` is attached nowhere")]
    #[diagnostic(
        code(C0503),
        severity(Warning),
        help("no enforcement point has an interface to it, so nothing of what is said of it is enforced")
    )]
    Unattached {
        name: String,
        #[label("behind no interface")]
        span: Span,
    },

    #[error("`{name}` has {targets}")]
    #[diagnostic(code(C0504), help("say what kind of config it takes, once: `target nftables`"))]
    TargetCount {
        name: String,
        targets: String,
        #[label("this enforcement point")]
        span: Span,
    },

    #[error("the interface `{name}` stands twice in `{device}`")]
    #[diagnostic(
        code(C0505),
        help("several zones behind one interface are a list: `interface {name} zone A, B`")
    )]
    InterfaceTwice {
        name: String,
        device: String,
        #[label(primary, "again here")]
        span: Span,
        #[label("first here")]
        first: Span,
    },

    #[error("the zone `{zone}` is attached twice to `{device}`")]
    #[diagnostic(
        code(C0506),
        help(
            "a zone that lies behind two interfaces of one enforcement point is two zones, since it filters between them; split the zone"
        )
    )]
    AttachedTwice {
        zone: String,
        device: String,
        #[label(primary, "again here")]
        span: Span,
        #[label("first here")]
        first: Span,
    },

    #[error("nobody can administer `{name}`")]
    #[diagnostic(
        code(C0507),
        severity(Warning),
        help(
            "its input is closed but for what a `manage` statement opens: `manage {{ from jump_host  to {name}  via ssh }}`"
        )
    )]
    Unmanaged {
        name: String,
        #[label("no `manage` statement reaches this enforcement point")]
        span: Span,
    },

    #[error("this policy has no enforcement point")]
    #[diagnostic(
        code(C0508),
        severity(Warning),
        help(
            "declare one: `firewall core {{ target nftables  interface eth0 zone ZONE }}`; until then there is nothing to build"
        )
    )]
    NoDevice {
        #[label("no `firewall` is attached to this zone, or to any")]
        span: Span,
    },

    #[error("`{name}` has no interface")]
    #[diagnostic(
        code(C0509),
        help(
            "an enforcement point that sees nothing enforces nothing; attach a zone: `interface eth0 zone ZONE`"
        )
    )]
    NoInterface {
        name: String,
        #[label("sees nothing")]
        span: Span,
    },

    #[error("`{device}` leads to `{other}`, but not back")]
    #[diagnostic(
        code(C0510),
        help("a link has two ends; add one to `{other}`: `interface NAME to {device}`")
    )]
    OneEnded {
        device: String,
        other: String,
        #[label(primary, "this end has no other")]
        span: Span,
        #[label("no interface of this leads back")]
        other_span: Span,
    },

    #[error("`{name}` leads to itself")]
    #[diagnostic(code(C0511), help("a link joins two enforcement points; name the other one"))]
    LinkToItself {
        name: String,
        #[label("the same enforcement point")]
        span: Span,
    },

    #[error("`{name}` sees no traffic")]
    #[diagnostic(
        code(C0512),
        severity(Warning),
        help(
            "it lies on no path between two zones, so it would enforce nothing; attach zones to it, or links to others"
        )
    )]
    SeesNothing {
        name: String,
        #[label("on no path")]
        span: Span,
    },

    // --- assertions ---
    #[error("asserted denied, but allowed: {packet}")]
    #[diagnostic(code(C0601), help("narrow the rule, forbid the packet, or correct the assertion"))]
    AssertedDenied {
        packet: String,
        #[label(primary, "this assertion fails")]
        span: Span,
        #[label("allowed by `{rule}`")]
        allowed_by: Span,
        rule: String,
    },

    #[error("asserted allowed, but denied: {packet}")]
    #[diagnostic(code(C0602), help("{why}"))]
    AssertedAllowed {
        packet: String,
        #[label(primary, "this assertion fails")]
        span: Span,
        #[label(collection)]
        forbid: Vec<LabeledSpan>,
        why: String,
    },

    // --- guards ---
    #[error("the guard of `{name}` needs one threshold and one action")]
    #[diagnostic(
        code(C0611),
        help(
            "say what is too much and what happens then, such as `new-connections 20/second per source  then alert`; for a second threshold, write a second guard"
        )
    )]
    GuardParts {
        name: String,
        #[label("this guard")]
        span: Span,
    },

    #[error("a guard must not {action} `{name}`: lives depend on `{life}`")]
    #[diagnostic(
        code(C0612),
        help(
            "`{life}` has `criticality life`, and what a patient's life depends on is never cut off automatically, since a false alarm would do what an attacker wants; let the guard `alert`, so that people decide"
        )
    )]
    CutsLife {
        name: String,
        action: &'static str,
        life: String,
        #[label("never cut off by a machine")]
        span: Span,
    },

    #[error("a quarantine of `{name}` needs a count for each source")]
    #[diagnostic(
        code(C0613),
        help(
            "write `per source` behind the rate; of connections counted together, nobody can be told to have made too many"
        )
    )]
    QuarantineOfAll {
        name: String,
        #[label("counted together")]
        span: Span,
    },

    #[error("`{name}` is a rule and a zone, class, peer or group too")]
    #[diagnostic(
        code(C0614),
        help("rename one of the two, so that it is clear whose connections are counted")
    )]
    GuardOfTwo {
        name: String,
        #[label("which of the two?")]
        span: Span,
    },

    #[error("`{name}` forbids, so there is nothing to guard")]
    #[diagnostic(
        code(C0615),
        help("name the zone or class that the connections come from: its guard counts what is denied too")
    )]
    GuardOfForbid {
        name: String,
        #[label("lets nothing pass")]
        span: Span,
    },

    #[error("the guard of `{name}` would miss connections that `{other}` allows too")]
    #[diagnostic(
        code(C0616),
        help(
            "narrow one of the two rules, so that each connection is of one; or guard the zone or class that they come from"
        )
    )]
    GuardMisses {
        name: String,
        other: String,
        #[label(primary, "counts what this rule alone allows")]
        span: Span,
        #[label("allows some of it too")]
        place: Span,
    },

    #[error("two guards {action} `{name}`")]
    #[diagnostic(code(C0617), help("keep the one whose threshold is meant"))]
    GuardTwice {
        name: String,
        action: &'static str,
        #[label(primary, "said again here")]
        span: Span,
        #[label("said first here")]
        first: Span,
    },

    #[error("a guard of the rule `{name}` counts its new connections only")]
    #[diagnostic(
        code(C0618),
        help(
            "which rule a packet is of is known of first packets alone; let a guard of the zone, class or peer that sends do this"
        )
    )]
    BeyondRule {
        name: String,
        what: &'static str,
        #[label("`{what}` does not fit a rule")]
        span: Span,
    },

    #[error("destinations of `{name}` need a count for each source")]
    #[diagnostic(
        code(C0619),
        help("write `per source` behind the rate: a scan is one source that goes to many destinations")
    )]
    DestinationsOfAll {
        name: String,
        #[label("counted together")]
        span: Span,
    },

    #[error("how long sessions last is a matter of a rule, and `{name}` is none")]
    #[diagnostic(
        code(C0622),
        help(
            "name the rule that opens these sessions: a session is what one rule allows, and others of the same hosts go on"
        )
    )]
    SessionsOfAll {
        name: String,
        #[label("not a rule")]
        span: Span,
    },

    #[error("`{action}` would cut off more than a session of `{name}` that lasts too long")]
    #[diagnostic(
        code(C0623),
        help("write `then alert` to be told of it, or `then limit` to end the session itself")
    )]
    SessionAction {
        name: String,
        action: &'static str,
        #[label("`{action}` for a session")]
        span: Span,
    },

    // --- postures ---
    #[error("the posture `{name}` cuts nothing off")]
    #[diagnostic(
        code(C0621),
        help("name what is cut off, and the rules that stay: `isolate imaging except images`")
    )]
    EmptyPosture {
        name: String,
        #[label("without `isolate`")]
        span: Span,
    },

    // --- what is required ---
    #[error("`{name}` has no {lacking}")]
    #[diagnostic(code(C0631), help("the policy requires it of every `{kind}`"))]
    Lacks {
        kind: &'static str,
        name: String,
        lacking: String,
        #[label(primary, "this statement")]
        span: Span,
        #[label("required here")]
        required: Span,
    },
}
