//! Where lists are bound: interfaces, and the lines by which people log in.

use super::judge::{Packet, TCP, TCP_V6};
use super::{mistakes, model};

const LISTS: &str = "ip access-list extended WEB\n permit tcp any any eq 80\nip access-list standard ADMIN\n permit 10.0.0.1\n\
                     ipv6 access-list WEB6\n permit tcp any any eq 80\n";

fn with(text: &str) -> String {
    format!("{LISTS}{text}")
}

const LOGIN: Packet = Packet { ports: (40000, 22), to_device: true, ..TCP };

#[test]
fn in_concerns_what_comes_and_out_what_leaves() {
    let ssh = Packet { ports: (40000, 22), ..TCP };
    let inward = model(&with("interface Vlan1\n ip access-group WEB in\n"));
    assert!(TCP.passes(&inward) && !ssh.passes(&inward));
    assert!(!Packet { to_device: true, ..ssh.clone() }.passes(&inward));
    assert!(Packet { arrives: "Vlan2", leaves: "Vlan1", ..ssh.clone() }.passes(&inward));
    let outward = model(&with("interface Vlan2\n ip access-group WEB out\n"));
    assert!(TCP.passes(&outward) && !ssh.passes(&outward));
    assert!(Packet { to_device: true, ..ssh.clone() }.passes(&outward));
    assert!(Packet { leaves: "Vlan3", ..ssh }.passes(&outward));
    assert!(!outward.filters[0].paths.from_device);
}

#[test]
fn the_families_are_filtered_apart() {
    let model = model(&with("interface Vlan1\n ip access-group WEB in\n ipv6 traffic-filter WEB6 in\n"));
    assert!(TCP.passes(&model) && TCP_V6.passes(&model));
    assert!(!Packet { ports: (1, 22), ..TCP_V6 }.passes(&model));
    let names: Vec<&str> = model.filters.iter().map(|filter| filter.name.as_str()).collect();
    assert_eq!(names, ["interface Vlan1 in ipv4", "interface Vlan1 in ipv6"]);
    assert_eq!(model.filters.iter().map(|filter| filter.line).collect::<Vec<_>>(), [8, 9]);
}

#[test]
fn a_list_that_is_missing_or_empty_passes_everything() {
    for list in ["", "ip access-list extended A\n", "ipv6 access-list A\n"] {
        let (command, packet) =
            if list.starts_with("ipv6") { ("ipv6 traffic-filter", TCP_V6) } else { ("ip access-group", TCP) };
        let model = model(&format!("{list}interface Vlan1\n {command} A in\n"));
        assert_eq!(model.filters.len(), 1);
        assert!(model.filters[0].otherwise_accept);
        assert!(packet.passes(&model));
    }
    let found =
        mistakes("ip access-list extended A\n remark nothing else\ninterface Vlan1\n ip access-group A in\n");
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].0, 4);
}

#[test]
fn a_later_binding_replaces_the_one_before() {
    let text = with("interface Vlan1\n ip access-group ADMIN in\ninterface Vlan1\n ip access-group WEB in\n");
    assert_eq!(model(&text).filters.len(), 1);
    assert!(!Packet { ports: (1, 22), ..TCP }.passes(&model(&text)));
}

#[test]
fn names_of_interfaces_are_kept() {
    for (written, name) in [
        ("GigabitEthernet1/0/1.210", "GigabitEthernet1/0/1.210"),
        ("GigabitEthernet 1/0/1", "GigabitEthernet1/0/1"),
        ("Serial0/0.1 point-to-point", "Serial0/0.1"),
    ] {
        let model = model(&with(&format!("interface {written}\n ip access-group WEB in\n")));
        assert!(model.filters[0].concerns.arrives.contains(name), "{written}");
    }
    assert_eq!(
        mistakes("interface range Gi1/0/1 - 4\n ip access-group WEB in\n"),
        [(1, "`interface` is followed by the name of one interface".to_owned())]
    );
}

#[test]
fn a_list_for_the_other_family_is_a_mistake() {
    let found = mistakes(&with("interface Vlan1\n ip access-group WEB6 in\n ipv6 traffic-filter WEB in\n"));
    assert_eq!(found.iter().map(|(line, _)| *line).collect::<Vec<_>>(), [8, 9]);
    assert_eq!(found[0].1, "access list `WEB6` of line 5 is for the other family");
}

#[test]
fn a_list_on_a_port_of_a_switch_is_a_mistake() {
    let port = "interface GigabitEthernet1/0/1\n switchport mode access\n ip access-group WEB in\n";
    assert_eq!(mistakes(&with(port)).iter().map(|(line, _)| *line).collect::<Vec<_>>(), [9]);
    assert_eq!(
        mistakes(&with("interface GigabitEthernet1/0/1\n no switchport\n ip access-group WEB in\n")),
        []
    );
}

#[test]
fn logins_meet_the_list_of_their_line() {
    let model = model(&with(
        "line con 0\n stopbits 1\nline vty 0 15\n access-class ADMIN in\n transport input ssh\n",
    ));
    assert!(LOGIN.passes(&model));
    let other = Packet { source: "10.0.0.2", ..LOGIN };
    assert!(!other.passes(&model));
    assert!(
        Packet { to_device: false, ..other.clone() }.passes(&model),
        "a list for logins is for the device"
    );
    assert!(Packet { ports: (40000, 443), ..other }.passes(&model), "it is for logins only");
    assert_eq!(model.filters[0].name, "line vty 0 15 in ipv4");
}

#[test]
fn lines_that_differ_leave_open_which_one_a_login_gets() {
    let text = with("line vty 0 4\n access-class ADMIN in\nline vty 5 15\n transport input ssh\n");
    let other = Packet { source: "10.0.0.2", ..LOGIN };
    assert!(other.passes(&model(&text)));
    assert!(!Packet { holds: &["line vty 0 4"], ..other }.passes(&model(&text)));
}

#[test]
fn logins_by_a_vrf_need_a_word() {
    let interface = "interface GigabitEthernet0/0\n vrf forwarding Mgmt\ninterface Vlan1\n ip address 10.0.0.9 255.0.0.0\n";
    let management = Packet { arrives: "GigabitEthernet0/0", ..LOGIN };
    let without = model(&with(&format!("{interface}line vty 0 15\n access-class ADMIN in\n")));
    assert!(LOGIN.passes(&without) && !management.passes(&without));
    let also = model(&with(&format!("{interface}line vty 0 15\n access-class ADMIN in vrf-also\n")));
    assert!(LOGIN.passes(&also) && management.passes(&also));
}

#[test]
fn a_list_for_logins_names_no_destination() {
    let text =
        "ip access-list extended L\n permit tcp any host 10.0.0.9 eq 22\nline vty 0 4\n access-class L in\n";
    assert_eq!(mistakes(text).iter().map(|(line, _)| *line).collect::<Vec<_>>(), [4]);
    assert_eq!(mistakes("access-list 1 permit any\nline vty 0 4\n access-class 1 out\n").len(), 1);
    assert_eq!(mistakes("line vty 4 0\n login\nline vty 0 9999\n login\n").len(), 2);
}
