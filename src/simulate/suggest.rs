//! Statements that would allow what recorded flows needed and no rule speaks of.
//!
//! A suggestion opens from a class, peer or hosts that were seen to a class, peer or hosts that were seen, over the ports
//! that were seen between just these two, and no more. What a forbid, an assertion or a schedule speaks against is held back
//! and listed with the reason, since to open that is a decision and no repair.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use serde::Serialize;

use super::judge::Verdict;
use super::merge::{Allow, merged};
use super::report::{Report, service};
use super::tally::{Total, add};
use super::write::{Placeholders, port_set, written};
use crate::ir::{
    Action, Assertion, EndpointId, Expectation, Guard, Policy, Subject, Topology, ZoneId, ZoneIndex,
};
use crate::set::{AddressRange, AddressSet, ICMP, ICMPV6, Packet, ServiceSet, Set, icmp_types};

/// Statements that would allow flows.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Suggestion {
    /// A file of a policy, to be read before it becomes one.
    pub text: String,
    /// How many allows it holds.
    pub allows: usize,
    /// How many flows they would let pass.
    pub flows: u64,
    /// What is blocked, and not suggested.
    pub held_back: Vec<HeldBack>,
}

/// Flows that are blocked, and that no suggestion allows.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
pub struct HeldBack {
    /// Who opened them.
    pub from: String,
    /// To whom.
    pub to: String,
    /// Over what.
    pub service: String,
    /// Why they are not suggested.
    pub because: String,
    /// How many.
    pub flows: u64,
}

/// Flows that no rule speaks of, from one address to another.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen {
    source: IpAddr,
    destination: IpAddr,
    port: Port,
    total: Total,
}

impl From<((IpAddr, IpAddr, u8, u16), Total)> for Seen {
    fn from(((source, destination, protocol, number), total): ((IpAddr, IpAddr, u8, u16), Total)) -> Self {
        Seen { source, destination, port: Port { protocol, number }, total }
    }
}

impl Seen {
    /// True for ICMP between IPv6 addresses and ICMPv6 between IPv4 ones, which no service of a policy holds.
    fn is_foreign(&self) -> bool {
        self.port.protocol == if self.source.is_ipv4() { ICMPV6 } else { ICMP }
    }

    fn held(&self) -> HeldBack {
        HeldBack {
            from: self.source.to_string(),
            to: self.destination.to_string(),
            service: shown(self.port),
            because: "this protocol belongs to the other family of addresses".to_owned(),
            flows: self.total.flows,
        }
    }
}

/// A protocol with a destination port, or with `type * 256 + code` of ICMP.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Port {
    pub(super) protocol: u8,
    pub(super) number: u16,
}

/// One side of a suggestion.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum End {
    /// A class or peer of the policy.
    Named(EndpointId),
    /// Addresses of a zone that no class and no peer holds.
    Hosts(ZoneId, BTreeSet<IpAddr>),
}

impl End {
    pub(super) fn addresses(&self, policy: &Policy) -> AddressSet {
        match self {
            End::Named(endpoint) => policy[*endpoint].addresses.clone(),
            End::Hosts(_, hosts) => hosts.iter().map(|host| AddressRange::from(*host)).collect(),
        }
    }

    fn shown(&self, policy: &Policy) -> String {
        match self {
            End::Named(endpoint) => policy[*endpoint].name.clone(),
            End::Hosts(zone, hosts) => {
                let hosts: Vec<String> = hosts.iter().map(IpAddr::to_string).collect();
                format!("{} in {}", hosts.join(", "), policy[*zone].name)
            }
        }
    }
}

/// What was seen between two ends, port by port.
pub(super) type Wants = BTreeMap<(End, End), BTreeMap<Port, Total>>;

impl Suggestion {
    pub(super) fn new(
        policy: &Policy,
        seen: Vec<Seen>,
        report: &Report,
        placeholders: &Placeholders,
    ) -> Self {
        let mut held: Vec<HeldBack> = held_by_verdict(report);
        let (foreign, seen): (Vec<Seen>, Vec<Seen>) = seen.into_iter().partition(Seen::is_foreign);
        held.extend(foreign.iter().map(Seen::held));
        let mut wants = wants(policy, seen);
        hold_back(policy, &mut wants, &mut held);
        let allows: Vec<Allow> = merged(wants);
        let flows = allows.iter().map(|allow| allow.total.flows).sum();
        held.sort();
        let text = written(policy, &allows, &held, placeholders);
        Suggestion { text, allows: allows.len(), flows, held_back: held }
    }
}

/// What a statement speaks against, or what may be a reply.
fn held_by_verdict(report: &Report) -> Vec<HeldBack> {
    let is_held = |verdict: Verdict| {
        matches!(verdict, Verdict::Forbidden(_) | Verdict::OtherTimes(_) | Verdict::Cut(_) | Verdict::Unseen)
    };
    let rows = report.rows.iter().filter(|row| is_held(row.decided) || row.unclear);
    rows.map(|row| HeldBack {
        from: row.from.clone(),
        to: row.to.clone(),
        service: row.service.clone(),
        because: if row.unclear { "it may be a reply".to_owned() } else { row.because.clone() },
        flows: row.count.flows,
    })
    .collect()
}

