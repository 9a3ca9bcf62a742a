//! The files mean what the policy says: to an evaluator of its own, packet by packet.

use std::net::IpAddr;
use std::path::Path;

use cordon::ir::{Policy, ZoneIndex};

use super::evaluate::{Arrival, Firewall};
use super::{build, example, shapes, written};
use crate::kernel::boundary;
use crate::support::{AS_OF, policy, scenario, succeed};

/// A row that `cordon query` answered.
struct Row {
    packet: Arrival,
    leaves: String,
    verdict: String,
    rule: String,
}

/// The interface that an address lies behind.
fn interface(policy: &Policy, zones: &ZoneIndex, address: IpAddr) -> Option<String> {
    let zone = zones.zone_of(address)?;
    let interfaces = &policy.devices[0].interfaces;
    interfaces.iter().find(|interface| interface.zones.contains(&zone)).map(|found| found.name.clone())
}

/// What `cordon query` says of the packets of a table whose addresses lie in zones.
fn answered(directory: &Path, policy: &Policy, table: &str) -> Vec<Row> {
    let zones = ZoneIndex::new(policy);
    let path = directory.to_string_lossy().into_owned();
    let answer = succeed(&["query", &path, "--as-of", AS_OF, "--packets", "-"], table);
    let mut reader = csv::Reader::from_reader(answer.as_bytes());
    let header = reader.headers().unwrap().clone();
    let column =
        |name: &str| header.iter().enumerate().filter(|(_, column)| *column == name).last().unwrap().0;
    let [proto, src, dst, sport, dport, verdict, rule] =
        ["proto", "src", "dst", "sport", "dport", "verdict", "rule"].map(column);
    let rows = reader.records().map(Result::unwrap).filter_map(|record| {
        let (source, destination) = (record[src].parse().unwrap(), record[dst].parse().unwrap());
        let protocol = match &record[proto] {
            "icmp" => 1,
            "tcp" => 6,
            "udp" => 17,
            "icmpv6" => 58,
            "sctp" => 132,
            number => number.parse().unwrap(),
        };
        // In such a table, a message without a type is an echo request.
        let echo_request = match (protocol, &record[dport]) {
            (1, "" | "0") => Some(8),
            (58, "" | "0") => Some(128),
            _ => None,
        };
        let port = |column: usize| record[column].parse().unwrap_or_default();
        let packet = Arrival {
            interface: interface(policy, &zones, source)?,
            source,
            destination,
            protocol,
            source_port: port(sport),
            destination_port: echo_request.unwrap_or(port(dport)),
        };
        let leaves = interface(policy, &zones, destination)?;
        Some(Row { packet, leaves, verdict: record[verdict].to_owned(), rule: record[rule].to_owned() })
    });
    rows.collect()
}

/// Compares all rows whose packets cross the firewall, and gives how many were allowed and denied.
fn compare(firewall: &Firewall, rows: &[Row]) -> (usize, usize) {
    let crossing: Vec<&Row> = rows.iter().filter(|row| row.leaves != row.packet.interface).collect();
    let mut wrong = Vec::new();
    for row in &crossing {
        let found = firewall.decide(&row.packet);
        let named = row.rule.is_empty() || !found.pass || found.description.contains(start(&row.rule));
        if found.pass != (row.verdict == "allow") || !named {
            wrong.push(format!("{:?}: {} by `{}`, but {found:?}", row.packet, row.verdict, row.rule));
        }
    }
    let shown = wrong.iter().take(5).cloned().collect::<Vec<_>>().join("\n");
    assert!(wrong.is_empty(), "{} of {} wrong\n{shown}", wrong.len(), crossing.len());
    let allowed = crossing.iter().filter(|row| row.verdict == "allow").count();
    (allowed, crossing.len() - allowed)
}

/// As much of a rule's name as always fits into a description.
fn start(rule: &str) -> &str {
    rule.get(..30).unwrap_or(rule)
}

fn firewall(directory: &Path) -> Firewall {
    let output = build(directory);
    Firewall::read(&output.filter, &output.aliases, &[])
}

#[test]
fn every_shape_has_its_edges_where_the_policy_puts_them() {
    let directory = shapes();
    let policy = policy(directory.path());
    let rows = answered(directory.path(), &policy, &boundary::table(&policy));
    let (allowed, denied) = compare(&firewall(directory.path()), &rows);
    assert!(allowed > 100 && denied > 200, "{allowed} allowed, {denied} denied");
}

#[test]
fn the_example_has_its_edges_where_the_policy_puts_them() {
    let directory = example();
    let policy = policy(directory.path());
    let rows = answered(directory.path(), &policy, &boundary::table(&policy));
    let (allowed, denied) = compare(&firewall(directory.path()), &rows);
    assert!(allowed > 1_000 && denied > 1_000, "{allowed} allowed, {denied} denied");
}

