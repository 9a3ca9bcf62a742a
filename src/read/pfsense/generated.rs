//! The rules that pfSense makes of its own.
//!
//! In: what the config says that they hang on. Out: rules of pf in the order in which they stand there, all of them before
//! those of users. They are those of `filter_rules_generate` (`filter.inc`), of pfSense 2.7.2 and its successor. Left out
//! are those that decide nothing that another does not:
//! - `antispoof`, which is not quick: it blocks what is blocked without it, and whatever passes comes later;
//! - `let out anything from firewall host itself` with a gateway, which routes what the rule before it passes;
//! - the block of monitoring of gateways that have no address, which concerns packets of the device only while it lasts;
//! - anchors, which are empty unless a service fills them: such services are mistakes (see `section`).

use std::sync::Arc;

use super::super::model::{Condition, Family, Interfaces};
use super::device::{Addressing, Interface, only};
use super::packet::{self, Addresses, BOTH, End, ICMP6, TCP, UDP, opening, within};
use super::rule::{PfRule, Target, Verdict};

/// What rules of pfSense itself hang on.
#[derive(Clone, Debug, Default)]
pub(super) struct Own {
    /// The line to which they belong.
    pub(super) line: usize,
    /// False if all of IPv6 is blocked.
    pub(super) ipv6: bool,
    /// True if 169.254.0.0/16 is blocked.
    pub(super) blocks_link_local: bool,
    /// True if what NAT64 would send to networks that are not global is blocked.
    pub(super) blocks_nat64: bool,
    /// The ports that hosts which guess passwords are shut out of: SSH and the web interface.
    pub(super) lockouts: Vec<u16>,
    /// True if an address is shared by CARP.
    pub(super) carp: bool,
    /// Rules of interfaces.
    pub(super) interfaces: Vec<PfRule>,
    /// The rule that keeps the web interface open.
    pub(super) anti_lockout: Option<PfRule>,
}

/// The networks in 64:ff9b::/96 that stand for IPv4 networks that are not global (`_nat64reserved_`, globals.inc).
const NAT64_RESERVED: &[&str] = &[
    "64:ff9b::0/104",
    "64:ff9b::a00:0/104",
    "64:ff9b::6440:0/106",
    "64:ff9b::7f00:0/104",
    "64:ff9b::a9fe:0/112",
    "64:ff9b::ac10:0/108",
    "64:ff9b::c000:0/120",
    "64:ff9b::c000:200/120",
    "64:ff9b::c058:6300/120",
    "64:ff9b::c0a8:0/112",
    "64:ff9b::c612:0/111",
    "64:ff9b::c633:6400/120",
    "64:ff9b::cb00:7100/120",
    "64:ff9b::e000:0/100",
    "64:ff9b::f000:0/100",
    "64:ff9b::ffff:ffff/128",
];

const V4: &[Family] = &[Family::V4];
const V6: &[Family] = &[Family::V6];

/// Which way packets go that a rule is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Way {
    In,
    Out,
    Both,
}

/// A rule that is quick and on all interfaces.
fn rule(line: usize, label: &str, way: Way, verdict: Verdict, conditions: Vec<Condition>) -> PfRule {
    PfRule {
        line,
        label: Some(Arc::from(label)),
        inbound: way != Way::Out,
        outbound: way != Way::In,
        quick: true,
        interfaces: Interfaces::Any,
        target: Target::Anywhere,
        conditions,
        opaque: Vec::new(),
        verdict,
    }
}

fn on(rule: PfRule, interface: &str) -> PfRule {
    PfRule { interfaces: only(vec![interface.to_owned()]), ..rule }
}

fn opaque(rule: PfRule, condition: &str) -> PfRule {
    PfRule { opaque: vec![condition.to_owned()], ..rule }
}

