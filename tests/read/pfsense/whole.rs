//! Whole configs: interfaces, settings of the system, and pfSense's own rules.

use cordon::read::{Model, States};

use super::evaluate::{Packet, Way, packet};
use super::{check, mistakes, model, rule, verdict};

const INTERFACES: &str = "<interfaces>
    <wan><enable/><if>em0</if><ipaddr>dhcp</ipaddr><ipaddrv6>dhcp6</ipaddrv6><blockpriv/><blockbogons/></wan>
    <lan><enable/><if>em1</if><ipaddr>10.0.0.1</ipaddr><subnet>24</subnet><ipaddrv6>fd00::1</ipaddrv6><subnetv6>64</subnetv6></lan>
    <opt1><enable/><if>em2</if><ipaddr>10.1.0.1</ipaddr><subnet>24</subnet></opt1>
    <opt2><if>em3</if><ipaddr>10.2.0.1</ipaddr><subnet>24</subnet></opt2>
    <opt3><enable/><if>ovpns1</if></opt3>
</interfaces>";

/// A config with a version, a system and other sections.
fn config(version: &str, system: &str, sections: &str, rules: &[&str]) -> String {
    let rules: String = rules.iter().map(|rule| format!("<rule>{rule}</rule>")).collect();
    format!(
        "<pfsense><version>{version}</version><system>{system}</system>\n{INTERFACES}\n{sections}\n<filter>{rules}</filter></pfsense>"
    )
}

fn with(system: &str, sections: &str, rules: &[&str]) -> Model {
    model(&[&config("23.3", system, sections, rules)])
}

#[track_caller]
fn refused(system: &str, sections: &str, rules: &[&str], word: &str) {
    let found = mistakes(&[&config("23.3", system, sections, rules)]);
    assert!(found.len() == 1 && found[0].contains(word), "{found:?}");
}

#[test]
fn interfaces_as_addresses() {
    let from = |end: &str| {
        with("<ipv6allow/>", "", &[&rule(&format!("<ipprotocol>inet46</ipprotocol><source>{end}</source>"))])
    };
    check(
        &from("<network>lan</network>"),
        &[("udp 10.0.0.77 1.1.1.1", true), ("udp 10.0.1.1 1.1.1.1", false), ("udp fd00::9 fd01::1", true)],
    );
    check(
        &from("<not/><network>lan</network>"),
        &[("udp 10.0.0.77 1.1.1.1", false), ("udp 10.0.1.1 1.1.1.1", true)],
    );
    check(
        &from("<network>lanip</network>"),
        &[("udp 10.0.0.1 1.1.1.1", true), ("udp 10.0.0.2 1.1.1.1", false)],
    );
    let v4 = |end: &str| rule(&format!("<source>{end}</source>"));
    let v6 = |end: &str| rule(&format!("<ipprotocol>inet6</ipprotocol><source>{end}</source>"));
    // An interface without a network of the family matches nothing; denied, it would match all or be skipped.
    check(&with("<ipv6allow/>", "", &[&v6("<network>opt1</network>")]), &[("udp fd00::9 fd01::1", false)]);
    refused("", "", &[&v6("<not/><network>opt1</network>")], "no network of this family");
    refused("", "", &[&v4("<network>wan</network>")], "given by the network");
    refused("", "", &[&v4("<network>wanip</network>")], "given by the network");
    refused("", "", &[&v4("<network>opt2</network>")], "is off");
    refused("", "", &[&v4("<network>opt9</network>")], "not a network of this config");
    refused("", "", &[&v4("<network>opt9ip</network>")], "not a network of this config");
    let vip = "<virtualip><vip><mode>ipalias</mode><interface>lan</interface><subnet>10.9.0.1</subnet><subnet_bits>24</subnet_bits></vip></virtualip>";
    check(
        &with("", vip, &[&v4("<network>lan</network>")]),
        &[("udp 10.9.0.5 1.1.1.1", true), ("udp 10.8.0.5 1.1.1.1", false)],
    );
}

#[test]
fn rules_on_interfaces_that_are_off_are_not_there() {
    let off = rule("<interface>opt2</interface>");
    let model = with("", "", &[&off]);
    verdict(&model, Packet { arrives: "opt2", ..packet("udp 10.2.0.1 1.1.1.1") }, false);
    refused("", "", &[&rule("<interface>opt8</interface>")], "interface `opt8` is not in the config");
}

