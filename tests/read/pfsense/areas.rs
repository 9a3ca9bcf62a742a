//! Rules, aliases and schedules, given as areas.

use cordon::read::{Action, Family, Model, States, pfsense};

use super::evaluate::{Packet, Way, packet};
use super::{check, filter, mistakes, model, rule, verdict};
use crate::support::root;

/// The model of one rule on `lan`, for which rules for packets that leave let everything out.
fn one(rest: &str) -> Model {
    model(&[&filter(&[&rule(rest)])])
}

/// The mistakes about one rule.
fn wrong(rest: &str) -> Vec<String> {
    mistakes(&[&filter(&[&rule(rest)])])
}

#[track_caller]
fn refused(rest: &str, word: &str) {
    let found = wrong(rest);
    assert!(found.len() == 1 && found[0].starts_with("2: ") && found[0].contains(word), "{rest}: {found:?}");
}

#[test]
fn nothing_passes_without_a_rule() {
    let model = model(&["<filter></filter>"]);
    check(
        &model,
        &[
            ("tcp 10.0.0.1 10.1.0.2:80", false),
            ("udp fd00::1 fd00::2", false),
            ("47 10.0.0.1 10.1.0.2", false),
        ],
    );
    assert_eq!(model.families, [Family::V4, Family::V6]);
    let from_device = Packet { way: Way::FromDevice, ..packet("tcp 10.0.0.1 10.1.0.2:80") };
    verdict(&model, from_device, true);
    verdict(&model, Packet { fields: packet("tcp 10.0.0.1 10.1.0.2:0").fields, ..from_device }, false);
}

#[test]
fn types_decide_and_the_first_rule_wins() {
    let rules = [
        rule("<type>block</type><protocol>tcp</protocol><destination><any/><port>22</port></destination>"),
        rule("<type>reject</type><protocol>udp</protocol><destination><any/><port>53</port></destination>"),
        rule("<type>pass</type><disabled/><ipprotocol>inet6</ipprotocol>"),
        rule("<type>pass</type>"),
    ];
    let model = model(&[&filter(&rules.each_ref().map(String::as_str))]);
    check(
        &model,
        &[
            ("tcp 10.0.0.1 10.1.0.2:22", false),
            ("udp 10.0.0.1 10.1.0.2:53", false),
            ("tcp 10.0.0.1 10.1.0.2:53", true),
            ("47 10.0.0.1 10.1.0.2", true),
            ("udp fd00::1 fd00::2:1", false),
        ],
    );
    verdict(&model, Packet { arrives: "opt1", ..packet("47 10.0.0.1 10.1.0.2") }, false);
    refused("<type>deny</type>", "takes the rule for one that passes");
}

#[test]
fn a_rule_without_type_passes_and_one_without_family_is_for_ipv4() {
    check(&one(""), &[("udp 10.0.0.1 10.1.0.2", true), ("udp fd00::1 fd00::2", false)]);
    check(
        &one("<ipprotocol>inet6</ipprotocol>"),
        &[("udp 10.0.0.1 10.1.0.2", false), ("udp fd00::1 fd00::2", true)],
    );
    check(
        &one("<ipprotocol>inet46</ipprotocol>"),
        &[("udp 10.0.0.1 10.1.0.2", true), ("udp fd00::1 fd00::2", true)],
    );
    refused("<ipprotocol>ipv4</ipprotocol>", "`ipv4` is not a family");
}

#[test]
fn a_packet_of_a_known_state_passes_and_one_of_none_needs_its_flags() {
    let model = one("<type>pass</type>");
    let syn = packet("tcp 10.0.0.1 10.1.0.2:80");
    let ack = Packet { fields: cordon::read::PacketBox { flags: (16, 16), ..syn.fields }, ..syn };
    verdict(&model, syn, true);
    verdict(&model, ack, false);
    verdict(&model, Packet { state: States::INVALID, ..ack }, false);
    for state in [States::ESTABLISHED, States::RELATED] {
        verdict(&model, Packet { state, ..ack }, true);
        verdict(&model, Packet { state, arrives: "opt7", ..ack }, true);
    }
}

