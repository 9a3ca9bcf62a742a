//! Aliases: names for sets of addresses or ports.
//!
//! In: the section `<aliases>`. Out: for each name what it stands for, with what other aliases contribute to it. Facts are
//! from `src/etc/inc/filter.inc` and `util.inc` of pfSense: members stand between single spaces, and a member that is the
//! name of an alias is that alias (`filter_generate_nested_alias_recurse`); an alias of addresses becomes a table of pf
//! and one of ports a list (`filter_generate_alias_tables`); an alias of addresses without members is an empty table,
//! which matches nothing; names of digits only are skipped, and names of pfSense's own tables come before those of users
//! (`alias_make_table`, `get_reserved_table_names`).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::super::model::{Condition, Family, PacketBox};
use super::packet::{Addresses, End, plain_number, prefix};
use super::report::Report;
use super::xml::Element;

/// How deep aliases may be nested.
const NESTING_MAX: usize = 32;

/// How many ranges all aliases may expand to: nested aliases repeat what they hold.
const EXPANDED_MAX: usize = 20_000_000;

/// Tables of pfSense itself that have no mark in their names (`globals.inc`). All others start and end with `_`.
const OWN_TABLES: &[&str] = &[
    "bogons",
    "bogonsv6",
    "negate_networks",
    "snort2c",
    "sshguard",
    "tonatsubnets",
    "virusprot",
    "vpn_networks",
];

/// Names of services that stand for a port of both TCP and UDP, and which `services(5)` of FreeBSD knows under the number
/// that they have everywhere.
const SERVICES: &[(&str, u16)] = &[
    ("bgp", 179),
    ("domain", 53),
    ("ftp", 21),
    ("http", 80),
    ("https", 443),
    ("imap", 143),
    ("imaps", 993),
    ("kerberos", 88),
    ("ldap", 389),
    ("ldaps", 636),
    ("ntp", 123),
    ("pop3", 110),
    ("pop3s", 995),
    ("smtp", 25),
    ("snmp", 161),
    ("ssh", 22),
    ("telnet", 23),
    ("tftp", 69),
    ("whois", 43),
];

/// Ranges of ports.
pub(super) type Ports = Arc<[(u16, u16)]>;

/// What an alias stands for.
#[derive(Clone, Debug)]
enum Content {
    /// Addresses.
    Addresses(Arc<Addresses>),
    /// Ports.
    Ports(Ports),
    /// Something that was not understood. That has been reported.
    Broken,
}

/// Which of the two an alias is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    Addresses,
    Ports,
}

/// The aliases of a config.
#[derive(Debug, Default)]
pub(super) struct Aliases {
    content: BTreeMap<String, Content>,
    /// Boxes that conditions share.
    shared: BTreeMap<(String, Family, End), Arc<[PacketBox]>>,
}

impl Aliases {
    /// The condition that one end of a packet of one family is in an alias. Members of the other family do not count.
    pub(super) fn condition(&mut self, name: &str, family: Family, end: End) -> Result<Condition, String> {
        let set = match self.content.get(name) {
            Some(Content::Addresses(set)) => Arc::clone(set),
            Some(Content::Ports(_)) => {
                return Err(format!("alias `{name}` holds ports, and stands where an address is due"));
            }
            Some(Content::Broken) => return Err(format!("alias `{name}` was not understood")),
            None => {
                return Err(format!("`{name}` is neither an address nor an alias: pfSense skips the rule"));
            }
        };
        let boxes =
            self.shared.entry((name.to_owned(), family, end)).or_insert_with(|| set.boxes(family, end));
        Ok(Condition::any_of(Arc::clone(boxes)))
    }

