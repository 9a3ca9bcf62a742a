//! Which packets answer others, for targets that tell answers by what they look like.

use crate::set::{Interval, IntervalMap, IntervalSet, Ports, Set, Traffic, union_all};

/// The protocol number of TCP (RFC 9293).
const TCP: u8 = 6;

/// The packets that answer: TCP by itself, since its answers are told from first packets, and all else. `icmp` is the
/// protocol of messages in the family of the traffic.
pub(super) fn replies(traffic: &Traffic, icmp: u8) -> (Traffic, Traffic) {
    let (mut established, mut others) = (Vec::new(), Vec::new());
    let part = |protocol| only(protocol, Ports::full()).intersection(traffic);
    established.push(mirrored(&part(TCP)));
    for (request, reply) in requests(icmp) {
        others.push(answers(&part(icmp), *request, *reply));
    }
    let known = only(TCP, Ports::full()).union(&only(icmp, Ports::full()));
    others.push(mirrored(&traffic.difference(&known)));
    (union_all(established), union_all(others))
}

fn only(protocol: u8, ports: Ports) -> Traffic {
    Traffic::from_interval(Interval::single(protocol), ports)
}

/// Requests of ICMP with their replies (RFC 792, RFC 950, RFC 4443, RFC 4620).
fn requests(icmp: u8) -> &'static [(u8, u8)] {
    if icmp == crate::set::ICMP { &[(8, 0), (13, 14), (15, 16), (17, 18)] } else { &[(128, 129), (139, 140)] }
}

/// The same codes of another type.
fn answers(traffic: &Traffic, request: u8, reply: u8) -> Traffic {
    let mut found = Vec::new();
    let code = |code| u16::from_be_bytes([request, code]);
    let asked = IntervalSet::from_interval(Interval::spanning(code(u8::MIN), code(u8::MAX)), true);
    for (protocol, ports) in traffic.entries() {
        for (source_ports, messages) in ports.entries() {
            let held = messages.intersection(&asked);
            found.extend(held.intervals().map(|run| {
                let moved = |value: u16| {
                    let [_, code] = value.to_be_bytes();
                    u16::from_be_bytes([reply, code])
                };
                let run = Interval::spanning(moved(run.first()), moved(run.last()));
                let ports = Ports::from_interval(*source_ports, IntervalSet::from_interval(run, true));
                Traffic::from_interval(*protocol, ports)
            }));
        }
    }
    union_all(found)
}

/// The same with source and destination ports exchanged.
fn mirrored(traffic: &Traffic) -> Traffic {
    traffic.map_members(|ports| {
        let pairs = ports.entries().iter().flat_map(|(source, destinations)| {
            let source = IntervalSet::from_interval(*source, true);
            destinations.intervals().map(move |to| IntervalMap::from_interval(to, source.clone()))
        });
        union_all(pairs)
    })
}
