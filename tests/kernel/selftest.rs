//! The lab under test: rulesets whose effect is known by heart, and what the lab must say of each.

use super::lab::{self, Interface, Invocation, Lab, Outcome, Packet, Step, StepOutcome, Transport, flags};
use super::require::ready;

/// Two zones and the rest: `vlan230`, `vlan231` and, with the default routes, `wan0`.
pub(super) fn interfaces() -> Vec<Interface> {
    let interface = |name: &str, prefixes: &[&str]| Interface {
        name: name.to_owned(),
        prefixes: prefixes.iter().map(|&prefix| prefix.to_owned()).collect(),
        addresses: Vec::new(),
        default_route: prefixes.is_empty(),
    };
    vec![
        interface("vlan230", &["10.40.40.0/25", "2001:db8:600:230::/64"]),
        interface("vlan231", &["10.40.41.0/24", "2001:db8:600:231::/64"]),
        interface("wan0", &[]),
    ]
}

/// A packet whose id is still to be given.
#[expect(clippy::unwrap_used, reason = "addresses are written in the tests")]
pub(super) fn packet(ingress: &str, source: &str, destination: &str, transport: Transport) -> Packet {
    let (source, destination) = (source.parse().unwrap(), destination.parse().unwrap());
    Packet { id: 0, ingress: ingress.to_owned(), source, destination, transport }
}

/// The outcomes of sending `packets` as the last step of `lab`, which must run.
#[expect(clippy::panic, reason = "a lab that does not run fails the test")]
pub(super) fn outcomes(mut lab: Lab, packets: &[Packet]) -> Vec<Outcome> {
    lab.steps.push(Step::Send(packets.to_vec()));
    match lab::run(&lab).map(|mut steps| steps.pop()) {
        Ok(Some(StepOutcome::Sent(outcomes))) => outcomes,
        other => panic!("{other:?}"),
    }
}

const INSIDE: [&str; 2] = ["10.40.40.9", "2001:db8:600:230::9"];
const OUTSIDE: [&str; 2] = ["198.51.100.7", "2001:db8:77::7"];
/// Inside and outside address, by family.
const PAIRS: [(&str, &str); 2] = [(INSIDE[0], OUTSIDE[0]), (INSIDE[1], OUTSIDE[1])];
const ACCEPT_NEW: &str = "ct state new accept";
const STATEFUL: &str = "ct state vmap { established : accept, related : accept, invalid : drop }";

/// A router that forwards what `rules` accept.
fn router(rules: &str) -> Lab {
    let ruleset = format!(
        "table inet lab {{\n chain forward {{\n type filter hook forward priority filter; policy drop;\n{rules}\n }}\n}}\n"
    );
    Lab {
        interfaces: interfaces(),
        load: vec![Invocation::new("nft", &["-f", "-"]).input(&ruleset)],
        steps: Vec::new(),
    }
}

fn tcp(source_port: u16, destination_port: u16, flags: u8) -> Transport {
    Transport::Tcp { source_port, destination_port, flags }
}

fn udp(source_port: u16, destination_port: u16) -> Transport {
    Transport::Udp { source_port, destination_port }
}

fn fragmented(source_port: u16, destination_port: u16) -> Transport {
    Transport::FragmentedUdp { source_port, destination_port }
}

fn icmp(kind: u8) -> Transport {
    Transport::Icmp { kind, code: 0, identifier: 77 }
}

/// Each transport in both families, from the outside in.
fn one_of_each() -> Vec<Packet> {
    let mut packets = Vec::new();
    for ((inside, outside), echo) in PAIRS.into_iter().zip([8, 128]) {
        let sctp = Transport::Sctp { source_port: 3, destination_port: 4, acknowledge: false };
        let mut transports = vec![tcp(1, 80, flags::SYN), udp(2, 53), fragmented(2, 54), sctp, icmp(echo)];
        transports.extend([2, 47, 50, 89, 254].map(|protocol| Transport::Other { protocol }));
        let from_outside = |transport| packet("wan0", outside, inside, transport);
        packets.extend(transports.into_iter().map(from_outside));
    }
    packets.push(packet("wan0", OUTSIDE[0], INSIDE[0], Transport::Other { protocol: 51 }));
    numbered(packets)
}

fn numbered(packets: Vec<Packet>) -> Vec<Packet> {
    packets.into_iter().zip(1..).map(|(packet, id)| Packet { id, ..packet }).collect()
}

fn delivered(interface: &str) -> Outcome {
    Outcome::Delivered(interface.to_owned())
}

