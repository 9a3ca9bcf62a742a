//! What is not understood, and where.

use super::*;

/// Checks that a line of `FORWARD` is a mistake whose text holds some words.
fn wrong(rules: &str, line: usize, words: &str) {
    wrong_in(Family::V4, rules, "", line, words);
}

fn wrong_in(family: Family, rules: &str, sets: &str, line: usize, words: &str) {
    let found = mistakes(&forward(rules), sets, family);
    assert!(
        found.iter().any(|(place, what)| *place == line && what.contains(words)),
        "{rules}\n{sets}\nwanted {line}: {words}\nfound {found:?}"
    );
    for (_, what) in &found {
        assert!(!what.ends_with('.') && !what.starts_with(char::is_uppercase), "{what}");
    }
}

#[test]
fn options_that_are_not_known_are_refused() {
    for (rule, words) in [
        ("-j ACCEPT extra", "`extra` fits nowhere"),
        ("-j ACCEPT # comment", "`#` fits nowhere"),
        ("-j ACCEPT --what", "`--what` is not understood"),
        ("-p tcp --destination-po 80", "`--destination-po`"),
        ("--dport 80 -p tcp", "`--dport`"),
        ("-t filter -j ACCEPT", "`-t`"),
        ("-v -j ACCEPT", "`-v`"),
        ("-m quota --quota 5", "the match `quota`"),
        ("-m", "lacks a value"),
        ("-s 10.0.0.1 -s 10.0.0.2", "stands twice"),
        ("-p tcp -p tcp", "stands twice"),
        ("-i a -i b", "stands twice"),
        ("-j ACCEPT -j DROP", "one `-j`"),
        ("! -j ACCEPT", "cannot stand before"),
        ("! ! -s 10.0.0.1", "stands twice"),
        ("-j ACCEPT !", "before nothing"),
        ("-s ! 10.0.0.1 -j ACCEPT", "`!` is not an address"),
        ("-A FORWARD -j ACCEPT", "second command"),
        ("-p tcp --dport 80 --dport 81", "stands twice"),
        ("-p tcp --dport 80 -m tcp --dport 81", "stands twice"),
        ("-p tcp --syn=5", "takes no value"),
        ("-m comment --comment \"a\"b -j ACCEPT", "`b` fits nowhere"),
        ("-m comment --comment \"a -j ACCEPT", "not closed"),
    ] {
        wrong(&format!("-A FORWARD {rule}"), 3, words);
    }
}

#[test]
fn values_are_judged() {
    for (rule, words) in [
        ("-s host.example", "names of hosts"),
        ("-s ::1", "an address of IPv6"),
        ("-s 010.0.0.1", "not an address"),
        ("-s 10.0.0.1/255.0.255.0", "holes"),
        ("! -s 10.0.0.1,10.0.0.2", "several addresses"),
        ("! -s 0.0.0.0/0", "all addresses"),
        ("-p 300", "not the number of a protocol"),
        ("-p icmpv6", "a protocol of IPv6"),
        ("! -p all", "no protocol"),
        ("! -i +", "`! +`"),
        ("-i abcdefghijklmnop", "1 to 15 bytes"),
        ("-i eth*", "`eth*`"),
        ("-p tcp --dport 90:80", "ends before it begins"),
        ("-p tcp --dport 0x50", "not a port"),
        ("-p tcp --dport nothing", "not a port"),
        ("-p tcp ! --dport :", "lost"),
        ("-m tcp --dport 80", "needs `-p tcp`"),
        ("! -p tcp -m tcp --dport 80", "needs `-p tcp`"),
        ("-p tcp -m tcp", "later fragments differently"),
        ("-p udp -m icmp --icmp-type 8", "needs `-p icmp`"),
        ("-p icmp --icmp-type 8/", "not a type of message"),
        ("-p icmp --icmp-type router", "not a type of message"),
        ("-m multiport --dports 80", "needs `-p`"),
        ("-p icmp -m multiport --dports 80", "needs `-p`"),
        ("-p tcp -m multiport --dports 80 --sports 80", "takes one"),
        ("-p tcp -m multiport --dports 1:8,2:8,3:8,4:8,5:8,6:8,7:8,8:9", "more than 15"),
        ("-p tcp --tcp-flags SYN,FOO SYN", "`FOO` is not a flag"),
        ("-m state --state OPEN", "`OPEN` is not a state"),
        ("-m conntrack --ctstate DNAT", "address translation"),
        ("-m conntrack", "has no option"),
        ("-m time --kerneltz", "time zone"),
        ("-m time --monthdays 1", "`--monthdays`"),
        ("-m time --datestart 2026-13-01", "`2026-13-01`"),
        ("-m time ! --datestop 2026-01-01", "`!`"),
        ("-m time --datestart 2026-01-02 --datestop 2026-01-01", "end before they start"),
        ("-m limit --limit 0/s", "not a rate"),
        ("-m iprange --src-range 10.0.0.1-host", "not an address"),
        ("-m set --match-set a", "lacks a value"),
        ("-m set --match-set a up", "neither `src` nor `dst`"),
        ("-m set --match-set a src --return-nomatch", "`--return-nomatch`"),
        ("-c 1 x", "not a number of packets"),
    ] {
        wrong(&format!("-A FORWARD {rule}"), 3, words);
    }
    wrong("-A FORWARD -p 58 -m icmp6 --icmpv6-type 1", 3, "the other family");
    wrong_in(Family::V6, "-A FORWARD -p 1 -m icmp --icmp-type 1", "", 3, "the other family");
    wrong_in(Family::V6, "-A FORWARD -p icmp", "", 3, "a protocol of IPv4");
    wrong_in(Family::V6, "-A FORWARD -s 10.0.0.1", "", 3, "an address of IPv4");
    wrong_in(Family::V6, "-A FORWARD -f", "", 3, "for IPv4 only");
}

