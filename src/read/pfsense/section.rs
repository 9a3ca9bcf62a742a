//! The sections of a whole config.
//!
//! In: the element `<pfsense>`. Out: the [`Device`], what pfSense's own rules hang on, and mistakes about sections that could
//! affect filtering and are not modelled. A section or setting is read, stands on one of the lists here, or is a mistake.
//!
//! Outbound NAT is understood: it replaces sources after rules for packets that arrive have seen them, so only rules for
//! packets that leave can tell, and those that look at sources are mistakes. All other address translation is a mistake.

use super::super::model::Family;
use super::device::{self, Addressing, Device, listed};
use super::generated::{self, Own};
use super::packet::{plain_number, prefix};
use super::report::Report;
use super::xml::Element;

/// Sections that cannot affect which packets pass:
/// - records: `version`, `lastchange`, `revision`, `theme`, `widgets`, `rrd`, `rrddata`, `stats`, `cumulative_stats`,
///   `extended_stats`, `traffic_graphs`, `syslog`, `notifications`, `mailreports`, `reset_factory_defaults`, `wizardtemp`,
///   `wizardtempsystem`, `remote`, `remote_managed_pages`;
/// - keys and accounts: `ca`, `cert`, `crl`, `sshdata`, `authserver`, `voucher`;
/// - services of the device, which rules let packets to: `dnsmasq`, `unbound`, `dyndns`, `dyndnses`, `dnsupdate`, `dnsupdates`,
///   `checkipservices`, `ntpd`, `snmpd`, `wol`, `igmpproxy`, `dhcpbackend`, `kea`, `kea6`;
/// - which way packets go, and how fast: `gateways`, `staticroutes`, `shaper`, `dnshaper`, `ezshaper`, `l7shaper`, `pfqueueing`;
/// - how interfaces are made: `vlans`, `laggs`, `gifs`, `gres`, `ppps`, `qinqs`, `wireless`, `vxlans`, `switches`, `pppoe`, `pptp`,
///   `bigpond`, `proxyarp`;
/// - partners: `hasync`, `virtualip_carp_maintenancemode`.
const WITHOUT_EFFECT: &[&str] = &[
    "authserver",
    "bigpond",
    "ca",
    "cert",
    "checkipservices",
    "crl",
    "cumulative_stats",
    "dhcpbackend",
    "dnshaper",
    "dnsmasq",
    "dnsupdate",
    "dnsupdates",
    "dyndns",
    "dyndnses",
    "extended_stats",
    "ezshaper",
    "gateways",
    "gifs",
    "gres",
    "hasync",
    "igmpproxy",
    "kea",
    "kea6",
    "l7shaper",
    "laggs",
    "lastchange",
    "mailreports",
    "notifications",
    "ntpd",
    "pfqueueing",
    "ppps",
    "pppoe",
    "pptp",
    "proxyarp",
    "qinqs",
    "remote",
    "remote_managed_pages",
    "reset_factory_defaults",
    "revision",
    "rrd",
    "rrddata",
    "shaper",
    "snmpd",
    "sshdata",
    "staticroutes",
    "stats",
    "switches",
    "syslog",
    "theme",
    "traffic_graphs",
    "unbound",
    "version",
    "virtualip_carp_maintenancemode",
    "vlans",
    "voucher",
    "vxlans",
    "widgets",
    "wireless",
    "wizardtemp",
    "wizardtempsystem",
    "wol",
];

