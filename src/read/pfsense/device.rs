//! What a whole config says of the device: its interfaces, their addresses, groups, and the settings that rules hang on.
//!
//! In: the element `<pfsense>`. Out: a [`Device`]. Facts are from `filter_generate_optcfg_array`, `filter_generate_aliases`
//! and `filter_generate_address` (`filter.inc`) of pfSense: the network of an interface is a table `<LAN__NETWORK>` of its
//! prefixes and those of its virtual addresses, the network of a group one of those of its members. An address that is
//! got from the network is not in the config.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::super::model::{Family, Interfaces};
use super::packet::{Addresses, plain_number, prefix};
use super::report::Report;
use super::xml::Element;

/// Interfaces that pfSense adds for services, which stand behind groups of interfaces in the order of rules
/// (`$vpn_and_ppp_ifs`, globals.inc).
pub(super) const SERVICE_INTERFACES: &[&str] = &["enc0", "l2tp", "openvpn", "pppoe"];

/// How an interface gets an address of one family.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Addressing {
    /// It has none.
    None,
    /// The config names it.
    Static {
        /// The address.
        address: u128,
        /// The addresses of its network.
        network: (u128, u128),
    },
    /// The network gives it.
    Dynamic,
}

/// An interface.
#[derive(Clone, Debug)]
pub(super) struct Interface {
    /// Where it stands.
    pub(super) line: usize,
    /// False if it is off: it carries no packets, and rules on it are skipped.
    pub(super) enabled: bool,
    /// What the system calls it.
    pub(super) real: String,
    v4: Addressing,
    v6: Addressing,
    /// How IPv4 is set up, when it is not static: `dhcp`, `pppoe`.
    pub(super) kind4: String,
    /// How IPv6 is, likewise.
    pub(super) kind6: String,
    /// The networks of its virtual addresses.
    virtual_networks: Addresses,
    /// Whether sources of private networks are blocked.
    pub(super) blocks_private: bool,
    /// Whether sources of networks that nobody has are.
    pub(super) blocks_bogons: bool,
}

impl Interface {
    /// Its own address of a family.
    pub(super) fn addressing(&self, family: Family) -> Addressing {
        match family {
            Family::V4 => self.v4,
            Family::V6 => self.v6,
        }
    }

    /// True if it has virtual addresses.
    pub(super) fn has_virtual_addresses(&self) -> bool {
        self.virtual_networks.len() > 0
    }
}

/// What is known of a device.
#[derive(Clone, Debug, Default)]
pub(super) struct Device {
    /// The version of the config, major and minor.
    pub(super) version: (u64, u64),
    /// Interfaces by id.
    pub(super) interfaces: BTreeMap<String, Interface>,
    /// Groups and the ids of their members, in the order in which rules of groups are tried.
    pub(super) groups: Vec<(String, Arc<[String]>)>,
    /// True if sources of packets that leave may be replaced before rules see them.
    pub(super) translates_sources: bool,
}

impl Device {
    /// The ids of the interfaces that a rule on a name concerns: one, or those of a group. Names that are off give none.
    pub(super) fn named(&self, name: &str) -> Option<Vec<String>> {
        if let Some(interface) = self.interfaces.get(name) {
            return Some(if interface.enabled { vec![name.to_owned()] } else { Vec::new() });
        }
        if let Some((_, members)) = self.groups.iter().find(|(group, _)| group == name) {
            let enabled = |id: &&String| self.interfaces.get(*id).is_some_and(|interface| interface.enabled);
            return Some(members.iter().filter(enabled).cloned().collect());
        }
        SERVICE_INTERFACES.contains(&name).then(|| {
            // Tunnels of OpenVPN that have an id of their own are in pf's group too.
            let assigned = self.interfaces.iter().filter(|(_, interface)| {
                interface.enabled && name == "openvpn" && interface.real.starts_with("ovpn")
            });
            assigned.map(|(id, _)| id.clone()).chain([name.to_owned()]).collect()
        })
    }

