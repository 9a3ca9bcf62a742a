//! Random flows against random policies: the index against the decider, and suggestions against what they were made from.

use std::collections::BTreeMap;
use std::net::IpAddr;

use cordon::flows::{Flow, Opener};
use cordon::ir::{Decider, Decision, EndpointId, Policy, Topology};
use cordon::set::{Packet, has_ports};

use super::simulated;
use crate::random::{Dice, Naive, Random, Read, Sampler, Wanted, cases, read};
use crate::support::AS_OF;

const ALL: Wanted = Wanted { schedules: true, shared_interfaces: true, managed_by_rest: true };

/// Packets that are tried on each policy.
const PACKETS: u64 = 200;

fn flow(packet: Packet, flows: u64) -> Flow {
    Flow { packet, opener: Opener::Source, flows, bytes: 0, first: None, last: None }
}

/// Packets at the edges of what a policy says.
fn packets(read: &Read, seed: u64) -> Vec<Packet> {
    let naive = Naive::new(&read.files, AS_OF);
    let (sampler, mut dice) = (Sampler::new(&naive, &read.files), Dice::new(seed));
    (0..PACKETS).map(|_| sampler.packet(&read.files, &mut dice).as_set()).collect()
}

/// The word and the rule that a decision comes to.
fn expected(
    policy: &Policy,
    topology: &Topology,
    decider: &Decider,
    packet: &Packet,
) -> (&'static str, String) {
    let decision = decider.decide(packet);
    let rule = decision.rule().map_or(String::new(), |rule| policy[rule].id.clone());
    let zones = decider.zone_of(packet.source).zip(decider.zone_of(packet.destination));
    let is_unseen = zones.is_some_and(|(from, to)| topology.crossings(from, to).is_empty());
    match decision {
        Decision::Unzoned => ("unzoned", rule),
        Decision::Forbidden(_) | Decision::Unmentioned if is_unseen => ("unseen", String::new()),
        other => (other.verdict(), rule),
    }
}

#[test]
fn the_index_decides_as_the_decider_does() {
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    for seed in cases(40) {
        let random = read(&Random::new(seed, ALL).text("nftables", false)).unwrap();
        let (policy, topology) = (&random.policy, Topology::new(&random.policy));
        let decider = Decider::new(policy);
        let packets = packets(&random, seed);
        // Each packet stands for a number of flows of its own, so that no two mistakes make up for each other.
        let weight = |place: usize| (place as u64 + 1).pow(3) + 7;
        let mut wanted: BTreeMap<(&str, String), u64> = BTreeMap::new();
        for (place, packet) in packets.iter().enumerate() {
            let (word, rule) = expected(policy, &topology, &decider, packet);
            *seen.entry(word).or_default() += 1;
            *wanted.entry((word, rule)).or_default() += weight(place);
        }
        let flows: Vec<Flow> =
            packets.iter().enumerate().map(|(place, packet)| flow(*packet, weight(place))).collect();
        let (report, _) = simulated(policy, &flows);
        let mut found: BTreeMap<(&str, String), u64> = BTreeMap::new();
        for row in &report.rows {
            *found.entry((row.verdict, row.rule.clone().unwrap_or_default())).or_default() += row.count.flows;
        }
        assert_eq!(found, wanted, "policy {seed}");
        let used = |id: &str| !report.unused.iter().any(|unused| unused.rule == id);
        for rule in packets.iter().flat_map(|packet| decider.deciding(packet)) {
            assert!(used(&policy[rule].id), "policy {seed}: {}", policy[rule].id);
        }
    }
    let least = ["allow", "deny", "local", "scheduled"].map(|word| seen.get(word).copied().unwrap_or(0));
    assert!(least.iter().all(|count| *count > 200), "{seen:?}");
}

