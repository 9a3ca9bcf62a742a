//! Mistakes that tools of this kind have made, each with a policy that would bring it about.

mod schedule;
mod shape;

use std::collections::BTreeSet;

use super::config::Packet;
use super::{Site, compile_text, site};

/// Two zones on one switch, with a rule and more statements.
fn small(rule: &str) -> String {
    small_with(rule, "")
}

fn small_with(rule: &str, attribute: &str) -> String {
    format!(
        "policy \"small\"\nzone ward {{ net 10.1.0.0/24, 2001:db8:1::/64 }}\n\
         zone core {{ net 10.2.0.0/24, 2001:db8:2::/64 }}\nzone other {{ net 10.3.0.0/24 }}\n\
         peer server in core {{ host 10.2.0.10, 2001:db8:2::10 }}\npeer old in core {{ host 10.2.0.11 }}\n\
         {rule}\nmanage admin {{ from core  via tcp 22 }}\n\
         switch dist {{ target cisco-ios {attribute}\n  interface Vlan1 zone ward\n  interface Vlan2 zone core\n  \
         interface Te1/1/1.3 zone other\n}}\n"
    )
}

fn text(site: &Site) -> &str {
    &site.switches["dist"].text
}

fn packet(protocol: u8, from: (&str, u16), to: (&str, u16), established: bool) -> Packet {
    Packet {
        source: from.0.parse().unwrap(),
        destination: to.0.parse().unwrap(),
        protocol,
        source_port: from.1,
        destination_port: to.1,
        established,
    }
}

#[test]
fn hazard_03_no_text_of_a_policy_becomes_a_command() {
    let hostile = "a\\nno ip access-list extended X\\n! \\\"b\\\" ? ^C | include";
    let site = compile_text(&small(&format!(
        "allow web {{ from ward  to server  via tcp 443  reason \"{hostile} {}\" }}",
        "ü".repeat(120)
    )));
    let remark = text(&site).lines().find(|line| line.contains("rule web: ")).unwrap();
    assert!(remark.starts_with(" remark rule web: a no ip access-list extended X _ _b_ _ _C _ include"));
    assert!(!text(&site).lines().any(|line| line.trim_start().starts_with("no ")));
}

#[test]
fn hazard_04_names_and_remarks_keep_their_limits() {
    for switch in site().switches.values() {
        for name in switch.config.lists.keys() {
            let fits = name.len() < 64 && name.starts_with("CORDON-");
            assert!(fits && name.bytes().all(|c| c.is_ascii_alphanumeric() || b"-_".contains(&c)), "{name}");
        }
    }
    let name = "n".repeat(63);
    let site = compile_text(&small(&format!(
        "allow {name} {{ from ward  to server  via tcp 443  reason \"{}\" }}",
        "why ".repeat(40)
    )));
    let remark = text(&site).lines().find(|line| line.contains(&name)).unwrap();
    assert!(remark.len() <= " remark ".len() + 100 && remark.ends_with("..."), "{remark}");
}

#[test]
fn hazard_05_an_interface_is_bound_last_and_never_without_a_list() {
    for switch in site().switches.values() {
        let place = |start: &str| {
            let lines = switch.text.lines().enumerate().filter(|(_, line)| line.starts_with(start));
            lines.map(|(place, _)| place).collect::<Vec<_>>()
        };
        let lists = [place("ip access-list"), place("ipv6 access-list")].concat();
        let bindings = [place("interface "), place("line vty")].concat();
        assert!(lists.iter().max() < bindings.iter().min(), "{lists:?} {bindings:?}");
        assert!(!switch.text.lines().any(|line| line.trim_start().starts_with("no ")));
        let interfaces: BTreeSet<&str> =
            switch.config.bindings.keys().map(|(interface, _, _)| interface.as_str()).collect();
        assert_eq!(switch.config.bindings.len(), 4 * interfaces.len(), "both directions, both families");
        assert_eq!(switch.config.logins.len(), 2);
    }
}