    /// The addresses that a rule means by the name of an interface or a group (its network), or by one with `ip` behind it
    /// (its address), of one family.
    pub(super) fn network(&self, name: &str, family: Family, negated: bool) -> Result<Addresses, String> {
        if let Some(interface) = self.interfaces.get(name) {
            let found = networks(name, interface, family)?;
            if negated && found.of(family).is_empty() {
                return Err(format!(
                    "`{name}` has no network of this family: pfSense skips the rule or lets it match all"
                ));
            }
            return Ok(found);
        }
        if let Some((_, members)) = self.groups.iter().find(|(group, _)| group == name) {
            let mut all = Addresses::default();
            for (id, interface) in members.iter().filter_map(|id| self.interfaces.get_key_value(id)) {
                all.extend(&networks(id, interface, family)?);
            }
            all.normalize();
            return match all.of(family).is_empty() {
                true => Err(format!("group `{name}` has no network of this family")),
                false => Ok(all),
            };
        }
        let interface = name.strip_suffix("ip").and_then(|id| self.interfaces.get(id));
        match interface.map(|interface| interface.addressing(family)) {
            Some(Addressing::Static { address, .. }) => {
                let mut one = Addresses::default();
                one.add((family, (address, address)));
                Ok(one)
            }
            Some(Addressing::Dynamic) => Err(format!("the address `{name}` is given by the network")),
            Some(Addressing::None) => {
                Err(format!("there is no address `{name}` of this family: pfSense skips the rule"))
            }
            None => Err(format!("`{name}` is not a network of this config")),
        }
    }
}

fn networks(name: &str, interface: &Interface, family: Family) -> Result<Addresses, String> {
    let mut set = Addresses::default();
    if !interface.enabled {
        return Err(format!("interface `{name}` is off: pfSense skips the rule"));
    }
    match interface.addressing(family) {
        Addressing::None => {}
        Addressing::Static { network, .. } => set.add((family, network)),
        Addressing::Dynamic => return Err(format!("the network `{name}` is given by the network itself")),
    }
    set.extend(&interface.virtual_networks);
    set.normalize();
    Ok(set)
}

/// Interfaces that only the named ids are.
pub(super) fn only(mut names: Vec<String>) -> Interfaces {
    names.sort_unstable();
    names.dedup();
    Interfaces::Only(names.into())
}

/// Settings of an interface that filtering does not hang on: how the link is, how an address is asked for, and where
/// packets go next. A name that ends in `*` stands for all that start so.
const OTHER_SETTINGS: &[&str] = &[
    "adv_dhcp*",
    "alias-address",
    "alias-subnet",
    "bandwidth",
    "bandwidthtype",
    "descr",
    "dhcp6*",
    "dhcpcvpt",
    "dhcphostname",
    "dhcprejectfrom",
    "dhcpvlanenable",
    "disableftpproxy",
    "gateway",
    "gatewayv6",
    "ipv6usev4iface",
    "media",
    "mediaopt",
    "mss",
    "mtu",
    "ondemand",
    "password",
    "pppoe*",
    "ptpid",
    "slaac*",
    "spoofmac",
    "timeout",
    "track6*",
    "username",
];

/// True if a list holds a name, or a start of it that is marked by `*`.
pub(super) fn listed(list: &[&str], name: &str) -> bool {
    list.iter().any(|known| match known.strip_suffix('*') {
        Some(start) => name.starts_with(start),
        None => *known == name,
    })
}

/// Reads the interfaces, each as a part.
pub(super) fn interfaces(section: &Element, device: &mut Device, report: &mut Report) {
    for child in &section.children {
        report.part(|report| {
            let interface = interface(child, report);
            device.interfaces.insert(child.name.clone(), interface);
        });
    }
}

fn interface(element: &Element, report: &mut Report) -> Interface {
    for child in &element.children {
        let known = ["blockbogons", "blockpriv", "enable", "if", "ipaddr", "ipaddrv6", "subnet", "subnetv6"];
        if !known.contains(&child.name.as_str()) && !listed(OTHER_SETTINGS, &child.name) {
            report.mistake(child.line, format!("setting `{}` of an interface is unknown", child.name));
        }
    }
    let (v4, kind4) = addressing(element, Family::V4, report);
    let (v6, kind6) = addressing(element, Family::V6, report);
    Interface {
        line: element.line,
        enabled: element.has("enable"),
        real: element.value("if").to_owned(),
        v4,
        v6,
        kind4,
        kind6,
        virtual_networks: Addresses::default(),
        blocks_private: element.has("blockpriv"),
        blocks_bogons: element.has("blockbogons"),
    }
}

