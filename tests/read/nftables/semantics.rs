//! Matches: what each form of a test holds for.

use cordon::read::States;

use super::evaluate::{Packet, packet, packet6, passes};
use super::{forward, forward_with, model};

/// Asserts which packets a rule accepts.
#[track_caller]
fn accepts(rule: &str, expected: &[(Packet, bool)]) {
    accepts_with("", rule, expected);
}

#[track_caller]
fn accepts_with(declarations: &str, rule: &str, expected: &[(Packet, bool)]) {
    let text = forward_with(declarations, rule);
    let model = model(&text);
    for (packet, passed) in expected {
        assert_eq!(passes(&model, packet), *passed, "{rule}\n{packet:?}\n{model:#?}");
    }
}

fn udp() -> Packet {
    packet().protocol(17)
}

#[test]
fn addresses_imply_their_family_also_when_negated() {
    let other = || packet().from(9);
    accepts("ip saddr 10.0.0.1 accept", &[(packet(), true), (other(), false), (packet6(), false)]);
    accepts("ip saddr != 10.0.0.1 accept", &[(packet(), false), (other(), true), (packet6(), false)]);
    accepts("ip saddr != 10.0.0.0/8 accept", &[(packet(), false), (other(), true), (packet6(), false)]);
    accepts("ip saddr { 10.0.0.0-10.0.0.3, 11.0.0.0/8 } accept", &[(packet(), true), (other(), false)]);
    accepts("ip saddr != { 10.0.0.1 } accept", &[(packet(), false), (other(), true), (packet6(), false)]);
    accepts("ip6 saddr ::1 accept", &[(packet(), false), (packet6(), true)]);
    accepts("ip6 saddr != ::/64 accept", &[(packet(), false), (packet6(), false)]);
    accepts("ip daddr 10.0.0.2 accept", &[(packet(), true), (packet().to(1), false)]);
    accepts("ip saddr 10.1.2.3/8 accept", &[(packet(), true), (other(), false)]);
    accepts("ip saddr >= 10.0.0.1 accept", &[(packet(), true), (other(), false)]);
    accepts("ip saddr lt 10.0.0.1 accept", &[(packet(), false), (other(), true)]);
}

#[test]
fn named_sets_and_empty_ones() {
    let some = "set s { type ipv4_addr; flags interval; elements = { 10.0.0.0/30, 1.1.1.1 } }";
    let none = "set s {\ntypeof ip saddr\n}";
    let other = || packet().from(9);
    accepts_with(some, "ip saddr @s accept", &[(packet(), true), (other(), false), (packet6(), false)]);
    accepts_with(some, "ip saddr != @s accept", &[(packet(), false), (other(), true), (packet6(), false)]);
    accepts_with(none, "ip saddr @s accept", &[(packet(), false), (packet6(), false)]);
    accepts_with(none, "ip saddr != @s accept", &[(packet(), true), (packet6(), false)]);
    let names = "set i { type ifname; elements = { \"a\", \"c\" } }\nset none { type ifname; }";
    accepts_with(names, "iifname @i accept", &[(packet(), true), (packet().way("b", "a"), false)]);
    accepts_with(names, "iifname != @i accept", &[(packet(), false), (packet().way("b", "a"), true)]);
    accepts_with(names, "iifname @none accept", &[(packet(), false)]);
    accepts_with(names, "oifname != @none accept", &[(packet(), true)]);
    let model = model(&forward_with(some, "ip saddr @s accept\nip saddr != @s drop"));
    let [first, second] = model.chains[0].rules.as_slice() else { panic!("{model:#?}") };
    let shared = std::sync::Arc::ptr_eq(
        &first.matches.conditions[0].boxes,
        &second.matches.conditions.last().unwrap().boxes,
    );
    assert!(shared, "conditions that look into one set share its boxes");
}

