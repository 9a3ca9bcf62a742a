//! What one access list has to admit, as sets of packets, before any line is written.

use std::collections::{BTreeMap, BTreeSet};

use super::super::reply::replies;
use super::acl::{Direction, Ending, Family, Flows, destinations, transposed};
use super::service::Service;
use super::time::{Moment, remark};
use crate::ir::{Effect, Interface, Policy, RuleIndex, Side, When};
use crate::plan::DevicePlan;
use crate::set::{IntervalMap, IntervalSet, Set, Traffic, union_all};

/// Packets that one statement decides on.
pub(super) struct Stream {
    /// The name of the statement.
    pub(super) name: String,
    /// What stands above its lines.
    pub(super) remark: String,
    /// The rule, unless it is a manage statement.
    pub(super) rule: Option<RuleIndex>,
    pub(super) ending: Ending,
    /// The packets that it decides on.
    pub(super) flows: Flows,
    /// These, and what it says of packets that a statement decides on which does the same: often a simpler shape.
    pub(super) shape: Flows,
    /// All sources and all destinations of the statement in the zones that these packets come from and go to, what is
    /// denied to some of them left in.
    pub(super) sides: Sides,
}

/// Sources and destinations.
#[derive(Clone)]
pub(super) struct Sides {
    pub(super) sources: IntervalSet<u128>,
    pub(super) destinations: IntervalSet<u128>,
}

/// The replies to what one rule allows the other way.
pub(super) struct Replies {
    pub(super) name: String,
    /// What stands above their lines.
    pub(super) remark: String,
    pub(super) rule: RuleIndex,
    /// When the rule holds. After that its replies are denied, as its other packets are.
    pub(super) when: When,
    /// TCP packets, of which those with ACK or RST are replies.
    pub(super) established: Flows,
    /// All others.
    pub(super) others: Flows,
    pub(super) sides: Sides,
}

/// What one access list has to do.
pub(super) struct Wanted {
    pub(super) family: Family,
    pub(super) direction: Direction,
    /// The addresses behind the interface.
    pub(super) near: IntervalSet<u128>,
    /// The addresses of all zones that are not behind the interface. No other can be at the far end of a packet.
    pub(super) beyond: IntervalSet<u128>,
    /// What the policy allows, by rule.
    pub(super) allowed: Vec<Stream>,
    /// What is to be denied and logged, by rule.
    pub(super) denied: Vec<Stream>,
    /// Who may open connections to the device itself.
    pub(super) manage: Vec<Stream>,
    pub(super) replies: Vec<Replies>,
    /// Errors of ICMP about allowed connections: first those that always are, then more by time.
    pub(super) errors: Vec<Errors>,
}

/// Errors of ICMP about connections that are allowed at the same times.
pub(super) struct Errors {
    /// What stands above their lines.
    pub(super) remark: String,
    pub(super) when: When,
    pub(super) flows: Flows,
}

impl Wanted {
    pub(super) fn new(
        plan: &DevicePlan,
        interface: &Interface,
        direction: Direction,
        family: Family,
    ) -> Self {
        let near = family.addresses(plan.sources_at(interface));
        let opposite = match direction {
            Direction::In => Direction::Out,
            Direction::Out => Direction::In,
        };
        let forward = streams(plan, interface, direction, family);
        let backward = streams(plan, interface, opposite, family);
        let errors = errors(plan, direction, family, &near, [&forward, &backward]);
        let is_allow =
            |stream: &Stream| stream.rule.is_some_and(|rule| plan.policy[rule].effect == Effect::Allow);
        let (allowed, denied): (Vec<Stream>, Vec<Stream>) = forward.into_iter().partition(is_allow);
        let answered = backward.into_iter().filter(is_allow);
        Wanted {
            family,
            direction,
            allowed,
            denied,
            manage: match direction {
                Direction::In => manage(plan, family, &near),
                Direction::Out => Vec::new(),
            },
            replies: answered.filter_map(|stream| reply(stream, plan.policy, family)).collect(),
            errors,
            beyond: union_all(plan.policy.zones.iter().map(|zone| family.addresses(&zone.addresses)))
                .difference(&near),
            near,
        }
    }

