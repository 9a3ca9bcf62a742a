//! The view models of `filter.xml` and `aliases.xml`: which rules stand on which interface, in which order.
//!
//! pfSense evaluates the rules of an interface in the order of the config, and the first that matches decides. So each
//! interface has, in this order: a block of sources that do not lie behind it, what may reach the firewall itself, a
//! block of all else that goes there, what may pass to each other interface, and a block of everything.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::alias::{AliasView, Aliases, Naming, SideView};
use super::rectangle::Family;
use super::rule::{Maker, Origin, RuleView, Said, Toward};
use super::text::{note, tracker};
use super::traffic::Match;
use crate::ir::{Effect, Interface, RuleIndex};
use crate::plan::{DevicePlan, Pair};
use crate::set::{AddressSet, PacketSet, ServiceSet, Set};

/// Both files.
#[derive(Debug, Serialize)]
pub(super) struct Config {
    device: String,
    policy: String,
    interfaces: Vec<InterfaceView>,
    aliases: Vec<AliasView>,
}

/// What no rule can say, by the statement that it is of.
#[derive(Default)]
pub(super) struct LeftOut {
    pub(super) rules: BTreeMap<RuleIndex, BTreeSet<String>>,
    pub(super) managements: BTreeMap<usize, BTreeSet<String>>,
}

/// The rules of one interface.
#[derive(Debug, Serialize)]
struct InterfaceView {
    name: String,
    separators: Vec<SeparatorView>,
    rules: Vec<TrackedRule>,
}

/// A line between rules, for readers.
#[derive(Debug, Serialize)]
struct SeparatorView {
    /// How many rules of the interface stand above it.
    row: usize,
    text: String,
}

/// A rule with its tracker.
#[derive(Debug, Serialize)]
struct TrackedRule {
    tracker: u32,
    #[serde(flatten)]
    rule: RuleView,
}

/// Rules under a separator.
struct Section {
    title: String,
    rules: Vec<RuleView>,
}

impl Config {
    pub(super) fn new(plan: &DevicePlan, left_out: &mut LeftOut) -> Self {
        let mut aliases = Aliases::default();
        let interfaces: Vec<(&Interface, Vec<Section>)> = plan
            .device
            .interfaces
            .iter()
            .map(|interface| (interface, sections(plan, interface, &mut aliases, left_out)))
            .collect();
        let rules = interfaces.iter().flat_map(|(_, sections)| sections).flat_map(|section| &section.rules);
        let trackers = trackers(rules);
        Config {
            device: note(&plan.device.name),
            policy: note(plan.policy.name.as_deref().unwrap_or("cordon")),
            interfaces: interfaces
                .into_iter()
                .map(|(interface, sections)| interface_view(interface, sections, &trackers))
                .collect(),
            aliases: aliases.into_views(),
        }
    }
}

/// A tracker for each rule, by what it is known by. Of two rules with the same digest, the one that comes first in the
/// order of their keys has it.
fn trackers<'r>(rules: impl Iterator<Item = &'r RuleView>) -> BTreeMap<String, u32> {
    let keys: BTreeSet<String> = rules.map(RuleView::key).collect();
    let mut taken = BTreeSet::new();
    let mut trackers = BTreeMap::new();
    for key in keys {
        let mut salt = 0;
        let mut number = tracker(&key, salt);
        while !taken.insert(number) {
            salt += 1;
            number = tracker(&key, salt);
        }
        trackers.insert(key, number);
    }
    trackers
}

fn interface_view(
    interface: &Interface,
    sections: Vec<Section>,
    trackers: &BTreeMap<String, u32>,
) -> InterfaceView {
    let (mut separators, mut rules) = (Vec::new(), Vec::new());
    let mut said: BTreeSet<String> = BTreeSet::new();
    for section in sections {
        let row = rules.len();
        for rule in section.rules {
            let key = rule.key();
            // Two ways to the same zone say the same; once is enough.
            if let Some(tracker) = trackers.get(&key).copied()
                && said.insert(key)
            {
                rules.push(TrackedRule { tracker, rule });
            }
        }
        if rules.len() > row {
            separators.push(SeparatorView { row, text: section.title });
        }
    }
    InterfaceView { name: interface.name.clone(), separators, rules }
}