/// What makes a rule one for all interfaces and both ways.
const ANYWHERE: &str = "<floating>yes</floating><interface>any</interface>";

#[test]
fn flags_of_a_rule_for_tcp() {
    let tcp = |rest: &str| one(&format!("{ANYWHERE}<quick/><protocol>tcp</protocol>{rest}"));
    let with = |flags: u8| {
        let syn = packet("tcp 10.0.0.1 10.1.0.2:80");
        Packet { fields: cordon::read::PacketBox { flags: (flags, flags), ..syn.fields }, ..syn }
    };
    for (rest, passing) in [
        ("", [true, false, false, true]),
        ("<tcpflags_any/>", [true, true, true, true]),
        ("<tcpflags1>syn,ack</tcpflags1><tcpflags2>syn,ack</tcpflags2>", [false, true, false, false]),
        ("<tcpflags1></tcpflags1><tcpflags2>syn</tcpflags2>", [false, false, true, false]),
        ("<tcpflags1>syn</tcpflags1>", [true, false, false, true]),
        ("<tcpflags1>cwr</tcpflags1><tcpflags2>cwr,ece</tcpflags2>", [false, false, false, true]),
    ] {
        let model = tcp(rest);
        for (flags, expected) in [2, 18, 16, 130].into_iter().zip(passing) {
            verdict(&model, with(flags), expected);
        }
    }
    refused(
        "<protocol>tcp</protocol><tcpflags1>fin</tcpflags1><tcpflags2>syn</tcpflags2>",
        "not among those",
    );
    refused("<protocol>tcp</protocol><tcpflags2>xyz</tcpflags2>", "`xyz` is not a flag");
    // A block of TCP asks for them too, one of everything does not.
    for (protocol, expected) in [("<protocol>tcp</protocol>", true), ("", false)] {
        let block = rule(&format!("{ANYWHERE}<quick/><type>block</type>{protocol}"));
        let pass = format!("{ANYWHERE}<quick/><protocol>tcp</protocol><tcpflags_any/>");
        let rules = [block, rule(&pass)];
        verdict(&model(&[&filter(&rules.each_ref().map(String::as_str))]), with(16), expected);
    }
}

#[test]
fn protocols() {
    let passing = |protocol: &str, packets: &[(&str, bool)]| {
        check(&one(&format!("<protocol>{protocol}</protocol><ipprotocol>inet46</ipprotocol>")), packets);
    };
    let (tcp, udp) = ("tcp 10.0.0.1 10.1.0.2:1", "udp 10.0.0.1 10.1.0.2:1");
    passing("tcp", &[(tcp, true), (udp, false)]);
    passing("tcp/udp", &[(tcp, true), (udp, true), ("47 10.0.0.1 10.1.0.2", false)]);
    passing("any", &[(tcp, true), ("47 10.0.0.1 10.1.0.2", true)]);
    passing("gre", &[(tcp, false), ("47 10.0.0.1 10.1.0.2", true)]);
    passing("89", &[("89 10.0.0.1 10.1.0.2", true), ("88 10.0.0.1 10.1.0.2", false)]);
    passing(
        "icmp",
        &[
            ("icmp 10.0.0.1 10.1.0.2:8", true),
            ("icmp fd00::1 fd00::2", true),
            ("58 10.0.0.1 10.1.0.2", false),
        ],
    );
    refused("<protocol>TCP</protocol>", "protocol `TCP` is unknown");
    refused("<protocol>256</protocol>", "protocol `256` is unknown");
}

#[test]
fn types_of_icmp() {
    let icmp = |family: &str, types: &str| {
        format!("<ipprotocol>{family}</ipprotocol><protocol>icmp</protocol><icmptype>{types}</icmptype>")
    };
    let model = one(&icmp("inet46", "echoreq,unreach"));
    check(
        &model,
        &[
            ("icmp 10.0.0.1 [10.1.0.2]:8", true),
            ("icmp 10.0.0.1 10.1.0.2:3", true),
            ("icmp 10.0.0.1 10.1.0.2:5", false),
            ("icmp fd00::1 [fd00::2]:128", true),
            ("icmp fd00::1 [fd00::2]:8", false),
        ],
    );
    check(&one(&icmp("inet", "any")), &[("icmp 10.0.0.1 10.1.0.2:77", true)]);
    check(&one(&icmp("inet", "skip")), &[("icmp 10.0.0.1 10.1.0.2:39", true)]);
    refused(&icmp("inet6", "timereq"), "`timereq` is not a type of ICMP in this family");
    refused(&icmp("inet", "8"), "`8` is not a type");
    // Without `icmp` types do not count.
    check(&one("<protocol>udp</protocol><icmptype>timereq</icmptype>"), &[("udp 10.0.0.1 10.1.0.2", true)]);
}