    /// A list for packets to the device itself, whatever interface they come by.
    pub(super) fn only(family: Family, near: IntervalSet<u128>, manage: Vec<Stream>) -> Self {
        Wanted {
            family,
            direction: Direction::In,
            near,
            beyond: IntervalSet::empty(),
            allowed: Vec::new(),
            denied: Vec::new(),
            manage,
            replies: Vec::new(),
            errors: Vec::new(),
        }
    }

    /// All that the policy allows through the interface in this direction at a moment.
    pub(super) fn policy(&self, moment: &Moment) -> Flows {
        let allowed = self.allowed.iter().filter(|stream| moment.holds(stream.ending.when));
        union_all(allowed.map(|stream| stream.flows.clone()))
    }

    /// The errors of ICMP that have to pass at a moment.
    pub(super) fn errors(&self, moment: &Moment) -> Flows {
        let errors = self.errors.iter().filter(|errors| moment.holds(errors.when));
        union_all(errors.map(|errors| errors.flows.clone()))
    }

    /// The times at which anything here holds.
    pub(super) fn times(&self) -> BTreeSet<When> {
        let allowed = self.allowed.iter().map(|stream| stream.ending.when);
        let all = allowed.chain(self.replies.iter().map(|replies| replies.when));
        all.filter(|when| !when.is_always()).collect()
    }
}

/// What each rule says of packets that arrive on an interface, or that leave by it. Several paths give a rule the same
/// packets, so they are joined.
fn streams(plan: &DevicePlan, interface: &Interface, direction: Direction, family: Family) -> Vec<Stream> {
    let mut found: BTreeMap<RuleIndex, Vec<Flows>> = BTreeMap::new();
    for pair in &plan.pairs {
        let end = match direction {
            Direction::In => pair.from,
            Direction::Out => pair.to,
        };
        if end.name == interface.name {
            for entry in &pair.entries {
                found.entry(entry.rule).or_default().push(family.of(&entry.packets));
            }
        }
    }
    let streams = found.into_iter().map(|(index, flows)| {
        let (rule, when) = (&plan.policy[index], plan.when(index));
        let reason = rule.about.reason.as_deref().map(|reason| format!(": {reason}")).unwrap_or_default();
        Stream {
            name: rule.id.clone(),
            remark: format!("rule {}{}{reason}", rule.id, remark(plan.policy, when)),
            rule: Some(index),
            ending: Ending { log: rule.log, when },
            flows: union_all(flows),
            shape: Flows::empty(),
            sides: Sides { sources: IntervalSet::empty(), destinations: IntervalSet::empty() },
        }
    });
    let mut streams: Vec<Stream> = streams.filter(|stream| !stream.flows.is_empty()).collect();
    let effect = |stream: &Stream| {
        let allows = stream.rule.map(|rule| plan.policy[rule].effect == Effect::Allow);
        ((stream.ending.log, allows), stream.ending.when)
    };
    let kinds: Vec<_> = streams.iter().map(effect).collect();
    let mut by_kind: BTreeMap<_, Vec<Flows>> = BTreeMap::new();
    for (kind, stream) in kinds.iter().zip(&streams) {
        by_kind.entry(*kind).or_default().push(stream.flows.clone());
    }
    let by_kind: BTreeMap<_, Flows> =
        by_kind.into_iter().map(|(kind, flows)| (kind, union_all(flows))).collect();
    // What is allowed at more times is allowed at these as well.
    let alike: BTreeMap<_, Flows> = by_kind
        .keys()
        .map(|(kind, when)| {
            let covering = by_kind.iter().filter(|((other, more), _)| other == kind && more.covers(*when));
            ((*kind, *when), union_all(covering.map(|(_, flows)| flows.clone())))
        })
        .collect();
    for (stream, kind) in streams.iter_mut().zip(&kinds) {
        let Some(alike) = alike.get(kind) else { continue };
        if let Some(rule) = stream.rule {
            let rule = &plan.policy[rule];
            stream.shape = family.of(&rule.packets()).intersection(alike);
            let within = |side: &Side, met: IntervalSet<u128>| {
                let zones = plan.policy.zones.iter().map(|zone| family.addresses(&zone.addresses));
                let zones = union_all(zones.filter(|zone| !zone.is_disjoint(&met)));
                family.addresses(&side.addresses).intersection(&zones)
            };
            stream.sides = Sides {
                sources: within(&rule.from, stream.shape.keys()),
                destinations: within(&rule.to, destinations(&stream.shape)),
            };
        }
    }
    streams
}

