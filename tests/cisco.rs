//! Access lists of Cisco switches, read by an interpreter that shares no code with what writes them.

mod config;
mod hazards;
mod residue;

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::Path;

use cordon::ir::{Policy, ZoneId, ZoneIndex};
use cordon::set::{ICMP, ICMPV6};

use self::config::{Config, Packet};
use self::residue::Residue;
use crate::kernel::boundary;
use crate::support::{AS_OF, policy, root, succeed};

const TCP: u8 = 6;

/// A policy with what its switches are to load.
struct Site {
    policy: Policy,
    zones: ZoneIndex,
    directory: String,
    switches: BTreeMap<String, Switch>,
}

/// What one switch is to load, and what it says of itself.
struct Switch {
    text: String,
    config: Config,
    residue: Residue,
}

fn site() -> Site {
    compile(&root().join("tests/policies/switch"))
}

fn compile(path: &Path) -> Site {
    let directory = path.to_string_lossy().into_owned();
    let out = tempfile::tempdir().unwrap();
    let build = out.path().join("build");
    succeed(&["build", &directory, "--as-of", AS_OF, "--out", &build.to_string_lossy()], "");
    let policy = policy(path);
    let switches = policy.devices.iter().filter(|device| device.target == "cisco-ios").map(|device| {
        let read = |file: &str| std::fs::read_to_string(build.join(&device.name).join(file)).unwrap();
        let text = read("acl.cfg");
        let switch =
            Switch { config: Config::read(&text), residue: Residue::read(&read("residue.txt")), text };
        (device.name.clone(), switch)
    });
    Site { zones: ZoneIndex::new(&policy), switches: switches.collect(), directory, policy }
}

/// The text of one policy, compiled.
fn compile_text(text: &str) -> Site {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("policy.cordon"), text).unwrap();
    compile(directory.path())
}

impl Site {
    /// Packets at the edges of every rule with the verdict of the policy, as `cordon query` gives it.
    fn edges(&self) -> Vec<(Packet, bool)> {
        let table = boundary::table(&self.policy);
        let answer = succeed(&["query", &self.directory, "--as-of", AS_OF, "--packets", "-"], &table);
        let mut reader = csv::Reader::from_reader(answer.as_bytes());
        let header = reader.headers().unwrap().clone();
        let column = |name: &str| header.iter().position(|column| column == name).unwrap();
        let [proto, src, dst, sport, dport, verdict] =
            ["proto", "src", "dst", "sport", "dport", "verdict"].map(column);
        let rows = reader.records().map(|record| {
            let record = record.unwrap();
            let protocol = protocol(&record[proto]);
            let destination_port = record[dport].parse().unwrap();
            let packet = Packet {
                source: record[src].parse().unwrap(),
                destination: record[dst].parse().unwrap(),
                protocol,
                source_port: record[sport].parse().unwrap(),
                destination_port: message(protocol, destination_port),
                established: false,
            };
            (packet, &record[verdict] == "allow")
        });
        rows.collect()
    }

    /// The switch and interface that a zone is attached to, if it is one of a switch.
    fn place(&self, zone: ZoneId) -> Option<(&str, &str)> {
        let devices = self.policy.devices.iter().filter(|device| device.target == "cisco-ios");
        devices
            .flat_map(|device| device.interfaces.iter().map(|interface| (device.name.as_str(), interface)))
            .find(|(_, interface)| interface.zones.contains(&zone))
            .map(|(device, interface)| (device, interface.name.as_str()))
    }

    fn places(&self, packet: &Packet) -> [Option<(&str, &str)>; 2] {
        [packet.source, packet.destination]
            .map(|address| self.zones.zone_of(address).and_then(|zone| self.place(zone)))
    }

    /// True if a packet passes the lists at both ends of its way.
    fn passes(&self, packet: &Packet) -> bool {
        let [from, to] = self.places(packet);
        let ends = [(from, "in"), (to, "out")];
        ends.into_iter().all(|(place, direction)| {
            place.is_none_or(|(device, interface)| {
                self.switches[device].config.permits(interface, direction, packet)
            })
        })
    }

