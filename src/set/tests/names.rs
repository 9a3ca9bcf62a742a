//! How addresses, prefixes, protocols and ICMP types are read and printed.

use std::net::IpAddr;

use ipnet::IpNet;

use super::super::{
    AddressRange, AddressSet, ICMP, ICMPV6, Set, has_ports, icmp_types, protocol_name, protocol_number,
};

fn address(text: &str) -> IpAddr {
    text.parse().expect("an address")
}

fn range(first: &str, last: &str) -> AddressRange {
    AddressRange::new(address(first), address(last)).expect("a range")
}

/// Panics unless the range prints as `expected`, and says that it is a prefix if and only if it is printed as one.
fn check(first: &str, last: &str, expected: &str) {
    let range = range(first, last);
    assert_eq!(range.to_string(), expected);
    assert_eq!((range.first(), range.last()), (address(first), address(last)));
    let prefix = if first == last { Some(IpNet::from(address(first))) } else { expected.parse().ok() };
    assert_eq!(range.as_prefix(), prefix, "{expected}");
    if let Some(prefix) = prefix {
        assert_eq!(AddressRange::from(prefix), range);
    }
}

const LAST_V6: &str = "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff";

#[test]
fn ranges_print_as_address_prefix_or_both_ends() {
    check("10.0.0.1", "10.0.0.1", "10.0.0.1");
    check("0.0.0.0", "0.0.0.0", "0.0.0.0");
    check("255.255.255.255", "255.255.255.255", "255.255.255.255");
    check("10.0.0.0", "10.0.0.255", "10.0.0.0/24");
    check("10.0.0.2", "10.0.0.3", "10.0.0.2/31");
    check("10.0.0.1", "10.0.0.2", "10.0.0.1-10.0.0.2");
    check("10.0.0.0", "10.0.0.2", "10.0.0.0-10.0.0.2");
    check("10.0.1.0", "10.0.2.255", "10.0.1.0-10.0.2.255");
    check("0.0.0.0", "255.255.255.255", "0.0.0.0/0");
    check("128.0.0.0", "255.255.255.255", "128.0.0.0/1");
    check("0.0.0.1", "255.255.255.255", "0.0.0.1-255.255.255.255");
    check("0.0.0.0", "255.255.255.254", "0.0.0.0-255.255.255.254");
    check("2001:db8::1", "2001:db8::1", "2001:db8::1");
    check("2001:db8::", "2001:db8::ffff", "2001:db8::/112");
    check("2001:db8::1", "2001:db8::2", "2001:db8::1-2001:db8::2");
    check("::", LAST_V6, "::/0");
    check("8000::", LAST_V6, "8000::/1");
    check("::1", LAST_V6, &format!("::1-{LAST_V6}"));
    check("::ffff:0:0", "::ffff:ffff:ffff", "::ffff:0.0.0.0/96");
}

#[test]
fn every_prefix_length_comes_back() {
    for length in 0..=32 {
        let net = IpNet::new(address("255.255.255.255"), length).expect("a length").trunc();
        assert_eq!(AddressRange::from(net).as_prefix(), Some(net));
    }
    for length in 0..=128 {
        let net = IpNet::new(address(LAST_V6), length).expect("a length").trunc();
        assert_eq!(AddressRange::from(net).as_prefix(), Some(net));
    }
}

#[test]
fn ranges_in_the_wrong_order_or_of_two_families_are_none() {
    let none = |first, last| assert_eq!(AddressRange::new(address(first), address(last)), None);
    none("10.0.0.2", "10.0.0.1");
    none("2001:db8::2", "2001:db8::1");
    none("10.0.0.1", "2001:db8::1");
    none("::", "255.255.255.255");
    none("255.255.255.255", "0.0.0.0");
}