#[test]
fn groups_and_tunnels_come_before_interfaces() {
    let groups = "<ifgroups><ifgroupentry><ifname>inside</ifname><members>lan opt1</members></ifgroupentry></ifgroups>";
    let rules = [
        rule("<type>block</type>"),
        rule("<interface>inside</interface>"),
        rule("<interface>openvpn</interface>"),
    ];
    let model = with("", groups, &rules.each_ref().map(String::as_str));
    let packet = packet("udp 10.0.0.9 1.1.1.1");
    for (arrives, expected) in
        [("lan", true), ("opt1", true), ("opt3", true), ("openvpn", true), ("opt2", false), ("wan", false)]
    {
        verdict(&model, Packet { arrives, ..packet }, expected);
    }
    // Rules of two groups that share a member stand in the order of the config, and later in that of the groups.
    let two = "<ifgroups><ifgroupentry><ifname>a</ifname><members>lan</members></ifgroupentry>\
        <ifgroupentry><ifname>b</ifname><members>lan</members></ifgroupentry></ifgroups>";
    let rules = [rule("<interface>b</interface><type>block</type>"), rule("<interface>a</interface>")];
    for (version, expected) in [("23.3", false), ("24.5", true)] {
        let text = config(version, "", two, &rules.each_ref().map(String::as_str));
        check(&super::model(&[&text]), &[("udp 10.0.0.9 1.1.1.1", expected)]);
    }
    let source = rule("<source><network>inside</network></source>");
    let model = with("", groups, &[&source]);
    check(
        &model,
        &[("udp 10.1.0.9 1.1.1.1", true), ("udp 10.0.0.9 1.1.1.1", true), ("udp 10.3.0.9 1.1.1.1", false)],
    );
    let bad = "<ifgroups><ifgroupentry><ifname>inside</ifname><members>lan opt7</members></ifgroupentry></ifgroups>";
    refused("", bad, &[], "member `opt7`");
}

#[test]
fn ipv6_is_blocked_unless_it_is_allowed() {
    let all = rule("<ipprotocol>inet46</ipprotocol>");
    let packets = |expected| {
        [
            ("udp fd00::9 fd01::1", expected),
            ("icmp fd00::9 [fd01::1]:2", expected),
            ("udp 10.0.0.1 1.1.1.1", true),
        ]
    };
    check(&with("", "", &[&all]), &packets(false));
    check(&with("<ipv6allow/>", "", &[&all]), &packets(true));
}

#[test]
fn own_blocks() {
    let on =
        |interface: &str| rule(&format!("<ipprotocol>inet46</ipprotocol><interface>{interface}</interface>"));
    let rules = [on("lan"), on("wan")];
    let rules = rules.each_ref().map(String::as_str);
    let model = with("<ipv6allow/>", "", &rules);
    check(
        &model,
        &[
            ("udp 169.254.1.1 1.1.1.1", false),
            ("udp 10.0.0.1 169.254.1.1", false),
            ("udp 10.0.0.1 1.1.1.1", true),
        ],
    );
    check(&with("<no_apipa_block/>", "", &rules), &[("udp 169.254.1.1 1.1.1.1", true)]);
    let wan = |text: &str| Packet { arrives: "wan", leaves: "lan", ..packet(text) };
    for (text, expected) in
        [("udp 192.168.1.1 1.1.1.1", false), ("udp fd12::1 fd00::1", false), ("udp 8.8.8.8 1.1.1.1", true)]
    {
        verdict(&model, wan(text), expected);
    }
    verdict(&model, Packet { holds: &["from <bogons>"], ..wan("udp 8.8.8.8 1.1.1.1") }, false);
    // What NAT64 would send to private networks, from the version on that blocks it.
    let nat64 = packet("udp fd00::9 64:ff9b::a00:1");
    verdict(&model, nat64, true);
    let new = super::model(&[&config("24.1", "<ipv6allow/>", "", &rules)]);
    verdict(&new, nat64, false);
    verdict(&new, packet("udp fd00::9 64:ff9b::808:808"), true);
    let overridden = config("24.5", "<ipv6allow/><allow_nat64_prefix_override/>", "", &rules);
    verdict(&super::model(&[&overridden]), nat64, true);
}

