//! Random policies in the kernel: packets at their edges meet what their statements say, without a model in between.
//!
//! The long version is `CORDON_CASES=1000 cargo test kernel::random`.

use std::collections::BTreeSet;
use std::net::IpAddr;

use cordon::set::AddressRange;
use ipnet::{Ipv4Subnets, Ipv6Subnets};

use super::lab::{Lab, Outcome, Packet as Frame, Step, StepOutcome, Transport, flags, run};
use super::martian::unforwardable;
use super::require::ready;
use super::site::{IPTABLES, Loader, Site, compare};
use crate::random::{
    DEVICE, Dice, Naive, Packet, Random, Sampler, Verdict, Wanted, cases, is_expressible, read,
};
use crate::support::AS_OF;

/// Packets that are sent through each policy.
const PACKETS: usize = 400;

/// The kernel has one time only, so nothing here depends on it.
const WANTED: Wanted = Wanted { schedules: false, shared_interfaces: true, managed_by_rest: true };

/// The packet as the lab sends it; none for what it cannot make, or cannot be opened with.
fn frame(packet: &Packet, naive: &Naive, id: u32) -> Option<Frame> {
    let Packet { source, destination, protocol, source_port, destination_port } = *packet;
    let transport = match protocol {
        6 => Transport::Tcp { source_port, destination_port, flags: flags::SYN },
        17 => Transport::Udp { source_port, destination_port },
        132 => Transport::Sctp { source_port, destination_port, acknowledge: false },
        1 | 58 => {
            let opens =
                matches!((protocol, source.is_ipv4(), source_port), (1, true, 8 | 13) | (58, false, 128));
            let kind = u8::try_from(source_port).ok().filter(|_| opens)?;
            Transport::Icmp { kind, code: 0, identifier: u16::try_from(id).unwrap() }
        }
        47 | 50 | 89 | 97 => Transport::Other { protocol },
        _ => return None,
    };
    let ingress = naive.interface(DEVICE, source)?.to_owned();
    Some(Frame { id, ingress, source, destination, transport })
}

/// What the statements say of a packet that can be sent.
fn expected(packet: &Packet, naive: &Naive) -> Option<Outcome> {
    let (arrives, leaves) =
        (naive.interface(DEVICE, packet.source)?, naive.interface(DEVICE, packet.destination)?);
    let verdict = naive.judge(packet).0;
    (arrives != leaves && unforwardable(packet.source, packet.destination).is_none()).then(|| match verdict {
        Verdict::Allowed => Outcome::Delivered(leaves.to_owned()),
        Verdict::Denied | Verdict::Scheduled | Verdict::Local => Outcome::Dropped,
    })
}

/// The ends of a connection, whoever opens it.
fn connection(packet: &Packet) -> (BTreeSet<(IpAddr, u16)>, u8) {
    let ports = if matches!(packet.protocol, 1 | 58) {
        (0, 0)
    } else {
        (packet.source_port, packet.destination_port)
    };
    (BTreeSet::from([(packet.source, ports.0), (packet.destination, ports.1)]), packet.protocol)
}

/// The prefixes that make up an interval of addresses.
fn prefixes(range: AddressRange) -> Vec<String> {
    match range {
        AddressRange::V4(range) => {
            let subnets = Ipv4Subnets::new(range.first().into(), range.last().into(), 0);
            subnets.map(|net| net.to_string()).collect()
        }
        AddressRange::V6(range) => {
            let subnets = Ipv6Subnets::new(range.first().into(), range.last().into(), 0);
            subnets.map(|net| net.to_string()).collect()
        }
    }
}

/// The router of a site. A zone with a hole in it is routed as the prefixes around the hole.
fn router(site: &Site, frames: &[Frame]) -> Lab {
    let mut lab = site.lab(vec![Step::Send(frames.to_vec())]);
    for (interface, declared) in lab.interfaces.iter_mut().zip(&site.policy.devices[0].interfaces) {
        let zones = declared.zones.iter().map(|zone| &site.policy[*zone]).filter(|zone| !zone.is_rest);
        interface.prefixes = zones.flat_map(|zone| zone.addresses.ranges()).flat_map(prefixes).collect();
    }
    lab
}

/// Sends packets through a policy: how many passed, and how many did not; none if the target has no words for it.
fn replay(seed: u64, loader: Loader) -> Option<(usize, usize)> {
    let random = Random::new(seed, WANTED);
    let target = if loader == Loader::Nftables { "nftables" } else { "iptables" };
    if !is_expressible(&random.text(target, false)) {
        return None;
    }
    let text = random.text("nftables", false);
    let read = read(&text).unwrap_or_else(|said| panic!("policy {seed}: {said}"));
    let naive = Naive::new(&read.files, AS_OF);
    let (sampler, mut dice) = (Sampler::new(&naive, &read.files), Dice::new(seed));
    let (mut frames, mut outcomes, mut known) = (Vec::new(), Vec::new(), BTreeSet::new());
    for id in 1..=u32::try_from(PACKETS).unwrap() {
        let packet = sampler.packet(&read.files, &mut dice);
        let Some(outcome) = expected(&packet, &naive) else { continue };
        let Some(frame) = frame(&packet, &naive, id) else { continue };
        // A packet between the same ends as one before would belong to its connection.
        if known.insert(connection(&packet)) {
            frames.push(frame);
            outcomes.push(outcome);
        }
    }
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("random.cordon"), &text).unwrap();
    let site = Site::compile_for(directory.path(), loader);
    let results = run(&router(&site, &frames)).unwrap_or_else(|why| panic!("policy {seed}: {why}\n{text}"));
    let [StepOutcome::Sent(results)] = results.as_slice() else { panic!("{results:?}") };
    compare(&format!("policy {seed} by {loader:?}\n{text}"), &frames, &outcomes, results);
    let passed = outcomes.iter().filter(|outcome| **outcome != Outcome::Dropped).count();
    Some((passed, outcomes.len() - passed))
}

/// Replays all policies under one loader.
fn replay_all(test: &str, loader: Loader, normal: u64) {
    if !ready(test, loader.tools()) {
        return;
    }
    let replays: Vec<Option<(usize, usize)>> = cases(normal).map(|seed| replay(seed, loader)).collect();
    let (passed, stopped) =
        replays.iter().flatten().fold((0, 0), |(p, s), (passed, stopped)| (p + passed, s + stopped));
    let skipped = replays.iter().filter(|replay| replay.is_none()).count();
    let policies = replays.len() - skipped;
    eprintln!(
        "{loader:?}: {policies} policies, {passed} packets passed, {stopped} were dropped; {skipped} skipped"
    );
    assert!(passed * 20 > stopped && stopped * 20 > passed, "{passed} passed, {stopped} dropped");
    assert!(skipped <= policies, "{skipped} policies were skipped, {policies} were not");
}

#[test]
fn random_policies_hold_in_the_kernel_under_nftables() {
    replay_all("random_policies_hold_in_the_kernel_under_nftables", Loader::Nftables, 6);
}

#[test]
fn random_policies_hold_in_the_kernel_under_iptables() {
    for loader in IPTABLES {
        replay_all("random_policies_hold_in_the_kernel_under_iptables", loader, 3);
    }
}
