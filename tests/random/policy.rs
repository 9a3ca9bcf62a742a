//! Small random policies. Statements are added one by one, each in the first of a few forms without an error in it, so
//! that all policies compile on Linux, while what they say is left to chance.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use cordon::check::check;
use cordon::diag::{Diagnostics, human};
use cordon::inventory::Inventories;
use cordon::ir::Policy;
use cordon::source::Sources;
use cordon::syntax::ast::File;
use cordon::syntax::parse;

use super::dice::Dice;
use super::naive::ends;
use super::services;
use crate::support::AS_OF;

/// The name of the one enforcement point.
pub(crate) const DEVICE: &str = "core";

/// Prefixes that zones are made of. Neighbours touch, and one lies in a hole of another.
const V4: [&str; 14] = [
    "10.1.0.0/24",
    "10.1.1.0/24",
    "10.1.2.0/25",
    "10.1.2.128/25",
    "10.1.3.0/24",
    "10.1.4.0/22",
    "10.1.8.0/24",
    "10.32.0.0/16 except 10.32.5.0/24",
    "10.32.5.0/24",
    "10.200.0.8/30",
    "10.200.0.12/32",
    "172.16.0.0/12",
    "192.168.0.0/17",
    "192.168.128.0/17",
];
const V6: [&str; 11] = [
    "2001:db8:0:1::/64",
    "2001:db8:0:2::/64",
    "2001:db8:0:3::/64",
    "2001:db8:0:4::/62",
    "2001:db8:8::/48 except 2001:db8:8:1::/64",
    "2001:db8:8:1::/64",
    "2001:db8:9::4/127",
    "2001:db8:9::6/128",
    "2001:db8:a::/48",
    "2001:db8:b:8::/61",
    "fd00::/8",
];
/// Where classes and peers of the rest of the world lie.
const REST: [&str; 4] = ["198.51.100.0/22", "203.0.113.0/24", "2001:db8:ffff::/64", "2001:db8:fffe::/64"];

/// What a policy may have.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wanted {
    /// Rules that hold at times only.
    pub(crate) schedules: bool,
    /// Interfaces with more than one zone.
    pub(crate) shared_interfaces: bool,
    /// Manage statements from the rest of the world, of which link-local addresses are a part.
    pub(crate) managed_by_rest: bool,
}

/// A policy but for its enforcement point.
#[derive(Clone, Debug)]
pub(crate) struct Random {
    /// Its statements. Where an allow may say `unsupported leave-out` there is a [`GAP`].
    statements: String,
    /// The zones behind each interface.
    interfaces: Vec<Vec<String>>,
    /// How many candidates for statements were thrown away, since they had errors.
    pub(crate) refused: usize,
}

const GAP: &str = "@";

/// A policy that was read and found to be free of errors.
pub(crate) struct Read {
    pub(crate) files: Vec<File>,
    pub(crate) policy: Policy,
}

/// Parses and checks a policy; what is wrong with it, if something is.
pub(crate) fn read(text: &str) -> Result<Read, String> {
    let (mut sources, mut diagnostics) = (Sources::default(), Diagnostics::default());
    let source = sources.add("random.cordon".to_owned(), text.to_owned()).unwrap();
    let files = vec![parse(source, &mut diagnostics)];
    let policy = check(&files, Inventories::default(), AS_OF.parse().unwrap(), &mut diagnostics);
    if diagnostics.has_errors() {
        return Err(human(&diagnostics, &sources, 100, false));
    }
    Ok(Read { files, policy })
}

impl Random {
    /// The policy of a seed.
    pub(crate) fn new(seed: u64, wanted: Wanted) -> Self {
        let mut maker = Maker::new(seed, wanted);
        maker.endpoints();
        maker.groups();
        maker.services();
        maker.schedules();
        maker.rules();
        maker.classes_with_rules();
        maker.managements();
        maker.random
    }

    /// Its text with one enforcement point of a target.
    pub(crate) fn text(&self, target: &str, leave_out: bool) -> String {
        let word = if leave_out { "unsupported leave-out" } else { "" };
        let kind = if target == "cisco-ios" { "switch" } else { "firewall" };
        let interfaces = self.interfaces.iter().zip(0..).map(|(zones, place): (_, usize)| {
            let name = match target {
                "cisco-ios" => format!("Vlan{}", 10 + place),
                "pfsense" => ["lan", "wan", "opt1", "opt2", "opt3"][place].to_owned(),
                _ => format!("eth{place}"),
            };
            format!("  interface {name} zone {}\n", zones.join(", "))
        });
        let interfaces: String = interfaces.collect();
        let statements = self.statements.replace(GAP, word);
        format!("{statements}{kind} {DEVICE} {{ target {target}\n{interfaces}}}\n")
    }
}