/// Settings of the system that cannot affect which packets pass: names, accounts and languages, hardware, memory, power,
/// updates, proxies of its own, backups; limits and lifetimes of states and tables; what happens to states when an interface
/// or a gateway comes or goes; how packets are routed, shaped, and changed without a change of address. Reflection of NAT
/// counts only together with NAT, which is a mistake by itself.
const SYSTEM_WITHOUT_EFFECT: &[&str] = &[
    "acb",
    "adaptiveend",
    "adaptivestart",
    "aliasesresolveinterval",
    "already_run_config_upgrade",
    "authserver",
    "backupcount",
    "bogons",
    "captiveportalbackup",
    "checkaliasesurlcert",
    "consolebell",
    "crypto_hardware",
    "developerspew",
    "dhcp6debug",
    "dhcp6norelease",
    "dhcpbackup",
    "disable_auto_floating_states",
    "disablebeep",
    "disablechecksumoffloading",
    "disableconsolemenu",
    "disablelargereceiveoffloading",
    "disablenatreflection",
    "disablenegate",
    "disablereplyto",
    "disablesegmentationoffloading",
    "disablevpnrules",
    "dns*",
    "do_not_send_uniqueid",
    "do_not_use_nic_microcode",
    "domain",
    "dpinger*",
    "enablebinatreflection",
    "enablenatreflection*",
    "enableserial",
    "enablesshd",
    "firmware*",
    "gateway",
    "gitsync",
    "global-v6duid",
    "glxsb_enable",
    "group",
    "gw_down_kill_states",
    "gw_switch_default",
    "harddiskstandby",
    "hn_altq_enable",
    "hostname",
    "hwpstate*",
    "icmperrortimeout",
    "icmpfirsttimeout",
    "ignoreiscwarning",
    "ip_change_kill_states",
    "ipv6dontcreatelocaldns",
    "keep_failover_states",
    "kill_states",
    "language",
    "lb_use_sticky",
    "login_message",
    "logsbackup",
    "maximumfrags",
    "maximumstates",
    "maximumtableentries",
    "maxmss",
    "maxmss_enable",
    "mds_disable",
    "nextgid",
    "nextuid",
    "optimization",
    "other*",
    "password",
    "php_memory_limit",
    "pkg_*",
    "powerd_*",
    "prefer_ipv4",
    "primaryconsole",
    "proxy*",
    "pti_disabled",
    "radvddebug",
    "reflectiontimeout",
    "remove_failover_states_default",
    "rrdbackup",
    "schedule_states",
    "schedulertype",
    "scrubnodf",
    "scrubrnid",
    "sctp*",
    "serialspeed",
    "sharednet",
    "srctrack",
    "sshguard_*",
    "statepolicy",
    "tcp*",
    "thermal_hardware",
    "time-update-interval",
    "timeservers",
    "timezone",
    "udp*",
    "use_*",
    "user",
    "username",
    "vpn_*",
    "webguiport",
];

/// Packages that neither filter nor redirect: they watch, count, report, back up, route, or serve.
const PLAIN_PACKAGES: &[&str] = &[
    "Avahi",
    "AutoConfigBackup",
    "Backup",
    "Cron",
    "FRR",
    "Lightsquid",
    "LADVD",
    "Notes",
    "Open-VM-Tools",
    "RRD_Summary",
    "Service_Watchdog",
    "Status_Traffic_Totals",
    "acme",
    "arping",
    "arpwatch",
    "bandwidthd",
    "darkstat",
    "freeradius3",
    "iperf",
    "lldpd",
    "mailreport",
    "mtr-nox11",
    "net-snmp",
    "nmap",
    "nrpe",
    "ntopng",
    "nut",
    "softflowd",
    "sudo",
    "syslog-ng",
];

/// What a whole config says beside its rules, aliases and schedules.
#[derive(Debug, Default)]
pub(super) struct Whole {
    /// The device.
    pub(super) device: Device,
    /// What rules of pfSense's own hang on.
    pub(super) own: Own,
    /// True if rules are skipped while the gateway that they name is down.
    pub(super) skips_down_gateways: bool,
}

