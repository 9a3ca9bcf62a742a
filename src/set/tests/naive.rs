//! Packets, ranges and products as plain numbers, and membership by loops over them: no set code.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::super::{AddressRange, AddressSet, Interval, IntervalSet, Packet, PacketSet, ServiceSet, Set};

/// Addresses of one family from `first` to `last`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Addresses {
    pub(super) v6: bool,
    pub(super) first: u128,
    pub(super) last: u128,
}

/// Ports from first to last.
pub(super) type PortRange = (u16, u16);

/// A service, as the constructors of `ServiceSet` take it.
#[derive(Clone, Debug)]
pub(super) enum Service {
    Any,
    Protocol(u8),
    Ports { protocol: u8, source: Vec<PortRange>, destination: Vec<PortRange> },
    Icmp { protocol: u8, message_type: u8, code: Option<u8> },
}

/// Any of the sources to any of the destinations over any of the services.
#[derive(Clone, Debug)]
pub(super) struct Product {
    pub(super) sources: Vec<Addresses>,
    pub(super) destinations: Vec<Addresses>,
    pub(super) services: Vec<Service>,
}

/// A packet as plain numbers.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Probe {
    pub(super) v6: bool,
    pub(super) source: u128,
    pub(super) destination: u128,
    pub(super) protocol: u8,
    pub(super) source_port: u16,
    pub(super) destination_port: u16,
}

impl Probe {
    pub(super) fn packet(&self) -> Packet {
        Packet {
            source: address(self.v6, self.source),
            destination: address(self.v6, self.destination),
            protocol: self.protocol,
            source_port: self.source_port,
            destination_port: self.destination_port,
        }
    }
}

impl Addresses {
    fn hold(&self, v6: bool, address: u128) -> bool {
        self.v6 == v6 && self.first <= address && address <= self.last
    }
}

impl Service {
    fn holds(&self, probe: &Probe) -> bool {
        let exists = |protocol: u8| probe.protocol == protocol && protocol != if probe.v6 { 1 } else { 58 };
        let within =
            |ranges: &[PortRange], port| ranges.iter().any(|(first, last)| *first <= port && port <= *last);
        match self {
            Service::Any => true,
            Service::Protocol(protocol) => exists(*protocol),
            Service::Ports { protocol, source, destination } => {
                exists(*protocol)
                    && within(source, probe.source_port)
                    && within(destination, probe.destination_port)
            }
            Service::Icmp { protocol, message_type, code } => {
                exists(*protocol)
                    && probe.destination_port / 256 == u16::from(*message_type)
                    && code.is_none_or(|code| probe.destination_port % 256 == u16::from(code))
            }
        }
    }

    /// The ranges of source ports and of destination ports in which the service is constant.
    fn port_edges(&self) -> (Vec<PortRange>, Vec<PortRange>) {
        match self {
            Service::Any | Service::Protocol(_) => (Vec::new(), Vec::new()),
            Service::Ports { source, destination, .. } => (source.clone(), destination.clone()),
            Service::Icmp { message_type, code, .. } => {
                let start = u16::from(*message_type) * 256;
                let range = code
                    .map_or((start, start + 255), |code| (start + u16::from(code), start + u16::from(code)));
                (Vec::new(), vec![range])
            }
        }
    }

    fn build(&self) -> ServiceSet {
        match self {
            Service::Any => ServiceSet::full(),
            Service::Protocol(protocol) => ServiceSet::protocol(*protocol),
            Service::Ports { protocol, source, destination } => {
                ServiceSet::ports(*protocol, &port_set(source), &port_set(destination))
            }
            Service::Icmp { protocol, message_type, code } => {
                ServiceSet::icmp(*protocol, *message_type, *code)
            }
        }
    }
}

impl Product {
    /// True if the packet is in the product.
    pub(super) fn holds(&self, probe: &Probe) -> bool {
        self.sources.iter().any(|addresses| addresses.hold(probe.v6, probe.source))
            && self.destinations.iter().any(|addresses| addresses.hold(probe.v6, probe.destination))
            && self.services.iter().any(|service| service.holds(probe))
    }

    /// The same product as a set, by the code under test.
    pub(super) fn build(&self) -> PacketSet {
        let services = self.services.iter().fold(ServiceSet::empty(), |all, one| all.union(&one.build()));
        PacketSet::product(&address_set(&self.sources), &address_set(&self.destinations), &services)
    }
}

/// True if one of the products holds the packet.
pub(super) fn any_holds(products: &[Product], probe: &Probe) -> bool {
    products.iter().any(|product| product.holds(probe))
}

