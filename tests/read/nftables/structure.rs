//! Tables, chains, hooks, variables and commands: how a ruleset is put together.

use cordon::read::{Action, Family, Filter, Paths, nftables};

use super::evaluate::{Way, packet, packet6, passes, passes_on};
use super::{forward, model};

fn filter<'m>(filters: &'m [Filter], name: &str) -> &'m Filter {
    filters.iter().find(|filter| filter.name == name).unwrap_or_else(|| panic!("{name}: {filters:#?}"))
}

#[test]
fn each_hook_has_its_paths() {
    let expected = [
        ("prerouting", Paths { through: true, to_device: true, from_device: false }),
        ("input", Paths { through: false, to_device: true, from_device: false }),
        ("forward", Paths { through: true, to_device: false, from_device: false }),
        ("output", Paths { through: false, to_device: false, from_device: true }),
        ("postrouting", Paths { through: true, to_device: false, from_device: true }),
    ];
    for (hook, paths) in expected {
        let text = format!("table ip t {{ chain c {{ type filter hook {hook} priority -10; }} }}");
        let model = model(&text);
        let found = filter(&model.filters, "ip t c");
        assert_eq!((found.paths, found.otherwise_accept, found.line), (paths, true, 1));
        assert_eq!(model.families, [Family::V4, Family::V6]);
    }
}

#[test]
fn an_accept_ends_only_its_own_base_chain() {
    let text = "table inet one { chain c { type filter hook forward priority 0; policy drop; accept; } }
        table ip two { chain c { type filter hook forward priority filter + 10; tcp dport 22 drop; } }
        table ip6 three { chain c { type filter hook forward priority -5; policy drop; tcp dport 22 accept; } }";
    let model = model(text);
    assert!(!passes(&model, &packet()));
    assert!(passes(&model, &packet().port(23)));
    assert!(passes(&model, &packet6()));
    assert!(!passes(&model, &packet6().port(23)));
    assert!(passes_on(&model, &packet(), Way::ToDevice));
}

#[test]
fn jumps_come_back_and_gotos_do_not() {
    let text = "table inet t {
        chain never { tcp dport 22 return; drop; }
        chain gone { udp dport 1 accept; }
        chain inner { goto gone; accept; }
        chain forward {
            type filter hook forward priority 0; policy drop
            tcp dport 23 jump inner
            tcp dport 22 jump never
            tcp dport 24 goto gone
            tcp dport 22-24 accept
        }
    }";
    let model = model(text);
    assert!(passes(&model, &packet()), "`return` comes back behind the jump");
    assert!(passes(&model, &packet().port(23)), "a goto within a jump comes back behind the jump");
    assert!(!passes(&model, &packet().port(24)), "a goto in the base chain leaves it");
}

#[test]
fn a_map_gives_a_rule_for_each_element_with_its_line_and_comment() {
    let text = "table inet t {
        map m {
            typeof iifname . ip saddr : verdict
            elements = { \"a\" . 10.0.0.1 comment \"one\" : accept,
                \"b\" . 10.0.0.2 : jump other }
        }
        chain other { }
        chain forward {
            type filter hook forward priority 0; policy drop;
            iifname . ip saddr vmap @m comment \"all\"
        }
    }";
    let model = model(text);
    let forward = &model.chains[filter(&model.filters, "inet t forward").chain.0];
    let found: Vec<(usize, Option<&str>)> =
        forward.rules.iter().map(|rule| (rule.line, rule.label.as_deref())).collect();
    assert_eq!(found, [(4, Some("one")), (5, Some("all"))]);
    let Action::Jump(target) = forward.rules[1].action else { panic!("{forward:#?}") };
    assert_eq!(model.chains[target.0].name, "other");
    assert_eq!(forward.rules[0].matches.conditions[0].boxes.len(), 1);
}