/// Reads all sections but those of rules, aliases and schedules.
pub(super) fn read(root: &Element, report: &mut Report) -> Whole {
    let mut whole = Whole::default();
    whole.own.line = root.line;
    match device::version(root.value("version")) {
        Some(version) => whole.device.version = version,
        None => {
            report.mistake(root.line, format!("`{}` is not the version of a config", root.value("version")))
        }
    }
    let missing = Element::default();
    let section = |name: &str| root.child(name).unwrap_or(&missing);
    system(section("system"), &mut whole, report);
    device::interfaces(section("interfaces"), &mut whole.device, report);
    device::groups(section("ifgroups"), &mut whole.device, report);
    whole.own.carp = device::virtual_addresses(section("virtualip"), &mut whole.device, report);
    whole.device.translates_sources =
        section("nat").child("outbound").is_none_or(|nat| nat.value("mode") != "disabled");
    for (id, interface) in whole.device.interfaces.iter().filter(|(_, interface)| interface.enabled) {
        whole.own.interfaces.extend(generated::of_interface(id, interface, whole.own.ipv6));
    }
    for child in &root.children {
        part(child, &mut whole, report);
    }
    anti_lockout(section("system"), &mut whole);
    whole
}

/// Reads a section.
fn part(section: &Element, whole: &mut Whole, report: &mut Report) {
    match section.name.as_str() {
        "system" | "interfaces" | "ifgroups" | "virtualip" | "filter" | "aliases" | "schedules" => {}
        "dhcpd" | "dhcpdv6" => {
            each(section, report, |server, report| dhcp_server(section, server, whole, report))
        }
        "dhcrelay" | "dhcrelay6" => report.part(|_| relay(section, whole)),
        "nat" => nat(section, report),
        "ipsec" => {
            let on = section.all("phase1").any(|tunnel| !tunnel.is_empty() && !tunnel.has("disabled"));
            unless(!on, section, "rules that pfSense makes for tunnels of IPsec are not modelled", report);
        }
        "openvpn" => openvpn(section, report),
        "l2tp" | "pptpd" => {
            let off = ["", "off"].contains(&section.value("mode"));
            unless(off, section, "rules for a server of tunnels are not modelled", report);
        }
        "pppoes" => {
            let server = section.all("pppoe").any(|server| server.value("mode") == "server");
            unless(!server, section, "rules for a server of PPPoE are not modelled", report);
        }
        "captiveportal" => {
            let on = section.has("enable") || section.children.iter().any(|zone| zone.has("enable"));
            unless(!on, section, "a captive portal filters and redirects", report);
        }
        "bridge" | "bridges" => {
            unless(section.is_empty(), section, "packets that are bridged meet other rules", report);
        }
        "ovpn" | "wireguard" => {
            unless(section.is_empty(), section, "tunnels of this kind are not modelled", report);
        }
        "diag" => {
            let on = section.child("ipv6nat").is_some_and(|nat| nat.has("enable"));
            unless(!on, section, "packets of the protocol 41 are redirected", report);
        }
        "load_balancer" => {
            unless(!section.has("virtual_server"), section, "a load balancer redirects", report);
        }
        "cron" => {
            let pf =
                |item: &Element| ["pfctl", "ipfw"].iter().any(|tool| item.value("command").contains(tool));
            each(section, report, |item, report| {
                unless(!pf(item), item, "a command may change the rules that run", report);
            });
        }
        "sysctl" => each(section, report, |item, report| {
            let bad = ["net.pf", "net.pfil", "net.link.bridge", "net.inet.ip.fw", "net.inet6.ip6.fw"];
            let tunable = item.value("tunable");
            let plain = !bad.iter().any(|start| tunable.starts_with(start));
            unless(plain, item, "this tunable changes where packets are filtered", report);
        }),
        "installedpackages" => each(section, report, package),
        name if WITHOUT_EFFECT.contains(&name) => report.ignore(),
        name => report.refuse(section.line, format!("section `{name}` is unknown")),
    }
}

/// Reads each element of a section as a part of its own; a section without any is one part.
fn each(section: &Element, report: &mut Report, mut read: impl FnMut(&Element, &mut Report)) {
    if section.children.is_empty() {
        report.ignore();
    }
    section.children.iter().for_each(|child| read(child, report));
}

/// Counts a part that cannot affect filtering as long as a condition holds.
fn unless(plain: bool, part: &Element, what: &str, report: &mut Report) {
    if plain {
        report.ignore();
    } else {
        report.refuse(part.line, format!("`{}`: {what}", part.name));
    }
}

