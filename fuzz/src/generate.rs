//! Small policies that bytes choose, one statement a line.
//!
//! Most are free of errors; a statement that is not says something that nothing can mean, such as a group without members,
//! and is left out by who compiles it.

use super::choices::Choices;

/// Prefixes that zones are made of. Neighbours touch, and one lies in a hole of another.
const ZONES: [&str; 8] = [
    "net 10.1.0.0/24, 2001:db8:0:1::/64",
    "net 10.1.1.0/24",
    "net 2001:db8:0:2::/64",
    "net 10.32.0.0/16 except 10.32.5.0/24",
    "net 10.32.5.0/24, 2001:db8:0:3::/64",
    "net 172.16.0.0/12, 192.168.0.0/17",
    "net 10.200.0.8/30, 2001:db8:9::4/127",
    "rest",
];

/// Addresses that lie in each of the zones, as what stands before a number of 16 bits.
const HOSTS: [(&str, &str); 8] = [
    ("10.1.0.", "2001:db8:0:1::"),
    ("10.1.1.", ""),
    ("", "2001:db8:0:2::"),
    ("10.32.6.", ""),
    ("10.32.5.", "2001:db8:0:3::"),
    ("172.16.0.", ""),
    ("10.200.0.", "2001:db8:9::"),
    ("198.51.100.", "2001:db8:ffff::"),
];

/// Ports at or beside which something is.
const PORTS: [u16; 8] = [0, 1, 22, 80, 443, 1023, 1024, 65535];

/// Services without ports.
const MESSAGES: [&str; 10] = [
    "icmp echo-request",
    "icmpv6 echo-request",
    "icmp timestamp-request",
    "icmp",
    "icmpv6",
    "gre",
    "esp",
    "protocol 97",
    "igmp",
    "protocol 6-17",
];

const DAYS: [&str; 7] = ["mon", "sun", "mon..fri", "sat..mon", "tue, thu", "fri..wed", "mon..sun"];

const CLOCKS: [&str; 4] = ["utc", "+01:00", "-05:30", "Europe/Berlin"];

/// The most statements.
const MOST: usize = 10;

/// A policy but for the kinds of its enforcement points.
pub(crate) struct Generated {
    /// Its statements, one a line.
    pub(crate) statements: Vec<String>,
    /// The zones behind each interface of each enforcement point.
    devices: Vec<Vec<String>>,
}

/// The names of enforcement points.
const DEVICES: [&str; 2] = ["core", "edge"];

impl Generated {
    /// The statements that declare its enforcement points, all of one target.
    pub(crate) fn devices(&self, target: &str) -> Vec<String> {
        let kind = if target == "cisco-ios" { "switch" } else { "firewall" };
        let place_of = |place: usize| match target {
            "cisco-ios" => format!("Vlan{}", 10 + place),
            "pfsense" => ["lan", "wan", "opt1", "opt2", "opt3", "opt4"][place].to_owned(),
            _ => format!("eth{place}"),
        };
        let device = |number: usize| {
            let zones = &self.devices[number];
            let own = zones
                .iter()
                .enumerate()
                .map(|(place, zones)| format!("interface {} zone {zones}", place_of(place)));
            let other = (self.devices.len() > 1).then(|| DEVICES[1 - number]);
            let link = other.map(|other| format!("interface {} to {other}", place_of(zones.len())));
            let interfaces: Vec<String> = own.chain(link).collect();
            format!("{kind} {} {{ target {target} {} }}", DEVICES[number], interfaces.join(" "))
        };
        (0..self.devices.len()).map(device).collect()
    }
}

/// A policy while it is made.
struct Maker<'b> {
    choices: Choices<'b>,
    statements: Vec<String>,
    /// The places of its zones in [`ZONES`].
    zones: Vec<usize>,
    /// All that a side of a rule can name.
    names: Vec<String>,
    services: Vec<String>,
    schedules: Vec<String>,
    /// One clock for all schedules, since a device has one.
    clock: &'static str,
}

