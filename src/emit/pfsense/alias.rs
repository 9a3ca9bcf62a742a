//! Aliases: named sets of addresses or ports, and what stands in a rule in their place.
//!
//! A set of one entry stands in the rule itself. A set that would be more entries than its complement, as that of a
//! zone for the rest of the world, is written as `not` and the complement.

use std::collections::BTreeMap;
use std::net::IpAddr;

use ipnet::IpNet;
use serde::Serialize;

use super::rectangle::Family;
use super::text::{alias_description, alias_name, digest};
use super::traffic::Match;
use crate::ir::Policy;
use crate::set::{AddressRange, AddressSet, Interval, IntervalSet, ServiceSet, Set, has_ports};

/// The most entries of an alias of addresses (`saveAlias`, alias-utils.inc).
const MAX_ADDRESSES: usize = 5_000;

/// The most entries of an alias of ports. They become one quoted line for pfctl, whose lexer takes 8 KiB.
const MAX_PORTS: usize = 500;

/// An alias as it stands in the config.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub(super) struct AliasView {
    name: String,
    kind: &'static str,
    address: String,
    description: String,
}

/// One side of a rule.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
pub(super) struct SideView {
    any: bool,
    network: Option<&'static str>,
    address: Option<String>,
    not: bool,
    port: Option<String>,
}

impl SideView {
    /// Every address.
    pub(super) fn any() -> Self {
        SideView { any: true, network: None, address: None, not: false, port: None }
    }

    /// The addresses of the firewall itself.
    pub(super) fn firewall() -> Self {
        SideView { any: false, network: Some("(self)"), ..SideView::any() }
    }

    fn address(address: String, not: bool) -> Self {
        SideView { any: false, address: Some(address), not, ..SideView::any() }
    }

    /// The same, with a port.
    pub(super) fn with_port(&self, port: Option<String>) -> Self {
        SideView { port, ..self.clone() }
    }
}

/// What a set may be named after.
#[derive(Clone, Copy, Debug)]
pub(super) struct Naming<'p> {
    /// Names that the statement mentions.
    pub(super) mentions: &'p str,
    /// What the set is named after if it is none of those.
    pub(super) otherwise: &'p str,
}

/// All aliases of a config, by name.
#[derive(Default)]
pub(super) struct Aliases {
    by_name: BTreeMap<String, AliasView>,
}

impl Aliases {
    pub(super) fn into_views(self) -> Vec<AliasView> {
        self.by_name.into_values().collect()
    }

    /// What stands in rules for a set of addresses of one family; nothing for the empty set.
    pub(super) fn addresses(
        &mut self,
        policy: &Policy,
        family: Family,
        set: &AddressSet,
        naming: Naming,
    ) -> Vec<SideView> {
        let whole = family.of(&AddressSet::full());
        if *set == whole {
            return vec![SideView::any()];
        }
        let complement = whole.difference(set);
        let (own, foreign) = (prefixes(set), prefixes(&complement));
        let not = own.len() > foreign.len() && foreign.len() <= MAX_ADDRESSES;
        let (entries, inside, outside) =
            if not { (foreign, &complement, set) } else { (own, set, &complement) };
        if let [entry] = entries.as_slice()
            && let Some(literal) = literal(entry)
        {
            return vec![SideView::address(literal, not)];
        }
        let within = |set| name_of(policy, family, set, naming.mentions);
        let (named, suffix, words) = match (within(inside), within(outside)) {
            (Some(name), _) => (Some(name), "", ""),
            (None, Some(name)) => (Some(name), "_not", "all but "),
            (None, None) => (None, "", ""),
        };
        let title = format!("{words}{}, {}", named.unwrap_or(naming.otherwise), family.title());
        let parts = entries.chunks(MAX_ADDRESSES);
        parts
            .map(|part| {
                let hosts = part.iter().all(|entry| entry.prefix_len() == entry.max_prefix_len());
                let kind = if hosts { "host" } else { "network" };
                let address = part.iter().map(|entry| entry_text(entry, hosts)).collect::<Vec<_>>().join(" ");
                let suffix = match named {
                    Some(_) if entries.len() <= MAX_ADDRESSES => format!("{suffix}{}", family.suffix()),
                    Some(_) | None => format!("_{}", digest(&address)),
                };
                let stem = named.unwrap_or(naming.otherwise);
                SideView::address(self.register(stem, &suffix, kind, address, &title), not)
            })
            .collect()
    }

