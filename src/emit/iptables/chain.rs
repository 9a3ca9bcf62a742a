//! What is said of some packets, as elements of sets and as rules that look them up.
//!
//! Rectangles with few addresses on one side become elements: their lookup costs the same however many there are. The
//! others, from whole zones to whole zones, become a rule each.

use std::collections::BTreeMap;
use std::net::IpAddr;

use ipnet::IpNet;

use super::address::{Family, Side, hosts, is_everything};
use super::rectangle::Rectangle;
use super::sets::{Element, SetType};
use super::traffic::{PortRange, as_matches, parts};

/// The most elements that one rectangle becomes; with more it is a rule.
const MAX_ELEMENTS: usize = 1024;

/// The most hosts that are listed one by one, so that no zone is taken apart into its addresses.
const MAX_HOSTS: usize = 64;

/// What the elements of a set are, and how a rule looks a packet up there.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Kind {
    /// From prefixes to hosts.
    ToHosts,
    /// From hosts to prefixes.
    FromHosts,
    /// From anywhere to prefixes.
    ToNets,
    /// From prefixes to anywhere.
    FromNets,
}

impl Kind {
    /// The type of the set.
    pub(super) fn set_type(self) -> SetType {
        match self {
            Kind::ToHosts | Kind::FromHosts => SetType::HostPortNet,
            Kind::ToNets | Kind::FromNets => SetType::NetPort,
        }
    }

    /// Which side of a packet each part of an element stands for.
    pub(super) fn directions(self) -> &'static str {
        match self {
            Kind::ToHosts => "dst,dst,src",
            Kind::FromHosts => "src,dst,dst",
            Kind::ToNets => "dst,dst",
            Kind::FromNets => "src,dst",
        }
    }

    /// What names of sets call it.
    pub(super) fn letter(self) -> char {
        match self {
            Kind::ToHosts => 'd',
            Kind::FromHosts => 's',
            Kind::ToNets => 't',
            Kind::FromNets => 'f',
        }
    }
}

/// A rule, but for its verdict.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Line {
    pub(super) sources: Vec<crate::set::AddressRange>,
    pub(super) destinations: Vec<crate::set::AddressRange>,
    /// Options that match the protocol and the like.
    pub(super) matching: String,
    /// If given, it holds for all protocols but these.
    pub(super) all_but: Option<Vec<u8>>,
}

/// A rectangle, taken apart.
#[derive(Debug, Default)]
pub(super) struct Placed {
    pub(super) elements: BTreeMap<Kind, Vec<Element>>,
    pub(super) lines: Vec<Line>,
    /// What the target cannot express.
    pub(super) unsupported: Vec<String>,
}

/// Finds the elements and rules that together are a rectangle. They are disjoint.
pub(super) fn place(rectangle: &Rectangle, family: Family, rule: &str) -> Result<Placed, &'static str> {
    let parts = parts(&rectangle.traffic, family)?;
    let mut placed = Placed { unsupported: parts.unsupported, ..Placed::default() };
    let mut matches = parts.matches;
    if !parts.ports.is_empty() {
        match elements(rectangle, &parts.ports, rule) {
            Some((kind, elements)) => {
                placed.elements.insert(kind, elements);
            }
            None => matches.extend(as_matches(&parts.ports)),
        }
    }
    let line = |matching: String, all_but| Line {
        sources: rectangle.sources.clone(),
        destinations: rectangle.destinations.clone(),
        matching,
        all_but,
    };
    placed.lines.extend(matches.into_iter().map(|matching| line(matching, None)));
    placed.lines.extend(parts.all_but.map(|protocols| line(String::new(), Some(protocols))));
    Ok(placed)
}

/// The elements of a rectangle, if they are few enough, in the kind of set that needs fewest.
fn elements(rectangle: &Rectangle, ports: &[PortRange], rule: &str) -> Option<(Kind, Vec<Element>)> {
    let Rectangle { sources, destinations, .. } = rectangle;
    let count: usize = ports.iter().map(|range| range.count()).sum();
    let nets = |side: Side| -> Vec<IpNet> {
        let ranges = match side {
            Side::Source => sources,
            Side::Destination => destinations,
        };
        ranges.iter().flat_map(|range| range.prefixes()).collect()
    };
    let (kind, hosts, nets): (_, Vec<Option<IpAddr>>, _) =
        match (is_everything(sources), is_everything(destinations)) {
            (true, true) => return None,
            (true, false) => (Kind::ToNets, vec![None], nets(Side::Destination)),
            (false, true) => (Kind::FromNets, vec![None], nets(Side::Source)),
            (false, false) => {
                let (from, to) = (nets(Side::Source), nets(Side::Destination));
                let to_hosts = hosts(destinations, MAX_HOSTS).map(|hosts| (Kind::ToHosts, hosts, from));
                let from_hosts = hosts(sources, MAX_HOSTS).map(|hosts| (Kind::FromHosts, hosts, to));
                let ways = [to_hosts, from_hosts].into_iter().flatten();
                let (kind, hosts, nets) = ways.min_by_key(|(_, hosts, nets)| hosts.len() * nets.len())?;
                (kind, hosts.into_iter().map(Some).collect(), nets)
            }
        };
    if hosts.len() * nets.len() * count > MAX_ELEMENTS {
        return None;
    }
    let mut elements = Vec::new();
    for host in hosts {
        for net in &nets {
            elements.extend(ports.iter().map(|range| Element::new(rule, host, *net, *range)));
        }
    }
    Some((kind, elements))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::set::{AddressRange, ICMP, ServiceSet, Traffic};

    fn ranges(texts: &[&str]) -> Vec<AddressRange> {
        texts.iter().map(|text| AddressRange::from(text.parse::<IpNet>().unwrap())).collect()
    }

    fn check(sources: &[&str], destinations: &[&str], traffic: Traffic) -> (Vec<(Kind, usize)>, usize) {
        let rectangle = Rectangle { sources: ranges(sources), destinations: ranges(destinations), traffic };
        let placed = place(&rectangle, Family::V4, "rule").unwrap();
        let counts = placed.elements.iter().map(|(kind, elements)| (*kind, elements.len()));
        (counts.collect(), placed.lines.len())
    }

    #[test]
    fn the_side_with_few_hosts_is_the_one_that_is_listed() {
        use crate::set::{Interval, IntervalSet, Set};
        let port = IntervalSet::from_interval(Interval::single(443), true);
        let https = ServiceSet::ports(6, &IntervalSet::full(), &port).v4;
        let wide = "10.0.0.0/8";
        assert_eq!(check(&[wide], &["10.1.0.0/30"], https.clone()), (vec![(Kind::ToHosts, 4)], 0));
        assert_eq!(check(&["10.1.0.0/30"], &[wide], https.clone()), (vec![(Kind::FromHosts, 4)], 0));
        assert_eq!(check(&["0.0.0.0/0"], &[wide], https.clone()), (vec![(Kind::ToNets, 1)], 0));
        assert_eq!(check(&[wide], &["0.0.0.0/0"], https.clone()), (vec![(Kind::FromNets, 1)], 0));
        assert_eq!(check(&[wide], &["11.0.0.0/8"], https.clone()), (vec![], 1));
        assert_eq!(check(&["0.0.0.0/0"], &["0.0.0.0/0"], https), (vec![], 1));
        let ping = ServiceSet::icmp(ICMP, 8, None).v4;
        assert_eq!(check(&[wide], &["10.1.0.0/30"], ping), (vec![], 1));
    }
}
