//! Rules, construct by construct.

use super::*;

fn plain() -> Packet {
    Packet::tcp("10.0.0.1", "10.9.0.1")
}

fn accept(rule: &str) -> String {
    format!("-A FORWARD {rule} -j ACCEPT")
}

#[test]
fn addresses_are_prefixes_lists_and_negations() {
    let from = |source: &str| Packet::tcp(source, "10.9.0.1");
    check(&accept("-s 10.0.0.77/24"), "", &[from("10.0.0.0"), from("10.0.0.255")], &[from("10.0.1.0")]);
    check(&accept("-s 10/8"), "", &[from("10.255.255.255")], &[from("11.0.0.0")]);
    check(&accept("-s 10.0.0.1,10.0.0.3"), "", &[from("10.0.0.1"), from("10.0.0.3")], &[from("10.0.0.2")]);
    check(&accept("! -s 10.0.0.0/255.255.255.0"), "", &[from("10.0.1.0")], &[from("10.0.0.7")]);
    check(&accept("--src 10.0.0.1 --destination 10.9.0.1"), "", &[plain()], &[from("10.0.0.2")]);
    check(
        &accept("-m iprange --src-range 10.0.0.3-10.0.0.5 ! --dst-range 10.9.0.2-10.9.0.9"),
        "",
        &[from("10.0.0.3"), from("10.0.0.5")],
        &[from("10.0.0.6"), Packet::tcp("10.0.0.3", "10.9.0.9")],
    );
    check(&accept("-m iprange --src-range 10.0.0.9-10.0.0.1"), "", &[], &[from("10.0.0.5")]);
    check(&accept("-m iprange ! --src-range 10.0.0.9-10.0.0.1"), "", &[from("10.0.0.5")], &[]);
}

#[test]
fn interfaces_end_in_wildcards() {
    let by = |arrives, leaves| Packet { arrives, leaves, ..plain() };
    check(&accept("-i eth+ ! -o eth1"), "", &[by("eth7", "eth0")], &[by("eth7", "eth1"), by("wan", "eth0")]);
    check(&accept("-i + -o eth1"), "", &[by("any", "eth1")], &[by("any", "eth12")]);
    check(&accept("! -i eth+"), "", &[by("wan", "eth1")], &[by("eth", "eth1"), by("eth0", "eth1")]);
}

#[test]
fn protocols_have_names_and_numbers() {
    check(&accept("-p tcp"), "", &[plain()], &[plain().protocol(17)]);
    check(&accept("-p 1"), "", &[plain().protocol(1)], &[plain()]);
    check(&accept("! -p UDP"), "", &[plain()], &[plain().protocol(17)]);
    check(&accept("-p all"), "", &[plain(), plain().protocol(255)], &[]);
    check(&accept("-p 0"), "", &[plain()], &[]);
    check(&accept("-p ospf"), "", &[plain().protocol(89)], &[plain()]);
}

#[test]
fn extension_headers_of_ipv6_are_no_protocol() {
    let packet = |protocol| Packet::tcp("2001:db8::1", "2001:db8::2").protocol(protocol);
    let six = |rule: &str, accepted: &[Packet], dropped: &[Packet]| {
        check_in(Family::V6, &accept(rule), "", accepted, dropped);
    };
    six("-p ah", &[], &[packet(51), packet(6)]);
    six("! -p 44", &[packet(44), packet(6)], &[]);
    six("-p esp -s 2001:db8::/32", &[packet(50)], &[packet(6)]);
    check(&accept("-p ah"), "", &[plain().protocol(51)], &[plain()]);
}

#[test]
fn ports_are_ranges_open_at_either_end() {
    let to = |port| plain().port(port);
    check(&accept("-p tcp --dport 80:90"), "", &[to(80), to(90)], &[to(79), to(91), to(80).protocol(17)]);
    check(&accept("-p tcp -m tcp --dport :80"), "", &[to(0), to(80)], &[to(81)]);
    check(&accept("-p udp --destination-port=80:"), "", &[to(65_535).protocol(17)], &[to(79).protocol(17)]);
    check(&accept("-p tcp ! --dport 80"), "", &[to(81)], &[to(80), to(81).protocol(17)]);
    check(&accept("-p tcp --sport 40000 --dport http"), "", &[to(80)], &[to(81)]);
    check(&accept("-p sctp --dport 80"), "", &[to(80).protocol(132)], &[to(80)]);
    check(&accept("-p dccp -m dccp --dport 80"), "", &[to(80).protocol(33)], &[to(80)]);
}