/// A policy while it is made.
struct Maker {
    dice: Dice,
    wanted: Wanted,
    random: Random,
    zones: Vec<(String, Vec<&'static str>)>,
    /// All that a side of a rule can name.
    names: Vec<String>,
    services: Vec<String>,
    schedules: Vec<String>,
}

/// How often a statement is tried in another form.
const TRIES: usize = 8;

impl Maker {
    fn new(seed: u64, wanted: Wanted) -> Self {
        let mut dice = Dice::new(seed);
        let random = Random { statements: String::new(), interfaces: Vec::new(), refused: 0 };
        let (mut v4, mut v6) = (V4.to_vec(), V6.to_vec());
        let count = dice.between(3, 5);
        let has_rest = dice.once_in(2);
        let (mut zones, mut interfaces): (Vec<_>, Vec<Vec<String>>) = (Vec::new(), Vec::new());
        let mut statements = String::new();
        for place in 0..count {
            let name = format!("z{place}");
            let mut nets = Vec::new();
            if has_rest && place + 1 == count {
                statements += &format!("zone {name} {{ rest }}\n");
                nets.extend(REST);
            } else {
                let families = dice.below(6);
                let mut take = |pool: &mut Vec<&'static str>, dice: &mut Dice| {
                    nets.extend((0..dice.between(1, 2)).map(|_| dice.draw(pool)));
                };
                if families != 0 {
                    take(&mut v4, &mut dice);
                }
                if families != 1 {
                    take(&mut v6, &mut dice);
                }
                let nets: String = nets.iter().map(|net| format!(" net {net}")).collect();
                statements += &format!("zone {name} {{{nets} }}\n");
            }
            match interfaces.last_mut() {
                Some(last) if place > 2 && wanted.shared_interfaces && dice.once_in(3) => {
                    last.push(name.clone())
                }
                _ => interfaces.push(vec![name.clone()]),
            }
            zones.push((name, nets));
        }
        let names = zones.iter().map(|(name, _)| name.clone()).collect();
        let random = Random { statements, interfaces, ..random };
        Maker { dice, wanted, random, zones, names, services: Vec::new(), schedules: Vec::new() }
    }

    /// Adds a statement in the first of some forms that is right.
    fn add(&mut self, form: impl Fn(&mut Self) -> String) -> bool {
        for _ in 0..TRIES {
            let statement = form(self);
            let before = self.random.statements.len();
            self.random.statements += &statement;
            self.random.statements += "\n";
            if read(&self.random.text("nftables", false)).is_ok() {
                return true;
            }
            self.random.statements.truncate(before);
            self.random.refused += 1;
        }
        false
    }

    fn endpoints(&mut self) {
        for place in 0..self.dice.between(2, 5) {
            let name = format!("e{place}");
            if self.add(|maker| maker.endpoint(&name, "")) {
                self.names.push(name);
            }
        }
    }

    fn endpoint(&mut self, name: &str, clauses: &str) -> String {
        let (zone, nets) = self.dice.pick(&self.zones).clone();
        let kind = if clauses.is_empty() && self.dice.once_in(2) { "peer" } else { "class" };
        let members = if kind == "class" && self.dice.once_in(8) {
            "members all".to_owned()
        } else {
            let hosts: Vec<String> = (0..self.dice.between(1, 3)).map(|_| self.host(&nets)).collect();
            let hole = hosts.iter().find(|host| host.contains(['-', '/']) && self.dice.once_in(2));
            let hole = hole.map(|host| format!(" except {}", inside(host, &mut self.dice)));
            format!("hosts {}{}", hosts.join(", "), hole.unwrap_or_default())
        };
        format!("{kind} {name} in {zone} {{ {members} {clauses} }}")
    }

    /// An address, a range or a prefix in one of some nets.
    fn host(&mut self, nets: &[&str]) -> String {
        let net = self.dice.pick(nets).split(' ').next().unwrap();
        let length: u32 = net.split_once('/').unwrap().1.parse().unwrap();
        match self.dice.below(3) {
            0 => inside(net, &mut self.dice),
            1 => {
                let mut both = [inside(net, &mut self.dice), inside(net, &mut self.dice)];
                both.sort_by_key(|text| text.parse::<IpAddr>().unwrap());
                both.join("-")
            }
            _ => {
                let whole = if net.contains(':') { 128 } else { 32 };
                let most = usize::try_from((whole - length).min(12)).unwrap();
                let length = length + u32::try_from(self.dice.between(0, most)).unwrap();
                let within = format!("{}/{length}", inside(net, &mut self.dice));
                format!("{}/{length}", ipnet::IpNet::trunc(&within.parse().unwrap()).addr())
            }
        }
    }

    fn groups(&mut self) {
        for place in 0..self.dice.below(3) {
            let name = format!("g{place}");
            if self.add(|maker| format!("group {name} {{ {} }}", maker.side())) {
                self.names.push(name);
            }
        }
    }

    fn side(&mut self) -> String {
        let mut names = self.dice.some(&self.names, 3);
        if self.dice.once_in(8) {
            names = vec!["any".to_owned()];
        }
        let except = self.dice.once_in(4).then(|| self.dice.some(&self.names, 2).join(", "));
        let except = except.map(|names| format!(" except {names}")).unwrap_or_default();
        format!("{}{except}", names.join(", "))
    }

