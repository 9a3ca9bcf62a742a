//! What the report says is what the policy means.

use cordon::ir::{Decider, Decision, Effect, Policy, RuleIndex, ZoneId};
use cordon::query::{Fields, answer, parse_packet};
use cordon::set::{PacketSet, ServiceSet, Set, union_all};

use super::{Files, ending, example, reported};
use crate::support::scenario;

/// A policy in which forbids take away a part of allows, in one family and in both.
const CUT: &str = "
policy \"cut\"
zone a { net 10.1.0.0/24, 2001:db8:1::/64 }
zone b { net 10.2.0.0/24, 2001:db8:2::/64 }
zone c { net 10.3.0.0/24, 2001:db8:3::/64   phi store }
class low in a { hosts 10.1.0.0/25, 2001:db8:1::/65   phi store }
peer srv in b { host 10.2.0.10, 2001:db8:2::10   phi none }
peer six in c { host 2001:db8:3::6 }
service secret { tcp 443   encrypted }
allow wide    { from a  to b, c  via tcp 1-1000   accepted C0403 because \"known | <b>\" until 2027-02-03 }
service talk  { udp 7  phi none }
allow chat    { from low  to c  via talk }
allow narrow  { from low  to srv, six  via secret }
allow part    { from low  to six  via udp 53-70 }
allow both    { from any  to c  via secret, tcp 80 }
forbid telnet { from a  to b  via tcp 20-23 }
forbid low-udp { from low  to c  via udp 50-60 }
forbid some   { from any except b  to srv  via tcp 443, 900-950 }
firewall core { target nftables
  interface eth0 zone a  interface eth1 zone b  interface eth2 zone c }
";

/// The packets from one zone to another that a rule opens, by the definition: what it allows, less all that is forbidden.
fn opened(policy: &Policy, rule: RuleIndex, from: ZoneId, to: ZoneId) -> PacketSet {
    if policy[rule].effect == Effect::Forbid {
        return PacketSet::empty();
    }
    let between = PacketSet::product(&policy[from].addresses, &policy[to].addresses, &ServiceSet::full());
    let forbids = policy.rules.iter().filter(|rule| rule.effect == Effect::Forbid);
    let forbidden = union_all(forbids.map(|rule| rule.packets().intersection(&between)));
    policy[rule].packets().intersection(&between).difference(&forbidden)
}

/// For each pair of zones that the matrix has a number for, that number.
fn matrix(files: &Files) -> Vec<(String, String, usize)> {
    let page = &files["matrix.md"];
    let rows: Vec<Vec<String>> = page
        .lines()
        .filter(|line| line.starts_with('|'))
        .map(|line| line.trim_matches('|').split(" | ").map(|cell| cell.trim().to_owned()).collect())
        .collect();
    let name = |cell: &str| cell.split('`').nth(1).unwrap_or_default().to_owned();
    let columns: Vec<String> = rows[0].iter().skip(1).map(|cell| name(cell)).collect();
    let mut found = Vec::new();
    for row in rows.iter().skip(2) {
        for (to, cell) in columns.iter().zip(row.iter().skip(1)).filter(|(_, cell)| !cell.is_empty()) {
            let number = cell.trim_start_matches('[').split(']').next().unwrap().parse().unwrap();
            found.push((name(&row[0]), to.clone(), number));
        }
    }
    found.sort();
    found
}

fn assert_matrix(policy: &Policy, files: &Files) {
    let mut expected = Vec::new();
    for from in policy.zone_ids() {
        for to in policy.zone_ids().filter(|to| *to != from) {
            let count =
                policy.rule_indices().filter(|rule| !opened(policy, *rule, from, to).is_empty()).count();
            if count > 0 {
                expected.push((policy[from].name.clone(), policy[to].name.clone(), count));
            }
        }
    }
    expected.sort();
    assert!(expected.len() >= 3);
    assert_eq!(matrix(files), expected);
}

#[test]
fn the_matrix_counts_the_rules_that_open_something_between_two_zones() {
    let (policy, files) = example();
    assert_matrix(policy, files);
    let (policy, files) = reported(&[("cut.cordon".to_owned(), CUT.to_owned())]);
    assert_matrix(&policy, &files);
}

/// The lines of a page from a heading's anchor to the next anchor.
fn section<'f>(page: &'f str, anchor: &str) -> &'f str {
    let start = format!("<a id=\"{anchor}\"></a>\n");
    let rest = page.split_once(&start).unwrap_or_else(|| panic!("no {anchor}")).1;
    rest.split("\n<a id=").next().unwrap_or_default()
}