#[test]
fn multiport_takes_ports_of_one_side_or_either() {
    let to = |port| plain().port(port);
    let multiport = |rest: &str| accept(&format!("-p tcp -m multiport {rest}"));
    check(&multiport("--dports 22,80:90"), "", &[to(22), to(85)], &[to(23)]);
    check(&multiport("! --dports 22,80:90"), "", &[to(23)], &[to(22), to(23).protocol(17)]);
    check(
        &multiport("--ports 40000"),
        "",
        &[to(1), Packet { source_port: 1, ..to(40_000) }],
        &[Packet { source_port: 1, ..to(2) }],
    );
    check(&multiport("--sports 40000,1 -m multiport ! --dports 80"), "", &[to(81)], &[to(80)]);
}

#[test]
fn flags_of_tcp_are_a_mask_and_what_is_set() {
    let with = |flags| Packet { flags, ..plain() };
    check(&accept("-p tcp --syn"), "", &[with(2), with(2 | 8 | 64)], &[with(18), with(16), with(3)]);
    check(&accept("-p tcp ! --syn"), "", &[with(18), with(0)], &[with(2)]);
    check(&accept("-p tcp --tcp-flags ALL NONE"), "", &[with(0), with(192)], &[with(1)]);
    check(&accept("-p tcp --tcp-flags SYN ACK"), "", &[], &[with(2), with(16), with(18)]);
    check(&accept("-p tcp ! --tcp-flags SYN ACK"), "", &[with(2), with(16)], &[]);
}

#[test]
fn messages_have_types_and_codes() {
    let message = |kind, code| Packet { source_port: kind, ..plain().protocol(1).port(code) };
    check(&accept("-p icmp --icmp-type 8"), "", &[message(8, 0), message(8, 7)], &[message(0, 0), plain()]);
    check(&accept("-p icmp -m icmp --icmp-type 3/1"), "", &[message(3, 1)], &[message(3, 0)]);
    check(&accept("-p icmp --icmp-type port-unreachable"), "", &[message(3, 3)], &[message(3, 0)]);
    check(&accept("-p icmp ! --icmp-type 8"), "", &[message(0, 0)], &[message(8, 0), plain()]);
    check(&accept("-p icmp --icmp-type any"), "", &[message(77, 9)], &[plain()]);
    check(&accept("-p icmp --icmp-type 255/3"), "", &[message(77, 9)], &[plain()]);
    let message = |kind, code| {
        let packet = Packet::tcp("2001:db8::1", "2001:db8::2").protocol(58);
        Packet { source_port: kind, ..packet.port(code) }
    };
    let rule = accept("-p ipv6-icmp -m icmp6 --icmpv6-type 255");
    check_in(Family::V6, &rule, "", &[message(255, 0)], &[message(1, 0)]);
    let rule = accept("-p icmpv6 --icmpv6-type echo-request");
    check_in(Family::V6, &rule, "", &[message(128, 0)], &[message(129, 0)]);
}

#[test]
fn states_are_a_set() {
    let with = |state| Packet { state, ..plain() };
    let [new, established, related] = [States::NEW, States::ESTABLISHED, States::RELATED].map(with);
    let [invalid, untracked] = [States::INVALID, States::UNTRACKED].map(with);
    check(
        &accept("-m state --state established,RELATED"),
        "",
        &[established, related],
        &[new, invalid, untracked],
    );
    check(
        &accept("-m conntrack ! --ctstate NEW,INVALID -m conntrack ! --ctstate RELATED"),
        "",
        &[established, untracked],
        &[new, invalid, related],
    );
}

#[test]
fn later_fragments_match_nothing_that_asks_for_ports() {
    let later = Packet { later_fragment: true, source_port: 0, ..plain().port(0) };
    let first = Packet { later_fragment: false, ..plain() };
    check(&accept("-f"), "", &[later], &[first]);
    check(&accept("! -f"), "", &[first], &[later]);
    check(&accept("-p tcp"), "", &[first, later], &[]);
    for ports in
        ["--dport 0:80", "! --dport 1", "-m multiport ! --dports 1", "--syn", "! --tcp-flags SYN,ACK ACK"]
    {
        check(&accept(&format!("-p tcp {ports}")), "", &[first], &[later]);
    }
    check(&accept("-f -p tcp --dport 80"), "", &[], &[first, later]);
}

#[test]
fn a_time_is_a_part_of_the_week() {
    let at = |second| Packet { second, ..plain() };
    let hours = "-m time --timestart 08:00 --timestop 17:59:59 --weekdays Mon,Tue";
    let eight = 8 * 3_600;
    check(
        &accept(hours),
        "",
        &[at(eight), at(86_400 + 18 * 3_600 - 1)],
        &[at(eight - 1), at(18 * 3_600), at(2 * 86_400 + eight)],
    );
    check(&accept("-m time --timestart 00:00:00 --timestop 23:59:59 --utc"), "", &[at(0), at(604_799)], &[]);
}