/// The manage statements, for packets from the zones here to addresses of the same zones: the device's own address on
/// the interface is one of these. Its other addresses are not known.
fn manage(plan: &DevicePlan, family: Family, near: &IntervalSet<u128>) -> Vec<Stream> {
    let local = Flows::product(near, &IntervalMap::product(near, &Traffic::full()));
    managed(plan, family, &local)
}

/// The manage statements, for packets within `window`.
pub(super) fn managed(plan: &DevicePlan, family: Family, window: &Flows) -> Vec<Stream> {
    let streams = plan.inputs.iter().map(|input| {
        let flows = family.of(&input.packets).intersection(window);
        Stream {
            name: input.management.id.clone(),
            remark: format!("manage {}", input.management.id),
            rule: None,
            ending: Ending { log: input.management.log, when: When::default() },
            shape: flows.clone(),
            sides: Sides { sources: flows.keys(), destinations: destinations(&flows) },
            flows,
        }
    });
    let mut streams: Vec<Stream> = streams.filter(|stream| !stream.flows.is_empty()).collect();
    streams.sort_by(|one, other| one.name.cmp(&other.name));
    streams
}

fn reply(stream: Stream, policy: &Policy, family: Family) -> Option<Replies> {
    let back = transposed(&stream.shape);
    let part = |choose: &dyn Fn(&Traffic) -> Traffic| back.map_members(|to| to.map_members(choose));
    let established = part(&|traffic| replies(traffic, family.icmp()).0);
    let others = part(&|traffic| replies(traffic, family.icmp()).1);
    let Sides { sources, destinations } = stream.sides;
    let sides = Sides { sources: destinations, destinations: sources };
    let when = stream.ending.when;
    let remark = format!("replies to rule {}{}", stream.name, remark(policy, when));
    let reply = Replies { name: stream.name, remark, rule: stream.rule?, when, established, others, sides };
    (!reply.established.is_empty() || !reply.others.is_empty()).then_some(reply)
}

/// Errors about connections (RFC 1812, 5.2.7; RFC 4890, 4.3.1). Those that hosts send go to the zones that they talk
/// with; those that hosts get may come from any router on the way.
fn errors(
    plan: &DevicePlan,
    direction: Direction,
    family: Family,
    near: &IntervalSet<u128>,
    streams: [&[Stream]; 2],
) -> Vec<Errors> {
    let is_allow =
        |stream: &&Stream| stream.rule.is_some_and(|rule| plan.policy[rule].effect == Effect::Allow);
    let mut connections: BTreeMap<When, Vec<&Flows>> = BTreeMap::new();
    for stream in streams.into_iter().flatten().filter(is_allow) {
        connections.entry(stream.ending.when).or_default().push(&stream.flows);
    }
    // Times that cover others come before them.
    let mut found: Vec<Errors> = Vec::new();
    for (when, flows) in connections {
        let known = found.iter().filter(|errors| errors.when.covers(when));
        let known = union_all(known.map(|errors| errors.flows.clone()));
        let flows = errors_about(plan, direction, family, near, &flows).difference(&known);
        let remark = format!("ICMP errors about connections{}", remark(plan.policy, when));
        if !flows.is_empty() {
            found.push(Errors { remark, when, flows });
        }
    }
    found
}

fn errors_about(
    plan: &DevicePlan,
    direction: Direction,
    family: Family,
    near: &IntervalSet<u128>,
    all: &[&Flows],
) -> Flows {
    let met = all.iter().flat_map(|flows| [flows.keys(), destinations(flows)]);
    let met = union_all(met);
    let zones = plan.policy.zones.iter().map(|zone| family.addresses(&zone.addresses));
    let peers = zones.filter(|zone| !zone.is_disjoint(&met) && zone.is_disjoint(near));
    let traffic = union_all(error_messages(family).iter().map(Service::traffic));
    match direction {
        Direction::In => Flows::product(near, &IntervalMap::product(&union_all(peers), &traffic)),
        Direction::Out => {
            let anywhere = IntervalSet::from_interval(family.all(), true);
            Flows::product(&anywhere, &IntervalMap::product(near, &traffic))
        }
    }
}

fn error_messages(family: Family) -> Vec<Service> {
    let types: &[u8] = match family {
        Family::V4 => &[3, 11, 12],
        Family::V6 => &[1, 2, 3, 4],
    };
    types.iter().map(|number| Service::message(family.icmp(), *number)).collect()
}
