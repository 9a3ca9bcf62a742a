//! Packets as rules of a plain firewall: lists of prefixes, a protocol, and lists of ports or one ICMP message.
//!
//! In: a set of packets. Out: products that are disjoint and together are the set. Boxes that differ in one dimension
//! only are joined, first over sources, then over destinations, then over destination ports; each step joins boxes that
//! are equal in all else, so it neither adds nor loses a packet.

use std::collections::BTreeMap;

use ipnet::IpNet;

use crate::set::{AddressRange, AddressSet, ICMP, ICMPV6, Interval, PacketBox, PacketSet, has_ports};

/// A product of sources, destinations and traffic of one family.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Entry {
    pub(super) is_v6: bool,
    pub(super) sources: Vec<AddressRange>,
    pub(super) destinations: Vec<AddressRange>,
    pub(super) traffic: Traffic,
}

/// What a rule says of protocols and ports.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Traffic {
    /// All protocols.
    All,
    /// One protocol, whatever its ports or messages.
    Protocol(u8),
    /// A protocol with ports; no ports stand for all.
    Ports { protocol: u8, sources: Vec<Interval<u16>>, destinations: Vec<Interval<u16>> },
    /// A type of ICMP or ICMPv6; no code stands for all.
    Message { protocol: u8, message: u8, code: Option<u8> },
}

/// The products that a set of packets is made of, sorted. No rule lists more than `ports_max` ports, a range counting
/// as two.
///
/// # Errors
/// If a box has ports for a protocol that has none, which would be a bug.
pub(super) fn entries(packets: &PacketSet, ports_max: usize) -> Result<Vec<Entry>, &'static str> {
    let mut found = Vec::new();
    for joined in joined_boxes(packets) {
        let is_v6 = matches!(joined.sources.first(), Some(AddressRange::V6(_)));
        for traffic in joined.traffic(is_v6, ports_max)? {
            let (sources, destinations) = (joined.sources.clone(), joined.destinations.clone());
            found.push(Entry { is_v6, sources, destinations, traffic });
        }
    }
    found.sort();
    Ok(found)
}

/// Boxes with several intervals in each dimension but the protocol and the source port.
struct Joined {
    sources: Vec<AddressRange>,
    destinations: Vec<AddressRange>,
    protocol: Interval<u8>,
    source_port: Interval<u16>,
    destination_ports: Vec<Interval<u16>>,
}

fn joined_boxes(packets: &PacketSet) -> Vec<Joined> {
    let mut over_sources: BTreeMap<_, Vec<AddressRange>> = BTreeMap::new();
    for packets in packets.boxes() {
        let key = (packets.destinations(), packets.traffic());
        over_sources.entry(key).or_default().push(PacketBox::sources(&packets));
    }
    let mut over_destinations: BTreeMap<_, Vec<AddressRange>> = BTreeMap::new();
    for ((destination, traffic), sources) in over_sources {
        // Neighbours become one range, so that one prefix can stand for both.
        let sources: AddressSet = sources.into_iter().collect();
        let sources: Vec<AddressRange> = sources.ranges().collect();
        over_destinations.entry((sources, traffic)).or_default().push(destination);
    }
    let mut over_ports: BTreeMap<_, Vec<Interval<u16>>> = BTreeMap::new();
    for ((sources, (protocol, source_port, destination_port)), destinations) in over_destinations {
        let destinations: AddressSet = destinations.into_iter().collect();
        let destinations: Vec<AddressRange> = destinations.ranges().collect();
        over_ports.entry((sources, destinations, protocol, source_port)).or_default().push(destination_port);
    }
    let joined = over_ports.into_iter().map(
        |((sources, destinations, protocol, source_port), mut destination_ports)| {
            destination_ports.sort();
            Joined { sources, destinations, protocol, source_port, destination_ports }
        },
    );
    joined.collect()
}

impl Joined {
    fn traffic(&self, is_v6: bool, ports_max: usize) -> Result<Vec<Traffic>, &'static str> {
        let all_ports =
            self.source_port.is_full() && self.destination_ports.iter().all(|ports| ports.is_full());
        if all_ports && self.protocol.is_full() {
            return Ok(vec![Traffic::All]);
        }
        if all_ports {
            let protocols = self.protocol.first()..=self.protocol.last();
            return Ok(protocols.map(Traffic::Protocol).collect());
        }
        let protocol = self.protocol.first();
        let icmp = if is_v6 { ICMPV6 } else { ICMP };
        if !self.protocol.is_single()
            || !(has_ports(protocol) || protocol == icmp && self.source_port.is_full())
        {
            return Err("a box has ports for a protocol that has none");
        }
        if protocol == icmp {
            let messages = self.destination_ports.iter().flat_map(|range| messages(*range));
            return Ok(messages
                .map(|(message, code)| Traffic::Message { protocol, message, code })
                .collect());
        }
        let ports = |ports: &[Interval<u16>]| -> Vec<Interval<u16>> {
            ports.iter().copied().filter(|range| !range.is_full()).collect()
        };
        let sources = ports(&[self.source_port]);
        let destinations = chunks(&ports(&self.destination_ports), ports_max);
        Ok(destinations
            .into_iter()
            .map(|destinations| Traffic::Ports { protocol, sources: sources.clone(), destinations })
            .collect())
    }
}

