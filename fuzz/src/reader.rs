//! The targets for readers.
//!
//! Whatever the input, nothing panics; the same text is read in the same way twice; a mistake has a line of the text and
//! says something. A text without mistakes gives a sound model, the same one with comments and blank lines in it. Each text
//! is also proved against a small policy, which says whether it means that, or that it cannot be read.

use std::sync::OnceLock;

use cordon::emit::splice;
use cordon::ir::DeviceId;
use cordon::prove::{ConfigFile, Verdict, files_read, prove};
use cordon::read::{self, Family, Reading};

use super::judge::{Compiled, compile};
use super::model::{assert_sound, moved};
use super::texts;

/// The policy that texts are proved against, but for its enforcement point.
const POLICY: &str = "zone a { net 10.1.0.0/24, 2001:db8:1::/64 }\nzone b { net 10.2.0.0/24, 2001:db8:2::/64 }\n\
    peer p in a { host 10.1.0.10 }\npeer q in b { host 10.2.0.20, 2001:db8:2::20 }\n\
    allow web { from p, a to q via tcp 443, udp 53 log }\nallow ping { from b to a via icmp echo-request }\n\
    manage { from a via tcp 22 }\n";

/// How a platform's configs are read.
struct Platform {
    target: &'static str,
    /// The enforcement point of the policy.
    device: &'static str,
    /// How many texts make a config.
    texts: usize,
    read: fn(&[&str]) -> Vec<Reading>,
    /// A comment on lines of its own, to be put behind a text.
    comment: &'static str,
    /// True if a blank line may stand between any two lines.
    by_lines: bool,
}

/// Reads the input as a ruleset of nftables.
pub fn nftables(data: &[u8]) {
    static POLICY: OnceLock<Compiled> = OnceLock::new();
    const PLATFORM: Platform = Platform {
        target: "nftables",
        device: "firewall core { target nftables interface eth0 zone a interface eth1 zone b }",
        texts: 1,
        read: |texts| texts.iter().map(|text| read::nftables::read(text)).collect(),
        comment: "\n# note\n",
        by_lines: true,
    };
    assert_read(&PLATFORM, &POLICY, data);
}

/// Reads the input as the rules of IPv4, those of IPv6, and the sets of both.
pub fn iptables(data: &[u8]) {
    static POLICY: OnceLock<Compiled> = OnceLock::new();
    const PLATFORM: Platform = Platform {
        target: "iptables",
        device: "firewall core { target iptables interface eth0 zone a interface eth1 zone b }",
        texts: 3,
        read: |texts| {
            let [v4, v6, sets] = texts else { panic!("{} texts", texts.len()) };
            let both = [(v4, Family::V4), (v6, Family::V6)];
            both.map(|(rules, family)| read::iptables::read(rules, sets, family)).into()
        },
        comment: "\n# note\n",
        by_lines: true,
    };
    assert_read(&PLATFORM, &POLICY, data);
}

/// Reads the input as a config of a switch.
pub fn cisco_ios(data: &[u8]) {
    static POLICY: OnceLock<Compiled> = OnceLock::new();
    const PLATFORM: Platform = Platform {
        target: "cisco-ios",
        device: "switch core { target cisco-ios interface Vlan10 zone a interface Vlan20 zone b }",
        texts: 1,
        read: |texts| texts.iter().map(|text| read::cisco_ios::read(text)).collect(),
        comment: "\n!\n! note\n",
        by_lines: true,
    };
    assert_read(&PLATFORM, &POLICY, data);
}

/// Reads the input as a whole config of pfSense, or as areas of one in the order of the build's files.
///
/// Into a whole config cordon's own rules are spliced: a second time, that changes nothing.
pub fn pfsense(data: &[u8]) {
    static POLICY: OnceLock<Compiled> = OnceLock::new();
    const PLATFORM: Platform = Platform {
        target: "pfsense",
        device: "firewall core { target pfsense interface lan zone a interface wan zone b }",
        texts: 4,
        read: |texts| vec![read::pfsense::read(texts)],
        comment: "\n<!-- note -->\n",
        by_lines: false,
    };
    assert_read(&PLATFORM, &POLICY, data);
    let files = &built(&PLATFORM, &POLICY).files;
    let config = String::from_utf8_lossy(data);
    if let Ok(spliced) = splice(&config, "core", files) {
        let again = splice(&spliced.config, "core", files).map(|spliced| spliced.config);
        assert_eq!(
            again.as_deref().ok(),
            Some(spliced.config.as_str()),
            "splicing twice is not splicing once"
        );
    }
}

