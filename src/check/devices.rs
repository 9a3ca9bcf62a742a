//! Enforcement points as declared: their interfaces, what is attached to them, and the links between them.

use std::collections::{BTreeMap, BTreeSet};

use super::error::CheckError;
use super::names::Declared;
use super::ports;
use crate::diag::{Diagnostics, suggestion};
use crate::ir::{Device, Interface, Link, Zone, ZoneId};
use crate::source::Span;
use crate::syntax::ast::{self, Leads, Names, Word};

/// What no enforcement point can be called, since the folder of this name holds what postures take away.
const FOLDER: &str = "postures";

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
    let devices: Vec<Device> = devices.into_values().collect();
    check_links(statements, &devices, diagnostics);
    devices
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
    if name == FOLDER {
        diagnostics.push(CheckError::ReservedName { name: name.clone(), span });
    }
    if statement.interfaces.is_empty() && !statement.broken {
        diagnostics.push(CheckError::NoInterface { name: name.clone(), span });
    }
    let mut interfaces: BTreeMap<String, Interface> = BTreeMap::new();
    let mut attached: BTreeMap<ZoneId, Span> = BTreeMap::new();
    for interface in &statement.interfaces {
        let zones = interface_zones(interface, &name, zones, &mut attached, diagnostics);
        let link = link(interface, &name, diagnostics);
        let key = interface.name.node.clone();
        let span = interface.name.span;
        if let Some(Interface { span: first, .. }) = interfaces.get(&key) {
            let (first, device) = (*first, name.clone());
            diagnostics.push(CheckError::InterfaceTwice { name: key, device, span, first });
            continue;
        }
        interfaces.insert(key.clone(), Interface { name: key, zones, link, span });
    }
    let target = statement.targets.first();
    let interfaces: Vec<Interface> = interfaces.into_values().collect();
    let ports = ports::ports(&statement.ports, &name, &interfaces, zones, diagnostics);
    Device {
        name,
        kind: statement.kind,
        target: target.map(|target| target.node.clone()).unwrap_or_default(),
        target_span: target.map_or(span, |target| target.span),
        tcam: statement.tcam.as_ref().and_then(|word| number(word, "tcam", diagnostics)),
        denies_fragments: statement.denies_fragments,
        interfaces,
        ports,
        span,
    }
}

/// A number that an attribute of an enforcement point holds, from 1 up.
fn number(word: &Word, attribute: &'static str, diagnostics: &mut Diagnostics) -> Option<u32> {
    let number = word.node.parse().ok().filter(|number| *number > 0);
    if number.is_none() {
        let (value, span) = (word.node.clone(), word.span);
        let known = format!("a number from 1 to {}", u32::MAX);
        diagnostics.push(CheckError::UnknownValue { attribute, value, span, known, help: None });
    }
    number
}

/// The end of a link that an interface is, if it leads to another enforcement point.
fn link(interface: &ast::Interface, device: &str, diagnostics: &mut Diagnostics) -> Option<Link> {
    let Leads::Device { to, cost, backup } = &interface.leads else { return None };
    if to.node == device {
        diagnostics.push(CheckError::LinkToItself { name: device.to_owned(), span: to.span });
        return None;
    }
    let cost = cost.as_ref().map_or(Some(1), |word| number(word, "cost", diagnostics))?;
    Some(Link { to: to.node.clone(), cost, backup: backup.is_some() })
}

/// Reports links to enforcement points that are not declared, and links of which one end only is declared.
fn check_links(statements: &[&ast::Device], devices: &[Device], diagnostics: &mut Diagnostics) {
    let ends = |from: &str, to: &str| -> usize {
        let interfaces =
            devices.iter().filter(|device| device.name == from).flat_map(|device| &device.interfaces);
        interfaces.filter(|interface| interface.link.as_ref().is_some_and(|link| link.to == to)).count()
    };
    for statement in statements {
        for interface in &statement.interfaces {
            let Leads::Device { to, .. } = &interface.leads else { continue };
            let device = statement.name.node.clone();
            let Some(other) = devices.iter().find(|device| device.name == to.node) else {
                let help = suggestion(&to.node, devices.iter().map(|device| device.name.as_str()));
                let (kind, name, span) = ("enforcement point", to.node.clone(), to.span);
                diagnostics.push(CheckError::UnknownName { kind, name, span, help });
                continue;
            };
            if ends(&device, &to.node) > ends(&to.node, &device) && device != to.node {
                let (other, span, other_span) = (to.node.clone(), interface.name.span, other.span);
                diagnostics.push(CheckError::OneEnded { device, other, span, other_span });
            }
        }
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
        Leads::Device { .. } => return Vec::new(),
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

pub(super) fn zone_named(word: &Word, zones: &[Zone], diagnostics: &mut Diagnostics) -> Option<ZoneId> {
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