/// Checks which of `packets` pass `rules`; all go to `vlan230`.
fn check(rules: &str, packets: Vec<(Packet, bool)>) {
    let (packets, expected): (Vec<Packet>, Vec<bool>) = packets.into_iter().unzip();
    let passed = |outcome| match outcome {
        Outcome::Delivered(name) => name == "vlan230",
        Outcome::Partial(_) | Outcome::Dropped => false,
    };
    let outcomes: Vec<bool> = outcomes(router(rules), &numbered(packets)).into_iter().map(passed).collect();
    assert_eq!(outcomes, expected);
}

/// The same transport in both families, from the outside in.
fn both(transport: &Transport) -> [Packet; 2] {
    PAIRS.map(|(inside, outside)| packet("wan0", outside, inside, transport.clone()))
}

fn both_pass(transport: Transport, passes: bool) -> [(Packet, bool); 2] {
    both(&transport).map(|packet| (packet, passes))
}

#[test]
fn without_a_ruleset_everything_is_forwarded() {
    if !ready("without_a_ruleset_everything_is_forwarded", &[]) {
        return;
    }
    let mut packets = one_of_each();
    let mut expected = vec![delivered("vlan230"); packets.len()];
    packets.push(packet("vlan230", INSIDE[0], OUTSIDE[0], udp(5, 6)));
    packets.push(packet("vlan230", INSIDE[1], "2001:db8:600:231::1", udp(5, 6)));
    packets.push(packet("vlan230", INSIDE[0], "10.40.40.8", udp(5, 6)));
    expected.extend(["wan0", "vlan231", "vlan230"].map(delivered));
    let lab = Lab { interfaces: interfaces(), ..Lab::default() };
    assert_eq!(outcomes(lab, &numbered(packets)), expected);
}

#[test]
fn nothing_passes_a_policy_of_drop() {
    if !ready("nothing_passes_a_policy_of_drop", &["nft"]) {
        return;
    }
    check("", one_of_each().into_iter().map(|packet| (packet, false)).collect());
}

#[test]
fn checksums_satisfy_connection_tracking() {
    if !ready("checksums_satisfy_connection_tracking", &["nft"]) {
        return;
    }
    check(ACCEPT_NEW, one_of_each().into_iter().map(|packet| (packet, true)).collect());
}

#[test]
fn only_the_accepted_port_passes() {
    if !ready("only_the_accepted_port_passes", &["nft"]) {
        return;
    }
    let ports = [(79, false), (80, true), (81, false), (0, false), (65535, false)];
    let mut packets: Vec<_> =
        ports.into_iter().flat_map(|(port, passes)| both_pass(tcp(80, port, flags::SYN), passes)).collect();
    packets.extend(both_pass(udp(80, 80), false));
    packets.extend(both_pass(
        Transport::Sctp { source_port: 80, destination_port: 80, acknowledge: false },
        false,
    ));
    check("tcp dport 80 accept", packets);
}

#[test]
fn only_the_accepted_icmp_types_pass() {
    if !ready("only_the_accepted_icmp_types_pass", &["nft"]) {
        return;
    }
    let packets: Vec<_> = (0..=255)
        .flat_map(|kind| both(&icmp(kind)).into_iter().zip([kind == 13, kind == 129]).collect::<Vec<_>>())
        .collect();
    check("icmp type 13 accept\n icmpv6 type 129 accept", packets);
}

#[test]
fn a_spoofed_source_is_told_from_a_real_one() {
    if !ready("a_spoofed_source_is_told_from_a_real_one", &["nft"]) {
        return;
    }
    let rules = "iifname vlan231 ip saddr 10.40.41.0/24 accept\n iifname vlan231 ip6 saddr 2001:db8:600:231::/64 accept";
    let from = |ingress, source, family: usize| packet(ingress, source, INSIDE[family], udp(1, 2));
    check(
        rules,
        vec![
            (from("vlan231", "10.40.41.255", 0), true),
            (from("vlan231", "10.40.42.0", 0), false),
            (from("wan0", "10.40.41.255", 0), false),
            (from("vlan231", "2001:db8:600:231::", 1), true),
            (from("vlan231", "2001:db8:600:232::", 1), false),
            (from("wan0", "2001:db8:600:231::", 1), false),
        ],
    );
}

/// Opens connections from inside, then answers them, and something that was never opened, from outside.
fn replies(answers: [Transport; 4]) -> Vec<StepOutcome> {
    let sctp = Transport::Sctp { source_port: 1000, destination_port: 5, acknowledge: false };
    let mut opening = Vec::new();
    for ((inside, outside), echo) in PAIRS.into_iter().zip([8, 128]) {
        let transports = [tcp(1000, 80, flags::SYN), udp(1000, 53), sctp.clone(), icmp(echo)];
        opening.extend(transports.map(|transport| packet("vlan230", inside, outside, transport)));
    }
    let answering: Vec<Packet> = answers.iter().flat_map(both).collect();
    let mut lab = router(&format!("{STATEFUL}\n iifname vlan230 accept"));
    let answering = numbered(answering);
    lab.steps = vec![
        Step::Send(answering.clone()),
        Step::Send(numbered(opening)),
        Step::Send(answering.clone()),
        Step::Flush,
        Step::Send(answering),
    ];
    lab::run(&lab).unwrap_or_default()
}

