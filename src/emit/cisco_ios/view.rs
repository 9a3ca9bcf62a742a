//! The view model of the files: every line that depends on the policy, ready to be laid out.

use std::collections::BTreeSet;

use serde::Serialize;

use super::acl::{Block, Direction, Family, Flows, boxes};
use super::baseline::LINK_LOCAL;
use super::build::{self, Built, Unsaid};
use super::group::{self, Group, Groups};
use super::prefix::cover;
use super::residue::{Class, Residue, residue};
use super::time::{self, Ranges, TimeRange};
use super::wanted::{Wanted, managed};
use super::{storm, tcam, text};
use crate::ir::{Interface, Policy};
use crate::parallel::each;
use crate::plan::DevicePlan;
use crate::set::{BoxOf, Interval, IntervalMap, IntervalSet, Ports, Set, Traffic, union_all};

/// What all files are laid out from.
#[derive(Debug, Serialize)]
pub(super) struct Config {
    device: String,
    title: String,
    /// The clock that time ranges are meant by, if there are any.
    clock: Option<String>,
    /// True if there are ends, and no schedule that says what that clock has to show.
    ends_by_own_clock: bool,
    ranges: Vec<TimeRange>,
    groups: Vec<Group>,
    lists: Vec<List>,
    terminals: Vec<List>,
    interfaces: Vec<Binding>,
    /// Ports, each with all that is said of storms there.
    ports: Vec<Binding>,
    unfiltered: Vec<String>,
    /// Lines with remarks, groups and headings left out.
    entries: usize,
    /// What `entries` would be with one line for each box, and neither groups nor parts.
    naive: usize,
    group_lines: usize,
    /// Hardware entries of all lists on interfaces.
    pub(super) hardware: u64,
    /// What the device has, ` of N`, if that is limited.
    budget: String,
    /// The list with the most hardware entries, in words.
    pub(super) largest: String,
    /// Boxes of packets that may be the first of a connection, beyond the policy.
    beyond: usize,
}

/// An access list.
#[derive(Debug, Serialize)]
struct List {
    name: String,
    keyword: &'static str,
    /// The command that binds it to terminals.
    login: &'static str,
    about: String,
    lines: Vec<String>,
    entries: usize,
    hardware: u64,
    classes: Vec<Class>,
}

/// What lists refer to, gathered while they are written.
struct Definitions<'p> {
    policy: &'p Policy,
    groups: Groups,
    ranges: Ranges,
}

/// The lists of an interface, or what is said of storms on a port.
#[derive(Debug, Serialize)]
pub(super) struct Binding {
    pub(super) interface: String,
    pub(super) zones: String,
    pub(super) commands: Vec<String>,
}

