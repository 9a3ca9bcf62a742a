//! What is doubtful about the devices of inventories.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use miette::LabeledSpan;

use super::error::AssetError;
use crate::check::acceptance::Ledger;
use crate::diag::Diagnostics;
use crate::ir::{
    Asset, Classification, Conduits, Effect, Endpoint, EndpointId, Part, Placement, Policy, Risk, ZoneId,
};
use crate::set::{AddressSet, Set};

/// How many devices of many alike a message shows.
pub(super) const SHOWN: usize = 3;

/// From how many zones other than its own a device of high risk may be reached before that is reported.
const FEW_ZONES: usize = 3;

/// A label at each of some devices.
pub(super) fn labels(assets: &[&Asset], text: impl Fn(&Asset) -> String) -> Vec<LabeledSpan> {
    assets.iter().map(|asset| LabeledSpan::new_with_span(Some(text(asset)), asset.span)).collect()
}

/// Devices alike, as a message has them.
pub(super) struct Alike {
    /// How many there are, in words.
    pub(super) devices: String,
    /// The first few.
    pub(super) labels: Vec<LabeledSpan>,
}

/// A number of things, in words.
pub(super) fn count(number: usize, word: &str, plural: &str) -> String {
    if number == 1 { format!("1 {word}") } else { format!("{number} {word}{plural}") }
}

/// Devices that deserve a second look, by their places in [`Policy::assets`].
#[derive(Clone, Debug, Default)]
pub struct Doubts {
    /// Those in no class and no peer, though in a zone.
    pub unclassified: Vec<usize>,
    /// Those in two classes with different rules, by the classes.
    pub doubles: BTreeMap<(EndpointId, EndpointId), Vec<usize>>,
    /// Those in another zone than their inventory says.
    pub moved: Vec<usize>,
    /// Those in no zone but the rest.
    pub outside: Vec<usize>,
    /// Those that nobody answers for: neither they nor their class nor their zone has an owner.
    pub orphans: Vec<usize>,
    /// Those past the end of their support, by class.
    pub late: BTreeMap<Option<EndpointId>, Vec<usize>>,
    /// Those of high or critical risk in classes that many can reach.
    pub reachable: BTreeMap<EndpointId, Reachable>,
    /// Those with an address that one before them has too.
    pub shared: Vec<usize>,
}

/// Devices of high risk that many can reach.
#[derive(Clone, Debug)]
pub struct Reachable {
    /// From where, in words.
    pub from: String,
    /// The devices.
    pub assets: Vec<usize>,
}

impl Doubts {
    /// Looks for them.
    pub fn new(policy: &Policy, conduits: &Conduits, classification: &Classification) -> Self {
        let mut doubts = Doubts::default();
        for (place, (asset, placement)) in classification.of(policy).enumerate() {
            doubts.add_place(policy, place, asset, placement);
            let mut classes = classes(policy, placement);
            if asset.is_past_support(policy.as_of) {
                doubts.late.entry(classes.next()).or_default().push(place);
            }
        }
        doubts
            .doubles
            .retain(|(one, other), _| rules_of(policy, &policy[*one]) != rules_of(policy, &policy[*other]));
        doubts.reachable = reachable(policy, conduits, classification);
        doubts.shared = shared_addresses(policy);
        doubts
    }

    /// Looks at the classes, zones and owners of one device.
    fn add_place(&mut self, policy: &Policy, place: usize, asset: &Asset, placement: &Placement) {
        let is_inside = placement.zones.iter().any(|zone| !policy[*zone].is_rest);
        if placement.endpoints.is_empty() && is_inside {
            self.unclassified.push(place);
        }
        if !is_inside && !asset.addresses.is_empty() {
            self.outside.push(place);
        }
        let mut classes = classes(policy, placement);
        if let (Some(one), Some(other)) = (classes.next(), classes.next()) {
            self.doubles.entry((one, other)).or_default().push(place);
        }
        let stated = policy.zones.binary_search_by(|zone| zone.name.as_str().cmp(&asset.zone)).map(ZoneId);
        if stated.is_ok_and(|zone| !placement.zones.is_empty() && !placement.zones.contains(&zone)) {
            self.moved.push(place);
        }
        let of_class = placement.endpoints.iter().any(|id| policy[*id].about.owner.is_some());
        let of_zone = placement.zones.iter().any(|id| policy[*id].about.owner.is_some());
        if asset.owner.is_empty() && !of_class && !of_zone {
            self.orphans.push(place);
        }
    }
}