    /// The ports that a rule names: an alias, a number, a range `a-b` or `a:b`, or a service. `None` stands for all.
    ///
    /// `filter_generate_port` writes `a-65535` as all from `a` on, `1-b` as all up to `b`, port 0 among them, and
    /// `1-65535` not at all.
    pub(super) fn ports(&self, text: &str) -> Result<Option<Ports>, String> {
        match self.content.get(text) {
            Some(Content::Ports(ports)) if ports.is_empty() => {
                return Err(format!("alias `{text}` holds no port: pfSense skips the rule"));
            }
            Some(Content::Ports(ports)) => return Ok(Some(Arc::clone(ports))),
            Some(Content::Addresses(_)) => {
                return Err(format!("alias `{text}` holds addresses, and stands where a port is due"));
            }
            Some(Content::Broken) => return Err(format!("alias `{text}` was not understood")),
            None => {}
        }
        if let Some((low, high)) = text.split_once('-') {
            return match (port(low), port(high)) {
                (Some(1), Some(u16::MAX)) => Ok(None),
                (Some(1), Some(high)) if high > 1 => Ok(Some([(0, high)].into())),
                (Some(low), Some(high)) if low <= high => Ok(Some([(low, high)].into())),
                (Some(_) | None, Some(_) | None) => Err(format!("`{text}` is not a range of ports")),
            };
        }
        match port_member(text) {
            Some(range) => Ok(Some([range].into())),
            None => Err(format!("`{text}` is neither a port nor an alias")),
        }
    }
}

/// A port in digits. Port 0 cannot be named (`is_port`).
fn port(text: &str) -> Option<u16> {
    plain_number(text).and_then(|number| u16::try_from(number).ok()).filter(|number| *number > 0)
}

/// A member of an alias of ports: a number, a range `a:b`, or a service.
fn port_member(text: &str) -> Option<(u16, u16)> {
    if let Some((low, high)) = text.split_once(':') {
        let range = (port(low)?, port(high)?);
        return (range.0 <= range.1).then_some(range);
    }
    let service = || SERVICES.iter().find(|(name, _)| *name == text).map(|(_, number)| *number);
    port(text).or_else(service).map(|number| (number, number))
}

/// Reads the aliases.
pub(super) fn read(section: &Element, report: &mut Report) -> Aliases {
    let mut known: BTreeMap<&str, &Element> = BTreeMap::new();
    for alias in section.all("alias").filter(|alias| !alias.is_empty()) {
        known.entry(alias.value("name")).or_insert(alias);
    }
    let mut reader = Reader { known, done: BTreeMap::new(), open: BTreeSet::new(), expanded: 0 };
    for child in &section.children {
        let first = reader.known.get(child.value("name")).copied();
        if child.name != "alias" {
            report.refuse(child.line, format!("`{}` is unknown among aliases", child.name));
        } else if child.is_empty() {
            // pfSense drops an empty element of a list (`endElement`, xmlparse.inc).
            report.ignore();
        } else if first.is_some_and(|first| !std::ptr::eq(first, child)) {
            report.refuse(child.line, format!("alias `{}` stands here a second time", child.value("name")));
        } else {
            report.part(|report| reader.alias(child, 0, report));
        }
    }
    Aliases { content: reader.done, shared: BTreeMap::new() }
}

struct Reader<'e> {
    known: BTreeMap<&'e str, &'e Element>,
    done: BTreeMap<String, Content>,
    /// Aliases that are being read: what leads to one of them is a cycle.
    open: BTreeSet<String>,
    expanded: usize,
}

