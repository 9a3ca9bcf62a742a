//! Protected health information (PHI): whether rules keep it where it belongs.
//!
//! In: the policy and its conduits. Out: warnings about rules that open it to the outside, to zones that are not cleared
//! for it, in a form that can be read on the way, or by sessions into devices that only pass it on.
//!
//! What an address has of it is said by the class or peer that holds it, or else by its zone; of several the most counts.
//! Where nobody says anything nothing is judged, so a policy that does not speak of it gets no warning.

use std::collections::BTreeMap;

use super::acceptance::Ledger;
use super::opened::{Opened, opened, peers, reached};
use super::parties::Parties;
use super::warning::CheckWarning;
use crate::diag::Diagnostics;
use crate::ir::{Conduits, Effect, Endpoint, Part, Phi, Policy, Rule, RuleIndex, Zone};
use crate::set::{AddressSet, ICMP, ICMPV6, Overlaps, ServiceSet, Set, union_all};

/// Which addresses have what of PHI.
struct Holdings {
    store: AddressSet,
    transit: AddressSet,
    none: AddressSet,
}

impl Holdings {
    fn new(policy: &Policy) -> Self {
        let declared = |phi: Option<Phi>| {
            let endpoints = policy.endpoints.iter().filter(move |endpoint| endpoint.phi == phi);
            union_all(endpoints.map(|endpoint| endpoint.addresses.clone()).collect::<Vec<_>>())
        };
        let [store, transit, none] = [Phi::Store, Phi::Transit, Phi::None].map(|phi| declared(Some(phi)));
        let spoken_of = store.union(&transit).union(&none);
        let zones = |phi| {
            let zones = policy.zones.iter().filter(move |zone| phi_of(zone) == Some(phi));
            let held = union_all(zones.map(|zone| zone.addresses.clone()).collect::<Vec<_>>());
            held.difference(&spoken_of)
        };
        let store = store.union(&zones(Phi::Store));
        let transit = transit.union(&zones(Phi::Transit)).difference(&store);
        let none = none.union(&zones(Phi::None)).difference(&store).difference(&transit);
        Holdings { store, transit, none }
    }

    /// The parts of a set that keep it, that pass it on, and that have none.
    fn split(&self, set: &AddressSet) -> Split {
        Split {
            store: set.intersection(&self.store),
            transit: set.intersection(&self.transit),
            none: set.intersection(&self.none),
        }
    }
}

/// What the addresses of a zone have of PHI if nothing else is said. Nobody outside is cleared for it by saying nothing.
fn phi_of(zone: &Zone) -> Option<Phi> {
    zone.phi.or(zone.is_outside().then_some(Phi::None))
}

struct Split {
    store: AddressSet,
    transit: AddressSet,
    none: AddressSet,
}

impl Split {
    fn handled(&self) -> AddressSet {
        self.store.union(&self.transit)
    }
}

/// The kinds of findings, in the order of their codes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Unencrypted,
    StoreOutside,
    NotCleared,
    SessionsIn,
}

/// What was found of each rule.
type Found = BTreeMap<(RuleIndex, Kind), Opened>;

/// Reports each rule by which PHI gets where it should not.
pub(super) fn check(
    policy: &Policy,
    conduits: &Conduits,
    ledger: &mut Ledger,
    diagnostics: &mut Diagnostics,
) {
    let holdings = Holdings::new(policy);
    if holdings.store.is_empty() && holdings.transit.is_empty() {
        return;
    }
    let servers = Servers::new(policy, conduits, &holdings);
    let mut found = Found::new();
    for ((from, _), parts) in conduits.iter() {
        let is_outside = policy[from].is_outside();
        for part in parts.iter().filter(|part| policy[part.rule].effect == Effect::Allow) {
            let rule = &policy[part.rule];
            let ends = Ends {
                sources: holdings.split(&part.sources),
                destinations: holdings.split(&part.destinations),
                is_outside,
            };
            let mut add = |kind, opened: Option<Opened>| note(&mut found, part.rule, kind, opened);
            for (sources, destinations, services) in ends.unencrypted(rule) {
                add(Kind::Unencrypted, opened(policy, parts, &sources, &destinations, &services));
            }
            let store = &ends.destinations.store;
            if is_outside {
                add(Kind::StoreOutside, opened(policy, parts, &part.sources, store, &rule.services));
            }
            let services = at_stake(rule);
            for (sources, destinations) in ends.not_cleared() {
                add(Kind::NotCleared, opened(policy, parts, sources, destinations, &services));
            }
            for (sources, destinations) in servers.sessions_in(part) {
                add(Kind::SessionsIn, opened(policy, parts, &sources, &destinations, &rule.services));
            }
        }
    }
    let parties = Parties::new(policy);
    for ((index, kind), opened) in found {
        let rule = &policy[index];
        ledger.report(&rule.acceptances, warning(&parties, rule, kind, &opened), diagnostics);
    }
}