/// The rules of an interface, in the order in which they are evaluated.
fn sections(
    plan: &DevicePlan,
    interface: &Interface,
    aliases: &mut Aliases,
    left_out: &mut LeftOut,
) -> Vec<Section> {
    let mut maker = Maker { policy: plan.policy, aliases, interface: &interface.name };
    let zones = zones(plan, interface);
    let section = |title: &str, rules| Section { title: note(title), rules };
    let mut sections = vec![
        section("cordon: sources that do not lie here", foreign_sources(plan, interface, &mut maker)),
        section("cordon: to this firewall", to_firewall(plan, interface, &mut maker, left_out)),
    ];
    for pair in plan.pairs.iter().filter(|pair| pair.from.name == interface.name) {
        let title = format!("cordon: {zones} to {}", self::zones(plan, pair.to));
        sections.push(section(&title, between(pair, &mut maker, left_out)));
    }
    let origin = Origin::barrier("nothing-else");
    let last = [Family::V4, Family::V6]
        .map(|family| maker.rule(family, &Match::everything(), SideView::any(), SideView::any(), origin));
    sections.push(section(&format!("cordon: nothing else from {zones}"), last.into()));
    sections
}

/// The zones behind an interface, for readers.
fn zones(plan: &DevicePlan, interface: &Interface) -> String {
    let names: Vec<&str> = interface.zones.iter().map(|zone| plan.policy[*zone].name.as_str()).collect();
    if names.is_empty() { interface.name.clone() } else { names.join(", ") }
}

/// Blocks of all sources that do not lie behind an interface.
fn foreign_sources(plan: &DevicePlan, interface: &Interface, maker: &mut Maker) -> Vec<RuleView> {
    let foreign = AddressSet::full().difference(plan.sources_at(interface));
    let mut rules = Vec::new();
    for family in [Family::V4, Family::V6] {
        let foreign = family.of(&foreign);
        let naming = Naming { mentions: "", otherwise: &interface.name };
        if foreign.is_empty() {
            continue;
        }
        for source in maker.aliases.addresses(plan.policy, family, &foreign, naming) {
            let origin = Origin::barrier("foreign-source");
            rules.push(maker.rule(family, &Match::everything(), source, SideView::any(), origin));
        }
    }
    rules
}

/// What may reach the firewall itself, and a block of everything else that goes there. Without it, a rule that lets
/// packets into a zone would let them to the firewall's own address in that zone too.
fn to_firewall(
    plan: &DevicePlan,
    interface: &Interface,
    maker: &mut Maker,
    left_out: &mut LeftOut,
) -> Vec<RuleView> {
    let here = PacketSet::product(plan.sources_at(interface), &AddressSet::full(), &ServiceSet::full());
    let (mut narrow, mut wide) = (Vec::new(), Vec::new());
    for (place, input) in plan.inputs.iter().enumerate() {
        let management = input.management;
        let origin = Origin {
            id: &management.id,
            from: &management.from.text,
            to: "",
            via: "",
            reason: management.about.reason.as_deref(),
            effect: Effect::Allow,
            log: management.log,
        };
        let said = maker.say(&input.packets.intersection(&here), origin, Toward::Firewall);
        narrow.extend(said.narrow);
        wide.extend(said.wide);
        if !said.left_out.is_empty() {
            left_out.managements.entry(place).or_default().extend(said.left_out);
        }
    }
    let barrier = Origin::barrier("to-firewall");
    let rest = [Family::V4, Family::V6].map(|family| {
        maker.rule(family, &Match::everything(), SideView::any(), SideView::firewall(), barrier)
    });
    narrow.into_iter().chain(wide).chain(rest).collect()
}

/// What may pass from one interface to another.
fn between(pair: &Pair, maker: &mut Maker, left_out: &mut LeftOut) -> Vec<RuleView> {
    let (mut narrow, mut wide) = (Vec::new(), Vec::new());
    for entry in &pair.entries {
        let rule = &maker.policy[entry.rule];
        let Said { narrow: rules, wide: all, left_out: unsaid } =
            maker.say(&entry.packets, Origin::of(rule), Toward::Addresses);
        narrow.extend(rules);
        wide.extend(all);
        // What a forbid cannot say is denied by the last rule of the interface, and in the log by its name.
        if rule.effect == Effect::Allow && !unsaid.is_empty() {
            left_out.rules.entry(entry.rule).or_default().extend(unsaid);
        }
    }
    narrow.extend(wide);
    narrow
}
