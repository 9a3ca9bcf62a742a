//! From the policy model to what each enforcement point has to do.
//!
//! In: a checked policy. Out: for each enforcement point, what may arrive on which interface, and for each pair of
//! interfaces the packets with the rule that decides on them. The packet sets of one pair are disjoint, so an emitter
//! may lay them out in any order and in any structure without changing a verdict. Only those that are allowed at
//! different times, by their schedules and ends, may have packets in common: each such packet is allowed whenever one of
//! its rules holds.

use std::collections::{BTreeMap, BTreeSet};

use crate::ir::{
    Conduits, Device, DeviceId, Effect, Guard, Interface, InterfaceId, Management, Part, Policy, Rule,
    RuleIndex, Side, Subject, Topology, When, ZoneId,
};
use crate::set::{AddressSet, PacketSet, ProductOverlaps, Set, union_all};

/// What one enforcement point has to do.
#[derive(Clone, Debug)]
pub struct DevicePlan<'p> {
    /// The policy that it enforces.
    pub policy: &'p Policy,
    /// The enforcement point.
    pub device: &'p Device,
    /// Pairs of interfaces between which something is said, in the order of their names.
    pub pairs: Vec<Pair<'p>>,
    /// Who may open connections to the enforcement point itself. The packet sets are disjoint.
    pub inputs: Vec<Input<'p>>,
    /// Guards of what may cross it that its target keeps, by name.
    pub guards: Vec<&'p Guard>,
    sources: BTreeMap<&'p str, AddressSet>,
    destinations: BTreeMap<&'p str, AddressSet>,
    nowhere: AddressSet,
}

/// What may pass from one interface to another.
#[derive(Clone, Debug)]
pub struct Pair<'p> {
    /// Where packets arrive.
    pub from: &'p Interface,
    /// Where they leave.
    pub to: &'p Interface,
    /// What is said of them. The packet sets of entries that hold at the same times are disjoint from each other, and
    /// all of them from those of entries that hold at all times.
    pub entries: Vec<Entry>,
}

/// Packets, and the rule that decides on them.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The rule: an allow, or a forbid that logs. What a forbid without `log` takes away is left out, since what is
    /// not mentioned is denied.
    pub rule: RuleIndex,
    /// The packets, never empty.
    pub packets: PacketSet,
}

/// Packets to the enforcement point itself that are accepted.
#[derive(Clone, Debug)]
pub struct Input<'p> {
    /// The manage statement.
    pub management: &'p Management,
    /// The packets, never empty; their destinations are all addresses.
    pub packets: PacketSet,
}

impl<'p> DevicePlan<'p> {
    /// When a rule holds here.
    pub fn when(&self, rule: RuleIndex) -> When {
        self.policy.when(&self.device.target, &self.policy[rule])
    }

    /// The guards of one rule, by name.
    pub fn guards_of(&self, rule: RuleIndex) -> impl Iterator<Item = &'p Guard> {
        self.guards.iter().copied().filter(move |guard| guard.subject == Subject::Rule(rule))
    }

    /// The sources that may stand in packets that arrive on an interface.
    pub fn sources_at(&self, interface: &Interface) -> &AddressSet {
        self.sources.get(interface.name.as_str()).unwrap_or(&self.nowhere)
    }

    /// The destinations that packets which leave by an interface may have.
    pub fn destinations_at(&self, interface: &Interface) -> &AddressSet {
        self.destinations.get(interface.name.as_str()).unwrap_or(&self.nowhere)
    }
}

/// Plans all enforcement points of a policy, in the order of their names.
pub fn plan(policy: &Policy) -> Vec<DevicePlan<'_>> {
    let topology = Topology::new(policy);
    let conduits = Conduits::new(policy);
    let (arrivals, departures) = (topology.arrivals(), topology.departures());
    let mut crossed: BTreeMap<DeviceId, BTreeMap<(InterfaceId, InterfaceId), Vec<&Part>>> = BTreeMap::new();
    for ((from, to), parts) in conduits.iter() {
        for crossing in topology.crossings(from, to) {
            let pairs = crossed.entry(crossing.device).or_default();
            pairs.entry((crossing.from, crossing.to)).or_default().extend(parts);
        }
    }
    let devices = (0..policy.devices.len()).map(DeviceId);
    devices
        .map(|id| {
            let device = &policy[id];
            let pairs =
                crossed.remove(&id).unwrap_or_default().into_iter().filter_map(|((from, to), parts)| {
                    let entries = disjoint_entries(policy, &device.target, parts);
                    (!entries.is_empty()).then(|| Pair { from: &device[from], to: &device[to], entries })
                });
            let (pairs, sources) = (pairs.collect::<Vec<Pair>>(), addresses(policy, id, &arrivals));
            DevicePlan {
                policy,
                device,
                inputs: disjoint_inputs(policy, device),
                guards: policy
                    .guards
                    .iter()
                    .filter(|guard| policy.keeps(&device.target, guard).is_ok())
                    .filter(|guard| crosses(guard, &pairs, &sources))
                    .collect(),
                pairs,
                sources,
                destinations: addresses(policy, id, &departures),
                nowhere: AddressSet::empty(),
            }
        })
        .collect()
}