#[test]
fn a_prefix_is_its_network_and_an_address_is_itself() {
    let net: IpNet = "10.1.2.3/8".parse().expect("a prefix");
    assert_eq!(AddressRange::from(net), range("10.0.0.0", "10.255.255.255"));
    let net: IpNet = "2001:db8::1/32".parse().expect("a prefix");
    assert_eq!(AddressRange::from(net), range("2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff"));
    for text in ["10.1.2.3", "2001:db8::1"] {
        assert_eq!(AddressRange::from(address(text)), range(text, text));
    }
}

#[test]
fn address_sets_print_their_ranges() {
    let check = |ranges: &[AddressRange], expected: &str| {
        let set: AddressSet = ranges.iter().copied().collect();
        assert_eq!(set.to_string(), expected);
    };
    check(&[], "nothing");
    check(&[range("10.0.0.1", "10.0.0.1")], "10.0.0.1");
    let (low, high) = (range("10.0.0.0", "10.0.0.127"), range("10.0.0.128", "10.0.0.255"));
    check(&[high, low], "10.0.0.0/24");
    check(
        &[range("2001:db8::", "2001:db8::ffff"), range("10.0.1.1", "10.0.1.6"), low],
        "10.0.0.0/25, 10.0.1.1-10.0.1.6, 2001:db8::/112",
    );
    assert_eq!(AddressSet::full().to_string(), "0.0.0.0/0, ::/0");
    assert_eq!(AddressSet::empty().ranges().count(), 0);
    let mapped = AddressSet::full().difference(&AddressSet::universe());
    assert_eq!(mapped.to_string(), "::ffff:0.0.0.0/96");
}

#[test]
fn protocols_have_their_registered_numbers() {
    let known = [
        ("icmp", 1),
        ("tcp", 6),
        ("udp", 17),
        ("gre", 47),
        ("esp", 50),
        ("ah", 51),
        ("icmpv6", 58),
        ("sctp", 132),
    ];
    for (name, number) in known {
        assert_eq!(protocol_number(name), Some(number), "{name}");
        assert_eq!(protocol_name(number), name);
    }
    assert_eq!(known[0].1, ICMP);
    assert_eq!(known[6].1, ICMPV6);
    for unknown in ["", "TCP", "tcp ", "6", "icmp6"] {
        assert_eq!(protocol_number(unknown), None, "{unknown:?}");
    }
}

#[test]
fn protocols_without_a_name_print_their_number() {
    assert_eq!((protocol_name(0), protocol_name(255)), ("0".to_owned(), "255".to_owned()));
    for number in 0..=u8::MAX {
        let name = protocol_name(number);
        assert_eq!(protocol_number(&name).or_else(|| name.parse().ok()), Some(number), "{name}");
    }
}

#[test]
fn only_tcp_udp_dccp_and_sctp_have_ports() {
    let found: Vec<String> = (0..=u8::MAX).filter(|number| has_ports(*number)).map(protocol_name).collect();
    assert_eq!(found, ["tcp", "udp", "dccp", "sctp"]);
}

#[test]
fn icmp_types_are_those_of_their_family() {
    let number = |protocol, name: &str| {
        icmp_types(protocol).iter().find(|(known, _)| *known == name).map(|(_, number)| *number)
    };
    assert_eq!((number(ICMP, "echo-request"), number(ICMP, "echo-reply")), (Some(8), Some(0)));
    assert_eq!((number(ICMPV6, "echo-request"), number(ICMPV6, "echo-reply")), (Some(128), Some(129)));
    assert_eq!((number(ICMP, "packet-too-big"), number(ICMPV6, "packet-too-big")), (None, Some(2)));
    assert_eq!(
        (number(ICMPV6, "nd-neighbor-solicit"), number(ICMPV6, "nd-neighbor-advert")),
        (Some(135), Some(136))
    );
    for protocol in (0..=u8::MAX).filter(|protocol| ![ICMP, ICMPV6].contains(protocol)) {
        assert!(icmp_types(protocol).is_empty());
    }
    for protocol in [ICMP, ICMPV6] {
        let types = icmp_types(protocol);
        assert!(types.is_sorted_by(|(_, one), (_, other)| one < other), "ascending, none twice");
    }
}