/// All rules of pfSense's own.
pub(super) fn rules(own: &Own) -> Vec<PfRule> {
    let mut rules = blocks_of_addresses(own);
    if own.ipv6 {
        rules.extend(icmp6(own.line));
    }
    rules.extend(port_zero(own));
    rules.extend(tables(own));
    rules.extend(own.interfaces.iter().cloned());
    let families = if own.ipv6 { BOTH } else { V4 };
    for way in [Way::In, Way::Out] {
        let conditions = vec![packet::of_families(families), opening(families)];
        let loopback = rule(own.line, "pass loopback", way, Verdict::Pass, conditions);
        rules.push(PfRule { quick: false, ..on(loopback, "lo0") });
    }
    let conditions = vec![packet::of_families(families), opening(families)];
    let let_out =
        rule(own.line, "let out anything from firewall host itself", Way::Out, Verdict::Pass, conditions);
    rules.push(PfRule { quick: false, ..let_out });
    rules.extend(own.anti_lockout.iter().cloned());
    rules
}

fn blocks_of_addresses(own: &Own) -> Vec<PfRule> {
    let mut rules = Vec::new();
    if !own.ipv6 {
        let v6 = vec![packet::of_families(V6)];
        let conditions = vec![packet::of_families(V6), opening(V6)];
        rules.push(on(rule(own.line, "pass IPv6 loopback", Way::Both, Verdict::Pass, conditions), "lo0"));
        rules.push(rule(own.line, "Block all IPv6", Way::Both, Verdict::Block, v6));
    }
    if own.blocks_nat64 {
        let conditions = vec![within(End::Destination, NAT64_RESERVED)];
        rules.push(rule(own.line, "Block NAT64 for non-global IPv4", Way::Both, Verdict::Block, conditions));
    }
    if own.blocks_link_local {
        for end in [End::Source, End::Destination] {
            let conditions = vec![within(end, &["169.254.0.0/16"])];
            rules.push(rule(own.line, "Block IPv4 link-local", Way::In, Verdict::Block, conditions));
        }
    }
    rules
}

/// ICMPv6 that IPv6 does not work without.
fn icmp6(line: usize) -> Vec<PfRule> {
    let operation = |way, ends: &[(End, &str)], types: &[u8]| {
        let ends = ends.iter().map(|(end, prefix)| within(*end, &[prefix]));
        let conditions = ends.chain([packet::with_types(V6, ICMP6, types)]).collect();
        rule(line, "ICMPv6 operation", way, Verdict::Pass, conditions)
    };
    let between =
        |way, from, to, types: &[u8]| operation(way, &[(End::Source, from), (End::Destination, to)], types);
    let (out, arriving) = ([129, 133, 134, 135, 136], [128, 133, 134, 135, 136]);
    vec![
        operation(Way::Both, &[], &[1, 2, 135, 136]),
        between(Way::Out, "fe80::/10", "fe80::/10", &out),
        between(Way::Out, "fe80::/10", "ff02::/16", &out),
        between(Way::In, "fe80::/10", "fe80::/10", &arriving),
        between(Way::In, "ff02::/16", "fe80::/10", &arriving),
        between(Way::In, "fe80::/10", "ff02::/16", &arriving),
        between(Way::In, "::/128", "ff02::/16", &arriving),
    ]
}

/// TCP and UDP from and to port 0. With IPv6 blocked there is none for it, and none is needed.
fn port_zero(own: &Own) -> Vec<PfRule> {
    let ends = [(End::Source, "Block traffic from port 0"), (End::Destination, "Block traffic to port 0")];
    ends.map(|(end, label)| {
        let conditions = vec![packet::with_ports(BOTH, &[TCP, UDP], end, &[(0, 0)])];
        rule(own.line, label, Way::Both, Verdict::Block, conditions)
    })
    .into()
}

/// Tables that are filled while the device runs, and CARP.
fn tables(own: &Own) -> Vec<PfRule> {
    let block =
        |label, way, condition| opaque(rule(own.line, label, way, Verdict::Block, Vec::new()), condition);
    let mut rules = vec![
        block("Block snort2c hosts", Way::Both, "from <snort2c>"),
        block("Block snort2c hosts", Way::Both, "to <snort2c>"),
    ];
    if own.carp {
        let carp = vec![packet::of_protocols(BOTH, &[112])];
        let looped = rule(own.line, "CARP operation", Way::In, Verdict::Block, carp.clone());
        rules.push(opaque(looped, "from (self)"));
        rules.push(rule(own.line, "CARP operation", Way::Both, Verdict::Pass, carp));
    }
    for port in &own.lockouts {
        let conditions = vec![packet::with_ports(BOTH, &[TCP], End::Destination, &[(*port, *port)])];
        let lockout = rule(own.line, "sshguard", Way::In, Verdict::Block, conditions);
        let lockout = PfRule { target: Target::Device { negated: false }, ..lockout };
        rules.push(opaque(lockout, "from <sshguard>"));
    }
    rules.push(block("virusprot overload table", Way::In, "from <virusprot>"));
    rules
}

