//! What is doubtful about the devices of inventories.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use miette::LabeledSpan;

use super::error::AssetError;
use crate::diag::Diagnostics;
use crate::ir::{
    Asset, Classification, Conduits, Effect, Endpoint, EndpointId, Placement, Policy, Risk, ZoneId,
};
use crate::set::{AddressSet, PacketSet, Set};

/// How many devices of many alike a message shows.
pub(super) const SHOWN: usize = 3;

/// From how many zones other than its own a device of high risk may be reached before that is reported.
const FEW_ZONES: usize = 3;

/// A label at each of some devices.
pub(super) fn labels(assets: &[&Asset], text: impl Fn(&Asset) -> String) -> Vec<LabeledSpan> {
    assets.iter().map(|asset| LabeledSpan::new_with_span(Some(text(asset)), asset.span)).collect()
}

/// A number of things, in words.
pub(super) fn count(number: usize, word: &str, plural: &str) -> String {
    if number == 1 { format!("1 {word}") } else { format!("{number} {word}{plural}") }
}

/// Devices alike: how many there are, and the first few.
#[derive(Default)]
struct Alike<'p> {
    number: usize,
    shown: Vec<&'p Asset>,
}

impl<'p> Alike<'p> {
    fn add(&mut self, asset: &'p Asset) {
        self.number += 1;
        if self.shown.len() < SHOWN {
            self.shown.push(asset);
        }
    }

    /// How many there are, in words.
    fn count(&self) -> String {
        count(self.number, "device", "s")
    }

    fn labels(&self, text: impl Fn(&Asset) -> String) -> Vec<LabeledSpan> {
        labels(&self.shown, text)
    }
}

/// Reports what is doubtful about the devices of a policy.
pub(in crate::check) fn check(policy: &Policy, conduits: &Conduits, diagnostics: &mut Diagnostics) {
    if policy.assets.is_empty() {
        return;
    }
    let classification = Classification::new(policy);
    check_classes(policy, &classification, diagnostics);
    check_zones(policy, &classification, diagnostics);
    check_owners(policy, &classification, diagnostics);
    check_support(policy, &classification, diagnostics);
    check_risk(policy, conduits, &classification, diagnostics);
    check_addresses(policy, diagnostics);
}

/// The classes of an asset; peers, which are roles, may hold it beside its class.
fn classes<'p>(policy: &'p Policy, placement: &'p Placement) -> impl Iterator<Item = EndpointId> + 'p {
    placement.endpoints.iter().copied().filter(|id| policy[*id].is_class)
}

fn check_classes(policy: &Policy, classification: &Classification, diagnostics: &mut Diagnostics) {
    let mut unclassified = Alike::default();
    let mut doubles: BTreeMap<(EndpointId, EndpointId), Alike> = BTreeMap::new();
    for (asset, placement) in classification.of(policy) {
        let is_inside = placement.zones.iter().any(|zone| !policy[*zone].is_rest);
        if placement.endpoints.is_empty() && is_inside {
            unclassified.add(asset);
        }
        let mut classes = classes(policy, placement);
        if let (Some(one), Some(other)) = (classes.next(), classes.next()) {
            doubles.entry((one, other)).or_default().add(asset);
        }
    }
    if unclassified.number > 0 {
        let labels = unclassified.labels(|_| "in no class".to_owned());
        diagnostics.push(AssetError::Unclassified { devices: unclassified.count(), labels });
    }
    for ((one, other), alike) in doubles {
        let (one, other) = (&policy[one], &policy[other]);
        if rules_of(policy, one) != rules_of(policy, other) {
            diagnostics.push(AssetError::TwoClasses {
                devices: alike.count(),
                one: one.name.clone(),
                other: other.name.clone(),
                labels: alike.labels(|_| "in both".to_owned()),
                one_span: one.span,
                other_span: other.span,
            });
        }
    }
}

/// The rules that hold for a whole class, by their side.
fn rules_of<'p>(policy: &'p Policy, class: &Endpoint) -> BTreeSet<(&'p str, bool)> {
    let covers = |side: &AddressSet| class.addresses.difference(side).is_empty();
    let from =
        policy.rules.iter().filter(|rule| covers(&rule.from.addresses)).map(|rule| (rule.id.as_str(), true));
    let to =
        policy.rules.iter().filter(|rule| covers(&rule.to.addresses)).map(|rule| (rule.id.as_str(), false));
    from.chain(to).collect()
}

