//! Least privilege: whether rules are wider than those who need them.
//!
//! In: the policy and its conduits. Out: warnings about rules that allow addresses of nobody, nearly all ports, or protocols
//! of administrators to others. They compare what is allowed with the roles that a policy declares, so a policy without any
//! `role` gets none.

use std::collections::BTreeMap;

use super::acceptance::Ledger;
use super::opened::{Opened, Opening};
use super::parties::Parties;
use super::warning::CheckWarning;
use crate::diag::Diagnostics;
use crate::ir::{Policy, Role, Rule, RuleIndex, ZoneId};
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
    openings: &[Opening],
    ledger: &mut Ledger,
    diagnostics: &mut Diagnostics,
) {
    let declared = Declared::new(policy);
    let mut found: BTreeMap<(RuleIndex, Kind), Vec<Opened>> = BTreeMap::new();
    for opening in openings {
        for (kind, opened) in too_wide(&declared, opening) {
            found.entry((opening.index, kind)).or_default().push(opened);
        }
    }
    let parties = Parties::new(policy);
    for ((index, kind), opened) in found {
        let rule = &policy[index];
        let finding = warning(&parties, rule, kind, &Opened::join(&opened));
        ledger.report(&rule.acceptances, finding, diagnostics);
    }
}

/// In which ways a part of a rule is wider than it needs to be, with what is too much.
fn too_wide(declared: &Declared, opening: &Opening) -> Vec<(Kind, Opened)> {
    let Opening { sources, destinations, .. } = *opening;
    let services = &opening.rule.services;
    let mut found = Vec::new();
    if let Some(nobodys) = declared.nobodys.get(&opening.from) {
        let destinations = destinations.difference(&declared.infrastructure);
        let opened = opening.within(&sources.intersection(nobodys), &destinations, services);
        found.extend(opened.map(|opened| (Kind::WholeZone, opened)));
    }
    if opening.is_open_over(has_many_ports) {
        let opened = opening.within(sources, destinations, services);
        found.extend(opened.map(|opened| (Kind::AnyService, opened)));
    } else if !services.is_disjoint(&declared.admin_services) {
        let sources = sources.difference(&declared.admins);
        let opened = opening.within(&sources, destinations, &services.intersection(&declared.admin_services));
        found.extend(opened.map(|opened| (Kind::AdminProtocol, opened)));
    }
    found
}

/// True if nearly all ports of a protocol are among some traffic.
fn has_many_ports(traffic: &Traffic) -> bool {
    traffic.entries().iter().any(|(protocols, ports)| {
        let mut counted = ports.entries().iter().map(|(_, destinations)| count(destinations));
        (protocols.first()..=protocols.last()).any(has_ports) && counted.any(|count| count > MANY_PORTS)
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
