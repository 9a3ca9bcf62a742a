//! Small policies and what is doubtful about them, by trying each packet. Written from docs/language.md, it shares nothing
//! with the checks.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use super::Finding;
use crate::random::Dice;

/// Addresses of a zone that are tried. The last zone is the rest of the world, of which two are.
const HOSTS: usize = 8;
const ZONES: usize = 5;
const REST: usize = ZONES - 1;
/// One port of TCP for each kind: of administrators, two more, and one that stands for all that no service names.
const TCP: [usize; 4] = [21, 80, 443, 9999];
/// The same, and a number that stands for all of UDP.
const PORTS: [usize; 5] = [21, 80, 443, 9999, 70_000];

/// A service: its name, its ports, whether it is `encrypted`, whether it has `phi none`.
type Service = (&'static str, &'static [usize], bool, bool);

const SERVICES: [Service; 6] = [
    ("files", &[21], false, false),
    ("web", &[80], false, false),
    ("tls", &[443], true, false),
    ("time", &[80, 443], false, true),
    ("plain", &[443, 80], false, false),
    ("sealed", &[21, 443], true, false),
];
/// Services without a name: text, ports.
const ON_THE_SPOT: [(&str, &[usize]); 4] =
    [("tcp 80", &[80]), ("tcp 443", &[443]), ("tcp any", &TCP), ("any", &PORTS)];

/// Where an address lies: zone and host.
type Address = (usize, usize);

#[derive(Debug)]
struct Zone {
    name: String,
    phi: &'static str,
    trust: &'static str,
    role: &'static str,
}

#[derive(Debug)]
struct Place {
    name: String,
    is_class: bool,
    zone: usize,
    first: usize,
    last: usize,
    phi: &'static str,
    role: &'static str,
}

impl Place {
    fn holds(&self, (zone, host): Address) -> bool {
        zone == self.zone && (self.first..=self.last).contains(&host)
    }
}

#[derive(Debug)]
struct Rule {
    name: String,
    allows: bool,
    from: Vec<String>,
    from_except: Vec<String>,
    to: Vec<String>,
    via: Vec<&'static str>,
}

/// A policy.
#[derive(Debug)]
pub(super) struct World {
    zones: Vec<Zone>,
    places: Vec<Place>,
    group: Vec<String>,
    rules: Vec<Rule>,
}

impl World {
    pub(super) fn random(dice: &mut Dice) -> Self {
        let phis = ["", "none", "transit", "store"];
        let roles = if dice.once_in(5) { ["", ""] } else { ["", "admin"] };
        let zones = (0..ZONES).map(|zone| Zone {
            name: format!("z{zone}"),
            phi: one_of(dice, &phis),
            trust: if dice.once_in(3) {
                one_of(dice, &["guest", "partner", "external", "internal"])
            } else {
                ""
            },
            role: if dice.once_in(6) { one_of(dice, &roles) } else { "" },
        });
        let zones: Vec<Zone> = zones.collect();
        let places = (0..dice.between(6, 11)).map(|number| {
            let (first, last) = (dice.below(HOSTS), dice.below(HOSTS));
            Place {
                name: format!("p{number}"),
                is_class: !dice.once_in(3),
                zone: dice.below(REST - 1),
                first: first.min(last),
                last: first.max(last).min(first.min(last) + 3),
                phi: if dice.once_in(2) { "" } else { one_of(dice, &phis) },
                role: if roles[1].is_empty() {
                    ""
                } else {
                    one_of(dice, &["", "", "admin", "infrastructure"])
                },
            }
        });
        let places: Vec<Place> = places.collect();
        let classes: Vec<String> =
            places.iter().filter(|place| place.is_class).map(|place| place.name.clone()).collect();
        let group = if classes.is_empty() { vec!["z0".to_owned()] } else { dice.some(&classes, 4) };
        let mut names: Vec<String> = zones.iter().map(|zone| zone.name.clone()).collect();
        names.extend(places.iter().map(|place| place.name.clone()));
        names.push("group1".to_owned());
        let via: Vec<&'static str> = SERVICES
            .iter()
            .map(|(name, ..)| *name)
            .chain(ON_THE_SPOT.iter().map(|(text, _)| *text))
            .collect();
        let rules = (0..dice.between(4, 9)).map(|number| Rule {
            name: format!("r{number}"),
            allows: !dice.once_in(4),
            from: dice.some(&names, 3),
            from_except: if dice.once_in(3) { dice.some(&names, 1) } else { Vec::new() },
            to: dice.some(&names, 3),
            via: dice.some(&via, 2),
        });
        let rules = rules.collect();
        World { zones, places, group, rules }
    }

