//! Lists: order, numbers, remarks, what nobody writes, and object groups.

use super::judge::{Packet, TCP, TCP_V6};
use super::{mistakes, model, v4, v6};
use cordon::read::Family;

fn from(source: &str) -> Packet<'_> {
    Packet { source, ..TCP }
}

#[test]
fn the_first_entry_that_matches_decides_and_the_end_denies() {
    let model = model(&v4(&["deny ip host 10.0.0.1 any", "permit ip 10.0.0.0 0.0.0.255 any"]));
    assert!(!TCP.passes(&model));
    assert!(from("10.0.0.2").passes(&model));
    assert!(!from("10.0.1.2").passes(&model));
    assert_eq!(model.families, [Family::V4, Family::V6]);
    assert!(TCP_V6.passes(&model), "a list for IPv4 does not concern IPv6");
}

#[test]
fn sequence_numbers_give_the_order() {
    let model =
        model(&v4(&["20 deny ip any any", "10 permit ip host 10.0.0.1 any", "permit ip host 10.0.0.2 any"]));
    assert!(TCP.passes(&model));
    assert!(!from("10.0.0.2").passes(&model));
    let lines: Vec<usize> = model.chains[0].rules.iter().map(|rule| rule.line).collect();
    assert_eq!(lines, [3, 2, 4, 1]);
}

#[test]
fn a_number_twice_and_an_entry_moved_before_itself_are_mistakes() {
    let found = mistakes(&v4(&["10 permit ip any any", "10 deny ip any any"]));
    assert_eq!(found, [(3, "sequence number 10 stands in this list twice".to_owned())]);
    let found = mistakes(&v4(&["20 permit tcp any any", "10 permit tcp any  any", "5 deny tcp any any"]));
    let what = "the entry stands in line 2 already, and its place is that of the first";
    assert_eq!(found, [(3, what.to_owned())]);
}

#[test]
fn ipv6_numbers_its_entries_with_a_word() {
    let model =
        model(&v6(&["sequence 20 deny ipv6 any any", "sequence 10 permit tcp any any", "remark last"]));
    assert!(TCP_V6.passes(&model));
    assert!(!Packet { protocol: 17, ..TCP_V6 }.passes(&model));
}

#[test]
fn neighbour_discovery_passes_a_list_for_ipv6_unless_it_is_denied() {
    let message = |kind| Packet { protocol: 58, ports: (kind, 0), ..TCP_V6 };
    let model_of = |entries: &[&str]| model(&v6(entries));
    let silent = model_of(&["permit tcp any any"]);
    assert!(message(135).passes(&silent) && message(136).passes(&silent));
    assert!(!message(134).passes(&silent) && !message(128).passes(&silent));
    assert!(silent.chains[0].rules.iter().skip(1).all(|rule| rule.line == 1));
    let explicit = model_of(&["permit tcp any any", "deny ipv6 any any"]);
    assert!(!message(135).passes(&explicit) && !message(136).passes(&explicit));
}

#[test]
fn numbered_lists_are_standard_or_extended_by_number() {
    let text = "access-list 10 permit 10.0.0.0 0.0.0.255\naccess-list 10 permit 10.1.0.1\naccess-list 10 deny any log\n\
                access-list 2001 remark to the servers\naccess-list 2001 permit tcp any any eq 80\n\
                interface Vlan1\n ip access-group 10 in\ninterface Vlan2\n ip access-group 2001 out\n";
    let model = model(text);
    assert!(TCP.passes(&model));
    assert!(from("10.1.0.1").passes(&model) && !from("10.1.0.2").passes(&model));
    assert!(!Packet { ports: (40000, 81), ..TCP }.passes(&model));
    assert_eq!(model.chains[1].rules[0].label.as_deref(), Some("to the servers"));
    // A list by number can be gone on with as one with a name.
    let found = mistakes("access-list 101 permit ip any any\nip access-list standard 101\n permit any\n");
    assert_eq!(found[0], (2, "`101` is no number of a list of this kind".to_owned()));
    assert_eq!(
        mistakes("access-list 101 permit ip any any\nip access-list extended 101\n 5 deny ip any any\n"),
        []
    );
}

#[test]
fn remarks_are_labels_of_what_follows() {
    let model = model(&v4(&[
        "remark one",
        "remark and two",
        "permit tcp any any",
        "permit udp any any",
        "remark three",
        "deny ip any any",
    ]));
    let labels: Vec<_> = model.chains[0].rules.iter().map(|rule| rule.label.as_deref()).collect();
    assert_eq!(labels, [Some("one and two"), Some("one and two"), Some("three"), None]);
}

