//! Lines as text, with object groups where they save lines.
//!
//! IOS has object groups for IPv4 only. A group is named after its members, so that the same members are one group on
//! the whole device, and a group in use never changes. Whether a line takes groups depends on that line alone: else the
//! change of one rule could reword another. Lines about packets that the processor sees, which are those to the device
//! itself and those that log, take no groups: some platforms pass over such lines there.

use std::collections::BTreeMap;

use serde::Serialize;

use super::acl::{Action, Family, Line};
use super::service::{Service, TCP, UDP, port_text};
use super::text::digest;

/// A group with its members.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
pub(super) struct Group {
    kind: &'static str,
    name: String,
    members: Vec<String>,
}

/// All groups of a device, by name.
pub(super) type Groups = BTreeMap<String, Group>;

/// What stands at one place of a line: each of these, one line each, or a group of them.
struct Place {
    texts: Vec<String>,
    group: Option<Group>,
}

/// Writes the entries of a line, and adds the groups that they need.
pub(super) fn write(line: &Line, local: bool, family: Family, groups: &mut Groups) -> Vec<String> {
    let places = choose(line, local || line.ending.log, family);
    for group in places.iter().filter_map(|place| place.group.as_ref()) {
        groups.insert(group.name.clone(), group.clone());
    }
    let [services, sources, destinations] = &places;
    let action = match line.action {
        Action::Permit => "permit",
        Action::Deny => "deny",
    };
    let log = if line.ending.log { " log" } else { "" };
    let mut lines = Vec::new();
    for service in words(services, &line.services, family) {
        let [protocol, source_port, destination_port] = service;
        for source in &sources.texts {
            for destination in &destinations.texts {
                let from = format!("{action} {protocol} {source}{source_port}");
                lines.push(format!("{from} {destination}{destination_port}{log}"));
            }
        }
    }
    lines
}

fn words(place: &Place, services: &[Service], family: Family) -> Vec<[String; 3]> {
    match &place.group {
        Some(group) => vec![[format!("object-group {}", group.name), String::new(), String::new()]],
        None => services.iter().map(|service| service.text(family)).collect(),
    }
}

/// Of all ways to replace places by groups, the one with the fewest lines, those of the groups counted in.
fn choose(line: &Line, by_processor: bool, family: Family) -> [Place; 3] {
    let plain = [
        Place { texts: vec![String::new(); line.services.len()], group: None },
        addresses(&line.sources, family),
        addresses(&line.destinations, family),
    ];
    if by_processor || family == Family::V6 {
        return plain;
    }
    let [services, sources, destinations] = &plain;
    let grouped = [
        service_group(&line.services),
        network_group(sources.texts.len(), &line.sources),
        network_group(destinations.texts.len(), &line.destinations),
    ];
    let sizes = [services.texts.len(), sources.texts.len(), destinations.texts.len()];
    let cost = |mask: u8| {
        let mut product = 1;
        let mut taken: BTreeMap<&str, usize> = BTreeMap::new();
        for (place, (size, group)) in sizes.iter().zip(&grouped).enumerate() {
            match group.as_ref().filter(|_| mask & (1 << place) != 0) {
                Some(group) => drop(taken.insert(&group.name, 1 + group.members.len())),
                None => product *= *size,
            }
        }
        product + taken.values().sum::<usize>()
    };
    let mask = (0..8_u8).min_by_key(|mask| (cost(*mask), mask.count_ones(), *mask)).unwrap_or_default();
    let mut place = 0;
    let pairs = plain.into_iter().zip(grouped);
    let mut chosen = pairs.map(|(plain, group)| {
        let taken = group.filter(|_| mask & (1 << place) != 0);
        place += 1;
        match taken {
            Some(group) => Place { texts: vec![format!("object-group {}", group.name)], group: Some(group) },
            None => plain,
        }
    });
    std::array::from_fn(|_| chosen.next().unwrap_or(Place { texts: Vec::new(), group: None }))
}

fn addresses(prefixes: &[super::prefix::Prefix], family: Family) -> Place {
    Place { texts: prefixes.iter().map(|prefix| prefix.text(family)).collect(), group: None }
}

fn network_group(size: usize, prefixes: &[super::prefix::Prefix]) -> Option<Group> {
    let members: Vec<String> = prefixes.iter().map(|prefix| prefix.member_text()).collect();
    (size > 1).then(|| group("network", 'N', members))
}

/// Destination ports of TCP and UDP only: this much is the same in every release and reader.
fn service_group(services: &[Service]) -> Option<Group> {
    let member = |service: &Service| {
        let name = match service.protocol {
            Some(TCP) => "tcp",
            Some(UDP) => "udp",
            _ => return None,
        };
        let fits =
            !service.established && service.source_port.is_full() && !service.destination_port.is_full();
        fits.then(|| format!("{name}{}", port_text(service.destination_port)))
    };
    let members = services.iter().map(member).collect::<Option<Vec<String>>>()?;
    (services.len() > 1).then(|| group("service", 'S', members))
}

fn group(kind: &'static str, letter: char, members: Vec<String>) -> Group {
    let name = format!("CORDON-{letter}-{}", digest(members.iter().map(String::as_str)));
    Group { kind, name, members }
}

/// How many lines the groups take.
pub(super) fn lines(groups: &Groups) -> usize {
    groups.values().map(|group| 1 + group.members.len()).sum()
}