#[test]
fn hazard_06_replies_are_mirrored_port_by_port() {
    let site = compile_text(&small(
        "allow dns { from ward  to server  via udp 53 }\nallow web { from ward  to server  via tcp 443 }",
    ));
    let reply = |protocol, port, established| {
        site.passes(&packet(protocol, ("10.2.0.10", port), ("10.1.0.9", 40_000), established))
    };
    assert!(reply(17, 53, false) && reply(6, 443, true));
    assert!(!reply(17, 54, false) && !reply(17, 123, false) && !reply(17, 443, false));
    assert!(!reply(6, 443, false) && !reply(6, 53, true) && !reply(6, 444, true));
    for line in text(&site).lines().filter(|line| line.contains(" udp ")) {
        assert!(!line.contains("established") && !line.contains("range") && !line.contains("gt"), "{line}");
    }
}

#[test]
fn hazard_11_a_hole_is_denied_first_where_that_is_shorter() {
    let site = compile_text(&small(
        "allow web { from ward  to core  via tcp 443 }\nforbid { from ward  to server  via tcp 443 }",
    ));
    assert!(text(&site).lines().count() < 280, "{}", text(&site));
    let passes = |to: &str, port| site.passes(&packet(6, ("2001:db8:1::9", 40_000), (to, port), false));
    assert!(passes("2001:db8:2::11", 443) && passes("2001:db8:2::f", 443));
    assert!(!passes("2001:db8:2::10", 443) && !passes("2001:db8:2::11", 444));
    let back = |from: &str| site.passes(&packet(6, (from, 443), ("2001:db8:1::9", 40_000), true));
    assert!(back("2001:db8:2::11") && !back("2001:db8:2::10"));
}

#[test]
fn hazard_12_hardware_entries_are_counted_as_masks() {
    let count = |ports: &str| {
        let site = compile_text(&small(&format!("allow web {{ from ward  to server  via udp {ports} }}")));
        let line =
            text(&site).lines().find(|line| line.starts_with("! hardware entries: ")).unwrap().to_owned();
        let number = line.trim_start_matches("! hardware entries: ");
        number.split(';').next().unwrap().parse::<u32>().unwrap()
    };
    // Each way through two lists, in two families, of which one counts twice.
    assert_eq!(count("1-65534") - count("443"), 29 * 4 * 3);
}

#[test]
fn hazard_17_an_exclusion_is_exact() {
    let site = compile_text(&small("allow web { from ward  to core except server, old  via tcp 443 }"));
    let passes = |to: &str| site.passes(&packet(6, ("10.1.0.9", 40_000), (to, 443), false));
    assert!(passes("10.2.0.9") && passes("10.2.0.12") && passes("10.2.0.255"));
    assert!(!passes("10.2.0.10") && !passes("10.2.0.11") && !passes("10.3.0.1"));
}

#[test]
fn hazard_27_denials_that_shape_one_rule_take_nothing_from_another() {
    let site = compile_text(&small(
        "peer patient in ward { host 10.1.0.9 }\nallow log-in { from any  to ward  via tcp 53-60  log }\n\
         allow most { from core  to patient  via any }\nforbid some { from other  to patient  via tcp any  log }",
    ));
    let passes = |from: &str, to: &str, protocol, port| {
        site.passes(&packet(protocol, (from, 40_000), (to, port), false))
    };
    assert!(passes("10.2.0.7", "10.1.0.9", 6, 53) && passes("10.2.0.7", "10.1.0.9", 17, 9));
    assert!(passes("10.3.0.7", "10.1.0.8", 6, 60) && !passes("10.3.0.7", "10.1.0.9", 6, 60));
    assert!(!passes("10.2.0.7", "10.1.0.8", 17, 9) && passes("10.2.0.7", "10.1.0.8", 6, 55));
}

#[test]
fn hazard_28_neighbour_discovery_stands_before_the_last_denial() {
    for switch in site().switches.values() {
        let lists: Vec<&str> = switch.text.split("\nipv6 access-list ").skip(1).collect();
        for list in lists.iter().filter(|list| !list.starts_with("CORDON-VTY")) {
            let lines: Vec<&str> = list.split("\n!").next().unwrap().lines().map(str::trim).collect();
            assert_eq!(lines.last(), Some(&"deny ipv6 any any"));
            for message in ["nd-na", "nd-ns"] {
                assert!(lines.contains(&format!("permit icmp any any {message}").as_str()), "{list}");
            }
        }
    }
    let message = |kind: u16| packet(58, ("2001:db8:1::9", 0), ("2001:db8:2::10", kind << 8), false);
    let site = compile_text(&small("allow web { from ward  to server  via tcp 443 }"));
    assert!(site.passes(&message(2)) && site.passes(&message(1)), "path MTU discovery works");
    assert!(!site.passes(&message(128)) && !site.passes(&message(137)));
}