#[test]
fn ports_imply_their_protocol() {
    accepts("tcp dport 22 accept", &[(packet(), true), (packet6(), true), (udp(), false)]);
    accepts("tcp dport != 22 accept", &[(packet(), false), (packet().port(9), true), (udp().port(9), false)]);
    accepts("tcp dport ssh accept", &[(packet(), true)]);
    accepts("tcp dport { 22, 80-90 } accept", &[(packet(), true), (packet().port(85), true)]);
    accepts("tcp dport > 22 accept", &[(packet(), false), (packet().port(23), true)]);
    accepts("udp sport 50000 accept", &[(packet(), false), (udp(), true)]);
    accepts(
        "meta l4proto { tcp, udp } th dport 22 accept",
        &[(packet(), true), (udp(), true), (packet().protocol(132), false)],
    );
    accepts("meta l4proto . th dport { tcp . 22, udp . 53 } accept", &[(packet(), true), (udp(), false)]);
    accepts("meta l4proto . th dport != { tcp . 22 } accept", &[(packet(), false), (udp(), true)]);
    accepts("ip protocol udp th dport 22 accept", &[(udp(), true), (packet6().protocol(17), false)]);
    accepts("meta l4proto . th dport { 0-255 . 0-65535 } accept", &[(packet(), true), (udp(), true)]);
    accepts("sctp dport 22 accept", &[(packet(), false), (packet().protocol(132), true)]);
}

#[test]
fn protocols_and_families() {
    accepts("meta l4proto tcp accept", &[(packet(), true), (packet6(), true), (udp(), false)]);
    accepts("meta l4proto != { tcp } accept", &[(packet(), false), (udp(), true)]);
    accepts("ip protocol tcp accept", &[(packet(), true), (packet6(), false)]);
    accepts("ip protocol != udp accept", &[(packet(), true), (udp(), false), (packet6(), false)]);
    accepts("meta nfproto ipv6 accept", &[(packet(), false), (packet6(), true)]);
    accepts("meta nfproto != ipv6 accept", &[(packet(), true), (packet6(), false)]);
    accepts("meta protocol ip accept", &[(packet(), true), (packet6(), false)]);
    accepts("meta protocol { ip, ip6 } accept", &[(packet(), true), (packet6(), true)]);
    accepts("meta protocol arp accept", &[(packet(), false), (packet6(), false)]);
    accepts("ip saddr 10.0.0.1 meta nfproto ipv6 accept", &[(packet(), false), (packet6(), false)]);
}

#[test]
fn the_first_header_of_ipv6_may_be_an_extension() {
    let first = || packet6().holding("ip6 nexthdr tcp");
    accepts("ip6 nexthdr tcp accept", &[(packet6(), false), (first(), true), (first().protocol(17), false)]);
    let any = packet6().protocol(17).holding("ip6 nexthdr 0");
    accepts("ip6 nexthdr 0 accept", &[(any, true)]);
    let not = packet6().holding("ip6 nexthdr != udp");
    accepts("ip6 nexthdr != udp accept", &[(not, true), (packet().holding("ip6 nexthdr != udp"), false)]);
}

#[test]
fn messages_of_icmp() {
    let [ping, ping6] = [packet().message(8, 0), packet6().message(128, 0)];
    accepts(
        "icmp type echo-request accept",
        &[(ping.clone(), true), (ping6.clone(), false), (packet(), false)],
    );
    accepts("icmpv6 type { echo-request, 1 } accept", &[(ping.clone(), false), (ping6.clone(), true)]);
    accepts(
        "icmp type != echo-request accept",
        &[(ping.clone(), false), (packet().message(3, 1), true), (packet(), false), (ping6.clone(), false)],
    );
    accepts(
        "icmp type destination-unreachable icmp code port-unreachable accept",
        &[(packet().message(3, 3), true), (packet().message(3, 4), false)],
    );
    accepts(
        "icmp type . icmp code { 3 . 4, 8 . 0-255 } accept",
        &[(packet().message(3, 4), true), (packet().message(3, 3), false), (ping, true)],
    );
    accepts(
        "ip6 nexthdr ipv6-icmp icmpv6 type echo-request accept",
        &[(ping6.holding("ip6 nexthdr ipv6-icmp"), true)],
    );
}

#[test]
fn flags_of_tcp() {
    let check = |rule: &str, holds: &[u8], fails: &[u8]| {
        let expected = holds.iter().map(|bits| (bits, true)).chain(fails.iter().map(|bits| (bits, false)));
        let all: Vec<(Packet, bool)> =
            expected.map(|(bits, passed)| (packet().flags(*bits), passed)).collect();
        accepts(rule, &all);
        accepts(rule, &[(udp(), false)]);
    };
    check("tcp flags syn accept", &[2, 18], &[16, 0]);
    check("tcp flags syn,ack accept", &[2, 16, 18], &[4]);
    check("tcp flags == syn accept", &[2], &[18]);
    check("tcp flags != syn accept", &[18, 0], &[2]);
    check("tcp flags ! syn,rst accept", &[16], &[2, 4, 6]);
    check("tcp flags & (fin | syn | rst | ack) == syn accept", &[2, 10], &[18, 3]);
    check("tcp flags syn / fin,syn,rst,ack accept", &[2, 10], &[18, 3]);
    check("tcp flags != syn / fin,syn,rst accept", &[18 | 1, 1], &[2, 18]);
    check("tcp flags & (fin|syn) < fin accept", &[16], &[1, 2, 3]);
    check("tcp flags { syn, syn | ack } accept", &[2, 18], &[16]);
    check("tcp flags & syn == 0x0 accept", &[16], &[2]);
    check("tcp flags 0x0 accept", &[], &[0, 2]);
}

