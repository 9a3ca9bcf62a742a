//! The form of the files: what pfSense's own validation takes, and what a change moves.

use std::collections::BTreeSet;

use roxmltree::{Document, Node};

use super::evaluate::{child, elements, text};
use super::{Output, build, example, shapes, written};
use crate::support::root;

/// Both files of each policy that the tests have.
fn outputs() -> Vec<Output> {
    vec![build(shapes().path()), build(example().path()), build(written(HOSTILE).path())]
}

/// A policy whose free text tries to leave its place.
const HOSTILE: &str = "policy \"a ]]> --> & <b> \\\"c\\\" $srcaddr\"
zone ward    { net 10.1.0.0/24 }
zone servers { net 10.2.0.0/24 }
allow web { from ward  to servers  via tcp 443
  reason \"]]></descr><tracker>1</tracker> & < > \\\" ' $nr $srcaddr \\\\ ü\" }
firewall core { target pfsense  interface lan zone ward  interface opt1 zone servers }
";

#[test]
fn hazard_3_no_text_leaves_its_place() {
    let long = "x".repeat(10_000) + "<&>";
    let tabs = HOSTILE.replace("$nr", "\t$nr \\\\");
    for policy in [HOSTILE.to_owned(), HOSTILE.replace("$nr", &long), tabs] {
        let output = build(written(&policy).path());
        let filter = Document::parse(&output.filter).unwrap();
        let plain = build(written(&plain(&policy)).path());
        let shape =
            |text: &str| text.lines().filter(|line| !is_free(line)).map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(shape(&output.filter), shape(&plain.filter), "text changed what is not text");
        assert_eq!(shape(&output.aliases), shape(&plain.aliases));
        for rule in elements(filter.root_element(), "rule") {
            let said = text(rule, "descr").unwrap();
            assert!(said.len() <= 52 && said.starts_with("cordon: "), "{said}");
            assert!(!said.contains(['"', '\\', '$', '\n', '\t']), "{said}");
        }
    }
}

/// The same policy without free text.
fn plain(policy: &str) -> String {
    let end = policy.find("\nzone").unwrap();
    let (start, rest) = policy.split_at(policy.find("\n  reason").unwrap());
    let rest = &rest[rest.find("}\nfirewall").unwrap()..];
    format!("policy \"a\"{}{rest}", &start[end..])
}

fn is_free(line: &str) -> bool {
    let line = line.trim();
    ["<!--", "<descr>", "<text>"].iter().any(|start| line.starts_with(start))
}

#[test]
fn hazard_4_names_and_descriptions_keep_to_pfsenses_limits() {
    for output in outputs() {
        let aliases = Document::parse(&output.aliases).unwrap();
        let mut seen = BTreeSet::new();
        for alias in elements(aliases.root_element(), "alias") {
            let name = text(alias, "name").unwrap();
            assert!(name.len() <= 31 && name.starts_with("cdn_"), "{name}");
            assert!(name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_'), "{name}");
            assert!(seen.insert(name.to_lowercase()), "{name} twice");
            let address = text(alias, "address").unwrap();
            let entries: Vec<&str> = address.split(' ').collect();
            assert!(entries.len() <= 5_000 && !entries.iter().any(|entry| entry.is_empty()), "{address}");
            for entry in entries {
                entry_is_of(&text(alias, "type").unwrap(), entry);
            }
        }
    }
}

/// Each kind of alias has its own form of entries.
fn entry_is_of(kind: &str, entry: &str) {
    match kind {
        "host" => drop(entry.parse::<std::net::IpAddr>().unwrap()),
        "network" => {
            let net: ipnet::IpNet = entry.parse().unwrap();
            assert_eq!(net, net.trunc(), "{entry}");
        }
        "port" => {
            let (first, last) = entry.split_once(':').unwrap_or((entry, entry));
            let (first, last): (u16, u16) = (first.parse().unwrap(), last.parse().unwrap());
            assert!(0 < first && (first < last || !entry.contains(':')), "{entry}");
        }
        other => panic!("{other}"),
    }
}

#[test]
fn hazard_19_each_rule_is_one_that_pfsense_makes_whole() {
    for output in outputs() {
        let (filter, aliases) = (Document::parse(&output.filter), Document::parse(&output.aliases));
        let (filter, aliases) = (filter.unwrap(), aliases.unwrap());
        let names: BTreeSet<String> =
            elements(aliases.root_element(), "alias").filter_map(|alias| text(alias, "name")).collect();
        let (mut trackers, mut used) = (BTreeSet::new(), BTreeSet::new());
        for rule in elements(filter.root_element(), "rule") {
            let tracker: u32 = text(rule, "tracker").unwrap().parse().unwrap();
            assert!(tracker > 0 && trackers.insert(tracker), "{tracker} twice");
            assert!(child(rule, "floating").is_none() && child(rule, "disabled").is_none());
            assert_ne!(text(rule, "ipprotocol").unwrap(), "inet46");
            let ports = ["tcp", "udp", "tcp/udp", "sctp"].map(|name| Some(name.to_owned()));
            let has_ports = ports.contains(&text(rule, "protocol"));
            for side in ["source", "destination"].map(|name| child(rule, name).unwrap()) {
                one_place(side);
                for named in [text(side, "address"), text(side, "port")].into_iter().flatten() {
                    let is_alias = named.starts_with("cdn_");
                    assert!(!is_alias || names.contains(&named), "{named} is no alias");
                    used.insert(named);
                }
                assert!(has_ports || child(side, "port").is_none(), "pfSense would drop the port");
            }
            let icmp = text(rule, "protocol").as_deref() == Some("icmp");
            assert!(icmp || child(rule, "icmptype").is_none());
        }
        assert!(names.is_subset(&used), "an alias that no rule uses");
    }
}

/// A side is one of: any, a network, an address; and `not` with an address only.
fn one_place(side: Node) {
    let places = ["any", "network", "address"].map(|name| child(side, name).is_some());
    assert_eq!(places.iter().filter(|place| **place).count(), 1);
    assert!(child(side, "not").is_none() || child(side, "address").is_some());
    for empty in ["any", "not"].into_iter().filter_map(|name| child(side, name)) {
        assert_eq!(empty.text().unwrap_or_default(), "");
    }
}

#[test]
fn separators_stand_where_the_rules_of_a_pair_begin() {
    let output = build(shapes().path());
    let filter = Document::parse(&output.filter).unwrap();
    let separators = child(filter.root_element(), "separator").unwrap();
    for interface in separators.children().filter(Node::is_element) {
        let name = interface.tag_name().name();
        let rules = elements(filter.root_element(), "rule");
        let count = rules.filter(|rule| text(*rule, "interface").as_deref() == Some(name)).count();
        let mut rows = Vec::new();
        for (place, separator) in interface.children().filter(Node::is_element).enumerate() {
            assert_eq!(separator.tag_name().name(), format!("sep{place}"));
            assert_eq!(text(separator, "if").as_deref(), Some(name));
            rows.push(text(separator, "row").unwrap()[2..].parse::<usize>().unwrap());
        }
        assert!(rows.is_sorted() && rows.first() == Some(&0) && rows.last().unwrap() < &count, "{rows:?}");
    }
}

#[test]
fn a_change_of_one_rule_changes_only_its_own_lines() {
    let policy = std::fs::read_to_string(shapes().path().join("a.cordon"));
    assert!(policy.is_err(), "the shapes lie in a file of their own name");
    let text = std::fs::read_to_string(root().join("tests/policies/shapes/shapes.cordon")).unwrap();
    let text = ["ward0", "lab0", "srv0", "wan0"]
        .iter()
        .zip(["lan", "opt1", "opt2", "wan"])
        .fold(text.replace("target nftables", "target pfsense"), |text, (old, new)| {
            text.replace(&format!("interface {old} "), &format!("interface {new} "))
        });
    let before = build(written(&text).path());
    let after = build(written(&text.replace("via tcp 9100", "via tcp 9100-9103")).path());
    let blocks = |filter: &str| -> BTreeSet<String> {
        filter.split("\t</rule>\n").filter(|block| block.contains("<rule>")).map(str::to_owned).collect()
    };
    let (old, new) = (blocks(&before.filter), blocks(&after.filter));
    let changed: Vec<&String> = old.symmetric_difference(&new).collect();
    assert!(
        !changed.is_empty() && changed.iter().all(|block| block.contains("cordon: office")),
        "{changed:#?}"
    );
    assert_eq!(before.aliases, after.aliases);
}

#[test]
fn the_shapes_compile_to_what_is_committed() {
    let output = build(shapes().path());
    insta::with_settings!({snapshot_path => root().join("tests/snapshots"), prepend_module_to_snapshot => false}, {
        insta::assert_snapshot!("pfsense_shapes_filter", output.filter);
        insta::assert_snapshot!("pfsense_shapes_aliases", output.aliases);
    });
}

#[test]
fn the_files_carry_no_version_since_both_read_the_same() {
    let output = build(shapes().path());
    for (file, root) in [(&output.filter, "filter"), (&output.aliases, "aliases")] {
        let document = Document::parse(file).unwrap();
        assert_eq!(document.root_element().tag_name().name(), root);
        assert!(!document.descendants().any(|node| node.has_tag_name("version")));
        assert!(file.contains(&format!("<{root}>")), "the restore looks for the very tag");
    }
}