pub(super) fn address(v6: bool, bits: u128) -> IpAddr {
    if v6 {
        Ipv6Addr::from_bits(bits).into()
    } else {
        Ipv4Addr::from_bits(bits.try_into().expect("an IPv4 address has 32 bits")).into()
    }
}

pub(super) fn address_set(ranges: &[Addresses]) -> AddressSet {
    let range = |r: &Addresses| AddressRange::new(address(r.v6, r.first), address(r.v6, r.last));
    ranges.iter().map(|r| range(r).expect("ranges are drawn in order")).collect()
}

pub(super) fn port_set(ranges: &[PortRange]) -> IntervalSet<u16> {
    ranges
        .iter()
        .map(|(first, last)| Interval::new(*first, *last).expect("ranges are drawn in order"))
        .collect()
}

const V4_EDGES: [u128; 7] = [0, 1, 0x0a00_0000, 0x0a00_00ff, 0x0a00_0100, 0xffff_fffe, 0xffff_ffff];
const V6_EDGES: [u128; 7] = [0, 1, 0xfffe_ffff_ffff, 0xffff_0000_0000, 1 << 127, u128::MAX - 1, u128::MAX];
const PORT_EDGES: [u16; 8] = [0, 1, 443, 514, 2048, 49152, u16::MAX - 1, u16::MAX];

fn addresses(v6: bool) -> impl Strategy<Value = Addresses> {
    let edge = move || select(if v6 { V6_EDGES } else { V4_EDGES }.to_vec());
    (edge(), edge()).prop_map(move |(one, other)| Addresses {
        v6,
        first: one.min(other),
        last: one.max(other),
    })
}

fn addresses_of_both() -> impl Strategy<Value = Addresses> {
    any::<bool>().prop_flat_map(addresses)
}

fn port_ranges() -> impl Strategy<Value = Vec<PortRange>> {
    let edge = || select(PORT_EDGES.to_vec());
    let range = (edge(), edge()).prop_map(|(one, other)| (one.min(other), one.max(other)));
    prop_oneof![4 => Just(vec![(0, u16::MAX)]), 7 => vec(range, 1..3), 1 => Just(Vec::new())]
}

fn service() -> impl Strategy<Value = Service> {
    let protocol = || select(vec![6_u8, 6, 6, 6, 17, 17, 1, 58, 47, 0, 7, 255]);
    let icmp = (select(vec![1_u8, 58]), select(vec![0_u8, 8, 255]), select(vec![None, Some(0), Some(255)]));
    prop_oneof![
        1 => Just(Service::Any),
        1 => protocol().prop_map(Service::Protocol),
        4 => (protocol(), port_ranges(), port_ranges())
            .prop_map(|(protocol, source, destination)| Service::Ports { protocol, source, destination }),
        1 => icmp.prop_map(|(protocol, message_type, code)| Service::Icmp { protocol, message_type, code }),
    ]
}

/// Mostly one to three of these, and now and then none.
fn some<T: Clone + std::fmt::Debug>(of: impl Strategy<Value = T>) -> impl Strategy<Value = Vec<T>> {
    prop_oneof![12 => vec(of, 1..4), 1 => Just(Vec::new())]
}

fn product() -> impl Strategy<Value = Product> {
    let peers = prop_oneof![
        (some(addresses(false)), some(addresses(false))),
        (some(addresses(true)), some(addresses(true))),
        (some(addresses_of_both()), some(addresses_of_both())),
    ];
    (peers, some(service())).prop_map(|((sources, destinations), services)| Product {
        sources,
        destinations,
        services,
    })
}

/// Up to `most` products over few coordinates, most of them at the edges of their types.
pub(super) fn products(most: usize) -> impl Strategy<Value = Vec<Product>> {
    vec(product(), 1..=most)
}

/// Two lists of products. The second has often a product of the first in it, as it is or with one side exchanged, so
/// that the two overlap.
pub(super) fn two_lists(most: usize) -> impl Strategy<Value = (Vec<Product>, Vec<Product>)> {
    (products(most), products(most), 0..6).prop_map(|(one, mut other, kinship)| {
        for (theirs, ours) in other.iter_mut().zip(&one) {
            let Product { sources, destinations, services } = ours.clone();
            *theirs = match kinship {
                0 => Product { sources, destinations, services },
                1 | 2 => Product { sources, destinations, ..theirs.clone() },
                3 => Product { sources, services, ..theirs.clone() },
                4 => Product { destinations, services, ..theirs.clone() },
                _ => break,
            };
        }
        (one, other)
    })
}