#[test]
fn a_date_is_a_second_since_1970_that_still_matches() {
    let at = |moment| Packet { moment, ..plain() };
    let last = 1_798_761_599;
    check(&accept("-m time --datestop 2026-12-31T23:59:59"), "", &[at(0), at(last)], &[at(last + 1)]);
    let from = "-m time --datestart 2027-01-01 --datestop 2027-01-01T00:00:09";
    check(&accept(from), "", &[at(last + 1), at(last + 10)], &[at(last), at(last + 11)]);
    let hours = "-m time --timestart 08:00 --timestop 17:59:59 --datestop 2026-12-31T23:59:59";
    let eight = |moment| Packet { second: 8 * 3_600, ..at(moment) };
    check(&accept(hours), "", &[eight(last)], &[eight(last + 1), at(last)]);
}

#[test]
fn what_has_no_field_is_opaque_in_one_form() {
    let opaque = |rule: &str| {
        let model = model(&forward(&accept(rule)), "", Family::V4);
        model.chains[model.filters[0].chain.0].rules[0].matches.opaque.clone()
    };
    let limit = ["limit --limit 10/second --limit-burst 50".to_owned()];
    assert_eq!(opaque("-m limit --limit 10/second --limit-burst 50"), limit);
    assert_eq!(opaque("-m limit --limit-burst 50 --limit 10/sec"), limit);
    assert_eq!(opaque("-m ttl --ttl-eq 255"), ["ttl --ttl-eq 255"]);
    assert_eq!(opaque("-m mark ! --mark 16/255"), ["mark ! --mark 0x10/0xff"]);
    assert_eq!(opaque("-m addrtype --dst-type LOCAL"), ["addrtype --dst-type LOCAL"]);
    assert_eq!(opaque("-m conntrack --ctstate NEW --ctdir ORIGINAL"), ["conntrack --ctdir ORIGINAL"]);
    assert_eq!(
        opaque("-p tcp --tcp-option 4 -m mac --mac-source 0:0:0:0:0:1"),
        ["--tcp-option 4", "mac --mac-source 0:0:0:0:0:1"]
    );
    // Both have `--mark`: each option belongs to the latest match that takes it.
    assert_eq!(opaque("-m mark --mark 1 -m connmark --mark 2"), ["mark --mark 0x1", "connmark --mark 0x2"]);
}

#[test]
fn a_comment_is_the_label() {
    let rule = r#"-m comment --comment "a \"b\" -j DROP""#;
    let model = model(&forward(&accept(rule)), "", Family::V4);
    let rule = &model.chains[model.filters[0].chain.0].rules[0];
    assert_eq!(rule.label.as_deref(), Some("a \"b\" -j DROP"));
    assert_eq!((rule.line, rule.action), (3, Action::Accept));
}

#[test]
fn jumps_come_back_and_gotos_do_not() {
    let text = |call: &str| {
        format!(
            ":one - [0:0]\n:two - [0:0]\n-A one -s 10.0.0.1 {call} two\n-A one -j ACCEPT\n-A two -s 10.0.0.9 -j ACCEPT\n\
             -A FORWARD -j one\n-A FORWARD -d 10.9.0.2 -j ACCEPT"
        )
    };
    let to_two = Packet::tcp("10.0.0.1", "10.9.0.2");
    check(&text("-j"), "", &[plain()], &[]);
    check(&text("-g"), "", &[to_two], &[plain()]);
    let returns = ":one - [0:0]\n-A one -s 10.0.0.1 -j RETURN\n-A one -j ACCEPT\n-A FORWARD -j one";
    check(returns, "", &[Packet::tcp("10.0.0.2", "10.9.0.1")], &[plain()]);
    check("-A FORWARD -j RETURN\n-A FORWARD -j ACCEPT", "", &[], &[plain()]);
    check("-A FORWARD\n-A FORWARD -j LOG --log-prefix \"a \"\n-A FORWARD -j ACCEPT", "", &[plain()], &[]);
}

#[test]
fn commands_change_chains_in_their_order() {
    check("-A FORWARD -j DROP\n-I FORWARD 1 -j ACCEPT", "", &[plain()], &[]);
    check("-A FORWARD -j DROP\n-I FORWARD 2 -j ACCEPT", "", &[], &[plain()]);
    check("-A FORWARD -j DROP\n-A FORWARD -j ACCEPT\n-D FORWARD 1", "", &[plain()], &[]);
    check("-A FORWARD -p tcp -j DROP\n-A FORWARD -j ACCEPT\n-D FORWARD -p 6 -j DROP", "", &[plain()], &[]);
    check("-A FORWARD -j DROP\n-R FORWARD 1 -j ACCEPT", "", &[plain()], &[]);
    check("-A FORWARD -j DROP\n-F FORWARD\n-A FORWARD -j ACCEPT", "", &[plain()], &[]);
    check("-A FORWARD -j DROP\n-F\n-P FORWARD ACCEPT\n-Z", "", &[plain()], &[]);
    check(
        "-N a\n-A FORWARD -j a\n-D FORWARD 1\n-X a\n-N a\n-A a -j ACCEPT\n-A FORWARD -j a",
        "",
        &[plain()],
        &[],
    );
    check("[3:4] -A FORWARD -c 1 2 -j ACCEPT", "", &[plain()], &[]);
}

