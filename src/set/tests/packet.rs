//! Sets of packets against loops over the ranges they were built from.

use std::net::IpAddr;

use proptest::prelude::*;

use super::super::{Interval, Packet, PacketBox, PacketSet, Set, union_all};
use super::naive::{self, Probe, Product, any_holds, cells, edges};
use super::{Canonical, config, laws};

fn union(products: &[Product]) -> PacketSet {
    union_all(products.iter().map(Product::build))
}

fn probe_of(packet: &Packet) -> Probe {
    let bits = |address: IpAddr| match address {
        IpAddr::V4(address) => u128::from(address.to_bits()),
        IpAddr::V6(address) => address.to_bits(),
    };
    assert_eq!(packet.source.is_ipv6(), packet.destination.is_ipv6(), "one family");
    Probe {
        v6: packet.source.is_ipv6(),
        source: bits(packet.source),
        destination: bits(packet.destination),
        protocol: packet.protocol,
        source_port: packet.source_port,
        destination_port: packet.destination_port,
    }
}

/// A box as numbers: the family, then first and last in each dimension.
type Corners = (bool, [(u128, u128); 5]);

fn corners(packets: &PacketBox) -> Corners {
    fn ends<T: Into<u128> + super::Point>(interval: Interval<T>) -> (u128, u128) {
        (interval.first().into(), interval.last().into())
    }
    match packets {
        PacketBox::V4(b) => {
            let ports = [ends(b.source_port), ends(b.destination_port)];
            (false, [ends(b.source), ends(b.destination), ends(b.protocol), ports[0], ports[1]])
        }
        PacketBox::V6(b) => {
            let ports = [ends(b.source_port), ends(b.destination_port)];
            (true, [ends(b.source), ends(b.destination), ends(b.protocol), ports[0], ports[1]])
        }
    }
}

fn coordinates(probe: &Probe) -> (bool, [u128; 5]) {
    let ports = [probe.source_port, probe.destination_port].map(u128::from);
    (probe.v6, [probe.source, probe.destination, probe.protocol.into(), ports[0], ports[1]])
}

fn box_holds((v6, ranges): &Corners, probe: &Probe) -> bool {
    let (family, point) = coordinates(probe);
    *v6 == family && ranges.iter().zip(point).all(|((first, last), value)| *first <= value && value <= *last)
}

/// Panics unless `set` holds exactly those of the probes that `expected` does, in itself, in its boxes and its sample.
fn check(set: &PacketSet, probes: &[Probe], expected: impl Fn(&Probe) -> bool) {
    set.assert_canonical();
    for probe in probes {
        assert_eq!(set.contains(&probe.packet()), expected(probe), "{probe:?}");
    }
    let boxes = set.boxes();
    check_boxes(&boxes);
    let boxes: Vec<Corners> = boxes.iter().map(corners).collect();
    for probe in probes {
        let holders = boxes.iter().filter(|corners| box_holds(corners, probe)).count();
        assert_eq!(holders, usize::from(expected(probe)), "boxes with {probe:?}");
    }
    for packets in set.boxes() {
        let sample = probe_of(&packets.sample());
        assert!(expected(&sample) && box_holds(&corners(&packets), &sample), "{packets:?} has no {sample:?}");
    }
    assert_eq!(set.sample(), set.boxes().first().map(PacketBox::sample));
    assert_eq!(set.is_empty(), !probes.iter().any(&expected), "probes show whether there is a member");
}

/// Panics unless the boxes are non-empty, pairwise disjoint and in ascending order, and their parts are their fields.
fn check_boxes(boxes: &[PacketBox]) {
    let all: Vec<Corners> = boxes.iter().map(corners).collect();
    assert!(all.is_sorted_by(|one, other| one < other) && boxes.is_sorted(), "ascending: {boxes:?}");
    for (index, (v6, ranges)) in all.iter().enumerate() {
        assert!(ranges.iter().all(|(first, last)| first <= last), "non-empty: {ranges:?}");
        for (other_family, others) in &all[index + 1..] {
            let overlap = |((first, last), (least, most)): (&(u128, u128), &(u128, u128))| {
                first <= most && least <= last
            };
            assert!(
                v6 != other_family || !ranges.iter().zip(others).all(overlap),
                "{ranges:?} meets {others:?}"
            );
        }
    }
    for (packets, (v6, ranges)) in boxes.iter().zip(&all) {
        let (protocol, source_port, destination_port) = packets.traffic();
        let ends = |i: Interval<u16>| (u128::from(i.first()), u128::from(i.last()));
        let protocol = (u128::from(protocol.first()), u128::from(protocol.last()));
        assert_eq!([protocol, ends(source_port), ends(destination_port)], ranges[2..]);
        for (addresses, (first, last)) in [packets.sources(), packets.destinations()].iter().zip(ranges) {
            let expected = (naive::address(*v6, *first), naive::address(*v6, *last));
            assert_eq!((addresses.first(), addresses.last()), expected);
        }
    }
}