    /// The policy as text.
    pub(super) fn text(&self) -> String {
        let mut text = "policy \"small\"\n".to_owned();
        let attribute = |key: &str, value: &str| {
            if value.is_empty() { String::new() } else { format!("  {key} {value}") }
        };
        for (number, zone) in self.zones.iter().enumerate() {
            let net = if number == REST { "rest".to_owned() } else { format!("net 10.0.{number}.0/29") };
            let marks =
                attribute("phi", zone.phi) + &attribute("trust", zone.trust) + &attribute("role", zone.role);
            let _ = writeln!(text, "zone {} {{ {net}{marks} }}", zone.name);
        }
        for place in &self.places {
            let kind = if place.is_class { "class" } else { "peer" };
            let Place { name, zone, first, last, phi, role, .. } = place;
            let marks = attribute("phi", phi) + &attribute("role", role);
            let _ = writeln!(
                text,
                "{kind} {name} in z{zone} {{ hosts 10.0.{zone}.{first}-10.0.{zone}.{last}{marks} }}"
            );
        }
        let _ = writeln!(text, "group group1 {{ {} }}", self.group.join(", "));
        for (name, ports, encrypted, without_phi) in SERVICES {
            let ports: Vec<String> = ports.iter().map(ToString::to_string).collect();
            let marks = [(encrypted, "  encrypted"), (without_phi, "  phi none")];
            let marks: String = marks.iter().filter(|(marked, _)| *marked).map(|(_, mark)| *mark).collect();
            let _ = writeln!(text, "service {name} {{ tcp {}{marks} }}", ports.join(", "));
        }
        for Rule { name, allows, from, from_except, to, via } in &self.rules {
            let effect = if *allows { "allow" } else { "forbid" };
            let except = if from_except.is_empty() {
                String::new()
            } else {
                format!(" except {}", from_except.join(", "))
            };
            let (from, to, via) = (from.join(", ") + &except, to.join(", "), via.join("  via "));
            let _ = writeln!(text, "{effect} {name} {{ from {from}  to {to}  via {via} }}");
        }
        text + "firewall core {\n  target nftables\n"
            + &(0..ZONES).map(|zone| format!("  interface eth{zone} zone z{zone}\n")).collect::<String>()
            + "}\n"
    }

    fn addresses(&self) -> impl Iterator<Item = Address> + use<> {
        (0..ZONES).flat_map(|zone| (0..if zone == REST { 2 } else { HOSTS }).map(move |host| (zone, host)))
    }

    fn named(&self, names: &[String], address: Address) -> bool {
        names.iter().any(|name| {
            let is_zone = self.zones[address.0].name == *name;
            let in_place = self.places.iter().any(|place| place.name == *name && place.holds(address));
            is_zone || in_place || name == "group1" && self.named(&self.group, address)
        })
    }

    fn matches(&self, rule: &Rule, from: Address, to: Address, port: usize) -> bool {
        self.named(&rule.from, from)
            && !self.named(&rule.from_except, from)
            && self.named(&rule.to, to)
            && rule.via.iter().any(|via| ports_of(via).contains(&port))
    }

    /// All that a rule really opens: source, destination, port.
    fn opened(&self, rule: &Rule) -> Vec<(Address, Address, usize)> {
        let mut opened = Vec::new();
        for (from, to) in self.addresses().flat_map(|from| self.addresses().map(move |to| (from, to))) {
            for port in PORTS.into_iter().filter(|port| from.0 != to.0 && self.matches(rule, from, to, *port))
            {
                let forbids = self.rules.iter().filter(|rule| !rule.allows);
                if !forbids.into_iter().any(|forbid| self.matches(forbid, from, to, port)) {
                    opened.push((from, to, port));
                }
            }
        }
        opened
    }

    fn is_outside(&self, zone: usize) -> bool {
        match self.zones[zone].trust {
            "guest" | "external" => true,
            "" => zone == REST,
            _ => false,
        }
    }