/// Networks that nobody on the Internet has, in the order of their rules.
const PRIVATE: &[&str] = &["10.0.0.0/8", "127.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"];

/// The rules that an interface has for what it is: how it gets its addresses, and what it blocks.
pub(super) fn of_interface(id: &str, interface: &Interface, ipv6: bool) -> Vec<PfRule> {
    let line = interface.line;
    let mut rules = Vec::new();
    let udp = |families, way, label, ports: &[(End, u16)], prefixes: &[(End, &str)]| {
        udp_rule(line, (families, way, label), ports, prefixes)
    };
    if interface.kind4 == "dhcp" {
        let ends = |from, to| [(End::Source, from), (End::Destination, to)];
        rules.push(udp(BOTH, Way::In, "allow dhcp replies in", &ends(67, 68), &[]));
        rules.push(udp(BOTH, Way::Out, "allow dhcp client out", &ends(68, 67), &[]));
    }
    if ipv6 && ["dhcp6", "slaac"].contains(&interface.kind6.as_str()) {
        let ends = |from, to| [(End::Source, from), (End::Destination, to)];
        let local = [(End::Source, "fe80::/10"), (End::Destination, "fe80::/10")];
        rules.push(udp(V6, Way::In, "allow dhcpv6 client in", &ends(546, 546), &local));
        rules.push(udp(BOTH, Way::In, "allow dhcpv6 client in", &ends(547, 546), &[]));
        rules.push(udp(BOTH, Way::Out, "allow dhcpv6 client out", &ends(546, 547), &[]));
    }
    if interface.blocks_bogons {
        let tables = [
            ("block bogon IPv4 networks", "from <bogons>"),
            ("block bogon IPv6 networks", "from <bogonsv6>"),
        ];
        for (label, table) in tables.into_iter().take(if ipv6 { 2 } else { 1 }) {
            rules.push(opaque(rule(line, label, Way::In, Verdict::Block, Vec::new()), table));
        }
    }
    if interface.blocks_private {
        let blocks = PRIVATE.iter().map(|network| {
            rule(
                line,
                "Block private networks",
                Way::In,
                Verdict::Block,
                vec![within(End::Source, &[network])],
            )
        });
        rules.extend(blocks);
    }
    rules.into_iter().map(|rule| on(rule, id)).collect()
}

fn udp_rule(
    line: usize,
    (families, way, label): (&[Family], Way, &str),
    ports: &[(End, u16)],
    prefixes: &[(End, &str)],
) -> PfRule {
    let ports = ports.iter().map(|(end, port)| packet::with_ports(families, &[UDP], *end, &[(*port, *port)]));
    let prefixes = prefixes.iter().map(|(end, prefix)| within(*end, &[prefix]));
    rule(line, label, way, Verdict::Pass, ports.chain(prefixes).collect())
}

/// A rule for UDP that names the address of an interface at one end: opaque, if the network gives it.
fn with_own(rule: PfRule, id: &str, end: End, family: Family, address: Addressing) -> Option<PfRule> {
    let word = match end {
        End::Source => "from",
        End::Destination => "to",
    };
    match address {
        Addressing::None => None,
        Addressing::Static { address, .. } => {
            let mut own = Addresses::default();
            own.add((family, (address, address)));
            let mut rule = rule;
            rule.conditions.push(Condition::any_of(own.boxes(family, end)));
            Some(rule)
        }
        Addressing::Dynamic => Some(opaque(rule, &format!("{word} {id}ip"))),
    }
}

