//! Targets of the user, and what cordon says of its own: the worked example, free text that tries to leave its place,
//! templates that stand in for others, and files that must not decide anything.

mod routeros;

use std::collections::BTreeSet;
use std::fs;
use std::net::IpAddr;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use cordon::emit::{Kind, built_in, markdown};
use cordon::ir::{Decider, Policy};
use cordon::set::{Packet, has_ports};

use crate::families;
use crate::support::{AS_OF, cordon, policy, root, succeed};

fn example() -> PathBuf {
    root().join("examples/custom-target")
}

/// Builds a policy into a directory of its own; gives what was written by path, or what was said.
fn build(directory: &Path) -> Result<Vec<(String, String)>, String> {
    build_with(directory, &[])
}

/// The same, with further arguments.
fn build_with(directory: &Path, further: &[&str]) -> Result<Vec<(String, String)>, String> {
    let out = tempfile::tempdir().unwrap();
    let path = out.path().join("build");
    let arguments = ["build", directory.to_str().unwrap(), "--as-of", AS_OF, "--out", path.to_str().unwrap()];
    let output = cordon(&[&arguments[..], further].concat(), "");
    if !output.status.success() {
        assert!(!path.exists(), "something was written in spite of an error");
        return Err(String::from_utf8(output.stderr).unwrap());
    }
    Ok(tree(&path))
}

/// All files below a directory with their contents, by path.
fn tree(directory: &Path) -> Vec<(String, String)> {
    let mut files = Vec::new();
    let mut waiting = vec![directory.to_path_buf()];
    while let Some(path) = waiting.pop() {
        for entry in fs::read_dir(&path).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                waiting.push(path);
            } else {
                let name = path.strip_prefix(directory).unwrap().to_string_lossy().into_owned();
                files.push((name, fs::read_to_string(&path).unwrap()));
            }
        }
    }
    files.sort();
    files
}

/// A copy of the example with its policy changed.
fn changed(change: impl FnOnce(String) -> String) -> tempfile::TempDir {
    let copy = tempfile::tempdir().unwrap();
    fs::create_dir_all(copy.path().join("targets/routeros")).unwrap();
    for file in ["target.yaml", "firewall.rsc.j2", "hooks.rsc.j2"] {
        let file = format!("targets/routeros/{file}");
        fs::copy(example().join(&file), copy.path().join(&file)).unwrap();
    }
    let text = fs::read_to_string(example().join("ward.cordon")).unwrap();
    fs::write(copy.path().join("ward.cordon"), change(text)).unwrap();
    copy
}

fn content<'f>(files: &'f [(String, String)], name: &str) -> &'f str {
    &files.iter().find(|(path, _)| path == name).unwrap_or_else(|| panic!("no {name}")).1
}

#[test]
fn the_output_beside_the_example_is_what_it_compiles_to() {
    let made = build(&example()).unwrap();
    let committed = tree(&example().join("build"));
    for ((name, made), (committed_name, committed)) in made.iter().zip(&committed) {
        assert_eq!(name, committed_name);
        assert!(
            made == committed,
            "{name} differs; build examples/custom-target again and read the difference"
        );
    }
    assert_eq!(made.len(), committed.len());
}

#[test]
fn the_manifest_lists_the_files_of_the_target_among_the_inputs() {
    let made = build(&example()).unwrap();
    let manifest: serde_json::Value = serde_json::from_str(content(&made, "manifest.json")).unwrap();
    let inputs: Vec<&str> =
        manifest["inputs"].as_array().unwrap().iter().map(|input| input["path"].as_str().unwrap()).collect();
    assert_eq!(
        inputs,
        [
            "targets/routeros/firewall.rsc.j2",
            "targets/routeros/hooks.rsc.j2",
            "targets/routeros/target.yaml",
            "ward.cordon"
        ]
    );
    let copy = changed(|text| text);
    let template = copy.path().join("targets/routeros/hooks.rsc.j2");
    let before = build(copy.path()).unwrap();
    fs::write(&template, fs::read_to_string(&template).unwrap() + "# one more line\n").unwrap();
    let after = build(copy.path()).unwrap();
    assert_ne!(content(&before, "manifest.json"), content(&after, "manifest.json"));
}