#[test]
fn replies_pass_while_their_connection_is_known() {
    if !ready("replies_pass_while_their_connection_is_known", &["nft"]) {
        return;
    }
    let syn_ack = flags::SYN | flags::ACK;
    let sctp = Transport::Sctp { source_port: 5, destination_port: 1000, acknowledge: true };
    let steps = replies([tcp(80, 1000, syn_ack), udp(53, 1000), sctp, tcp(80, 1001, syn_ack)]);
    let passed = vec![delivered("vlan230"); 6];
    let known = StepOutcome::Sent([passed, vec![Outcome::Dropped; 2]].concat());
    let unknown = StepOutcome::Sent(vec![Outcome::Dropped; 8]);
    let opened = StepOutcome::Sent(vec![delivered("wan0"); 8]);
    assert_eq!(steps, [unknown.clone(), opened, known, StepOutcome::Flushed, unknown]);
}

#[test]
fn later_segments_belong_to_the_connection() {
    if !ready("later_segments_belong_to_the_connection", &["nft"]) {
        return;
    }
    let mut lab = router(&format!("{STATEFUL}\n tcp flags syn / fin,syn,rst,ack accept"));
    let client = |flags| packet("vlan230", INSIDE[0], OUTSIDE[0], tcp(1000, 80, flags));
    let server = |flags| packet("wan0", OUTSIDE[0], INSIDE[0], tcp(80, 1000, flags));
    let (syn, ack, fin, rst) = (flags::SYN, flags::ACK, flags::FIN, flags::RST);
    lab.steps = vec![Step::Send(numbered(vec![client(ack), server(ack), client(rst | ack)]))];
    let exchange =
        vec![client(syn), server(syn | ack), client(ack), server(ack), client(fin | ack), server(rst | ack)];
    let exchange = numbered(exchange);
    lab.steps.push(Step::Send(exchange));
    let passed = ["wan0", "vlan230", "wan0", "vlan230", "wan0", "vlan230"].map(delivered);
    let expected = [StepOutcome::Sent(vec![Outcome::Dropped; 3]), StepOutcome::Sent(passed.to_vec())];
    assert_eq!(lab::run(&lab), Ok(expected.to_vec()));
}

#[test]
fn errors_pass_when_they_quote_a_known_connection() {
    if !ready("errors_pass_when_they_quote_a_known_connection", &["nft"]) {
        return;
    }
    for (family, kind, code) in [(0, 3, 4), (1, 2, 0)] {
        let mut lab = router(&format!("{STATEFUL}\n iifname vlan230 accept"));
        let opening = packet("vlan230", INSIDE[family], OUTSIDE[family], udp(1000, 53));
        let unknown = packet("vlan230", INSIDE[family], OUTSIDE[family], udp(1001, 53));
        let error = |quoted: &Packet| Transport::IcmpError { kind, code, quoted: Box::new(quoted.clone()) };
        let hop = ["198.51.100.200", "2001:db8:99::1"][family];
        let from_hop = |quoted: &Packet| packet("wan0", hop, INSIDE[family], error(quoted));
        lab.steps.push(Step::Send(vec![opening.clone()]));
        let outcomes = outcomes(lab, &numbered(vec![from_hop(&opening), from_hop(&unknown)]));
        assert_eq!(outcomes, [delivered("vlan230"), Outcome::Dropped]);
    }
}

#[test]
fn fragments_pass_whole_or_in_part() {
    if !ready("fragments_pass_whole_or_in_part", &["nft"]) {
        return;
    }
    let packets = numbered([both(&fragmented(9, 53)), both(&fragmented(9, 54))].concat());
    let stateless = outcomes(router("udp dport 53 accept"), &packets);
    let head = Outcome::Partial("vlan230".to_owned());
    assert_eq!(stateless, [head.clone(), head, Outcome::Dropped, Outcome::Dropped]);
    let stateful = outcomes(router("ct state new udp dport 53 accept"), &packets);
    let whole = delivered("vlan230");
    assert_eq!(stateful, [whole.clone(), whole, Outcome::Dropped, Outcome::Dropped]);
}

