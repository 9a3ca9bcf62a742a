//! Input that nobody means: cut, mixed up, hostile. It never panics, always ends, and means the same in any order.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use cordon::check::check;
use cordon::diag::{Diagnostics, human};
use cordon::emit::{OutputFile, emit};
use cordon::inventory::Inventories;
use cordon::plan::plan;
use cordon::source::Sources;
use cordon::syntax::parse;
use proptest::prelude::*;
use proptest::sample::{Index, select};

/// What became of a policy: the files that it was compiled into, and what was said.
struct Compiled {
    files: Vec<OutputFile>,
    sources: Sources,
    diagnostics: Diagnostics,
}

impl Compiled {
    fn text(&self) -> String {
        human(&self.diagnostics, &self.sources, 100, false)
    }
}

/// Compiles a policy in process, from its files by name.
fn compile(files: &[(&str, &str)]) -> Compiled {
    let (mut sources, mut diagnostics) = (Sources::default(), Diagnostics::default());
    let mut trees = Vec::new();
    for (name, text) in files {
        let source = sources.add((*name).to_owned(), (*text).to_owned()).unwrap();
        trees.push(parse(source, &mut diagnostics));
    }
    let policy = check(&trees, Inventories::default(), "2026-11-01".parse().unwrap(), &mut diagnostics);
    let files = if diagnostics.has_errors() { Vec::new() } else { emit(&plan(&policy), &mut diagnostics) };
    Compiled { files, sources, diagnostics }
}

