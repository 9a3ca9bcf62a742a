//! Whether enforcement points see what the policy speaks of.

use std::collections::{BTreeMap, BTreeSet};

use super::error::CheckError;
use crate::diag::Diagnostics;
use crate::ir::{Conduits, DeviceId, Management, Policy, RuleIndex, Topology, ZoneId};
use crate::set::Set;

/// Reports rules that nothing enforces. Where all else is in order, reports also enforcement points that nobody can
/// administer or that see nothing, and zones that are attached nowhere; a statement with an error may be just what
/// these lack.
pub(super) fn check(policy: &Policy, conduits: &Conduits, diagnostics: &mut Diagnostics) {
    if policy.devices.is_empty() {
        let first = policy.zones.iter().map(|zone| zone.span).min();
        if let Some(span) = first.filter(|_| !diagnostics.has_errors()) {
            diagnostics.push(CheckError::NoDevice { span });
        }
        return;
    }
    let topology = Topology::new(policy);
    let mut unattached = BTreeSet::new();
    if !diagnostics.has_errors() {
        check_managed(policy, &topology, diagnostics);
        check_seeing(policy, &topology, diagnostics);
        unattached = check_attached(policy, diagnostics);
    }
    check_enforced(policy, conduits, &topology, &unattached, diagnostics);
}

fn check_managed(policy: &Policy, topology: &Topology, diagnostics: &mut Diagnostics) {
    let arrivals = topology.arrivals();
    for (device, id) in policy.devices.iter().zip((0..).map(DeviceId)) {
        let reaching = arrivals.iter().filter(|((place, _), _)| *place == id).flat_map(|(_, zones)| zones);
        let reaching: BTreeSet<ZoneId> = reaching.copied().collect();
        let behind = |management: &Management| {
            reaching.iter().any(|zone| !management.from.addresses.is_disjoint(&policy[*zone].addresses))
        };
        let managed = policy.managements.iter().any(|m| m.applies_to(device) && behind(m));
        if !managed {
            diagnostics.push(CheckError::Unmanaged { name: device.name.clone(), span: device.span });
        }
    }
}

/// Reports enforcement points that lie on no path between two zones.
fn check_seeing(policy: &Policy, topology: &Topology, diagnostics: &mut Diagnostics) {
    let mut seeing: BTreeSet<DeviceId> = BTreeSet::new();
    for from in policy.zone_ids() {
        for to in policy.zone_ids().filter(|to| *to != from) {
            if seeing.len() == policy.devices.len() {
                return;
            }
            seeing.extend(topology.crossings(from, to).iter().map(|crossing| crossing.device));
        }
    }
    for (device, id) in policy.devices.iter().zip((0..).map(DeviceId)) {
        if !seeing.contains(&id) {
            diagnostics.push(CheckError::SeesNothing { name: device.name.clone(), span: device.span });
        }
    }
}

/// Reports zones that are attached nowhere, and gives them. An empty zone has nothing to attach.
fn check_attached(policy: &Policy, diagnostics: &mut Diagnostics) -> BTreeSet<ZoneId> {
    let interfaces = || policy.devices.iter().flat_map(|device| &device.interfaces);
    let attached = |id| interfaces().any(|interface| interface.zones.contains(&id));
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
    topology: &Topology,
    unattached: &BTreeSet<ZoneId>,
    diagnostics: &mut Diagnostics,
) {
    let mut enforced: BTreeSet<RuleIndex> = BTreeSet::new();
    let mut missing: BTreeMap<RuleIndex, Vec<(ZoneId, ZoneId)>> = BTreeMap::new();
    for ((from, to), parts) in conduits.iter() {
        let crossed = !topology.crossings(from, to).is_empty();
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