/// The policy that some bytes choose.
pub(crate) fn generate(data: &[u8]) -> Generated {
    let mut choices = Choices::new(data);
    let clock = *choices.pick(&CLOCKS);
    let (statements, zones, names) = (Vec::new(), Vec::new(), Vec::new());
    let (services, schedules) = (Vec::new(), Vec::new());
    let mut maker = Maker { choices, statements, zones, names, services, schedules, clock };
    let devices = maker.topology();
    while !maker.choices.are_spent() && maker.statements.len() < maker.zones.len() + MOST {
        maker.statement();
    }
    Generated { statements: maker.statements, devices }
}

impl Maker<'_> {
    /// Declares the zones, and gives those behind each interface of each enforcement point.
    fn topology(&mut self) -> Vec<Vec<String>> {
        let count = self.choices.between(2, 4);
        let first = self.choices.below(ZONES.len());
        let devices = if self.choices.once_in(4) { 2 } else { 1 };
        let mut interfaces: Vec<Vec<String>> = vec![Vec::new(); devices];
        for number in 0..count {
            let (place, name) = ((first + number) % ZONES.len(), format!("z{number}"));
            self.statements.push(format!("zone {name} {{ {} }}", ZONES[place]));
            let own = &mut interfaces[number % devices];
            let shares = number > 1 && self.choices.once_in(6);
            match own.last_mut().filter(|_| shares) {
                Some(last) => *last += &format!(", {name}"),
                None => own.push(name.clone()),
            }
            self.zones.push(place);
            self.names.push(name);
        }
        interfaces
    }

    fn statement(&mut self) {
        let number = self.statements.len();
        let statement = match self.choices.below(16) {
            0..=2 => {
                let name = format!("e{number}");
                let endpoint = self.endpoint(&name);
                self.names.push(name);
                endpoint
            }
            3 => {
                let (name, side) = (format!("g{number}"), self.side());
                self.names.push(name.clone());
                format!("group {name} {{ {side} }}")
            }
            4 | 5 => {
                let name = format!("s{number}");
                let protocols: Vec<String> =
                    (0..self.choices.between(1, 3)).map(|_| self.protocol()).collect();
                self.services.push(name.clone());
                format!("service {name} {{ {} }}", protocols.join(" "))
            }
            6 => self.schedule(number),
            7 => format!("manage m{number} {{ from {} via {} }}", self.side(), self.via()),
            8 => format!("manage m{number} {{ from {} to core via tcp 22 log }}", self.side()),
            9 | 10 => format!("forbid {}{} }}", self.flow(number), self.log()),
            _ => format!("allow {}{}{} }}", self.flow(number), self.log(), self.when()),
        };
        self.statements.push(statement);
    }

    fn endpoint(&mut self, name: &str) -> String {
        let zone = self.choices.below(self.zones.len());
        let (v4, v6) = HOSTS[self.zones[zone]];
        let hosts: Vec<String> = (0..self.choices.between(1, 3)).map(|_| self.host(v4, v6)).collect();
        let kind = *self.choices.pick(&["class", "peer"]);
        let hole = hosts.iter().find(|host| host.contains('-') && self.choices.once_in(2));
        let hole = hole.and_then(|host| host.split_once('-'));
        let hole = hole.map(|(first, _)| format!(" except {first}")).unwrap_or_default();
        let body = format!("hosts {}{hole}", hosts.join(", "));
        if kind == "class" && self.choices.once_in(4) {
            let word = *self.choices.pick(&["reaches", "reached by"]);
            let (side, via, log, when) = (self.side(), self.via(), self.log(), self.when());
            let when = when.replace(" unsupported leave-out", "");
            return format!("class {name} in z{zone} {{ {body} {word} {side} via {via}{log}{when} }}");
        }
        format!("{kind} {name} in z{zone} {{ {body} }}")
    }

    /// An address, a range or a prefix behind one of two beginnings, of which one can be empty.
    fn host(&mut self, v4: &str, v6: &str) -> String {
        let form = self.choices.below(4);
        let both = [self.choices.number(), self.choices.number()];
        if v6.is_empty() || !v4.is_empty() && both[0].is_multiple_of(2) {
            // The smallest zone has four addresses, 8 to 11.
            let within = |number: u16| if v4 == "10.200.0." { 8 + number % 4 } else { number % 256 };
            let (first, last) = (within(both[0].min(both[1])), within(both[0].max(both[1])));
            return match form {
                0 | 1 => format!("{v4}{first}"),
                2 => format!("{v4}{}-{v4}{}", first.min(last), first.max(last)),
                _ => format!("{v4}{}/31", first & 0xfe),
            };
        }
        let within = |number: u16| if v6 == "2001:db8:9::" { 4 + number % 2 } else { number };
        let (first, last) = (within(both[0].min(both[1])), within(both[0].max(both[1])));
        match form {
            0 | 1 => format!("{v6}{first:x}"),
            2 => format!("{v6}{:x}-{v6}{:x}", first.min(last), first.max(last)),
            _ => format!("{v6}{:x}/127", first & 0xfffe),
        }
    }

    fn side(&mut self) -> String {
        if self.choices.once_in(8) {
            return "any".to_owned();
        }
        let count = self.choices.between(1, 2);
        let mut names: Vec<String> = (0..count).map(|_| self.choices.pick(&self.names).clone()).collect();
        names.dedup();
        let except = self.choices.once_in(5).then(|| self.choices.pick(&self.names).clone());
        let except = except.map(|name| format!(" except {name}")).unwrap_or_default();
        format!("{}{except}", names.join(", "))
    }

    fn protocol(&mut self) -> String {
        if self.choices.once_in(4) {
            return (*self.choices.pick(&MESSAGES)).to_owned();
        }
        let protocol = *self.choices.pick(&["tcp", "tcp", "udp", "tcp/udp", "sctp", "dccp", "tcp", "udp"]);
        if self.choices.once_in(8) {
            return format!("{protocol} any");
        }
        let source =
            if self.choices.once_in(6) { format!(" source-port {}", self.ports()) } else { String::new() };
        format!("{protocol} {}{source}", self.ports())
    }

    fn ports(&mut self) -> String {
        let count = self.choices.between(1, 3);
        let list = (0..count).map(|_| {
            let (one, other) = match self.choices.below(4) {
                0 => (self.choices.number(), self.choices.number()),
                _ => (*self.choices.pick(&PORTS), *self.choices.pick(&PORTS)),
            };
            if self.choices.once_in(2) {
                one.to_string()
            } else {
                format!("{}-{}", one.min(other), one.max(other))
            }
        });
        list.collect::<Vec<_>>().join(", ")
    }

    fn via(&mut self) -> String {
        if self.choices.once_in(8) {
            return "any".to_owned();
        }
        let entry = |maker: &mut Self| match maker.services.is_empty() {
            false if maker.choices.once_in(2) => maker.choices.pick(&maker.services).clone(),
            _ => maker.protocol(),
        };
        let count = self.choices.between(1, 2);
        (0..count).map(|_| entry(self)).collect::<Vec<_>>().join(", ")
    }

    fn schedule(&mut self, number: usize) -> String {
        let count = self.choices.between(1, 2);
        let windows: Vec<String> = (0..count)
            .map(|_| {
                let (days, start, end) =
                    (*self.choices.pick(&DAYS), self.choices.below(96), 1 + self.choices.below(96));
                let clock = |quarter: usize| format!("{:02}:{:02}", quarter / 4, quarter % 4 * 15);
                format!("{days} {}-{}", clock(start), clock(end))
            })
            .collect();
        let name = format!("t{number}");
        self.schedules.push(name.clone());
        format!("schedule {name} {{ {} timezone {} }}", windows.join(" "), self.clock)
    }

    /// A name, an open block, and what it is about.
    fn flow(&mut self, number: usize) -> String {
        let name = if self.choices.once_in(3) { String::new() } else { format!("r{number} ") };
        let mut from = self.side();
        if self.choices.once_in(6) {
            from += &format!(" from {}", self.side());
        }
        format!("{name}{{ from {from} to {} via {}", self.side(), self.via())
    }

    fn log(&mut self) -> &'static str {
        if self.choices.once_in(3) { " log" } else { "" }
    }

    /// `during`, `until` and `unsupported`, of which none need be there.
    fn when(&mut self) -> String {
        let mut text = String::new();
        if !self.schedules.is_empty() && self.choices.once_in(2) {
            text += &format!(" during {}", self.choices.pick(&self.schedules));
        }
        text += match self.choices.below(8) {
            1 => " until 2026-10-31",
            2 => " until 2026-11-01",
            _ => "",
        };
        text += if self.choices.once_in(3) { " unsupported leave-out" } else { "" };
        text
    }
}