/// What was seen, by the smallest class or peer that holds each address, or the address itself where none does.
fn wants(policy: &Policy, seen: Vec<Seen>) -> Wants {
    let zones = ZoneIndex::new(policy);
    let mut smallest: Vec<EndpointId> = (0..policy.endpoints.len()).map(EndpointId).collect();
    smallest.sort_by_cached_key(|id| (size(&policy[*id].addresses), *id));
    let mut known: BTreeMap<IpAddr, Option<End>> = BTreeMap::new();
    let mut end = |address: IpAddr| {
        let find = || {
            let named = smallest.iter().find(|id| policy[**id].addresses.contains(address));
            let hosts = || Some(End::Hosts(zones.zone_of(address)?, BTreeSet::from([address])));
            named.map(|id| End::Named(*id)).or_else(hosts)
        };
        known.entry(address).or_insert_with(find).clone()
    };
    let mut wants = Wants::new();
    for Seen { source, destination, port, total } in seen {
        // INVARIANT: both addresses lie in zones, or the verdict would be another one.
        if let (Some(from), Some(to)) = (end(source), end(destination)) {
            add(wants.entry((from, to)).or_default().entry(port).or_default(), &total);
        }
    }
    wants
}

/// How many addresses there are in a set, as far as they can be counted.
fn size(addresses: &AddressSet) -> u128 {
    let v4 = addresses.v4.intervals().map(|run| u128::from(run.last() - run.first()));
    let v6 = addresses.v6.intervals().map(|run| run.last() - run.first());
    v4.chain(v6).fold(0, |sum, run| sum.saturating_add(run).saturating_add(1))
}

/// Takes out what an assertion denies, what no enforcement point could keep a guard on, and what a policy has no word for.
fn hold_back(policy: &Policy, wants: &mut Wants, held: &mut Vec<HeldBack>) {
    let denials: Vec<&Assertion> =
        policy.assertions.iter().filter(|one| one.expectation == Expectation::Denied).collect();
    let topology = Topology::new(policy);
    for ((from, to), ports) in wants.iter_mut() {
        let (sources, destinations) = (from.addresses(policy), to.addresses(policy));
        let near: Vec<&Assertion> = denials
            .iter()
            .copied()
            .filter(|one| {
                !one.from.addresses.is_disjoint(&sources) && !one.to.addresses.is_disjoint(&destinations)
            })
            .collect();
        let unkept = unkept(policy, &topology, [&sources, &destinations]);
        ports.retain(|port, total| {
            let denial = || {
                let denial = near.iter().find(|one| denies(one, &sources, &destinations, *port));
                denial.map(|one| format!("`{}` asserts that this is denied", one.id))
            };
            let guard = || {
                let guard = unkept.map(|guard| guard.id.as_str());
                guard.map(|guard| format!("no enforcement point on the way could keep the guard `{guard}`"))
            };
            let Some(because) = no_words(*port).or_else(denial).or_else(guard) else { return true };
            let service = shown(*port);
            let (from, to) = (from.shown(policy), to.shown(policy));
            held.push(HeldBack { from, to, service, because, flows: total.flows });
            false
        });
    }
    wants.retain(|_, ports| !ports.is_empty());
}

/// A guard that would count or cut off what is opened, and that nothing on the way can keep. To open it is an error then.
fn unkept<'p>(policy: &'p Policy, topology: &Topology, [from, to]: [&AddressSet; 2]) -> Option<&'p Guard> {
    let zones = ZoneIndex::new(policy);
    let zone = |set: &AddressSet| zones.split(set).into_keys().next();
    let (source, destination) = (zone(from)?, zone(to)?);
    let devices: BTreeSet<_> =
        topology.crossings(source, destination).into_iter().map(|crossing| crossing.device).collect();
    policy.guards.iter().find(|guard| {
        let isolates = matches!(guard.action, Action::Isolate { .. });
        let counts = match &guard.subject {
            Subject::Sources(subject) => !subject.is_disjoint(from) || isolates && !subject.is_disjoint(to),
            Subject::Rule(_) => false,
        };
        counts && devices.iter().all(|device| policy.keeps(&policy[*device].target, guard).is_err())
    })
}

/// True if an assertion speaks of a packet that would be allowed.
fn denies(assertion: &Assertion, sources: &AddressSet, destinations: &AddressSet, port: Port) -> bool {
    let services: ServiceSet = port_set(port).intersection(&assertion.services);
    let (from, to) = (&assertion.from.addresses, &assertion.to.addresses);
    let in_v4 =
        !services.v4.is_empty() && !from.v4.is_disjoint(&sources.v4) && !to.v4.is_disjoint(&destinations.v4);
    let in_v6 =
        !services.v6.is_empty() && !from.v6.is_disjoint(&sources.v6) && !to.v6.is_disjoint(&destinations.v6);
    in_v4 || in_v6
}

/// Why no statement can allow something, if none can.
fn no_words(port: Port) -> Option<String> {
    let [message_type, _] = port.number.to_be_bytes();
    let opens = match port.protocol {
        ICMP => matches!(message_type, 8 | 13 | 15 | 17),
        ICMPV6 => message_type == 128 || message_type >= 130,
        _ => return None,
    };
    if !opens {
        return Some("this message answers another packet, and opens nothing".to_owned());
    }
    let has_name = icmp_types(port.protocol).iter().any(|(_, number)| *number == message_type);
    (!has_name).then(|| "a policy has no word for this message".to_owned())
}

/// A port in words.
fn shown(port: Port) -> String {
    let nobody = IpAddr::from([0, 0, 0, 0]);
    service(&Packet {
        source: nobody,
        destination: nobody,
        protocol: port.protocol,
        source_port: 0,
        destination_port: port.number,
    })
}