/// True if connections that a guard counts may cross an enforcement point.
fn crosses(guard: &Guard, pairs: &[Pair], sources: &BTreeMap<&str, AddressSet>) -> bool {
    match &guard.subject {
        Subject::Sources(guarded) => sources.values().any(|behind| !behind.is_disjoint(guarded)),
        Subject::Rule(rule) => pairs.iter().flat_map(|pair| &pair.entries).any(|entry| entry.rule == *rule),
    }
}

/// For each interface of a device, by name, the addresses of the zones that a map gives for it.
fn addresses<'p>(
    policy: &'p Policy,
    device: DeviceId,
    zones: &BTreeMap<(DeviceId, InterfaceId), BTreeSet<ZoneId>>,
) -> BTreeMap<&'p str, AddressSet> {
    let ids = (0..policy[device].interfaces.len()).map(InterfaceId);
    ids.map(|interface| {
        let zones = zones.get(&(device, interface)).into_iter().flatten();
        let sets: Vec<AddressSet> = zones.map(|zone| policy[*zone].addresses.clone()).collect();
        (policy[device][interface].name.as_str(), union_all(sets))
    })
    .collect()
}

/// Gives each packet to the first rule that decides on it.
///
/// INVARIANT: the union of the entries of allows is `union(allow) minus union(forbid)` between the two interfaces, and
/// no packet stands in two entries, unless both are of allows that hold at different times.
fn disjoint_entries<'p>(policy: &'p Policy, target: &str, mut parts: Vec<&'p Part>) -> Vec<Entry> {
    let when = |part: &Part| policy.when(target, &policy[part.rule]);
    // On a target that can say all ends this is the order of the rules; on one that cannot, ends make no difference.
    parts.sort_by_cached_key(|part| {
        let (rule, when) = (&policy[part.rule], when(part));
        let is_forbid = rule.effect == Effect::Forbid;
        let holds_longest = When::new(None, when.end());
        (!is_forbid, when.during.is_some(), holds_longest, rule.leave_out, !rule.log, rule.id.as_str())
    });
    let times: Vec<When> = parts.iter().map(|part| when(part)).collect();
    let sides = |part: &'p Part| (&part.sources, &part.destinations, &policy[part.rule].services);
    let overlaps = ProductOverlaps::new(parts.iter().map(|part| sides(part)));
    let mut entries = Vec::new();
    for (place, (part, when)) in parts.iter().zip(&times).enumerate() {
        let rule = &policy[part.rule];
        if rule.effect == Effect::Forbid && !rule.log {
            continue;
        }
        let mut packets = part.packets(&rule.services);
        // Rules that share no source, no destination or no service are not compared with each other.
        let near = overlaps.near(sides(part)).into_iter().take_while(|other| *other < place);
        let earlier = near.filter_map(|other| parts.get(other).zip(times.get(other)));
        let own = (rule, *when);
        let earlier = earlier.filter(|(earlier, when)| takes_from((&policy[earlier.rule], **when), own));
        for earlier in earlier.map(|(earlier, _)| earlier).filter(|earlier| may_meet(policy, part, earlier)) {
            packets = packets.difference(&earlier.packets(&policy[earlier.rule].services));
        }
        if !packets.is_empty() {
            entries.push(Entry { rule: part.rule, packets });
        }
    }
    entries
}

/// True if a rule that decides earlier does so whenever the other holds. One of which a target may leave out a part takes
/// nothing from a rule that holds at fewer times and has to be there whole.
fn takes_from((earlier, earlier_when): (&Rule, When), (rule, when): (&Rule, When)) -> bool {
    earlier.effect == Effect::Forbid || earlier_when.covers(when) && (rule.leave_out || !earlier.leave_out)
}

/// False only if two parts certainly have no packet in common.
fn may_meet(policy: &Policy, one: &Part, other: &Part) -> bool {
    !one.sources.is_disjoint(&other.sources)
        && !one.destinations.is_disjoint(&other.destinations)
        && !policy[one.rule].services.is_disjoint(&policy[other.rule].services)
}

/// The manage statements of an enforcement point; of two that overlap, one that logs decides, then the first by id.
fn disjoint_inputs<'p>(policy: &'p Policy, device: &Device) -> Vec<Input<'p>> {
    let mut statements: Vec<&Management> =
        policy.managements.iter().filter(|statement| statement.applies_to(device)).collect();
    statements.sort_by_key(|statement| !statement.log);
    let mut taken = PacketSet::empty();
    let mut inputs = Vec::new();
    for management in statements {
        let Side { addresses, .. } = &management.from;
        let packets = PacketSet::product(addresses, &AddressSet::full(), &management.services);
        let own = packets.difference(&taken);
        taken = taken.union(&packets);
        if !own.is_empty() {
            inputs.push(Input { management, packets: own });
        }
    }
    inputs
}