#[test]
fn what_a_forbid_takes_from_a_rule_is_gone_from_what_is_said_of_it() {
    let (_, files) = reported(&[("cut.cordon".to_owned(), CUT.to_owned())]);
    let to_b = section(&files["zone-a.md"], "to-b");
    assert!(
        to_b.contains("`wide`") && to_b.contains("in part, for [`some`](rules.md#rule-some), [`telnet`]"),
        "{to_b}"
    );
    assert!(to_b.contains("tcp 1-19, 24-1000"), "{to_b}");
    assert!(!to_b.contains("`narrow`"), "a forbid takes all of it: {to_b}");
    let to_c = section(&files["zone-a.md"], "to-c");
    assert!(to_c.contains("`narrow`") && to_c.contains("udp 61-70"), "{to_c}");
    let rules = &files["rules.md"];
    let narrow = rules.lines().find(|line| line.contains("rule-narrow\"")).unwrap();
    assert!(narrow.contains("[a to c](zone-a.md#to-c) |") && !narrow.contains("a to b"), "{narrow}");
    let server = &files["peer-srv.md"];
    assert!(server.contains("`wide`") && server.contains("tcp 1-19, 24-442, 444-899, 951-1000"), "{server}");
}

#[test]
fn phi_and_encryption_are_told_by_both_ends_and_by_the_services() {
    let (_, files) = reported(&[("cut.cordon".to_owned(), CUT.to_owned())]);
    let row = |page: &str, anchor: &str, rule: &str| {
        let section = section(&files[page], anchor);
        section.lines().find(|line| line.contains(&format!("[`{rule}`]"))).unwrap().to_owned()
    };
    // Of the other half of the zone `a`, nothing is said; so nothing is known of the whole.
    assert!(row("zone-a.md", "to-c", "both").contains("| **in part** | not said |"));
    assert!(row("zone-b.md", "to-c", "both").contains("| **in part** | not said |"));
    let (_, hospital) = example();
    let pumps = section(&hospital["zone-pump_wifi.md"], "to-dev_srv");
    assert!(pumps.contains("| encrypted | **at both ends** |"), "{pumps}");
    let vendor = section(&hospital["zone-img_a.md"], "to-vendor");
    assert!(vendor.contains("| encrypted | at one end |"), "{vendor}");
}

#[test]
fn each_packet_that_query_allows_is_behind_a_rule_that_the_report_shows_between_its_zones() {
    let (policy, files) = example();
    let table = std::fs::read(scenario("expected.csv")).unwrap();
    let mut answered = Vec::new();
    answer(policy, table.as_slice(), &mut answered).unwrap();
    let mut reader = csv::Reader::from_reader(answered.as_slice());
    let header = reader.headers().unwrap().clone();
    // The table has columns of its own by these names; those that were appended stand last.
    let place =
        |name: &str| header.iter().enumerate().filter(|(_, column)| *column == name).last().unwrap().0;
    let (source, destination, verdict, rule) = (place("src"), place("dst"), place("verdict"), place("rule"));
    let decider = Decider::new(policy);
    let mut seen = 0;
    for row in reader.records().map(Result::unwrap) {
        let zone = |place: usize| decider.zone_of(row[place].parse().unwrap()).unwrap();
        let (from, to) = (zone(source), zone(destination));
        let page = &files[&format!("zone-{}.md", policy[from].name)];
        let anchor = format!("to-{}", policy[to].name);
        match &row[verdict] {
            "allow" => {
                let said = section(page, &anchor);
                assert!(said.contains(&format!("(rules.md#rule-{})", &row[rule])), "{row:?}: {said}");
                seen += 1;
            }
            "deny" if page.contains(&format!("\"{anchor}\"")) => {}
            "deny" | "local" => assert!(!page.contains(&format!("\"{anchor}\"")) || from == to, "{row:?}"),
            other => panic!("{other}"),
        }
    }
    assert!(seen > 500, "{seen} packets were allowed");
}

