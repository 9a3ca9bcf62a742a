//! Least privilege: whether rules are wider than those who need them.
//!
//! In: the policy and its conduits. Out: warnings about rules that allow addresses of nobody, nearly all ports, or protocols
//! of administrators to others. They compare what is allowed with the roles that a policy declares, so a policy without any
//! `role` gets none.

use std::collections::BTreeMap;

use super::acceptance::Ledger;
use super::opened::{Opened, opened};
use super::parties::Parties;
use super::warning::CheckWarning;
use crate::diag::Diagnostics;
use crate::ir::{Conduits, Effect, Part, Policy, Role, Rule, RuleIndex, ZoneId};
use crate::set::{AddressSet, Interval, IntervalSet, ServiceSet, Set, Traffic, has_ports, union_all};

/// Protocols with which a host is administered, or files are moved, by the ports of TCP that they have at the IANA; VNC has
/// a display number behind 5800 and 5900.
const ADMIN_PROTOCOLS: [(&str, u16, u16); 7] = [
    ("FTP", 20, 21),
    ("Telnet", 23, 23),
    ("SMB", 139, 139),
    ("SMB", 445, 445),
    ("RDP", 3389, 3389),
    ("VNC", 5800, 5810),
    ("VNC", 5900, 5910),
];

/// The protocol number of TCP.
const TCP: u8 = 6;

/// More ports than these are as good as all of them.
const MANY_PORTS: u32 = 32_768;

/// What the roles of a policy and the members of its zones say.
struct Declared {
    admins: AddressSet,
    infrastructure: AddressSet,
    /// For each zone that has classes or peers: its addresses that belong to none of them.
    nobodys: BTreeMap<ZoneId, AddressSet>,
    admin_services: ServiceSet,
}

impl Declared {
    fn new(policy: &Policy) -> Self {
        let mut held: BTreeMap<ZoneId, Vec<AddressSet>> = BTreeMap::new();
        for endpoint in &policy.endpoints {
            held.entry(endpoint.zone).or_default().push(endpoint.addresses.clone());
        }
        let nobodys = held
            .into_iter()
            .map(|(zone, members)| (zone, policy[zone].addresses.difference(&union_all(members))))
            .collect();
        let admin_services = union_all(ADMIN_PROTOCOLS.map(|(_, first, last)| tcp(first, last)));
        let (admins, infrastructure) = (with(policy, Role::Admin), with(policy, Role::Infrastructure));
        Declared { admins, infrastructure, nobodys, admin_services }
    }
}

/// The addresses that have a role by their class, peer or zone.
fn with(policy: &Policy, role: Role) -> AddressSet {
    let zones = policy.zones.iter().filter(|zone| zone.role == Some(role)).map(|zone| &zone.addresses);
    let endpoints = policy.endpoints.iter().filter(|endpoint| endpoint.role == Some(role));
    union_all(zones.chain(endpoints.map(|endpoint| &endpoint.addresses)).cloned().collect::<Vec<_>>())
}

fn tcp(first: u16, last: u16) -> ServiceSet {
    let ports = IntervalSet::from_interval(Interval::spanning(first, last), true);
    ServiceSet::ports(TCP, &IntervalSet::full(), &ports)
}

/// The kinds of findings, in the order of their codes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    WholeZone,
    AnyService,
    AdminProtocol,
}

/// True if a policy says who has which role, so that what it allows can be compared with it.
pub(super) fn is_judged(policy: &Policy) -> bool {
    let zones = policy.zones.iter().map(|zone| zone.role);
    zones.chain(policy.endpoints.iter().map(|endpoint| endpoint.role)).any(|role| role.is_some())
}

/// Reports each rule that is wider than those who need it.
pub(super) fn check(
    policy: &Policy,
    conduits: &Conduits,
    ledger: &mut Ledger,
    diagnostics: &mut Diagnostics,
) {
    if !is_judged(policy) {
        return;
    }
    let declared = Declared::new(policy);
    let mut found: BTreeMap<(RuleIndex, Kind), Opened> = BTreeMap::new();
    for ((from, _), parts) in conduits.iter() {
        for part in parts.iter().filter(|part| policy[part.rule].effect == Effect::Allow) {
            for (kind, opened) in wide(policy, &declared, from, parts, part) {
                let joined = match found.get(&(part.rule, kind)) {
                    Some(known) => known.union(&opened),
                    None => opened,
                };
                found.insert((part.rule, kind), joined);
            }
        }
    }
    let parties = Parties::new(policy);
    for ((index, kind), opened) in found {
        let rule = &policy[index];
        ledger.report(&rule.acceptances, warning(&parties, rule, kind, &opened), diagnostics);
    }
}

/// In which ways a part of a rule is wider than it needs to be, with what is too much.
fn wide(
    policy: &Policy,
    declared: &Declared,
    from: ZoneId,
    parts: &[Part],
    part: &Part,
) -> Vec<(Kind, Opened)> {
    let services = &policy[part.rule].services;
    let mut found = Vec::new();
    if let Some(nobodys) = declared.nobodys.get(&from) {
        let sources = part.sources.intersection(nobodys);
        if !sources.is_empty() {
            let destinations = part.destinations.difference(&declared.infrastructure);
            let too_wide = opened(policy, parts, &sources, &destinations, services);
            found.extend(too_wide.map(|opened| (Kind::WholeZone, opened)));
        }
    }
    let any = || opened(policy, parts, &part.sources, &part.destinations, services);
    if let Some(any) = opens_many(services).then(any).flatten().filter(|any| opens_many(&any.services)) {
        found.push((Kind::AnyService, any));
    } else if !services.is_disjoint(&declared.admin_services) {
        let sources = part.sources.difference(&declared.admins);
        let services = services.intersection(&declared.admin_services);
        let too_wide = opened(policy, parts, &sources, &part.destinations, &services);
        found.extend(too_wide.map(|opened| (Kind::AdminProtocol, opened)));
    }
    found
}

/// True if nearly all ports of a protocol are among some services.
fn opens_many(services: &ServiceSet) -> bool {
    [&services.v4, &services.v6].into_iter().any(opens_many_of)
}

fn opens_many_of(traffic: &Traffic) -> bool {
    traffic.entries().iter().any(|(protocols, ports)| {
        let counted = || ports.entries().iter().map(|(_, destinations)| count(destinations));
        (protocols.first()..=protocols.last()).any(has_ports) && counted().any(|count| count > MANY_PORTS)
    })
}

fn count(ports: &IntervalSet<u16>) -> u32 {
    ports.intervals().map(|run| u32::from(run.last()) - u32::from(run.first()) + 1).sum()
}

/// The protocols of administrators among some services, each once.
fn admin_protocols(services: &ServiceSet) -> String {
    let among = ADMIN_PROTOCOLS.iter().filter(|(_, first, last)| !services.is_disjoint(&tcp(*first, *last)));
    let mut names: Vec<&str> = among.map(|(name, _, _)| *name).collect();
    names.dedup();
    names.join(", ")
}

fn warning(parties: &Parties, rule: &Rule, kind: Kind, opened: &Opened) -> CheckWarning {
    let (name, span) = (rule.id.clone(), rule.span);
    let (from, to) = (parties.names(&opened.sources), parties.names(&opened.destinations));
    match kind {
        Kind::WholeZone => CheckWarning::WholeZone { name, from, to, span },
        Kind::AnyService => CheckWarning::AnyService { name, from, to, span },
        Kind::AdminProtocol => {
            let protocols = admin_protocols(&opened.services);
            CheckWarning::AdminProtocol { name, protocols, from, to, span }
        }
    }
}