#[test]
fn states_of_connections() {
    let check = |rule: &str, holds: States| {
        let all = [States::NEW, States::ESTABLISHED, States::RELATED, States::INVALID, States::UNTRACKED];
        accepts(rule, &all.map(|state| (packet().state(state), holds.contains(state))));
    };
    let known = States::ESTABLISHED.union(States::RELATED);
    check("ct state established,related accept", known);
    check("ct state { established, related } accept", known);
    check("ct state != { established, related } accept", known.complement());
    check("ct state ! established,related accept", known.complement());
    check("ct state != invalid accept", States::INVALID.complement());
    check("ct state == new accept", States::NEW);
    check("ct state & (established | related) != 0 accept", known);
    check("ct state 0x8 accept", States::NEW);
    check("ct state vmap { established : accept, related : accept, invalid : drop }", known);
}

#[test]
fn interfaces() {
    let way = |arrives, leaves| packet().way(arrives, leaves);
    accepts("iifname \"a\" accept", &[(way("a", "b"), true), (way("b", "a"), false)]);
    accepts("meta iifname a oifname != { b, c } accept", &[(way("a", "d"), true), (way("a", "b"), false)]);
    accepts("iifname \"eth*\" accept", &[(way("eth1", "b"), true), (way("et", "b"), false)]);
    accepts("iifname != \"eth*\" accept", &[(way("eth1", "b"), false), (way("", "b"), true)]);
    accepts("iif lo accept", &[(way("lo", "b"), true)]);
    accepts(
        "iifname { \"a\", \"e*\" } iifname != \"a\" accept",
        &[(way("a", "b"), false), (way("e", "b"), true)],
    );
    accepts(
        "iifname . oifname { \"a\" . \"b\", \"c\" . \"d\" } accept",
        &[(way("a", "b"), true), (way("c", "d"), true), (way("a", "d"), false)],
    );
    let pairs = "set p { typeof iifname . ip saddr; flags interval; elements = { \"a\" . 10.0.0.0/8, \"b\" . 9.0.0.0/8 } }";
    accepts_with(
        pairs,
        "iifname . ip saddr @p accept",
        &[
            (way("a", "b"), true),
            (way("b", "b"), false),
            (way("b", "b").from(0x0900_0000), true),
            (packet6(), false),
        ],
    );
}

#[test]
fn concatenations() {
    accepts(
        "ip saddr . tcp dport { 10.0.0.1 . 22 } accept",
        &[(packet(), true), (udp(), false), (packet().port(23), false)],
    );
    accepts(
        "ip saddr . tcp dport != { 10.0.0.1 . 22 } accept",
        &[(packet(), false), (packet().port(23), true), (udp(), false), (packet6(), false)],
    );
    let map = "map m { type ipv4_addr . inet_proto . inet_service : verdict; flags interval; elements = {
        10.0.0.0/24 . tcp . 20-22 counter packets 1 bytes 2 comment \"ssh\" : accept,
        10.0.0.0/24 . icmp . 0-65535 : accept, } }";
    accepts_with(
        map,
        "ip saddr . meta l4proto . th dport vmap @m",
        &[(packet(), true), (udp(), false), (packet().port(23), false), (packet().message(8, 0), true)],
    );
}

#[test]
fn verdict_maps() {
    accepts(
        "tcp dport vmap { 22 : accept, 80-90 : drop }\ntcp dport 0-100 accept",
        &[(packet(), true), (packet().port(85), false), (packet().port(99), true)],
    );
    accepts(
        "tcp dport vmap { 22:accept, 23: drop, * : accept }",
        &[(packet(), true), (packet().port(23), false), (packet().port(24), true), (udp().port(24), false)],
    );
    accepts(
        "ip saddr 10.0.0.1 tcp dport vmap { 22 : accept } counter",
        &[(packet(), true), (packet().from(1), false)],
    );
    accepts(
        "ip saddr vmap { 10.0.0.1 : continue, 0.0.0.9 : return }\nct state new accept",
        &[(packet(), true), (packet().from(9), false), (packet().from(8), true)],
    );
    accepts(
        "meta mark vmap { 0x10 : accept }",
        &[(packet(), false), (packet().holding("meta mark 16"), true)],
    );
}