/// Packets at the edges of everything that the example speaks of.
fn packets() -> Vec<Packet> {
    let addresses = [
        "10.30.1.0",
        "10.30.1.15",
        "10.30.1.16",
        "10.30.1.31",
        "10.30.1.32",
        "10.30.9.9",
        "10.30.9.10",
        "10.30.9.19",
        "10.30.9.20",
        "10.30.9.22",
        "10.30.9.23",
        "10.30.8.1",
        "10.30.8.63",
        "10.30.8.64",
        "192.0.2.7",
        "2001:db8:30:1::f",
        "2001:db8:30:1::10",
        "2001:db8:30:1::20",
        "2001:db8:30:9::10",
        "2001:db8:30:9::11",
        "2001:db8:30:8::1",
        "2001:db8:ffff::1",
        "::ffff:10.30.1.16",
    ];
    let addresses = addresses.map(|address| address.parse::<IpAddr>().unwrap());
    let traffic = [
        (6, 3612),
        (6, 3613),
        (6, 3614),
        (6, 80),
        (6, 443),
        (6, 21),
        (6, 49999),
        (6, 50000),
        (6, 50100),
        (6, 50101),
        (6, 22),
        (17, 3613),
        (17, 80),
        (1, 8 << 8),
        (1, (8 << 8) + 3),
        (1, 9 << 8),
        (58, 128 << 8),
        (58, 129 << 8),
        (47, 0),
        (132, 80),
    ];
    let mut packets = Vec::new();
    for source in addresses {
        for destination in addresses.into_iter().filter(|other| other.is_ipv4() == source.is_ipv4()) {
            for (protocol, destination_port) in traffic {
                let source_port = if has_ports(protocol) { 50_000 } else { 0 };
                packets.push(Packet { source, destination, protocol, source_port, destination_port });
            }
        }
    }
    packets
}

/// The interface of the one firewall of the example that a zone is attached to.
fn interface<'p>(policy: &'p Policy, decider: &Decider, address: IpAddr) -> Option<&'p str> {
    let zone = decider.zone_of(address)?;
    let mut interfaces = policy.devices[0].interfaces.iter();
    interfaces.find(|interface| interface.zones.contains(&zone)).map(|interface| interface.name.as_str())
}

#[test]
fn a_reader_of_its_own_gives_each_packet_the_verdict_of_the_policy() {
    let made = build(&example()).unwrap();
    let commands = routeros::read(content(&made, "edge/firewall.rsc"));
    let policy = policy(&example());
    let decider = Decider::new(&policy);
    let (mut allowed, mut denied) = (0, 0);
    for packet in packets() {
        let (Some(from), Some(to)) =
            (interface(&policy, &decider, packet.source), interface(&policy, &decider, packet.destination))
        else {
            continue;
        };
        let expected = decider.decide(&packet).verdict();
        if expected == "local" {
            continue;
        }
        let accepted = routeros::accepts(&commands, "cordon-forward", &packet, from, to);
        assert_eq!(accepted, expected == "allow", "{packet}");
        *(if accepted { &mut allowed } else { &mut denied }) += 1;
        // The same packet on an interface that its source does not lie behind is spoofed.
        let elsewhere = policy.devices[0].interfaces.iter().map(|interface| interface.name.as_str());
        for other in elsewhere.filter(|other| *other != from) {
            assert!(
                !routeros::accepts(&commands, "cordon-forward", &packet, other, to),
                "{packet} on {other}"
            );
        }
    }
    assert!(allowed > 50 && denied > 1_000, "{allowed} allowed, {denied} denied");
}