    /// What stands in rules for a set of ports: nothing for all of them, and no rule at all for port 0 alone, which no
    /// rule can name.
    pub(super) fn ports(
        &mut self,
        policy: &Policy,
        set: &IntervalSet<u16>,
        found: &Match,
        naming: Naming,
    ) -> Vec<Option<String>> {
        if set.is_full() {
            return vec![None];
        }
        let usable = set.intersection(&IntervalSet::from_interval(Interval::spanning(1, u16::MAX), true));
        let ports: Vec<Interval<u16>> = usable.intervals().collect();
        match ports.as_slice() {
            [port] if port.is_single() => return vec![Some(port.first().to_string())],
            // pfSense makes `1-N` into `<= N`, which holds port 0 as well; an alias keeps it out.
            [range] if range.first() > 1 => return vec![Some(format!("{}-{}", range.first(), range.last()))],
            _ => {}
        }
        let protocol = found.protocol.unwrap_or_default();
        let service = service_of(policy, set, protocol, naming.mentions);
        let title = format!("{}, {protocol} ports", service.unwrap_or(naming.otherwise));
        let parts = ports.chunks(MAX_PORTS);
        let whole_set = ports.len() <= MAX_PORTS;
        parts
            .map(|part| {
                let address = part.iter().map(|ports| port_entry(*ports)).collect::<Vec<_>>().join(" ");
                let (stem, suffix) = match service {
                    Some(name) if whole_set => (name, format!("_{}", protocol.replace('/', ""))),
                    Some(name) => (name, format!("_{}", digest(&address))),
                    None => (naming.otherwise, format!("_{}", digest(&address))),
                };
                Some(self.register(stem, &suffix, "port", address, &title))
            })
            .collect()
    }

    /// The name of an alias with this content. Where another has the name, one with a digest is taken.
    fn register(
        &mut self,
        stem: &str,
        suffix: &str,
        kind: &'static str,
        address: String,
        what: &str,
    ) -> String {
        let mut salt = 0;
        loop {
            let name = alias_name(stem, suffix, salt);
            match self.by_name.get(&name) {
                Some(known) if (known.kind, &known.address) == (kind, &address) => return name,
                Some(_) => salt += 1,
                None => {
                    let description = alias_description(what);
                    let view = AliasView { name: name.clone(), kind, address, description };
                    self.by_name.insert(name.clone(), view);
                    return name;
                }
            }
        }
    }
}

/// A prefix as it stands in a rule. An IPv6 address that starts with `::` cannot: pfSense puts the prefix of the
/// interface in front of it (`filter_generate_address`, filter.inc).
fn literal(entry: &IpNet) -> Option<String> {
    let host = entry.prefix_len() == entry.max_prefix_len();
    let text = entry_text(entry, host);
    (!text.starts_with("::")).then_some(text)
}

/// A prefix, or an address alone. Not even `::ffff:0:0` is written with dots, which pfSense takes for IPv4.
fn entry_text(entry: &IpNet, host: bool) -> String {
    let address = match entry.addr() {
        IpAddr::V6(address) if address.to_ipv4_mapped().is_some() => {
            let [.., high, low] = address.segments();
            format!("::ffff:{high:x}:{low:x}")
        }
        IpAddr::V4(_) | IpAddr::V6(_) => entry.addr().to_string(),
    };
    if host { address } else { format!("{address}/{}", entry.prefix_len()) }
}

fn port_entry(ports: Interval<u16>) -> String {
    if ports.is_single() {
        return ports.first().to_string();
    }
    format!("{}:{}", ports.first(), ports.last())
}

/// The prefixes that a set is made of, in ascending order.
fn prefixes(set: &AddressSet) -> Vec<IpNet> {
    set.ranges().flat_map(AddressRange::prefixes).collect()
}

/// The zone, class or peer that a set of addresses is. Zones are disjoint, so one at most is equal; of classes and peers
/// only those are taken that the statement mentions, so that no other statement has a say in the name.
fn name_of<'p>(policy: &'p Policy, family: Family, set: &AddressSet, mentions: &str) -> Option<&'p str> {
    let zone = policy.zones.iter().find(|zone| family.of(&zone.addresses) == *set);
    let endpoint = || {
        let mut names: Vec<&str> = words(mentions).collect();
        names.sort_unstable();
        // The policy has them by name.
        names.into_iter().find_map(|name| {
            let place = policy.endpoints.binary_search_by(|known| known.name.as_str().cmp(name)).ok()?;
            let endpoint = policy.endpoints.get(place)?;
            (family.of(&endpoint.addresses) == *set).then_some(endpoint.name.as_str())
        })
    };
    zone.map(|zone| zone.name.as_str()).or_else(endpoint)
}

/// The service that a set of ports is, of those that the statement mentions.
fn service_of<'p>(
    policy: &'p Policy,
    ports: &IntervalSet<u16>,
    protocol: &str,
    mentions: &str,
) -> Option<&'p str> {
    let numbers = (0..=u8::MAX).filter(|number| has_ports(*number));
    let wanted: Vec<u8> = numbers
        .filter(|number| protocol.split('/').any(|name| crate::set::protocol_name(*number) == name))
        .collect();
    let is_it = |set: &ServiceSet| {
        wanted.iter().all(|number| {
            let found = set.v4.get(*number).and_then(|sources| sources.get(u16::MAX));
            found.is_some_and(|found| found == ports)
        })
    };
    let mut services = policy.services.iter();
    let found =
        services.find(|service| words(mentions).any(|word| word == service.name) && is_it(&service.set));
    found.map(|service| service.name.as_str())
}

/// The words of a side of a rule, or of its services.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| c == ',' || c.is_whitespace()).filter(|word| !word.is_empty())
}