fn system(system: &Element, whole: &mut Whole, report: &mut Report) {
    let modern = whole.device.version >= (24, 1);
    whole.own.ipv6 = system.has("ipv6allow");
    whole.own.blocks_link_local = !system.has("no_apipa_block");
    whole.own.blocks_nat64 = modern && !system.has("allow_nat64_prefix_override");
    whole.skips_down_gateways = system.has("skip_rules_gw_down");
    for setting in &system.children {
        let name = setting.name.as_str();
        match name {
            "ipv6allow" | "no_apipa_block" | "allow_nat64_prefix_override" | "skip_rules_gw_down" => {
                report.part(|_| ());
            }
            "ssh" | "webgui" => report.part(|report| {
                let port = setting.value("port");
                if !port.is_empty() && lockout_port(port).is_none() {
                    report.mistake(setting.line, format!("`{port}` is not a port"));
                }
            }),
            "disablefilter" => {
                unless(false, setting, "the packet filter is off, so all packets pass", report)
            }
            "disablescrub" => {
                unless(false, setting, "fragments are not put together, so rules do not see ports", report)
            }
            "tftpinterface"
            | "afterfilterchangeshellcmd"
            | "afterbootupshellcmd"
            | "earlyshellcmd"
            | "shellcmd" => {
                unless(setting.is_empty(), setting, "this may change the rules that run", report);
            }
            _ if listed(SYSTEM_WITHOUT_EFFECT, name) => report.ignore(),
            // An empty setting is one that is on.
            _ => unless(false, setting, "this setting of the system is unknown", report),
        }
    }
    let port = |name: &str| system.child(name).and_then(|service| lockout_port(service.value("port")));
    whole.own.lockouts =
        vec![port("ssh").unwrap_or(22), port("webgui").unwrap_or(default_web_port(system, "443"))];
}

fn lockout_port(text: &str) -> Option<u16> {
    plain_number(text).and_then(|port| u16::try_from(port).ok()).filter(|port| *port > 0)
}

/// The port of the web interface, unless it is set. The two places that ask have two defaults for no protocol.
fn default_web_port(system: &Element, without_protocol: &str) -> u16 {
    match system.child("webgui").map_or("", |gui| gui.value("protocol")) {
        "http" => 80,
        "https" => 443,
        _ if without_protocol == "443" => 443,
        _ => 80,
    }
}

/// The rule that keeps the web interface open: on `lan`, or on `wan` if that is the only interface
/// (`filter_get_antilockout_ports`).
fn anti_lockout(system: &Element, whole: &mut Whole) {
    let gui = system.child("webgui");
    if gui.is_some_and(|gui| gui.has("noantilockout")) {
        return;
    }
    let id = if whole.device.interfaces.len() == 1 { "wan" } else { "lan" };
    let Some(interface) = whole.device.interfaces.get(id).filter(|interface| interface.enabled) else {
        return;
    };
    let own = gui.and_then(|gui| lockout_port(gui.value("port")));
    let port = own.unwrap_or(default_web_port(system, "80"));
    let mut ports = vec![port];
    let redirects =
        gui.is_some_and(|gui| gui.value("protocol") == "https" && !gui.has("disablehttpredirect"));
    if redirects && port != 80 {
        ports.push(80);
    }
    if let Some(ssh) = system.child("ssh").filter(|ssh| ssh.has("enable")) {
        ports.push(lockout_port(ssh.value("port")).unwrap_or(22));
    }
    whole.own.anti_lockout = Some(generated::anti_lockout(id, whole.own.line, interface, &ports));
}

