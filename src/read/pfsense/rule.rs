//! Rules of users, as pfSense turns them into rules of pf: where they stand and what they do.
//!
//! In: the elements `<rule>` of `<filter>`. Out: a [`PfRule`] for each family that a rule speaks of. What becomes of each
//! field is from `filter_generate_user_rule` (`filter.inc`) of pfSense 2.7.2 and its successor. Rules that pfSense skips
//! (an alias that is not there, an interface that is unknown) are mistakes.
//!
//! - A rule without a type passes, one without a family is for IPv4 (`default` of both).
//! - A schedule that is not there leaves the rule on.
//! - When a limit of states is reached, the packet is dropped, and later rules are not asked (`pf_create_state`, pf.c).

use std::sync::Arc;

use super::super::model::{Condition, Family, Interfaces};
use super::alias::Aliases;
use super::device::{Device, SERVICE_INTERFACES, only};
use super::matching::match_of;
use super::packet::{self, plain_number};
use super::report::Report;
use super::schedule::Schedules;
use super::xml::Element;

/// What a rule of pf does.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Verdict {
    /// It passes.
    Pass,
    /// It passes while limits of states hold, and is dropped otherwise.
    PassWithin(Vec<String>),
    /// It is dropped.
    Block,
    /// It marks the packet and decides nothing.
    Note,
}

/// Whether a rule looks at the device as the place that packets go to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Target {
    /// It does not.
    Anywhere,
    /// The destination is one of the device's own addresses, `(self)`; or not, if `negated`.
    Device {
        /// True for `! (self)`.
        negated: bool,
    },
    /// It concerns packets to the device only, of which its conditions say the rest.
    OnlyDevice,
}

/// A rule of pf.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct PfRule {
    /// Where it comes from.
    pub(super) line: usize,
    /// What the config says of it.
    pub(super) label: Option<Arc<str>>,
    /// Whether packets that arrive meet it.
    pub(super) inbound: bool,
    /// Whether packets that leave do.
    pub(super) outbound: bool,
    /// True if it decides at once; otherwise the last that matches does.
    pub(super) quick: bool,
    /// The interfaces that it is on.
    pub(super) interfaces: Interfaces,
    /// Whether it looks for the device.
    pub(super) target: Target,
    /// What else packets have to be.
    pub(super) conditions: Vec<Condition>,
    /// What the model has no field for.
    pub(super) opaque: Vec<String>,
    /// What it does.
    pub(super) verdict: Verdict,
}

/// Fields of a rule that this module reads.
const READ: &[&str] = &[
    "descr",
    "destination",
    "direction",
    "disabled",
    "dscp",
    "floating",
    "gateway",
    "icmptype",
    "interface",
    "ipprotocol",
    "max",
    "max-src-conn",
    "max-src-conn-rate",
    "max-src-conn-rates",
    "max-src-nodes",
    "max-src-states",
    "nottagged",
    "os",
    "protocol",
    "quick",
    "sched",
    "source",
    "statetype",
    "tagged",
    "tcpflags1",
    "tcpflags2",
    "tcpflags_any",
    "type",
    "vlanprio",
];

/// Fields of a rule that cannot affect which packets it decides on:
/// - names, dates and ties to other parts of the config: `id`, `tracker`, `created`, `updated`, `associated-rule-id`, `labels`,
///   `wizard`;
/// - what is logged, marked or queued: `log`, `tag`, `defaultqueue`, `ackqueue`, `dnpipe`, `pdnpipe`, `vlanprioset`. A mark is
///   looked at by `tagged`, which is opaque, so it may be there or not;
/// - how states live that have been made: `statetimeout`, `source-track`, `nopfsync`, `sloppy`, `statepolicy`;
/// - where replies are sent: `disablereplyto`;
/// - packets with IP options, of which the model does not speak: `allowopts`.
const WITHOUT_EFFECT: &[&str] = &[
    "ackqueue",
    "allowopts",
    "associated-rule-id",
    "created",
    "defaultqueue",
    "disablereplyto",
    "dnpipe",
    "id",
    "labels",
    "log",
    "nopfsync",
    "pdnpipe",
    "sloppy",
    "source-track",
    "statepolicy",
    "statetimeout",
    "tag",
    "tracker",
    "updated",
    "vlanprioset",
    "wizard",
];

/// What a rule may name.
pub(super) struct Names<'n> {
    /// The aliases.
    pub(super) aliases: &'n mut Aliases,
    /// The schedules, if what was read has them.
    pub(super) schedules: Option<&'n Schedules>,
    /// The device, if what was read is a whole config.
    pub(super) device: Option<&'n Device>,
    /// True if rules are skipped while the gateway that they name is down.
    pub(super) skips_down_gateways: bool,
}

