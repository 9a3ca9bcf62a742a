//! Who may open connections to some addresses, and to whom these may: exactly, after all that is forbidden.
//!
//! In: a policy, and the name or addresses that are asked about. Out: rows that together hold every packet between other
//! zones and these addresses that an allow opens, and no other; a packet that two rules open stands in a row of each.

use std::collections::BTreeSet;

use ipnet::IpNet;
use serde::Serialize;
use thiserror::Error;

use super::flow::{Flow, Piece, pieces};
use crate::diag::suggestion;
use crate::diff::{Names, Party};
use crate::ir::{Opening, Openings, Policy, RuleIndex, Topology, ZoneId, ZoneIndex};
use crate::set::{
    AddressRange, AddressSet, ICMP, ICMPV6, Interval, IntervalSet, PacketSet, ServiceSet, Set, has_ports,
    protocol_number,
};
use crate::source::Sources;

/// What is asked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ask {
    /// Who may open connections to it.
    WhoCanReach,
    /// To whom it may open connections.
    WhatItReaches,
}

/// Whom and what a question is about.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Asked {
    /// What it is called.
    pub name: String,
    /// Its addresses.
    pub addresses: AddressSet,
    /// The services that are asked about.
    pub services: ServiceSet,
}

/// Why a question cannot be answered.
#[derive(Error, Clone, PartialEq, Eq, Debug)]
pub enum BadAsk {
    /// Nothing has that name.
    #[error("`{name}` is no zone, class, peer or group of the policy, and no address or prefix{}", help(.suggestion))]
    Name {
        /// What was asked for.
        name: String,
        /// A name that is alike.
        suggestion: Option<String>,
    },
    /// An address lies in no zone.
    #[error("`{0}` lies in no zone of the policy, so nothing may reach it and it may reach nothing")]
    NoZone(String),
    /// It has no addresses at all.
    #[error("`{0}` has no addresses")]
    Empty(String),
    /// A service is not known.
    #[error("`{name}` is no service of the policy, and not in the form of tcp/443, udp/5000-5010 or icmp{}", help(.suggestion))]
    Service {
        /// What was asked for.
        name: String,
        /// A name that is alike.
        suggestion: Option<String>,
    },
}

fn help(suggestion: &Option<String>) -> String {
    suggestion.as_ref().map_or_else(String::new, |text| format!("; {text}"))
}

/// Everybody who may reach some addresses, or whom they may reach.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Reach {
    /// What was asked about.
    pub about: String,
    /// The zones that it lies in, whose own hosts reach each other without any firewall in between.
    pub zones: Vec<String>,
    /// What is open.
    pub rows: Vec<ReachRow>,
}

/// What one rule opens between the addresses asked about and others.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct ReachRow {
    /// The others, all in one zone.
    pub others: Vec<Party>,
    /// Of those asked about, which.
    pub of: Vec<Party>,
    /// `both`, `IPv4` or `IPv6`.
    pub family: &'static str,
    /// Over what.
    pub services: String,
    /// The rule, by its id.
    pub rule: String,
    /// Where it stands.
    pub place: String,
    /// The schedule during which it holds, if not at all times.
    pub during: Option<String>,
    /// Its last day, if it has one.
    pub until: Option<String>,
    /// True if each new connection is logged.
    pub log: bool,
    /// The forbids that take a part of it away; what is left stands in these rows.
    pub cut_by: Vec<String>,
    /// The enforcement points on the way.
    pub crosses: Vec<String>,
    /// Exactly the packets.
    #[serde(skip)]
    pub packets: PacketSet,
}

impl Asked {
    /// Understands a name, an address or a prefix, and the services that are asked about, all if none are named.
    ///
    /// # Errors
    /// What is not known.
    pub fn new(policy: &Policy, name: &str, via: &[String]) -> Result<Self, BadAsk> {
        let addresses = match addresses(policy, name) {
            Some(addresses) if addresses.is_empty() => return Err(BadAsk::Empty(name.to_owned())),
            Some(addresses) => addresses,
            None => {
                let known = names(policy).map(|(known, _)| known);
                return Err(BadAsk::Name { name: name.to_owned(), suggestion: suggestion(name, known) });
            }
        };
        if ZoneIndex::new(policy).split(&addresses).is_empty() {
            return Err(BadAsk::NoZone(name.to_owned()));
        }
        let mut services = if via.is_empty() { ServiceSet::full() } else { ServiceSet::empty() };
        for word in via {
            let known = policy.services.iter().map(|service| service.name.as_str());
            let own = service(policy, word)
                .ok_or_else(|| BadAsk::Service { name: word.clone(), suggestion: suggestion(word, known) })?;
            services = services.union(&own);
        }
        Ok(Asked { name: name.to_owned(), addresses, services })
    }
}

fn names(policy: &Policy) -> impl Iterator<Item = (&str, &AddressSet)> {
    let zones = policy.zones.iter().map(|zone| (zone.name.as_str(), &zone.addresses));
    let endpoints = policy.endpoints.iter().map(|one| (one.name.as_str(), &one.addresses));
    let groups = policy.groups.iter().map(|group| (group.name.as_str(), &group.addresses));
    zones.chain(endpoints).chain(groups)
}