#[test]
fn each_family_and_protocol_keeps_to_itself_on_a_target_of_the_user() {
    let copy = changed(|_| families::policy("firewall", "routeros", ["a0", "b0"]));
    let commands = routeros::read(content(&build(copy.path()).unwrap(), "core/firewall.rsc"));
    let policy = policy(copy.path());
    let decider = Decider::new(&policy);
    families::judge(|packet| {
        let [from, to] =
            [packet.source, packet.destination].map(|address| interface(&policy, &decider, address));
        routeros::accepts(&commands, "cordon-forward", packet, from.unwrap(), to.unwrap())
    });
}

#[test]
fn only_who_may_administer_the_router_gets_in() {
    let made = build(&example()).unwrap();
    let commands = routeros::read(content(&made, "edge/firewall.rsc"));
    let policy = policy(&example());
    let decider = Decider::new(&policy);
    for packet in packets() {
        let Some(from) = interface(&policy, &decider, packet.source) else { continue };
        let expected = from == "vlan8" && (packet.protocol, packet.destination_port) == (6, 22);
        assert_eq!(routeros::accepts(&commands, "cordon-input", &packet, from, ""), expected, "{packet}");
    }
}

/// Free text that would like to be more.
fn hostile_texts() -> Vec<String> {
    let long = "x\" action=accept ".repeat(600);
    let mut texts: Vec<String> = [
        "a\" action=accept comment=\"b",
        "$x $[/system reset-configuration] [:put 1]",
        "; /system reset-configuration ;",
        "]]> <!-- -->",
        "{{ rules }} {% include 'x' %} {# #}",
        "\\",
        "\\\" \\22 \\",
        "# no comment",
        "}\n{",
        "a\rb\u{2028}c",
        "f\u{fc}r \u{1F489}",
        "'`'",
    ]
    .map(str::to_owned)
    .to_vec();
    texts.push(long.get(..10_000).unwrap().to_owned());
    texts
}

/// A text as a policy writes it. Line ends cannot stand in one, so they are left out there.
fn in_policy(text: &str) -> String {
    let text: String = text.chars().filter(|c| !matches!(c, '\n' | '\r')).collect();
    text.replace('\\', "\\\\").replace('"', "\\\"")
}

#[test]
fn free_text_cannot_change_what_the_output_means() {
    let plain = routeros::read(content(&build(&example()).unwrap(), "edge/firewall.rsc"));
    for text in hostile_texts() {
        let hostile = in_policy(&text);
        let copy = changed(|policy| {
            let policy = policy.replacen("drug library \\\"v7\\\"", &hostile, 1);
            let policy = policy.replacen("Ward 3 West", &hostile, 1);
            policy.replacen("owner biomed", &format!("owner \"{hostile}\"   ticket \"{hostile}\""), 1)
        });
        let made = build(copy.path()).unwrap_or_else(|said| panic!("{text:?}: {said}"));
        let commands = routeros::read(content(&made, "edge/firewall.rsc"));
        assert_eq!(commands.len(), plain.len(), "{text:?}");
        for (one, other) in commands.iter().zip(&plain) {
            let mut expected = other.properties.clone();
            if let Some(comment) = expected.get_mut("comment").filter(|text| text.starts_with("library: ")) {
                let found = &one.properties["comment"];
                assert!(found.starts_with("library: ") && found.len() <= 200, "{found:?}");
                comment.clone_from(found);
            }
            assert_eq!(
                (&one.menu, &one.verb, &one.properties),
                (&other.menu, &other.verb, &expected),
                "{text:?}"
            );
        }
        for line in
            content(&made, "edge/firewall.rsc").lines().chain(content(&made, "edge/hooks.rsc").lines())
        {
            assert!(line.bytes().all(|byte| (b' '..=b'~').contains(&byte)), "{line:?}");
        }
    }
}