fn note(found: &mut Found, rule: RuleIndex, kind: Kind, opened: Option<Opened>) {
    let Some(opened) = opened else { return };
    let joined = match found.get(&(rule, kind)) {
        Some(known) => known.union(&opened),
        None => opened,
    };
    found.insert((rule, kind), joined);
}

/// The services of a rule that may carry PHI: not what is named as carrying none, and not the messages of ICMP.
fn at_stake(rule: &Rule) -> ServiceSet {
    let messages = ServiceSet::protocol(ICMP).union(&ServiceSet::protocol(ICMPV6));
    rule.services.difference(&rule.without_phi).difference(&messages)
}

/// Both ends of a part of a rule.
struct Ends {
    sources: Split,
    destinations: Split,
    is_outside: bool,
}

impl Ends {
    /// Between whom PHI may pass in clear: between two that handle it, and between one that keeps it and anybody of whom
    /// it is known what they have. Two of which one only passes it on and the other has none do not speak of it.
    fn unencrypted(&self, rule: &Rule) -> Vec<(AddressSet, AddressSet, ServiceSet)> {
        let services = at_stake(rule).difference(&rule.encrypted);
        if services.is_empty() {
            return Vec::new();
        }
        let (from, to) = (&self.sources, &self.destinations);
        let pairs = [
            (from.handled(), to.handled()),
            (from.store.clone(), to.none.clone()),
            (from.none.clone(), to.store.clone()),
        ];
        pairs.map(|(sources, destinations)| (sources, destinations, services.clone())).into()
    }

    /// Where one end keeps PHI and the other is not cleared for it. Who opens the session does not matter, since data
    /// goes both ways in it; but what comes in from outside is a finding of its own.
    fn not_cleared(&self) -> Vec<(&AddressSet, &AddressSet)> {
        let (from, to) = (&self.sources, &self.destinations);
        let outward = (&from.store, &to.none);
        if self.is_outside { vec![outward] } else { vec![outward, (&from.none, &to.store)] }
    }
}

/// The servers that each class deals with which only passes PHI on.
struct Servers<'p> {
    classes: Vec<&'p Endpoint>,
    index: Overlaps,
    /// For each class, the peers that handle PHI and that it may open sessions to.
    servers: Vec<AddressSet>,
}

impl<'p> Servers<'p> {
    fn new(policy: &'p Policy, conduits: &Conduits, holdings: &Holdings) -> Self {
        let passes_on = |endpoint: &&Endpoint| {
            endpoint.is_class && endpoint.phi.or(policy[endpoint.zone].phi) == Some(Phi::Transit)
        };
        let classes: Vec<_> = policy.endpoints.iter().filter(passes_on).collect();
        let index = Overlaps::new(classes.iter().map(|class| &class.addresses));
        let peers = peers(policy).intersection(&holdings.store.union(&holdings.transit));
        let servers = reached(policy, conduits, (&classes, &index), &peers);
        Servers { classes, index, servers }
    }

    /// Who opens sessions into a class by a part of a rule without being one of its servers: sources and destinations.
    fn sessions_in(&self, part: &Part) -> Vec<(AddressSet, AddressSet)> {
        let places = self.index.with(&part.destinations, usize::MAX).unwrap_or_default();
        let sessions = places.into_iter().filter_map(|place| {
            let sources = part.sources.difference(self.servers.get(place)?);
            Some((sources, part.destinations.intersection(&self.classes.get(place)?.addresses)))
        });
        sessions.collect()
    }
}

fn warning(parties: &Parties, rule: &Rule, kind: Kind, opened: &Opened) -> CheckWarning {
    let (name, span, services) = (rule.id.clone(), rule.span, opened.services.to_string());
    let (from, to) = (parties.names(&opened.sources), parties.names(&opened.destinations));
    match kind {
        Kind::Unencrypted => CheckWarning::Unencrypted { name, from, to, services, span },
        Kind::StoreOutside => CheckWarning::StoreOutside { name, from, to, services, span },
        Kind::NotCleared => CheckWarning::NotCleared { name, from, to, services, span },
        Kind::SessionsIn => CheckWarning::SessionsIn { name, from, to, services, span },
    }
}
