//! Rules of one family, and of one protocol, in the kernel: nothing of the other passes.

use cordon::set::{ICMP, ICMPV6};

use super::lab::{Outcome, Packet, Step, StepOutcome, Transport, flags, run};
use super::require::ready;
use super::shapes;
use super::site::{IPTABLES, Loader, Site, send};
use crate::families::{is_allowed, judge, packets, policy};

/// A packet of the table as the first of a connection.
fn opening(site: &Site, packet: &cordon::set::Packet, id: u32) -> Packet {
    let cordon::set::Packet { source, destination, protocol, source_port, destination_port } = *packet;
    let [kind, code] = destination_port.to_be_bytes();
    let transport = match protocol {
        6 => Transport::Tcp { source_port, destination_port, flags: flags::SYN },
        17 => Transport::Udp { source_port, destination_port },
        ICMP | ICMPV6 => Transport::Icmp { kind, code, identifier: u16::try_from(id).unwrap() },
        protocol => Transport::Other { protocol },
    };
    Packet { id, ingress: site.interface(source), source, destination, transport }
}

fn check(test: &str, loader: Loader) {
    if !ready(test, loader.tools()) {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("a.cordon"), policy("firewall", "nftables", ["a0", "b0"])).unwrap();
    let site = Site::compile_for(directory.path(), loader);
    let sent: Vec<Packet> =
        packets().iter().zip(1..).map(|(packet, id)| opening(&site, packet, id)).collect();
    let outcomes = send(&site, &sent);
    assert!(outcomes.iter().filter(|outcome| **outcome == Outcome::Dropped).count() > 100);
    judge(|packet| {
        let place = packets().iter().position(|other| other == packet).unwrap();
        let delivered = Outcome::Delivered(site.interface(packet.destination));
        assert!(!is_allowed(packet) || outcomes[place] == delivered, "{packet}: {:?}", outcomes[place]);
        outcomes[place] != Outcome::Dropped
    });
}

#[test]
fn each_family_and_protocol_keeps_to_itself_in_nftables() {
    check("each_family_and_protocol_keeps_to_itself_in_nftables", Loader::Nftables);
}

#[test]
fn each_family_and_protocol_keeps_to_itself_in_iptables() {
    for loader in IPTABLES {
        check("each_family_and_protocol_keeps_to_itself_in_iptables", loader);
    }
}

/// IPv6 from an interface behind which all zones have IPv4 only: a reply of a connection that is known.
fn stray_family(loader: Loader) {
    let site = shapes::shapes_for(loader);
    let rows = site.query("proto,src,dst,sport,dport\ntcp,2001:db8:1::3,2001:db8:3::10,30002,3613\n");
    let opening = site.packet(&rows[0], 1);
    let transport =
        Transport::Tcp { source_port: 3613, destination_port: 30002, flags: flags::SYN | flags::ACK };
    let (source, destination) = (opening.destination, opening.source);
    let reply = |id, ingress: &str| Packet {
        id,
        ingress: ingress.to_owned(),
        source,
        destination,
        transport: transport.clone(),
    };
    let steps = vec![Step::Send(vec![opening.clone()]), Step::Send(vec![reply(2, "lab0"), reply(3, "srv0")])];
    let outcomes = run(&site.lab(steps)).unwrap();
    let StepOutcome::Sent(replies) = &outcomes[1] else { panic!("{outcomes:?}") };
    assert_eq!(*replies, [Outcome::Dropped, Outcome::Delivered("ward0".to_owned())]);
}

#[test]
fn a_family_that_no_zone_behind_an_interface_has_does_not_enter_by_it() {
    let test = "a_family_that_no_zone_behind_an_interface_has_does_not_enter_by_it";
    for loader in [Loader::Nftables].into_iter().chain(IPTABLES) {
        if ready(test, loader.tools()) {
            stray_family(loader);
        }
    }
}
