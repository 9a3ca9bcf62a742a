//! The main example in the kernel: a router with the 29 zones as interfaces enforces exactly what `cordon query` says.

use super::lab::{Outcome, Packet, Step, StepOutcome, Transport, flags, run};
use super::require::ready_for_large;
use super::site::{Loader, Site, compare, send};
use crate::support::{one_firewall, scenario};

/// Bytes that a send buffer must hold for the ruleset of the example.
const RULESET_BYTES: u64 = 1 << 20;

/// Compiles the example for a loader and checks it, where this machine can.
pub(super) fn check(test: &str, loader: Loader, check: fn(&Site)) {
    if ready_for_large(test, loader.tools(), RULESET_BYTES) {
        check(&Site::compile_for(one_firewall(), loader));
    }
}

fn expected_table() -> String {
    std::fs::read_to_string(scenario("expected.csv")).unwrap()
}

#[test]
fn every_expected_packet_gets_its_verdict_from_the_kernel() {
    check("every_expected_packet_gets_its_verdict_from_the_kernel", Loader::Nftables, expected_packets);
}

pub(super) fn expected_packets(site: &Site) {
    let rows = site.query(&expected_table());
    assert_eq!(rows.len(), 1_961);
    let packets: Vec<Packet> = rows.iter().zip(1..).map(|(row, id)| site.packet(row, id)).collect();
    let expected: Vec<Outcome> = rows.iter().map(|row| site.expected(row)).collect();
    compare("expected.csv", &packets, &expected, &send(site, &packets));
}

/// The answer to a packet that opened a connection, as its other side would send it.
fn reply(site: &Site, packet: &Packet) -> Packet {
    let transport = match packet.transport.clone() {
        Transport::Tcp { source_port, destination_port, .. } => Transport::Tcp {
            source_port: destination_port,
            destination_port: source_port,
            flags: flags::SYN | flags::ACK,
        },
        Transport::Udp { source_port, destination_port } => {
            Transport::Udp { source_port: destination_port, destination_port: source_port }
        }
        Transport::Icmp { kind: 8, code, identifier } => Transport::Icmp { kind: 0, code, identifier },
        Transport::Icmp { kind: 128, code, identifier } => Transport::Icmp { kind: 129, code, identifier },
        other => panic!("no reply is known to {other:?}"),
    };
    Packet {
        id: packet.id,
        ingress: site.interface(packet.destination),
        source: packet.destination,
        destination: packet.source,
        transport,
    }
}

/// A complaint about a packet, from the host that it was sent to: of each kind that a connection needs, path MTU
/// discovery among them, for another packet.
fn complaint(site: &Site, packet: &Packet) -> Packet {
    const ERRORS_V4: [(u8, u8); 4] = [(3, 3), (3, 4), (11, 0), (12, 0)];
    const ERRORS_V6: [(u8, u8); 4] = [(1, 4), (2, 0), (3, 0), (4, 0)];
    let errors = if packet.source.is_ipv4() { ERRORS_V4 } else { ERRORS_V6 };
    // The table has both families of a packet side by side.
    let (kind, code) = errors[usize::try_from(packet.id / 2).unwrap() % errors.len()];
    let transport = Transport::IcmpError { kind, code, quoted: Box::new(packet.clone()) };
    Packet { transport, ..reply(site, packet) }
}

#[test]
fn replies_and_errors_pass_where_a_connection_was_opened_and_nowhere_else() {
    check(
        "replies_and_errors_pass_where_a_connection_was_opened_and_nowhere_else",
        Loader::Nftables,
        replies_and_errors,
    );
}