#[test]
fn blocks_of_one_table_add_up_and_commands_do_their_work() {
    let text = "#!/usr/sbin/nft -f
add table inet t
delete table inet t
table inet t {
    chain forward { type filter hook forward priority 0; policy drop; }
    chain gone { type filter hook forward priority 1; policy drop; }
    set s { type inet_service; }
    counter c { packets 0 bytes 0 }
}
table inet t {
    chain forward { counter name c; tcp dport 1 drop; }
}
flush chain inet t forward
add rule inet t forward tcp dport 9 drop
insert rule inet t forward tcp dport @s accept comment \"first\"
add element inet t s { 22, 23 }
add set inet t other { type ipv4_addr; flags interval; }
add chain inet t more { type filter hook forward priority 5; policy accept; }
add rule inet t more tcp dport 23 drop
create table ip x
add chain ip x c { type filter hook forward priority 0; policy drop; }
delete table x
list ruleset
";
    let text = text.replace("    chain gone { type filter hook forward priority 1; policy drop; }\n", "");
    let model = model(&text);
    assert_eq!(model.filters.len(), 2);
    assert!(passes(&model, &packet()));
    assert!(!passes(&model, &packet().port(23)));
    assert!(!passes(&model, &packet().port(9)));
    let forward = &model.chains[filter(&model.filters, "inet t forward").chain.0];
    assert_eq!(forward.rules.len(), 2, "a flush leaves the chain, and takes its rules");
    assert_eq!(forward.rules[0].label.as_deref(), Some("first"));
    let reading = nftables::read(
        "table inet t { chain c { type filter hook input priority 0; policy drop; } }\nflush ruleset\n",
    );
    assert!(reading.mistakes.is_empty() && reading.model.filters.is_empty());
}

#[test]
fn variables_stand_for_values() {
    let text = "define lan = { 10.0.0.0/24, 10.1.0.0/24 }
define more = { $lan, 9.9.9.9 }
define ssh = 22
define way = \"a\"
table inet t {
    define inner = accept
    chain forward {
        type filter hook forward priority 0; policy drop;
        iifname $way ip saddr $more tcp dport { $ssh, 80 } $inner
    }
    chain named { jump $empty_is_not_used_here; }
}";
    let text = text.replace("    chain named { jump $empty_is_not_used_here; }\n", "");
    let model = model(&text);
    assert!(passes(&model, &packet()));
    assert!(passes(&model, &packet().from(0x0909_0909)));
    assert!(!passes(&model, &packet().from(5)));
    assert!(!passes(&model, &packet().way("b", "b")));
}

#[test]
fn lines_go_on_behind_a_backslash_and_lists_over_lines() {
    let rules =
        "ip saddr { 10.0.0.1, # the one\n\n 10.0.0.9\n ,\n } tcp dport \\\n 22 \\\n accept # handle 5";
    let model = model(&forward(rules));
    assert!(passes(&model, &packet()) && !passes(&model, &packet().port(1)));
}

#[test]
fn tables_that_see_nothing_or_do_nothing() {
    let text = "table arp filter {
    chain input { type filter hook input priority 0; policy drop; arp operation request accept; }
}
table inet off { flags dormant; chain c { type filter hook forward priority 0; policy drop; } }
table ip nat {
    chain postrouting { type nat hook postrouting priority srcnat; policy accept; counter; ip daddr 10.0.0.1 accept; }
}
table bridge b { chain c { type filter hook forward priority 0; policy accept; ip saddr 10.0.0.1 accept; } }
table netdev n { chain c { type filter hook ingress devices = { a, b } priority 0; counter accept; } }
";
    let reading = nftables::read(text);
    assert!(reading.mistakes.is_empty(), "{:#?}", reading.mistakes);
    assert!(reading.model.filters.is_empty());
    assert_eq!(reading.lines.ignored, 3);
}

#[test]
fn a_table_route_chain_filters_too() {
    let text = "table ip t { chain c { type route hook output priority mangle; policy drop; tcp dport 22 accept; } }";
    let model = model(text);
    assert!(passes_on(&model, &packet(), Way::FromDevice));
    assert!(!passes_on(&model, &packet().port(1), Way::FromDevice));
    assert!(passes_on(&model, &packet6().port(1), Way::FromDevice));
}

#[test]
fn lines_are_counted() {
    let text = "# a comment

table inet t {
    comment \"a title\"
    chain c {
        type filter hook input priority 0; policy drop;
        tcp dport nonsense accept
        accept # behind it
    }
}
";
    let lines = nftables::read(text).lines;
    assert_eq!((lines.understood, lines.ignored, lines.mistaken), (6, 1, 1));
}
