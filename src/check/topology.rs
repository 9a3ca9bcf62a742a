//! Enforcement points: what is attached to them, and what crosses none.

use std::collections::{BTreeMap, BTreeSet};

use super::error::CheckError;
use super::names::Declared;
use crate::diag::{Diagnostics, suggestion};
use crate::ir::{Conduits, Device, Interface, Management, Policy, RuleIndex, Zone, ZoneId};
use crate::set::Set;
use crate::source::Span;
use crate::syntax::ast::{self, DeviceKind, Leads, Names, Word};

/// Reads all firewall and switch statements: enforcement points by name.
pub(super) fn devices(
    statements: &[&ast::Device],
    zones: &[Zone],
    diagnostics: &mut Diagnostics,
) -> Vec<Device> {
    let (mut devices, mut declared) = (BTreeMap::new(), Declared::default());
    for statement in statements {
        let device = device(statement, zones, diagnostics);
        if declared.enter(&statement.name, "firewalls and switches", diagnostics) {
            devices.insert(device.name.clone(), device);
        }
    }
    devices.into_values().collect()
}

fn device(statement: &ast::Device, zones: &[Zone], diagnostics: &mut Diagnostics) -> Device {
    let (name, span) = (statement.name.node.clone(), statement.name.span);
    let targets = match statement.targets.len() {
        0 => Some("no target".to_owned()),
        1 => None,
        count => Some(format!("{count} targets")),
    };
    if let Some(targets) = targets.filter(|_| !statement.broken) {
        diagnostics.push(CheckError::TargetCount { name: name.clone(), targets, span });
    }
    if statement.interfaces.is_empty() && !statement.broken {
        diagnostics.push(CheckError::NoInterface { name: name.clone(), span });
    }
    if statement.kind == DeviceKind::Switch {
        diagnostics.push(CheckError::NotCompiled { what: "a `switch`".to_owned(), span });
    }
    let mut interfaces: BTreeMap<String, Interface> = BTreeMap::new();
    let mut attached: BTreeMap<ZoneId, Span> = BTreeMap::new();
    for interface in &statement.interfaces {
        if let Leads::Device(_) = interface.leads
            && statement.kind == DeviceKind::Firewall
        {
            let what = "an interface to another enforcement point".to_owned();
            diagnostics.push(CheckError::NotCompiled { what, span: interface.name.span });
        }
        let zones = interface_zones(interface, &name, zones, &mut attached, diagnostics);
        let key = interface.name.node.clone();
        let span = interface.name.span;
        if let Some(Interface { span: first, .. }) = interfaces.get(&key) {
            let (first, device) = (*first, name.clone());
            diagnostics.push(CheckError::InterfaceTwice { name: key, device, span, first });
            continue;
        }
        interfaces.insert(key.clone(), Interface { name: key, zones, span });
    }
    let target = statement.targets.first();
    Device {
        name,
        kind: statement.kind,
        target: target.map(|target| target.node.clone()).unwrap_or_default(),
        target_span: target.map_or(span, |target| target.span),
        interfaces: interfaces.into_values().collect(),
        span,
    }
}

/// The zones behind an interface, sorted. A zone that is attached to the device already is reported.
fn interface_zones(
    interface: &ast::Interface,
    device: &str,
    zones: &[Zone],
    attached: &mut BTreeMap<ZoneId, Span>,
    diagnostics: &mut Diagnostics,
) -> Vec<ZoneId> {
    let names = match &interface.leads {
        Leads::Zones(names) => names,
        Leads::Device(_) => return Vec::new(),
    };
    let mut found = BTreeSet::new();
    for word in &names.list {
        let Some(zone) = zone_named(word, zones, diagnostics) else { continue };
        if let Some(first) = attached.insert(zone, word.span) {
            let (zone, device, span) = (word.node.clone(), device.to_owned(), word.span);
            diagnostics.push(CheckError::AttachedTwice { zone, device, span, first });
        }
        found.insert(zone);
    }
    found.into_iter().collect()
}

fn zone_named(word: &Word, zones: &[Zone], diagnostics: &mut Diagnostics) -> Option<ZoneId> {
    let found = zones.binary_search_by(|zone| zone.name.as_str().cmp(&word.node)).ok();
    if found.is_none() {
        let help = suggestion(&word.node, zones.iter().map(|zone| zone.name.as_str()));
        let (name, span) = (word.node.clone(), word.span);
        diagnostics.push(CheckError::UnknownName { kind: "zone", name, span, help });
    }
    found.map(ZoneId)
}