/// What a suggestion may open around an address: the smallest class or peer that holds it, or just the address.
fn end(policy: &Policy, address: IpAddr) -> Result<EndpointId, IpAddr> {
    let ids = (0..policy.endpoints.len()).map(EndpointId);
    let holding = ids.filter(|id| policy[*id].addresses.contains(address));
    let size = |id: &EndpointId| -> u128 {
        let set = &policy[*id].addresses;
        let v4: u128 = set.v4.intervals().map(|run| u128::from(run.last() - run.first()) + 1).sum();
        set.v6.intervals().fold(v4, |sum, run| sum.saturating_add(run.last() - run.first()).saturating_add(1))
    };
    holding.min_by_key(|id| (size(id), *id)).ok_or(address)
}

/// A service as a suggestion may open it: all codes of a message, and nothing of what has no ports.
fn service(packet: &Packet) -> (u8, u16) {
    let is_message = matches!(packet.protocol, 1 | 58);
    let port = match (has_ports(packet.protocol), is_message) {
        (true, _) => packet.destination_port,
        (false, true) => packet.destination_port >> 8,
        (false, false) => 0,
    };
    (packet.protocol, port)
}

#[test]
fn what_is_suggested_lets_just_what_was_seen_pass() {
    let (mut suggested, mut held, mut opened) = (0, 0, 0);
    for seed in cases(40) {
        let text = Random::new(seed, ALL).text("nftables", false);
        let before = read(&text).unwrap();
        let all = packets(&before, seed);
        let (seen, others) = all.split_at(all.len() / 2);
        let flows: Vec<Flow> = seen.iter().map(|packet| flow(*packet, 1)).collect();
        let (report, suggestion) = simulated(&before.policy, &flows);
        let with = text.clone() + "\n" + &suggestion.text;
        let after = read(&with).unwrap_or_else(|problem| panic!("policy {seed}: {problem}\n{with}"));
        let (again, none) = simulated(&after.policy, &flows);
        assert_eq!(again.blocked.flows, report.blocked.flows - suggestion.flows, "policy {seed}\n{with}");
        assert_eq!((none.allows, none.flows), (0, 0), "policy {seed}\n{}", none.text);
        assert_eq!(again.allowed.flows, report.allowed.flows + suggestion.flows, "policy {seed}");
        suggested += suggestion.flows;
        held += suggestion.held_back.len();
        // Nothing else is opened: not what was seen, nor its neighbours.
        let (old, new) = (Decider::new(&before.policy), Decider::new(&after.policy));
        let near = others
            .iter()
            .chain(seen)
            .flat_map(|one| seen.iter().take(40).flat_map(move |other| mixed(one, other)));
        for packet in near {
            let passes = |decision| matches!(decision, Decision::Allowed(_));
            if passes(new.decide(&packet)) && !passes(old.decide(&packet)) {
                opened += 1;
                let ends = |packet: &Packet| {
                    (
                        end(&before.policy, packet.source),
                        end(&before.policy, packet.destination),
                        service(packet),
                    )
                };
                let is_seen = seen.iter().any(|one| covers(&before.policy, one, &packet, ends(one)));
                assert!(is_seen, "policy {seed} opens {packet} too\n{}", suggestion.text);
            }
        }
    }
    eprintln!("{suggested} suggested, {held} held back, {opened} packets opened");
    assert!(suggested > 500 && held > 50 && opened > 500, "{suggested} {held} {opened}");
}

/// The ends of one packet and the service of another, and so on.
fn mixed(one: &Packet, other: &Packet) -> [Packet; 3] {
    [
        Packet { source: one.source, ..*other },
        Packet { destination: one.destination, ..*other },
        Packet {
            protocol: one.protocol,
            source_port: one.source_port,
            destination_port: one.destination_port,
            ..*other
        },
    ]
}

/// True if what was seen may open a packet.
fn covers(
    policy: &Policy,
    seen: &Packet,
    packet: &Packet,
    ends: (Result<EndpointId, IpAddr>, Result<EndpointId, IpAddr>, (u8, u16)),
) -> bool {
    let holds = |end: Result<EndpointId, IpAddr>, address: IpAddr| match end {
        Ok(id) => policy[id].addresses.contains(address),
        Err(only) => only == address,
    };
    let (from, to, over) = ends;
    seen.protocol == packet.protocol
        && over == service(packet)
        && holds(from, packet.source)
        && holds(to, packet.destination)
}