/// A DHCP server of an interface. What it hands out does not matter, only that it is there.
fn dhcp_server(section: &Element, server: &Element, whole: &mut Whole, report: &mut Report) {
    let interface = whole.device.interfaces.get(&server.name).filter(|interface| interface.enabled);
    let Some(interface) = interface.filter(|_| server.has("enable")) else { return report.ignore() };
    let (id, line) = (server.name.as_str(), server.line);
    let family = if section.name == "dhcpd" { Family::V4 } else { Family::V6 };
    let address = interface.addressing(family);
    report.part(|report| match (family, address, server.value("failover_peerip")) {
        (Family::V6, _, _) => whole.own.interfaces.extend(generated::dhcp6(id, line, address)),
        (Family::V4, _, _) if interface.kind4 == "pppoe" => {}
        (Family::V4, _, "") | (Family::V4, Addressing::None, _) => {
            whole.own.interfaces.extend(generated::dhcp(id, line, address, false));
        }
        (Family::V4, Addressing::Static { address: own, .. }, partner)
            if prefix(partner).is_some_and(|(family, _)| family == Family::V4) =>
        {
            whole.own.interfaces.extend(generated::dhcp(id, line, address, false));
            whole.own.interfaces.extend(generated::dhcp_partner(id, line, own, partner));
        }
        (Family::V4, Addressing::Static { .. } | Addressing::Dynamic, partner) => {
            report.mistake(
                line,
                format!("rules for `{partner}`, the partner of a DHCP server, need two known addresses"),
            );
        }
    });
}

fn relay(section: &Element, whole: &mut Whole) {
    if !section.has("enable") {
        return;
    }
    for id in section.value("interface").split(',').filter(|id| !id.is_empty()) {
        let Some(interface) = whole.device.interfaces.get(id).filter(|interface| interface.enabled) else {
            continue;
        };
        let address = interface.addressing(Family::V6);
        match section.name.as_str() {
            "dhcrelay" if interface.kind4 == "pppoe" => {}
            "dhcrelay" => whole.own.interfaces.extend(generated::dhcp(id, section.line, address, true)),
            _ => whole.own.interfaces.extend(generated::dhcp6(id, section.line, address)),
        }
    }
}

/// Address translation. Rules of outbound NAT are read with their mode.
fn nat(section: &Element, report: &mut Report) {
    if section.children.is_empty() {
        report.ignore();
    }
    for child in &section.children {
        match child.name.as_str() {
            "outbound" => report.part(|report| {
                let mode = child.value("mode");
                if !["", "automatic", "hybrid", "advanced", "disabled"].contains(&mode) {
                    report.mistake(child.line, format!("`{mode}` is not a mode of outbound NAT"));
                }
            }),
            // No version since 2.0 reads `ipsecpassthru`; separators are lines between rules on the screen.
            "ipsecpassthru" | "separator" => report.ignore(),
            "rule" | "onetoone" | "npt" => {
                let off = child.is_empty() || child.has("disabled");
                unless(off, child, "address translation is not modelled", report);
            }
            _ => unless(false, child, "this kind of address translation is unknown", report),
        }
    }
}

/// Tunnels of OpenVPN have interfaces, on which rules are. A server that asks another for its users gets rules from it.
fn openvpn(section: &Element, report: &mut Report) {
    each(section, report, |tunnel, report| {
        let local = tunnel.value("authmode").split(',').all(|mode| ["", "Local Database"].contains(&mode));
        let known = ["openvpn-server", "openvpn-client", "openvpn-csc"].contains(&tunnel.name.as_str());
        let plain = known && (local || tunnel.has("disable"));
        unless(plain || tunnel.is_empty(), tunnel, "users of a tunnel may bring rules of their own", report);
    });
}

/// A package or what belongs to one. Its settings do nothing without it, and what it does is judged by its name.
fn package(part: &Element, report: &mut Report) {
    match part.name.as_str() {
        "package" if part.is_empty() => report.ignore(),
        "package" => {
            let names = [part.value("name"), part.value("internal_name")];
            let plain =
                names.iter().any(|name| PLAIN_PACKAGES.contains(name)) && !part.has("filter_rule_function");
            let what = format!("package `{}` may filter or redirect", part.value("name"));
            unless(plain, part, &what, report);
        }
        "miniupnpd" => {
            let on = part.all("config").any(|config| config.value("enable") == "on");
            unless(!on, part, "hosts open ports by UPnP themselves", report);
        }
        _ => report.ignore(),
    }
}
