//! What `load.sh` leaves in the kernel, also when something is in its way.

use std::path::Path;

use super::super::lab::{Invocation, Lab, Outcome, Step};
use super::super::shapes;
use super::super::site::{IPTABLES, Site};
use super::{as_intended, in_shapes, listing, outputs, probes, shell, tool};
use crate::support::root;

/// Loads and says how it went, rather than ending the run.
fn attempt(load: &Invocation) -> Step {
    let call = format!("{} {}", load.program, load.arguments.join(" "));
    shell(&format!("{call} 2>&1 && echo loaded || echo refused"))
}

/// The files of a site with a text in one of them replaced, and the call that loads them.
fn altered(site: &Site, file: &str, from: &str, to: &str) -> (tempfile::TempDir, Invocation) {
    let directory = tempfile::tempdir().unwrap();
    for name in ["load.sh", "rules.v4", "rules.v6", "sets.ipset"] {
        let text = site.file(name);
        let text = if name == file {
            assert!(text.contains(from), "{name} has no {from}");
            text.replace(from, to)
        } else {
            text
        };
        std::fs::write(directory.path().join(name), text).unwrap();
    }
    let load = site.loader.load(directory.path());
    (directory, load)
}

/// One mistake in each of the files.
const MISTAKES: [(&str, &str, &str); 4] = [
    ("rules.v6", "-g cordon-related", "-g cordon-nowhere"),
    ("rules.v4", "-g cordon-related", "-g cordon-nowhere"),
    ("rules.v4", "COMMIT", "-A cordon-manage -m set --match-set nowhere src -j DROP\nCOMMIT"),
    ("sets.ipset", "hash:net,port family inet6", "hash:net,port family inet7"),
];

fn all_dropped() -> String {
    format!("{:?}", vec![Outcome::Dropped; 4])
}

#[test]
fn a_first_load_that_fails_in_one_family_leaves_both_closed() {
    in_shapes("a_first_load_that_fails_in_one_family_leaves_both_closed", |site| {
        for (file, from, to) in MISTAKES {
            let (_directory, load) = altered(site, file, from, to);
            let policies = ["iptables", "ip6tables"]
                .map(|name| shell(&format!("{} -t mangle -S | grep ^-P", tool(site, name, ""))));
            let [four, six] = policies;
            let lab = Lab {
                load: Vec::new(),
                ..site.lab(vec![
                    probes(site),
                    Step::Flush,
                    attempt(&load),
                    probes(site),
                    four,
                    six,
                    shell("ipset list -n"),
                    shell(&format!("{} -t mangle -S cordon-input", tool(site, "ip6tables", ""))),
                ])
            };
            let said = outputs(&lab);
            assert!(said[0].matches("Delivered").count() == 4, "an empty kernel forwards: {said:?}");
            assert!(said[2].ends_with("refused\n"), "{file}: {said:?}");
            assert_eq!(said[3], all_dropped(), "{file}");
            for policies in &said[4..6] {
                assert!(
                    policies.contains("-P FORWARD DROP") && policies.contains("-P INPUT DROP"),
                    "{said:?}"
                );
            }
            assert_eq!(said[6], "", "{file}: no set is left over");
            for discovery in ["133", "135", "136"] {
                let accepted = format!("--icmpv6-type {discovery} -j ACCEPT");
                assert!(said[7].contains(&accepted), "{file}: the link stays up: {}", said[7]);
            }
        }
    });
}

#[test]
fn a_reload_that_fails_in_one_family_leaves_the_old_rules_in_both() {
    in_shapes("a_reload_that_fails_in_one_family_leaves_the_old_rules_in_both", |site| {
        for (file, from, to) in MISTAKES {
            let (_directory, load) = altered(site, file, from, to);
            let steps = vec![
                listing(site),
                attempt(&load),
                listing(site),
                probes(site),
                Step::Flush,
                attempt(&site.load()),
            ];
            let said = outputs(&site.lab(steps));
            assert!(said[1].ends_with("refused\n"), "{file}: {said:?}");
            assert_eq!(said[0], said[2], "{file}");
            assert_eq!(said[3], as_intended(), "{file}");
            assert!(said[5].ends_with("loaded\n"), "the next load works: {said:?}");
        }
    });
}