#[test]
fn the_web_interface_stays_open() {
    let to = |text: &str| Packet { way: Way::ToDevice, ..packet(text) };
    let https = "<webgui><protocol>https</protocol></webgui><ssh><enable/><port>2222</port></ssh>";
    let model = with(https, "", &[]);
    for (text, expected) in [
        ("tcp 1.2.3.4 10.0.0.1:443", true),
        ("tcp 1.2.3.4 10.0.0.1:80", true),
        ("tcp 1.2.3.4 10.0.0.1:2222", true),
        ("tcp 1.2.3.4 10.0.0.1:22", false),
        ("tcp 1.2.3.4 10.1.0.1:443", false),
        ("udp 1.2.3.4 10.0.0.1:443", false),
    ] {
        verdict(&model, to(text), expected);
    }
    verdict(&model, packet("tcp 1.2.3.4 10.0.0.1:443"), false);
    verdict(&model, Packet { arrives: "opt1", ..to("tcp 1.2.3.4 10.0.0.1:443") }, false);
    verdict(&model, Packet { holds: &["from <sshguard>"], ..to("tcp 1.2.3.4 10.0.0.1:443") }, false);
    let off = with("<webgui><protocol>https</protocol><noantilockout/></webgui>", "", &[]);
    verdict(&off, to("tcp 1.2.3.4 10.0.0.1:443"), false);
    let other =
        with("<webgui><protocol>https</protocol><port>8443</port><disablehttpredirect/></webgui>", "", &[]);
    verdict(&other, to("tcp 1.2.3.4 10.0.0.1:8443"), true);
    verdict(&other, to("tcp 1.2.3.4 10.0.0.1:80"), false);
    refused("<webgui><port>none</port></webgui>", "", &[], "`none` is not a port");
}

#[test]
fn dhcp() {
    let to = |arrives, text: &str| Packet { arrives, way: Way::ToDevice, ..packet(text) };
    let model = with(
        "<ipv6allow/>",
        "<dhcpd><lan><enable/><range/><failover_peerip>10.0.0.2</failover_peerip></lan></dhcpd><dhcpdv6><lan><enable/></lan></dhcpdv6>",
        &[],
    );
    for (packet, expected) in [
        (to("lan", "udp 0.0.0.0:68 255.255.255.255:67"), true),
        (to("lan", "udp 10.0.0.9:68 10.0.0.1:67"), true),
        (to("opt1", "udp 0.0.0.0:68 255.255.255.255:67"), false),
        (to("wan", "udp 8.8.8.8:67 1.1.1.1:68"), true),
        (to("lan", "tcp 10.0.0.2 10.0.0.1:519"), true),
        (to("lan", "tcp 10.0.0.3 10.0.0.1:519"), false),
        (to("lan", "udp [fe80::9]:546 [ff02::1:2]:547"), true),
        (to("wan", "udp [fe80::9]:547 [fe80::1]:546"), true),
    ] {
        verdict(&model, packet, expected);
    }
    let relay = with("", "<dhcrelay><enable/><interface>opt1,opt2</interface></dhcrelay>", &[]);
    verdict(&relay, to("opt1", "udp 0.0.0.0:68 255.255.255.255:67"), true);
    let given = with("", "<dhcpd><wan><enable/></wan></dhcpd>", &[]);
    let request = to("wan", "udp 8.8.8.8:68 1.1.1.1:67");
    verdict(&given, request, false);
    verdict(&given, Packet { holds: &["to wanip"], ..request }, true);
    let partner = "<dhcpd><wan><enable/><failover_peerip>8.8.8.8</failover_peerip></wan></dhcpd>";
    refused("", partner, &[], "two known addresses");
}

#[test]
fn an_address_shared_by_carp() {
    let vip = "<virtualip><vip><mode>carp</mode><interface>lan</interface><subnet>10.0.0.5</subnet><subnet_bits>24</subnet_bits></vip></virtualip>";
    let carp = Packet { way: Way::ToDevice, ..packet("112 10.0.0.2 224.0.0.18") };
    verdict(&with("", vip, &[]), carp, true);
    verdict(&with("", vip, &[]), Packet { holds: &["from (self)"], ..carp }, false);
    verdict(&with("", "", &[]), carp, false);
    refused(
        "",
        "<virtualip><vip><mode>carp</mode><interface>lan</interface><subnet>x</subnet></vip></virtualip>",
        &[],
        "`x`",
    );
}

#[test]
fn outbound_nat_hides_sources_from_rules_for_packets_that_leave() {
    let out = rule(
        "<floating>yes</floating><quick/><type>block</type><direction>out</direction><interface>wan</interface><source><address>10.0.0.9</address></source>",
    );
    refused("", "<nat><outbound><mode>automatic</mode></outbound></nat>", &[&out], "outbound NAT");
    refused("", "", &[&out], "outbound NAT");
    let all = rule("");
    let model = with("", "<nat><outbound><mode>disabled</mode></outbound></nat>", &[&out, &all]);
    check(&model, &[("udp 10.0.0.9 1.1.1.1", false), ("udp 10.0.0.8 1.1.1.1", true)]);
}

#[test]
fn gateways_do_not_filter_unless_rules_go_with_them() {
    let routed = rule("<gateway>WAN2</gateway>");
    check(&with("", "", &[&routed]), &[("udp 10.0.0.9 1.1.1.1", true)]);
    refused("<skip_rules_gw_down/>", "", &[&routed], "is skipped while gateway `WAN2` is down");
}

