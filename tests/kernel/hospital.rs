//! The main example in the kernel: a router with the 29 zones as interfaces enforces exactly what `cordon query` says.

use std::collections::BTreeMap;
use std::net::IpAddr;

use cordon::ir::{Policy, ZoneIndex};

use super::lab::{Interface, Invocation, Lab, Outcome, Packet, Step, StepOutcome, Transport, flags, run};
use super::martian::unforwardable;
use super::require::ready_for_large;
use crate::support::{AS_OF, hospital, policy, scenario, succeed};

/// Bytes that a send buffer must hold for the ruleset of the example.
const RULESET_BYTES: u64 = 1 << 20;

/// The example, compiled by the command, with what the lab must know of it.
struct Site {
    policy: Policy,
    zones: ZoneIndex,
    ruleset: String,
    directory: String,
}

/// A packet of a table, and the verdict and rule that the policy has for it.
#[derive(Clone, Debug)]
struct Row {
    proto: String,
    source: IpAddr,
    destination: IpAddr,
    source_port: u16,
    destination_port: u16,
    verdict: String,
}

impl Site {
    fn compile() -> Self {
        let directory = hospital().to_string_lossy().into_owned();
        let out = tempfile::tempdir().unwrap();
        let path = out.path().join("build");
        succeed(&["build", &directory, "--as-of", AS_OF, "--out", &path.to_string_lossy()], "");
        let ruleset = std::fs::read_to_string(path.join("core/ruleset.nft")).unwrap();
        let policy = policy(&hospital());
        Site { zones: ZoneIndex::new(&policy), policy, ruleset, directory }
    }

    /// What `cordon query` says of each packet of a CSV table.
    fn query(&self, table: &str) -> Vec<Row> {
        let answer =
            succeed(&["query", &self.directory, "--as-of", AS_OF, "--packets", "-"], table);
        let mut reader = csv::Reader::from_reader(answer.as_bytes());
        let header = reader.headers().unwrap().clone();
        // The appended columns come last, also where the table had one of that name.
        let column = |name: &str| header.iter().enumerate().filter(|(_, column)| *column == name).last().unwrap().0;
        let [proto, src, dst, sport, dport, verdict] =
            ["proto", "src", "dst", "sport", "dport", "verdict"].map(column);
        let rows = reader.records().map(|record| {
            let record = record.unwrap();
            Row {
                proto: record[proto].to_owned(),
                source: record[src].parse().unwrap(),
                destination: record[dst].parse().unwrap(),
                source_port: record[sport].parse().unwrap(),
                destination_port: record[dport].parse().unwrap(),
                verdict: record[verdict].to_owned(),
            }
        });
        rows.collect()
    }

    /// The interface that an address lies behind.
    fn interface(&self, address: IpAddr) -> String {
        let zone = self.zones.zone_of(address).unwrap_or_else(|| panic!("{address} is in no zone"));
        self.policy.devices[0].interface_of(zone).unwrap().name.clone()
    }

    /// A router with the ruleset loaded. The lab takes `steps`.
    fn lab(&self, steps: Vec<Step>) -> Lab {
        let interfaces = self.policy.devices[0].interfaces.iter().map(|interface| {
            let zone = &self.policy[interface.zones[0]];
            let prefixes = zone.addresses.ranges().filter_map(|range| Some(range.as_prefix()?.to_string()));
            Interface {
                name: interface.name.clone(),
                prefixes: if zone.is_rest { Vec::new() } else { prefixes.collect() },
                addresses: Vec::new(),
                default_route: zone.is_rest,
            }
        });
        let load = Invocation::new("nft", &["-f", "-"]).input(&self.ruleset);
        Lab { interfaces: interfaces.collect(), load: vec![load], steps }
    }

    /// A row as the packet that opens the connection.
    fn packet(&self, row: &Row, id: u32) -> Packet {
        let (source_port, destination_port) = (row.source_port, row.destination_port);
        let echo_request = if row.source.is_ipv4() { 8 } else { 128 };
        let identifier = u16::try_from(id % 65_536).unwrap();
        let transport = match row.proto.as_str() {
            "tcp" => Transport::Tcp { source_port, destination_port, flags: flags::SYN },
            "udp" => Transport::Udp { source_port, destination_port },
            "icmp" | "icmpv6" => {
                let kind = if destination_port == 0 { echo_request } else { u8::try_from(destination_port).unwrap() };
                Transport::Icmp { kind, code: 0, identifier }
            }
            "sctp" => Transport::Sctp { source_port, destination_port, acknowledge: false },
            number => Transport::Other { protocol: number.parse().unwrap() },
        };
        Packet {
            id,
            ingress: self.interface(row.source),
            source: row.source,
            destination: row.destination,
            transport,
        }
    }

    /// What the kernel must do with the packet of a row.
    fn expected(&self, row: &Row) -> Outcome {
        match row.verdict.as_str() {
            "allow" => Outcome::Delivered(self.interface(row.destination)),
            "deny" | "local" => Outcome::Dropped,
            other => panic!("{other} is not a verdict"),
        }
    }
}

/// Sends packets in batches, with all connections forgotten between two, and gives the outcome of each.
fn send(site: &Site, packets: &[Packet]) -> Vec<Outcome> {
    let batches = packets.chunks(1_000).flat_map(|batch| [Step::Send(batch.to_vec()), Step::Flush]);
    let outcomes = run(&site.lab(batches.collect())).unwrap();
    outcomes.into_iter().filter_map(|outcome| match outcome {
        StepOutcome::Sent(outcomes) => Some(outcomes),
        StepOutcome::Flushed | StepOutcome::Output(_) => None,
    })
    .flatten()
    .collect()
}