#[test]
fn targets_are_judged() {
    for (rule, words) in [
        ("-j nowhere", "no chain of this table"),
        ("-g nowhere", "no chain of this table"),
        ("-g ACCEPT", "no chain of this table"),
        ("-j INPUT", "no chain of this table"),
        ("-j DNAT --to-destination 10.0.0.1", "changes addresses"),
        ("-j NFQUEUE --queue-num 1", "a program outside"),
        ("-j TPROXY --on-port 1", "elsewhere"),
        ("-j TEE --gateway 10.0.0.1", "copies"),
        ("-j TTL --ttl-set 5", "`mangle` only"),
        ("-j NOTRACK", "`raw` only"),
        ("-j REJECT --reject-with tcp-reset", "needs `-p tcp`"),
        ("-j REJECT --reject-with icmp6-no-route", "this family"),
        ("-j SET --map-set a src", "`--map-set`"),
        ("-j LOG ! --log-uid", "cannot be negated"),
    ] {
        wrong(&format!("-A FORWARD {rule}"), 3, words);
    }
    let mangle = "*mangle\n-A FORWARD -j REJECT\nCOMMIT\n";
    assert_eq!(
        mistakes(mangle, "", Family::V4),
        [(2, "`REJECT` stands in the table `filter` only".to_owned())]
    );
}

#[test]
fn chains_are_judged() {
    wrong(":one - [0:0]\n:one - [0:0]", 4, "declared twice");
    wrong(":one ACCEPT [0:0]", 3, "whose policy is written `-`");
    wrong("-P FORWARD RETURN", 3, "no policy");
    wrong("-N one\n-P one DROP", 4, "no policy");
    wrong("-A nowhere -j ACCEPT", 3, "no chain `nowhere`");
    wrong("-I FORWARD 2 -j ACCEPT", 3, "no place 2");
    wrong("-D FORWARD 1", 3, "no place 1");
    wrong("-D FORWARD -j ACCEPT", 3, "no such rule");
    wrong("-I FORWARD 0 -j ACCEPT", 3, "counted from 1");
    wrong("-A FORWARD -s 1.1.1.1,2.2.2.2 -j DROP\n-I FORWARD 2 -j ACCEPT", 4, "several rules");
    wrong("-N one\n-A FORWARD -j one\n-X one", 5, "cannot be removed");
    wrong("-X INPUT", 3, "cannot be removed");
    wrong("-E one two", 3, "`-E`");
    wrong(":abcdefghijklmnopqrstuvwxyz123 - [0:0]", 3, "1 to 28 bytes");
    wrong("-A FORWARD -j later\n:later - [0:0]", 3, "that stands above");
}

