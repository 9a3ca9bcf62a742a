//! Texts that are meant to do harm, or that are cut: nothing panics, and nothing takes long.

use cordon::read::nftables;

use super::forward;

/// A text with a bit of everything.
const SAMPLE: &str = r#"define x = { 10.0.0.1, 10.0.0.2 }
add table inet t
table inet t {
    comment "é"
    map m { typeof ip saddr . meta l4proto . th dport : verdict; flags interval; counter
        elements = { 10.0.0.0/8 . tcp . 22-23 counter packets 1 bytes 2 comment "a" : jump c, } }
    chain c { ct state vmap { new : accept, * : drop } }
    chain forward {
        type filter hook forward priority filter + 1; policy drop;
        ip saddr $x tcp flags & (syn | ack) == syn limit rate 10/second burst 7 packets log prefix "b" \
            counter accept # comment
        meta hour "17:00"-"18:00" meta day { 1, "Sunday" } fib saddr . iif oif missing drop
        add @s { ip saddr limit rate 1/second } reject with icmp type host-prohibited
    }
}
"#;

#[test]
fn cut_anywhere() {
    for end in (0..=SAMPLE.len()).filter(|end| SAMPLE.is_char_boundary(*end)) {
        let reading = nftables::read(&SAMPLE[..end]);
        let lines = reading.lines;
        assert!(lines.understood + lines.ignored + lines.mistaken <= SAMPLE[..end].lines().count());
    }
    for start in (0..SAMPLE.len()).filter(|start| SAMPLE.is_char_boundary(*start)) {
        nftables::read(&SAMPLE[start..]);
    }
}

#[test]
fn single_characters_replaced_or_dropped() {
    for (place, character) in SAMPLE.char_indices() {
        let rest = &SAMPLE[place + character.len_utf8()..];
        for other in ["", "{", "}", "\"", ";", "\n", ",", "-", ".", ":", "\u{0}", "§", "9", "$"] {
            nftables::read(&format!("{}{other}{rest}", &SAMPLE[..place]));
        }
    }
}

#[test]
fn nesting_and_repetition() {
    for part in [
        "{",
        "}",
        "{ a, ",
        "table inet t {",
        "chain c {",
        "\"",
        "(",
        "tcp flags & (",
        "- ",
        ". ",
        "a . ",
        "ip saddr . ",
        "$x",
        "define x = $x\n",
        "#",
        "\\\n",
        "@",
        "add rule ",
        "set s { elements = { ",
        "1-",
        "::",
        "0x",
        ",",
        "\u{feff}",
    ] {
        assert!(nftables::read(&part.repeat(20_000)).model.filters.is_empty());
        nftables::read(&forward(&part.repeat(2_000)));
    }
    let bomb: String = (0..40).map(|n| format!("define x{} = {{ $x{n}, $x{n} }}\n", n + 1)).collect();
    let words = bomb.replace(['{', '}', ','], "");
    assert!(!nftables::read(&format!("define x0 = 1\n{words}")).mistakes.is_empty());
    assert!(!nftables::read(&format!("define x0 = {{ 1, 2 }}\n{bomb}")).mistakes.is_empty());
}

#[test]
fn blocks_that_are_never_closed_are_counted_once() {
    let text = "table inet t {\nset s { elements = { \n}\n".repeat(20_000);
    let start = std::time::Instant::now();
    let lines = nftables::read(&text).lines;
    assert!(start.elapsed() < std::time::Duration::from_secs(20), "{:?}", start.elapsed());
    assert!(lines.mistaken > 59_000 && lines.ignored == 0, "{lines:?}");
}

#[test]
fn numbers_without_bounds() {
    let digits = "9".repeat(5_000);
    for rule in [
        format!("tcp dport {digits} accept"),
        format!("ip saddr 10.0.0.0/{digits} accept"),
        format!("ip saddr {digits} accept"),
        format!("ip6 saddr {digits}:: accept"),
        format!("meta hour {digits}-{digits} accept"),
        format!("meta day -{digits} accept"),
        format!("ct state 0x{digits} accept"),
        format!("limit rate {digits}/second accept"),
        format!("counter packets {digits} bytes {digits} accept"),
        format!("meta l4proto 0-{digits} accept"),
    ] {
        assert!(!nftables::read(&forward(&rule)).mistakes.is_empty(), "{rule}");
    }
    let priority = format!("table ip t {{ chain c {{ type filter hook input priority {digits}; }} }}");
    assert!(!nftables::read(&priority).mistakes.is_empty());
}

#[test]
fn many_chains_in_a_row() {
    let chains: String = (0..20_000).map(|n| format!("chain c{n} {{ jump c{}; }}\n", n + 1)).collect();
    let text = format!("table inet t {{\n{chains}chain c20000 {{ }}\n}}\n");
    assert!(nftables::read(&text).mistakes.is_empty());
    let round = text.replace("chain c20000 { }", "chain c20000 { goto c0; }");
    assert_eq!(nftables::read(&round).mistakes.len(), 20_001);
}

#[test]
fn sets_of_interfaces_in_one_rule_do_not_multiply() {
    let pairs = |end: &str| -> String { (0..300).map(|n| format!("\"a{n}\" . {end}, ")).collect() };
    let named = format!("set s {{ type ifname . ifname; elements = {{ {} }} }}", pairs("\"b\""));
    let rule = "iifname . oifname @s iifname . oifname @s accept\n".repeat(20);
    let reading = nftables::read(&super::forward_with(&named, &rule));
    assert_eq!(reading.mistakes, []);
    assert_eq!(reading.model.chains[0].rules.len(), 20 * 300);
    let wide = format!("set s {{ type ifname . ipv4_addr; elements = {{ {} }} }}", pairs("10.0.0.1"));
    let rule = "iifname . ip saddr @s oifname . ip daddr @s iifname . ip daddr @s accept";
    let reading = nftables::read(&super::forward_with(&wide, rule));
    assert!(reading.mistakes[0].what.contains("combinations"), "{:?}", reading.mistakes);
}

#[test]
fn a_map_that_is_looked_into_over_and_over_is_given_up() {
    let elements: String = (0..10_000).map(|n| format!("10.0.{}.{} : accept, ", n / 250, n % 250)).collect();
    let map = format!("map m {{ type ipv4_addr : verdict; elements = {{ {elements} }} }}");
    let rules = "ip saddr vmap @m\n".repeat(101);
    let reading = nftables::read(&super::forward_with(&map, &rules));
    assert!(reading.mistakes[0].what.contains("too many rules"), "{:?}", reading.mistakes.first());
}
