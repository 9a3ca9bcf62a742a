//! Input that is meant to break a reader, and large input.

use std::time::{Duration, Instant};

use super::*;

const SAMPLE: &str = "# c\n*filter\n:FORWARD DROP [0:0]\n:a/b - [0:0]\n[1:2] -A a/b ! -s 10.0.0.0/8 -i eth+ -p tcp -m tcp \
                      --dport 80:90 --tcp-flags SYN,ACK SYN -m comment --comment \"a \\\"b\\\\\" -m set --match-set s \
                      src,dst -m time --timestart 22:00 --timestop 06:00 --contiguous -j LOG --log-prefix \"x \"\n\
                      -I FORWARD 1 -p icmp --icmp-type 3/1 -m limit --limit 5/min -g a/b\n-D FORWARD 1\nCOMMIT\n";

const SETS: &str = "create s hash:net,port family inet timeout 0 counters comment\nadd s 10.0.0.0/24,udp:53-60 packets 1 \
                    bytes 2 comment \"é x\" nomatch\nadd s 10.0.0.1-10.0.0.9,icmp:8/0 timeout 5\ncreate l list:set\nadd l s\n";

#[test]
fn a_text_cut_anywhere_is_read_to_its_end() {
    assert_eq!(mistakes(SAMPLE, SETS, Family::V4), []);
    for end in (0..SAMPLE.len()).filter(|end| SAMPLE.is_char_boundary(*end)) {
        let _reading = read(&SAMPLE[..end], SETS, Family::V4);
        let _reading = read(&SAMPLE[end..], SETS, Family::V6);
    }
    for end in (0..SETS.len()).filter(|end| SETS.is_char_boundary(*end)) {
        let _reading = read(SAMPLE, &SETS[..end], Family::V4);
        let _reading = read(SAMPLE, &SETS[end..], Family::V6);
    }
}

#[test]
fn a_text_with_any_byte_changed_is_read_to_its_end() {
    for place in 0..SAMPLE.len().max(SETS.len()) {
        for with in ["\0", "\"", "!", " ", "\n", "é", "9", ",", ":", "/"] {
            let changed = |text: &str| {
                let mut changed = text.to_owned();
                if place < text.len() && text.is_char_boundary(place) && text.is_char_boundary(place + 1) {
                    changed.replace_range(place..=place, with);
                }
                changed
            };
            let _reading = read(&changed(SAMPLE), &changed(SETS), Family::V4);
        }
    }
}

#[test]
fn huge_numbers_and_words_are_mistakes() {
    let nines = "9".repeat(5_000);
    for rule in [
        "-p",
        "-s",
        "-c 1",
        "-p tcp --dport",
        "-m limit --limit",
        "-m time --timestart",
        "-m mark --mark 1 -s",
    ] {
        let found = mistakes(&forward(&format!("-A FORWARD {rule} {nines}")), "", Family::V4);
        assert_eq!(found.len(), 1, "{rule}");
    }
    for sets in ["create a hash:ip maxelem", "create a hash:ip timeout", "create a bitmap:port range 0-"] {
        assert_eq!(mistakes("", &format!("{sets} {}", "9".repeat(900)), Family::V4).len(), 1, "{sets}");
    }
    let wide = "create a hash:net,port,net family inet6 maxelem 4294967295\nadd a ::/0,0-65535,::/0\n";
    assert_eq!(mistakes("", wide, Family::V6), []);
}

/// How many elements or rules a large file has. A build without optimization takes ten times as long for each.
const MANY: u32 = if cfg!(debug_assertions) { 10_000 } else { 100_000 };

/// What reading a large file may take. On an idle machine it takes a third of it at most.
const LIMIT: Duration = Duration::from_secs(5);

/// Fails if something takes too long.
fn in_time<T>(work: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let result = work();
    let taken = start.elapsed();
    assert!(taken < LIMIT, "{taken:?}");
    result
}

#[test]
fn a_long_chain_of_calls_is_no_recursion() {
    let mut rules = String::from(":c0 - [0:0]\n");
    for number in 1..MANY {
        rules.push_str(&format!(":c{number} - [0:0]\n-A c{number} -j c{}\n", number - 1));
    }
    let found = in_time(|| mistakes(&forward(&format!("{rules}-A c0 -j c99999")), "", Family::V4));
    assert_eq!(found.len(), 1);
}

#[test]
fn many_elements_are_read_in_a_moment() {
    let mut sets = String::from("create a hash:ip,port,net maxelem 1048576 comment\n");
    for number in 0..MANY {
        let [_, _, high, low] = number.to_be_bytes();
        let rule = number / 65_536;
        sets.push_str(&format!("add a 10.{rule}.{high}.{low},tcp:443,10.9.{high}.0/24 comment \"rule\"\n"));
    }
    let rules = forward(
        "-A FORWARD -m set --match-set a src,dst,dst -j ACCEPT\n-A FORWARD -m set --match-set a dst,dst,src -j DROP",
    );
    let model = in_time(|| model(&rules, &sets, Family::V4));
    let chain = &model.chains[model.filters[0].chain.0];
    assert_eq!(chain.rules[0].matches.conditions[0].boxes.len(), MANY as usize);
}

#[test]
fn many_rules_are_read_in_a_moment() {
    let (mut appended, mut inserted) = (String::new(), String::new());
    for number in 0..MANY {
        let [_, rule, high, low] = number.to_be_bytes();
        let rest =
            format!("-s 10.{rule}.{high}.{low}/32 -d 10.9.0.0/16 -p tcp -m tcp --dport 443 -j ACCEPT\n");
        appended.push_str(&format!("-A FORWARD {rest}"));
        inserted.push_str(&format!("-I FORWARD {} {rest}", number / 2 + 1));
    }
    for rules in [appended, inserted] {
        let model = in_time(|| model(&forward(&rules), "", Family::V4));
        assert_eq!(model.chains[model.filters[0].chain.0].rules.len(), MANY as usize);
    }
}

#[test]
fn exceptions_that_multiply_are_given_up() {
    let mut sets = String::from("create a hash:net,port,net maxelem 1048576\n");
    for number in 0..20_000_u32 {
        let [_, _, high, low] = number.to_be_bytes();
        sets.push_str(&format!("add a 10.0.0.0/8,tcp:{number},10.{high}.{low}.0/24\n"));
        sets.push_str(&format!("add a 10.{high}.{low}.0/24,0-65535,0.0.0.0/0 nomatch\n"));
    }
    let found = in_time(|| mistakes("", &sets, Family::V4));
    assert!(found.iter().any(|(_, what)| what.contains("maxelem") || what.contains("too many exceptions")));
}