#[test]
fn a_text_with_characters_that_turn_it_around_is_refused_before_any_target() {
    let copy = changed(|policy| policy.replacen("monitoring", "\u{202e}gnirotinom", 1));
    assert!(build(copy.path()).unwrap_err().contains("C0006"));
}

/// A policy for nftables, with templates in its own folder.
#[test]
fn a_rule_with_a_schedule_is_refused_for_a_target_that_is_told_nothing_of_time() {
    let scheduled = |leave_out: &str| {
        let rule = format!(
            "reason \"monitoring\"  during days  {leave_out} }}\nschedule days {{ mon 08:00-17:00  timezone utc }}"
        );
        changed(|text| text.replace("reason \"monitoring\" }", &rule))
    };
    let refusal = build(scheduled("").path()).unwrap_err();
    assert!(refusal.contains("C0703") && refusal.contains("the schedule `days`"), "{refusal}");
    let files = build(scheduled("unsupported leave-out").path()).unwrap();
    let rules = content(&files, "edge/firewall.rsc");
    assert!(rules.contains("library") && !rules.contains("probes"), "{rules}");
}

fn nftables_with(files: &[(&str, &str)]) -> tempfile::TempDir {
    let directory = changed(|text| text.replacen("target routeros", "target nftables", 1));
    fs::remove_dir_all(directory.path().join("targets")).unwrap();
    for (name, text) in files {
        let path = directory.path().join("targets/nftables").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    directory
}

#[test]
fn a_template_of_the_user_stands_in_for_one_that_cordon_comes_with() {
    let own = fs::read_to_string(root().join("targets/nftables/ruleset.nft.j2")).unwrap();
    let plain = build(nftables_with(&[]).path()).unwrap();
    let same = nftables_with(&[("ruleset.nft.j2", &format!("{{# view: nftables 4 #}}\n{own}"))]);
    let same = build(same.path()).unwrap();
    assert_eq!(content(&plain, "edge/ruleset.nft"), content(&same, "edge/ruleset.nft"));
    let headed =
        format!("{{# view: nftables 4 #}}\n# Ask the network team before loading {{{{ device }}}}.\n{own}");
    let headed = build(nftables_with(&[("ruleset.nft.j2", &headed)]).path()).unwrap();
    let expected =
        format!("# Ask the network team before loading edge.\n{}", content(&plain, "edge/ruleset.nft"));
    assert_eq!(content(&headed, "edge/ruleset.nft"), expected);
}

#[test]
fn a_mistake_in_a_template_that_stands_in_is_the_users_and_not_a_bug() {
    let wrong = "{# view: nftables 4 #}\n{{ devise }}\n";
    let said = build(nftables_with(&[("ruleset.nft.j2", wrong)]).path()).unwrap_err();
    assert!(said.contains("C0727") && said.contains("targets/nftables/ruleset.nft.j2:2:4"), "{said}");
    assert!(!said.contains("C0999") && said.contains("1 error"), "{said}");
}

#[test]
fn a_template_that_nothing_uses_yet_has_to_be_one() {
    let copy = changed(|text| text.replacen("target routeros", "target nftables", 1));
    assert!(build(copy.path()).is_ok());
    let template = copy.path().join("targets/routeros/hooks.rsc.j2");
    fs::write(template, "{# view: generic 1 #}\n{% for rule in rules %}\n").unwrap();
    let said = build(copy.path()).unwrap_err();
    assert!(said.contains("C0726") && said.contains("targets/routeros/hooks.rsc.j2:2"), "{said}");
}

#[test]
fn links_that_leave_the_policy_are_refused_wherever_they_stand() {
    let outside = changed(|text| text);
    let inside = nftables_with(&[]);
    for link in ["targets", "targets/routeros", "targets/routeros/target.yaml"] {
        let _ = fs::remove_dir_all(inside.path().join("targets"));
        let path = inside.path().join(link);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        symlink(outside.path().join(link), &path).unwrap();
        let said = build(inside.path()).unwrap_err();
        assert!(said.contains("C0720") && said.contains("leads out"), "{link}: {said}");
        fs::remove_file(&path).unwrap();
    }
}

#[test]
fn files_that_are_too_large_and_folders_that_are_too_full_are_refused() {
    let large = nftables_with(&[("ruleset.nft.j2", &" ".repeat((1 << 20) + 1))]);
    assert!(build(large.path()).unwrap_err().contains("larger than 1048576 bytes"));
    let full: Vec<String> = (0..101).map(|number| format!("{number}.md")).collect();
    let full: Vec<(&str, &str)> = full.iter().map(|name| (name.as_str(), "")).collect();
    assert!(build(nftables_with(&full).path()).unwrap_err().contains("more than 100 entries"));
    let deep =
        format!("{{# view: nftables 4 #}}\n{{{{ {}1{} }}}}\n", "(".repeat(100_000), ")".repeat(100_000));
    assert!(build(nftables_with(&[("ruleset.nft.j2", &deep)]).path()).unwrap_err().contains("C0726"));
    let wide = "a: &a [1]\n".to_owned() + &"b: [*a, *a]\n".repeat(1_000);
    let copy = changed(|text| text);
    fs::write(copy.path().join("targets/routeros/target.yaml"), wide).unwrap();
    assert!(build(copy.path()).unwrap_err().contains("C0721"));
}

#[test]
fn hidden_files_and_notes_decide_nothing() {
    let notes = [(".ruleset.nft.j2.swp", "\u{0}"), ("NOTES.md", "Why we do this.")];
    let plain = build(nftables_with(&[]).path()).unwrap();
    assert_eq!(build(nftables_with(&notes).path()).unwrap(), plain);
}

/// How a small policy names its two interfaces on a target.
fn interfaces(target: &str) -> [&'static str; 2] {
    match target {
        "pfsense" => ["lan", "opt1"],
        "cisco-ios" => ["Vlan10", "Vlan20"],
        _ => ["eth0", "eth1"],
    }
}

/// A small policy for a target that cordon comes with.
fn small(target: &str, kind: Kind, [one, other]: [&str; 2]) -> tempfile::TempDir {
    let kind = match kind {
        Kind::Firewall => "firewall",
        Kind::Switch => "switch",
    };
    let text = format!(
        "policy \"small\"\nzone a {{ net 10.1.0.0/24 }}\nzone b {{ net 10.2.0.0/24 }}\n\
         allow data {{ from a  to b  via tcp 3613 }}\nallow timed {{ from a  to b  via tcp 81  during s }}\n\
         schedule s {{ mon 18:00-22:00  timezone utc }}\nmanage admin {{ from b  via tcp 22 }}\n\
         {kind} edge {{ target {target}   interface {one} zone a   interface {other} zone b }}\n"
    );
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("a.cordon"), text).unwrap();
    directory
}