impl Config {
    pub(super) fn new(plan: &DevicePlan, unsaid: &mut BTreeSet<Unsaid>) -> Result<Self, &'static str> {
        let (mut lists, mut interfaces, mut naive) = (Vec::new(), Vec::new(), 0);
        let mut defined = Definitions { policy: plan.policy, groups: Groups::new(), ranges: Ranges::new() };
        let (zoned, others): (Vec<&Interface>, Vec<&Interface>) =
            plan.device.interfaces.iter().partition(|interface| !interface.zones.is_empty());
        let all_of = |interface| {
            let families = Family::BOTH.into_iter();
            families.flat_map(move |family| {
                [Direction::In, Direction::Out].map(|direction| (interface, direction, family))
            })
        };
        let asked: Vec<(&Interface, Direction, Family)> = zoned.iter().copied().flat_map(all_of).collect();
        let mut drafts =
            each(&asked, |(interface, direction, family)| Draft::new(plan, interface, *direction, *family))
                .into_iter();
        for interface in zoned {
            let mut commands = Vec::new();
            for (_, direction, family) in all_of(interface) {
                let Some(draft) = drafts.next() else { break };
                let draft = draft?;
                naive += draft.naive;
                let list = draft.list(&mut defined, unsaid);
                commands.push(binding(&list.name, direction, family));
                lists.push(list);
            }
            let (name, zones) = (interface.name.clone(), zones(plan, interface));
            interfaces.push(Binding { interface: name, zones, commands });
        }
        let terminals = Family::BOTH.map(|family| terminal(plan, family, &mut defined, unsaid));
        let all = || lists.iter().chain(&terminals);
        let largest = lists.iter().max_by_key(|list| (list.hardware, std::cmp::Reverse(&list.name)));
        let counted = lists.iter().flat_map(|list| &list.classes).filter(|class| class.counts);
        let clock = time::clock(plan);
        Ok(Config {
            device: plan.device.name.clone(),
            title: text::harmless(plan.policy.name.as_deref().unwrap_or("cordon")),
            entries: all().map(|list| list.entries).sum(),
            naive,
            group_lines: group::lines(&defined.groups),
            hardware: lists.iter().map(|list| list.hardware).sum(),
            budget: plan.device.tcam.map(|budget| format!(" of {budget}")).unwrap_or_default(),
            largest: largest.map(|list| format!("{} {}", list.about, list.hardware)).unwrap_or_default(),
            beyond: counted.map(|class| class.count).sum(),
            unfiltered: others.iter().map(|interface| text::harmless(&interface.name)).collect(),
            ends_by_own_clock: clock.is_none() && !defined.ranges.is_empty(),
            clock,
            ranges: defined.ranges.into_values().collect(),
            groups: defined.groups.into_values().collect(),
            lists,
            terminals: terminals.into(),
            interfaces,
            ports: storm::ports(plan),
        })
    }

    /// A time range that a line of a file ends in before the file defines it, as a template of the user's may have it.
    /// IOS takes such a line to hold always.
    pub(super) fn undefined_range(&self, file: &str) -> Option<&str> {
        let mut names = self.ranges.iter().map(TimeRange::name);
        names.find(|name| time::is_named_too_early(name, file))
    }
}

/// The zones behind an interface, for readers.
fn zones(plan: &DevicePlan, interface: &Interface) -> String {
    let names: Vec<&str> = interface.zones.iter().map(|zone| plan.policy[*zone].name.as_str()).collect();
    text::harmless(&names.join(", "))
}

fn words(direction: Direction) -> (&'static str, &'static str) {
    match direction {
        Direction::In => ("in", "IN"),
        Direction::Out => ("out", "OUT"),
    }
}

fn binding(name: &str, direction: Direction, family: Family) -> String {
    let command = match family {
        Family::V4 => "ip access-group",
        Family::V6 => "ipv6 traffic-filter",
    };
    format!("{command} {name} {}", words(direction).0)
}

fn keyword(family: Family) -> &'static str {
    match family {
        Family::V4 => "ip access-list extended",
        Family::V6 => "ipv6 access-list",
    }
}

/// A list of an interface before it is written.
struct Draft {
    stem: String,
    about: String,
    /// The line that stands before all others, if there is one.
    opening: Option<String>,
    family: Family,
    built: Built,
    residue: Residue,
    /// The entries of the list if each box of packets were written out by itself.
    naive: usize,
}

impl Draft {
    fn new(
        plan: &DevicePlan,
        interface: &Interface,
        direction: Direction,
        family: Family,
    ) -> Result<Self, &'static str> {
        let wanted = Wanted::new(plan, interface, direction, family);
        let rest = plan.policy.zones.iter().filter(|zone| zone.is_rest);
        let rest: IntervalSet<u128> = union_all(rest.map(|zone| family.addresses(&zone.addresses)));
        let mut built = build::build(&wanted, &rest.difference(&wanted.near));
        let residue = residue(&wanted, &mut built, &time::calendar(plan.policy, &wanted.times()))?;
        let (word, in_name) = words(direction);
        let stem = format!("CORDON-{}-{in_name}", text::in_name(&interface.name));
        let about = format!("{} {word}, IPv{}:", text::harmless(&interface.name), family.digit());
        let opening = plan.device.denies_fragments.map(|_| deny_fragments(family));
        Ok(Draft { stem, about, opening, family, built, residue, naive: naive_entries(&wanted) })
    }

    fn list(self, defined: &mut Definitions, unsaid: &mut BTreeSet<Unsaid>) -> List {
        unsaid.extend(self.built.unsaid);
        let made = finished(&self.stem, self.opening, &self.built.blocks, self.family, self.about, defined);
        List { classes: self.residue.classes, ..made }
    }
}

