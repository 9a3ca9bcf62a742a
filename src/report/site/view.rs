//! What pages are made from: the policy with what is worked out once for all of them.

use std::collections::{BTreeMap, BTreeSet};

use super::document::Link;
use crate::diag::Record;
use crate::ir::{
    Asset, Classification, Device, DeviceId, Endpoint, EndpointId, Guard, Phi, Policy, Rule, RuleIndex,
    Topology, Zone, ZoneId,
};
use crate::ir::{Opening, Openings};
use crate::plan::plan;
use crate::set::{AddressSet, Set};
use crate::source::{Sources, Span};

/// The policy, and what pages need to know of it.
pub(super) struct Site<'p> {
    pub(super) policy: &'p Policy,
    pub(super) sources: &'p Sources,
    /// What `check` said of it.
    pub(super) findings: &'p [Record],
    pub(super) openings: Openings,
    /// The enforcement points between two zones, in the order in which packets meet them.
    crossed: BTreeMap<(ZoneId, ZoneId), Vec<DeviceId>>,
    /// The classes and peers of each zone, by name.
    held: BTreeMap<ZoneId, Vec<&'p Endpoint>>,
    /// What inventories know of the members of each class and peer, by name.
    devices: BTreeMap<&'p str, Vec<&'p Asset>>,
    /// The devices of inventories that are in no class and no peer, but for one that takes what is unclassified.
    pub(super) unclassified: Vec<Unclassified<'p>>,
    /// Enforcement points with the guards that they keep, both by name.
    kept: BTreeSet<(&'p str, &'p str)>,
    zone_files: Vec<String>,
    endpoint_files: BTreeMap<&'p str, String>,
}

/// A device of an inventory that nobody has given a class.
pub(super) struct Unclassified<'p> {
    pub(super) asset: &'p Asset,
    /// Where its addresses lie.
    pub(super) zones: Vec<ZoneId>,
    /// The class that takes what has no other, if its zone has one.
    pub(super) class: Option<&'p Endpoint>,
}

/// Whether a flow can carry protected health information, as far as the policy says.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Carries {
    /// Both ends keep or pass it.
    Phi,
    /// One end does, and the other has none.
    OneEnd,
    /// Neither does, or the services are said to carry none.
    Nothing,
    /// The policy does not say of both ends.
    Unsaid,
}

/// Whether what a flow carries can be read on the way, as far as the policy says.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Encryption {
    /// All of its services are marked `encrypted`.
    Whole,
    /// Some are.
    Partial,
    /// None is.
    Absent,
}

impl<'p> Site<'p> {
    pub(super) fn new(policy: &'p Policy, sources: &'p Sources, findings: &'p [Record]) -> Self {
        let openings = Openings::new(policy);
        let topology = Topology::new(policy);
        let crossed = openings.iter().map(|((from, to), _)| ((from, to), crossed(&topology, from, to)));
        let crossed = crossed.collect();
        let mut held: BTreeMap<ZoneId, Vec<&Endpoint>> = BTreeMap::new();
        for endpoint in &policy.endpoints {
            held.entry(endpoint.zone).or_default().push(endpoint);
        }
        let kind = |endpoint: &Endpoint| if endpoint.is_class { "class" } else { "peer" };
        let files = file_names(policy.endpoints.iter().map(|one| (kind(one), one.name.as_str())));
        let mut devices: BTreeMap<&str, Vec<&Asset>> = BTreeMap::new();
        let mut unclassified = Vec::new();
        let classification = Classification::new(policy);
        for (asset, (_, placement)) in policy.assets.iter().zip(classification.of(policy)) {
            for id in &placement.endpoints {
                devices.entry(policy[*id].name.as_str()).or_default().push(asset);
            }
            let is_last_resort = |id: &EndpointId| policy[*id].takes_unclassified;
            if placement.endpoints.iter().all(is_last_resort) {
                let zones = placement.zones.clone();
                let class = placement.endpoints.first().map(|id| &policy[*id]);
                unclassified.push(Unclassified { asset, zones, class });
            }
        }
        Site {
            policy,
            sources,
            findings,
            openings,
            crossed,
            held,
            devices,
            unclassified,
            kept: kept(policy),
            zone_files: file_names(policy.zones.iter().map(|zone| ("zone", zone.name.as_str()))),
            endpoint_files: policy.endpoints.iter().map(|one| one.name.as_str()).zip(files).collect(),
        }
    }