/// The rules for a DHCP server or relay on an interface. Those for a relay do not name its address.
pub(super) fn dhcp(id: &str, line: usize, address: Addressing, relay: bool) -> Vec<PfRule> {
    let label = if relay { "allow access to DHCP relay" } else { "allow access to DHCP server" };
    let ends = |from, to| [(End::Source, from), (End::Destination, to)];
    let own = if relay { Addressing::None } else { address };
    let broadcast = [(End::Destination, "255.255.255.255")];
    let to = udp_rule(line, (V4, Way::In, label), &ends(68, 67), &[]);
    let from = udp_rule(line, (V4, Way::Out, label), &ends(67, 68), &[]);
    let rules = [
        Some(udp_rule(line, (V4, Way::In, label), &ends(68, 67), &broadcast)),
        with_own(to, id, End::Destination, Family::V4, own),
        with_own(from, id, End::Source, Family::V4, own),
    ];
    rules.into_iter().flatten().map(|rule| on(rule, id)).collect()
}

/// The rules for the partner of a DHCP server.
pub(super) fn dhcp_partner(id: &str, line: usize, address: u128, partner: &str) -> Vec<PfRule> {
    let own = v4_text(address);
    let each = [519, 520].map(|port| {
        let conditions = vec![
            within(End::Source, &[partner]),
            within(End::Destination, &[&own]),
            packet::with_ports(V4, &[TCP, UDP], End::Destination, &[(port, port)]),
            opening(V4),
        ];
        on(rule(line, "allow access to DHCP failover", Way::In, Verdict::Pass, conditions), id)
    });
    each.into()
}

/// The rules for a DHCPv6 server or relay on an interface.
pub(super) fn dhcp6(id: &str, line: usize, address: Addressing) -> Vec<PfRule> {
    let label = "allow access to DHCPv6 server";
    let between = |from, to, port| {
        let prefixes = [(End::Source, from), (End::Destination, to)];
        Some(udp_rule(line, (V6, Way::Both, label), &[(End::Destination, port)], &prefixes))
    };
    let local = |way, ports, end| udp_rule(line, (V6, way, label), &[ports], &[(end, "fe80::/10")]);
    let to = local(Way::In, (End::Destination, 546), End::Source);
    let from = local(Way::Out, (End::Source, 547), End::Destination);
    let rules = [
        between("fe80::/10", "fe80::/10", 546),
        between("fe80::/10", "ff02::/16", 546),
        between("fe80::/10", "ff02::/16", 547),
        between("ff02::/16", "fe80::/10", 547),
        with_own(to, id, End::Destination, Family::V6, address),
        with_own(from, id, End::Source, Family::V6, address),
    ];
    rules.into_iter().flatten().map(|rule| on(rule, id)).collect()
}

fn v4_text(address: u128) -> String {
    std::net::Ipv4Addr::from(u32::try_from(address).unwrap_or(0)).to_string()
}

/// The rule that keeps the web interface and SSH open on an interface, at its own addresses. Which they are is opaque
/// unless all are in the config; those that are local to the link are, since packets to others do not get here.
pub(super) fn anti_lockout(id: &str, line: usize, interface: &Interface, ports: &[u16]) -> PfRule {
    let ranges: Vec<(u16, u16)> = ports.iter().map(|port| (*port, *port)).collect();
    let mut conditions = vec![packet::with_ports(BOTH, &[TCP], End::Destination, &ranges), opening(BOTH)];
    let mut own = vec!["fe80::/10".to_owned()];
    let mut known = !interface.has_virtual_addresses();
    for family in BOTH {
        match (family, interface.addressing(*family)) {
            (Family::V4 | Family::V6, Addressing::None) => {}
            (Family::V4, Addressing::Static { address, .. }) => own.push(v4_text(address)),
            (Family::V6, Addressing::Static { address, .. }) => {
                own.push(std::net::Ipv6Addr::from(address).to_string())
            }
            (Family::V4 | Family::V6, Addressing::Dynamic) => known = false,
        }
    }
    let own: Vec<&str> = own.iter().map(String::as_str).collect();
    if known {
        conditions.push(within(End::Destination, &own));
    }
    let rule = rule(line, "anti-lockout rule", Way::In, Verdict::Pass, conditions);
    let rule = on(PfRule { target: Target::OnlyDevice, ..rule }, id);
    if known { rule } else { opaque(rule, &format!("to ({id})")) }
}