fn addressing(element: &Element, family: Family, report: &mut Report) -> (Addressing, String) {
    let (address, length, dynamic): (_, _, &[&str]) = match family {
        Family::V4 => ("ipaddr", "subnet", &["dhcp", "pppoe", "ppp", "l2tp"]),
        Family::V6 => ("ipaddrv6", "subnetv6", &["dhcp6", "slaac", "track6", "linklocal"]),
    };
    let text = element.value(address);
    // Tunnels get an address from what makes them.
    let tunnel = ["ovpn", "ipsec", "tun", "tap", "ppp", "l2tp"]
        .iter()
        .any(|start| element.value("if").starts_with(start));
    if text.is_empty() || text == "none" {
        return (if tunnel { Addressing::Dynamic } else { Addressing::None }, String::new());
    }
    if dynamic.contains(&text) {
        return (Addressing::Dynamic, text.to_owned());
    }
    let network = prefix(&format!("{text}/{}", element.value(length))).filter(|(found, _)| *found == family);
    match (prefix(text), network) {
        (Some((_, (address, _))), Some((_, network))) if !text.contains('/') => {
            (Addressing::Static { address, network }, String::new())
        }
        (Some(_) | None, Some(_) | None) => {
            let what = format!(
                "`{text}` with the length `{}` is not an address of an interface",
                element.value(length)
            );
            report.mistake(element.line, what);
            (Addressing::Dynamic, String::new())
        }
    }
}

/// Reads the groups of interfaces, each as a part.
pub(super) fn groups(section: &Element, device: &mut Device, report: &mut Report) {
    for child in &section.children {
        report.part(|report| {
            let name = child.value("ifname");
            let members: Vec<String> =
                child.value("members").split(' ').filter(|id| !id.is_empty()).map(str::to_owned).collect();
            for id in members.iter().filter(|id| !device.interfaces.contains_key(*id)) {
                report.mistake(child.line, format!("member `{id}` of group `{name}` is not an interface"));
            }
            if child.name != "ifgroupentry" || name.is_empty() || device.interfaces.contains_key(name) {
                report.mistake(child.line, format!("`{name}` cannot be the name of a group of interfaces"));
            }
            device.groups.push((name.to_owned(), members.into()));
        });
    }
}

/// Reads virtual addresses, each as a part. True if one of them is shared by CARP.
pub(super) fn virtual_addresses(section: &Element, device: &mut Device, report: &mut Report) -> bool {
    let mut carp = false;
    for vip in section.children.iter().filter(|vip| !vip.is_empty()) {
        report.part(|report| {
            let bits = Some(vip.value("subnet_bits")).filter(|bits| !bits.is_empty());
            let text =
                bits.map_or(vip.value("subnet").to_owned(), |bits| format!("{}/{bits}", vip.value("subnet")));
            let interface = device.interfaces.get_mut(vip.value("interface"));
            let mode = vip.value("mode");
            let known =
                ["carp", "ipalias", "other", "proxyarp"].contains(&mode) && vip.value("type") != "range";
            match (interface, prefix(&text)) {
                (Some(interface), Some(range)) if known && vip.name == "vip" => {
                    interface.virtual_networks.add(range);
                    carp |= mode == "carp";
                }
                (Some(_) | None, Some(_) | None) => {
                    report.mistake(
                        vip.line,
                        format!("virtual address `{text}` of the mode `{mode}` is not understood"),
                    );
                }
            }
        });
    }
    carp
}

/// The version of a config.
pub(super) fn version(text: &str) -> Option<(u64, u64)> {
    let (major, minor) = text.split_once('.').unwrap_or((text, "0"));
    let minor = minor.trim_start_matches('0');
    Some((plain_number(major)?, if minor.is_empty() { 0 } else { plain_number(minor)? }))
}
