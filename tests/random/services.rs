//! Random services and hours, as a policy writes them.

use super::dice::Dice;

/// Ports with something at them or beside them.
const PORTS: [u16; 14] = [0, 1, 22, 53, 67, 80, 81, 443, 1023, 1024, 5000, 32767, 65534, 65535];

/// Messages, and protocols without ports.
const WITHOUT_PORTS: [&str; 12] = [
    "icmp echo-request",
    "icmp echo-request",
    "icmpv6 echo-request",
    "icmpv6 echo-request",
    "icmp timestamp-request",
    "icmp",
    "icmpv6",
    "gre",
    "esp",
    "ospf",
    "protocol 97",
    "igmp",
];

/// Protocols with ports.
const WITH_PORTS: [&str; 12] =
    ["tcp", "tcp", "tcp", "tcp", "tcp", "udp", "udp", "udp", "tcp/udp", "tcp/udp", "sctp", "dccp"];

/// A protocol with ports or without.
pub(super) fn spec(dice: &mut Dice) -> String {
    if dice.once_in(4) {
        return (*dice.pick(&WITHOUT_PORTS)).to_owned();
    }
    // Few targets can name ports of these two.
    let protocol = match *dice.pick(&WITH_PORTS) {
        "sctp" | "dccp" if !dice.once_in(3) => "udp",
        protocol => protocol,
    };
    if dice.once_in(8) {
        return format!("{protocol} any");
    }
    let source = if dice.once_in(6) { format!(" source-port {}", ports(dice)) } else { String::new() };
    format!("{protocol} {}{source}", ports(dice))
}

fn ports(dice: &mut Dice) -> String {
    let list = (0..dice.between(1, 3)).map(|_| {
        let (one, other) = (*dice.pick(&PORTS), *dice.pick(&PORTS));
        if dice.once_in(2) { one.to_string() } else { format!("{}-{}", one.min(other), one.max(other)) }
    });
    list.collect::<Vec<_>>().join(", ")
}

/// Days with hours, on quarters of an hour.
pub(super) fn windows(dice: &mut Dice) -> String {
    let windows = (0..dice.between(1, 2)).map(|_| {
        let days = *dice.pick(&["mon", "sun", "mon..fri", "sat..mon", "tue, thu", "fri..wed", "mon..sun"]);
        let quarter = |dice: &mut Dice| dice.below(96);
        let hours = (0..dice.between(1, 2)).map(|_| {
            let start = if dice.once_in(4) { 0 } else { quarter(dice) };
            let end = if dice.once_in(4) { 96 } else { quarter(dice) };
            format!("{:02}:{:02}-{:02}:{:02}", start / 4, start % 4 * 15, end / 4, end % 4 * 15)
        });
        format!("{days} {}", hours.collect::<Vec<_>>().join(", "))
    });
    windows.collect::<Vec<_>>().join(" ")
}
