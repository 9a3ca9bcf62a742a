//! Mistakes that would open a network, each kept as a test named after what must not happen.

use std::net::IpAddr;

use super::super::{
    AddressSet, ICMP, ICMPV6, Interval, IntervalMap, IntervalSet, Packet, PacketSet, Ports, ServiceSet, Set,
    Traffic, union_all,
};
use super::Canonical;

fn addresses(nets: &[&str]) -> AddressSet {
    union_all(nets.iter().map(|net| AddressSet::from(net.parse::<ipnet::IpNet>().expect("a prefix"))))
}

fn port(number: u16) -> IntervalSet<u16> {
    IntervalSet::from_interval(Interval::single(number), true)
}

fn to_port(protocol: u8, number: u16) -> ServiceSet {
    ServiceSet::ports(protocol, &IntervalSet::full(), &port(number))
}

fn packet(source: &str, destination: &str, protocol: u8, destination_port: u16) -> Packet {
    let address = |text: &str| text.parse::<IpAddr>().expect("an address");
    Packet {
        source: address(source),
        destination: address(destination),
        protocol,
        source_port: 49152,
        destination_port,
    }
}

/// Panics unless the product of these is empty, in structure and in what it says of itself.
fn check_empty(sources: &AddressSet, destinations: &AddressSet, services: &ServiceSet) {
    let product = PacketSet::product(sources, destinations, services);
    product.assert_canonical();
    assert_eq!(product, PacketSet::empty());
    assert!(product.is_empty() && product.boxes().is_empty() && product.sample().is_none());
    assert!(!product.contains(&packet("10.0.0.1", "10.0.0.2", 6, 443)));
    assert!(!product.contains(&packet("2001:db8::1", "2001:db8::2", 6, 443)));
    assert_eq!(PacketSet::full().difference(&product), PacketSet::full(), "nothing takes nothing away");
}

#[test]
fn an_empty_operand_is_never_everything() {
    let (none, all) = (AddressSet::empty(), AddressSet::full());
    check_empty(&none, &all, &ServiceSet::full());
    check_empty(&all, &none, &ServiceSet::full());
    check_empty(&all, &all, &ServiceSet::empty());
    check_empty(&none, &none, &ServiceSet::empty());
}

#[test]
fn empty_ports_are_never_all_ports() {
    let (none, all) = (IntervalSet::empty(), IntervalSet::full());
    for services in [ServiceSet::ports(6, &none, &all), ServiceSet::ports(6, &all, &none)] {
        assert_eq!(services, ServiceSet::empty());
        check_empty(&AddressSet::full(), &AddressSet::full(), &services);
    }
}

#[test]
fn a_difference_that_leaves_nothing_is_never_everything() {
    let net = addresses(&["10.1.0.0/16", "2001:db8::/32"]);
    let wider = addresses(&["10.0.0.0/8", "2001::/16"]);
    check_empty(&net.difference(&wider), &AddressSet::full(), &ServiceSet::full());
    check_empty(&AddressSet::full(), &net.difference(&net), &ServiceSet::full());
    let left = to_port(6, 443).difference(&ServiceSet::protocol(6));
    check_empty(&AddressSet::full(), &AddressSet::full(), &left);
    assert_eq!(PacketSet::full().difference(&PacketSet::full()), PacketSet::empty());
}

#[test]
fn one_family_never_fills_the_other() {
    let (four, six) = (addresses(&["10.0.0.0/8"]), addresses(&["2001:db8::/32"]));
    check_empty(&four, &six, &ServiceSet::full());
    check_empty(&six, &four, &ServiceSet::full());

    let both = four.union(&six);
    let product = PacketSet::product(&both, &four, &ServiceSet::full());
    assert!(product.v6.is_empty() && !product.v4.is_empty());
    assert!(product.contains(&packet("10.0.0.1", "10.9.9.9", 6, 443)));
    assert!(!product.contains(&packet("2001:db8::1", "2001:db8::2", 6, 443)));
    assert_eq!(product.boxes().len(), 1);
}