#[test]
fn network_groups_have_hosts_networks_ranges_and_groups() {
    let groups = "object-group network INNER\n 10.2.0.0 255.255.0.0\n host 10.3.0.1\nobject-group network OUTER\n \
                  description of all\n group-object INNER\n range 10.4.0.1 10.4.0.9\n 10.5.0.0 /24\n 10.6.0.0/24\n";
    let model = model(&format!(
        "{groups}{}",
        v4(&["permit ip object-group OUTER any", "permit ip any object-group OUTER"])
    ));
    for (source, passes) in [
        ("10.2.9.9", true),
        ("10.3.0.1", true),
        ("10.3.0.2", false),
        ("10.4.0.9", true),
        ("10.4.0.10", false),
        ("10.5.0.255", true),
        ("10.6.0.0", true),
        ("10.6.1.0", false),
    ] {
        assert_eq!(from(source).passes(&model), passes, "{source}");
        assert_eq!(
            Packet { destination: source, source: "9.9.9.9", ..TCP }.passes(&model),
            passes,
            "{source}"
        );
    }
}

#[test]
fn groups_that_hold_each_other_are_read_once() {
    let groups =
        "object-group network A\n host 10.0.0.1\n group-object B\nobject-group network B\n group-object A\n";
    assert!(TCP.passes(&model(&format!("{groups}{}", v4(&["permit ip object-group B any"])))));
}

#[test]
fn service_groups_keep_protocol_and_port_together() {
    let group = "object-group service S\n tcp eq 443\n tcp source eq 20 gt 1023\n udp 514\n tcp-udp eq domain\n icmp echo\n \
                 47\n esp\n group-object T\nobject-group service T\n udp range 5000 5002\n";
    let model = model(&format!("{group}{}", v4(&["permit object-group S any any"])));
    for (protocol, ports, passes) in [
        (6, (1, 443), true),
        (17, (1, 443), false),
        (6, (20, 1024), true),
        (6, (20, 1023), false),
        (6, (21, 1024), false),
        (17, (1, 514), true),
        (6, (1, 514), false),
        (6, (1, 53), true),
        (17, (1, 53), true),
        (1, (8, 0), true),
        (1, (0, 0), false),
        (47, (0, 0), true),
        (50, (0, 0), true),
        (17, (1, 5002), true),
        (17, (1, 5003), false),
    ] {
        assert_eq!(Packet { protocol, ports, ..TCP }.passes(&model), passes, "{protocol} {ports:?}");
    }
}

#[test]
fn a_group_that_is_not_there_or_is_empty_is_a_mistake() {
    let list = v4(&["permit ip object-group G any", "permit object-group G any any"]);
    let missing = "there is no object group `G` of the kind that is asked for";
    assert_eq!(mistakes(&list), [(2, missing.to_owned()), (3, missing.to_owned())]);
    let empty = "object group `G` is empty, which IOS does not allow for one in use";
    let text = format!("object-group network G\nobject-group service G\n{list}");
    assert_eq!(mistakes(&text), [(4, empty.to_owned()), (5, empty.to_owned())]);
    let late = format!("{list}object-group network G\n any\nobject-group service G\n ip\n");
    assert_eq!(mistakes(&late)[0], (2, "object group `G` is defined only in line 6".to_owned()));
}

#[test]
fn a_group_takes_a_netmask_and_a_list_a_wildcard() {
    let found = mistakes("object-group network G\n 10.0.0.0 0.0.0.255\n 10.0.0.0 255.0.255.0\n");
    assert_eq!(
        found[0].1,
        "`0.0.0.255` is no netmask; an object group takes a netmask such as `255.255.255.0`"
    );
    assert_eq!(found[1].1, "`255.0.255.0` is no netmask");
}

#[test]
fn commands_are_obeyed_in_order() {
    let text = format!(
        "{}no ip access-list extended A\nip access-list extended A\n permit udp any any\n",
        v4(&["permit tcp any any"])
    );
    assert!(!TCP.passes(&model(&text)));
    assert!(Packet { protocol: 17, ..TCP }.passes(&model(&text)));
    let removed = format!("{}no ip access-list extended A\n", v4(&["deny ip any any"]));
    assert!(TCP.passes(&model(&removed)), "a list that is missing passes everything");
    let released = format!("{} no ip access-group A in\n", v4(&["deny ip any any"]));
    assert!(TCP.passes(&model(&released)));
    assert_eq!(mistakes(&format!("{} no ip access-group B in\n", v4(&["permit ip any any"]))).len(), 1);
    assert_eq!(mistakes("ip access-list extended A\n no 10\nno interface Vlan1\n").len(), 2);
}

#[test]
fn sections_need_not_be_indented() {
    let text = "ip access-list extended A\nremark one\n10 permit tcp any any\nexit\ninterface Vlan1\ndescription x\n\
                ip access-group A in\nexit\nend\n";
    assert!(TCP.passes(&model(text)));
    assert!(!Packet { protocol: 17, ..TCP }.passes(&model(text)));
}
