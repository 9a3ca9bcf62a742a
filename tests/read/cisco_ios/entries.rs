//! Entries: addresses, ports, messages, flags, options.

use super::judge::{Packet, TCP, TCP_V6};
use super::{mistakes, model, v4, v6};

/// Checks which packets one entry permits.
fn check(entry: &str, packets: &[(Packet, bool)]) {
    let model = model(&v4(&[entry]));
    for (packet, passes) in packets {
        assert_eq!(packet.passes(&model), *passes, "{entry}: {packet:?}");
    }
}

fn check_v6(entry: &str, packets: &[(Packet, bool)]) {
    let model = model(&v6(&[entry]));
    for (packet, passes) in packets {
        assert_eq!(packet.passes(&model), *passes, "{entry}: {packet:?}");
    }
}

fn from(source: &str) -> Packet<'_> {
    Packet { source, ..TCP }
}

fn to_port(port: u16) -> Packet<'static> {
    Packet { ports: (40000, port), ..TCP }
}

fn from_port(port: u16) -> Packet<'static> {
    Packet { ports: (port, 80), ..TCP }
}

fn icmp(kind: u16, code: u16) -> Packet<'static> {
    Packet { protocol: 1, ports: (kind, code), ..TCP }
}

fn icmp_v6(kind: u16, code: u16) -> Packet<'static> {
    Packet { protocol: 58, ports: (kind, code), ..TCP_V6 }
}

fn with_flags(flags: u8) -> Packet<'static> {
    Packet { flags, ..TCP }
}

#[test]
fn addresses_are_hosts_wildcards_and_any() {
    check("permit ip any any", &[(TCP, true)]);
    check("permit ip host 10.0.0.1 any", &[(TCP, true), (from("10.0.0.2"), false)]);
    check("permit ip 10.0.0.0 0.0.0.3 any", &[(from("10.0.0.3"), true), (from("10.0.0.4"), false)]);
    // Bits that the mask leaves free do not matter.
    check("permit ip 10.0.0.7 0.0.0.3 any", &[(from("10.0.0.4"), true), (from("10.0.0.3"), false)]);
    check("permit ip 0.0.0.0 255.255.255.255 any", &[(TCP, true)]);
    check("permit ip any 10.9.0.0 0.0.255.255", &[(TCP, true)]);
    check("permit ip any host 10.9.9.8", &[(TCP, false)]);
}

#[test]
fn a_wildcard_with_holes_is_expanded_exactly() {
    let entry = "permit ip 10.0.0.1 0.5.0.6 any";
    for (source, passes) in [
        ("10.0.0.1", true),
        ("10.0.0.3", true),
        ("10.0.0.7", true),
        ("10.0.0.0", false),
        ("10.4.0.5", true),
        ("10.5.0.1", true),
        ("10.2.0.1", false),
        ("10.5.0.9", false),
    ] {
        check(entry, &[(from(source), passes)]);
    }
    let even = model(&v4(&["permit ip 10.0.0.0 0.0.0.254 any"]));
    let passing = (0..=255).filter(|last| from(&format!("10.0.0.{last}")).passes(&even));
    assert_eq!(passing.collect::<Vec<_>>(), (0..=255).step_by(2).collect::<Vec<_>>());
}

#[test]
fn a_netmask_in_a_list_is_refused_with_the_wildcard_that_was_meant() {
    let found = mistakes(&v4(&["permit ip 10.0.0.0 255.255.255.0 any"]));
    let what = "`255.255.255.0` leaves 24 bits free above fixed ones, more than 12; an access list takes a wildcard mask, \
                `0.0.0.255`";
    assert_eq!(found, [(2, what.to_owned())]);
}

