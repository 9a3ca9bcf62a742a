//! Who some addresses are in the words of a policy, and what is said of them.

use serde::Serialize;

use crate::ir::{Criticality, Endpoint, Phi, Policy, Risk, Zone, ZoneIndex};
use crate::set::{AddressSet, Overlaps, Set};

/// Addresses of one zone.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
pub struct Party {
    /// The zone.
    pub zone: String,
    /// True if they are all addresses that the zone has in their family.
    pub whole: bool,
    /// The classes and peers that are wholly among them, and ranges for the others; nothing for a whole zone.
    pub members: Vec<String>,
}

/// A whole zone by its name, members with their zone.
impl std::fmt::Display for Party {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.whole {
            true => f.write_str(&self.zone),
            false => write!(f, "{} in {}", self.members.join(", "), self.zone),
        }
    }
}

/// What is said of some addresses, the gravest where several say something.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub(super) struct Said {
    pub(super) phi: Option<Phi>,
    pub(super) criticality: Option<Criticality>,
    pub(super) risk: Option<Risk>,
    pub(super) outside: bool,
}

/// The names of a policy, made ready for many questions.
pub(crate) struct Names<'p> {
    policy: &'p Policy,
    zones: ZoneIndex,
    endpoints: Overlaps,
}

impl<'p> Names<'p> {
    pub(crate) fn new(policy: &'p Policy) -> Self {
        let endpoints = Overlaps::new(policy.endpoints.iter().map(|endpoint| &endpoint.addresses));
        Names { policy, zones: ZoneIndex::new(policy), endpoints }
    }

    /// The family of a row that has one only, if zones on both sides have addresses of the other too.
    pub(super) fn only_family(&self, row: &super::Row) -> Option<&'static str> {
        let zones = |parties: &[Party], has: fn(&AddressSet) -> bool| {
            let mut zones = self.policy.zones.iter();
            zones.any(|zone| has(&zone.addresses) && parties.iter().any(|party| party.zone == zone.name))
        };
        let has_v4 = |set: &AddressSet| !set.v4.is_empty();
        let has_v6 = |set: &AddressSet| !set.v6.is_empty();
        if row.packets.v4.is_empty() && zones(&row.from, has_v4) && zones(&row.to, has_v4) {
            return Some("IPv6");
        }
        let other = row.packets.v6.is_empty() && zones(&row.from, has_v6) && zones(&row.to, has_v6);
        other.then_some("IPv4")
    }

    /// The classes and peers that have an address in common with some, by name.
    pub(super) fn holders(&self, set: &AddressSet) -> Vec<&'p Endpoint> {
        let places = self.endpoints.with(set, usize::MAX).unwrap_or_default();
        places.into_iter().filter_map(|place| self.policy.endpoints.get(place)).collect()
    }

    /// Addresses, zone by zone.
    pub(crate) fn parties(&self, set: &AddressSet) -> Vec<Party> {
        let parts = self.zones.split(set).into_iter();
        let parties = parts.map(|(id, part)| {
            let zone = &self.policy[id];
            if part == of_family(&zone.addresses, &part) {
                return Party { zone: zone.name.clone(), whole: true, members: Vec::new() };
            }
            Party { zone: zone.name.clone(), whole: false, members: self.members(&part) }
        });
        parties.collect()
    }

    /// Classes and peers, the larger first so that few names say it, then ranges for what is left.
    fn members(&self, part: &AddressSet) -> Vec<String> {
        let mut holders: Vec<(&Endpoint, AddressSet)> = self
            .holders(part)
            .into_iter()
            .map(|holder| (holder, of_family(&holder.addresses, part)))
            .collect();
        holders.sort_by_key(|(_, own)| std::cmp::Reverse(size(own)));
        let (mut left, mut names) = (part.clone(), Vec::new());
        for (holder, own) in &holders {
            if own.is_subset(part) && !own.is_disjoint(&left) {
                left = left.difference(own);
                names.push(holder.name.clone());
            }
        }
        names.sort_unstable();
        for (holder, own) in &holders {
            let shared = own.intersection(&left);
            left = left.difference(&shared);
            names.extend(shared.ranges().map(|range| format!("{range} (in {})", holder.name)));
        }
        names.extend(left.ranges().map(|range| range.to_string()));
        names
    }

    /// What is said of some addresses: by the class or peer that holds them, or else by their zone.
    pub(super) fn said(&self, set: &AddressSet) -> Said {
        let mut said = Said::default();
        for (id, part) in self.zones.split(set) {
            let zone = &self.policy[id];
            let holders = self.holders(&part);
            said.outside |= zone.is_outside();
            said.risk = said.risk.max(holders.iter().filter_map(|holder| holder.risk).max());
            said.phi = said.phi.max(gravest(&holders, &part, zone.phi, |holder| holder.phi));
            let criticality = gravest(&holders, &part, zone.criticality, |holder| holder.criticality);
            said.criticality = said.criticality.max(criticality);
        }
        said
    }

    /// The names of those among some addresses of which something is said: classes and peers, or zones.
    pub(super) fn of_whom(
        &self,
        set: &AddressSet,
        of_endpoint: impl Fn(&Endpoint, &Zone) -> bool,
        of_zone: impl Fn(&Zone) -> bool,
    ) -> Vec<&'p str> {
        let mut names = Vec::new();
        for (id, part) in self.zones.split(set) {
            let zone = &self.policy[id];
            let holders = self.holders(&part);
            let own = holders.iter().filter(|holder| of_endpoint(holder, zone));
            names.extend(own.map(|holder| holder.name.as_str()));
            let unheld = holders.iter().fold(part, |left, holder| left.difference(&holder.addresses));
            if of_zone(zone) && !unheld.is_empty() {
                names.push(&zone.name);
            }
        }
        names
    }
}

/// The gravest of what holders say, and of what the zone says where none of them says anything.
fn gravest<T: Ord>(
    holders: &[&Endpoint],
    part: &AddressSet,
    of_zone: Option<T>,
    of: impl Fn(&Endpoint) -> Option<T>,
) -> Option<T> {
    let speaking = holders.iter().filter(|holder| of(holder).is_some());
    let unsaid = speaking.fold(part.clone(), |left, holder| left.difference(&holder.addresses));
    let of_zone = of_zone.filter(|_| !unsaid.is_empty());
    holders.iter().filter_map(|holder| of(holder)).max().max(of_zone)
}

/// The addresses of a set in the families of another.
fn of_family(set: &AddressSet, other: &AddressSet) -> AddressSet {
    let mut own = set.clone();
    if other.v4.is_empty() {
        own.v4 = Set::empty();
    }
    if other.v6.is_empty() {
        own.v6 = Set::empty();
    }
    own
}

/// How many addresses a set has, as far as they can be counted.
fn size(set: &AddressSet) -> u128 {
    let v4 = set.v4.intervals().map(|run| u128::from(run.last() - run.first()));
    let v6 = set.v6.intervals().map(|run| run.last() - run.first());
    v4.chain(v6).fold(0, |sum, count| sum.saturating_add(count).saturating_add(1))
}