/// The starts of the stretches that the ranges cut the numbers up to `max` into.
fn starts(ranges: impl Iterator<Item = (u128, u128)>, max: u128) -> Vec<u128> {
    let cuts = ranges.flat_map(|(first, last)| [Some(first), last.checked_add(1)]).flatten();
    let cuts: BTreeSet<u128> = cuts.chain([0]).filter(|cut| *cut <= max).collect();
    cuts.into_iter().collect()
}

fn narrow<T: TryFrom<u128>>(values: Vec<u128>) -> Vec<T> {
    values.into_iter().filter_map(|value| T::try_from(value).ok()).collect()
}

/// The coordinates of one family at which the products change their verdict, each dimension apart.
struct Grid {
    v6: bool,
    addresses: [Vec<u128>; 2],
    protocols: Vec<u8>,
    ports: [Vec<u16>; 2],
}

impl Grid {
    fn new(products: &[Product], v6: bool) -> Self {
        let max = if v6 { u128::MAX } else { u32::MAX.into() };
        let of = |side: fn(&Product) -> &Vec<Addresses>| {
            let ranges = products.iter().flat_map(side).filter(|r| r.v6 == v6);
            starts(ranges.map(|r| (r.first, r.last)), max)
        };
        let ports = |side: fn(&Service) -> Vec<PortRange>| {
            let ranges = products.iter().flat_map(|product| &product.services).flat_map(side);
            narrow(starts(ranges.map(|(first, last)| (first.into(), last.into())), u16::MAX.into()))
        };
        let protocols = [1_u128, 6, 17, 47, 58, 255].map(|protocol| (protocol, protocol));
        Grid {
            v6,
            addresses: [of(|product| &product.sources), of(|product| &product.destinations)],
            protocols: narrow(starts(protocols.into_iter(), u8::MAX.into())),
            ports: [ports(|service| service.port_edges().0), ports(|service| service.port_edges().1)],
        }
    }

    fn probes(&self) -> Vec<Probe> {
        let [sources, destinations] = &self.addresses;
        let [source_ports, destination_ports] = &self.ports;
        let mut probes = Vec::new();
        for source in sources {
            for destination in destinations {
                for protocol in &self.protocols {
                    for source_port in source_ports {
                        probes.extend(destination_ports.iter().map(|destination_port| Probe {
                            v6: self.v6,
                            source: *source,
                            destination: *destination,
                            protocol: *protocol,
                            source_port: *source_port,
                            destination_port: *destination_port,
                        }));
                    }
                }
            }
        }
        probes
    }
}

/// One packet from each cell of the grid that the products cut both families into. Within a cell no product changes
/// its verdict, so two sets built from the products alone are equal if they agree on these packets.
pub(super) fn cells(products: &[Product]) -> Vec<Probe> {
    [false, true].iter().flat_map(|v6| Grid::new(products, *v6).probes()).collect()
}

/// The packet and those that differ from it in one coordinate: at each edge of that dimension, one below, one above.
pub(super) fn edges(products: &[Product], base: &Probe) -> Vec<Probe> {
    let grid = Grid::new(products, base.v6);
    let max = if base.v6 { u128::MAX } else { u32::MAX.into() };
    let around = |values: Vec<u128>, max: u128| -> Vec<u128> {
        let near = values.into_iter().flat_map(|v| [v.checked_sub(1), Some(v), v.checked_add(1)]).flatten();
        near.chain([0, 1, max - 1, max]).filter(|v| *v <= max).collect()
    };
    let wide = |ports: &[u16]| ports.iter().map(|port| u128::from(*port)).collect();
    let [sources, destinations] = grid.addresses.map(|values| around(values, max));
    let [source_ports, destination_ports] = grid.ports.map(|ports| around(wide(&ports), u16::MAX.into()));

    let mut probes: Vec<Probe> = Vec::new();
    probes.extend(sources.into_iter().map(|source| Probe { source, ..*base }));
    probes.extend(destinations.into_iter().map(|destination| Probe { destination, ..*base }));
    probes.extend((0..=u8::MAX).map(|protocol| Probe { protocol, ..*base }));
    let ports = narrow(source_ports).into_iter();
    probes.extend(ports.map(|source_port| Probe { source_port, ..*base }));
    let ports = narrow(destination_ports).into_iter();
    probes.extend(ports.map(|destination_port| Probe { destination_port, ..*base }));
    probes
}
