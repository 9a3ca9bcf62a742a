//! What is not understood is said, with its line.

use cordon::read::nftables;

use super::{forward, forward_with};

/// Asserts the line of the only mistake of a text, and words that its message holds.
#[track_caller]
fn mistake(text: &str, line: usize, words: &str) {
    let mistakes = nftables::read(text).mistakes;
    let [only] = mistakes.as_slice() else { panic!("{mistakes:#?}\n{text}") };
    assert_eq!(only.line, line, "{only:?}");
    assert!(only.what.contains(words), "{only:?}");
    assert!(!only.what.ends_with('.') && !only.what.starts_with(char::is_uppercase), "{only:?}");
}

/// The same for a rule of the chain `forward`, which stands in line 5.
#[track_caller]
fn rule(text: &str, words: &str) {
    mistake(&forward(text), 5, words);
}

#[test]
fn statements_that_change_or_redirect() {
    for (text, word) in [
        ("dnat to 10.0.0.1", "`dnat`"),
        ("masquerade", "`masquerade`"),
        ("redirect to 80", "`redirect`"),
        ("snat ip to 10.0.0.1", "`snat`"),
        ("queue num 1", "`queue`"),
        ("tproxy to :80", "`tproxy`"),
        ("notrack", "`notrack`"),
        ("flow add @f", "`flow`"),
        ("dup to 10.0.0.1", "`dup`"),
        ("synproxy mss 1460", "`synproxy`"),
        ("ct helper set \"ftp\"", "`ct helper set`"),
        ("ip ttl set 5", "`ip ttl set`"),
        ("ip saddr set 10.0.0.1", "`ip saddr set`"),
        ("xt match \"comment\"", "`xt`"),
        ("numgen random mod 2 vmap { 0 : accept }", "`numgen`"),
    ] {
        rule(text, word);
    }
    rule("meta mark set 1\nct mark 1 accept\nmeta mark 1 accept", "`meta mark` is set here and looked at");
    let route = "table ip t {\nchain c {\ntype route hook output priority 0;\nmeta mark set 1\n}\n}";
    mistake(route, 4, "routed anew");
}

#[test]
fn tests_that_do_not_mean_what_they_seem_to() {
    rule("ct state != established,related accept", "all of the flags at once");
    rule("ct state != established | related accept", "all of the flags at once");
    rule("tcp flags == syn,ack accept", "all of the flags at once");
    rule("th dport 22 accept", "`th` without a protocol");
    rule("meta l4proto icmp th dport 22 accept", "has no ports");
    rule("meta l4proto . th dport { icmp . 8 } accept", "has no ports");
    rule("meta l4proto != tcp th dport 8 accept", "`th` without a protocol");
    rule("meta hour \"22:00\"-\"06:00\" accept", "TZ=UTC");
    rule("meta hour \"1193043:28:15\" accept", "TZ=UTC");
    rule("meta hour 61200-90000 accept", "TZ=UTC");
    rule("tcp dport 022 accept", "`022` is not a port");
    rule("iif 99 accept", "`99` is the number of an interface");
    rule("accept counter", "never reached");
    rule("tcp dport vmap { 22 : continue } drop", "behind a verdict map");
    rule("oifname \"b\" # xt_MASQUERADE", "iptables-nft");
    rule("iifname . oifname != { \"a\" . \"b\" } accept", "a verdict map");
    rule("tcp dport vmap { 22 : jump x, * : drop }", "`*` beside elements");
    rule("tcp dport 22 accept;;tcp dport { 22 23 } accept", "`22 23`");
}

#[test]
fn names_that_do_not_resolve() {
    rule("jump nowhere", "there is no chain `nowhere`");
    rule("ip saddr @nothing accept", "there is no set or map `nothing`");
    rule("meta mark @nothing accept", "there is no set or map `nothing`");
    rule("add @nothing { ip saddr }", "there is no set or map `nothing`");
    rule("tcp dport vmap @nothing", "there is no set or map `nothing`");
    rule("counter name x accept", "there is no counter `x`");
    rule("limit name \"x\" accept", "there is no limit `x`");
    rule("ip saddr $nobody accept", "the variable `$nobody` is not defined");
    rule("ip saddr example.org accept", "`example.org` is not an IPv4 address");
    rule("tcp dport something accept", "`something` is not a port");
    rule("foo bar accept", "`foo bar accept` is not understood");
    rule("meta foo 1 accept", "`meta foo` is not understood");
    mistake("include \"other.nft\"\n", 1, "another file");
    mistake("\nadd rule inet t c accept\n", 2, "there is no chain `c`");
    mistake("monitor\n", 1, "the command `monitor`");
}