#[test]
fn loops_are_found() {
    wrong("-N one\n-A one -j one", 4, "loop");
    wrong("-N one\n-N two\n-A one -p tcp -j two\n-A two -g one\n-A FORWARD -j one", 6, "loop");
    let diamond = "-N a\n-N b\n-N c\n-A a -j c\n-A b -j c\n-A FORWARD -j a\n-A FORWARD -j b";
    assert_eq!(mistakes(&forward(diamond), "", Family::V4), []);
}

#[test]
fn interfaces_that_packets_do_not_have_are_found_through_chains() {
    wrong("-A INPUT -o eth0 -j ACCEPT", 3, "comes from `INPUT`");
    wrong("-A OUTPUT -i eth0 -j ACCEPT", 3, "comes from `OUTPUT`");
    wrong("-N one\n-A one ! -o eth0 -j ACCEPT\n-A FORWARD -j one\n-A INPUT -j one", 4, "comes from `INPUT`");
    let apart = "-N one\n-A one -o eth0 -j ACCEPT\n-A FORWARD -j one";
    assert_eq!(mistakes(&forward(apart), "", Family::V4), []);
}

#[test]
fn changes_of_what_a_match_looks_at_are_mistakes() {
    wrong("-A FORWARD -j MARK --set-mark 1\n-A FORWARD -m mark --mark 1 -j ACCEPT", 3, "line 4");
    wrong("-A FORWARD -m connmark --mark 1 -j ACCEPT\n-A FORWARD -j CONNMARK --restore-mark", 4, "a mark");
    let raw = "*raw\n-A PREROUTING -j CT --notrack\nCOMMIT\n";
    let with_states = format!("{raw}{}", forward("-A FORWARD -m state --state NEW -j ACCEPT"));
    assert_eq!(mistakes(&with_states, "", Family::V4).len(), 1);
    assert_eq!(mistakes(raw, "", Family::V4), []);
    let early = "*raw\n-A PREROUTING -m state --state NEW -j DROP\nCOMMIT\n";
    assert_eq!(mistakes(early, "", Family::V4)[0].0, 2);
}

#[test]
fn the_frame_of_a_file_is_judged() {
    let found =
        |text: &str| mistakes(text, "", Family::V4).into_iter().map(|(line, _)| line).collect::<Vec<_>>();
    assert_eq!(found("-A FORWARD -j ACCEPT\n"), [1]);
    assert_eq!(found("*filter\n-A FORWARD -j ACCEPT\n\n"), [2]);
    assert_eq!(found("*filter\n*mangle\nCOMMIT\n"), [2]);
    assert_eq!(found("*broute\n-A X -j Y\nCOMMIT\n*filter\nCOMMIT\n"), [1]);
    assert_eq!(found("*filter\n \nCOMMIT \nCOMMIT\n"), [2, 3]);
    assert_eq!(found("*filter\r\nCOMMIT\r\n"), [1, 2]);
    assert_eq!(found("*filter\n # no comment\nCOMMIT"), [2]);
    assert_eq!(
        found("*nat\n:OUTPUT DROP [0:0]\n-A OUTPUT -j SNAT --to 1.1.1.1\n-A OUTPUT -j DROP\nCOMMIT\n"),
        [2, 3, 4]
    );
    assert_eq!(found("# Table `foo' is incompatible, use 'nft' tool.\n\n"), [1]);
    assert_eq!(
        found("# Warning: iptables-legacy tables present, use iptables-legacy-save to see them\n"),
        [1]
    );
    assert_eq!(read("*broute\n-A X\nCOMMIT\n", "", Family::V4).lines.mistaken, 3);
}

#[test]
fn a_line_that_tools_read_as_two_is_no_comment() {
    let hidden = format!("#{}-A FORWARD -j ACCEPT", " ".repeat(10_238));
    wrong(&hidden, 3, "longer than 10238 bytes");
    let hidden = format!("#{}create a hash:ip", " ".repeat(1_022));
    let found = mistakes("", &hidden, Family::V4);
    assert_eq!(found.len(), 1);
    assert!(found[0].1.starts_with("in the sets: the line is longer than 1022 bytes"), "{found:?}");
}