#[test]
fn capability_files_name_the_files_that_are_emitted() {
    for target in built_in() {
        let directory = small(&target.name, target.kind, interfaces(&target.name));
        let made = build(directory.path()).unwrap_or_else(|said| panic!("{}: {said}", target.name));
        let made: BTreeSet<String> =
            made.into_iter().filter_map(|(path, _)| path.strip_prefix("edge/").map(str::to_owned)).collect();
        let stated: BTreeSet<String> = target.files.iter().map(|file| file.output.clone()).collect();
        assert_eq!(made, stated, "{}", target.name);
        for file in &target.files {
            let template = root().join("targets").join(&target.name).join(&file.template);
            assert!(template.is_file(), "{}", template.display());
        }
    }
}

#[test]
fn every_template_that_cordon_comes_with_can_be_replaced() {
    for target in built_in() {
        let directory = small(&target.name, target.kind, interfaces(&target.name));
        let Ok(plain) = build(directory.path()) else { continue };
        let folder = directory.path().join("targets").join(&target.name);
        fs::create_dir_all(&folder).unwrap();
        for file in &target.files {
            let own = root().join("targets").join(&target.name).join(&file.template);
            let own = fs::read_to_string(own).unwrap();
            let view = format!("{{# view: {} {} #}}\n", target.name, target.view);
            fs::write(folder.join(&file.template), view + &own + "a line of our own\n").unwrap();
        }
        let refusal = build(directory.path()).unwrap_err();
        assert!(refusal.contains("a template of your own"), "{}: {refusal}", target.name);
        let replaced = build_with(directory.path(), &["--no-verify"]);
        let replaced = replaced.unwrap_or_else(|said| panic!("{}: {said}", target.name));
        for file in &target.files {
            let path = format!("edge/{}", file.output);
            let expected = content(&plain, &path).to_owned() + "a line of our own\n";
            assert_eq!(content(&replaced, &path), expected, "{} does not use its templates", target.name);
        }
    }
}