#[test]
fn icmp6_that_ipv6_needs_passes_everywhere() {
    let model = model(&["<filter/>"]);
    check(
        &model,
        &[
            ("icmp fd00::1 [fd00::2]:2", true),
            ("icmp fd00::1 [fd00::2]:135", true),
            ("icmp fd00::1 [fd00::2]:128", false),
            ("icmp fe80::1 [fe80::2]:133", true),
            // The answer to an echo leaves, and does not arrive.
            ("icmp fe80::1 [fe80::2]:129", false),
        ],
    );
}

#[test]
fn ports() {
    let port = |port: &str, protocol: &str| {
        one(&format!("<protocol>{protocol}</protocol><destination><any/><port>{port}</port></destination>"))
    };
    let passing = |text: &str, yes: &[u16], no: &[u16]| {
        for (numbers, expected) in [(yes, true), (no, false)] {
            for number in numbers {
                check(&port(text, "sctp"), &[(&format!("sctp 10.0.0.1 10.1.0.2:{number}"), expected)]);
            }
        }
    };
    passing("80", &[80], &[79, 81]);
    passing("80-90", &[80, 90], &[79, 91]);
    passing("80:90", &[80, 90], &[79, 91]);
    passing("80-80", &[80], &[79, 81]);
    passing("1024-65535", &[1024, 65535], &[1023]);
    // Up to a port is from 0 on, and all ports are not asked for.
    passing("1-100", &[0, 1, 100], &[101]);
    passing("1-65535", &[0, 65535], &[]);
    passing("https", &[443], &[80]);
    for bad in ["0", "080", "65536", "90-80", "a-b", "http-https", "80,90", "-", "80-", "1-65536", "nowhere"]
    {
        refused(&format!("<protocol>tcp</protocol><source><any/><port>{bad}</port></source>"), "port");
    }
    // A port does not count with other protocols, and makes a rule one for TCP without any.
    check(&port("80", "gre"), &[("47 10.0.0.1 10.1.0.2", true)]);
    check(&port("80", "any"), &[("udp 10.0.0.1 10.1.0.2:9", true)]);
    let without = one("<destination><any/><port>80</port></destination>");
    check(&without, &[("tcp 10.0.0.1 10.1.0.2:9", true), ("udp 10.0.0.1 10.1.0.2:80", false)]);
    // TCP and UDP to port 0 are blocked before.
    check(
        &one(""),
        &[
            ("udp 10.0.0.1 10.1.0.2:0", false),
            ("udp 10.0.0.1:0 10.1.0.2", false),
            ("sctp 10.0.0.1 10.1.0.2:0", true),
        ],
    );
}