fn check_zones(policy: &Policy, classification: &Classification, diagnostics: &mut Diagnostics) {
    let by_name =
        |name: &str| policy.zones.binary_search_by(|zone| zone.name.as_str().cmp(name)).ok().map(ZoneId);
    let (mut moved, mut outside) = (Alike::default(), Alike::default());
    for (asset, placement) in classification.of(policy) {
        if by_name(&asset.zone)
            .is_some_and(|zone| !placement.zones.is_empty() && !placement.zones.contains(&zone))
        {
            moved.add(asset);
        }
        let is_outside = |zone: &ZoneId| policy[*zone].is_rest;
        if !asset.addresses.is_empty() && placement.zones.iter().all(is_outside) {
            outside.add(asset);
        }
    }
    if moved.number > 0 {
        let labels = moved.labels(|asset| format!("in `{}`, says the inventory", asset.zone));
        diagnostics.push(AssetError::OtherZone { devices: moved.count(), labels });
    }
    if outside.number > 0 {
        let labels = outside.labels(|_| "in no zone".to_owned());
        let rest = policy.zones.iter().find(|zone| zone.is_rest);
        let rest = rest.map_or_else(|| "no zone".to_owned(), |zone| zone.name.clone());
        diagnostics.push(AssetError::NoZone { devices: outside.count(), rest, labels });
    }
}

fn check_owners(policy: &Policy, classification: &Classification, diagnostics: &mut Diagnostics) {
    let mut orphans = Alike::default();
    for (asset, placement) in classification.of(policy) {
        let of_class = placement.endpoints.iter().any(|id| policy[*id].about.owner.is_some());
        let of_zone = placement.zones.iter().any(|id| policy[*id].about.owner.is_some());
        if asset.owner.is_empty() && !of_class && !of_zone {
            orphans.add(asset);
        }
    }
    if orphans.number > 0 {
        let labels = orphans.labels(|_| "without owner".to_owned());
        diagnostics.push(AssetError::NoOwner { devices: orphans.count(), labels });
    }
}

fn check_support(policy: &Policy, classification: &Classification, diagnostics: &mut Diagnostics) {
    let mut late: BTreeMap<Option<EndpointId>, Alike> = BTreeMap::new();
    for (asset, placement) in classification.of(policy) {
        if asset.is_past_support(policy.as_of) {
            late.entry(classes(policy, placement).next()).or_default().add(asset);
        }
    }
    for (class, alike) in late {
        let labels = alike.labels(|asset| match asset.supported_until {
            Some(until) => format!("supported until {until}"),
            None => String::new(),
        });
        let of = class.map_or_else(|| "in no class".to_owned(), |id| format!("of `{}`", policy[id].name));
        diagnostics.push(AssetError::PastSupport { devices: alike.count(), of, labels });
    }
}

fn check_risk(
    policy: &Policy,
    conduits: &Conduits,
    classification: &Classification,
    diagnostics: &mut Diagnostics,
) {
    let mut risky: BTreeMap<EndpointId, Alike> = BTreeMap::new();
    for (asset, placement) in classification.of(policy) {
        for class in classes(policy, placement) {
            if asset.risk.or(policy[class].risk) >= Some(Risk::High) {
                risky.entry(class).or_default().add(asset);
            }
        }
    }
    for (id, alike) in risky {
        let class = &policy[id];
        let zones = zones_reaching(policy, conduits, class);
        let rest = zones.iter().find(|zone| policy[**zone].is_rest);
        let from = match rest {
            Some(rest) => format!("`{}`", policy[*rest].name),
            None if zones.len() > FEW_ZONES => format!("{} other zones", zones.len()),
            None => continue,
        };
        diagnostics.push(AssetError::WidelyReachable {
            devices: alike.count(),
            class: class.name.clone(),
            from,
            span: class.span,
            labels: alike.labels(|_| "of high risk".to_owned()),
        });
    }
}

/// The zones from which a connection to a class may be opened, after all that is forbidden.
fn zones_reaching(policy: &Policy, conduits: &Conduits, class: &Endpoint) -> Vec<ZoneId> {
    let reaches = |from: ZoneId| {
        let mut forbidden = PacketSet::empty();
        conduits.between(from, class.zone).iter().any(|part| {
            let rule = &policy[part.rule];
            let destinations = part.destinations.intersection(&class.addresses);
            let packets = PacketSet::product(&part.sources, &destinations, &rule.services);
            match rule.effect {
                Effect::Forbid => {
                    forbidden = forbidden.union(&packets);
                    false
                }
                Effect::Allow => !packets.difference(&forbidden).is_empty(),
            }
        })
    };
    policy.zone_ids().filter(|from| *from != class.zone && reaches(*from)).collect()
}

fn check_addresses(policy: &Policy, diagnostics: &mut Diagnostics) {
    let mut held: Vec<(IpAddr, usize)> = Vec::new();
    for (place, asset) in policy.assets.iter().enumerate() {
        held.extend(asset.addresses.iter().map(|address| (*address, place)));
    }
    held.sort_unstable();
    let mut shared = Alike::default();
    for same in held.chunk_by(|(one, _), (other, _)| one == other).filter(|same| same.len() > 1) {
        let asset = same.get(1).and_then(|(_, place)| policy.assets.get(*place));
        asset.into_iter().for_each(|asset| shared.add(asset));
    }
    if shared.number > 0 {
        let labels = shared.labels(|_| "has an address of another device".to_owned());
        diagnostics
            .push(AssetError::SharedAddress { addresses: count(shared.number, "address", "es"), labels });
    }
}