/// The version of configs from which on rules of groups stand in the order of groups, and those of services behind them
/// (`get_filter_rules_map`, pfsense-utils.inc). Before, all of them stood in the order of the config.
const GROUPS_IN_ORDER: (u64, u64) = (24, 1);

/// Where a rule stands in the order of pf: floating rules, those of groups, those of services, those of interfaces.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Rank {
    /// A floating rule.
    Floating,
    /// A rule of a group, by the group's place.
    Group(usize),
    /// A rule of a service's interface.
    Service,
    /// A rule of an interface.
    Interface,
}

/// What becomes of a rule.
pub(super) type Lowered = Option<(Rank, Vec<PfRule>)>;

/// Reads a rule. Nothing comes of one that is never there, or that is on interfaces that are off.
pub(super) fn read(rule: &Element, names: &mut Names<'_>, report: &mut Report) -> Lowered {
    let before = report.mistakes.len();
    for child in &rule.children {
        let (read, ignored) =
            (READ.contains(&child.name.as_str()), WITHOUT_EFFECT.contains(&child.name.as_str()));
        let flat =
            ignored || ["source", "destination"].contains(&child.name.as_str()) || child.children.is_empty();
        if !(read || ignored) || !flat {
            report.mistake(child.line, format!("`{}` in a rule is not understood", child.name));
        }
    }
    let place = noted(place(rule, names), rule, report);
    let frame = noted(frame(rule, names), rule, report);
    let families = noted(families(rule.value("ipprotocol")), rule, report);
    let ((rank, interfaces), frame, families) = (place?, frame?, families?);
    let mut rules = Vec::new();
    for family in families {
        let made = match_of(rule, *family, &frame, names);
        match made {
            Ok((target, conditions, opaque)) => {
                rules.push(PfRule {
                    interfaces: interfaces.clone(),
                    target,
                    conditions,
                    opaque,
                    ..frame.rule.clone()
                });
            }
            Err(what) => report.mistake(rule.line, what),
        }
    }
    let off = interfaces == Interfaces::Only([].into()) || frame.times.as_deref() == Some(&[]);
    (report.mistakes.len() == before && !off).then_some((rank, rules))
}

fn noted<T>(read: Result<T, String>, rule: &Element, report: &mut Report) -> Option<T> {
    read.map_err(|what| report.mistake(rule.line, what)).ok()
}

/// What is the same for each family of a rule.
pub(super) struct Frame {
    /// The rule, without what it matches.
    pub(super) rule: PfRule,
    /// The times at which the rule is there; `None` for always.
    pub(super) times: Option<Vec<(u32, u32)>>,
}

fn families(text: &str) -> Result<&'static [Family], String> {
    match text {
        "" | "inet" => Ok(&[Family::V4]),
        "inet6" => Ok(&[Family::V6]),
        "inet46" => Ok(packet::BOTH),
        other => Err(format!("`{other}` is not a family; `inet`, `inet6` or `inet46` is")),
    }
}

/// The interfaces that a rule is on, and where it stands.
fn place(rule: &Element, names: &Names<'_>) -> Result<(Rank, Interfaces), String> {
    let text = rule.value("interface");
    let find = |name: &str| match names.device {
        Some(device) => device.named(name).ok_or_else(|| format!("interface `{name}` is not in the config")),
        None if is_plain_id(name) => Ok(vec![name.to_owned()]),
        None => Err(format!("whether `{name}` is an interface is said in other parts of the config")),
    };
    if rule.has("floating") {
        if rule.value("floating") != "yes" {
            return Err(format!("`{}` in `floating` is not understood; `yes` is", rule.value("floating")));
        }
        if text.is_empty() || text == "any" {
            return Ok((Rank::Floating, Interfaces::Any));
        }
        let found: Result<Vec<_>, String> = text.split(',').map(find).collect();
        return Ok((Rank::Floating, only(found?.into_iter().flatten().collect())));
    }
    if text.is_empty() {
        return Err("a rule that is not floating has to name an interface: pfSense skips it".to_owned());
    }
    let group = names.device.and_then(|device| device.groups.iter().position(|(group, _)| group == text));
    let by_group = names.device.is_some_and(|device| device.version >= GROUPS_IN_ORDER);
    let rank = match group {
        _ if !by_group && (group.is_some() || SERVICE_INTERFACES.contains(&text)) => Rank::Group(0),
        Some(group) => Rank::Group(group),
        None if SERVICE_INTERFACES.contains(&text) => Rank::Service,
        None => Rank::Interface,
    };
    Ok((rank, only(find(text)?)))
}