#[test]
fn the_commands_for_technicians_give_what_stands_behind_them() {
    let (policy, files) = example();
    let decider = Decider::new(policy);
    let mut seen = [0, 0];
    let pages = ending(files, "md").into_iter().filter(|(path, _)| path.starts_with("class-"));
    for (path, page) in pages {
        for line in page.lines().filter_map(|line| line.strip_prefix("    cordon explain . ")) {
            let (command, says) = line.split_once("  # ").unwrap();
            let words: Vec<&str> = command.split_whitespace().collect();
            let [proto, src, dst, dport] = words[..] else { panic!("{path}: {line}") };
            let packet = parse_packet(Fields { proto, src, dst, sport: "", dport }).unwrap();
            let decision = decider.decide(&packet);
            let rule = decision.rule().map_or("", |rule| policy[rule].id.as_str());
            let expected = match decision {
                Decision::Allowed(_) => format!("allow, {rule}"),
                _ => "deny".to_owned(),
            };
            assert_eq!(says, expected, "{path}: {line}");
            seen[usize::from(says == "deny")] += 1;
        }
    }
    let classes = policy.endpoints.iter().filter(|one| one.is_class).count();
    assert_eq!(seen[1], classes, "each class has one command that is denied");
    assert!(seen[0] > 3 * classes, "{seen:?}");
}

#[test]
fn the_exceptions_and_ends_of_support_of_the_example_are_all_there() {
    let (policy, files) = example();
    let page = &files["exceptions.md"];
    for rule in policy.rules.iter().filter(|rule| rule.about.until.is_some()) {
        assert!(page.contains(&format!("[`{}`](rules.md#rule-{})", rule.id, rule.id)), "{}", rule.id);
    }
    let support = policy.endpoints.iter().filter_map(|one| Some((&one.name, one.supported_until?)));
    let support: Vec<_> = support.collect();
    assert_eq!(support.len(), 6);
    for (name, until) in support {
        let row = page.lines().find(|line| line.contains(&format!("`{name}`"))).unwrap();
        assert!(row.contains(&until.to_string()), "{row}");
    }
    let index = &files["index.md"];
    assert!(index.contains(
        "**5** [classes and servers are past the end of the vendor's support](exceptions.md#support)"
    ));
    let class = &files["class-infusion_pump_syringe.md"];
    assert!(class.contains("**until 2026-12-31, in 60 days**"), "{class}");
}

#[test]
fn accepted_findings_are_listed_with_their_codes_and_ends() {
    let (_, files) = reported(&[("cut.cordon".to_owned(), CUT.to_owned())]);
    let accepted = section(&files["exceptions.md"], "accepted");
    let row = "| [`wide`](rules.md#rule-wide) | C0403 | until 2027-02-03, in 94 days | not said | known \\| &lt;b&gt; | `cut.cordon:";
    assert!(accepted.contains(row), "{accepted}");
    let chat = section(&files["zone-a.md"], "to-c").lines().find(|line| line.contains("`chat`")).unwrap();
    assert!(chat.contains("| not said | none |"), "its service carries none: {chat}");
}

#[test]
fn a_guard_is_kept_where_its_target_can_and_what_it_counts_passes() {
    let policy = "
zone a { net 10.1.0.0/24 }
zone b { net 10.2.0.0/24 }
zone c { net 10.3.0.0/24 }
allow x { from a  to b  via tcp 1 }
allow y { from b  to c  via tcp 1 }
guard a { new-connections 20/second  then alert }
firewall one { target nftables  interface eth0 zone a  interface eth1 to two }
firewall two { target nftables  interface eth0 to one  interface eth1 zone b  interface eth2 to three }
firewall three { target nftables  interface eth0 to two  interface eth1 zone c }
switch apart { target cisco-ios  interface Vlan1 zone c }
";
    let (policy, files) = reported(&[("guard.cordon".to_owned(), policy.to_owned())]);
    let row = files["guards.md"].lines().find(|line| line.contains("guard-a-alert")).unwrap();
    for plan in cordon::plan::plan(&policy) {
        let name = &plan.device.name;
        let page = &files["enforcement.md"];
        let own = section(page, &format!("device-{name}"));
        assert_eq!(own.contains("(guards.md#guard-a-alert)"), !plan.guards.is_empty(), "{name}: {own}");
        assert!(row.contains(&format!("`{name}`")) || plan.guards.is_empty(), "{name}: {row}");
    }
    assert!(
        row.contains("[`one`](enforcement.md#device-one), ") && row.contains(": access lists count nothing"),
        "{row}"
    );
}
