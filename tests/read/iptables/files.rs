//! Files that are there: cordon's own output, and rules of real machines.

use super::*;
use crate::support::{AS_OF, copy_policy, one_firewall, root, succeed};

/// The texts of a folder that cordon made for iptables.
fn texts(folder: &std::path::Path) -> [String; 3] {
    ["rules.v4", "rules.v6", "sets.ipset"].map(|name| std::fs::read_to_string(folder.join(name)).unwrap())
}

/// Reads what cordon made, in both families, without any mistake.
fn both(folder: &std::path::Path) -> [Model; 2] {
    let [four, six, sets] = texts(folder);
    [(four, Family::V4), (six, Family::V6)].map(|(rules, family)| model(&rules, &sets, family))
}

#[test]
fn the_example_is_understood() {
    let folder = root().join("examples/general-hospital/build/records");
    for (model, number) in both(&folder).iter().zip([4, 6]) {
        let names: Vec<&str> = model.filters.iter().map(|filter| filter.name.as_str()).collect();
        assert_eq!(names, ["mangle INPUT", "mangle FORWARD"], "IPv{number}");
        assert!(model.filters.iter().all(|filter| !filter.otherwise_accept));
        let elements = |model: &Model| -> usize {
            let rules = model.chains.iter().flat_map(|chain| &chain.rules);
            rules.flat_map(|rule| &rule.matches.conditions).map(|condition| condition.boxes.len()).sum()
        };
        assert!(elements(model) > 40, "IPv{number}: {}", elements(model));
    }
    let [four, _] = both(&folder);
    let there =
        Packet { arrives: "eth0", leaves: "eth1", ..Packet::tcp("10.40.85.10", "10.40.67.20").port(443) };
    assert!(passes(&four, &there));
    assert!(!passes(&four, &there.port(444)));
    assert!(!passes(&four, &Packet { arrives: "eth1", ..there }));
    let reply = Packet { state: States::ESTABLISHED, ..there.port(1) };
    assert!(passes(&four, &reply));
}

#[test]
fn a_large_policy_is_understood() {
    let work = tempfile::tempdir().unwrap();
    for folder in [one_firewall().to_owned(), root().join("tests/policies/shapes")] {
        let source = work.path().join(folder.file_name().unwrap());
        std::fs::create_dir(&source).unwrap();
        copy_policy(&folder, &source, |_, text| Some(text.replace("target nftables", "target iptables")));
        let build = work.path().join("build");
        let (policy, out) = (source.to_string_lossy(), build.to_string_lossy());
        succeed(&["build", &policy, "--as-of", AS_OF, "--out", &out], "");
        for model in both(&build.join("core")) {
            assert_eq!(model.filters.len(), 2);
            assert!(model.chains.iter().map(|chain| chain.rules.len()).sum::<usize>() > 50);
        }
    }
}

/// Rules of real machines: how many lines are understood or ignored, which may only become more, and how many are not.
/// Those translate addresses, or hold `-m tcp` without an option or a protocol.
const CORPUS: [(&str, usize, usize); 10] = [
    ("INVALID-host1.iptables", 20, 0),
    ("anylicense__openlab_stettenstr.iptables-save", 368, 17),
    ("example-host1.iptables", 19, 0),
    ("example-host2.iptables", 19, 0),
    ("publicdomain__majek_vpn.iptables-save", 26, 1),
    ("router-iptables-host1.iptables", 4, 0),
    ("unsupported_rule_spec_options", 4, 2),
    ("z1-firewall.v4", 6, 0),
    ("z2-firewall.v4", 11, 0),
    ("z2-host2.v4", 5, 0),
];

#[test]
fn rules_of_real_machines_are_understood_as_far_as_known() {
    let mut wrong = Vec::new();
    for (name, understood, mistaken) in CORPUS {
        let path = root().join("../shared/corpus/iptables").join(name);
        let text =
            std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let Reading { lines, mistakes, .. } = read(&text, "", Family::V4);
        let found = lines.understood + lines.ignored;
        let shown: Vec<String> =
            mistakes.iter().map(|found| format!("  {}: {}", found.line, found.what)).collect();
        if found < understood || lines.mistaken > mistaken {
            wrong.push(format!(
                "{name}: {found} understood, {} mistaken\n{}",
                lines.mistaken,
                shown.join("\n")
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