/// A tool under another name that does the same, and then writes down what rules the table of its family has.
fn watched(directory: &Path, name: &str, real: &str) -> String {
    let path = directory.join(name).to_string_lossy().into_owned();
    for end in ["", "-save", "-restore"] {
        let tool = format!(
            "#!/bin/sh\n{real}{end} \"$@\"\nstatus=$?\n{real}-save -t mangle | sed -e '/^#/d' \
             -e 's/cordon[0-9]\\./cordonN./g' -e 's/\\[[0-9]*:[0-9]*\\]//' | cksum >>{path}.seen\nexit $status\n"
        );
        std::fs::write(format!("{path}{end}"), tool).unwrap();
    }
    path
}

#[test]
fn a_reload_of_the_same_rules_is_at_no_time_without_one_of_them() {
    in_shapes("a_reload_of_the_same_rules_is_at_no_time_without_one_of_them", |site| {
        let directory = tempfile::tempdir().unwrap();
        let [four, six] = [("four", "iptables"), ("six", "ip6tables")]
            .map(|(name, family)| watched(directory.path(), name, &tool(site, family, "")));
        let script = site.files().join("load.sh").to_string_lossy().into_owned();
        let load = format!("chmod +x {four}* {six}*; env IPTABLES={four} IP6TABLES={six} sh {script}");
        let seen = |path: &str| shell(&format!("wc -l <{path}.seen; sort -u {path}.seen | wc -l"));
        let said = outputs(&site.lab(vec![shell(&load), seen(&four), seen(&six)]));
        for seen in &said[1..] {
            let (calls, states) = seen.split_once('\n').unwrap();
            assert!(calls.trim().parse::<u32>().unwrap() >= 3, "{said:?}");
            assert_eq!(states.trim(), "1", "the rules were others in between: {said:?}");
        }
    });
}

#[test]
fn a_family_that_cannot_be_put_back_closes_both() {
    in_shapes("a_family_that_cannot_be_put_back_closes_both", |site| {
        // IPv4 is refused, and whatever then loads rules of IPv6 fails on all but the closed ones.
        let (directory, load) = altered(site, "rules.v4", "-g cordon-related", "-g cordon-nowhere");
        let real = tool(site, "ip6tables", "");
        let fake = directory.path().join("six");
        let restore = format!(
            "#!/bin/sh\ncat >{0}.in\nif grep -q nowhere-marker {0}.mark 2>/dev/null && grep -q ctstate.RELATED {0}.in; then exit 1; fi\n\
             echo nowhere-marker >{0}.mark\nexec {real}-restore \"$@\" <{0}.in\n",
            fake.display()
        );
        std::fs::write(directory.path().join("six-restore"), restore).unwrap();
        std::fs::write(directory.path().join("six-save"), format!("#!/bin/sh\nexec {real}-save \"$@\"\n"))
            .unwrap();
        let fake = fake.display();
        let load =
            load.arguments.join(" ").replace(&format!("IP6TABLES={real}"), &format!("IP6TABLES={fake}"));
        let script = format!("chmod +x {fake}-*; env {load} 2>&1 && echo loaded || echo refused");
        let said = outputs(&site.lab(vec![shell(&script), probes(site)]));
        assert!(said[0].contains("closing both") && said[0].ends_with("refused\n"), "{said:?}");
        assert_eq!(said[1], all_dropped());
    });
}

#[test]
fn loading_twice_is_loading_once_and_leaves_the_rules_and_sets_of_others_alone() {
    in_shapes("loading_twice_is_loading_once_and_leaves_the_rules_and_sets_of_others_alone", |site| {
        let four = tool(site, "iptables", "");
        let others = format!(
            "ipset create other hash:ip; {four} -N other; {four} -A FORWARD -j other; {four} -t mangle -N mine; \
             {four} -t mangle -A FORWARD -p tcp -j mine; {four} -t mangle -A mine -m set --match-set other src -j ACCEPT"
        );
        let load = Step::Run(site.load());
        let lab =
            site.lab(vec![shell(&others), load.clone(), listing(site), load.clone(), load, listing(site)]);
        let said = outputs(&lab);
        assert_eq!(said[2], said[5]);
        for line in ["-A FORWARD -j other\n", "-A FORWARD -p tcp -j mine\n", "create other hash:ip"] {
            assert!(said[5].contains(line), "{line} in {}", said[5]);
        }
        assert_eq!(said[5].matches("-A FORWARD -j cordon-forward\n").count(), 2, "once a family");
    });
}