#[test]
fn an_empty_family_stays_empty_through_every_operation() {
    let four = addresses(&["10.0.0.0/8"]);
    for set in
        [four.union(&four), four.intersection(&AddressSet::full()), four.difference(&AddressSet::empty())]
    {
        assert!(set.v6.is_empty() && set == four);
    }
    assert!(!four.is_empty(), "a set with members in one family is not empty");
    assert!(!addresses(&["2001:db8::/32"]).is_empty());
    assert_eq!(AddressSet::from_iter([]), AddressSet::empty());
}

#[test]
fn empty_unions_and_maps_are_empty() {
    assert_eq!(union_all::<PacketSet>([]), PacketSet::empty());
    assert_eq!(union_all([PacketSet::empty(), PacketSet::empty()]), PacketSet::empty());
    let nothing = IntervalMap::from_interval(Interval::<u8>::FULL, Ports::empty());
    assert!(nothing.is_empty() && nothing.entries().is_empty());
    assert_eq!(Traffic::product(&IntervalSet::full(), &Ports::empty()), Traffic::empty());
    assert_eq!(Traffic::product(&IntervalSet::empty(), &Ports::full()), Traffic::empty());
}

#[test]
fn icmp_is_in_ipv4_only_and_icmpv6_in_ipv6_only() {
    let full = IntervalSet::full();
    let of_icmp =
        [ServiceSet::protocol(ICMP), ServiceSet::icmp(ICMP, 8, None), ServiceSet::ports(ICMP, &full, &full)];
    for services in of_icmp {
        assert!(services.v6.is_empty() && !services.v4.is_empty());
    }
    let of_icmpv6 = [ServiceSet::protocol(ICMPV6), ServiceSet::icmp(ICMPV6, 128, Some(0))];
    for services in of_icmpv6 {
        assert!(services.v4.is_empty() && !services.v6.is_empty());
        assert!(!services.contains(&packet("10.0.0.1", "10.0.0.2", ICMPV6, 0x8000)));
        assert!(services.contains(&packet("2001:db8::1", "2001:db8::2", ICMPV6, 0x8000)));
    }
    for protocol in (0..=u8::MAX).filter(|protocol| ![ICMP, ICMPV6].contains(protocol)) {
        let services = ServiceSet::protocol(protocol);
        assert!(services.v4 == services.v6 && !services.is_empty(), "protocol {protocol}");
    }
}

#[test]
fn icmp_messages_are_type_then_code() {
    let echo = ServiceSet::icmp(ICMP, 8, None);
    let unreachable_port = ServiceSet::icmp(ICMP, 3, Some(4));
    let last = ServiceSet::icmp(ICMPV6, 255, None);
    let message = |services: &ServiceSet, protocol, number| {
        let traffic = if protocol == ICMP { &services.v4 } else { &services.v6 };
        traffic.get(protocol).and_then(|ports| ports.get(0)).is_some_and(|to| to.contains(number))
    };
    let held = |services: &ServiceSet, protocol| {
        (0..=u16::MAX).filter(|number| message(services, protocol, *number)).collect::<Vec<u16>>()
    };
    assert_eq!(held(&echo, ICMP), (2048..=2303).collect::<Vec<u16>>());
    assert_eq!(held(&unreachable_port, ICMP), [3 * 256 + 4]);
    assert_eq!(held(&last, ICMPV6), (0xff00..=0xffff).collect::<Vec<u16>>());
}

#[test]
fn everything_holds_every_packet() {
    let full = PacketSet::full();
    for protocol in 0..=u8::MAX {
        assert!(full.contains(&packet("0.0.0.0", "255.255.255.255", protocol, u16::MAX)));
        let last = "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff";
        assert!(full.contains(&packet("::", last, protocol, 0)));
        assert!(full.contains(&packet(last, "::ffff:1.2.3.4", protocol, 1)));
    }
    assert_eq!(PacketSet::product(&AddressSet::full(), &AddressSet::full(), &ServiceSet::full()), full);
}

