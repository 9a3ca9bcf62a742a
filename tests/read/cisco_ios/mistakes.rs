//! What is not understood, and what is ignored on purpose.

use super::{counts, mistakes, model, v4, v6};
use cordon::read::cisco_ios::read;

fn lines(text: &str) -> Vec<usize> {
    mistakes(text).into_iter().map(|(line, _)| line).collect()
}

#[test]
fn every_mistake_is_reported_with_its_line() {
    let text = v4(&[
        "permit tcp any any eq 80",
        "permit tcp any any reflect R",
        "evaluate R",
        "permit tcp any any eq 80 frobnicate",
        "allow tcp any any",
        "permit tcp any",
        "permit tcp any any range 90 80",
        "permit tcp any any lt 0",
        "permit tcp any any eq 65536",
        "permit ip 10.0.0.0 any",
        "permit ip 10.0.0.0/8 any",
        "permit ip any any time-range",
        "permit ip 10.0.0.256 0.0.0.0 any",
        "permit icmp any any 256",
        "permit ip any any eq 80",
        "permit ip any any",
    ]);
    assert_eq!(lines(&text), (3..=16).collect::<Vec<_>>());
    let reading = read(&text);
    assert_eq!(counts(&reading), (5, 0, 14));
    let found = mistakes(&text);
    assert_eq!(found[2].1, "`frobnicate` is not understood here");
    assert_eq!(found[3].1, "`allow` is not understood here; an entry is `permit` or `deny`");
    assert_eq!(found[4].1, "the line ends where an address should stand");
    assert_eq!(found[8].1, "`any` is no IPv4 address");
    assert_eq!(found[13].1, "`eq` needs a protocol with ports: `tcp`, `udp` or `sctp`");
}

#[test]
fn other_systems_of_the_same_maker_are_told_apart() {
    for text in [
        "access-list outside_in extended permit ip any any\n",
        "ip access-list WEB\n 10 permit tcp any any\n",
        "ipv4 access-list WEB\n 10 permit tcp any any\n",
        "object-group ip address A\n 10.0.0.0/8\n",
        "object-group ip port P\n eq 80\n",
        "ipv6 access-list extended A\n permit ipv6 any any\n",
        "object-group network A\n network-object host 10.0.0.1\n",
        "object network A\n host 10.0.0.1\n",
    ] {
        assert_eq!(mistakes(text).len(), 1, "{text}");
    }
    assert_eq!(lines(&v4(&["permit ip any addrgroup A", "permit tcp any portgroup P any"])), [2, 3]);
    assert_eq!(lines(&v6(&["permit icmpv6 any any"])), [2]);
}

#[test]
fn what_filters_in_other_ways_is_a_mistake() {
    for command in [
        "ip nat inside source list 1 interface Vlan1 overload",
        "ip inspect name X tcp",
        "zone security INSIDE",
        "zone-pair security A source B destination C",
        "vlan access-map M 10",
        "vlan filter M vlan-list 1",
        "class-map type inspect match-any C",
        "ip access-list match-local-traffic",
        "ip access-list role-based R",
        "event manager applet A",
        "ip ssh port 2222 rotary 1",
        "access-list 101 dynamic D permit ip any any",
        "frobnicate the network",
    ] {
        assert_eq!(lines(&format!("{command}\n in its section\nhostname a\n")), [1], "{command}");
        let counted = counts(&read(&format!("{command}\n in its section\nhostname a\n")));
        assert_eq!(counted, (0, 1, 2), "{command}");
    }
    for command in [
        "ip nat inside",
        "ip inspect X in",
        "zone-member security INSIDE",
        "ip verify unicast source reachable-via rx",
        "ip policy route-map R",
        "crypto map C",
        "mac access-group M in",
        "ip access-group A both",
        "ip access-group common A B in",
        "frobnicate",
    ] {
        assert_eq!(lines(&format!("interface Vlan1\n {command}\n shutdown\n")), [2], "{command}");
    }
    let policed = "policy-map P\n class C\n  police 8000 conform-action drop exceed-action drop\n class D\n  drop\n  priority\n";
    assert_eq!(lines(policed), [3, 5]);
    assert_eq!(
        lines(
            "control-plane\n service-policy input P\ncontrol-plane host\n management-interface Vlan1 allow ssh\n"
        ),
        [3]
    );
}

