//! The view model of all files: which rules stand on which interface, in which order.
//!
//! pfSense evaluates the rules of an interface in the order of the config, and the first that matches decides. So each
//! interface has, in this order: a block of sources that do not lie behind it, what may reach the firewall itself, a
//! block of all else that goes there, what may pass to each other interface, and a block of everything.
//!
//! Rules of statements with a schedule are kept apart from the others, each with the rule that it stands behind:
//! `filter.xml` can be restored without schedules, and a rule whose schedule is not there would hold at all times.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::alias::{AliasView, Aliases, Naming, SideView};
use super::rectangle::Family;
use super::rule::{Limit, Maker, Origin, RuleView, Said, Toward};
use super::schedule::{self, ScheduleView};
use super::text::{note, tracker};
use super::traffic::Match;
use crate::ir::{Effect, Interface, RuleIndex};
use crate::plan::{DevicePlan, Entry, Pair};
use crate::set::{AddressSet, PacketSet, ServiceSet, Set};

/// All files.
#[derive(Debug, Serialize)]
pub(super) struct Config {
    device: String,
    policy: String,
    interfaces: Vec<InterfaceView>,
    aliases: Vec<AliasView>,
    /// Rules that hold at times only.
    scheduled: Vec<GroupView>,
    schedules: Vec<ScheduleView>,
    /// The clock of the schedules.
    clock: String,
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

/// Rules of one interface that stand directly behind another.
#[derive(Debug, Serialize)]
struct GroupView {
    /// The tracker of that rule.
    behind: u32,
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
        let all = || interfaces.iter().flat_map(|(_, sections)| sections).flat_map(|section| &section.rules);
        let trackers = trackers(all());
        let used: BTreeSet<&str> = all().filter_map(RuleView::schedule).collect();
        let (schedules, clock) = schedule::views(plan.policy, &used);
        let mut scheduled = Vec::new();
        Config {
            device: note(&plan.device.name),
            policy: note(plan.policy.name.as_deref().unwrap_or("cordon")),
            interfaces: interfaces
                .into_iter()
                .map(|(interface, sections)| interface_view(interface, sections, &trackers, &mut scheduled))
                .collect(),
            aliases: aliases.into_views(),
            scheduled,
            schedules,
            clock: note(&clock),
        }
    }

    /// Statements whose sources are counted in several rules, each by itself, with how many there are.
    pub(super) fn counted_apart(&self) -> BTreeMap<String, usize> {
        let own = self.interfaces.iter().flat_map(|interface| &interface.rules);
        let all = own.chain(self.scheduled.iter().flat_map(|group| &group.rules));
        let mut counts: BTreeMap<(&str, &str, &str), usize> = BTreeMap::new();
        for place in all.filter_map(|tracked| tracked.rule.counts()) {
            *counts.entry(place).or_default() += 1;
        }
        let apart = counts.into_iter().filter(|(_, count)| *count > 1);
        apart.map(|((_, _, id), count)| (id.to_owned(), count)).collect()
    }

    /// True if some rules hold at times only.
    pub(super) fn has_schedules(&self) -> bool {
        !self.schedules.is_empty()
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
    scheduled: &mut Vec<GroupView>,
) -> InterfaceView {
    let (mut separators, mut rules) = (Vec::new(), Vec::<TrackedRule>::new());
    let mut said: BTreeSet<String> = BTreeSet::new();
    for section in sections {
        let row = rules.len();
        for rule in section.rules {
            let key = rule.key();
            // Two ways to the same zone say the same; once is enough.
            let Some(tracker) = trackers.get(&key).copied().filter(|_| said.insert(key)) else { continue };
            let is_timed = rule.is_timed();
            let rule = TrackedRule { tracker, rule };
            if !is_timed {
                rules.push(rule);
            } else if let Some(last) = rules.last() {
                // INVARIANT: there is one, since what goes to the firewall itself is blocked in front of all of them.
                stand_behind(last.tracker, rule, scheduled);
            }
        }
        if rules.len() > row {
            separators.push(SeparatorView { row, text: section.title });
        }
    }
    InterfaceView { name: interface.name.clone(), separators, rules }
}

fn stand_behind(tracker: u32, rule: TrackedRule, scheduled: &mut Vec<GroupView>) {
    match scheduled.last_mut() {
        Some(group) if group.behind == tracker => group.rules.push(rule),
        Some(_) | None => scheduled.push(GroupView { behind: tracker, rules: vec![rule] }),
    }
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
        sections.push(section(&title, between(plan, pair, &mut maker, left_out)));
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
            during: None,
            limit: None,
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
fn between(plan: &DevicePlan, pair: &Pair, maker: &mut Maker, left_out: &mut LeftOut) -> Vec<RuleView> {
    let policy = maker.policy;
    let limit = |rule| plan.guards_of(rule).next().map(|guard| Limit::of(guard.rate));
    let during = |entry: &Entry| policy[entry.rule].during.map(|id| schedule::name(policy, id));
    let names: Vec<Option<String>> = pair.entries.iter().map(during).collect();
    let entries = || {
        let entries = pair.entries.iter().zip(&names);
        entries
            .map(|(entry, name)| (entry, Origin::of(&policy[entry.rule], name.as_deref(), limit(entry.rule))))
    };
    let mut said: Vec<Said> =
        entries().map(|(entry, origin)| maker.say(&entry.packets, origin, Toward::Addresses)).collect();
    if names.iter().any(Option::is_some) {
        for (place, (_, origin)) in entries().enumerate() {
            let more =
                contested(pair, &said, place).map(|packets| maker.say(&packets, origin, Toward::Addresses));
            if let (Some(own), [stopped, shared]) = (said.get_mut(place), more) {
                own.narrow.splice(0..0, stopped.narrow.into_iter().chain(shared.narrow));
                own.left_out.extend(stopped.left_out);
            }
        }
    }
    let (mut narrow, mut wide) = (Vec::new(), Vec::new());
    for (entry, Said { narrow: rules, wide: all, left_out: unsaid, .. }) in pair.entries.iter().zip(said) {
        narrow.extend(rules);
        wide.extend(all);
        // What a forbid cannot say is denied by the last rule of the interface, and in the log by its name.
        if policy[entry.rule].effect == Effect::Allow && !unsaid.is_empty() {
            left_out.rules.entry(entry.rule).or_default().extend(unsaid);
        }
    }
    narrow.extend(wide);
    narrow
}

/// What an entry says in rules for all protocols and has to say in narrow ones too: what blocks in front of such rules of
/// other entries would take, and what entries that come later would decide, since their narrow rules come first. Entries
/// share packets only if their schedules differ, so there is nothing of either kind without schedules.
fn contested(pair: &Pair, said: &[Said], place: usize) -> [PacketSet; 2] {
    let (mut blocked, mut later) = (PacketSet::empty(), PacketSet::empty());
    let Some(own) = said.get(place).filter(|own| !own.opened.is_empty()) else { return [blocked, later] };
    for (other, (entry, said)) in pair.entries.iter().zip(said).enumerate() {
        if other != place {
            blocked = blocked.union(&own.opened.intersection(&said.blocked));
        }
        if other > place {
            later = later.union(&own.opened.intersection(&entry.packets).difference(&said.opened));
        }
    }
    let later = later.difference(&blocked);
    [blocked, later]
}