/// Fails with the first differences between what was expected and what came.
fn compare(what: &str, packets: &[Packet], expected: &[Outcome], outcomes: &[Outcome]) {
    assert_eq!(packets.len(), outcomes.len(), "{what}: an outcome for each packet");
    let wrong: Vec<String> = packets
        .iter()
        .zip(expected.iter().zip(outcomes))
        .filter(|(_, (expected, outcome))| expected != outcome)
        .map(|(packet, (expected, outcome))| format!("{packet:?}\n  expected {expected:?}, got {outcome:?}"))
        .collect();
    let shown = wrong.iter().take(10).cloned().collect::<Vec<_>>().join("\n");
    assert!(wrong.is_empty(), "{what}: {} of {} wrong\n{shown}", wrong.len(), packets.len());
}

fn expected_table() -> String {
    std::fs::read_to_string(scenario("expected.csv")).unwrap()
}

#[test]
fn every_expected_packet_gets_its_verdict_from_the_kernel() {
    if !ready_for_large("every_expected_packet_gets_its_verdict_from_the_kernel", &["nft"], RULESET_BYTES) {
        return;
    }
    let site = Site::compile();
    let rows = site.query(&expected_table());
    assert_eq!(rows.len(), 1_961);
    let packets: Vec<Packet> = rows.iter().zip(1..).map(|(row, id)| site.packet(row, id)).collect();
    let expected: Vec<Outcome> = rows.iter().map(|row| site.expected(row)).collect();
    compare("expected.csv", &packets, &expected, &send(&site, &packets));
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

/// A complaint about a packet, from the host that it was sent to.
fn unreachable(site: &Site, packet: &Packet) -> Packet {
    let (kind, code) = if packet.source.is_ipv4() { (3, 3) } else { (1, 4) };
    let transport = Transport::IcmpError { kind, code, quoted: Box::new(packet.clone()) };
    Packet { transport, ..reply(site, packet) }
}

#[test]
fn replies_and_errors_pass_where_a_connection_was_opened_and_nowhere_else() {
    let test = "replies_and_errors_pass_where_a_connection_was_opened_and_nowhere_else";
    if !ready_for_large(test, &["nft"], RULESET_BYTES) {
        return;
    }
    let site = Site::compile();
    let rows = site.query(&expected_table());
    let allowed = rows.iter().filter(|row| row.verdict == "allow").zip(1..);
    let opening: Vec<Packet> = allowed.map(|(row, id)| site.packet(row, id)).collect();
    assert!(opening.len() > 500);
    let replies: Vec<Packet> = opening.iter().map(|packet| reply(&site, packet)).collect();
    let errors: Vec<Packet> = opening.iter().map(|packet| unreachable(&site, packet)).collect();
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
    let sent: Vec<&Vec<Outcome>> = outcomes.iter().filter_map(|outcome| match outcome {
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

#[test]
fn a_source_that_does_not_belong_behind_its_interface_is_dropped() {
    let test = "a_source_that_does_not_belong_behind_its_interface_is_dropped";
    if !ready_for_large(test, &["nft"], RULESET_BYTES) {
        return;
    }
    let site = Site::compile();
    let rows = site.query(&expected_table());
    let mut packets = Vec::new();
    let allowed: Vec<&Row> = rows.iter().filter(|row| row.verdict == "allow").collect();
    let interfaces = &site.policy.devices[0].interfaces;
    for (row, turn) in allowed.iter().zip(0..) {
        let id = u32::try_from(packets.len() + 1).unwrap();
        let honest = site.packet(row, id);
        // Another interface each time, so that every one is tried.
        let other = interfaces.iter().cycle().skip(turn).find(|i| i.name != honest.ingress).unwrap();
        packets.push(Packet { ingress: other.name.clone(), ..honest });
    }
    let tried: std::collections::BTreeSet<&str> = packets.iter().map(|p| p.ingress.as_str()).collect();
    assert_eq!(tried.len(), interfaces.len(), "each interface is tried");
    compare("spoofed", &packets, &vec![Outcome::Dropped; packets.len()], &send(&site, &packets));
}

#[test]
fn the_edges_of_every_rule_are_where_the_policy_puts_them() {
    let test = "the_edges_of_every_rule_are_where_the_policy_puts_them";
    if !ready_for_large(test, &["nft"], RULESET_BYTES) {
        return;
    }
    let site = Site::compile();
    let table = super::boundary::table(&site.policy);
    let rows = site.query(&table);
    let mut left_out: BTreeMap<&str, usize> = BTreeMap::new();
    let kept: Vec<&Row> = rows
        .iter()
        .filter(|row| match unforwardable(row.source, row.destination) {
            Some(reason) => {
                *left_out.entry(reason).or_default() += 1;
                false
            }
            None => site.zones.zone_of(row.source).is_some() && site.zones.zone_of(row.destination).is_some(),
        })
        .collect();
    let packets: Vec<Packet> = kept.iter().zip(1..).map(|(row, id)| site.packet(row, id)).collect();
    let expected: Vec<Outcome> = kept.iter().map(|row| site.expected(row)).collect();
    let allowed = kept.iter().filter(|row| row.verdict == "allow").count();
    assert!(allowed > 2_000 && packets.len() - allowed > 2_000, "{allowed} of {} allowed", packets.len());
    assert!(left_out.values().sum::<usize>() * 10 < rows.len(), "left out: {left_out:?}");
    compare("boundary packets", &packets, &expected, &send(&site, &packets));
}