fn addresses(policy: &Policy, name: &str) -> Option<AddressSet> {
    if let Some((_, addresses)) = names(policy).find(|(known, _)| *known == name) {
        return Some(addresses.clone());
    }
    let address = name.parse::<std::net::IpAddr>().map(IpNet::from);
    let prefix = address.or_else(|_| name.parse::<IpNet>()).ok()?;
    Some([AddressRange::from(prefix)].into_iter().collect())
}

/// A service by its name, or as `tcp/443`, `udp/5000-5010` or `icmp`.
fn service(policy: &Policy, word: &str) -> Option<ServiceSet> {
    if let Some(service) = policy.services.iter().find(|service| service.name == word) {
        return Some(service.set.clone());
    }
    let (protocol, ports) = word.split_once('/').map_or((word, None), |(one, other)| (one, Some(other)));
    let protocol = protocol_number(&protocol.to_ascii_lowercase())?;
    let Some(ports) = ports else { return Some(ServiceSet::protocol(protocol)) };
    let (first, last) = ports.split_once('-').unwrap_or((ports, ports));
    let ports = Interval::new(first.parse().ok()?, last.parse().ok()?)?;
    let ports: IntervalSet<u16> = [ports].into_iter().collect();
    let is_message = [ICMP, ICMPV6].contains(&protocol);
    (has_ports(protocol) && !is_message).then(|| ServiceSet::ports(protocol, &IntervalSet::full(), &ports))
}

/// Answers a question.
pub fn reach(policy: &Policy, sources: &Sources, ask: Ask, asked: &Asked) -> Reach {
    let own: BTreeSet<ZoneId> = ZoneIndex::new(policy).split(&asked.addresses).into_keys().collect();
    let names = Names::new(policy);
    let topology = Topology::new(policy);
    let all = AddressSet::full();
    let mut rows = Vec::new();
    for ((from, to), openings) in Openings::new(policy).iter() {
        let (here, sides) = match ask {
            Ask::WhoCanReach => (to, (&all, &asked.addresses)),
            Ask::WhatItReaches => (from, (&asked.addresses, &all)),
        };
        if !own.contains(&here) {
            continue;
        }
        let mut crosses: Vec<String> = Vec::new();
        for crossing in topology.path(from, to) {
            let name = &policy[crossing.device].name;
            if !crosses.contains(name) {
                crosses.push(name.clone());
            }
        }
        for opening in openings.iter().filter_map(|opening| opening.between(sides.0, sides.1)) {
            let about = row(policy, sources, &opening, &crosses);
            let pieces = opened(&opening, &asked.services);
            rows.extend(pieces.iter().map(|piece| into_row(piece, &names, ask, about.clone())));
        }
    }
    let key = |row: &ReachRow| {
        let ReachRow { others, of, services, rule, family, .. } = row;
        (others.clone(), of.clone(), services.clone(), rule.clone(), *family)
    };
    rows.sort_by_cached_key(key);
    let zones = own.iter().map(|zone| policy[*zone].name.clone()).collect();
    Reach { about: asked.name.clone(), zones, rows: joined(rows) }
}

/// An opening as products, over some services only.
fn opened(opening: &Opening, services: &ServiceSet) -> Vec<Piece> {
    if opening.cut_by.is_empty() {
        let services = opening.services.intersection(services);
        let (from, to) = (opening.sources.clone(), opening.destinations.clone());
        let piece = Piece { from, to, services };
        return if piece.packets().is_empty() { Vec::new() } else { vec![piece] };
    }
    let all = AddressSet::full();
    pieces(&opening.packets().intersection(&PacketSet::product(&all, &all, services)))
}

fn into_row(piece: &Piece, names: &Names, ask: Ask, about: ReachRow) -> ReachRow {
    let Flow { from, to, family, services } = piece.flow(names);
    let (others, of) = match ask {
        Ask::WhoCanReach => (from, to),
        Ask::WhatItReaches => (to, from),
    };
    ReachRow { others, of, family, services, packets: piece.packets(), ..about }
}

/// What all rows of an opening have in common.
fn row(policy: &Policy, sources: &Sources, opening: &Opening, crosses: &[String]) -> ReachRow {
    let rule = &policy[opening.rule];
    let id = |index: &RuleIndex| policy[*index].id.clone();
    ReachRow {
        others: Vec::new(),
        of: Vec::new(),
        family: "both",
        services: String::new(),
        rule: rule.id.clone(),
        place: sources.locate(rule.span).to_string(),
        during: policy.schedule_of(rule).map(|schedule| schedule.name.clone()),
        until: rule.about.until.map(|day| day.to_string()),
        log: rule.log,
        cut_by: opening.cut_by.iter().map(id).collect(),
        crosses: crosses.to_vec(),
        packets: PacketSet::empty(),
    }
}

/// Rows that differ in their family only are one.
fn joined(rows: Vec<ReachRow>) -> Vec<ReachRow> {
    let mut joined: Vec<ReachRow> = Vec::new();
    for row in rows {
        let same = |known: &&mut ReachRow| {
            known.family != row.family && known.family != "both" && row.family != "both" && {
                let alike =
                    ReachRow { family: row.family, packets: row.packets.clone(), ..(**known).clone() };
                alike == row
            }
        };
        match joined.iter_mut().find(same) {
            Some(known) => {
                known.packets = known.packets.union(&row.packets);
                known.family = "both";
            }
            None => joined.push(row),
        }
    }
    joined
}
