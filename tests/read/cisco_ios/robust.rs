//! Hostile input, and much input.

use std::fmt::Write;
use std::time::{Duration, Instant};

use super::{counts, mistakes};
use cordon::read::cisco_ios::read;

const SAMPLE: &str = "banner motd ^C hello ^C\nobject-group network N\n 10.0.0.0 255.0.0.0\n group-object N\n\
                      object-group service S\n tcp-udp eq domain\ntime-range T\n periodic weekdays 8:00 to 17:00\n\
                      ip access-list extended A\n 10 permit tcp object-group N eq 1 any range 2 3 established log\n \
                      permit object-group S 10.0.0.1 0.255.0.255 host 10.0.0.1 time-range T\n remark über alles\n\
                      ipv6 access-list B\n sequence 5 permit icmp 2001:db8::/32 any nd-ns\ninterface Vlan1\n \
                      ip access-group A in\n ipv6 traffic-filter B out\nline vty 0 4\n access-class 1 in\nend\n";

#[test]
fn a_text_cut_anywhere_is_read_without_a_panic() {
    assert_eq!(mistakes(SAMPLE), []);
    for end in (0..SAMPLE.len()).filter(|end| SAMPLE.is_char_boundary(*end)) {
        read(&SAMPLE[..end]);
        read(&SAMPLE[end..]);
    }
}

#[test]
fn a_text_with_any_word_replaced_is_read_without_a_panic() {
    let words: Vec<&str> = SAMPLE.split(' ').collect();
    for place in 0..words.len() {
        for strange in [
            "",
            "-1",
            "99999999999999999999",
            "0.0.0.0",
            "::/0",
            "any",
            "eq",
            "255.255.255.255",
            "\u{0}",
            "no",
        ] {
            let mut changed = words.clone();
            changed[place] = strange;
            read(&changed.join(" "));
        }
    }
}

#[test]
fn garbage_is_mistaken_line_by_line() {
    let found = read("\u{feff}!\n\u{0}\u{1}\n((((((((\n\\\n\"\n");
    assert_eq!(counts(&found), (0, 0, 5));
    assert_eq!(found.mistakes.len(), 5);
    let long = "x".repeat(5000);
    assert_eq!(mistakes(&long).len(), 1);
    read(&" ".repeat(4000));
    read(&format!("{}permit", " ".repeat(100_000)));
    read(&"(".repeat(4000));
}

#[test]
fn groups_within_groups_do_not_multiply() {
    let mut text = String::from("object-group network G0\n host 10.0.0.1\n");
    for level in 1..200 {
        let below = level - 1;
        writeln!(text, "object-group network G{level}\n group-object G{below}\n group-object G{below}")
            .unwrap();
    }
    text.push_str("ip access-list extended A\n permit ip object-group G199 object-group G199\n");
    assert_eq!(mistakes(&text), []);
}

#[test]
fn numbers_beyond_all_bounds_are_mistakes() {
    let text = "ip access-list extended A\n 4294967296 permit ip any any\n 4294967295 permit ip any any\n permit ip any any\n \
                0 permit ip any any\n permit 256 any any\n permit tcp any any eq 99999\n";
    let lines: Vec<usize> = mistakes(text).into_iter().map(|(line, _)| line).collect();
    assert_eq!(lines, [2, 4, 5, 6, 7]);
}

#[test]
fn many_entries_are_read_in_linear_time() {
    // An unoptimised build takes about ten times as long as one that is shipped.
    let (entries, seconds) = if cfg!(debug_assertions) { (20_000_u32, 20) } else { (100_000, 5) };
    let mut text = String::from("ip access-list extended A\n");
    for number in 0..entries {
        let [_, a, b, c] = number.to_be_bytes();
        let source = format!("10.{a}.{b}.{c} 0.0.0.0");
        writeln!(text, " permit tcp {source} 10.200.0.0 0.0.255.255 range 8000 8100 established log")
            .unwrap();
    }
    text.push_str("interface Vlan1\n ip access-group A in\n");
    let start = Instant::now();
    let reading = read(&text);
    let took = start.elapsed();
    assert_eq!(reading.mistakes, []);
    // Each entry has a rule for later fragments, and the list one for its end.
    assert_eq!(reading.model.chains[0].rules.len(), 2 * entries as usize + 1);
    assert!(took < Duration::from_secs(seconds), "{took:?}");
}
