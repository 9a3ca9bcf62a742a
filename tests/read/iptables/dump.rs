//! What the tools show of cordon's own output once the kernel holds it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::*;
use crate::kernel::lab::{Interface, Invocation, Lab, Step, StepOutcome, run};
use crate::kernel::require::ready;
use crate::support::{AS_OF, root, succeed};

/// The rules of both families and the sets, as the tools of a variant show them after `load.sh`.
fn dump(folder: &Path, variant: &str) -> [String; 3] {
    let script = folder.join("load.sh").to_string_lossy().into_owned();
    let [four, six] = ["IPTABLES=iptables", "IP6TABLES=ip6tables"].map(|name| format!("{name}-{variant}"));
    let show = |program: &str, arguments: &[&str]| Step::Run(Invocation::new(program, arguments));
    let interface = |name: &str| Interface { name: name.to_owned(), ..Interface::default() };
    let lab = Lab {
        interfaces: vec![interface("eth0"), interface("eth1")],
        load: vec![Invocation::new("env", &[&four, &six, "sh", &script])],
        steps: vec![
            show(&format!("iptables-{variant}-save"), &["-c"]),
            show(&format!("ip6tables-{variant}-save"), &[]),
            show("ipset", &["save"]),
        ],
    };
    let outcomes = run(&lab).unwrap();
    let outputs: Vec<String> = outcomes
        .into_iter()
        .map(|outcome| match outcome {
            StepOutcome::Output(text) => text,
            StepOutcome::Sent(_) | StepOutcome::Flushed => panic!("only output was asked for"),
        })
        .collect();
    outputs.try_into().unwrap()
}

/// What a model means, in a form that does not depend on places in the text, the order of elements and of chains.
fn meaning(model: &Model) -> Vec<String> {
    let name = |chain: usize| model.chains[chain].name.clone();
    let mut filters: Vec<String> = model
        .filters
        .iter()
        .map(|filter| {
            format!("{} {:?} {} {}", filter.name, filter.paths, name(filter.chain.0), filter.otherwise_accept)
        })
        .collect();
    let mut chains = BTreeMap::new();
    for chain in &model.chains {
        let mut rules = Vec::new();
        for rule in &chain.rules {
            let action = match rule.action {
                Action::Jump(target) => format!("jump {}", name(target.0)),
                Action::Goto(target) => format!("goto {}", name(target.0)),
                other => format!("{other:?}"),
            };
            let mut matches = rule.matches.clone();
            for condition in &mut matches.conditions {
                condition.boxes = normal(&condition.boxes).into();
            }
            // The sets of a load have the number of the load in their names.
            let other_load = |condition: &String| condition.replace("cordon1.", "cordon0.");
            matches.opaque = matches.opaque.iter().map(other_load).collect();
            rules.push(format!("{matches:?} {action} {:?}", rule.label));
        }
        // A chain without rules that nothing goes to is only shown by some of the tools.
        if !rules.is_empty() {
            chains.insert(chain.name.clone(), rules.join("\n"));
        }
    }
    filters.sort();
    filters.into_iter().chain(chains.into_iter().map(|(name, rules)| format!("{name}\n{rules}"))).collect()
}

/// Boxes in order, those that differ in neighbouring ports only put together: the kernel takes ranges apart.
fn normal(boxes: &[PacketBox]) -> Vec<PacketBox> {
    let mut boxes = boxes.to_vec();
    for source in [true, false] {
        boxes.sort_by_key(|found| {
            let ports = if source { found.source_port } else { found.destination_port };
            let rest = if source {
                PacketBox { source_port: (0, 0), ..*found }
            } else {
                PacketBox { destination_port: (0, 0), ..*found }
            };
            (rest, ports)
        });
        let mut joined: Vec<PacketBox> = Vec::new();
        for found in boxes {
            let fits = joined.last().is_some_and(|last| {
                let (own, next, rest) = if source {
                    (
                        last.source_port,
                        found.source_port,
                        PacketBox { source_port: last.source_port, ..found },
                    )
                } else {
                    let rest = PacketBox { destination_port: last.destination_port, ..found };
                    (last.destination_port, found.destination_port, rest)
                };
                rest == *last && u32::from(own.1) + 1 == u32::from(next.0)
            });
            match joined.last_mut() {
                Some(last) if fits && source => last.source_port.1 = found.source_port.1,
                Some(last) if fits => last.destination_port.1 = found.destination_port.1,
                _ => joined.push(found),
            }
        }
        boxes = joined;
    }
    boxes
}

fn check_variant(test: &str, variant: &str, folder: &Path) {
    let tools = [
        format!("iptables-{variant}-restore"),
        format!("iptables-{variant}-save"),
        format!("ip6tables-{variant}-restore"),
        format!("ip6tables-{variant}-save"),
        "ipset".to_owned(),
    ];
    let tools: Vec<&str> = tools.iter().map(String::as_str).collect();
    if !ready(test, &tools) {
        return;
    }
    let [four, six, sets] = dump(folder, variant);
    let file = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap();
    for (shown, name, family) in [(four, "rules.v4", Family::V4), (six, "rules.v6", Family::V6)] {
        let shown = meaning(&model(&shown, &sets, family));
        let made = meaning(&model(&file(name), &file("sets.ipset"), family));
        assert!(made.len() > 20, "{made:?}");
        // The file speaks of two hooks; the tools show all of them, which accept.
        let shown: Vec<&String> =
            shown.iter().filter(|text| made.contains(text) || !text.contains("true")).collect();
        assert_eq!(shown, made.iter().collect::<Vec<_>>(), "{variant} {name}");
    }
}

/// The firewall of the example that runs iptables.
fn records() -> PathBuf {
    root().join("examples/general-hospital/build/records")
}

#[test]
fn both_variants_show_ends_of_rules_as_they_were_loaded() {
    let policy = tempfile::tempdir().unwrap();
    let text = "zone a { net 10.1.0.0/24, 2001:db8:1::/64 }\nzone b { net 10.2.0.0/24, 2001:db8:2::/64 }\n\
                schedule work { mon..fri 17:00-21:00  timezone utc }\n\
                allow always { from a  to b  via tcp 80 }\n\
                allow once { from a  to b  via tcp 82, udp any  until 2027-06-30  log }\n\
                allow both { from a  to b  via tcp 83  during work  until 2037-12-31 }\n\
                firewall core { target iptables  interface eth0 zone a  interface eth1 zone b }\n\
                manage entry { from a  to core  via tcp 22 }\n";
    std::fs::write(policy.path().join("policy.cordon"), text).unwrap();
    succeed(&["build", policy.path().to_str().unwrap(), "--as-of", AS_OF], "");
    let folder = policy.path().join("build/core");
    assert!(
        std::fs::read_to_string(folder.join("rules.v6")).unwrap().contains("--datestop 2037-12-31T23:59:59")
    );
    for variant in ["legacy", "nft"] {
        check_variant("both_variants_show_ends_of_rules_as_they_were_loaded", variant, &folder);
    }
}

#[test]
fn the_legacy_variant_shows_what_was_loaded() {
    check_variant("the_legacy_variant_shows_what_was_loaded", "legacy", &records());
}

#[test]
fn the_nf_tables_variant_shows_what_was_loaded() {
    check_variant("the_nf_tables_variant_shows_what_was_loaded", "nft", &records());
}