#[test]
fn the_clock() {
    let at = |day, hour, minute, second| packet().at(day, hour, minute, second);
    for hours in ["61200-75599", "\"17:00\"-\"20:59:59\"", "17:00-20:59:59"] {
        accepts(
            &format!("meta hour {hours} accept"),
            &[
                (at(0, 16, 59, 59), false),
                (at(0, 17, 0, 0), true),
                (at(6, 20, 59, 59), true),
                (at(3, 21, 0, 0), false),
            ],
        );
    }
    accepts(
        "meta hour != \"06:00\"-\"22:00\" accept",
        &[(at(0, 5, 59, 59), true), (at(0, 22, 0, 0), false), (at(5, 22, 0, 1), true)],
    );
    accepts("meta hour >= 61200 accept", &[(at(0, 17, 0, 0), true), (at(0, 16, 0, 0), false)]);
    let days = |rule: &str, expected: [bool; 7]| {
        let all: Vec<(Packet, bool)> =
            (0..).zip(expected).map(|(day, passed)| (at(day, 12, 0, 0), passed)).collect();
        accepts(rule, &all);
    };
    let week = [true, true, true, true, true, false, false];
    days("meta day 1-5 accept", week);
    days("meta day \"Monday\"-\"Friday\" accept", week);
    days("meta day { \"Saturday\", 0 } accept", week.map(|day| !day));
    days("meta day != { 6, \"Sunday\" } accept", week);
    days("meta day Sunday accept", [false, false, false, false, false, false, true]);
    accepts(
        "meta day 1 meta hour 3600-7199 accept",
        &[(at(0, 1, 30, 0), true), (at(1, 1, 30, 0), false), (at(0, 2, 0, 0), false)],
    );
    accepts(
        "meta day . meta hour { \"Monday\" . \"17:00\"-\"20:59:59\" } accept",
        &[(at(0, 18, 0, 0), true), (at(1, 18, 0, 0), false)],
    );
}

#[test]
fn dates_are_seconds_since_1970_in_utc() {
    // The first second of 2027.
    let year = 1_798_761_600;
    let at = |second| packet().moment(second);
    for date in ["1798761600", "\"2027-01-01 00:00:00\"", "\"2027-01-01\""] {
        let before = [(at(0), true), (at(year - 1), true), (at(year), false)];
        accepts(&format!("meta time < {date} accept"), &before);
        accepts(&format!("meta time lt {date} accept"), &before);
        accepts(&format!("meta time >= {date} accept"), &before.map(|(packet, passes)| (packet, !passes)));
    }
    accepts(
        "meta time >= 1798761600 meta time < 1798761610 accept",
        &[(at(year + 9), true), (at(year + 10), false)],
    );
    accepts("meta time < 5000000000 accept", &[(at(u32::MAX), true)]);
    accepts("meta time < 0 accept", &[(at(0), false)]);
    let both = "meta hour 61200-75599 meta time < 1798761600 accept";
    let evening = |second| at(second).at(0, 17, 0, 0);
    accepts(both, &[(evening(year - 1), true), (evening(year), false), (at(year - 1), false)]);
}