/// The classes of an asset; peers, which are roles, may hold it beside its class.
fn classes<'p>(policy: &'p Policy, placement: &'p Placement) -> impl Iterator<Item = EndpointId> + 'p {
    placement.endpoints.iter().copied().filter(|id| policy[*id].is_class)
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

fn reachable(
    policy: &Policy,
    conduits: &Conduits,
    classification: &Classification,
) -> BTreeMap<EndpointId, Reachable> {
    let mut risky: BTreeMap<EndpointId, Vec<usize>> = BTreeMap::new();
    for (place, (asset, placement)) in classification.of(policy).enumerate() {
        for class in classes(policy, placement) {
            if asset.risk.or(policy[class].risk) >= Some(Risk::High) {
                risky.entry(class).or_default().push(place);
            }
        }
    }
    let widely = risky.into_iter().filter_map(|(id, assets)| {
        let zones = zones_reaching(policy, conduits, &policy[id]);
        let outside = zones.iter().find(|zone| policy[**zone].is_outside());
        let from = match outside {
            Some(outside) => format!("`{}`", policy[*outside].name),
            None if zones.len() > FEW_ZONES => format!("{} other zones", zones.len()),
            None => return None,
        };
        Some((id, Reachable { from, assets }))
    });
    widely.collect()
}

/// The zones from which a connection to a class may be opened, after all that is forbidden.
fn zones_reaching(policy: &Policy, conduits: &Conduits, class: &Endpoint) -> Vec<ZoneId> {
    let reaches = |from: ZoneId| {
        let parts = conduits.between(from, class.zone);
        let allows = parts.iter().filter(|part| policy[part.rule].effect == Effect::Allow);
        let mut to_class = allows.map(|part| Part {
            rule: part.rule,
            sources: part.sources.clone(),
            destinations: part.destinations.intersection(&class.addresses),
        });
        to_class.any(|part| match part.left(policy, parts) {
            Some(left) => !left.packets.is_empty(),
            None => !part.packets(&policy[part.rule].services).is_empty(),
        })
    };
    policy.zone_ids().filter(|from| *from != class.zone && reaches(*from)).collect()
}

/// The devices with an address that another before them has too.
fn shared_addresses(policy: &Policy) -> Vec<usize> {
    let mut held: Vec<(IpAddr, usize)> = Vec::new();
    for (place, asset) in policy.assets.iter().enumerate() {
        held.extend(asset.addresses.iter().map(|address| (*address, place)));
    }
    held.sort_unstable();
    let again = held.chunk_by(|(one, _), (other, _)| one == other).flat_map(|same| same.iter().skip(1));
    let places: BTreeSet<usize> = again.map(|(_, place)| *place).collect();
    places.into_iter().collect()
}

/// Reports what is doubtful about the devices of a policy: of many alike, how many there are, and the first few. What is
/// found of a class, the class can accept.
pub(in crate::check) fn check(
    policy: &Policy,
    conduits: &Conduits,
    ledger: &mut Ledger,
    diagnostics: &mut Diagnostics,
) {
    if policy.assets.is_empty() {
        return;
    }
    let doubts = Doubts::new(policy, conduits, &Classification::new(policy));
    let mut say = |places: &[usize], text: &dyn Fn(&Asset) -> String, error: &dyn Fn(Alike) -> AssetError| {
        diagnostics.extend(alike(policy, places, text).map(error));
    };
    say(&doubts.unclassified, &|_| "in no class".to_owned(), &AssetError::unclassified);
    for ((one, other), places) in &doubts.doubles {
        let (one, other) = (&policy[*one], &policy[*other]);
        say(places, &|_| "in both".to_owned(), &|alike| AssetError::two_classes(alike, one, other));
    }
    let stated = |asset: &Asset| format!("in `{}`, says the inventory", asset.zone);
    say(&doubts.moved, &stated, &AssetError::other_zone);
    let rest = policy.zones.iter().find(|zone| zone.is_rest).map_or("the rest", |zone| &zone.name);
    say(&doubts.outside, &|_| "in no zone".to_owned(), &|alike| AssetError::no_zone(alike, rest));
    say(&doubts.orphans, &|_| "without owner".to_owned(), &AssetError::no_owner);
    say(&doubts.shared, &|_| "has an address of another device".to_owned(), &AssetError::shared_address);
    for (class, places) in &doubts.late {
        let class = class.map(|id| &policy[id]);
        let Some(alike) = alike(policy, places, &end_of_support) else { continue };
        let acceptances = class.map_or(&[][..], |class| &class.acceptances);
        ledger.report(acceptances, AssetError::past_support(alike, class), diagnostics);
    }
    for (class, Reachable { from, assets }) in &doubts.reachable {
        let class = &policy[*class];
        let Some(alike) = alike(policy, assets, &|_| "of high risk".to_owned()) else { continue };
        ledger.report(&class.acceptances, AssetError::widely_reachable(alike, class, from), diagnostics);
    }
}

/// Some devices as a message has them; nothing if there are none.
fn alike(policy: &Policy, places: &[usize], text: &dyn Fn(&Asset) -> String) -> Option<Alike> {
    let shown = places.iter().take(SHOWN).filter_map(|place| policy.assets.get(*place));
    let labels = labels(&shown.collect::<Vec<_>>(), text);
    (!places.is_empty()).then(|| Alike { devices: count(places.len(), "device", "s"), labels })
}

fn end_of_support(asset: &Asset) -> String {
    asset.supported_until.map_or_else(String::new, |until| format!("supported until {until}"))
}