#[test]
fn a_rule_of_somebody_else_that_accepts_everything_opens_nothing() {
    in_shapes("a_rule_of_somebody_else_that_accepts_everything_opens_nothing", |site| {
        let rules = ["iptables", "ip6tables"].map(|name| tool(site, name, ""));
        let open =
            rules.map(|tool| format!("{tool} -I FORWARD -j ACCEPT; {tool} -P FORWARD ACCEPT; ")).concat();
        let said = outputs(&site.lab(vec![shell(&open), probes(site)]));
        assert_eq!(said[1], as_intended());
    });
}

#[test]
fn chains_and_sets_of_an_older_policy_are_gone_after_the_next_load() {
    in_shapes("chains_and_sets_of_an_older_policy_are_gone_after_the_next_load", |site| {
        let directory = tempfile::tempdir().unwrap();
        let policy = std::fs::read_to_string(root().join("tests/policies/shapes/shapes.cordon")).unwrap();
        let smaller: Vec<&str> = policy.lines().filter(|line| !line.starts_with("allow relay")).collect();
        let smaller = smaller.join("\n").replace("lab0", "other0");
        std::fs::write(directory.path().join("shapes.cordon"), smaller).unwrap();
        let other = Site::compile_for(directory.path(), site.loader);
        let alone = outputs(&other.lab(vec![listing(site)]));
        let after =
            outputs(&Lab { steps: vec![Step::Run(other.load()), listing(site)], ..site.lab(Vec::new()) });
        assert_eq!(alone[0], after[1]);
        assert!(!after[1].contains("lab0") && !after[1].contains("relay"));
    });
}

#[test]
fn a_reload_cuts_no_connection() {
    in_shapes("a_reload_cuts_no_connection", |site| {
        let rows = site.query("proto,src,dst,sport,dport\nudp,10.1.0.3,10.3.0.10,30001,5000\nudp,10.3.0.10,10.1.0.3,5000,30001\n");
        let [opening, reply] = [&rows[0], &rows[1]].map(|row| site.packet(row, 1));
        let steps = vec![
            Step::Send(vec![opening]),
            Step::Run(site.load()),
            Step::Send(vec![reply.clone()]),
            Step::Flush,
            Step::Send(vec![reply]),
        ];
        let said = outputs(&site.lab(steps));
        assert_eq!([&said[2], &said[4]], ["[Delivered(\"ward0\")]", "[Dropped]"], "{said:?}");
    });
}

#[test]
fn the_files_load_by_hand_as_well_and_the_script_takes_over_from_there() {
    in_shapes("the_files_load_by_hand_as_well_and_the_script_takes_over_from_there", |site| {
        let path = |name: &str| site.files().join(name).to_string_lossy().into_owned();
        let [four, six] = ["iptables", "ip6tables"].map(|name| tool(site, name, "-restore"));
        let by_hand = format!(
            "ipset restore <{}; {four} <{}; {six} <{}",
            path("sets.ipset"),
            path("rules.v4"),
            path("rules.v6")
        );
        let steps = vec![
            shell(&by_hand),
            probes(site),
            listing(site),
            Step::Run(site.load()),
            listing(site),
            shell("ipset list -n | grep -c '^cordon0' || true"),
        ];
        let said = outputs(&Lab { load: Vec::new(), ..site.lab(steps) });
        assert_eq!(said[1], as_intended());
        assert_eq!(said[2], said[4]);
        assert_eq!(said[5], "0\n", "no set of generation 0 is left");
    });
}

/// Runs the script with tools before the usual ones, and gives what it said to its error output.
fn script_fails(site: &Site, name: &str, tool: &str, variables: &[(&str, &str)]) -> String {
    use std::os::unix::fs::PermissionsExt;
    let tools = tempfile::tempdir().unwrap();
    let path = tools.path().join(name);
    std::fs::write(&path, tool).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    let usual = std::env::var("PATH").unwrap();
    let output = std::process::Command::new("sh")
        .arg(site.files().join("load.sh"))
        .env("PATH", format!("{}:{usual}", Path::new(tools.path()).display()))
        .envs(variables.iter().copied())
        .output()
        .unwrap();
    assert!(!output.status.success());
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn the_script_says_what_it_lacks_before_it_touches_anything() {
    let site = shapes::shapes_for(IPTABLES[0]);
    let ordinary = "#!/bin/sh\necho 1000\n";
    assert_eq!(script_fails(&site, "id", ordinary, &[]), "cordon: only root can load a firewall\n");
    let root = "#!/bin/sh\necho 0\n";
    assert_eq!(
        script_fails(&site, "id", root, &[("IPTABLES", "no-such-tables")]),
        "cordon: `no-such-tables-restore` is not installed\n"
    );
}