    /// True if an enforcement point keeps a guard: its target can, and what the guard counts crosses it.
    pub(super) fn keeps(&self, device: &Device, guard: &Guard) -> bool {
        self.kept.contains(&(device.name.as_str(), guard.id.as_str()))
    }

    /// The page of a zone.
    pub(super) fn zone_page(&self, id: ZoneId) -> Link {
        Link::page(self.zone_files.get(id.0).cloned().unwrap_or_default())
    }

    /// Where the page of a zone says what may pass to another one.
    pub(super) fn conduit(&self, from: ZoneId, to: ZoneId) -> Link {
        Link { anchor: format!("to-{}", self.policy[to].name), ..self.zone_page(from) }
    }

    /// The page of a class or peer.
    pub(super) fn endpoint_page(&self, endpoint: &Endpoint) -> Link {
        Link::page(self.endpoint_files.get(endpoint.name.as_str()).cloned().unwrap_or_default())
    }

    /// The classes and peers of a zone, by name.
    pub(super) fn held(&self, zone: ZoneId) -> &[&'p Endpoint] {
        self.held.get(&zone).map_or(&[], Vec::as_slice)
    }

    /// What inventories know of the members of a class or peer.
    pub(super) fn devices_of(&self, endpoint: &Endpoint) -> &[&'p Asset] {
        self.devices.get(endpoint.name.as_str()).map_or(&[], Vec::as_slice)
    }

    /// All zones with their ids.
    pub(super) fn zones(&self) -> impl Iterator<Item = (ZoneId, &'p Zone)> {
        self.policy.zone_ids().zip(&self.policy.zones)
    }

    /// The zones of each tier, by name; tiers with numbers in the order of these, and those without a tier last.
    pub(super) fn tiers(&self) -> Vec<(Option<String>, Vec<ZoneId>)> {
        let mut tiers: BTreeMap<_, Vec<ZoneId>> = BTreeMap::new();
        for (id, zone) in self.zones() {
            let key = natural(zone.tier.as_deref().unwrap_or_default());
            tiers.entry((zone.tier.is_none(), key, zone.tier.clone())).or_default().push(id);
        }
        tiers.into_iter().map(|((_, _, tier), zones)| (tier, zones)).collect()
    }

    /// All rules with their indices, by id.
    pub(super) fn rules_by_id(&self) -> Vec<(RuleIndex, &'p Rule)> {
        let mut rules: Vec<(RuleIndex, &Rule)> = self.policy.rule_indices().zip(&self.policy.rules).collect();
        rules.sort_by(|(_, one), (_, other)| one.id.cmp(&other.id));
        rules
    }

    /// The enforcement points that what passes between two zones meets, in that order.
    pub(super) fn crossed(&self, from: ZoneId, to: ZoneId) -> &[DeviceId] {
        self.crossed.get(&(from, to)).map_or(&[], Vec::as_slice)
    }

    /// The file and line of a place.
    pub(super) fn place(&self, span: Span) -> String {
        let place = self.sources.locate(span);
        format!("{}:{}", place.path, place.line)
    }

    /// Days from the date of the report to another; negative before it.
    pub(super) fn days_to(&self, date: jiff::civil::Date) -> i32 {
        self.policy.as_of.until(date).map_or(0, |span| span.get_days())
    }

    /// What addresses of a zone have of protected health information: what their classes and peers say, and for the
    /// others, what the zone says.
    pub(super) fn phi(&self, zone: ZoneId, addresses: &AddressSet) -> Option<Phi> {
        let mut left = addresses.clone();
        let mut most = None;
        for endpoint in self.held(zone) {
            if endpoint.phi.is_some() && !left.is_disjoint(&endpoint.addresses) {
                left = left.difference(&endpoint.addresses);
                most = most.max(endpoint.phi);
            }
        }
        let zone = &self.policy[zone];
        let of_zone = zone.phi.or(zone.is_outside().then_some(Phi::None));
        if left.is_empty() { most } else { of_zone.map(|phi| most.unwrap_or(phi).max(phi)) }
    }