#[test]
fn ports_have_five_operators() {
    check("permit tcp any any eq 80", &[(TCP, true), (to_port(81), false)]);
    check("permit tcp any any eq 22 www 443", &[(TCP, true), (to_port(22), true), (to_port(23), false)]);
    check("permit tcp any any neq 80 82", &[(TCP, false), (to_port(81), true), (to_port(82), false)]);
    check("permit tcp any any neq 0", &[(to_port(0), false), (to_port(65535), true)]);
    check("permit tcp any any lt 80", &[(TCP, false), (to_port(79), true)]);
    check("permit tcp any any gt 80", &[(TCP, false), (to_port(81), true)]);
    check("permit tcp any any range 80 443", &[(TCP, true), (to_port(443), true), (to_port(444), false)]);
    check("permit tcp any eq 123 any", &[(TCP, false), (from_port(123), true)]);
    let both = "permit tcp any neq 123 any neq 80";
    check(both, &[(TCP, false), (to_port(81), true), (Packet { ports: (123, 81), ..TCP }, false)]);
    let udp = Packet { protocol: 17, ..to_port(53) };
    check("permit udp any any eq domain ntp", &[(udp.clone(), true), (to_port(53), false)]);
    check("permit udp any any", &[(udp, true), (TCP, false)]);
}

#[test]
fn names_of_ports_belong_to_a_protocol() {
    check("permit tcp any any eq cmd", &[(to_port(514), true)]);
    check("permit udp any any eq syslog", &[(Packet { protocol: 17, ..to_port(514) }, true)]);
    check("permit udp any any eq who", &[(Packet { protocol: 17, ..to_port(513) }, true)]);
    let found =
        mistakes(&v4(&["permit tcp any any eq bootps", "permit sctp any any", "permit 132 any any eq ftp"]));
    let lines: Vec<usize> = found.iter().map(|(line, _)| *line).collect();
    assert_eq!(lines, [2, 3, 4], "{found:?}");
    assert_eq!(found[0].1, "`bootps` is no port known here; write its number");
}

#[test]
fn protocols_are_names_and_numbers() {
    for (name, number) in [("ahp", 51), ("esp", 50), ("gre", 47), ("ospf", 89), ("eigrp", 88), ("pim", 103)] {
        let entry = format!("permit {name} any any");
        check(&entry, &[(Packet { protocol: number, ..TCP }, true), (TCP, false)]);
        assert_eq!(
            model(&v4(&[&entry])).chains,
            model(&v4(&[&format!("permit {number} any any")])).chains,
            "{name}"
        );
    }
    check("permit ipinip any any", &[(Packet { protocol: 4, ..TCP }, true)]);
    check("permit nos any any", &[(Packet { protocol: 94, ..TCP }, true)]);
    let found = mistakes(&v4(&["permit 0 any any"]));
    assert_eq!(found, [(2, "IOS shows protocol `0` as `ip`, which is every protocol".to_owned())]);
}

#[test]
fn messages_are_types_with_or_without_codes() {
    check("permit icmp any any", &[(icmp(8, 0), true), (TCP, false)]);
    check("permit icmp any any echo", &[(icmp(8, 0), true), (icmp(0, 0), false)]);
    check("permit icmp any any unreachable", &[(icmp(3, 1), true), (icmp(3, 13), true), (icmp(4, 0), false)]);
    check("permit icmp any any packet-too-big", &[(icmp(3, 4), true), (icmp(3, 3), false)]);
    check("permit icmp any any ttl-exceeded", &[(icmp(11, 0), true), (icmp(11, 1), false)]);
    check("permit icmp any any 3 4", &[(icmp(3, 4), true), (icmp(3, 3), false)]);
    check("permit icmp any any 3", &[(icmp(3, 4), true), (icmp(3, 3), true), (icmp(5, 0), false)]);
    check_v6("permit icmp any any nd-ns", &[(icmp_v6(135, 0), true), (icmp_v6(134, 0), false)]);
    check_v6("permit icmp any any router-advertisement", &[(icmp_v6(134, 0), true)]);
    check_v6("permit icmp any any packet-too-big", &[(icmp_v6(2, 0), true)]);
    check_v6("permit icmp any any no-admin", &[(icmp_v6(1, 1), true), (icmp_v6(1, 0), false)]);
    check_v6("permit icmp any any mld-report", &[(icmp_v6(131, 0), true)]);
}

#[test]
fn established_is_ack_or_rst() {
    let model = model(&v4(&["permit tcp any any established"]));
    for flags in 0..=255 {
        assert_eq!(with_flags(flags).passes(&model), flags & (16 | 4) != 0, "{flags}");
    }
}