#[test]
fn a_protocol_keeps_its_own_ports() {
    let services = to_port(6, 443).union(&to_port(17, 514));
    let product = PacketSet::product(&AddressSet::full(), &AddressSet::full(), &services);
    for (source, destination) in [("10.0.0.1", "10.0.0.2"), ("2001:db8::1", "2001:db8::2")] {
        let holds = |protocol, port| {
            let packet = packet(source, destination, protocol, port);
            assert_eq!(services.contains(&packet), product.contains(&packet), "{packet:?}");
            product.contains(&packet)
        };
        assert!(holds(6, 443) && holds(17, 514));
        assert!(!holds(17, 443) && !holds(6, 514), "the ports of one protocol leaked into the other");
        assert!(!holds(7, 443) && !holds(16, 514) && !holds(6, 442) && !holds(6, 444));
    }
}

#[test]
fn source_and_destination_do_not_change_places() {
    let (client, server) = (addresses(&["10.0.0.1/32"]), addresses(&["10.0.0.2/32"]));
    let services = ServiceSet::ports(6, &port(1000), &port(443));
    let product = PacketSet::product(&client, &server, &services);
    let request = Packet { source_port: 1000, ..packet("10.0.0.1", "10.0.0.2", 6, 443) };
    assert!(product.contains(&request));
    assert!(!product.contains(&Packet { source_port: 443, destination_port: 1000, ..request }));
    assert!(!product.contains(&Packet {
        source: request.destination,
        destination: request.source,
        ..request
    }));
    assert_eq!(product.sample(), Some(request));
}

#[test]
fn two_pairs_of_peers_are_not_four() {
    let product = |from, to| PacketSet::product(&addresses(&[from]), &addresses(&[to]), &to_port(6, 104));
    let set = product("10.0.0.1/32", "10.0.1.1/32").union(&product("10.0.0.2/32", "10.0.1.2/32"));
    let holds = |from, to| set.contains(&packet(from, to, 6, 104));
    assert!(holds("10.0.0.1", "10.0.1.1") && holds("10.0.0.2", "10.0.1.2"));
    assert!(!holds("10.0.0.1", "10.0.1.2") && !holds("10.0.0.2", "10.0.1.1"));
}

#[test]
fn v4_mapped_addresses_are_in_no_zone() {
    let universe = AddressSet::universe();
    universe.assert_canonical();
    let holds = |text: &str| universe.contains(text.parse().expect("an address"));
    for outside in ["::ffff:0.0.0.0", "::ffff:10.0.0.1", "::ffff:255.255.255.255"] {
        assert!(!holds(outside), "{outside}");
        assert!(AddressSet::v4_mapped().contains(outside.parse().expect("an address")), "{outside}");
    }
    let last = "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff";
    for inside in
        ["0.0.0.0", "10.0.0.1", "255.255.255.255", "::", "::fffe:ffff:ffff", "::1:0:0:0", "::1:0:0:1", last]
    {
        assert!(holds(inside), "{inside}");
    }
    assert_eq!(AddressSet::v4_mapped(), addresses(&["::ffff:0:0/96"]));
    assert_eq!(universe.union(&AddressSet::v4_mapped()), AddressSet::full());
}

#[test]
fn a_sample_reads_like_a_real_packet() {
    let sample = |services: &ServiceSet| {
        let set = PacketSet::product(&addresses(&["10.0.0.1/32"]), &addresses(&["10.0.0.2/32"]), services);
        let packet = set.sample().expect("a member");
        assert!(set.contains(&packet));
        (packet.protocol, packet.source_port, packet.destination_port)
    };
    assert_eq!(sample(&to_port(6, 443)), (6, 49152, 443), "an ephemeral source port");
    assert_eq!(sample(&ServiceSet::ports(17, &port(123), &port(123))), (17, 123, 123));
    assert_eq!(sample(&ServiceSet::protocol(47)), (47, 0, 0), "no ports in GRE");
    assert_eq!(sample(&ServiceSet::icmp(ICMP, 8, Some(0))), (ICMP, 0, 2048));
}