#[test]
fn addresses() {
    let from = |end: &str| one(&format!("<source>{end}</source>"));
    check(
        &from("<address>10.0.0.9/24</address>"),
        &[("udp 10.0.0.255 1.1.1.1", true), ("udp 10.0.1.0 1.1.1.1", false)],
    );
    check(
        &from("<address>10.0.0.9</address>"),
        &[("udp 10.0.0.9 1.1.1.1", true), ("udp 10.0.0.8 1.1.1.1", false)],
    );
    let not = from("<not/><address>10.0.0.0/8</address>");
    check(
        &not,
        &[("udp 10.0.0.9 1.1.1.1", false), ("udp 9.0.0.8 1.1.1.1", true), ("udp fd00::1 fd00::2", false)],
    );
    // `any` comes first.
    check(&from("<not/><any/>"), &[("udp 10.0.0.9 1.1.1.1", true)]);
    for (end, word) in [
        ("<address>fd00::/8</address>", "not of the rule's family"),
        ("<address>nobody</address>", "neither an address nor an alias"),
        ("<address>10.0.0.1-10.0.0.9</address>", "neither an address nor an alias"),
        ("<network>lan</network>", "other parts of the config"),
        ("<network>lanip</network>", "other parts of the config"),
        ("", "the source is empty"),
        ("<any/><address>10.0.0.1</address>", "more than one thing"),
        ("<any/><mask>1</mask>", "`mask`"),
    ] {
        refused(&format!("<source>{end}</source>"), word);
    }
    let v6 = "<ipprotocol>inet6</ipprotocol><source><address>::5</address></source>";
    refused(v6, "joins it with the prefix");
    let missing = mistakes(&[&filter(&["<interface>lan</interface><source><any/></source>"])]);
    assert_eq!(missing, ["2: the rule has no destination: pfSense skips it"]);
}

#[test]
fn the_device_itself() {
    let to_self = rule("<destination><network>(self)</network></destination>");
    let rules =
        [rule("<type>block</type><destination><not/><network>(self)</network></destination>"), to_self];
    let model = model(&[&filter(&rules.each_ref().map(String::as_str))]);
    let through = packet("udp 10.0.0.1 10.1.0.2");
    let device = Packet { way: Way::ToDevice, ..through };
    verdict(&model, through, false);
    verdict(&model, device, true);
    let group = packet("udp 10.0.0.1 224.0.0.5");
    verdict(&model, Packet { way: Way::ToDevice, ..group }, false);
    // From itself is not known.
    let model = one("<source><network>(self)</network></source>");
    verdict(&model, through, false);
    verdict(&model, Packet { holds: &["from (self)"], ..through }, true);
}

#[test]
fn floating_rules() {
    let floating = |rest: &str| rule(&format!("{ANYWHERE}<direction>in</direction>{rest}"));
    let check_order = |rules: &[String], expected: bool| {
        let texts: Vec<&str> = rules.iter().map(String::as_str).collect();
        check(&model(&[&filter(&texts)]), &[("udp 10.0.0.1 10.1.0.2", expected)]);
    };
    let (pass, block) = ("<type>pass</type>", "<type>block</type>");
    let quick = |rest: &str| floating(&format!("{rest}<quick/>"));
    // The last that matches decides, unless one is quick; rules of interfaces are.
    check_order(&[floating(pass), floating(block)], false);
    check_order(&[floating(block), floating(pass)], true);
    check_order(&[floating(pass), quick(block)], false);
    check_order(&[quick(pass), floating(block)], true);
    check_order(&[floating(block), rule(pass)], true);
    check_order(&[rule(pass), quick(block)], false);
    check_order(&[rule(block), floating(pass)], false);
    // A rule that only marks decides nothing.
    check_order(&[floating(pass), floating("<type>match</type>")], true);
    refused(&floating("<type>match</type><quick/>"), "ends the search");
    refused("<type>match</type>", "ends the search");
    // Directions. Without one a rule is for both, and one that blocks comes after what lets everything out.
    check_order(&[rule(&format!("{ANYWHERE}{block}")), rule(pass)], false);
    let out = model(&[&filter(&[
        &rule(pass),
        &rule(&format!(
            "{ANYWHERE}<quick/><type>block</type><direction>out</direction><protocol>udp</protocol>"
        )),
    ])]);
    check(&out, &[("udp 10.0.0.1 10.1.0.2", false), ("47 10.0.0.1 10.1.0.2", true)]);
    verdict(&out, Packet { way: Way::ToDevice, ..packet("udp 10.0.0.1 10.1.0.2") }, true);
    verdict(&out, Packet { way: Way::FromDevice, ..packet("udp 10.0.0.1 10.1.0.2") }, false);
    // Interfaces.
    let some = model(&[&filter(&[
        "<floating>yes</floating><interface>opt1,lan</interface><source><any/></source><destination><any/></destination>",
    ])]);
    check(&some, &[("udp 10.0.0.1 10.1.0.2", true)]);
    verdict(&some, Packet { arrives: "opt2", ..packet("udp 10.0.0.1 10.1.0.2") }, false);
    refused("<floating>no</floating>", "`no` in `floating`");
    refused("<floating>yes</floating><direction>up</direction>", "`up` is not a direction");
    refused("<interface>dmz</interface>", "other parts of the config");
    refused("<interface>lan,wan</interface>", "other parts of the config");
    let source =
        "<floating>yes</floating><direction>out</direction><source><address>10.0.0.1</address></source>";
    refused(source, "outbound NAT may have replaced");
}