#[test]
fn what_the_model_has_no_field_for_is_kept_in_words() {
    let check = |rule: &str, text: &'static str| {
        accepts(rule, &[(packet().holding(text), true), (packet(), false)]);
    };
    check("meta mark 0x10 accept", "meta mark 16");
    check("meta mark & 0xff == 0x10 accept", "meta mark & 255 == 16");
    check("ip ttl 5 accept", "ip ttl 5");
    check("ct status dnat accept", "ct status dnat");
    check("ct direction original accept", "ct direction original");
    check("ct original ip saddr 10.0.0.1 accept", "ct original ip saddr 10.0.0.1");
    check("fib daddr type local accept", "fib daddr type local");
    check("fib saddr . iif oif missing accept", "fib saddr . iif oif missing");
    check("meta pkttype { host, broadcast } accept", "meta pkttype { broadcast, host }");
    check("ether saddr 00:11:22:33:44:55 accept", "ether saddr 00:11:22:33:44:55");
    check("ip saddr & 0.0.0.255 == 0.0.0.1 accept", "ip saddr & 0.0.0.255 == 0.0.0.1");
    check("meta time \"2026-01-01 00:00:00\" accept", "meta time \"2026-01-01 00:00:00\"");
    check("meta time <= 1798761600 accept", "meta time <= 1798761600");
    check("meta time > \"2027-01-01\" accept", "meta time > \"2027-01-01\"");
    check("limit rate 10/second accept", "limit rate 10/second (rule 1 of `forward`)");
    check("limit rate 10/second burst 5 packets accept", "limit rate 10/second (rule 1 of `forward`)");
    check(
        "counter limit rate over 1 mbytes/second burst 9 kbytes accept",
        "limit rate over 1 mbytes/second burst 9 kbytes (rule 1 of `forward`)",
    );
    check("quota over 5 mbytes used 3 bytes accept", "quota over 5 mbytes (rule 1 of `forward`)");
    check("ct count over 10 accept", "ct count over 10 (rule 1 of `forward`)");
    check(
        "meter m size 65535 { ip saddr limit rate 10/second } accept",
        "meter m size 65535 { ip saddr limit rate 10/second } (rule 1 of `forward`)",
    );
    let six = packet6().holding("ip6 hoplimit 255");
    accepts("ip6 hoplimit 255 accept", &[(six, true), (packet().holding("ip6 hoplimit 255"), false)]);
}

#[test]
fn sets_that_change_are_not_known() {
    let text = "ip saddr @s (rule 1 of `forward`)";
    for flags in ["flags timeout;", "flags dynamic,timeout;", "timeout 1d;"] {
        let set =
            format!("set s {{ type ipv4_addr; {flags} elements = {{ 10.0.0.1 timeout 1h expires 3s }} }}");
        accepts_with(
            &set,
            "ip saddr @s accept",
            &[(packet(), false), (packet().holding(text), true), (packet6().holding(text), false)],
        );
    }
    let filled = "set s { type ipv4_addr; }\nchain fill { add @s { ip saddr } }";
    accepts_with(filled, "ip saddr @s accept", &[(packet(), false), (packet().holding(text), true)]);
    let update = "update @s { ip saddr timeout 5s } (rule 1 of `forward`)";
    accepts_with(
        "set s { type ipv4_addr; flags dynamic; }",
        "update @s { ip saddr timeout 5s } accept",
        &[(packet(), false), (packet().holding(update), true), (packet6().holding(update), false)],
    );
}

#[test]
fn rejecting_with_a_kind_of_answer_holds_for_what_it_can_answer() {
    let rest = |reject: &str| format!("{reject}\naccept");
    accepts(&rest("reject"), &[(packet(), false), (udp(), false)]);
    accepts(&rest("reject with icmpx admin-prohibited"), &[(packet(), false), (packet6(), false)]);
    accepts(&rest("reject with tcp reset"), &[(packet(), false), (udp(), true)]);
    accepts(&rest("reject with icmp type host-prohibited"), &[(packet(), false), (packet6(), true)]);
    accepts(&rest("reject with icmpv6 no-route"), &[(packet(), true), (packet6(), false)]);
}

#[test]
fn what_logs_and_counts_decides_nothing() {
    let rules = "counter
        log prefix \"a b: \" level info
        log group 2 snaplen 100 queue-threshold 4
        log flags all prefix \"x\" counter packets 1 bytes 2
        log flags tcp sequence,options flags ip options level debug
        meta nftrace set 1
        meta mark set 0x10
        ct mark set meta mark
        tcp option maxseg size set rt mtu
        continue
        accept comment \"done\"";
    let mut text = forward(rules);
    text = text.replace("ct mark set meta mark", "ct mark set 7");
    let model = model(&text);
    assert!(passes(&model, &packet()) && passes(&model, &packet6()));
    assert_eq!(model.chains[0].rules.last().unwrap().label.as_deref(), Some("done"));
}

#[test]
fn later_fragments_have_no_ports_unless_they_are_put_together() {
    let fragments = |rules: &str| -> Vec<Option<bool>> {
        let model = model(&forward(rules));
        model.chains[0].rules.iter().map(|rule| rule.matches.later_fragments).collect()
    };
    assert_eq!(fragments("tcp dport 22 accept\nip saddr 10.0.0.1 accept"), [Some(false), None]);
    assert_eq!(fragments("ct state established accept\ntcp dport 22 accept"), [None, None]);
    assert_eq!(fragments("meta l4proto tcp accept\nreject with tcp reset"), [None, None]);
}