    fn services(&mut self) {
        for place in 0..self.dice.between(1, 3) {
            let name = format!("s{place}");
            let form = |maker: &mut Self| {
                let specs: Vec<String> =
                    (0..maker.dice.between(1, 3)).map(|_| services::spec(&mut maker.dice)).collect();
                format!("service {name} {{ {} }}", specs.join(" "))
            };
            if self.add(form) {
                self.services.push(name);
            }
        }
    }

    fn schedules(&mut self) {
        if !self.wanted.schedules || self.dice.once_in(3) {
            return;
        }
        let clock = *self.dice.pick(&["utc", "utc", "utc", "+01:00", "-05:00"]);
        for place in 0..self.dice.between(1, 3) {
            let name = format!("t{place}");
            let form = |maker: &mut Self| {
                format!("schedule {name} {{ {} timezone {clock} }}", services::windows(&mut maker.dice))
            };
            if self.add(form) {
                self.schedules.push(name);
            }
        }
    }

    fn rules(&mut self) {
        for place in 0..self.dice.between(4, 9) {
            let is_forbid = self.dice.once_in(4);
            self.add(|maker| {
                let name = if maker.dice.once_in(3) { String::new() } else { format!("r{place}") };
                let flow = maker.flow();
                let log = if maker.dice.once_in(3) { " log" } else { "" };
                if is_forbid {
                    return format!("forbid {name} {{ {flow}{log} }}");
                }
                let when = maker.when();
                format!("allow {name} {{ {flow}{log}{when} {GAP} }}")
            });
        }
    }

    /// Classes of which rules are written inside.
    fn classes_with_rules(&mut self) {
        for place in 0..self.dice.below(3) {
            let name = format!("c{place}");
            self.add(|maker| {
                let word = *maker.dice.pick(&["reaches", "reached by"]);
                let (others, via, when) = (maker.side(), maker.via(), maker.when());
                let log = if maker.dice.once_in(3) { " log" } else { "" };
                maker.endpoint(&name, &format!("{word} {others} via {via}{log}{when}"))
            });
        }
    }

    /// `during` and `until`, which need not be there.
    fn when(&mut self) -> String {
        let mut text = String::new();
        if !self.schedules.is_empty() && self.dice.once_in(2) {
            text += &format!(" during {}", self.dice.pick(&self.schedules));
        }
        match self.dice.below(12) {
            0 => text += " until 2026-10-31",
            1 => text += &format!(" until {AS_OF}"),
            2 => text += " until 2026-12-31",
            3 | 4 => text += " until 2027-06-30",
            _ => {}
        }
        text
    }

    fn flow(&mut self) -> String {
        let (mut from, to) = (self.side(), self.side());
        if self.dice.once_in(5) {
            from += &format!(" from {}", self.side());
        }
        format!("from {from} to {to} via {}", self.via())
    }

    fn via(&mut self) -> String {
        if self.dice.once_in(7) {
            return "any".to_owned();
        }
        let count = self.dice.between(1, 2);
        let entries = (0..count).map(|_| match self.services.as_slice() {
            names if !names.is_empty() && self.dice.once_in(2) => self.dice.pick(names).clone(),
            _ => services::spec(&mut self.dice),
        });
        entries.collect::<Vec<_>>().join(", ")
    }

    fn managements(&mut self) {
        let near = |(_, nets): &&(String, Vec<&str>)| nets.as_slice() != REST;
        let near: Vec<String> = self.zones.iter().filter(near).map(|(name, _)| name.clone()).collect();
        let from = |maker: &mut Self| match maker.wanted.managed_by_rest {
            true => maker.side(),
            false => maker.dice.some(&near, 2).join(", "),
        };
        self.add(|maker| format!("manage m0 {{ from {} via tcp 22 }}", from(maker)));
        if self.dice.once_in(2) {
            let services = ["udp 161", "tcp 443, icmp echo-request", "icmpv6 echo-request, udp 53-161"];
            self.add(|maker| {
                let via = *maker.dice.pick(&services);
                format!("manage m1 {{ from {} to {DEVICE} via {via} log }}", from(maker))
            });
        }
    }
}

/// An address in a range or a prefix, often at one of its ends.
fn inside(text: &str, dice: &mut Dice) -> String {
    let spread = |size: u128, dice: &mut Dice| match dice.below(4) {
        0 => 0,
        1 => size,
        _ => u128::try_from(dice.below(1 << 20)).unwrap() % size.saturating_add(1).max(1),
    };
    match ends(text) {
        (IpAddr::V4(first), IpAddr::V4(last)) => {
            let size = u32::from(last) - u32::from(first);
            let offset = u32::try_from(spread(size.into(), dice)).unwrap();
            Ipv4Addr::from(u32::from(first) + offset).to_string()
        }
        (IpAddr::V6(first), IpAddr::V6(last)) => {
            let offset = spread(u128::from(last) - u128::from(first), dice);
            Ipv6Addr::from(u128::from(first) + offset).to_string()
        }
        _ => panic!("{text} mixes families"),
    }
}