#[test]
fn what_has_no_field_is_opaque() {
    let model = one(
        "<protocol>tcp</protocol><os>Linux</os><tagged>A</tagged><nottagged/><dscp>af11</dscp><vlanprio>be</vlanprio>",
    );
    let found = model.chains.iter().flat_map(|chain| &chain.rules).find(|rule| rule.line == 2).unwrap();
    assert_eq!(found.matches.opaque, ["os \"Linux\"", "! tagged \"A\"", "tos af11", "prio be"]);
    // A limit that is reached drops.
    let rules = [
        rule(
            "<max>5</max><max-src-nodes>6</max-src-nodes><max-src-states>7</max-src-states><max-src-conn>8</max-src-conn><max-src-conn-rate>9</max-src-conn-rate><max-src-conn-rates>10</max-src-conn-rates><protocol>tcp/udp</protocol>",
        ),
        rule(""),
    ];
    let limited = super::model(&[&filter(&rules.each_ref().map(String::as_str))]);
    let packet = packet("udp 10.0.0.1 10.1.0.2");
    verdict(&limited, packet, false);
    let holds: &[&str] =
        &["max 5", "max-src-nodes 6", "max-src-states 7", "max-src-conn 8", "max-src-conn-rate 9 / 10"];
    verdict(&limited, Packet { holds, ..packet }, true);
    check(&one("<protocol>udp</protocol><max-src-conn>8</max-src-conn>"), &[("udp 10.0.0.1 10.1.0.2", true)]);
    refused("<max>many</max>", "`many` in `max` is not a number");
    // Tables that are filled while it runs.
    let dropped = Packet { holds: &["from <virusprot>"], ..packet };
    verdict(&one(""), packet, true);
    verdict(&one(""), dropped, false);
}

#[test]
fn states_of_rules() {
    for kind in ["", "keep state", "sloppy state", "synproxy state", "modulate state"] {
        check(&one(&format!("<statetype>{kind}</statetype>")), &[("udp 10.0.0.1 10.1.0.2", true)]);
    }
    refused("<statetype>none</statetype>", "keeps no state");
    refused("<statetype>odd</statetype>", "`odd` is not a type of state");
}

#[test]
fn what_is_not_understood_is_a_mistake() {
    refused("<gateway>WAN2</gateway>", "is down is said elsewhere");
    refused("<nat><enable/></nat>", "`nat` in a rule");
    refused("<force_category>x</force_category>", "`force_category` in a rule");
    refused("<protocol><tcp/></protocol>", "`protocol` in a rule");
    let what = mistakes(&["<filter>\n<rules/>\n<bypassstaticroutes/>\n</filter>"]);
    assert_eq!(
        what,
        ["2: `rules` among rules is not understood", "3: `bypassstaticroutes` among rules is not understood"]
    );
    let what = mistakes(&["<aliases></aliases>"]);
    assert_eq!(what, ["1: there are no rules: neither a whole config nor the area `filter` was given"]);
    let what = mistakes(&["<filter/>", "<opnsense/>", "<filter/>", "<nat/>"]);
    assert!(what.len() == 3 && what.iter().any(|what| what.contains("OPNsense")), "{what:?}");
    let twice = mistakes(&[
        "<filter><rule>\n<type>pass</type>\n<type>block</type>\n<Type>pass</Type></rule></filter>",
    ]);
    assert!(twice.iter().any(|what| what.starts_with("3: `type` stands here a second time")), "{twice:?}");
    assert!(twice.iter().any(|what| what.starts_with("4: `type` stands here a second time")), "{twice:?}");
}

