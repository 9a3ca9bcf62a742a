//! Zones, classes and peers: where things are.

use std::collections::BTreeMap;

use super::acceptance::{self, Ends};
use super::addresses::{Accepts, in_words, outside, resolve};
use super::attributes;
use super::error::CheckError;
use super::inventory::{Selection, TwiceUnclassified, selected};
use super::names::Declared;
use crate::diag::{Diagnostics, suggestion};
use crate::inventory::Inventories;
use crate::ir::{Endpoint, Zone, ZoneId};
use crate::set::{AddressRange, AddressSet, Interval, Point, Set, union_all};
use crate::source::Span;
use crate::syntax::ast::{self, Attribute, Key, Members, Names, Word};

/// Reads all zone statements: zones by name, disjoint, the rest last computed.
pub(super) fn zones(
    statements: &[&ast::Zone],
    declared: &mut Declared,
    diagnostics: &mut Diagnostics,
) -> Vec<Zone> {
    let mut zones = BTreeMap::new();
    let mut rest: Option<Span> = None;
    for statement in statements {
        let errors = diagnostics.errors();
        let zone = zone(statement, diagnostics);
        if statement.broken || diagnostics.errors() > errors {
            declared.mark_broken(&zone.name);
        }
        if zone.is_rest {
            if let Some(first) = rest {
                let (name, span) = (zone.name.clone(), zone.span);
                diagnostics.push(CheckError::TwoRests { name, span, first });
            }
            rest = rest.or(Some(zone.span));
        } else if zone.addresses.is_empty() && !declared.is_broken(&zone.name) {
            let (name, span) = (zone.name.clone(), zone.span);
            diagnostics.push(CheckError::Empty { kind: "zone", name, span });
        }
        if declared.enter(&statement.name, super::SHARED_KINDS, diagnostics) {
            zones.insert(zone.name.clone(), zone);
        }
    }
    let mut zones: Vec<Zone> = zones.into_values().collect();
    check_disjoint(&zones, diagnostics);
    let held = union_all(zones.iter().map(|zone| zone.addresses.clone()).collect::<Vec<_>>());
    for zone in zones.iter_mut().filter(|zone| zone.is_rest) {
        zone.addresses = AddressSet::universe().difference(&held);
    }
    zones
}

fn zone(statement: &ast::Zone, diagnostics: &mut Diagnostics) -> Zone {
    let nets = statement.nets.iter().map(|net| resolve(net, Accepts::Prefixes, diagnostics).0);
    let addresses = union_all(nets.collect::<Vec<_>>());
    let is_rest = statement.rest.is_some();
    if is_rest && !statement.nets.is_empty() {
        let (name, span) = (statement.name.node.clone(), statement.name.span);
        diagnostics.push(CheckError::RestWithNet { name, span });
    }
    Zone {
        name: statement.name.node.clone(),
        addresses: if is_rest { AddressSet::empty() } else { addresses },
        is_rest,
        phi: attributes::phi(&statement.attributes, diagnostics),
        criticality: attributes::criticality(&statement.attributes, diagnostics),
        tier: attributes::tier(&statement.attributes),
        vlan: attributes::vlan(&statement.attributes, diagnostics),
        trust: attributes::trust(&statement.attributes, diagnostics),
        role: attributes::role(&statement.attributes, diagnostics),
        about: attributes::about(&statement.attributes, diagnostics),
        acceptances: acceptance::acceptances(&statement.acceptances, Ends::Risks, diagnostics),
        span: statement.name.span,
    }
}

/// Reports each zone that shares addresses with one before it in address order.
fn check_disjoint(zones: &[Zone], diagnostics: &mut Diagnostics) {
    let v4 =
        zones.iter().enumerate().flat_map(|(i, zone)| zone.addresses.v4.intervals().map(move |r| (r, i)));
    let v6 =
        zones.iter().enumerate().flat_map(|(i, zone)| zone.addresses.v6.intervals().map(move |r| (r, i)));
    let mut overlaps: BTreeMap<(usize, usize), AddressRange> = BTreeMap::new();
    for (pair, overlap) in overlapping(v4.collect()) {
        overlaps.entry(pair).or_insert(AddressRange::V4(overlap));
    }
    for (pair, overlap) in overlapping(v6.collect()) {
        overlaps.entry(pair).or_insert(AddressRange::V6(overlap));
    }
    for ((one, other), overlap) in overlaps {
        let (Some(one), Some(other)) = (zones.get(one), zones.get(other)) else { continue };
        diagnostics.push(CheckError::ZonesOverlap {
            zone: other.name.clone(),
            first_zone: one.name.clone(),
            overlap: overlap.to_string(),
            span: other.span,
            first: one.span,
        });
    }
}