/// Types and codes of a range of messages; a type whose codes are all there has none.
fn messages(range: Interval<u16>) -> Vec<(u8, Option<u8>)> {
    let ([first_type, first_code], [last_type, last_code]) =
        (range.first().to_be_bytes(), range.last().to_be_bytes());
    let of_type = |message: u8| {
        let from = if message == first_type { first_code } else { 0 };
        let to = if message == last_type { last_code } else { u8::MAX };
        match (from, to) {
            (0, u8::MAX) => vec![(message, None)],
            (from, to) => (from..=to).map(|code| (message, Some(code))).collect(),
        }
    };
    (first_type..=last_type).flat_map(of_type).collect()
}

/// Lists of ports that count to at most `max`, with at least one each. No ports stay one list of none.
fn chunks(ports: &[Interval<u16>], max: usize) -> Vec<Vec<Interval<u16>>> {
    let mut lists: Vec<Vec<Interval<u16>>> = vec![Vec::new()];
    let mut count = 0;
    for range in ports {
        let cost = if range.is_single() { 1 } else { 2 };
        if count + cost > max && count > 0 {
            lists.push(Vec::new());
            count = 0;
        }
        count += cost;
        if let Some(list) = lists.last_mut() {
            list.push(*range);
        }
    }
    lists
}

/// The prefixes that together are exactly these addresses.
pub(super) fn prefixes(ranges: &[AddressRange]) -> impl Iterator<Item = IpNet> + '_ {
    ranges.iter().flat_map(|range| range.prefixes())
}

/// True for all addresses of a family.
pub(super) fn are_all(ranges: &[AddressRange]) -> bool {
    ranges.iter().any(|range| match range {
        AddressRange::V4(interval) => interval.is_full(),
        AddressRange::V6(interval) => interval.is_full(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::set::{IntervalSet, ServiceSet, Set, union_all};

    fn addresses(text: &str) -> AddressSet {
        let ranges = text.split(' ').map(|part| {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            AddressRange::new(first.parse().unwrap(), last.parse().unwrap()).unwrap()
        });
        ranges.collect()
    }

    fn ports(ranges: &[(u16, u16)]) -> IntervalSet<u16> {
        ranges.iter().map(|(first, last)| Interval::spanning(*first, *last)).collect()
    }

    /// The set that an entry stands for.
    fn meaning(entry: &Entry) -> PacketSet {
        let set = |ranges: &[AddressRange]| ranges.iter().copied().collect::<AddressSet>();
        let or_all = |list: &[Interval<u16>]| -> IntervalSet<u16> {
            if list.is_empty() { IntervalSet::full() } else { list.iter().copied().collect() }
        };
        let services = match &entry.traffic {
            Traffic::All => ServiceSet::full(),
            Traffic::Protocol(protocol) => {
                let all = ServiceSet::full();
                let one = |traffic: &crate::set::Traffic| {
                    let ports = traffic.get(*protocol).cloned().unwrap_or_else(Set::empty);
                    crate::set::Traffic::from_interval(Interval::single(*protocol), ports)
                };
                ServiceSet { v4: one(&all.v4), v6: one(&all.v6) }
            }
            Traffic::Ports { protocol, sources, destinations } => {
                ServiceSet::ports(*protocol, &or_all(sources), &or_all(destinations))
            }
            Traffic::Message { protocol, message, code } => ServiceSet::icmp(*protocol, *message, *code),
        };
        PacketSet::product(&set(&entry.sources), &set(&entry.destinations), &services)
    }

    /// Asserts that the entries are disjoint and together are the set; gives their number.
    #[track_caller]
    fn check(packets: &PacketSet) -> usize {
        let entries = entries(packets, 15).unwrap();
        let sets: Vec<PacketSet> = entries.iter().map(meaning).collect();
        for (place, one) in sets.iter().enumerate() {
            assert!(sets.iter().take(place).all(|other| one.is_disjoint(other)), "{:?}", entries[place]);
        }
        assert_eq!(union_all(sets), *packets);
        entries.len()
    }

    #[test]
    fn entries_are_disjoint_and_together_the_set() {
        let from = addresses("10.0.0.1 10.0.0.9-10.0.0.20 2001:db8::1");
        let to = addresses("10.1.0.1 10.1.0.3 10.2.0.0-10.2.0.255 2001:db8:1::5");
        let web = ServiceSet::ports(6, &IntervalSet::full(), &ports(&[(80, 80), (443, 443), (8000, 8100)]));
        let product = PacketSet::product(&from, &to, &web);
        assert_eq!(check(&product), 2, "one a family");
        let ping = ServiceSet::icmp(1, 8, None).union(&ServiceSet::icmp(1, 3, Some(4)));
        assert_eq!(check(&PacketSet::product(&from, &to, &ping)), 2);
        let hole = PacketSet::product(&addresses("10.0.0.9-10.0.0.12"), &addresses("10.2.0.7"), &web);
        assert_eq!(check(&product.difference(&hole)), 4);
        let trap = ServiceSet::ports(17, &ports(&[(162, 162)]), &ports(&[(1024, 65535)]));
        assert_eq!(check(&PacketSet::product(&from, &to, &trap)), 2);
        assert_eq!(check(&PacketSet::product(&from, &to, &ServiceSet::full())), 2);
        let odd = ServiceSet::full().difference(&web).difference(&ping);
        check(&PacketSet::product(&from, &to, &odd));
        assert_eq!(check(&PacketSet::empty()), 0);
    }

    #[test]
    fn ports_are_split_where_a_rule_may_not_list_more() {
        let many: Vec<(u16, u16)> = (0..40).map(|n| (n * 10, n * 10 + n % 2)).collect();
        let services = ServiceSet::ports(6, &IntervalSet::full(), &ports(&many));
        let packets = PacketSet::product(&addresses("10.0.0.1"), &addresses("10.0.0.2"), &services);
        assert_eq!(check(&packets), 4);
    }
}
