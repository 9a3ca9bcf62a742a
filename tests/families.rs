//! A policy whose rules speak of one address family, or of one protocol with its own ports, and packets around them.
//!
//! What is allowed is said here once more, without cordon, so that a mistake that its model and its output share is
//! seen too. Each target has a test that takes all packets through its output.

use std::net::IpAddr;

use cordon::set::{ICMP, ICMPV6, Packet};

const TCP: u8 = 6;
const UDP: u8 = 17;
const GRE: u8 = 47;

/// The policy, with one enforcement point of a target between the interfaces `from` and `to`.
pub(crate) fn policy(kind: &str, target: &str, [from, to]: [&str; 2]) -> String {
    format!(
        "policy \"families\"
zone a {{ net 10.1.0.0/24, 2001:db8:1::/64 }}
zone b {{ net 10.2.0.0/24, 2001:db8:2::/64 }}
peer a4 in a {{ host 10.1.0.4 }}
peer b4 in b {{ host 10.2.0.4 }}
peer a6 in a {{ host 2001:db8:1::6 }}
allow only4 {{ from a4  to b4  via tcp 4001 }}
allow from4 {{ from a4  to b  via tcp 4002 }}
allow to4   {{ from a  to b4  via tcp 4003 }}
allow from6 {{ from a6  to b  via tcp 4006 }}
allow ping6 {{ from a  to b  via icmpv6 echo-request }}
allow ping4 {{ from b  to a  via icmp echo-request }}
allow mixed {{ from a  to b  via tcp 443, udp 514 }}
manage admin {{ from b  via tcp 22 }}
{kind} core {{
  target {target}
  interface {from} zone a
  interface {to} zone b
}}
"
    )
}

/// Every packet between hosts of both zones, in both families, over each port that a rule names and some that none
/// does. No packet answers another.
pub(crate) fn packets() -> Vec<Packet> {
    let a = ["10.1.0.4", "10.1.0.9", "2001:db8:1::4", "2001:db8:1::6"];
    let b = ["10.2.0.4", "10.2.0.9", "2001:db8:2::4", "2001:db8:2::6"];
    let address = |text: &str| text.parse::<IpAddr>().unwrap();
    let ways = a.iter().flat_map(|one| b.iter().flat_map(move |other| [(one, other), (other, one)]));
    let mut packets = Vec::new();
    for (source, destination) in ways.map(|(source, destination)| (address(source), address(destination))) {
        if source.is_ipv4() == destination.is_ipv4() {
            for (protocol, destination_port) in traffic(source.is_ipv4()) {
                let own = 20_000 + u16::try_from(packets.len()).unwrap();
                let source_port = if matches!(protocol, TCP | UDP) { own } else { 0 };
                packets.push(Packet { source, destination, protocol, source_port, destination_port });
            }
        }
    }
    packets
}

fn traffic(is_v4: bool) -> Vec<(u8, u16)> {
    let echo_request = if is_v4 { (ICMP, 8 << 8) } else { (ICMPV6, 128 << 8) };
    let ports = [443, 514, 4001, 4002, 4003, 4006];
    let tcp = ports.iter().map(|port| (TCP, *port));
    tcp.chain(ports.iter().map(|port| (UDP, *port))).chain([echo_request, (GRE, 0)]).collect()
}

/// True if the policy allows a packet.
pub(crate) fn is_allowed(packet: &Packet) -> bool {
    let is = |address: IpAddr, text: &str| address == text.parse::<IpAddr>().unwrap();
    let outward = match packet.source {
        IpAddr::V4(source) => source.octets()[1] == 1,
        IpAddr::V6(source) => source.segments()[2] == 1,
    };
    let (from4, to4) = (is(packet.source, "10.1.0.4"), is(packet.destination, "10.2.0.4"));
    match (packet.protocol, packet.destination_port) {
        (TCP, 4001) => from4 && to4,
        (TCP, 4002) => from4,
        (TCP, 4003) => outward && to4,
        (TCP, 4006) => is(packet.source, "2001:db8:1::6"),
        (ICMPV6, _) | (TCP, 443) | (UDP, 514) => outward,
        (ICMP, _) => !outward,
        _ => false,
    }
}

/// Fails where what a target does with a packet is not what the policy says.
#[track_caller]
pub(crate) fn judge(passes: impl Fn(&Packet) -> bool) {
    let packets = packets();
    let wrong: Vec<String> = packets
        .iter()
        .filter(|packet| passes(packet) != is_allowed(packet))
        .map(|packet| format!("{packet}: allowed is {}", is_allowed(packet)))
        .collect();
    assert!(wrong.is_empty(), "{} of {} wrong\n{}", wrong.len(), packets.len(), wrong.join("\n"));
    let allowed = packets.iter().filter(|packet| is_allowed(packet)).count();
    assert!(allowed >= 30 && packets.len() > 200, "{allowed} of {}", packets.len());
}