/// The enforcement points that a manage statement names; none for all.
pub(super) fn device_list(lists: &[Names], known: &[&str], diagnostics: &mut Diagnostics) -> Vec<String> {
    let (mut named, mut excepted) = (BTreeSet::new(), BTreeSet::new());
    for names in lists {
        for (words, set) in [(&names.list, &mut named), (&names.except, &mut excepted)] {
            for word in words {
                if known.contains(&word.node.as_str()) {
                    set.insert(word.node.clone());
                } else if word.node == super::names::ANY {
                    set.extend(known.iter().map(|name| (*name).to_owned()));
                } else {
                    let help = suggestion(&word.node, known.iter().copied());
                    let (kind, name, span) = ("enforcement point", word.node.clone(), word.span);
                    diagnostics.push(CheckError::UnknownName { kind, name, span, help });
                }
            }
        }
    }
    named.difference(&excepted).cloned().collect()
}

/// Reports rules that nothing enforces. Where all else is in order, reports also enforcement points that nobody can
/// administer and zones that are attached nowhere; a statement with an error may be just what these lack.
pub(super) fn check(policy: &Policy, conduits: &Conduits, diagnostics: &mut Diagnostics) {
    if policy.devices.is_empty() {
        let first = policy.zones.iter().map(|zone| zone.span).min();
        if let Some(span) = first.filter(|_| !diagnostics.has_errors()) {
            diagnostics.push(CheckError::NoDevice { span });
        }
        return;
    }
    let mut unattached = BTreeSet::new();
    if !diagnostics.has_errors() {
        check_managed(policy, diagnostics);
        unattached = check_attached(policy, diagnostics);
    }
    check_enforced(policy, conduits, &unattached, diagnostics);
}

fn check_managed(policy: &Policy, diagnostics: &mut Diagnostics) {
    for device in &policy.devices {
        let behind = |management: &Management| {
            let zones = policy.zone_ids().filter(|zone| device.interface_of(*zone).is_some());
            zones.into_iter().any(|zone| !management.from.addresses.is_disjoint(&policy[zone].addresses))
        };
        let managed = policy.managements.iter().any(|m| m.applies_to(device) && behind(m));
        if !managed {
            diagnostics.push(CheckError::Unmanaged { name: device.name.clone(), span: device.span });
        }
    }
}

/// Reports zones that are attached nowhere, and gives them. An empty zone has nothing to attach.
fn check_attached(policy: &Policy, diagnostics: &mut Diagnostics) -> BTreeSet<ZoneId> {
    let attached = |id| policy.devices.iter().any(|device| device.interface_of(id).is_some());
    let unattached = policy.zone_ids().filter(|id| !attached(*id) && !policy[*id].addresses.is_empty());
    let unattached: BTreeSet<ZoneId> = unattached.collect();
    for id in &unattached {
        let zone = &policy[*id];
        diagnostics.push(CheckError::Unattached { name: zone.name.clone(), span: zone.span });
    }
    unattached
}

/// Reports rules that nothing enforces, wholly or in part. Parts that are lost because one of the `unattached` zones is
/// attached nowhere were reported there, once for all rules.
fn check_enforced(
    policy: &Policy,
    conduits: &Conduits,
    unattached: &BTreeSet<ZoneId>,
    diagnostics: &mut Diagnostics,
) {
    let mut enforced: BTreeSet<RuleIndex> = BTreeSet::new();
    let mut missing: BTreeMap<RuleIndex, Vec<(ZoneId, ZoneId)>> = BTreeMap::new();
    for ((from, to), parts) in conduits.iter() {
        let crossed = policy
            .devices
            .iter()
            .any(|device| device.interface_of(from).is_some() && device.interface_of(to).is_some());
        for part in parts {
            if crossed {
                enforced.insert(part.rule);
            } else {
                missing.entry(part.rule).or_default().push((from, to));
            }
        }
    }
    for (index, mut pairs) in missing {
        let rule = &policy[index];
        if enforced.contains(&index) {
            pairs.retain(|(from, to)| !unattached.contains(from) && !unattached.contains(to));
            if pairs.is_empty() {
                continue;
            }
        }
        let (name, pairs, span) = (rule.id.clone(), pairs_in_words(policy, &pairs), rule.span);
        diagnostics.push(if enforced.contains(&index) {
            CheckError::PartlyNotEnforced { name, pairs, span }
        } else {
            CheckError::NotEnforced { name, pairs, span }
        });
    }
}

/// The first few pairs of zones, and how many more there are.
fn pairs_in_words(policy: &Policy, pairs: &[(ZoneId, ZoneId)]) -> String {
    const SHOWN: usize = 3;
    let mut shown: Vec<String> = pairs
        .iter()
        .take(SHOWN)
        .map(|(from, to)| format!("`{}` to `{}`", policy[*from].name, policy[*to].name))
        .collect();
    if pairs.len() > SHOWN {
        shown.push(format!("{} more", pairs.len() - SHOWN));
    }
    shown.join(", ")
}