/// The line that denies fragments other than the first, which show no ports. It has to stand before all others: a line
/// with ports admits those of packets with its addresses.
fn deny_fragments(family: Family) -> String {
    format!("deny {} any any fragments", family.every_protocol())
}

/// A list with its remarks, its first line, if it needs one before all others, its last denial, and the name that its
/// lines give it.
fn finished(
    stem: &str,
    opening: Option<String>,
    blocks: &[Block],
    family: Family,
    about: String,
    defined: &mut Definitions,
) -> List {
    let own = 1 + usize::from(opening.is_some());
    let (mut lines, mut entries) = (Vec::new(), own);
    if let Some(opening) = opening {
        lines.extend(["remark later fragments".to_owned(), opening]);
    }
    for block in blocks {
        lines.push(format!("remark {}", text::remark(&block.remark)));
        for line in &block.lines {
            let written = group::write(line, block.local, family, &mut defined.groups);
            let ending = time::ending(defined.policy, line.ending.when, &mut defined.ranges);
            entries += written.len();
            lines.extend(written.into_iter().map(|entry| entry + &ending));
        }
    }
    lines.push("remark everything else".to_owned());
    lines.push(format!("deny {} any any", family.every_protocol()));
    let digest = text::digest(lines.iter().map(String::as_str));
    List {
        name: format!("{stem}-{}-{digest}", family.digit()),
        keyword: keyword(family),
        login: match family {
            Family::V4 => "access-class",
            Family::V6 => "ipv6 access-class",
        },
        about,
        entries,
        hardware: tcam::entries(blocks, own, family),
        lines,
        classes: Vec::new(),
    }
}

/// Who may log in to the device: the parts of manage statements that reach its terminals, by SSH or Telnet. The list of a
/// terminal does not know the interface, and the lists of all interfaces let link-local packets in, so a source that a
/// zone has on one link would be let in from every other.
fn terminal(
    plan: &DevicePlan,
    family: Family,
    defined: &mut Definitions,
    unsaid: &mut BTreeSet<Unsaid>,
) -> List {
    let everywhere = IntervalSet::from_interval(family.all(), true);
    let logins = Interval::spanning(22, 23);
    let logins = Ports::product(&IntervalSet::full(), &IntervalSet::from_interval(logins, true));
    let logins = Traffic::from_interval(Interval::single(super::service::TCP), logins);
    let link_local = match family {
        Family::V4 => IntervalSet::empty(),
        Family::V6 => IntervalSet::from_interval(LINK_LOCAL.range(), true),
    };
    let senders = everywhere.difference(&link_local);
    let window = Flows::product(&senders, &IntervalMap::product(&everywhere, &logins));
    let streams = managed(plan, family, &window);
    let built = build::build_bare(&Wanted::only(family, everywhere, streams));
    unsaid.extend(built.unsaid);
    let about = format!("logins, IPv{}:", family.digit());
    finished("CORDON-VTY", None, &built.blocks, family, about, defined)
}

/// The entries of a list if each box of packets were written out by itself.
fn naive_entries(wanted: &Wanted) -> usize {
    let size = |interval| cover(&IntervalSet::from_interval(interval, true), None, wanted.family).len();
    let cost = |packets: &BoxOf<u128>| {
        let protocols = match packets.protocol.is_full() {
            true => 1,
            false => usize::from(packets.protocol.last() - packets.protocol.first()) + 1,
        };
        protocols * size(packets.source) * size(packets.destination)
    };
    let streams = wanted.allowed.iter().chain(&wanted.denied).chain(&wanted.manage);
    let replies = wanted.replies.iter().flat_map(|replies| [&replies.established, &replies.others]);
    let flows = streams.map(|stream| &stream.flows).chain(replies);
    flows.map(|flows| boxes(flows).iter().map(cost).sum::<usize>()).sum::<usize>() + 1
}