#[test]
fn aliases() {
    let aliases = "<aliases>
        <alias><name>hosts</name><type>host</type><address>10.0.0.1 10.0.0.2 fd00::1</address></alias>
        <alias><name>nets</name><type>network</type><address>hosts 10.2.0.9/16</address></alias>
        <alias><name>v6</name><type>network</type><address>fd00::/16</address></alias>
        <alias><name>none</name><type>host</type><address></address><descr/></alias>
        <alias><name>web</name><type>port</type><address>80 8000:8010 https</address></alias>
        <alias><name>more</name><type>port</type><address>web 22</address></alias>
    </aliases>";
    let with = |rest: &str| model(&[&filter(&[&rule(rest)]), aliases]);
    let from = |name: &str, rest: &str| with(&format!("{rest}<source><address>{name}</address></source>"));
    check(
        &from("nets", ""),
        &[("udp 10.0.0.2 1.1.1.1", true), ("udp 10.2.5.5 1.1.1.1", true), ("udp 10.0.0.3 1.1.1.1", false)],
    );
    check(
        &from("hosts", "<ipprotocol>inet46</ipprotocol>"),
        &[("udp fd00::1 fd00::9", true), ("udp 10.0.0.1 1.1.1.1", true)],
    );
    check(&from("v6", ""), &[("udp 10.0.0.2 1.1.1.1", false), ("udp fd00::1 fd00::9", false)]);
    check(&from("none", ""), &[("udp 10.0.0.2 1.1.1.1", false)]);
    let not = |name: &str| with(&format!("<source><not/><address>{name}</address></source>"));
    check(
        &not("hosts"),
        &[("udp 10.0.0.2 1.1.1.1", false), ("udp 10.0.0.3 1.1.1.1", true), ("udp fd00::9 fd00::8", false)],
    );
    check(&not("none"), &[("udp 10.0.0.2 1.1.1.1", true), ("udp fd00::9 fd00::8", false)]);
    check(&not("v6"), &[("udp 10.0.0.2 1.1.1.1", true)]);
    let ports = with("<protocol>udp</protocol><destination><any/><port>more</port></destination>");
    for (port, expected) in [(22, true), (80, true), (443, true), (8005, true), (8011, false), (23, false)] {
        check(&ports, &[(&format!("udp 10.0.0.1 10.1.0.2:{port}"), expected)]);
    }
    // Conditions share what an alias holds.
    let text = rule("<source><address>nets</address></source>");
    let shared = model(&[&filter(&[&text, &text]), aliases]);
    let boxes: Vec<_> = shared
        .chains
        .iter()
        .flat_map(|chain| &chain.rules)
        .filter(|rule| rule.line == 2 || rule.line == 3)
        .flat_map(|rule| &rule.matches.conditions)
        .filter(|condition| condition.boxes.len() == 2)
        .collect();
    assert!(boxes.len() >= 2 && boxes.iter().all(|one| std::sync::Arc::ptr_eq(&one.boxes, &boxes[0].boxes)));
}