#[test]
fn hazard_34_a_service_keeps_its_own_protocol_and_port_together() {
    let ports = "tcp 443, 444, 446, 448, udp 514, 516, 518";
    let hosts = (1..40).map(|host| format!("10.1.0.{}", host * 2)).collect::<Vec<_>>().join(", ");
    let site = compile_text(&small(&format!(
        "class pumps in ward {{ hosts {hosts} }}\nallow mixed {{ from pumps  to server  via {ports} }}"
    )));
    assert!(text(&site).contains("object-group service "), "{}", text(&site));
    let passes =
        |protocol, port| site.passes(&packet(protocol, ("10.1.0.8", 40_000), ("10.2.0.10", port), false));
    assert!(passes(6, 443) && passes(17, 514) && passes(6, 448) && passes(17, 518));
    assert!(!passes(6, 514) && !passes(17, 443) && !passes(17, 445) && !passes(6, 445));
}

#[test]
fn what_needs_no_policy_reaches_the_switch() {
    let site = site();
    let config = &site.switches["dist1"].config;
    let enters = |packet: Packet| config.permits("Vlan20", "in", &packet);
    assert!(enters(packet(17, ("0.0.0.0", 68), ("255.255.255.255", 67), false)), "DHCP");
    assert!(enters(packet(17, ("10.2.0.2", 1985), ("224.0.0.2", 1985), false)), "HSRP");
    assert!(enters(packet(112, ("10.2.0.2", 0), ("224.0.0.18", 0), false)), "VRRP");
    assert!(enters(packet(89, ("10.2.0.2", 0), ("10.2.0.1", 0), false)), "OSPF");
    assert!(enters(packet(17, ("fe80::2", 546), ("ff02::1:2", 547), false)), "DHCPv6");
    assert!(!enters(packet(17, ("10.2.0.2", 68), ("10.3.0.1", 67), false)));
    let logs_in = |port| {
        let packet = packet(6, ("10.3.0.10", 40_000), ("10.3.0.1", port), false);
        site.switches["dist2"].config.permits("Vlan30", "in", &packet)
    };
    assert!(logs_in(22) && !logs_in(23));
}

#[test]
fn a_source_that_no_zone_here_has_does_not_enter() {
    let site = site();
    let allowed = site.edges().into_iter().find(|(packet, allowed)| {
        *allowed && packet.protocol == 6 && site.places(packet)[0] == Some(("dist1", "Vlan10"))
    });
    let (real, _) = allowed.unwrap();
    let config = &site.switches["dist1"].config;
    assert!(config.permits("Vlan10", "in", &real));
    assert!(!config.permits("Vlan20", "in", &real), "the same packet by another interface");
}

#[test]
fn a_change_of_one_rule_changes_its_lines_and_the_names_of_their_lists() {
    let rules =
        "allow dns { from other  to server  via udp 53 }\nallow web { from ward  to server  via tcp 443 }";
    let before = compile_text(&small(rules));
    let after = compile_text(&small(&rules.replace("443", "8443")));
    let lines = |site: &Site| text(site).lines().map(str::to_owned).collect::<Vec<_>>();
    let (before_lines, after_lines) = (lines(&before), lines(&after));
    assert_eq!(before_lines.len(), after_lines.len());
    for (one, other) in before_lines.iter().zip(&after_lines).filter(|(one, other)| one != other) {
        let named = one.contains("CORDON-Vlan1-") || one.contains("CORDON-Vlan2-");
        assert!(named || one.replace("443", "8443") == *other, "{one} became {other}");
    }
    let kept = |site: &Site| {
        let names = site.switches["dist"].config.lists.keys().cloned();
        names.filter(|name| name.contains("Te1_1_1_3")).collect::<Vec<_>>()
    };
    assert_eq!(kept(&before), kept(&after), "lists without the rule keep their names");
    assert_eq!(kept(&before).len(), 4);
}