impl Reader<'_> {
    /// Reads an alias, unless that was done.
    fn alias(&mut self, alias: &Element, depth: usize, report: &mut Report) {
        let name = alias.value("name").to_owned();
        if self.done.contains_key(&name) {
            return;
        }
        let before = report.mistakes.len();
        self.open.insert(name.clone());
        let content = self.content(alias, &name, depth, report);
        self.open.remove(&name);
        let content = if report.mistakes.len() > before { Content::Broken } else { content };
        self.done.insert(name, content);
    }

    fn content(&mut self, alias: &Element, name: &str, depth: usize, report: &mut Report) -> Content {
        if let Some(what) = bad_name(name) {
            report.mistake(alias.line, what);
        }
        for child in &alias.children {
            // What else there is describes the alias, or when a list of the network is fetched.
            let known = ["name", "type", "address", "descr", "detail", "updatefreq", "url", "aliasurl"];
            if !known.contains(&child.name.as_str()) || !child.children.is_empty() {
                report.mistake(child.line, format!("`{}` is unknown in an alias", child.name));
            }
        }
        let kind = match alias.value("type") {
            "host" | "network" => Kind::Addresses,
            "port" => Kind::Ports,
            other => {
                let what = "only aliases of the types `host`, `network` and `port` say what they hold";
                report.mistake(alias.line, format!("alias `{name}` is of the type `{other}`: {what}"));
                return Content::Broken;
            }
        };
        let members = alias.value("address").split(' ').filter(|member| !member.is_empty());
        match kind {
            Kind::Addresses => Content::Addresses(self.addresses(alias, name, members, depth, report)),
            Kind::Ports => Content::Ports(self.port_list(alias, name, members, depth, report)),
        }
    }

    fn addresses<'m>(
        &mut self,
        alias: &Element,
        name: &str,
        members: impl Iterator<Item = &'m str>,
        depth: usize,
        report: &mut Report,
    ) -> Arc<Addresses> {
        let mut set = Addresses::default();
        for member in members {
            match (self.known.get(member).copied(), prefix(member)) {
                (Some(nested), _) => match self.nested(alias, nested, depth, report) {
                    Some(Content::Addresses(inner)) => set.extend(&inner),
                    Some(Content::Ports(_)) => report.mistake(
                        alias.line,
                        format!("alias `{name}` holds addresses, and its member `{member}` ports"),
                    ),
                    Some(Content::Broken) | None => {}
                },
                (None, Some(range)) => set.add(range),
                (None, None) => {
                    let what = "is neither an address, a prefix nor an alias; what a name resolves to is not in the config";
                    report.mistake(alias.line, format!("member `{member}` of alias `{name}` {what}"));
                }
            }
        }
        set.normalize();
        self.expand(alias, set.len(), report);
        Arc::new(set)
    }

    fn port_list<'m>(
        &mut self,
        alias: &Element,
        name: &str,
        members: impl Iterator<Item = &'m str>,
        depth: usize,
        report: &mut Report,
    ) -> Ports {
        let mut ports = Vec::new();
        for member in members {
            match (self.known.get(member).copied(), port_member(member)) {
                (Some(nested), _) => match self.nested(alias, nested, depth, report) {
                    Some(Content::Ports(inner)) => ports.extend_from_slice(&inner),
                    Some(Content::Addresses(_)) => report.mistake(
                        alias.line,
                        format!("alias `{name}` holds ports, and its member `{member}` addresses"),
                    ),
                    Some(Content::Broken) | None => {}
                },
                (None, Some(range)) => ports.push(range),
                (None, None) => report.mistake(
                    alias.line,
                    format!(
                        "member `{member}` of alias `{name}` is neither a port, a range `a:b` nor an alias"
                    ),
                ),
            }
        }
        ports.sort_unstable();
        ports.dedup();
        self.expand(alias, ports.len(), report);
        ports.into()
    }

    /// What an alias within another stands for. A cycle makes pfSense hang.
    fn nested(
        &mut self,
        outer: &Element,
        inner: &Element,
        depth: usize,
        report: &mut Report,
    ) -> Option<Content> {
        let name = inner.value("name");
        let outer_name = outer.value("name");
        if self.open.contains(name) {
            report.mistake(outer.line, format!("aliases `{outer_name}` and `{name}` hold one another"));
            return None;
        }
        if depth >= NESTING_MAX {
            report.mistake(
                outer.line,
                format!("aliases are nested deeper than {NESTING_MAX} at `{outer_name}`"),
            );
            return None;
        }
        self.alias(inner, depth + 1, report);
        let content = self.done.get(name).cloned();
        if matches!(content, Some(Content::Broken)) {
            report.mistake(outer.line, format!("member `{name}` of alias `{outer_name}` was not understood"));
        }
        content
    }

    fn expand(&mut self, alias: &Element, count: usize, report: &mut Report) {
        self.expanded = self.expanded.saturating_add(count);
        if self.expanded > EXPANDED_MAX {
            report.mistake(alias.line, format!("all aliases together hold more than {EXPANDED_MAX} entries"));
        }
    }
}

/// What is wrong with the name of an alias.
fn bad_name(name: &str) -> Option<String> {
    let plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if name.is_empty() || !plain || name.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(format!("`{name}` cannot be the name of an alias"));
    }
    let small = name.to_ascii_lowercase();
    let own = OWN_TABLES.contains(&small.as_str()) || (small.starts_with('_') && small.ends_with('_'));
    own.then(|| format!("`{name}` is a table of pfSense itself, which comes before an alias"))
}