#[test]
fn the_example_gives_the_verdict_of_every_line_of_the_table() {
    let directory = example();
    let policy = policy(directory.path());
    let table = std::fs::read_to_string(scenario("expected.csv")).unwrap();
    let rows = answered(directory.path(), &policy, &table);
    assert_eq!(rows.len(), 1_961);
    let local = rows.iter().filter(|row| row.leaves == row.packet.interface).count();
    let (allowed, denied) = compare(&firewall(directory.path()), &rows);
    assert_eq!(allowed + denied + local, 1_961);
}

/// The policy of the tests below: a firewall with addresses of its own in both zones.
const SMALL: &str = "policy \"small\"
zone ward    { net 10.1.0.0/24, 2001:db8:1::/64 }
zone servers { net 10.2.0.0/24, 2001:db8:2::/64 }
zone internet { rest }
allow web { from ward  to servers  via tcp 443 }
allow out { from servers  to internet  via any }
forbid no-smb { from any  to internet  via tcp 445   log }
manage admin { from ward  via tcp 22   log }
manage ping  { from servers  via icmp echo-request, icmpv6 echo-request }
firewall core {
  target pfsense
  interface lan  zone ward
  interface opt1 zone servers
  interface wan  zone internet
}
";

pub(super) fn arrival(interface: &str, source: &str, destination: &str, protocol: u8, port: u16) -> Arrival {
    Arrival {
        interface: interface.to_owned(),
        source: source.parse().unwrap(),
        destination: destination.parse().unwrap(),
        protocol,
        source_port: 40_000,
        destination_port: port,
    }
}

fn small() -> Firewall {
    let output = build(written(SMALL).path());
    Firewall::read(&output.filter, &output.aliases, &["10.1.0.1", "10.2.0.1", "2001:db8:2::1"])
}

#[test]
fn only_what_is_managed_reaches_the_firewall_itself() {
    let firewall = small();
    let passes = |packet: Arrival| firewall.decide(&packet).pass;
    assert!(passes(arrival("lan", "10.1.0.9", "10.1.0.1", 6, 22)));
    assert!(passes(arrival("lan", "10.1.0.9", "10.2.0.1", 6, 22)));
    assert!(passes(arrival("lan", "10.1.0.9", "10.2.0.9", 6, 443)));
    assert!(
        !passes(arrival("lan", "10.1.0.9", "10.2.0.1", 6, 443)),
        "its own address in the zone of servers"
    );
    assert!(!passes(arrival("opt1", "10.2.0.9", "10.2.0.1", 6, 22)));
    assert!(passes(arrival("opt1", "10.2.0.9", "10.2.0.1", 1, 8)));
    assert!(passes(arrival("opt1", "2001:db8:2::9", "2001:db8:2::1", 58, 128)));
    assert!(!passes(arrival("opt1", "2001:db8:2::9", "2001:db8:2::1", 58, 129)));
    assert!(firewall.decide(&arrival("lan", "10.1.0.9", "10.1.0.1", 6, 22)).log);
}

#[test]
fn a_source_that_does_not_lie_behind_the_interface_is_blocked() {
    let firewall = small();
    for packet in [
        arrival("opt1", "10.1.0.9", "10.2.0.9", 6, 443),
        arrival("wan", "10.1.0.9", "10.2.0.9", 6, 443),
        arrival("wan", "::ffff:10.1.0.9", "2001:db8:2::9", 6, 443),
        arrival("lan", "10.2.0.9", "10.1.0.1", 6, 22),
        arrival("lan", "198.51.100.9", "10.2.0.9", 6, 443),
    ] {
        let found = firewall.decide(&packet);
        assert!(!found.pass && found.log && found.description == "cordon: foreign-source", "{packet:?}");
    }
}

#[test]
fn what_is_forbidden_of_everything_is_blocked_in_front_of_it() {
    let firewall = small();
    let to = |protocol, port| firewall.decide(&arrival("opt1", "10.2.0.9", "198.51.100.9", protocol, port));
    assert!(to(6, 444).pass && to(17, 445).pass && to(47, 0).pass && to(1, 3).pass && to(99, 0).pass);
    let denied = to(6, 445);
    assert!(!denied.pass && denied.log && denied.description == "cordon: no-smb", "{denied:?}");
    let nothing = firewall.decide(&arrival("wan", "198.51.100.9", "10.2.0.9", 6, 443));
    assert!(!nothing.pass && nothing.log && nothing.description == "cordon: nothing-else", "{nothing:?}");
}