#[test]
fn a_schedule_that_is_not_there_leaves_a_rule_on() {
    check(&with("", "", &[&rule("<sched>work</sched>")]), &[("udp 10.0.0.9 1.1.1.1", true)]);
}

#[test]
fn packets_within_the_device_pass() {
    let model = with("", "", &[]);
    let local = Packet { arrives: "lo0", way: Way::ToDevice, ..packet("tcp 127.0.0.1 127.0.0.1:53") };
    verdict(&model, local, true);
    verdict(&model, Packet { state: States::ESTABLISHED, arrives: "wan", ..local }, true);
}

#[test]
fn sections_that_could_filter_are_mistakes() {
    for (sections, word) in [
        ("<nat><rule><target>10.0.0.5</target></rule></nat>", "address translation"),
        ("<nat><onetoone><external>1.1.1.1</external></onetoone></nat>", "address translation"),
        ("<nat><npt><source/></npt></nat>", "address translation"),
        ("<nat><outbound><mode>odd</mode></outbound></nat>", "`odd` is not a mode"),
        ("<ipsec><phase1><ikeid>1</ikeid></phase1></ipsec>", "IPsec"),
        ("<captiveportal><zone><enable/></zone></captiveportal>", "captive portal"),
        ("<bridges><bridged><members>lan,opt1</members></bridged></bridges>", "bridged"),
        (
            "<openvpn><openvpn-server><authmode>RADIUS</authmode></openvpn-server></openvpn>",
            "rules of their own",
        ),
        ("<l2tp><mode>server</mode></l2tp>", "server of tunnels"),
        ("<installedpackages><package><name>squid</name></package></installedpackages>", "package `squid`"),
        (
            "<installedpackages><miniupnpd><config><enable>on</enable></config></miniupnpd></installedpackages>",
            "UPnP",
        ),
        ("<sysctl><item><tunable>net.link.bridge.pfil_member</tunable></item></sysctl>", "tunable"),
        ("<cron><item><command>/sbin/pfctl -d</command></item></cron>", "command"),
        ("<diag><ipv6nat><enable/></ipv6nat></diag>", "protocol 41"),
        ("<load_balancer><virtual_server><name>a</name></virtual_server></load_balancer>", "load balancer"),
        ("<wonders/>", "section `wonders` is unknown"),
    ] {
        refused("", sections, &[], word);
    }
    for (system, word) in [
        ("<disablefilter/>", "the packet filter is off"),
        ("<disablescrub/>", "fragments"),
        ("<shellcmd>pfctl -d</shellcmd>", "may change the rules"),
        ("<afterfilterchangeshellcmd>x</afterfilterchangeshellcmd>", "may change the rules"),
        ("<wonders/>", "this setting of the system is unknown"),
    ] {
        refused(system, "", &[], word);
    }
    let quiet = "<nat><rule><disabled/><target>10.0.0.5</target></rule></nat><ipsec><phase1><disabled/></phase1></ipsec>\
        <openvpn><openvpn-server><authmode>Local Database</authmode></openvpn-server></openvpn><captiveportal/><bridges/>\
        <installedpackages><package><name>acme</name></package><menu/><squid><config/></squid></installedpackages>\
        <cron><item><command>/etc/rc.update_bogons.sh</command></item></cron><ca/><ca/><gateways/><shaper/>";
    with("<hostname>a</hostname><shellcmd></shellcmd><dnsserver>1.1.1.1</dnsserver>", quiet, &[]);
}

#[test]
fn what_is_wrong_with_interfaces_and_versions() {
    let text = |interface: &str| {
        format!(
            "<pfsense><version>23.3</version><interfaces>\n<lan><enable/>{interface}</lan></interfaces></pfsense>"
        )
    };
    for (interface, word) in [
        ("<ipaddr>10.0.0.1</ipaddr>", "is not an address of an interface"),
        ("<ipaddr>10.0.0.1</ipaddr><subnet>33</subnet>", "is not an address of an interface"),
        ("<ipaddr>fd00::1</ipaddr><subnet>64</subnet>", "is not an address of an interface"),
        ("<ipaddr>pptp</ipaddr>", "`pptp`"),
        ("<ipaddrv6>6rd</ipaddrv6>", "`6rd`"),
        ("<bridge>wan</bridge>", "setting `bridge` of an interface is unknown"),
    ] {
        let found = mistakes(&[&text(interface)]);
        assert!(
            found.len() == 1 && found[0].starts_with("2: ") && found[0].contains(word),
            "{interface}: {found:?}"
        );
    }
    assert_eq!(mistakes(&["<pfsense/>"]), ["1: `` is not the version of a config"]);
    let both = mistakes(&["<pfsense><version>23.3</version></pfsense>", "<aliases/>"]);
    assert_eq!(both, ["1: area `aliases` stands beside a whole config"]);
}