#[test]
fn what_is_switched_off_is_no_mistake() {
    for command in
        ["no ip nat service sip udp port 5060", "no ip inspect name X", "no vstack", "no ip http server"]
    {
        assert_eq!(lines(&format!("{command}\n")), [0; 0], "{command}");
    }
    assert_eq!(lines("no frobnicate\nno object-group ip port P\nno line vty 5 15\n"), [1, 2, 3]);
    assert_eq!(lines("interface Vlan1\n no ip directed-broadcast\n no ip nat inside\n"), [0; 0]);
}

#[test]
fn a_whole_config_is_understood() {
    let text = "switch#show running-config\nBuilding configuration...\n\nCurrent configuration : 4321 bytes\n!\n\
                ! Last configuration change at 10:00:00 UTC Mon Jan 5 2026\nversion 16.12\nservice timestamps log datetime\n\
                hostname switch\nno aaa new-model\ncrypto pki certificate chain TP\n certificate self-signed 01\n  \
                30820330 30820218\n  \tquit\nbanner motd ^C\ninterface Vlan9\n ip access-group NONE in\npermit ip any any ^C\n\
                class-map match-any C\n match access-group name WEB\npolicy-map P\n class C\n  police 8000\n\
                interface Vlan1\n description ip access-group\n ip address 10.0.0.9 255.255.255.0\n no ip redirects\n \
                ip access-group WEB in\n shutdown\nrouter ospf 1\n network 10.0.0.0 0.255.255.255 area 0\n\
                ip access-list extended WEB\n permit tcp any any eq 80\nroute-map R permit 10\n match ip address WEB\n\
                control-plane\n service-policy input P\nline vty 0 4\n login local\nend\n\nswitch#\n";
    let reading = read(text);
    assert_eq!(reading.mistakes, []);
    assert_eq!(reading.model.filters.len(), 1);
    assert_eq!(reading.model.chains.len(), 1);
    assert_eq!(counts(&reading), (5, 33, 0));
}

#[test]
fn banners_end_with_the_sign_that_they_begin_with() {
    let text = "banner login #\nip access-list extended A\n permit ip any any\n# \nhostname a\n";
    assert_eq!(model(text).chains, []);
    assert_eq!(lines("banner motd ^C one line ^C\nfrobnicate\n"), [2]);
    assert_eq!(lines("banner motd \u{3}\none\n\u{3}\nfrobnicate\n"), [4]);
    assert_eq!(lines("banner motd #\nhostname a\n"), [1]);
}

#[test]
fn a_command_that_filters_is_not_hidden_by_indentation() {
    for command in
        ["ip access-list extended A", "interface Vlan1", "no access-list 1", "ip access-group A in", "end"]
    {
        assert_eq!(lines(&format!("router ospf 1\n network 10.0.0.0\n {command}\n")), [3], "{command}");
        assert_eq!(lines(&format!("interface Vlan9\n standby 1\n  {command}\n")), [3], "{command}");
    }
}

#[test]
fn nothing_stands_behind_the_end() {
    assert_eq!(lines("hostname a\nend\n\n!\naccess-list 1 permit any\n"), [5]);
    assert_eq!(model("hostname a\nend\nswitch#\n").chains, []);
}

#[test]
fn lines_are_counted_once() {
    let reading =
        read("!\n\nhostname a\naccess-list 1 permit any\naccess-list 1 permit\nfrobnicate\n a\n b\n");
    assert_eq!(counts(&reading), (1, 1, 4));
    assert_eq!(reading.mistakes.len(), 2);
}