    /// The packet that answers one, if there is one.
    fn reply(packet: &Packet) -> Option<Packet> {
        let back = Packet {
            source: packet.destination,
            destination: packet.source,
            source_port: packet.destination_port,
            destination_port: packet.source_port,
            established: packet.protocol == TCP,
            ..*packet
        };
        let [message_type, _] = packet.destination_port.to_be_bytes();
        let answer = match (packet.protocol, message_type) {
            (ICMP, 8) => 0,
            (ICMP, 13) => 14,
            (ICMPV6, 128) => 129,
            (ICMP | ICMPV6, _) => return None,
            _ => return Some(back),
        };
        Some(Packet { source_port: 0, destination_port: u16::from_be_bytes([answer, 0]), ..back })
    }
}

fn protocol(name: &str) -> u8 {
    match name {
        "icmp" => ICMP,
        "tcp" => TCP,
        "udp" => 17,
        "icmpv6" => ICMPV6,
        "sctp" => 132,
        number => number.parse().unwrap(),
    }
}

/// In tables, 0 stands for an echo request, and a number for a type of message.
fn message(protocol: u8, port: u16) -> u16 {
    match (protocol, port) {
        (ICMP, 0) => 8 << 8,
        (ICMPV6, 0) => 128 << 8,
        (ICMP | ICMPV6, number) => number << 8,
        _ => port,
    }
}

/// Each packet, itself and turned around, as a first packet and as one with ACK.
fn variants(packet: &Packet) -> Vec<Packet> {
    let reply = Site::reply(packet).unwrap_or(*packet);
    let mut variants = vec![*packet, Packet { established: false, ..reply }];
    if packet.protocol == TCP {
        variants.extend([reply, Packet { established: true, ..*packet }]);
    }
    if matches!(packet.protocol, ICMP | ICMPV6) {
        let types = [1_u16, 2, 3, 4, 5, 11, 12, 133, 135, 136, 137];
        variants.extend(types.map(|number| Packet { destination_port: number << 8, ..*packet }));
    }
    variants
}

#[test]
fn what_the_policy_allows_passes_the_lists_on_its_way_and_so_do_the_replies() {
    let site = site();
    let edges = site.edges();
    let (allowed, denied): (Vec<_>, Vec<_>) = edges.iter().partition(|(_, allowed)| *allowed);
    assert!(allowed.len() > 100 && denied.len() > 200, "{} and {}", allowed.len(), denied.len());
    let crossing = |packet: &Packet| {
        let [from, to] = site.places(packet);
        from != to
    };
    let mut replies = 0;
    for (packet, _) in allowed.iter().filter(|(packet, _)| crossing(packet)) {
        assert!(site.passes(packet), "allowed, but stopped: {packet:?}");
        if let Some(reply) = Site::reply(packet) {
            replies += 1;
            assert!(site.passes(&reply), "a reply is stopped: {reply:?}");
        }
    }
    assert!(replies > 100, "{replies}");
}

#[test]
fn each_list_admits_the_policy_and_its_residue_and_nothing_else() {
    let site = site();
    let verdicts: BTreeMap<Packet, bool> = site.edges().into_iter().collect();
    let decider = cordon::ir::Decider::new(&site.policy);
    let (mut tried, mut beyond) = (0, 0);
    for packet in verdicts.keys().flat_map(variants) {
        let [from, to] = site.places(&packet);
        let allowed = decider.decide(&packet.first()).verdict() == "allow" && from != to;
        for (device, switch) in &site.switches {
            for (interface, direction) in switch.config.bound(packet.source.is_ipv4()) {
                let here = if direction == "in" { from } else { to };
                let owed = allowed && here == Some((device.as_str(), interface.as_str()));
                let more = switch.residue.holds(&interface, direction, &packet);
                let admitted = switch.config.permits(&interface, direction, &packet);
                let place = format!("{device} {interface} {direction}: {packet:?}");
                assert_eq!(admitted, owed || more, "allowed {owed}, residue {more}, at {place}");
                assert!(!(owed && more && !packet.established), "allowed and residue at {place}");
                tried += 1;
                beyond += usize::from(more);
            }
        }
    }
    assert!(tried > 10_000 && beyond > 100, "{tried} tried, {beyond} beyond the policy");
}

#[test]
fn the_output_for_two_switches_is_what_was_read_and_found_right() {
    for (name, switch) in site().switches {
        insta::assert_snapshot!(format!("{name}_acl"), switch.text);
    }
}

/// An address as an integer, and the bits that a family has.
fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => address.to_bits().into(),
        IpAddr::V6(address) => address.to_bits(),
    }
}