pub(super) fn replies_and_errors(site: &Site) {
    let rows = site.query(&expected_table());
    let allowed = rows.iter().filter(|row| row.verdict == "allow").zip(1..);
    let opening: Vec<Packet> = allowed.map(|(row, id)| site.packet(row, id)).collect();
    assert!(opening.len() > 500);
    let replies: Vec<Packet> = opening.iter().map(|packet| reply(site, packet)).collect();
    let errors: Vec<Packet> = opening.iter().map(|packet| complaint(site, packet)).collect();
    let steps = vec![
        Step::Send(opening.clone()),
        Step::Send(replies.clone()),
        Step::Send(errors.clone()),
        Step::Flush,
        Step::Send(errors.clone()),
        Step::Flush,
        Step::Send(replies.clone()),
    ];
    let outcomes = run(&site.lab(steps)).unwrap();
    let arrives = |packets: &[Packet]| -> Vec<Outcome> {
        packets.iter().map(|packet| Outcome::Delivered(site.interface(packet.destination))).collect()
    };
    let sent: Vec<&Vec<Outcome>> = outcomes
        .iter()
        .filter_map(|outcome| match outcome {
            StepOutcome::Sent(outcomes) => Some(outcomes),
            StepOutcome::Flushed | StepOutcome::Output(_) => None,
        })
        .collect();
    compare("opening packets", &opening, &arrives(&opening), sent[0]);
    compare("replies", &replies, &arrives(&replies), sent[1]);
    compare("errors", &errors, &arrives(&errors), sent[2]);
    compare("errors about nothing", &errors, &vec![Outcome::Dropped; errors.len()], sent[3]);
    // A reply to nothing is a first packet of its own; the policy decides on it as on any other.
    let table: String = replies.iter().filter_map(as_row).collect();
    let unsolicited = site.query(&format!("proto,src,dst,sport,dport\n{table}"));
    let judged: Vec<&Packet> = replies.iter().filter(|packet| as_row(packet).is_some()).collect();
    assert_eq!(unsolicited.len(), judged.len());
    assert!(unsolicited.iter().all(|row| row.verdict != "allow"), "the example has no such rule");
    compare("unsolicited", &replies, &vec![Outcome::Dropped; replies.len()], sent[4]);
}

/// A packet as a row of a table; none for ICMP, of which a table knows only what opens a conversation.
fn as_row(packet: &Packet) -> Option<String> {
    let (proto, sport, dport) = match packet.transport {
        Transport::Tcp { source_port, destination_port, .. } => ("tcp", source_port, destination_port),
        Transport::Udp { source_port, destination_port } => ("udp", source_port, destination_port),
        _ => return None,
    };
    Some(format!("{proto},{},{},{sport},{dport}\n", packet.source, packet.destination))
}

/// The packets, each arriving on an interface that its source does not lie behind, another for each.
fn misplaced(site: &Site, packets: &[Packet]) -> Vec<Packet> {
    let interfaces = &site.policy.devices[0].interfaces;
    let moved = packets.iter().zip(0..).map(|(packet, turn)| {
        let mut others = interfaces.iter().cycle().skip(turn).filter(|i| i.name != packet.ingress);
        Packet { ingress: others.next().unwrap().name.clone(), ..packet.clone() }
    });
    let moved: Vec<Packet> = moved.collect();
    let tried: std::collections::BTreeSet<&str> =
        moved.iter().map(|packet| packet.ingress.as_str()).collect();
    assert_eq!(tried.len(), interfaces.len(), "each interface is tried");
    moved
}

#[test]
fn a_source_that_does_not_belong_behind_its_interface_is_dropped() {
    check("a_source_that_does_not_belong_behind_its_interface_is_dropped", Loader::Nftables, spoofed_sources);
}

pub(super) fn spoofed_sources(site: &Site) {
    let rows = site.query(&expected_table());
    let allowed = rows.iter().filter(|row| row.verdict == "allow").zip(1..);
    let opening: Vec<Packet> = allowed.map(|(row, id)| site.packet(row, id)).collect();
    let spoofed = misplaced(site, &opening);
    compare("spoofed", &spoofed, &vec![Outcome::Dropped; spoofed.len()], &send(site, &spoofed));

    // A source from inside that arrives from outside, at the one server that outside may reach.
    let inside = site.policy.zones.iter().filter(|zone| !zone.is_rest && zone.name != "edge");
    let samples = inside.flat_map(|zone| zone.addresses.ranges());
    let at_portal: String = samples
        .map(|range| match range.first() {
            v4 @ std::net::IpAddr::V4(_) => format!("tcp,{v4},10.40.85.10,40000,443\n"),
            v6 @ std::net::IpAddr::V6(_) => format!("tcp,{v6},2001:db8:600:450::a,40000,443\n"),
        })
        .collect();
    let rows = site.query(&format!("proto,src,dst,sport,dport\n{at_portal}"));
    let from_outside: Vec<Packet> = rows
        .iter()
        .zip(1..)
        .map(|(row, id)| Packet { ingress: "wan0".to_owned(), ..site.packet(row, id) })
        .collect();
    assert_eq!(from_outside.len(), 54);
    compare("from outside", &from_outside, &vec![Outcome::Dropped; 54], &send(site, &from_outside));
}