    fn phi(&self, address: Address) -> Option<&'static str> {
        let holders = || self.places.iter().filter(|place| place.holds(address) && !place.phi.is_empty());
        if let Some(most) =
            ["store", "transit", "none"].into_iter().find(|phi| holders().any(|place| place.phi == *phi))
        {
            return Some(most);
        }
        match self.zones[address.0].phi {
            "" => self.is_outside(address.0).then_some("none"),
            phi => Some(phi),
        }
    }

    fn has_role(&self, address: Address, role: &str) -> bool {
        self.zones[address.0].role == role
            || self.places.iter().any(|place| place.holds(address) && place.role == role)
    }

    fn is_peer(&self, address: Address) -> bool {
        self.places.iter().any(|place| !place.is_class && place.holds(address))
    }

    /// The addresses of peers that a class may open something to.
    fn reach(&self, class: &Place, allowed: &[(Address, Address, usize)]) -> BTreeSet<Address> {
        let reached = allowed.iter().filter(|(from, to, _)| class.holds(*from) && self.is_peer(*to));
        reached.map(|(_, to, _)| *to).collect()
    }

    /// Everything that is doubtful.
    pub(super) fn findings(&self) -> BTreeSet<Finding> {
        let allows: Vec<&Rule> = self.rules.iter().filter(|rule| rule.allows).collect();
        let opened: Vec<_> = allows.iter().map(|rule| self.opened(rule)).collect();
        let all: Vec<_> = opened.iter().flatten().copied().collect();
        let reach: BTreeMap<&str, BTreeSet<Address>> =
            self.places.iter().map(|place| (place.name.as_str(), self.reach(place, &all))).collect();
        let mut found = BTreeSet::new();
        for (rule, opened) in allows.iter().zip(&opened) {
            let mut codes = BTreeSet::new();
            for packet in opened {
                codes.extend(self.of_data(rule, *packet, &reach));
                codes.extend(self.of_privilege(*packet, opened).into_iter().filter(|_| self.is_judged()));
            }
            found.extend(codes.into_iter().map(|code| (code.to_owned(), rule.name.clone())));
        }
        found.extend(self.standing_out(&reach).into_iter().map(|name| ("C0654".to_owned(), name)));
        found
    }

    fn is_judged(&self) -> bool {
        let zones = self.zones.iter().map(|zone| zone.role);
        zones.chain(self.places.iter().map(|place| place.role)).any(|role| !role.is_empty())
    }

    fn of_data(
        &self,
        rule: &Rule,
        (from, to, port): (Address, Address, usize),
        reach: &BTreeMap<&str, BTreeSet<Address>>,
    ) -> Vec<&'static str> {
        let marked = |mark: fn(&Service) -> bool| {
            let named = SERVICES.iter().filter(|service| rule.via.contains(&service.0));
            named.filter(|service| mark(service)).any(|service| service.1.contains(&port))
        };
        let at_stake = !marked(|service| service.3);
        let ends = (self.phi(from), self.phi(to));
        let mut codes = Vec::new();
        let handled = |phi: Option<&str>| matches!(phi, Some("store" | "transit"));
        let one_keeps = matches!(ends, (Some("store"), Some(_)) | (Some(_), Some("store")));
        if at_stake && !marked(|service| service.2) && (handled(ends.0) && handled(ends.1) || one_keeps) {
            codes.push("C0641");
        }
        let from_outside = self.is_outside(from.0) && ends.1 == Some("store");
        if from_outside {
            codes.push("C0642");
        }
        let not_cleared = matches!(ends, (Some("store"), Some("none")) | (Some("none"), Some("store")));
        if at_stake && not_cleared && !(from_outside && ends.0 == Some("none")) {
            codes.push("C0643");
        }
        let into = self.places.iter().filter(|place| place.is_class && place.holds(to)).any(|class| {
            let phi = if class.phi.is_empty() { self.zones[class.zone].phi } else { class.phi };
            let is_server = reach[class.name.as_str()].contains(&from) && handled(self.phi(from));
            phi == "transit" && !is_server
        });
        if into {
            codes.push("C0644");
        }
        codes
    }

    fn of_privilege(
        &self,
        (from, to, port): (Address, Address, usize),
        opened: &[(Address, Address, usize)],
    ) -> Vec<&'static str> {
        let mut codes = Vec::new();
        let has_members = self.places.iter().any(|place| place.zone == from.0);
        let is_nobody = !self.places.iter().any(|place| place.holds(from));
        if has_members && is_nobody && !self.has_role(to, "infrastructure") {
            codes.push("C0651");
        }
        let between = |packet: &&(Address, Address, usize)| packet.0.0 == from.0 && packet.1.0 == to.0;
        if opened.iter().filter(between).any(|packet| packet.2 >= 9999) {
            codes.push("C0652");
        } else if port == 21 && !self.has_role(from, "admin") {
            codes.push("C0653");
        }
        codes
    }

    /// Classes that reach more than their siblings.
    fn standing_out(&self, reach: &BTreeMap<&str, BTreeSet<Address>>) -> BTreeSet<String> {
        let classes = || self.places.iter().filter(|place| place.is_class);
        let mut families: Vec<Vec<&str>> = (0..ZONES)
            .map(|zone| {
                classes().filter(|class| class.zone == zone).map(|class| class.name.as_str()).collect()
            })
            .collect();
        if self.group.iter().all(|name| classes().any(|class| class.name == *name)) {
            families.push(self.group.iter().map(String::as_str).collect());
        }
        let mut found = BTreeSet::new();
        for family in families.iter().filter(|family| family.len() >= 3 && self.is_judged()) {
            for class in family {
                let others: Vec<_> =
                    family.iter().filter(|other| *other != class).map(|other| &reach[other]).collect();
                let together: BTreeSet<Address> =
                    others.iter().flat_map(|reach| reach.iter().copied()).collect();
                let compared = others.iter().filter(|reach| !reach.is_empty()).count() >= 2;
                if compared && together.is_subset(&reach[class]) && together != reach[class] {
                    found.insert((*class).to_owned());
                }
            }
        }
        found
    }
}

fn one_of(dice: &mut Dice, list: &[&'static str]) -> &'static str {
    list[dice.below(list.len())]
}

fn ports_of(via: &str) -> &'static [usize] {
    let service = SERVICES.iter().find(|(name, ..)| *name == via).map(|(_, ports, ..)| *ports);
    let on_the_spot = ON_THE_SPOT.iter().find(|(text, _)| *text == via).map(|(_, ports)| *ports);
    service.or(on_the_spot).unwrap()
}