/// Packets beside each edge of each coordinate, seen from both ends of some boxes of the set, at most twelve of them.
fn probes_around(set: &PacketSet, products: &[Product]) -> Vec<Probe> {
    let boxes = set.boxes();
    let spread = boxes.iter().step_by(boxes.len().div_ceil(12).max(1)).map(corners);
    spread.flat_map(|corners| ends_of(&corners)).flat_map(|end| edges(products, &end)).collect()
}

/// The packets at the lowest and the highest corner of a box.
fn ends_of((v6, [source, destination, protocol, source_port, destination_port]): &Corners) -> [Probe; 2] {
    let end = |side: fn(&(u128, u128)) -> u128| Probe {
        v6: *v6,
        source: side(source),
        destination: side(destination),
        protocol: side(protocol).try_into().expect("a byte"),
        source_port: side(source_port).try_into().expect("a port"),
        destination_port: side(destination_port).try_into().expect("a port"),
    };
    [end(|(first, _)| *first), end(|(_, last)| *last)]
}

proptest! {
    #![proptest_config(config(60))]

    #[test]
    fn packets_match_the_naive_evaluator((added, removed) in naive::two_lists(2)) {
        let (left, right) = (union(&added), union(&removed));
        let all = [added.clone(), removed.clone()].concat();
        let mut probes = cells(&all);
        probes.extend(probes_around(&left, &all));
        probes.extend(probes_around(&right, &all));
        probes.extend(probes_around(&left.difference(&right), &all));
        let in_left = |probe: &Probe| any_holds(&added, probe);
        let in_right = |probe: &Probe| any_holds(&removed, probe);
        check(&left, &probes, in_left);
        check(&left.difference(&right), &probes, |probe| in_left(probe) && !in_right(probe));
        check(&left.intersection(&right), &probes, |probe| in_left(probe) && in_right(probe));

        prop_assert_eq!(left.is_subset(&right), probes.iter().all(|p| !in_left(p) || in_right(p)));
        prop_assert_eq!(left.is_disjoint(&right), probes.iter().all(|p| !in_left(p) || !in_right(p)));
        prop_assert_eq!(left == right, probes.iter().all(|p| in_left(p) == in_right(p)));
    }

    #[test]
    fn unions_of_packets_match_the_naive_evaluator(products in naive::products(4)) {
        let set = union(&products);
        let probes = cells(&products);
        check(&set, &probes, |probe| any_holds(&products, probe));
        let rest = PacketSet::full().difference(&set);
        rest.assert_canonical();
        for probe in &probes {
            prop_assert_eq!(rest.contains(&probe.packet()), !any_holds(&products, probe));
        }
    }
}

proptest! {
    #![proptest_config(config(60))]

    #[test]
    fn packets_obey_the_laws(a in naive::products(2), b in naive::products(2), c in naive::products(2)) {
        laws::check(&union(&a), &union(&b), &union(&c));
    }

    #[test]
    fn equal_packets_are_equal_sets(products in naive::products(3)) {
        let set = union(&products);
        let mut pieces = Vec::new();
        for product in products.iter().rev() {
            for source in &product.sources {
                for destination in product.destinations.iter().rev() {
                    pieces.extend(product.services.iter().map(|service| Product {
                        sources: vec![*source],
                        destinations: vec![*destination],
                        services: vec![service.clone()],
                    }));
                }
            }
        }
        prop_assert_eq!(union(&pieces), set);
    }
}

#[test]
fn boxes_of_everything_are_one_per_family() {
    let full = PacketSet::full();
    check(&full, &cells(&[]), |_| true);
    let all = [(0, u8::MAX.into()), (0, u16::MAX.into()), (0, u16::MAX.into())];
    let expected = |v6, max| (v6, [(0, max), (0, max), all[0], all[1], all[2]]);
    let found: Vec<Corners> = full.boxes().iter().map(corners).collect();
    assert_eq!(found, [expected(false, u32::MAX.into()), expected(true, u128::MAX)]);
}

#[test]
fn addresses_of_two_families_are_no_packet() {
    let four = naive::address(false, 0x0a00_0001);
    let six = naive::address(true, 0x0a00_0001);
    let packet = Packet { source: four, destination: six, protocol: 6, source_port: 1, destination_port: 2 };
    assert!(!PacketSet::full().contains(&packet));
    assert!(!PacketSet::full().contains(&Packet { source: six, destination: four, ..packet }));
}