#[test]
fn a_rejection_that_quotes_the_packet_is_not_the_packet() {
    if !ready("a_rejection_that_quotes_the_packet_is_not_the_packet", &["nft"]) {
        return;
    }
    let mut lab = router("counter reject");
    lab.interfaces[2].addresses = ["198.51.100.1/24", "2001:db8:77::1/64"].map(str::to_owned).to_vec();
    let packets = numbered(both(&udp(1, 2)).to_vec());
    let sent = outcomes(lab.clone(), &packets);
    assert_eq!(sent, [Outcome::Dropped, Outcome::Dropped]);
    lab.steps = vec![Step::Send(packets), Step::Run(Invocation::new("nft", &["list", "ruleset"]))];
    let steps = lab::run(&lab).unwrap();
    assert!(
        matches!(&steps[1], StepOutcome::Output(text) if text.contains("counter packets 2 ")),
        "{steps:?}"
    );
}

#[test]
fn mistakes_are_errors_with_a_message() {
    if !ready("mistakes_are_errors_with_a_message", &["nft"]) {
        return;
    }
    let message = |lab: &Lab| lab::run(lab).unwrap_err();
    let broken = message(&router("tcp dport no-such-service accept"));
    assert!(broken.starts_with("load: `nft -f -` failed") && broken.contains("no-such-service"), "{broken}");
    let sending = |packets: Vec<Packet>| Lab { steps: vec![Step::Send(packets)], ..router("") };
    let good = packet("wan0", OUTSIDE[0], INSIDE[0], udp(1, 2));
    let cases = [
        (vec![good.clone(), good.clone()], "two packets have the id 0"),
        (vec![packet("eth9", OUTSIDE[0], INSIDE[0], udp(1, 2))], "no interface `eth9`"),
        (vec![packet("wan0", OUTSIDE[0], INSIDE[1], udp(1, 2))], "two families"),
        (vec![packet("wan0", OUTSIDE[1], INSIDE[1], Transport::Other { protocol: 43 })], "extension header"),
        (
            vec![packet("wan0", OUTSIDE[0], INSIDE[0], Transport::Other { protocol: 6 })],
            "transport of its own",
        ),
    ];
    for (packets, expected) in cases {
        let said = message(&sending(packets));
        assert!(said.contains(expected), "{said}");
    }
    let missing = Lab { steps: vec![Step::Run(Invocation::new("no-such-tool", &[]))], ..router("") };
    assert!(message(&missing).contains("no-such-tool"));
}

#[test]
fn iptables_of_both_kinds_and_ipset_load() {
    for variant in ["iptables-nft", "iptables-legacy"] {
        let restore = format!("{variant}-restore");
        if !ready("iptables_of_both_kinds_and_ipset_load", &[&restore, "ipset"]) {
            return;
        }
        let rules = "*filter\n:FORWARD DROP [0:0]\n-A FORWARD -p udp -m set --match-set ports dst -j ACCEPT\nCOMMIT\n";
        let load = vec![
            Invocation::new("ipset", &["restore"])
                .input("create ports bitmap:port range 0-65535\nadd ports 53\n"),
            Invocation::new(&restore, &[]).input(rules),
        ];
        let lab = Lab { interfaces: interfaces(), load, steps: Vec::new() };
        let packets =
            [udp(1, 53), udp(1, 54)].map(|transport| packet("wan0", OUTSIDE[0], INSIDE[0], transport));
        assert_eq!(
            outcomes(lab, &numbered(packets.to_vec())),
            [delivered("vlan230"), Outcome::Dropped],
            "{variant}"
        );
    }
}

/// `count` packets from many sources, of which those with an odd destination port pass, after a flush each round.
fn repeated(count: u32, rounds: usize) {
    let transport = |id: u32| udp(4000 + u16::try_from(id / 256).unwrap_or_default(), (id % 256) as u16);
    let from = |id: u32| {
        packet("wan0", &format!("100.64.{}.{}", id / 256 % 256, id % 256), INSIDE[0], transport(id))
    };
    let packets: Vec<Packet> = (1..=count).map(|id| Packet { id, ..from(id) }).collect();
    let expected =
        packets.iter().map(|packet| if packet.id % 2 == 1 { delivered("vlan230") } else { Outcome::Dropped });
    let round = [StepOutcome::Sent(expected.collect()), StepOutcome::Flushed];
    let mut lab = router("ct state new udp dport & 1 == 1 accept");
    lab.steps = (0..rounds).flat_map(|_| [Step::Send(packets.clone()), Step::Flush]).collect();
    assert!(
        lab::run(&lab) == Ok(vec![round; rounds].concat()),
        "a verdict differs in {rounds} rounds of {count}"
    );
}

#[test]
fn two_thousand_packets_are_told_apart() {
    if ready("two_thousand_packets_are_told_apart", &["nft"]) {
        repeated(2_000, 1);
    }
}

#[test]
#[ignore = "a soak test of the lab itself, to be run while the machine is busy"]
fn a_hundred_thousand_packets_are_told_apart() {
    if ready("a_hundred_thousand_packets_are_told_apart", &["nft"]) {
        repeated(5_000, 20);
    }
}
