//! Protected health information (PHI): whether rules keep it where it belongs.
//!
//! In: the policy and its conduits. Out: warnings about rules that open it to the outside, to zones that are not cleared
//! for it, in a form that can be read on the way, or by sessions into devices that only pass it on.
//!
//! What an address has of it is said by the class or peer that holds it, or else by its zone; of several the most counts.
//! Where nobody says anything nothing is judged, so a policy that does not speak of it gets no warning.

use std::collections::BTreeMap;

use super::acceptance::Ledger;
use super::opened::{Opened, Opening};
use super::parties::Parties;
use super::reach::Reach;
use super::warning::CheckWarning;
use crate::diag::Diagnostics;
use crate::ir::{Endpoint, Phi, Policy, Rule, RuleIndex, Zone};
use crate::set::{AddressSet, ICMP, ICMPV6, ServiceSet, Set, union_all};

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

/// Reports each rule by which PHI gets where it should not.
pub(super) fn check(
    policy: &Policy,
    openings: &[Opening],
    ledger: &mut Ledger,
    diagnostics: &mut Diagnostics,
) {
    let holdings = Holdings::new(policy);
    let devices = devices(policy, openings, &holdings);
    let mut found: BTreeMap<(RuleIndex, Kind), Vec<Opened>> = BTreeMap::new();
    for opening in openings {
        let ends = Ends {
            sources: holdings.split(opening.sources),
            destinations: holdings.split(opening.destinations),
            is_outside: policy[opening.from].is_outside(),
        };
        let rule = opening.rule;
        let mut add = |kind, opened: Option<Opened>| {
            if let Some(opened) = opened {
                found.entry((opening.index, kind)).or_default().push(opened);
            }
        };
        let carrying = at_stake(rule);
        let in_clear = carrying.difference(&rule.encrypted);
        for (sources, destinations) in ends.dealing_with_phi() {
            add(Kind::Unencrypted, opening.within(&sources, &destinations, &in_clear));
        }
        if ends.is_outside {
            let stores = &ends.destinations.store;
            add(Kind::StoreOutside, opening.within(opening.sources, stores, &rule.services));
        }
        for (sources, destinations) in ends.not_cleared() {
            add(Kind::NotCleared, opening.within(sources, destinations, &carrying));
        }
        for (destinations, servers) in devices.meeting(opening.destinations) {
            let sources = opening.sources.difference(servers);
            add(Kind::SessionsIn, opening.within(&sources, &destinations, &rule.services));
        }
    }
    let parties = Parties::new(policy);
    for ((index, kind), opened) in found {
        let rule = &policy[index];
        let finding = warning(&parties, rule, kind, &Opened::join(&opened));
        ledger.report(&rule.acceptances, finding, diagnostics);
    }
}

/// True if a policy says that something has PHI.
pub(super) fn is_judged(policy: &Policy) -> bool {
    let zones = policy.zones.iter().map(|zone| zone.phi);
    let mut all = zones.chain(policy.endpoints.iter().map(|endpoint| endpoint.phi));
    all.any(|phi| matches!(phi, Some(Phi::Store | Phi::Transit)))
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
    /// Between whom PHI may pass: between two that handle it, and between one that keeps it and anybody of whom it is known
    /// what they have. Two of which one only passes it on and the other has none do not speak of it.
    fn dealing_with_phi(&self) -> [(AddressSet, AddressSet); 3] {
        let (from, to) = (&self.sources, &self.destinations);
        [
            (from.handled(), to.handled()),
            (from.store.clone(), to.none.clone()),
            (from.none.clone(), to.store.clone()),
        ]
    }

    /// Where one end keeps PHI and the other is not cleared for it. Who opens the session does not matter, since data
    /// goes both ways in it; but what comes in from outside is a finding of its own.
    fn not_cleared(&self) -> Vec<(&AddressSet, &AddressSet)> {
        let (from, to) = (&self.sources, &self.destinations);
        let outward = (&from.store, &to.none);
        if self.is_outside { vec![outward] } else { vec![outward, (&from.none, &to.store)] }
    }
}

/// The classes that only pass PHI on, and the servers of each: the peers that handle PHI and that it may open sessions to.
fn devices<'p>(policy: &'p Policy, openings: &[Opening], holdings: &Holdings) -> Reach<'p> {
    let passes_on = |endpoint: &&Endpoint| {
        endpoint.is_class && endpoint.phi.or(policy[endpoint.zone].phi) == Some(Phi::Transit)
    };
    let classes: Vec<&Endpoint> = policy.endpoints.iter().filter(passes_on).collect();
    Reach::new(policy, openings, classes, &holdings.store.union(&holdings.transit))
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
