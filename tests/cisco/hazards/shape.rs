//! What stands around the lines of lists: their names, their bindings, what is counted, and what is said of the target.

use std::collections::BTreeMap;

use super::super::config::Packet;
use super::super::{Site, compile_text};
use super::{packet, small, text};
use crate::families;
use crate::support::{AS_OF, cordon, root, succeed};

/// A policy in a directory of its own.
fn written(policy: &str) -> (tempfile::TempDir, String) {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("a.cordon"), policy).unwrap();
    let path = directory.path().to_string_lossy().into_owned();
    (directory, path)
}

#[test]
fn hazard_04_an_interface_whose_lists_would_have_too_long_a_name_is_refused() {
    for (digits, fits) in [(28, true), (29, false)] {
        let interface = format!("interface Vlan{}", "1".repeat(digits));
        let (_directory, path) = written(&small("").replace("interface Vlan1", &interface));
        let output = cordon(&["check", &path], "");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() == fits && said.contains("C0705") != fits, "{said}");
    }
}

#[test]
fn hazard_05_an_interface_that_nothing_may_use_has_its_lists_too() {
    let site = compile_text(&small("allow dns { from ward  to server  via udp 53 }"));
    let config = &site.switches["dist"].config;
    let interfaces = ["Te1/1/1.3", "Vlan1", "Vlan2"];
    for is_v4 in [true, false] {
        let ways = |name: &&str| [((*name).to_owned(), "in"), ((*name).to_owned(), "out")];
        assert_eq!(config.bound(is_v4), interfaces.iter().flat_map(ways).collect());
    }
    for direction in ["in", "out"] {
        let packet = packet(6, ("10.3.0.7", 40_000), ("10.3.0.9", 443), false);
        assert!(!config.permits("Te1/1/1.3", direction, &packet));
    }
}

/// Each list and each group by its name, with its lines.
fn parts(site: &Site) -> BTreeMap<String, String> {
    let parts = text(site).split("\n!\n").filter_map(|part| {
        let (head, lines) = part.split_once('\n')?;
        let kinds = ["ip access-list", "ipv6 access-list", "object-group"];
        kinds.iter().any(|kind| head.starts_with(kind)).then(|| (head.to_owned(), lines.to_owned()))
    });
    parts.collect()
}

#[test]
fn hazard_05_no_list_and_no_group_is_changed_under_its_name() {
    let hosts = (1..20).map(|host| format!("10.1.0.{}", host * 2)).collect::<Vec<_>>().join(", ");
    let compiled = |last: u8, port: u16| {
        parts(&compile_text(&small(&format!(
            "class pumps in ward {{ hosts {hosts}, 10.1.0.{last} }}\n\
             allow web {{ from pumps  to server, old  via tcp {port}, {} }}",
            port + 2
        ))))
    };
    let before = compiled(100, 443);
    assert!(before.keys().any(|name| name.starts_with("object-group")), "{before:?}");
    for after in [compiled(100, 8443), compiled(102, 443)] {
        assert_ne!(before, after);
        for (name, lines) in &after {
            assert!(before.get(name).is_none_or(|old| old == lines), "{name} has other lines than before");
        }
    }
}

#[test]
fn hazard_06_all_first_packets_beyond_the_policy_are_counted() {
    let (directory, path) = written(&small("allow dns { from ward  to server  via udp 53, tcp 53 }"));
    succeed(&["build", &path, "--as-of", AS_OF], "");
    let read = |file: &str| std::fs::read_to_string(directory.path().join("build/dist").join(file)).unwrap();
    let (acl, residue) = (read("acl.cfg"), read("residue.txt"));
    let first = ["  replies, as first packets: ", "  ICMP errors: "];
    let counts = residue.lines().filter_map(|line| first.iter().find_map(|title| line.strip_prefix(title)));
    let sum: usize = counts.map(|count| count.parse::<usize>().unwrap()).sum();
    assert!(sum > 4, "{residue}");
    assert!(residue.contains(&format!("\n{sum} sets of packets that may open a connection")), "{residue}");
    assert!(acl.contains(&format!("\n! residue: {sum} sets of first packets")), "{acl}");
}

#[test]
fn hazard_12_replies_of_tcp_take_two_hardware_entries() {
    let count = |service: &str| {
        let site = compile_text(&small(&format!("allow web {{ from ward  to server  via {service} }}")));
        let line = text(&site).lines().find_map(|line| line.strip_prefix("! hardware entries: "));
        line.unwrap().split(';').next().unwrap().parse::<u32>().unwrap()
    };
    // They have ACK or RST, through two lists, in two families, of which one counts twice.
    assert_eq!(count("tcp 443") - count("udp 443"), 2 * 3);
}

#[test]
fn hazard_14_that_later_fragments_pass_is_said_where_the_target_is_described() {
    let notes = std::fs::read_to_string(root().join("targets/cisco-ios/NOTES.md")).unwrap();
    assert!(notes.contains("A line with ports admits the later fragments of what matches its addresses"));
}

#[test]
fn hazard_27_holes_in_one_rule_that_another_rule_uses_are_not_denied_first() {
    let hosts = (1..=20).map(|host| format!("10.2.0.{}", host * 4)).collect::<Vec<_>>().join(", ");
    let site = compile_text(&small(&format!(
        "class scattered in core {{ hosts {hosts} }}\npeer patient in ward {{ host 10.1.0.9 }}\n\
         allow all-web {{ from ward  to core  via tcp 443 }}\n\
         allow logged {{ from ward  to scattered  via tcp 443  log }}\n\
         forbid not-he {{ from patient  to scattered  via tcp 443 }}"
    )));
    let passes = |from: &str, to: &str| site.passes(&packet(6, (from, 40_000), (to, 443), false));
    let answers = |from: &str, to: &str| site.passes(&packet(6, (to, 443), (from, 40_000), true));
    for (from, to, allowed) in [
        ("10.1.0.8", "10.2.0.4", true),
        ("10.1.0.8", "10.2.0.5", true),
        ("10.1.0.9", "10.2.0.80", false),
        ("10.1.0.9", "10.2.0.81", true),
    ] {
        assert_eq!([passes(from, to), answers(from, to)], [allowed; 2], "{from} to {to}");
    }
}

#[test]
fn each_family_and_protocol_keeps_to_itself_on_switches() {
    let site = compile_text(&families::policy("switch", "cisco-ios", ["Vlan1", "Vlan2"]));
    families::judge(|packet| {
        let cordon::set::Packet { source, destination, protocol, source_port, destination_port } = *packet;
        let established = false;
        site.passes(&Packet { source, destination, protocol, source_port, destination_port, established })
    });
}
