//! Sets, and lookups in them.

use super::*;

fn look(set: &str) -> String {
    format!("-A FORWARD -m set {set} -j ACCEPT")
}

fn packet(source: &str, destination: &str) -> Packet {
    Packet::tcp(source, destination)
}

#[test]
fn directions_say_what_is_compared_with_what() {
    let sets = "create a hash:ip,port,net family inet hashsize 64 counters comment\n\
                add a 10.0.0.1,tcp:80-90,10.9.0.0/24 packets 5 bytes 6 comment \"x -j DROP\"\n";
    let there = packet("10.0.0.1", "10.9.0.7");
    let back = packet("10.9.0.7", "10.0.0.1");
    check(
        &look("--match-set a src,dst,dst"),
        sets,
        &[there, there.port(90)],
        &[there.port(91), there.protocol(17), back],
    );
    check(&look("--match-set a dst,dst,src"), sets, &[back], &[there]);
    check(&look("--match-set a src,src,dst"), sets, &[Packet { source_port: 80, ..there }], &[there]);
    check(&look("! --match-set a src,dst,dst"), sets, &[back], &[there]);
    // Both parts are compared with the source, which cannot be both.
    check(&look("--match-set a src,dst,src"), sets, &[], &[there]);
}

#[test]
fn too_few_directions_hold_for_nothing_and_more_are_left_out() {
    let sets = "create a hash:ip,port\nadd a 10.0.0.1,80\n";
    let there = packet("10.0.0.1", "10.9.0.7");
    check(&look("--match-set a src"), sets, &[], &[there]);
    check(&look("! --match-set a src"), sets, &[there], &[]);
    check(&look("--match-set a src,dst,dst,src"), sets, &[there], &[there.port(81)]);
}

#[test]
fn an_empty_set_holds_nothing() {
    let there = packet("10.0.0.1", "10.9.0.7");
    for kind in ["hash:ip", "hash:net", "list:set", "bitmap:port range 0-9"] {
        let sets = format!("create a {kind}\n");
        check(&look("--match-set a src"), &sets, &[], &[there]);
        check(&look("! --match-set a src"), &sets, &[there], &[]);
    }
}

#[test]
fn every_type_holds_what_its_parts_say() {
    let there = |destination| packet("10.0.0.1", destination);
    let hold = |sets: &str, parts: &str, accepted: &[Packet], dropped: &[Packet]| {
        check(&look(&format!("--match-set a {parts}")), sets, accepted, dropped);
    };
    hold("create a hash:ip\nadd a 10.9.0.1-10.9.0.3\n", "dst", &[there("10.9.0.3")], &[there("10.9.0.4")]);
    hold(
        "create a hash:ip netmask 24\nadd a 10.9.0.9\n",
        "dst",
        &[there("10.9.0.200")],
        &[there("10.9.1.9")],
    );
    hold("create a hash:net\nadd a 10.9.0.0/30\n", "dst", &[there("10.9.0.3")], &[there("10.9.0.4")]);
    hold(
        "create a hash:net,net\nadd a 10.0.0.0/24,0.0.0.0/0\n",
        "src,dst",
        &[there("1.1.1.1")],
        &[packet("10.0.1.1", "1.1.1.1")],
    );
    hold(
        "create a hash:net,port\nadd a 10.9.0.0/24,udp:53\n",
        "dst,dst",
        &[there("10.9.0.1").port(53).protocol(17)],
        &[there("10.9.0.1").port(53)],
    );
    hold(
        "create a hash:ip,port,ip\nadd a 10.0.0.1,80,10.9.0.1\n",
        "src,dst,dst",
        &[there("10.9.0.1")],
        &[there("10.9.0.2")],
    );
    hold(
        "create a hash:net,port,net\nadd a 0.0.0.0/0,80,10.9.0.0/24\n",
        "src,dst,dst",
        &[there("10.9.0.1")],
        &[there("10.9.1.1")],
    );
    hold(
        "create a bitmap:ip range 10.9.0.0/24\nadd a 10.9.0.5\n",
        "dst",
        &[there("10.9.0.5")],
        &[there("10.9.0.6")],
    );
    hold(
        "create a bitmap:port range 0-1024\nadd a 80-81\n",
        "dst",
        &[there("1.1.1.1"), there("1.1.1.1").protocol(17)],
        &[there("1.1.1.1").port(82), there("1.1.1.1").protocol(132)],
    );
    hold(
        "create b hash:ip\nadd b 10.9.0.1\ncreate c hash:net\nadd c 10.9.1.0/24\ncreate d hash:ip,port\nadd d 10.9.2.1,80\n\
          create a list:set size 8\nadd a b\nadd a c before b\nadd a d\n",
        "dst",
        &[there("10.9.0.1"), there("10.9.1.1")],
        &[there("10.9.2.1")],
    );
}