/// All policy files of the project, by path, with their text.
fn policy_files() -> Vec<(PathBuf, String)> {
    fn collect(directory: &Path, files: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                collect(&path, files);
            } else if path.extension().is_some_and(|ending| ending == "cordon") {
                files.push(path);
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    collect(&root.join("tests/ui"), &mut files);
    collect(&root.join("examples"), &mut files);
    files.sort();
    assert!(files.len() > 90, "only {} policy files were found", files.len());
    files.into_iter().map(|path| (path.clone(), fs::read_to_string(path).unwrap())).collect()
}

// --- cut ---

#[test]
fn a_policy_that_is_cut_anywhere_is_read_to_its_end() {
    for (path, text) in policy_files() {
        let step = if text.len() > 1_000 { 101 } else { 7 };
        let cuts = (0..text.len()).step_by(step).filter(|cut| text.is_char_boundary(*cut));
        for cut in cuts {
            let compiled = compile(&[("a.cordon", &text[..cut])]);
            // Rendering reads every span, so a span that is out of place is found here.
            let said = compiled.text();
            assert_eq!(said.is_empty(), compiled.diagnostics.is_empty(), "{} cut at {cut}", path.display());
        }
    }
}

// --- mixed up ---

/// A policy that is fine, with most of what the language has.
const POLICY: &str = r#"policy "St. Brigid"
zone a { net 10.1.0.0/24, 2001:db8:1::/64 phi store owner biomed }
zone b { net 10.2.0.0/24, 2001:db8:2::/64 except 2001:db8:2::f/128 }
zone c { net 10.3.0.0/24 }
zone world { rest }
service web { tcp 80, 443 }
service names { tcp/udp 53 source-port 1024-65535 }
service ping { icmp echo-request icmpv6 echo-request }
class pumps in a { hosts 10.1.0.16/28, 2001:db8:1::10 risk high supported until 2030-01-01 reaches b via web log }
class scanners in a { hosts 10.1.0.64-10.1.0.95 reached by c via tcp 104, 11112 reason "images" }
peer records in b { host 10.2.0.10, 2001:db8:2::a }
group devices { pumps, scanners }
group all_but_world { any except world }
allow images { from scanners to records via tcp 104 log reason "archive" ticket CHG-1 }
allow { from devices to records via web }
allow { from all_but_world to b via names, ping }
allow { from a to b via tcp 80-90 }
allow far { from c, records to world via any until 2030-01-01 }
forbid { from pumps to records via tcp 80 log }
forbid clear { from any except world to c via tcp 20-23 }
manage { from b via tcp 22 }
manage noc { from c to fw via udp 161 log }
assert denied { from world to a via any }
firewall fw { target nftables interface eth0 zone a interface eth1 zone b interface eth2 zone c, world }
firewall gw { target nftables interface lan zone a interface wan zone world }
"#;

const WORDS: [&str; 76] = [
    "policy",
    "include",
    "zone",
    "service",
    "class",
    "peer",
    "group",
    "allow",
    "forbid",
    "assert",
    "manage",
    "schedule",
    "guard",
    "posture",
    "firewall",
    "switch",
    "net",
    "rest",
    "in",
    "hosts",
    "members",
    "all",
    "from",
    "inventory",
    "where",
    "reaches",
    "reached",
    "by",
    "to",
    "via",
    "log",
    "during",
    "allowed",
    "denied",
    "isolate",
    "target",
    "interface",
    "uplink",
    "owner",
    "phi",
    "until",
    "supported",
    "protocol",
    "source-port",
    "or",
    "and",
    "not",
    "except",
    "tcp",
    "udp",
    "icmp",
    "gre",
    "any",
    "a",
    "b",
    "fw",
    "nftables",
    "eth0",
    "10.1.0.0/24",
    "10.2.0.0-10.2.0.9",
    "2001:db8::/32",
    "::ffff:10.1.0.1",
    "80",
    "1-65535",
    "2027-01-01",
    "echo-request",
    "{",
    "}",
    ",",
    "(",
    ")",
    "==",
    "\"text\"",
    "\"open",
    "# note\n",
    "\n",
];

const ODD: [&str; 18] = [
    "\u{202e}",
    "\u{200b}",
    "\u{0}",
    "\u{a0}",
    "ü",
    "\u{1f3e5}",
    "\u{201c}",
    "\\",
    "\"\\q\"",
    ";",
    "\u{2028}",
    "e\u{301}",
    "-80",
    "10.1.0.1-",
    "/",
    "10.1.0.0/",
    "::",
    "tcp/",
];

fn soup() -> impl Strategy<Value = String> {
    let token = prop_oneof![12 => select(WORDS.to_vec()), 1 => select(ODD.to_vec())];
    let gap = select(vec![" ", " ", " ", "", "\n", "\t"]);
    proptest::collection::vec((token, gap), 0..120)
        .prop_map(|tokens| tokens.into_iter().flat_map(|(token, gap)| [token, gap]).collect())
}

/// A change of a text: what is done, and the places where.
fn change() -> impl Strategy<Value = (u8, Index, Index, Index, &'static str)> {
    let words = prop_oneof![4 => select(WORDS.to_vec()), 1 => select(ODD.to_vec())];
    (0..5_u8, any::<Index>(), any::<Index>(), any::<Index>(), words)
}

/// Deletes, doubles, swaps or replaces words, or deletes one character.
fn changed(text: &str, changes: &[(u8, Index, Index, Index, &'static str)]) -> String {
    let mut words: Vec<String> = text.split_inclusive([' ', '\n']).map(str::to_owned).collect();
    for (what, one, other, place, word) in changes {
        let count = words.len();
        if count == 0 {
            break;
        }
        let (one, other) = (one.index(count), other.index(count));
        let few = one..(one + 1 + place.index(4)).min(count);
        match what {
            0 => drop(words.drain(few)),
            1 => words[other..other].clone_from_slice(&[]),
            2 => words.swap(one, other),
            3 => words[one] = format!("{word} "),
            _ => {
                let at = place.index(words[one].chars().count());
                words[one] =
                    words[one].chars().enumerate().filter(|(i, _)| *i != at).map(|(_, c)| c).collect();
            }
        }
        if *what == 1 {
            let copy = words[one].clone();
            words.insert(other, copy);
        }
    }
    words.concat()
}

/// Compiles anything; where nothing is wrong with it, it must have become files.
fn assert_errors_or_output(text: &str) {
    let compiled = compile(&[("a.cordon", text)]);
    let said = compiled.text();
    let builds = text.contains("firewall");
    if !compiled.diagnostics.has_errors() && builds && compiled.files.is_empty() {
        // A `firewall` in a comment or a text builds nothing; then cordon says that there is nothing to build.
        assert!(said.contains("C0508") || !said.contains("C05"), "no error and no output:\n{text}\n{said}");
    }
    assert!(!said.contains("C0999"), "a bug of cordon:\n{said}\n{text}");
    assert!(!said.contains("C0012"), "given up:\n{said}\n{text}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn words_in_any_order_do_no_harm(text in soup()) {
        assert_errors_or_output(&text);
    }

    #[test]
    fn a_policy_with_random_changes_does_no_harm(changes in proptest::collection::vec(change(), 1..6)) {
        assert_errors_or_output(&changed(POLICY, &changes));
    }
}

#[test]
fn each_value_may_be_replaced_by_each_odd_word() {
    let words: Vec<&str> = POLICY.split_inclusive([' ', '\n']).collect();
    let values = (0..words.len()).filter(|place| words[*place].starts_with(|c: char| c.is_ascii_digit()));
    for place in values {
        for odd in ODD {
            let (before, after) = (words[..place].concat(), words[place + 1..].concat());
            assert_errors_or_output(&format!("{before}{odd} {after}"));
        }
    }
}

// --- hostile ---

/// The time in which hostile input must be read: generous, since a build machine may be busy and the build is not
/// optimised. The sizes are such that what grows with the square of its input passes it.
const BOUND: Duration = Duration::from_secs(20);

/// Compiles hostile input, which must not take longer than [`BOUND`].
#[track_caller]
fn assert_bounded(text: &str) -> Compiled {
    let start = Instant::now();
    let compiled = compile(&[("a.cordon", text)]);
    let taken = start.elapsed();
    assert!(taken < BOUND, "{} bytes took {taken:?}", text.len());
    compiled
}

#[test]
fn deep_parentheses_are_refused() {
    let text = format!("class a in b {{ members from inventory where {}type == x }}", "(".repeat(100_000));
    assert!(assert_bounded(&text).text().contains("C0007"));
    // Closed ones do not add up, and those in a text or a comment do not count.
    let flat = "(a == b) or ".repeat(5_000);
    let text = format!(
        "zone b {{ rest }} class a in b {{ members from inventory where {flat} c == \"((((\" }} # (((("
    );
    assert!(!assert_bounded(&text).text().contains("C0007"));
}

#[test]
fn repeated_not_is_bounded() {
    let text = format!(
        "zone b {{ rest }} class a in b {{ members from inventory where {} x == y }}",
        "not ".repeat(50_000)
    );
    assert!(!assert_bounded(&text).text().contains("C00"));
}

#[test]
fn one_thing_over_and_over_is_bounded() {
    for piece in [
        "{",
        "}",
        "zone ",
        "zone {",
        "\"",
        "\\",
        "(",
        ",",
        "a ",
        "a{",
        "allow from ",
        "except ",
        "\u{202e}",
        "tcp ",
        "#",
    ] {
        let text = piece.repeat((1 << 16) / piece.len());
        let compiled = assert_bounded(&text);
        assert_eq!(compiled.files, []);
        assert_eq!(compiled.diagnostics.has_errors(), piece != "#", "{piece:?}");
    }
}

#[test]
fn a_line_of_megabytes_is_read() {
    let text = format!("zone a {{ net 10.0.0.0/8 note \"{}\" }}", "x".repeat(4 << 20));
    assert!(!assert_bounded(&text).diagnostics.has_errors());
    let entries: Vec<String> =
        (0..50_000).map(|i: u32| format!("10.{}.{}.{}/32", i >> 16, (i >> 8) & 255, i & 255)).collect();
    let text = format!("zone a {{ net {} }}", entries.join(", "));
    assert!(!assert_bounded(&text).diagnostics.has_errors());
}

#[test]
fn mistakes_far_along_a_line_can_be_shown() {
    let (blank, text) = (" ".repeat(100_000), "x".repeat(100_000));
    for policy in [
        format!("zone a {{ net 10.0.0.0/8 note \"{text}\" nett }}"),
        format!("zone a {{ net 10.0.0.0/8 phi none {blank} phi store }}"),
        format!("zone a {{ net 10.0.0.0/8 }} {blank} zone a {{ net 10.0.0.0/8 }}"),
        format!("zone a {{ net 10.0.0.0/8 note \"{text}"),
        format!("zone {text} {{ net {text} }}"),
        format!("zone a {{ {} {blank}\n\n", "nett ".repeat(20_000)),
        format!("\t\t{}zone a {{ 漢\u{202e}{blank} }}", "\t".repeat(50_000)),
    ] {
        let said = assert_bounded(&policy).text();
        assert!(said.contains("a.cordon:"), "{}", said.get(..2_000).unwrap_or(&said));
        assert!(said.len() < 500_000, "{} bytes said", said.len());
    }
}

#[test]
fn many_mistakes_can_be_shown() {
    let text: String = (0..2_000).map(|i| format!("zone z{i} {{ nett 10.0.0.0/8 }}\n")).collect();
    let compiled = assert_bounded(&text);
    assert_eq!(compiled.text().matches("C0001").count(), 2_000);
}

#[test]
fn many_statements_without_blocks_are_bounded() {
    let text: String = (0..5_000).map(|i| format!("zone z{i}\n")).collect();
    let compiled = assert_bounded(&text);
    assert_eq!(compiled.diagnostics.errors(), 5_000);
    let text: String = (0..5_000).map(|i| format!("zone z{i} {{\n")).collect();
    assert_eq!(assert_bounded(&text).diagnostics.errors(), 5_000);
}

#[test]
fn groups_can_form_a_long_chain_and_circles_are_found() {
    let chain: String = (0..10_000).map(|i| format!("group g{i} {{ g{} }}\n", i + 1)).collect();
    let text = format!("zone a {{ net 10.0.0.0/8 }} group g10000 {{ a }}\n{chain}");
    let compiled = assert_bounded(&text);
    assert!(!compiled.diagnostics.has_errors(), "{}", compiled.text().get(..2_000).unwrap_or_default());
    let text = format!("group g10000 {{ g0 }}\n{chain}");
    assert_eq!(assert_bounded(&text).diagnostics.errors(), 1);
    let all: Vec<String> = (0..300).map(|i| format!("g{i}")).collect();
    let each = all.iter().map(|name| format!("group {name} {{ {} }}\n", all.join(", ")));
    assert!(assert_bounded(&each.collect::<String>()).diagnostics.has_errors());
}

#[test]
fn huge_ranges_and_many_exceptions_are_bounded() {
    let text = "zone a { net 0.0.0.0/0, ::/0 } service s { tcp any udp 0-65535 source-port any } class c in a { hosts \
                0.0.0.0-255.255.255.255, ::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff }";
    assert_bounded(text);
    let holes: Vec<String> =
        (0..10_000).map(|i: u32| format!("10.0.{}.{}", (i * 2) >> 8, (i * 2) & 255)).collect();
    let hosts = format!(
        "zone a {{ net 10.0.0.0/8 except {} }}",
        holes.iter().map(|h| format!("{h}/32")).collect::<Vec<_>>().join(", ")
    );
    assert!(!assert_bounded(&hosts).diagnostics.has_errors());
    let text = format!("{hosts} class c in a {{ hosts {} }}", holes.join(", "));
    assert_eq!(assert_bounded(&text).diagnostics.errors(), 10_000);
    let peers: String =
        holes.iter().enumerate().map(|(i, h)| format!("peer p{i} in a {{ host {h} }}\n")).collect();
    let names: Vec<String> = (0..10_000).map(|i| format!("p{i}")).collect();
    let text = format!("zone a {{ net 10.0.0.0/8 }} {peers} group g {{ a except {} }}", names.join(", "));
    assert!(!assert_bounded(&text).diagnostics.has_errors());
}

#[test]
fn many_rules_are_bounded() {
    let rules: String =
        (0..500).map(|i| format!("allow r{i} {{ from a to b via tcp {} }}\n", i + 1)).collect();
    let text = format!("{SITE}{rules}");
    let compiled = assert_bounded(&text);
    assert!(!compiled.diagnostics.has_errors() && !compiled.files.is_empty());
}

/// The time that it takes to compile rules between two zones that have no packet in common.
fn time_of_rules(count: usize) -> Duration {
    let rules = (0..count).map(|i| {
        let host = format!("10.1.{}.{}", i / 250, i % 250 + 1);
        format!("peer p{i} in a {{ host {host} }}\nallow r{i} {{ from p{i} to b via tcp {} }}\n", i + 1)
    });
    let text = SITE.replace("10.1.0.0/24", "10.1.0.0/16") + &rules.collect::<String>();
    let start = Instant::now();
    let compiled = compile(&[("a.cordon", &text)]);
    assert!(!compiled.diagnostics.has_errors() && !compiled.files.is_empty(), "{}", compiled.text());
    start.elapsed()
}

#[test]
fn rules_that_do_not_meet_are_not_subtracted_from_each_other() {
    // Work on each pair of rules would make it sixteen times as long. The shortest of some times is the one that other
    // work on the machine had least to do with.
    let shortest = |count| (0..3).map(|_| time_of_rules(count)).min().unwrap_or_default();
    let (few, many) = (shortest(750), shortest(3_000));
    assert!(many < 8 * few, "750 rules take {few:?}, and 3,000 take {many:?}");
}

const SITE: &str = "zone a { net 10.1.0.0/24 } zone b { net 10.2.0.0/24 }\n\
    firewall fw { target nftables interface eth0 zone a interface eth1 zone b }\nmanage { from b via tcp 22 }\n";

// --- order ---

/// The statements of [`POLICY`], one a line.
fn statements() -> Vec<&'static str> {
    POLICY.lines().collect()
}

#[test]
fn the_policy_of_these_tests_is_fine() {
    let compiled = compile(&[("a.cordon", POLICY)]);
    assert!(!compiled.diagnostics.has_errors(), "{}", compiled.text());
    assert_eq!(compiled.files.len(), 2);
    let ruleset = &compiled.files[0].content;
    for part in ["far", "noc", "images", "log/"] {
        assert!(ruleset.contains(part), "`{part}` is missing in\n{ruleset}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    #[test]
    fn the_order_of_statements_and_files_changes_no_byte(
        (order, homes, names) in (
            Just(statements()).prop_shuffle(),
            proptest::collection::vec(0..4_usize, statements().len()),
            Just(vec!["a.cordon", "b.cordon", "sub/c.cordon", "z.cordon"]).prop_shuffle(),
        )
    ) {
        let mut texts = vec![String::new(); names.len()];
        for (statement, home) in order.iter().zip(homes) {
            texts[home] += statement;
            texts[home] += "\n";
        }
        let files: Vec<(&str, &str)> = names.iter().copied().zip(texts.iter().map(String::as_str)).collect();
        let (shuffled, expected) = (compile(&files), compile(&[("a.cordon", POLICY)]));
        prop_assert_eq!(&shuffled.files, &expected.files);
        let count = |c: &Compiled| (c.diagnostics.errors(), c.diagnostics.warnings());
        prop_assert_eq!(count(&shuffled), count(&expected));
    }
}

#[test]
fn of_twins_that_differ_in_log_the_same_is_kept_in_any_order() {
    let twins = [
        ("allow { from a to b via tcp 80 }", "allow { from a to b via tcp 80 log owner x }"),
        ("manage { from a via tcp 22 }", "manage { from a via tcp 22 log owner x }"),
    ];
    for (one, other) in twins {
        let (forth, back) = (format!("{SITE}{one}\n{other}"), format!("{SITE}{other}\n{one}"));
        let (forth, back) = (compile(&[("a.cordon", &forth)]), compile(&[("a.cordon", &back)]));
        assert!(!forth.diagnostics.has_errors(), "{}", forth.text());
        assert_eq!(forth.files, back.files);
        assert!(forth.files[0].content.contains("log/"), "{one}");
    }
}

#[test]
fn lists_with_exceptions_do_not_run_together() {
    let site = format!("{SITE}class pumps in a {{ hosts 10.1.0.16/28 }}\n");
    // The first is all of the zone without the pumps, the second is all of the zone.
    let one_list = "allow { from devices, zone_a except pumps to b via tcp 80 }";
    let two_lists = "allow { from devices from zone_a except pumps to b via tcp 80 }";
    let site = format!("{site}group devices {{ pumps }} group zone_a {{ a }} ");
    let both = compile(&[("a.cordon", &format!("{site}{one_list}\n{two_lists}"))]);
    // That the second holds all of the first is found, and is no error.
    assert!(!both.diagnostics.has_errors(), "{}", both.text());
    let ids = both.files[0].content.matches("allow-devices-b-").count();
    assert!(ids >= 2, "one of the two was lost:\n{}", both.files[0].content);
    assert!(both.files[0].content.contains("10.1.0.16"), "the pumps were lost:\n{}", both.files[0].content);
}

#[test]
fn manage_statements_for_different_firewalls_are_kept_apart() {
    let site =
        format!("{SITE}firewall gw {{ target nftables interface eth0 zone a interface eth1 zone b }}\n");
    let text = format!("{site}manage {{ from a to fw via tcp 23 }}\nmanage {{ from a to gw via tcp 23 }}\n");
    let compiled = compile(&[("a.cordon", &text)]);
    assert!(compiled.diagnostics.is_empty(), "{}", compiled.text());
    for file in &compiled.files {
        assert!(file.content.contains(". 23"), "{} lacks port 23:\n{}", file.path, file.content);
    }
}