#[test]
fn flags_are_matched_one_or_all() {
    type Case = (&'static str, fn(u8) -> bool);
    let cases: [Case; 5] = [
        ("syn", |flags| flags & 2 != 0),
        ("match-all +syn -ack", |flags| flags & 18 == 2),
        ("match-any +ack +rst", |flags| flags & 20 != 0),
        ("match-any +fin -syn", |flags| flags & 1 != 0 || flags & 2 == 0),
        ("match-all -urg -psh +fin", |flags| flags & 41 == 1),
    ];
    for (words, expected) in cases {
        let model = model(&v4(&[&format!("permit tcp any any {words} log")]));
        for flags in 0..=255 {
            assert_eq!(with_flags(flags).passes(&model), expected(flags), "{words}: {flags}");
        }
    }
    let found = mistakes(&v4(&["permit tcp any any syn ack", "permit udp any any established"]));
    assert_eq!(found[0], (2, "`ack` comes after another flag; write `match-any` or `match-all`".to_owned()));
    assert_eq!(found[1], (3, "`established` needs `tcp`".to_owned()));
}

#[test]
fn what_the_model_has_no_field_for_may_hold_or_not() {
    for (words, condition) in [
        ("dscp EF", "dscp ef"),
        ("precedence critical", "precedence critical"),
        ("tos 4", "tos 4"),
        ("ttl eq 1 255", "ttl eq 1 255"),
        ("option any-options", "option any-options"),
    ] {
        let entry = format!("permit ip any any {words}");
        check(&entry, &[(TCP, false), (Packet { holds: &[condition], ..TCP }, true)]);
    }
    let igmp = Packet { protocol: 2, ..TCP };
    check(
        "permit igmp any any host-report",
        &[(igmp.clone(), false), (Packet { holds: &["igmp host-report"], ..igmp }, true)],
    );
    for (words, condition) in [("routing", "routing"), ("flow-label 7", "flow-label 7"), ("auth", "auth")] {
        let entry = format!("permit ipv6 any any {words}");
        check_v6(&entry, &[(TCP_V6, false), (Packet { holds: &[condition], ..TCP_V6 }, true)]);
    }
    let entries = ["deny ipv6 any any undetermined-transport", "permit ipv6 any any"];
    let model = model(&v6(&entries));
    assert!(TCP_V6.passes(&model));
    assert!(!Packet { holds: &["undetermined-transport"], ..TCP_V6 }.passes(&model));
}

#[test]
fn headers_of_ipv6_stand_before_any_protocol() {
    check_v6("permit ahp any any", &[(TCP_V6, false), (Packet { holds: &["auth"], ..TCP_V6 }, true)]);
    check_v6("permit hbh any any", &[(TCP_V6, false), (Packet { holds: &["hbh"], ..TCP_V6 }, true)]);
    assert_eq!(mistakes(&v6(&["permit 43 any any", "permit 44 any any"])).len(), 2);
}

#[test]
fn prefixes_of_ipv6_are_exact() {
    let entry = "permit tcp 2001:db8::/127 host 2001:db8:9::9 eq 80";
    check_v6(
        entry,
        &[
            (TCP_V6, true),
            (Packet { source: "2001:db8::", ..TCP_V6 }, true),
            (Packet { source: "2001:db8::2", ..TCP_V6 }, false),
            (Packet { destination: "2001:db8:9::8", ..TCP_V6 }, false),
        ],
    );
    check_v6("permit ipv6 ::/0 any", &[(TCP_V6, true)]);
    let found =
        mistakes(&v6(&["permit ipv6 2001:db8::/129 any", "permit ipv6 2001:db8:: any", "permit ip any any"]));
    assert_eq!(found.iter().map(|(line, _)| *line).collect::<Vec<_>>(), [2, 3, 4]);
}

#[test]
fn a_simple_entry_is_one_box_and_flags_are_shared() {
    let model = model(&v4(&[
        "permit tcp 10.0.0.0 0.0.0.255 host 10.9.9.9 eq 80",
        "permit tcp any eq 1 any established",
        "permit tcp any eq 2 any established",
    ]));
    let rules = &model.chains[0].rules;
    assert_eq!(rules[0].matches.conditions.len(), 1);
    assert_eq!(rules[0].matches.conditions[0].boxes.len(), 1);
    let established: Vec<_> = [2, 4].map(|rule| rules[rule].matches.conditions[1].boxes.clone()).into();
    assert!(std::sync::Arc::ptr_eq(&established[0], &established[1]));
}