#[test]
fn all_mistakes_are_told_with_those_of_the_sets_last() {
    let found = mistakes(
        &forward("-A FORWARD --one\n-A FORWARD -j ACCEPT\n-A FORWARD --two"),
        "create a hash:ip\nadd a x\nadd b 1\n",
        Family::V4,
    );
    let lines: Vec<usize> = found.iter().map(|(line, _)| *line).collect();
    assert_eq!(lines, [3, 5, 2, 3]);
    assert!(found[2].1.starts_with(cordon::read::iptables::IN_SETS), "{found:?}");
}

#[test]
fn sets_are_judged() {
    for (sets, line, words) in [
        ("create a hash:mac", 1, "`hash:mac` are not understood"),
        ("create a hash:ip\ncreate a hash:ip", 2, "created twice"),
        ("create a hash:ip family inet7", 1, "no family"),
        ("create a hash:ip what 1", 1, "`what`"),
        ("create a hash:ip netmask 33", 1, "from 1 to 32"),
        ("create a hash:ip bitmask 255.0.0.0", 1, "`bitmask`"),
        ("create a bitmap:port", 1, "needs a `range`"),
        ("create abcdefghijklmnopqrstuvwxyz123456 hash:ip", 1, "longer than 31"),
        ("add a 10.0.0.1", 1, "no set `a`"),
        ("create a hash:ip\nadd a host", 2, "names of hosts"),
        ("create a hash:ip\nadd a ::1", 2, "an address of IPv6"),
        ("create a hash:ip\nadd a 10.0.0.1,80", 2, "2 parts"),
        ("create a hash:net\nadd a 10.0.0.0/0", 2, "from 1 to 32"),
        ("create a hash:net\nadd a 192.168/24", 2, "not an address"),
        ("create a hash:ip\nadd a 10.0.0.1 nomatch", 2, "`nomatch`"),
        ("create a hash:ip\nadd a 10.0.0.1 timeout 5", 2, "`timeout`"),
        ("create a hash:ip\nadd a 10.0.0.1 comment \"x\"", 2, "`comment`"),
        ("create a hash:net\nadd a 10.0.0.0/8\nadd a 10.0.0.9/8", 3, "already"),
        ("create a hash:net\nadd a 10.0.0.0/8\nadd a 10.0.0.0/8 nomatch -exist", 3, "already"),
        (
            "create a hash:net,port\nadd a 10.0.0.0/8,80-90\nadd a 10.0.0.0/8,85 nomatch",
            3,
            "an exception too",
        ),
        ("create a hash:ip maxelem 3\nadd a 10.0.0.0/30", 2, "more than its `maxelem` of 3"),
        ("create a hash:ip,port\nadd a 10.0.0.0/9,1", 2, "`maxelem`"),
        ("create a bitmap:port range 10-20\nadd a 20-21", 2, "outside the range"),
        ("create a list:set\nadd a b", 2, "no set `b`"),
        ("create a list:set\ncreate b list:set\nadd a b", 3, "cannot be in one"),
        ("create a hash:ip\ndel a 10.0.0.1", 2, "`del` is not understood"),
        ("create a hash:ip\nadd a 10.0.0.1 # x", 2, "`#`"),
        ("create a hash:ip comment\nadd a 10.0.0.1 comment \"x", 2, "a quote"),
    ] {
        wrong_in(Family::V4, "-A FORWARD -j DROP", sets, line, words);
    }
}

#[test]
fn lookups_are_judged() {
    let look = "-A FORWARD -m set --match-set a src -j ACCEPT";
    wrong_in(Family::V4, look, "", 3, "there is no set `a`");
    wrong_in(Family::V4, look, "create a hash:ip family inet6\n", 3, "is for IPv6");
    wrong_in(Family::V6, look, "create a hash:ip\n", 3, "is for IPv4");
    // What is wrong with a set is told once.
    let found = mistakes(&forward(look), "create a hash:mac\nadd a 00:00:00:00:00:01\n", Family::V4);
    assert_eq!(found.len(), 1, "{found:?}");
}