/// True for the ids that pfSense gives to interfaces.
fn is_plain_id(name: &str) -> bool {
    let number = name.strip_prefix("opt");
    name == "wan" || name == "lan" || number.is_some_and(|number| plain_number(number).is_some())
}

fn frame(rule: &Element, names: &Names<'_>) -> Result<Frame, String> {
    let floating = rule.has("floating");
    let (inbound, outbound) = match (floating, rule.value("direction")) {
        (false, _) | (true, "in") => (true, false),
        (true, "out") => (false, true),
        (true, "" | "any") => (true, true),
        (true, other) => return Err(format!("`{other}` is not a direction; `in`, `out` or `any` is")),
    };
    let quick = !floating || rule.has("quick");
    let verdict = match rule.value("type") {
        "" | "pass" => {
            state(rule)?;
            gateway(rule, names)?;
            match limits(rule)? {
                limits if limits.is_empty() => Verdict::Pass,
                limits => Verdict::PassWithin(limits),
            }
        }
        "block" | "reject" => Verdict::Block,
        "match" if quick => {
            return Err(
                "a rule of the type `match` that is `quick` ends the search with what matched before"
                    .to_owned(),
            );
        }
        "match" => Verdict::Note,
        other => return Err(format!("`{other}` is not a type: pfSense takes the rule for one that passes")),
    };
    let label = Some(rule.value("descr")).filter(|text| !text.is_empty());
    let rule_of_pf = PfRule {
        line: rule.line,
        label: label.map(Into::into),
        inbound,
        outbound,
        quick,
        interfaces: Interfaces::Any,
        target: Target::Anywhere,
        conditions: Vec::new(),
        opaque: Vec::new(),
        verdict,
    };
    Ok(Frame { rule: rule_of_pf, times: schedule(rule.value("sched"), names)? })
}

fn state(rule: &Element) -> Result<(), String> {
    match rule.value("statetype") {
        "" | "keep state" | "sloppy state" | "modulate state" | "synproxy state" => Ok(()),
        "none" => Err("a rule that keeps no state does not pass replies, which is not modelled".to_owned()),
        other => Err(format!("`{other}` is not a type of state")),
    }
}

/// Policy routing does not filter, but pfSense can skip rules whose gateway is down.
fn gateway(rule: &Element, names: &Names<'_>) -> Result<(), String> {
    let gateway = rule.value("gateway");
    match names.device {
        _ if gateway.is_empty() => Ok(()),
        Some(_) if !names.skips_down_gateways => Ok(()),
        Some(_) => Err(format!("the rule is skipped while gateway `{gateway}` is down")),
        None => {
            Err(format!("whether the rule is skipped while gateway `{gateway}` is down is said elsewhere"))
        }
    }
}

/// Limits of states, in the words of pf.conf(5).
fn limits(rule: &Element) -> Result<Vec<String>, String> {
    let number = |name: &str| match rule.value(name) {
        "" | "0" => Ok(None),
        text if plain_number(text).is_some() => Ok(Some(text.to_owned())),
        text => Err(format!("`{text}` in `{name}` is not a number")),
    };
    let mut limits = Vec::new();
    for name in ["max", "max-src-nodes", "max-src-states"] {
        limits.extend(number(name)?.map(|count| format!("{name} {count}")));
    }
    let (connections, rate, seconds) =
        (number("max-src-conn")?, number("max-src-conn-rate")?, number("max-src-conn-rates")?);
    if matches!(rule.value("protocol"), "tcp" | "tcp/udp") {
        limits.extend(connections.map(|count| format!("max-src-conn {count}")));
        let rate = rate.zip(seconds);
        limits.extend(rate.map(|(count, seconds)| format!("max-src-conn-rate {count} / {seconds}")));
    }
    Ok(limits)
}

fn schedule(name: &str, names: &Names<'_>) -> Result<Option<Vec<(u32, u32)>>, String> {
    if name.is_empty() {
        return Ok(None);
    }
    match names.schedules.map(|schedules| schedules.get(name)) {
        Some(Some(Some(times))) => Ok(Some(times.clone())),
        Some(Some(None)) => Err(format!("schedule `{name}` was not understood")),
        Some(None) => Ok(None),
        None if names.device.is_some() => Ok(None),
        None => Err(format!("schedule `{name}` stands in another part of the config")),
    }
}