#[test]
fn messages_and_other_protocols_are_elements() {
    let sets = "create a hash:ip,port\nadd a 10.9.0.1,icmp:8/0\nadd a 10.9.0.1,gre:0\nadd a 10.9.0.1,dccp:0\n\
                add a 10.9.0.2,icmp:port-unreachable\n";
    let to = |destination: &str, protocol| packet("10.0.0.1", destination).protocol(protocol);
    let message =
        |destination: &str, kind, code| Packet { source_port: kind, ..to(destination, 1).port(code) };
    check(
        &look("--match-set a dst,dst"),
        sets,
        &[message("10.9.0.1", 8, 0), to("10.9.0.1", 47), to("10.9.0.1", 33), message("10.9.0.2", 3, 3)],
        &[message("10.9.0.1", 8, 1), message("10.9.0.1", 0, 0), to("10.9.0.1", 50)],
    );
    let sets = "create a hash:net,port family inet6\nadd a 2001:db8::/32,ipv6-icmp:echo-request\n";
    let ping = Packet { source_port: 128, ..packet("2001:db8::1", "2001:db8::2").protocol(58).port(0) };
    let rule = look("--match-set a dst,dst");
    check_in(Family::V6, &rule, sets, &[ping], &[ping.port(1)]);
}

#[test]
fn exceptions_take_away_from_what_has_shorter_prefixes() {
    let sets = "create a hash:net\nadd a 10.0.0.0/8\nadd a 10.1.0.0/16 nomatch\nadd a 10.1.2.0/24\nadd a 11.0.0.0/8 nomatch\n\
                add a 10.3.0.1-10.3.0.9 nomatch\n";
    let from = |source: &str| packet(source, "1.1.1.1");
    let [inside, outside] = [
        ["10.0.0.1", "10.1.2.3", "10.3.0.0", "10.3.0.10"].map(from),
        ["10.1.0.1", "10.1.3.0", "11.0.0.1", "10.3.0.1"].map(from),
    ];
    check(&look("--match-set a src"), sets, &inside, &outside);
    check(&look("! --match-set a src"), sets, &outside, &inside);
}

#[test]
fn exceptions_are_for_their_ports_and_the_first_prefix_comes_first() {
    let sets = "create a hash:net,port\nadd a 10.0.0.0/8,80-90\nadd a 10.1.0.0/16,tcp:85 nomatch\nadd a 10.1.0.0/16,udp:80 nomatch\n";
    let from = |source: &str, port| packet(source, "1.1.1.1").port(port);
    check(
        &look("--match-set a src,dst"),
        sets,
        &[from("10.1.0.1", 84), from("10.2.0.1", 85), from("10.1.0.1", 86)],
        &[from("10.1.0.1", 85)],
    );
    // ipset(8), hash:net,net: an exception with a shorter first prefix has no effect on an element with a longer one.
    let sets = "create a hash:net,net\nadd a 10.1.0.0/16,0.0.0.0/0\nadd a 10.0.0.0/8,1.1.1.0/24 nomatch\n\
                add a 10.1.0.0/16,2.2.2.0/24 nomatch\nadd a 10.0.0.0/8,1.0.0.0/8\n";
    check(
        &look("--match-set a src,dst"),
        sets,
        &[packet("10.1.0.1", "1.1.1.1"), packet("10.2.0.1", "1.2.0.0"), packet("10.1.0.1", "2.2.3.2")],
        &[packet("10.2.0.1", "1.1.1.1"), packet("10.1.0.1", "2.2.2.2")],
    );
}