#[test]
fn aliases_that_are_not_understood() {
    let alias = |name: &str, kind: &str, members: &str| {
        format!("<alias><name>{name}</name><type>{kind}</type><address>{members}</address></alias>\n")
    };
    let wrong = |aliases: &str| mistakes(&["<filter/>", &format!("<aliases>\n{aliases}</aliases>")]);
    for (text, word) in [
        (alias("a", "host", "www.example.org"), "member `www.example.org` of alias `a`"),
        (alias("a", "host", "10.0.0.1-10.0.0.9"), "member `10.0.0.1-10.0.0.9`"),
        (alias("a", "network", "!10.0.0.0/8"), "member `!10.0.0.0/8`"),
        (alias("a", "port", "80-90"), "member `80-90`"),
        (alias("a", "port", "0"), "member `0`"),
        (alias("a", "urltable", ""), "of the type `urltable`"),
        (alias("a", "host", "a"), "`a` and `a` hold one another"),
        (alias("123", "host", ""), "cannot be the name"),
        (alias("a-b", "host", ""), "cannot be the name"),
        (alias("", "host", ""), "cannot be the name"),
        (alias("Bogons", "host", ""), "a table of pfSense itself"),
        (alias("_private4_", "host", ""), "a table of pfSense itself"),
    ] {
        let found = wrong(&text);
        assert!(
            found.len() == 1 && found[0].starts_with("2: ") && found[0].contains(word),
            "{text}: {found:?}"
        );
    }
    let cycle = wrong(&(alias("a", "host", "b") + &alias("b", "host", "c") + &alias("c", "host", "a")));
    assert!(cycle.iter().any(|what| what.contains("hold one another")), "{cycle:?}");
    let mixed = wrong(&(alias("a", "host", "b") + &alias("b", "port", "80")));
    assert_eq!(mixed, ["2: alias `a` holds addresses, and its member `b` ports"]);
    let twice = wrong(&(alias("a", "host", "") + &alias("a", "host", "10.0.0.1")));
    assert_eq!(twice, ["3: alias `a` stands here a second time"]);
    let used = |rest: &str, aliases: &str| {
        mistakes(&[&filter(&[&rule(rest)]), &format!("<aliases>{aliases}</aliases>")])
    };
    let found = used("<source><address>a</address></source>", &alias("a", "port", "80"));
    assert_eq!(found, ["2: alias `a` holds ports, and stands where an address is due"]);
    let port = "<protocol>tcp</protocol><source><any/><port>a</port></source>";
    assert_eq!(used(port, &alias("a", "port", "")), ["2: alias `a` holds no port: pfSense skips the rule"]);
    assert_eq!(
        used(port, &alias("a", "host", "")),
        ["2: alias `a` holds addresses, and stands where a port is due"]
    );
    let found = used("<source><address>a</address></source>", &alias("a", "host", "x.org"));
    assert!(found.iter().any(|what| what == "2: alias `a` was not understood"), "{found:?}");
}

#[test]
fn schedules() {
    let schedules = "<schedules>
        <schedule><name>work</name><timerange><position>1,2</position><hour>8:00-17:30</hour></timerange>
            <timerange><position>7</position><hour>0:00-24:00</hour></timerange></schedule>
        <schedule><name>always</name><timerange><hour></hour><month></month></timerange></schedule>
        <schedule><name>never</name><timerange><hour>22:00-6:00</hour></timerange></schedule>
    </schedules>";
    let with = |name: &str| model(&[&filter(&[&rule(&format!("<sched>{name}</sched>"))]), schedules]);
    let at = |model: &Model, day: u32, hour: u32, minute: u32, expected: bool| {
        let second = ((day * 24 + hour) * 60 + minute) * 60;
        let packet = packet("udp 10.0.0.1 10.1.0.2");
        let fields = cordon::read::PacketBox { second: (second, second), ..packet.fields };
        verdict(model, Packet { fields, ..packet }, expected);
    };
    let work = with("work");
    at(&work, 0, 8, 0, true);
    at(&work, 0, 7, 59, false);
    at(&work, 1, 17, 29, true);
    at(&work, 1, 17, 30, false);
    at(&work, 2, 9, 0, false);
    at(&work, 6, 0, 0, true);
    at(&work, 6, 23, 59, true);
    at(&with("always"), 3, 4, 5, true);
    at(&with("never"), 3, 23, 5, false);
    // A schedule that is not there leaves the rule on.
    at(&with("nothing"), 3, 23, 5, true);
    refused("<sched>work</sched>", "another part of the config");
    for (range, word) in [
        ("<month>1</month>", "names dates"),
        ("<day>1,2</day>", "names dates"),
        ("<position>8</position>", "`8` is not a day"),
        ("<hour>8-17</hour>", "is not a range of hours"),
        ("<hour>8:00-24:30</hour>", "is not a range of hours"),
        ("<zone>1</zone>", "`zone` is unknown"),
    ] {
        let text = format!(
            "<schedules>\n<schedule><name>a</name><timerange>{range}</timerange></schedule></schedules>"
        );
        let found = mistakes(&["<filter/>", &text]);
        assert!(
            found.len() == 1 && found[0].starts_with("2: ") && found[0].contains(word),
            "{range}: {found:?}"
        );
    }
}