/// Pairs of owners whose intervals overlap, found by one walk in ascending order: each interval is compared with the
/// one before it that reaches furthest.
fn overlapping<T: Point>(mut intervals: Vec<(Interval<T>, usize)>) -> Vec<((usize, usize), Interval<T>)> {
    intervals.sort_unstable();
    let mut furthest: Option<(Interval<T>, usize)> = None;
    let mut found = Vec::new();
    for (interval, owner) in intervals {
        match furthest {
            Some((reach, holder)) if reach.overlaps(interval) => {
                if holder != owner {
                    let overlap = Interval::spanning(interval.first(), interval.last().min(reach.last()));
                    found.push(((holder.min(owner), holder.max(owner)), overlap));
                }
                if interval.last() > reach.last() {
                    furthest = Some((interval, owner));
                }
            }
            _ => furthest = Some((interval, owner)),
        }
    }
    found
}

/// A class or peer statement, as far as the two are alike.
pub(super) struct Declaration<'a> {
    kind: &'static str,
    name: &'a Word,
    zone: Option<&'a Word>,
    members: &'a [Members],
    attributes: &'a [Attribute],
    acceptances: &'a [ast::Acceptance],
    broken: bool,
}

impl<'a> From<&'a ast::Class> for Declaration<'a> {
    fn from(class: &'a ast::Class) -> Self {
        Declaration {
            kind: "class",
            name: &class.name,
            zone: class.zone.as_ref(),
            members: &class.members,
            attributes: &class.attributes,
            acceptances: &class.acceptances,
            broken: class.broken,
        }
    }
}

impl<'a> From<&'a ast::Peer> for Declaration<'a> {
    fn from(peer: &'a ast::Peer) -> Self {
        Declaration {
            kind: "peer",
            name: &peer.name,
            zone: peer.zone.as_ref(),
            members: &peer.members,
            attributes: &peer.attributes,
            acceptances: &peer.acceptances,
            broken: peer.broken,
        }
    }
}

/// What classes and peers are made from.
pub(super) struct Grounds<'a> {
    pub(super) zones: &'a [Zone],
    pub(super) inventories: &'a Inventories,
    /// How many inventories the policy names.
    pub(super) stated: usize,
}

impl Grounds<'_> {
    /// True if an inventory could not be read, so that what it holds is not known.
    pub(super) fn lack_devices(&self) -> bool {
        self.inventories.read < self.stated
    }
}

/// Reads class and peer statements: endpoints by name, each inside its zone.
pub(super) fn endpoints<'a>(
    declarations: impl IntoIterator<Item = Declaration<'a>>,
    grounds: &Grounds,
    declared: &mut Declared,
    diagnostics: &mut Diagnostics,
) -> Vec<Endpoint> {
    let mut endpoints = BTreeMap::new();
    for declaration in declarations {
        let errors = diagnostics.errors();
        let zone = zone_of(&declaration, grounds.zones, diagnostics);
        let lies_in_broken = declaration.zone.is_some_and(|zone| declared.is_broken(&zone.node));
        let endpoint = zone.map(|zone| endpoint(&declaration, zone, lies_in_broken, grounds, diagnostics));
        let unknown = grounds.lack_devices()
            && declaration.members.iter().any(|m| matches!(m, Members::Inventory { .. }));
        if declaration.broken || lies_in_broken || unknown || diagnostics.errors() > errors {
            declared.mark_broken(&declaration.name.node);
        }
        if declared.enter(declaration.name, super::SHARED_KINDS, diagnostics) {
            endpoints.extend(endpoint.map(|endpoint| (endpoint.name.clone(), endpoint)));
        }
    }
    let mut endpoints: Vec<Endpoint> = endpoints.into_values().collect();
    add_unclassified(&mut endpoints, grounds.zones, declared, diagnostics);
    endpoints
}

/// Gives each class with `members unclassified` what no other class and no peer of its zone holds. Where one of those
/// could not be read, this is not known either.
fn add_unclassified(
    endpoints: &mut [Endpoint],
    zones: &[Zone],
    declared: &mut Declared,
    diagnostics: &mut Diagnostics,
) {
    let mut takers: BTreeMap<ZoneId, usize> = BTreeMap::new();
    for (place, endpoint) in endpoints.iter().enumerate().filter(|(_, one)| one.takes_unclassified) {
        if let Some(first) = takers.get(&endpoint.zone).and_then(|place| endpoints.get(*place)) {
            let zone = zones.get(endpoint.zone.0).map_or_else(String::new, |zone| zone.name.clone());
            diagnostics.push(TwiceUnclassified::new(first, endpoint, zone));
        }
        takers.entry(endpoint.zone).or_insert(place);
    }
    for (zone_id, taker) in takers {
        let Some(zone) = zones.get(zone_id.0) else { continue };
        let others =
            endpoints.iter().enumerate().filter(|(place, one)| one.zone == zone_id && *place != taker);
        let is_known = others.clone().all(|(_, one)| !declared.is_broken(&one.name));
        let held = union_all(others.map(|(_, one)| one.addresses.clone()).collect::<Vec<_>>());
        let Some(taker) = endpoints.get_mut(taker) else { continue };
        taker.addresses = taker.addresses.union(&zone.addresses.difference(&held));
        if !is_known {
            declared.mark_broken(&taker.name);
        } else if taker.addresses.is_empty() && !declared.is_broken(&taker.name) {
            let (name, span) = (taker.name.clone(), taker.span);
            diagnostics.push(CheckError::Empty { kind: "class", name, span });
        }
    }
}

