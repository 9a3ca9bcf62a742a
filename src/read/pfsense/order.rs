//! From rules in pf's order to chains in which the first that matches decides.
//!
//! In: rules of pf. Out: the model. In pf the first rule that is `quick` and matches decides, and if there is none, the
//! last that matches (pf.conf(5), "quick"). So a chain has the quick rules in their order, and then the others backwards.
//! What no rule decides on is blocked: pfSense's default deny is the first rule and not quick.
//!
//! Packets of a state pass before rules are looked at (`pf_test`, pf.c), errors about it too; so each chain begins with
//! them. All other packets meet the rules, those that open no connection as well: a TCP packet without a state passes only
//! by a rule that asks for no flags.

use std::collections::BTreeMap;

use super::super::model::{
    Action, Chain, ChainId, Condition, Family, Filter, Interfaces, Match, Model, Paths, Rule, States,
};
use super::packet::{End, within};
use super::rule::{PfRule, Target, Verdict};

/// How many rules all chains may have. Rules on all interfaces stand in the chain of each.
const RULES_MAX: usize = 20_000_000;

/// The way of a packet, for rules that look for the device.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Path {
    Through,
    ToDevice,
    FromDevice,
}

/// The side of an interface that packets meet rules on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Side {
    In,
    Out,
}

/// Makes the model. `None` if it would be too large.
pub(super) fn model(rules: &[PfRule], line: usize) -> Option<Model> {
    let mut model = Model { families: vec![Family::V4, Family::V6], ..Model::default() };
    let mut size = 0_usize;
    for side in [Side::In, Side::Out] {
        let lists = by_interface(rules, side, &mut size)?;
        let named: Vec<String> = lists.keys().filter_map(|name| name.map(str::to_owned)).collect();
        for (name, list) in &lists {
            let interfaces = match name {
                Some(name) => Interfaces::Only([(*name).to_owned()].into()),
                None => Interfaces::Except(named.as_slice().into()),
            };
            add_filters(&mut model, side, name.unwrap_or("others"), interfaces, list, line);
        }
    }
    Some(model)
}

/// The rules of each interface that one names, and under `None` those of all others.
fn by_interface<'r>(
    rules: &'r [PfRule],
    side: Side,
    size: &mut usize,
) -> Option<BTreeMap<Option<&'r str>, Vec<&'r PfRule>>> {
    let meets = |rule: &&PfRule| match side {
        Side::In => rule.inbound,
        Side::Out => rule.outbound,
    };
    let mut lists: BTreeMap<Option<&str>, Vec<&PfRule>> = BTreeMap::from([(None, Vec::new())]);
    for rule in rules.iter().filter(meets) {
        lists.extend(named(rule).iter().map(|name| (Some(name.as_str()), Vec::new())));
    }
    for rule in rules.iter().filter(meets) {
        *size += if rule.interfaces == Interfaces::Any { lists.len() } else { named(rule).len() };
        if *size > RULES_MAX {
            return None;
        }
        if rule.interfaces == Interfaces::Any {
            lists.values_mut().for_each(|list| list.push(rule));
        }
        for name in named(rule) {
            lists.entry(Some(name)).or_default().push(rule);
        }
    }
    Some(lists)
}

fn named(rule: &PfRule) -> &[String] {
    match &rule.interfaces {
        Interfaces::Only(names) => names,
        Interfaces::Any | Interfaces::Except(_) => &[],
    }
}

/// Adds the chains of an interface: one if rules do not look at the way of packets, otherwise one for each.
fn add_filters(
    model: &mut Model,
    side: Side,
    name: &str,
    interfaces: Interfaces,
    rules: &[&PfRule],
    line: usize,
) {
    let (second, word) = match side {
        Side::In => (Path::ToDevice, "in"),
        Side::Out => (Path::FromDevice, "out"),
    };
    let through = chain(rules, Path::Through, line);
    let device = chain(rules, second, line);
    let none = Paths { through: false, to_device: false, from_device: false };
    let of_device = Paths { to_device: side == Side::In, from_device: side == Side::Out, ..none };
    let name = format!("interface {name} {word}");
    let mut add = |name: String, paths, rules| {
        let chain = ChainId(model.chains.len());
        model.chains.push(Chain { name: name.clone(), rules });
        let concerns = match side {
            Side::In => Match { arrives: interfaces.clone(), ..Match::default() },
            Side::Out => Match { leaves: interfaces.clone(), ..Match::default() },
        };
        model.filters.push(Filter { name, line, paths, concerns, chain, otherwise_accept: false });
    };
    if through == device {
        add(name, Paths { through: true, ..of_device }, through);
    } else {
        add(format!("{name}, through"), Paths { through: true, ..none }, through);
        add(format!("{name}, the device itself"), of_device, device);
    }
}

fn chain(rules: &[&PfRule], path: Path, line: usize) -> Vec<Rule> {
    let known = Match { states: States::ESTABLISHED.union(States::RELATED), ..Match::default() };
    let state = Rule { line, matches: known, action: Action::Accept, label: None };
    let quick = rules.iter().filter(|rule| rule.quick);
    let last = rules.iter().rev().filter(|rule| !rule.quick);
    std::iter::once(state).chain(quick.chain(last).flat_map(|rule| lower(rule, path))).collect()
}

/// The rules that a rule of pf becomes on a way of packets.
fn lower(rule: &PfRule, path: Path) -> Vec<Rule> {
    let Some((condition, text)) = aim(rule.target, path) else { return Vec::new() };
    let matches = Match {
        conditions: rule.conditions.iter().cloned().chain(condition).collect(),
        opaque: rule.opaque.iter().cloned().chain(text).collect(),
        ..Match::default()
    };
    let with = |matches: Match, action| Rule { line: rule.line, matches, action, label: rule.label.clone() };
    match &rule.verdict {
        Verdict::Pass => vec![with(matches, Action::Accept)],
        Verdict::Block => vec![with(matches, Action::Drop)],
        Verdict::Note => vec![with(matches, Action::Continue)],
        Verdict::PassWithin(limits) => {
            let mut within = matches.clone();
            within.opaque.extend(limits.iter().cloned());
            vec![with(within, Action::Accept), with(matches, Action::Drop)]
        }
    }
}

/// What a rule that looks for the device asks for on a way of packets. `None` if it matches none of them.
///
/// A packet that goes through is not addressed to the device, and one that goes to it is, unless it is for many hosts. A
/// packet of the device itself that goes to itself meets `lo0` only, but pf does not know.
fn aim(target: Target, path: Path) -> Option<(Option<Condition>, Option<String>)> {
    let many = |negated| Condition { negated, ..within(End::Destination, FOR_MANY) };
    match (target, path) {
        (Target::Anywhere, Path::Through | Path::ToDevice | Path::FromDevice) => Some((None, None)),
        (Target::OnlyDevice, Path::ToDevice) => Some((None, None)),
        (Target::OnlyDevice, Path::Through | Path::FromDevice) => None,
        (Target::Device { negated }, Path::Through) => negated.then_some((None, None)),
        (Target::Device { negated }, Path::ToDevice) => Some((Some(many(!negated)), None)),
        (Target::Device { negated: false }, Path::FromDevice) => Some((None, Some("to (self)".to_owned()))),
        (Target::Device { negated: true }, Path::FromDevice) => Some((None, Some("to ! (self)".to_owned()))),
    }
}

/// Destinations that are no address of one device.
const FOR_MANY: &[&str] = &["224.0.0.0/4", "255.255.255.255/32", "ff00::/8"];