    /// Whether what an opening lets through can carry protected health information.
    pub(super) fn carries(&self, (from, to): (ZoneId, ZoneId), opening: &Opening) -> Carries {
        if opening.services.is_subset(&self.policy[opening.rule].without_phi) {
            return Carries::Nothing;
        }
        let ends = (self.phi(from, &opening.sources), self.phi(to, &opening.destinations));
        match ends {
            (Some(Phi::None), Some(Phi::None)) => Carries::Nothing,
            (Some(Phi::None), Some(_)) | (Some(_), Some(Phi::None)) => Carries::OneEnd,
            (Some(_), Some(_)) => Carries::Phi,
            (None, _) | (_, None) => Carries::Unsaid,
        }
    }

    /// Whether what an opening lets through can be read on the way.
    pub(super) fn encryption(&self, opening: &Opening) -> Encryption {
        let encrypted = &self.policy[opening.rule].encrypted;
        if opening.services.is_subset(encrypted) {
            Encryption::Whole
        } else if opening.services.is_disjoint(encrypted) {
            Encryption::Absent
        } else {
            Encryption::Partial
        }
    }

    /// What may leave some addresses of a zone, by the zone that it enters.
    pub(super) fn leaving(&self, zone: ZoneId, addresses: &AddressSet) -> Vec<(ZoneId, Opening)> {
        let lists = self.openings.leaving(zone);
        let narrowed = lists.flat_map(|(to, list)| {
            list.iter().filter_map(move |one| Some((to, one.between(addresses, &Set::full())?)))
        });
        narrowed.collect()
    }

    /// What may enter some addresses of a zone, by the zone that it leaves.
    pub(super) fn entering(&self, zone: ZoneId, addresses: &AddressSet) -> Vec<(ZoneId, Opening)> {
        let lists = self.openings.entering(zone);
        let narrowed = lists.flat_map(|(from, list)| {
            list.iter().filter_map(move |one| Some((from, one.between(&Set::full(), addresses)?)))
        });
        narrowed.collect()
    }
}

/// A key by which `T10` comes behind `T9`: the numbers in a text, each with the words before it.
fn natural(text: &str) -> Vec<(u64, String)> {
    let mut parts = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let word_end = rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len());
        let (word, tail) = rest.split_at(word_end);
        let number_end = tail.find(|c: char| !c.is_ascii_digit()).unwrap_or(tail.len());
        let (number, tail) = tail.split_at(number_end);
        parts.push((0, word.to_owned()));
        parts.push((number.parse().unwrap_or(0), String::new()));
        rest = tail;
    }
    parts
}

/// Which enforcement points keep which guards, as they are compiled.
fn kept(policy: &Policy) -> BTreeSet<(&str, &str)> {
    if policy.guards.is_empty() {
        return BTreeSet::new();
    }
    let plans = plan(policy).into_iter();
    let pairs =
        plans.flat_map(|plan| plan.guards.into_iter().map(move |guard| (&plan.device.name, &guard.id)));
    pairs.map(|(device, guard)| (device.as_str(), guard.as_str())).collect()
}

fn crossed(topology: &Topology, from: ZoneId, to: ZoneId) -> Vec<DeviceId> {
    let mut devices: Vec<DeviceId> = Vec::new();
    for crossing in topology.path(from, to) {
        if !devices.contains(&crossing.device) {
            devices.push(crossing.device);
        }
    }
    devices
}

/// A file name for each thing, of its kind and its name. Where two names differ only in the case of letters, which some file
/// systems do not tell apart, the later one has a number; no name of a policy holds a dot.
fn file_names<'n>(things: impl Iterator<Item = (&'static str, &'n str)>) -> Vec<String> {
    let mut taken: BTreeMap<String, usize> = BTreeMap::new();
    let unique = things.map(|(kind, name)| {
        let count = taken.entry(format!("{kind}-{}", name.to_ascii_lowercase())).or_default();
        *count += 1;
        if *count == 1 { format!("{kind}-{name}") } else { format!("{kind}-{name}.{count}") }
    });
    unique.collect()
}

#[cfg(test)]
mod tests {
    use super::file_names;

    #[test]
    fn names_that_differ_in_case_only_get_files_of_their_own() {
        let names = ["A", "Con", "a", "b"].into_iter().map(|name| ("zone", name));
        assert_eq!(file_names(names), ["zone-A", "zone-Con", "zone-a.2", "zone-b"]);
    }
}