#[test]
fn capability_files_state_the_limits_that_hold() {
    for target in
        built_in().into_iter().filter(|target| ["nftables", "iptables"].contains(&target.name.as_str()))
    {
        let longest = "x".repeat(target.interface.max_bytes);
        let [one, _] = interfaces(&target.name);
        assert!(build(small(&target.name, target.kind, [one, &longest]).path()).is_ok(), "{}", target.name);
        let longer = longest.clone() + "x";
        let said = build(small(&target.name, target.kind, [one, &longer]).path()).unwrap_err();
        assert!(said.contains("C0702"), "{said}");
        for c in (' '..='~').filter(|c| !matches!(c, '"' | '\\')) {
            let name = format!("x{c}x");
            let made = build(small(&target.name, target.kind, [one, &name]).path());
            let taken = made.is_ok();
            // Some characters end a word of the policy already, and are refused there.
            if made.is_err_and(|said| !said.contains("C0702")) {
                continue;
            }
            assert_eq!(taken, target.interface.hold(&name), "{} takes {name:?}: {taken}", target.name);
        }
    }
    let directory = small("nftables", Kind::Firewall, interfaces("nftables"));
    let path = directory.path().join("a.cordon");
    let text = fs::read_to_string(&path).unwrap().replace("\"small\"", &format!("\"{}\"", "x".repeat(500)));
    fs::write(&path, text).unwrap();
    let made = build(directory.path()).unwrap();
    let comments = content(&made, "edge/ruleset.nft").lines().filter_map(|line| {
        line.trim().strip_prefix("comment \"").and_then(|rest| rest.strip_suffix('"')).map(str::len)
    });
    let stated = built_in().into_iter().find(|target| target.name == "nftables").unwrap().limits;
    assert_eq!(comments.max(), Some(stated.comment_bytes));
}

#[test]
fn the_page_of_targets_is_made_from_their_capability_files() {
    let page = fs::read_to_string(root().join("docs/targets.md")).unwrap();
    assert_eq!(
        page,
        markdown(&built_in()),
        "docs/targets.md is out of date: cargo run -- targets --format markdown > docs/targets.md"
    );
    assert_eq!(succeed(&["targets", "--format", "markdown"], ""), page);
}

#[test]
fn the_command_lists_targets_for_people_and_programs() {
    let text = succeed(&["targets"], "");
    assert!(text.contains("nftables: ") && text.contains("source ports"), "{text}");
    let json: serde_json::Value =
        serde_json::from_str(&succeed(&["targets", "--format", "json"], "")).unwrap();
    assert_eq!((&json["version"], &json["command"]), (&serde_json::json!(1), &serde_json::json!("targets")));
    let names: Vec<&str> =
        json["targets"].as_array().unwrap().iter().map(|target| target["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["cisco-ios", "iptables", "nftables", "pfsense"]);
    assert_eq!(json["targets"][2]["can"]["source-ports"], "yes");
}