#[test]
fn text_is_decoded_once_and_within_cdata_once_more() {
    let label = |descr: &str| {
        let model = one(&format!("<descr>{descr}</descr>"));
        let mut rules = model.chains.iter().flat_map(|chain| &chain.rules);
        rules.find(|rule| rule.line == 2).unwrap().label.clone().unwrap_or_default().to_string()
    };
    assert_eq!(label("<![CDATA[a &amp; b &lt;c&gt; &quot;d&quot;]]>"), "a & b <c> \"d\"");
    assert_eq!(label("a &amp; b"), "a & b");
    assert_eq!(label("a &amp;amp; b"), "a &amp; b");
    assert_eq!(label("<![CDATA[a &amp;amp; b]]>"), "a &amp; b");
    assert_eq!(label(""), "");
    check(
        &one("<source><address><![CDATA[10.0.0.1]]></address></source>"),
        &[("udp 10.0.0.1 1.1.1.1", true)],
    );
    check(&one("<type>\n\t\tblock\n</type>"), &[("udp 10.0.0.1 1.1.1.1", false)]);
    refused("<descr>a<![CDATA[b]]></descr>", "text and CDATA are mixed");
    assert_eq!(
        wrong("<type>block<x/></type>").first().map(String::as_str),
        Some("2: `type` holds both text and elements")
    );
}

#[test]
fn names_of_elements_are_read_in_any_case_and_attributes_not_at_all() {
    let text = "<FILTER a='1'><Rule><Type>pass</Type><Interface>lan</Interface><Source><Any/></Source>\
                <Destination><Any/></Destination></Rule></FILTER>";
    check(&model(&[text]), &[("udp 10.0.0.1 1.1.1.1", true)]);
}

#[test]
fn the_output_for_the_example_is_read_without_a_mistake() {
    let file = |name: &str| {
        std::fs::read_to_string(root().join("examples/general-hospital/build/border").join(name)).unwrap()
    };
    let texts = [file("filter.xml"), file("aliases.xml")];
    let reading = pfsense::read(&[&texts[0], &texts[1]]);
    assert_eq!(reading.mistakes, []);
    let rules = texts[0].matches("<rule>").count() + texts[1].matches("<alias>").count();
    assert_eq!((reading.lines.understood, reading.lines.mistaken), (rules, 0));
    // Each rule is there on both ways, unless it is for one of them only.
    let accepts = |line: usize| {
        let rules = reading.model.chains.iter().flat_map(|chain| &chain.rules);
        rules.filter(|rule| rule.line == line && rule.action == Action::Accept).count()
    };
    let admin = texts[0].lines().position(|line| line.contains("firewall-admin")).unwrap();
    let start = texts[0]
        .lines()
        .take(admin)
        .collect::<Vec<_>>()
        .iter()
        .rposition(|line| line.contains("<rule>"))
        .unwrap()
        + 1;
    assert_eq!(accepts(start), 1);
    let ssh = Packet { way: Way::ToDevice, ..packet("tcp 10.40.82.20 10.40.254.1:22") };
    verdict(&reading.model, ssh, true);
    verdict(&reading.model, Packet { way: Way::Through, ..ssh }, false);
    verdict(&reading.model, Packet { way: Way::ToDevice, ..packet("tcp 10.40.82.20 10.40.254.1:23") }, false);
    verdict(&reading.model, Packet { arrives: "opt9", ..ssh }, false);
}

#[test]
fn all_shapes_of_the_output_are_read_without_a_mistake() {
    let snapshot = |name: &str| {
        let path = root().join("tests/snapshots").join(format!("pfsense_shapes_{name}.snap"));
        let text = std::fs::read_to_string(path).unwrap();
        text.splitn(3, "---\n").nth(2).unwrap().to_owned()
    };
    let (filter, aliases) = (snapshot("filter"), snapshot("aliases"));
    let reading = pfsense::read(&[&filter, &aliases]);
    assert_eq!(reading.mistakes, []);
    assert!(reading.lines.understood > 60 && reading.lines.mistaken == 0, "{:?}", reading.lines);
}
