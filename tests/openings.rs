//! What allows open between zones, beside what the policy decides on each packet.

use std::net::IpAddr;

use cordon::check::check;
use cordon::diag::Diagnostics;
use cordon::inventory::Inventories;
use cordon::ir::{Decider, Decision, Opening, Openings, Policy, RuleIndex};
use cordon::set::{AddressSet, Packet, PacketSet, ServiceSet, Set};
use cordon::source::Sources;
use cordon::syntax::parse;

const POLICY: &str = "
zone a { net 10.1.0.0/28, 2001:db8:1::/124 }
zone b { net 10.2.0.0/28, 2001:db8:2::/124 }
zone c { rest }
class low in a { hosts 10.1.0.0/29, 2001:db8:1::/125 }
peer srv in b { host 10.2.0.10, 2001:db8:2::a }
allow wide { from a  to any except a  via tcp 1-1000 }
allow both { from any  to srv  via tcp 80, udp 53-70, icmp, icmpv6 }
allow back { from b, c  to low  via any }
forbid one { from any except b  to srv  via tcp 20-30, 80 }
forbid two { from low  to any except a  via udp 50-60 }
forbid six { from srv  to low  via tcp 443   log }
";

fn policy() -> Policy {
    let (mut sources, mut diagnostics) = (Sources::default(), Diagnostics::default());
    let source = sources.add("a.cordon".to_owned(), POLICY.to_owned()).unwrap().clone();
    let files = [parse(&source, &mut diagnostics)];
    let policy = check(&files, Inventories::default(), "2026-11-01".parse().unwrap(), &mut diagnostics);
    assert_eq!(diagnostics.errors(), 0, "{diagnostics:?}");
    policy
}

/// Packets at and beside every edge that the policy names.
fn packets() -> Vec<Packet> {
    let hosts = [
        ["10.1.0.0", "2001:db8:1::"],
        ["10.1.0.7", "2001:db8:1::7"],
        ["10.1.0.8", "2001:db8:1::8"],
        ["10.2.0.9", "2001:db8:2::9"],
        ["10.2.0.10", "2001:db8:2::a"],
        ["10.3.0.1", "2001:db8:3::1"],
    ];
    let ports = [0, 1, 19, 20, 30, 31, 49, 50, 53, 60, 61, 70, 71, 79, 80, 81, 443, 1000, 1001, 2048];
    let mut found = Vec::new();
    for family in 0..2 {
        let addresses: Vec<IpAddr> = hosts.iter().map(|host| host[family].parse().unwrap()).collect();
        for (source, destination) in
            addresses.iter().flat_map(|one| addresses.iter().map(move |other| (*one, *other)))
        {
            for protocol in [1, 6, 17, 47, 58] {
                found.extend(ports.iter().map(|port| Packet {
                    source,
                    destination,
                    protocol,
                    source_port: 49152,
                    destination_port: *port,
                }));
            }
        }
    }
    found
}

#[test]
fn what_is_open_is_what_the_policy_allows_packet_by_packet() {
    let policy = policy();
    let (openings, decider) = (Openings::new(&policy), Decider::new(&policy));
    let mut seen = [0, 0];
    for packet in packets() {
        let zones = [packet.source, packet.destination].map(|address| decider.zone_of(address).unwrap());
        let open: Vec<RuleIndex> = openings
            .of(zones[0], zones[1])
            .iter()
            .filter(|one| one.packets().contains(&packet))
            .map(|one| one.rule)
            .collect();
        if let Decision::Allowed(rule) = decider.decide(&packet) {
            assert!(open.contains(&rule), "{packet}");
        } else {
            assert!(open.is_empty(), "{packet}");
        }
        seen[usize::from(open.is_empty())] += 1;
    }
    assert!(seen.iter().all(|count| *count > 300), "{seen:?}");
}

#[test]
fn a_part_of_an_opening_holds_just_what_lies_between_the_two() {
    let policy = policy();
    let openings = Openings::new(&policy);
    let mut parts = 0;
    for ((_, opening), endpoint) in openings
        .iter()
        .flat_map(|(zones, list)| list.iter().map(move |one| (zones, one)))
        .flat_map(|pair| policy.endpoints.iter().map(move |endpoint| (pair, endpoint)))
    {
        let own = &endpoint.addresses;
        let full = AddressSet::full();
        for (from, to) in [(own, &full), (&full, own), (own, own)] {
            let reach = PacketSet::product(from, to, &ServiceSet::full());
            let expected = opening.packets().intersection(&reach);
            let part = opening.between(from, to);
            assert_eq!(part.as_ref().map_or_else(PacketSet::empty, Opening::packets), expected);
            parts += usize::from(part.is_some_and(|part| !part.cut_by.is_empty()));
        }
    }
    assert!(parts > 3, "{parts} parts of what a forbid cuts");
}