#[test]
fn each_table_is_a_filter_and_the_last_of_a_name_counts() {
    let text = "*mangle\n:FORWARD ACCEPT [0:0]\n-A FORWARD -s 10.0.0.1 -j ACCEPT\n-A FORWARD -j DROP\nCOMMIT\n\
                *filter\n:FORWARD DROP\n-A FORWARD -d 10.9.0.1 -j ACCEPT\nCOMMIT\n";
    let both = model(text, "", Family::V4);
    assert!(passes(&both, &plain()));
    assert!(!passes(&both, &Packet::tcp("10.0.0.2", "10.9.0.1")));
    assert!(!passes(&both, &Packet::tcp("10.0.0.1", "10.9.0.2")));
    let names: Vec<&str> = both.filters.iter().map(|filter| filter.name.as_str()).collect();
    assert_eq!(names, ["mangle FORWARD", "filter FORWARD"]);
    let twice = format!("{text}*filter\n-A FORWARD -s 10.0.0.1 -j ACCEPT\nCOMMIT\n");
    let twice = model(&twice, "", Family::V4);
    // Its policy stays.
    assert!(passes(&twice, &Packet::tcp("10.0.0.1", "10.9.0.2")));
    assert!(!passes(&twice, &Packet { arrives: "eth9", ..Packet::tcp("10.0.0.2", "10.9.0.1") }));
}

#[test]
fn hooks_are_ways_through_the_device() {
    let way = |hook: &str, table: &str| {
        let model = model(&format!("*{table}\n:{hook} DROP [0:0]\nCOMMIT\n"), "", Family::V4);
        [Path::Through, Path::ToDevice, Path::FromDevice]
            .map(|path| !passes(&model, &Packet { path, ..plain() }))
    };
    assert_eq!(way("PREROUTING", "raw"), [true, true, false]);
    assert_eq!(way("FORWARD", "mangle"), [true, false, false]);
    assert_eq!(way("INPUT", "security"), [false, true, false]);
    assert_eq!(way("OUTPUT", "filter"), [false, false, true]);
    assert_eq!(way("POSTROUTING", "mangle"), [true, false, true]);
}

#[test]
fn a_policy_that_is_not_given_accepts() {
    let text = "*filter\n-A FORWARD -s 10.0.0.1 -j DROP\nCOMMIT\n";
    let model = model(text, "", Family::V4);
    assert!(!passes(&model, &plain()) && passes(&model, &Packet::tcp("10.0.0.2", "10.9.0.1")));
    assert_eq!(model.filters[0].line, 2);
    let dropped = super::model("*filter\n-P FORWARD DROP\nCOMMIT\n", "", Family::V4);
    assert!(!passes(&dropped, &plain()));
}

#[test]
fn nat_without_translation_and_rules_of_the_other_family_are_ignored() {
    let text = "*nat\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -s 10.0.0.1 -j RETURN\nCOMMIT\n*filter\n\
                -A FORWARD -6 -s ::1 -j DROP\n-A FORWARD -4 -j ACCEPT\n-Z\nCOMMIT\n";
    let Reading { model, mistakes, lines } = read(text, "COMMIT\n", Family::V4);
    // An address is read before its rule is known to be for others.
    assert_eq!(mistakes.len(), 1, "{mistakes:?}");
    assert_eq!((lines.understood, lines.ignored, lines.mistaken), (3, 6, 1));
    assert_eq!(model.filters.len(), 1);
}

#[test]
fn what_changes_packets_goes_on() {
    check("-A FORWARD -j MARK --set-mark 3\n-A FORWARD -j ACCEPT", "", &[plain()], &[]);
    let mangle = "*mangle\n:FORWARD DROP\n-A FORWARD -j TTL --ttl-set 3\n-A FORWARD -j TOS --set-tos 4\n\
                  -A FORWARD -p tcp --syn -j TCPMSS --clamp-mss-to-pmtu\n-A FORWARD -j CONNMARK --save-mark\n\
                  -A FORWARD -j CLASSIFY --set-class 1:2\n-A FORWARD -j ACCEPT\nCOMMIT\n";
    assert!(passes(&model(mangle, "", Family::V4), &plain()));
    assert!(passes(&model("*raw\n-A PREROUTING -j NOTRACK\nCOMMIT\n", "", Family::V4), &plain()));
}
