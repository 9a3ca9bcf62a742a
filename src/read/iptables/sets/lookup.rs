//! What packets a lookup in a set holds for.
//!
//! A lookup with fewer directions than an element has parts holds for nothing, one with more leaves out the last
//! (`ip_set_test`, net/netfilter/ipset/ip_set_core.c). A list of sets holds what one of them holds. A packet without
//! ports, a later fragment among them, is in no set with ports (`ip_set_get_ip4_port`,
//! net/netfilter/ipset/ip_set_getport.c).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::super::super::model::{Family, PacketBox, overlap};
use super::super::draft::Lookup;
use super::super::names::{ICMP, ICMPV6, SCTP, TCP, UDP, UDPLITE};
use super::element::{Element, Ports};
use super::kind::Part;
use super::{Set, Sets, of_other_family};

/// What a lookup holds for, negation left aside.
#[derive(Clone, Debug)]
pub(in super::super) enum Found {
    /// Packets in boxes.
    Boxes {
        /// For a packet that shows its ports.
        whole: Arc<[PacketBox]>,
        /// For a later fragment.
        fragment: Arc<[PacketBox]>,
    },
    /// It is not known: the set changes by itself.
    Unknown,
    /// The set has mistakes, which are reported there.
    Broken,
}

/// Lookups, each worked out once.
#[derive(Debug)]
pub(in super::super) struct Lookups<'s> {
    sets: &'s Sets,
    family: Family,
    /// Sets that rules change.
    changing: BTreeSet<String>,
    known: BTreeMap<(String, Vec<bool>), Found>,
}

impl<'s> Lookups<'s> {
    /// Lookups for packets of a family, while rules change some sets.
    pub(in super::super) fn new(sets: &'s Sets, family: Family, changing: BTreeSet<String>) -> Self {
        Lookups { sets, family, changing, known: BTreeMap::new() }
    }

    /// What a lookup holds for.
    ///
    /// # Errors
    /// There is no such set, or none that can be looked into.
    pub(in super::super) fn find(&mut self, lookup: &Lookup) -> Result<Found, String> {
        let key = (lookup.set.clone(), lookup.from_source.clone());
        if let Some(known) = self.known.get(&key) {
            return Ok(known.clone());
        }
        let found = self.work_out(&lookup.set, &lookup.from_source)?;
        self.known.insert(key, found.clone());
        Ok(found)
    }

    fn work_out(&self, name: &str, from_source: &[bool]) -> Result<Found, String> {
        let set = self.sets.by_name.get(name).ok_or_else(|| format!("there is no set `{name}`"))?;
        let no_family = set.shape.kind.is_of_no_family();
        if !set.is_broken && !no_family && set.shape.family != self.family {
            return Err(of_other_family(name, set.shape.family));
        }
        let members: Vec<&Set> = if set.shape.kind.is_list() {
            set.members.iter().filter_map(|member| self.sets.by_name.get(member)).collect()
        } else {
            vec![set]
        };
        if set.is_broken || members.iter().any(|member| member.is_broken) {
            return Ok(Found::Broken);
        }
        let names = std::iter::once(name).chain(set.members.iter().map(String::as_str));
        if names.into_iter().any(|name| self.changing.contains(name))
            || set.expires
            || members.iter().any(|member| member.expires)
        {
            return Ok(Found::Unknown);
        }
        let of_family =
            |member: &&&Set| member.shape.kind.is_of_no_family() || member.shape.family == self.family;
        let members: Vec<&&Set> = members.iter().filter(of_family).collect();
        let boxes = |fragment: bool| -> Arc<[PacketBox]> {
            let members = members.iter().filter(|member| !(fragment && member.shape.kind.has_ports()));
            members.flat_map(|member| boxes(member, self.family, from_source)).collect()
        };
        let whole = boxes(false);
        let has_ports = members.iter().any(|member| member.shape.kind.has_ports());
        let fragment = if has_ports { boxes(true) } else { Arc::clone(&whole) };
        Ok(Found::Boxes { whole, fragment })
    }
}

fn boxes(set: &Set, family: Family, from_source: &[bool]) -> Vec<PacketBox> {
    let parts = set.shape.kind.parts;
    let Some(from_source) = from_source.get(..parts.len()) else { return Vec::new() };
    let mut found = Vec::with_capacity(set.elements.len());
    for (element, _) in &set.elements {
        packets(element, parts, family, from_source, &mut found);
    }
    found
}

/// Adds the packets that an element holds.
fn packets(
    element: &Element,
    parts: &[Part],
    family: Family,
    from_source: &[bool],
    found: &mut Vec<PacketBox>,
) {
    let mut within = PacketBox::all(family);
    let mut addresses = element.addresses.iter();
    let mut port_boxes = None;
    for (part, is_source) in parts.iter().zip(from_source) {
        if matches!(part, Part::Ports | Part::BarePorts) {
            port_boxes = element.ports.map(|ports| of_ports(ports, family, *is_source));
            continue;
        }
        let Some(range) = addresses.next() else { continue };
        let slot = if *is_source { &mut within.source } else { &mut within.destination };
        match overlap(*slot, *range) {
            Some(both) => *slot = both,
            None => return,
        }
    }
    match port_boxes {
        None => found.push(within),
        Some(boxes) => found.extend(boxes.iter().filter_map(|ports| within.intersection(ports))),
    }
}

/// The packets with some ports, from them or to them.
fn of_ports(ports: Ports, family: Family, is_source: bool) -> Vec<PacketBox> {
    let of = |protocol: u8| {
        let all = PacketBox { protocol: (protocol, protocol), ..PacketBox::all(family) };
        let exactly = |number: u8| (u16::from(number), u16::from(number));
        match protocol {
            // A message has neither source nor destination port; type and code stand for both.
            ICMP | ICMPV6 => {
                let [kind, code] = ports.range.0.to_be_bytes();
                PacketBox { source_port: exactly(kind), destination_port: exactly(code), ..all }
            }
            TCP | UDP | SCTP | UDPLITE if is_source => PacketBox { source_port: ports.range, ..all },
            TCP | UDP | SCTP | UDPLITE => PacketBox { destination_port: ports.range, ..all },
            // Sets know no ports of others, DCCP among them.
            _ => all,
        }
    };
    match ports.protocol {
        Some(protocol) => vec![of(protocol)],
        None => vec![of(TCP), of(UDP)],
    }
}