#[test]
fn chains_that_lead_astray() {
    let text = "table inet t {
chain c {
type filter hook forward priority 0;
jump d
}
chain d {
jump e
}
chain e {
tcp dport 22 goto d
}
chain f {
}
}";
    let mistakes = nftables::read(text).mistakes;
    let lines: Vec<usize> = mistakes.iter().map(|mistake| mistake.line).collect();
    assert_eq!(lines, [6, 9], "{mistakes:#?}");
    let base = forward_with("chain other {\ntype filter hook input priority 0;\n}", "jump other");
    mistake(&base, 7, "no rule can lead there");
}

#[test]
fn hooks_at_which_something_is_not_known() {
    let at = |hook: &str, priority: &str, rule: &str| {
        format!(
            "table inet t {{\nchain c {{\ntype filter hook {hook} priority {priority};\njump d\n}}\nchain d {{\n{rule}\n}}\n}}"
        )
    };
    mistake(&at("prerouting", "0", "oifname a drop"), 7, "before it is routed");
    mistake(&at("postrouting", "0", "iifname a drop"), 7, "behind the routing");
    mistake(&at("prerouting", "raw", "ct state new drop"), 7, "not tracked yet");
    mistake(&at("output", "-200", "ct state new drop"), 7, "not tracked yet");
    assert!(nftables::read(&at("prerouting", "filter", "ct state new drop")).mistakes.is_empty());
    mistake(&at("forward", "some", "drop"), 3, "priority");
    mistake(&at("sideways", "0", "drop"), 3, "hook");
    let kinds = [
        ("ip", "nat", "postrouting"),
        ("netdev", "filter", "ingress device a"),
        ("bridge", "filter", "forward"),
    ];
    for (family, kind, hook) in kinds {
        let text = |rule: &str| {
            format!("table {family} t {{\nchain c {{\ntype {kind} hook {hook} priority 0;\n{rule}\n}}\n}}")
        };
        mistake(&text("tcp dport 22 drop"), 3, "in a place that is not understood");
        mistake(&text("policy drop"), 3, "in a place that is not understood");
        assert!(nftables::read(&text("tcp dport 22 accept")).mistakes.is_empty());
    }
}

#[test]
fn sets_with_something_wrong() {
    let set = |body: &str| forward_with(&format!("set s {{\n{body}\n}}"), "ip saddr @s accept");
    mistake(
        &set("type ipv4_addr\nelements = { 10.0.0.1,\n10.0.0.300 }"),
        5,
        "`10.0.0.300` is not an IPv4 address",
    );
    mistake(&set("type ipv4_addr\nelements = { 10.0.0.1 timeout 5s }"), 4, "`timeout`");
    mistake(&set("type ipv4_addr\nelements = { 10.0.0.1 : accept }"), 4, "maps to nothing");
    mistake(&set("type ipv4_addr\nflags sometimes"), 4, "`sometimes`");
    mistake(&set("type ipv4_addr\nsurprise"), 4, "`surprise`");
    mistake(&set("type ipv4_addr . inet_service"), 7, "something else");
    let map = |elements: &str| {
        let map = format!("map m {{\ntype inet_service : verdict\nelements = {{ {elements} }}\n}}");
        forward_with(&map, "tcp dport vmap @m")
    };
    mistake(&map("22 : accept,\n23 : accept,\n22 : drop"), 6, "the same key");
    mistake(&map("22"), 4, "verdict of the element is missing");
    mistake(&map("22 . 23 : accept"), 4, "does not have 1 parts");
    mistake(&map("22 limit rate 1/second : accept"), 4, "at times");
    mistake(&map("22 : jump nowhere"), 4, "there is no chain `nowhere`");
    let dynamic = forward_with("map m {\ntype inet_service : verdict\nflags timeout\n}", "tcp dport vmap @m");
    mistake(&dynamic, 8, "changes while it is in use");
}

#[test]
fn blocks_and_texts_without_an_end() {
    mistake("table inet t {\n", 1, "a `}` is missing");
    mistake("table inet t {\n}\n}\n", 3, "closes nothing");
    mistake(&forward("log prefix \"open"), 5, "a text without an end");
    assert!(!nftables::read(&forward("tcp dport { 22, accept")).mistakes.is_empty());
    assert!(!nftables::read(&forward("tcp dport 22 jump { accept; }")).mistakes.is_empty());
    assert!(!nftables::read(&forward("tcp dport 22 jump { tcp dport { 22 } accept; }")).mistakes.is_empty());
    let two = nftables::read(&forward("nonsense\ntcp dport 22 accept\nmore nonsense")).mistakes;
    assert_eq!(two.iter().map(|mistake| mistake.line).collect::<Vec<_>>(), [5, 7]);
}