fn built<'c>(platform: &Platform, cell: &'c OnceLock<Compiled>) -> &'c Compiled {
    cell.get_or_init(|| {
        let compiled = compile(&[format!("{POLICY}{}\n", platform.device)]);
        assert!(!compiled.diagnostics.has_errors(), "{}", compiled.said());
        compiled
    })
}

fn assert_read(platform: &Platform, cell: &OnceLock<Compiled>, data: &[u8]) {
    let texts = texts(data);
    let mut texts: Vec<&str> = texts.iter().take(platform.texts).map(String::as_str).collect();
    if platform.target == "iptables" {
        texts.resize(platform.texts, "");
    }
    let readings = (platform.read)(&texts);
    assert_eq!((platform.read)(&texts), readings, "the same text is read in two ways");
    for (place, reading) in readings.iter().enumerate() {
        assert_mistakes(reading, &texts, texts.get(place).filter(|_| platform.target == "iptables"));
    }
    if readings.iter().all(|reading| reading.mistakes.is_empty()) {
        let lines = texts.iter().map(|text| lines(text)).max().unwrap_or_default();
        readings.iter().for_each(|reading| assert_sound(&reading.model, lines));
        assert_comments_do_nothing(platform, &texts, &readings);
    }
    let compiled = built(platform, cell);
    let names = match texts.as_slice() {
        [_] if platform.target == "pfsense" => vec!["config.xml"],
        _ => files_read(platform.target),
    };
    let files: Vec<ConfigFile> =
        names.iter().zip(&texts).map(|(name, text)| ConfigFile { name, text }).collect();
    if let Verdict::NoReader = prove(&compiled.policy, DeviceId(0), &files) {
        panic!("no reader for {}", platform.target);
    }
}

/// How many lines a text has; the end behind the last line break is one.
fn lines(text: &str) -> usize {
    text.matches('\n').count() + 1
}

/// Asserts that each mistake names a line of its text, which is `rules` or the last of all if it is one of iptables.
fn assert_mistakes(reading: &Reading, texts: &[&str], rules: Option<&&str>) {
    for mistake in &reading.mistakes {
        let in_sets = mistake.what.starts_with(read::iptables::IN_SETS);
        let last = match rules {
            Some(_) if in_sets => texts.last().map_or(0, |sets| lines(sets)),
            Some(rules) => lines(rules),
            None => texts.iter().map(|text| lines(text)).max().unwrap_or(1),
        };
        assert!((1..=last).contains(&mistake.line), "{mistake:?} in {last} lines");
        assert!(!mistake.what.trim().is_empty(), "{mistake:?} says nothing");
    }
}

/// Asserts that the same is read with a comment behind each text, and with a blank line in its middle.
fn assert_comments_do_nothing(platform: &Platform, texts: &[&str], readings: &[Reading]) {
    let behind: Vec<String> = texts.iter().map(|text| format!("{text}{}", platform.comment)).collect();
    let behind: Vec<&str> = behind.iter().map(String::as_str).collect();
    for (reading, again) in readings.iter().zip((platform.read)(&behind)) {
        assert_same(reading, &again, "a comment behind a text");
    }
    if !platform.by_lines {
        return;
    }
    for (place, text) in texts.iter().enumerate() {
        let line = lines(text) / 2;
        let Some((end, _)) = text.match_indices('\n').nth(line.saturating_sub(1)) else { continue };
        let (head, tail) = text.split_at(end + 1);
        if head.ends_with("\\\n") {
            continue;
        }
        let with_blank = format!("{head}\n{tail}");
        let mut changed = texts.to_vec();
        changed[place] = &with_blank;
        let again = (platform.read)(&changed);
        for (number, (reading, again)) in readings.iter().zip(again).enumerate() {
            let by = usize::from(number == place);
            assert_same(&moved(reading.clone(), line, by), &again, "a blank line in a text");
        }
    }
}

/// Asserts that two readings mean the same. How many lines were understood may differ: those of a banner count as well.
fn assert_same(one: &Reading, other: &Reading, what: &str) {
    assert_eq!(one.mistakes, other.mistakes, "{what} is a mistake");
    assert_eq!(one.model, other.model, "{what} changes what is read");
}