#[test]
fn later_fragments_are_in_no_set_with_ports() {
    let sets = "create a hash:ip,port\nadd a 10.9.0.1,80\ncreate b hash:ip\nadd b 10.9.0.1\ncreate c list:set\nadd c a\nadd c b\n";
    let first = packet("10.0.0.1", "10.9.0.1");
    let later = Packet { later_fragment: true, source_port: 0, ..first.port(0) };
    let other = packet("10.0.0.1", "10.9.0.2");
    check(&look("--match-set a dst,dst"), sets, &[first], &[later]);
    check(&look("! --match-set a dst,dst"), sets, &[later, other], &[first]);
    check(&look("--match-set b dst"), sets, &[first, later], &[other]);
    check(&look("--match-set c dst,dst"), sets, &[first, later], &[other]);
    check(&look("! --match-set a dst,dst ! -f"), sets, &[other], &[first, later]);
    check(&look("! --match-set a dst,dst -p tcp --dport 80"), sets, &[other], &[first, later]);
}

#[test]
fn sets_that_change_by_themselves_are_opaque() {
    let opaque = |rules: &str, sets: &str| {
        let model = model(&forward(rules), sets, Family::V4);
        let rule = &model.chains[model.filters[0].chain.0].rules[0];
        assert!(rule.matches.conditions.is_empty(), "{rule:?}");
        rule.matches.opaque.clone()
    };
    let known = ["set --match-set a src"];
    assert_eq!(opaque(&look("--match-set a src"), "create a hash:ip timeout 60\nadd a 10.0.0.1\n"), known);
    let in_list = "create b hash:ip timeout 0\nadd b 10.0.0.1 timeout 5\ncreate a list:set\nadd a b\n";
    assert_eq!(opaque(&look("--match-set a src"), in_list), known);
    let added =
        format!("{}\n-A FORWARD -j SET --add-set a src --exist --timeout 5", look("! --match-set a src"));
    assert_eq!(opaque(&added, "create a hash:ip\n"), ["set ! --match-set a src"]);
    let permanent = "create a hash:ip timeout 60\nadd a 10.0.0.1 timeout 0\n";
    check(
        &look("--match-set a src"),
        permanent,
        &[packet("10.0.0.1", "1.1.1.1")],
        &[packet("10.0.0.2", "1.1.1.1")],
    );
}

#[test]
fn commands_of_sets_are_obeyed() {
    let sets = "# c\n\ncreate a hash:ip\nadd a 10.0.0.1\nflush a\n-A a 10.0.0.2 -exist\n-N b hash:ip\ndestroy b\n-N b hash:net\nCOMMIT\n";
    let from = |source: &str| packet(source, "1.1.1.1");
    check(&look("--match-set a src"), sets, &[from("10.0.0.2")], &[from("10.0.0.1")]);
}

#[test]
fn rules_share_what_a_set_holds() {
    let sets = "create a hash:ip\nadd a 10.0.0.1\nadd a 10.0.0.2\n";
    let rules = format!("{}\n-A FORWARD -p udp -m set --match-set a src -j DROP", look("--match-set a src"));
    let model = model(&forward(&rules), sets, Family::V4);
    let chain = &model.chains[model.filters[0].chain.0];
    let boxes = |rule: usize| &chain.rules[rule].matches.conditions.last().unwrap().boxes;
    assert!(std::sync::Arc::ptr_eq(boxes(0), boxes(1)));
}