#[test]
fn a_reply_from_the_wrong_side_is_dropped_though_its_connection_is_known() {
    check(
        "a_reply_from_the_wrong_side_is_dropped_though_its_connection_is_known",
        Loader::Nftables,
        spoofed_replies,
    );
}

pub(super) fn spoofed_replies(site: &Site) {
    let rows = site.query(&expected_table());
    let allowed = rows.iter().filter(|row| row.verdict == "allow").zip(1..);
    let opening: Vec<Packet> = allowed.map(|(row, id)| site.packet(row, id)).collect();
    let replies: Vec<Packet> = opening.iter().map(|packet| reply(site, packet)).collect();
    let spoofed = misplaced(site, &replies);
    let steps = vec![Step::Send(opening), Step::Send(spoofed.clone())];
    let outcomes = run(&site.lab(steps)).unwrap();
    let StepOutcome::Sent(second) = &outcomes[1] else { panic!("{outcomes:?}") };
    compare("spoofed replies", &spoofed, &vec![Outcome::Dropped; spoofed.len()], second);
}

#[test]
fn a_destination_that_does_not_lie_behind_the_interface_it_is_routed_to_is_not_reached() {
    check(
        "a_destination_that_does_not_lie_behind_the_interface_it_is_routed_to_is_not_reached",
        Loader::Nftables,
        misrouted_destinations,
    );
}

pub(super) fn misrouted_destinations(site: &Site) {
    // A router that has lost all routes but the default one sends everything outside, where guests may go.
    let zones = site.policy.zones.iter().filter(|zone| zone.name != "guest" && !zone.is_rest);
    let table: String = zones
        .flat_map(|zone| zone.addresses.ranges())
        .map(|range| match range.first() {
            v4 @ std::net::IpAddr::V4(_) => format!("tcp,10.250.0.9,{v4},40000,443\n"),
            v6 @ std::net::IpAddr::V6(_) => format!("tcp,2001:db8:600:900::9,{v6},40000,443\n"),
        })
        .collect();
    let outside =
        "tcp,10.250.0.9,198.51.100.7,40000,443\ntcp,2001:db8:600:900::9,2001:db8:ffff::7,40000,443\n";
    let rows = site.query(&format!("proto,src,dst,sport,dport\n{outside}{table}"));
    let packets: Vec<Packet> = rows.iter().zip(1..).map(|(row, id)| site.packet(row, id)).collect();
    let mut lab = site.lab(vec![Step::Send(packets.clone())]);
    lab.interfaces.iter_mut().for_each(|interface| interface.prefixes.clear());
    let outcomes = run(&lab).unwrap();
    let StepOutcome::Sent(outcomes) = &outcomes[0] else { panic!("{outcomes:?}") };
    let expected: Vec<Outcome> = rows.iter().map(|row| site.expected(row)).collect();
    assert_eq!(expected.iter().filter(|outcome| **outcome != Outcome::Dropped).count(), 2);
    compare("misrouted", &packets, &expected, outcomes);
}

#[test]
fn the_edges_of_every_rule_are_where_the_policy_puts_them() {
    check("the_edges_of_every_rule_are_where_the_policy_puts_them", Loader::Nftables, edges);
}

pub(super) fn edges(site: &Site) {
    let tried = site.try_edges();
    assert!(tried.allowed > 2_000 && tried.denied > 2_000, "{tried:?}");
    assert!(tried.left_out * 10 < tried.allowed + tried.denied, "{tried:?}");
}