#[test]
fn hazard_1_an_empty_side_matches_nothing() {
    let text = SMALL
        .replace("zone servers { net 10.2.0.0/24, 2001:db8:2::/64 }", "zone servers { net 10.2.0.0/24 }")
        .replace(", icmpv6 echo-request", "");
    let output = build(written(&text).path());
    let firewall = Firewall::read(&output.filter, &output.aliases, &[]);
    for (from, source) in [("lan", "2001:db8:1::9"), ("opt1", "2001:db8:2::9"), ("wan", "2001:db8:9::9")] {
        for destination in ["2001:db8:1::9", "2001:db8:2::9", "2001:db8:99::9"] {
            let found = firewall.decide(&arrival(from, source, destination, 6, 443));
            assert!(!found.pass, "{source} to {destination}: {found:?}");
        }
    }
    assert!(firewall.decide(&arrival("lan", "10.1.0.9", "10.2.0.9", 6, 443)).pass);
}

#[test]
fn hazard_34_protocols_and_ports_stay_together() {
    let text = SMALL.replace("via tcp 443", "via tcp 443, udp 514");
    let output = build(written(&text).path());
    let firewall = Firewall::read(&output.filter, &output.aliases, &[]);
    let to = |protocol, port| firewall.decide(&arrival("lan", "10.1.0.9", "10.2.0.9", protocol, port)).pass;
    assert_eq!([to(6, 443), to(17, 514), to(17, 443), to(6, 514)], [true, true, false, false]);
}

#[test]
fn hazard_35_a_message_of_one_family_says_nothing_of_the_other() {
    let text = SMALL.replace("via tcp 443", "via icmpv6 echo-request");
    let output = build(written(&text).path());
    let firewall = Firewall::read(&output.filter, &output.aliases, &[]);
    assert!(firewall.decide(&arrival("lan", "2001:db8:1::9", "2001:db8:2::9", 58, 128)).pass);
    for (protocol, port) in [(1, 8), (1, 128), (58, 128), (6, 443)] {
        let packet = arrival("lan", "10.1.0.9", "10.2.0.9", protocol, port);
        assert!(!firewall.decide(&packet).pass, "{packet:?}");
    }
    assert!(!firewall.decide(&arrival("lan", "2001:db8:1::9", "2001:db8:2::9", 58, 129)).pass);
}

#[test]
fn more_entries_than_an_alias_takes_become_several_rules() {
    let hosts: Vec<String> =
        (0..5_001_u32).map(|number| std::net::Ipv4Addr::from(0x0a01_0000 + 2 * number).to_string()).collect();
    let ports: Vec<String> = (0..501).map(|number| (1_000 + 2 * number).to_string()).collect();
    let text = SMALL
        .replace("10.1.0.0/24", "10.1.0.0/16")
        .replace("allow web { from ward  to servers  via tcp 443 }", "")
        + &format!("class many in ward {{ hosts {} }}\n", hosts.join(", "))
        + &format!("service lots {{ tcp {} }}\n", ports.join(", "))
        + "allow web { from many  to servers  via lots }\n";
    let output = build(written(&text).path());
    assert_eq!(output.aliases.matches("<name>cdn_many_").count(), 2);
    assert_eq!(output.aliases.matches("<name>cdn_lots_").count(), 2);
    let firewall = Firewall::read(&output.filter, &output.aliases, &[]);
    for host in [0, 2_500, 4_999, 5_000] {
        for (port, passes) in [(1_000, true), (1_998, true), (2_000, true), (999, false), (1_001, false)] {
            let packet = arrival("lan", &hosts[host], "10.2.0.9", 6, port);
            assert_eq!(firewall.decide(&packet).pass, passes, "{packet:?}");
        }
    }
    assert!(!firewall.decide(&arrival("lan", "10.1.0.1", "10.2.0.9", 6, 1_000)).pass);
}

#[test]
fn hazard_19_a_range_from_the_first_port_does_not_become_one_from_port_0() {
    let text = SMALL.replace("via tcp 443", "via sctp 1-100, udp 0-9, tcp 60000-65535");
    let output = build(written(&text).path());
    let firewall = Firewall::read(&output.filter, &output.aliases, &[]);
    let to = |protocol, port| firewall.decide(&arrival("lan", "10.1.0.9", "10.2.0.9", protocol, port)).pass;
    assert_eq!([to(132, 0), to(132, 1), to(132, 100), to(132, 101)], [false, true, true, false]);
    assert_eq!([to(17, 0), to(17, 1), to(17, 9), to(17, 10)], [false, true, true, false]);
    assert_eq!([to(6, 59_999), to(6, 60_000), to(6, 65_535)], [false, true, true]);
}

#[test]
fn an_address_that_starts_with_colons_stands_in_an_alias() {
    let text = SMALL.replace("2001:db8:2::/64", "::5:0:0:0:0/64");
    let output = build(written(&text).path());
    let firewall = Firewall::read(&output.filter, &output.aliases, &[]);
    assert!(firewall.decide(&arrival("lan", "2001:db8:1::9", "0:0:0:5::9", 6, 443)).pass);
    assert!(!firewall.decide(&arrival("lan", "2001:db8:1::9", "0:0:0:6::9", 6, 443)).pass);
}