fn zone_of<'z>(
    declaration: &Declaration,
    zones: &'z [Zone],
    diagnostics: &mut Diagnostics,
) -> Option<(ZoneId, &'z Zone)> {
    let Some(word) = declaration.zone else {
        let (name, span) = (declaration.name.node.clone(), declaration.name.span);
        diagnostics.push(CheckError::NoZone { kind: declaration.kind, name, span });
        return None;
    };
    if word.node.is_empty() {
        return None;
    }
    let found = zones.binary_search_by(|zone| zone.name.as_str().cmp(&word.node));
    match found.ok().and_then(|index| zones.get(index).map(|zone| (ZoneId(index), zone))) {
        Some(found) => Some(found),
        None => {
            let help = suggestion(&word.node, zones.iter().map(|zone| zone.name.as_str()));
            let (name, span) = (word.node.clone(), word.span);
            diagnostics.push(CheckError::UnknownName { kind: "zone", name, span, help });
            None
        }
    }
}

/// Reads one class or peer. Where its zone could not be read, nothing is said of where its members lie.
fn endpoint(
    declaration: &Declaration,
    zone: (ZoneId, &Zone),
    lies_in_broken: bool,
    grounds: &Grounds,
    diagnostics: &mut Diagnostics,
) -> Endpoint {
    let (zone_id, zone) = zone;
    let errors = diagnostics.errors();
    let sets: Vec<AddressSet> = declaration
        .members
        .iter()
        .map(|members| match members {
            Members::All(_) => zone.addresses.clone(),
            Members::Unclassified(_) => AddressSet::empty(),
            Members::Inventory { condition, at_least, span } => {
                let at_least = at_least.as_ref();
                let selection = Selection { class: declaration.name, zone, at_least, span: *span };
                selected(&selection, condition.as_ref(), grounds, diagnostics)
            }
            Members::Hosts(names) => hosts(names, zone, lies_in_broken, diagnostics),
        })
        .collect();
    let addresses = union_all(sets).intersection(&zone.addresses);
    let takes_unclassified = declaration.members.iter().any(|m| matches!(m, Members::Unclassified(_)));
    let unknown = takes_unclassified || grounds.lack_devices();
    let judged = !unknown && !declaration.broken && !lies_in_broken && diagnostics.errors() == errors;
    if addresses.is_empty() && judged {
        let (kind, name, span) = (declaration.kind, declaration.name.node.clone(), declaration.name.span);
        diagnostics.push(CheckError::Empty { kind, name, span });
    }
    Endpoint {
        name: declaration.name.node.clone(),
        zone: zone_id,
        addresses,
        is_class: declaration.kind == "class",
        takes_unclassified,
        phi: attributes::phi(declaration.attributes, diagnostics),
        criticality: attributes::criticality(declaration.attributes, diagnostics),
        risk: attributes::risk(declaration.attributes, diagnostics),
        role: attributes::role(declaration.attributes, diagnostics),
        supported_until: attributes::date(declaration.attributes, Key::SupportedUntil, diagnostics),
        about: attributes::about(declaration.attributes, diagnostics),
        acceptances: acceptance::acceptances(declaration.acceptances, Ends::Risks, diagnostics),
        span: declaration.name.span,
    }
}

fn hosts(names: &Names, zone: &Zone, lies_in_broken: bool, diagnostics: &mut Diagnostics) -> AddressSet {
    let (set, listed) = resolve(names, Accepts::Hosts, diagnostics);
    for (word, range) in listed.into_iter().filter(|_| !lies_in_broken) {
        check_inside(&word, range, zone, diagnostics);
    }
    set
}

fn check_inside(word: &Word, range: AddressRange, zone: &Zone, diagnostics: &mut Diagnostics) {
    let outside = outside(&zone.addresses, range);
    if outside.is_empty() {
        return;
    }
    let help = if zone.is_rest {
        "the zone is all that no other zone holds, and another holds this".to_owned()
    } else {
        format!("the zone holds {}; correct the address, or the zone", in_words(&zone.addresses))
    };
    diagnostics.push(CheckError::OutsideZone {
        text: word.node.clone(),
        zone: zone.name.clone(),
        span: word.span,
        outside: in_words(&outside),
        zone_span: zone.span,
        help,
    });
}
