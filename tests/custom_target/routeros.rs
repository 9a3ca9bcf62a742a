//! A reader of RouterOS scripts that knows nothing of the template: what a router would do with a packet.
//!
//! It takes the few commands that the example emits, and fails on anything else.

use std::collections::BTreeMap;
use std::net::IpAddr;

use cordon::set::Packet;
use ipnet::IpNet;

/// A command: its words in front, and its properties.
pub(super) struct Command {
    pub(super) menu: String,
    pub(super) verb: String,
    pub(super) properties: BTreeMap<String, String>,
}

/// All commands of a script.
pub(super) fn read(script: &str) -> Vec<Command> {
    let mut menu = String::new();
    let mut commands = Vec::new();
    for line in script.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        if line.starts_with('/') {
            line.clone_into(&mut menu);
            continue;
        }
        let words = words(line);
        let properties = words.iter().skip(1).filter_map(|word| word.split_once('='));
        let properties = properties.map(|(key, value)| (key.to_owned(), value.to_owned()));
        commands.push(Command {
            menu: menu.clone(),
            verb: words[0].clone(),
            properties: properties.collect(),
        });
    }
    commands
}

/// The words of a line, their quotes taken away. Outside of quotes, nothing that could mean something may stand.
fn words(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut bytes = line.bytes();
    let mut text: Vec<u8> = Vec::new();
    while let Some(byte) = bytes.next() {
        match byte {
            b' ' => words.push(String::new()),
            b'"' => {
                text.clear();
                loop {
                    match bytes.next().expect("a text that is not closed") {
                        b'"' => break,
                        b'\\' => {
                            let digits = [bytes.next().unwrap(), bytes.next().unwrap()];
                            let digits = std::str::from_utf8(&digits).unwrap();
                            text.push(u8::from_str_radix(digits, 16).expect("two hexadecimal digits"));
                        }
                        b'$' => panic!("a variable in {line}"),
                        other => text.push(other),
                    }
                }
                let text = std::str::from_utf8(&text).expect("UTF-8");
                words.last_mut().unwrap().push_str(text);
            }
            byte if byte.is_ascii_alphanumeric() || b"-_.,:/=![]".contains(&byte) => {
                words.last_mut().unwrap().push(char::from(byte));
            }
            other => panic!("`{}` in {line}", char::from(other)),
        }
    }
    words
}

/// True if the chain accepts a first packet that arrives on one interface and leaves by another.
pub(super) fn accepts(commands: &[Command], chain: &str, packet: &Packet, from: &str, to: &str) -> bool {
    let family = if packet.source.is_ipv4() { "/ip" } else { "/ipv6" };
    let rules = commands.iter().filter(|command| {
        command.menu == format!("{family} firewall filter")
            && command.verb == "add"
            && command.properties["chain"] == chain
    });
    let lists: Vec<&Command> = commands
        .iter()
        .filter(|command| command.menu == format!("{family} firewall address-list") && command.verb == "add")
        .collect();
    let holds = |list: &str, address: IpAddr| {
        lists.iter().any(|entry| {
            entry.properties["list"] == list
                && entry.properties["address"].parse::<IpNet>().unwrap().contains(&address)
        })
    };
    for rule in rules {
        let matches = rule.properties.iter().all(|(key, value)| match key.as_str() {
            "chain" | "action" | "comment" | "log" | "log-prefix" => true,
            // A first packet is new.
            "connection-state" => false,
            "hop-limit" => false,
            "in-interface" => value == from,
            "out-interface" => value == to,
            "src-address-list" => match value.strip_prefix('!') {
                Some(list) => !holds(list, packet.source),
                None => holds(value, packet.source),
            },
            "dst-address-list" => holds(value, packet.destination),
            "protocol" => protocol(value) == packet.protocol,
            "src-port" => ports(value, packet.source_port),
            "dst-port" => ports(value, packet.destination_port),
            "icmp-options" => message(value, packet.destination_port),
            other => panic!("a matcher that is not known: {other}"),
        });
        if matches {
            return rule.properties["action"] == "accept";
        }
    }
    panic!("{chain} has no last rule");
}

fn protocol(name: &str) -> u8 {
    match name {
        "icmp" => 1,
        "tcp" => 6,
        "udp" => 17,
        "icmpv6" => 58,
        number => number.parse().unwrap(),
    }
}

fn ports(list: &str, port: u16) -> bool {
    let ranges: Vec<&str> = list.split(',').collect();
    let count: usize = ranges.iter().map(|range| range.split('-').count()).sum();
    assert!(count <= 15, "{list} has more ports than a rule can list");
    ranges.iter().any(|range| {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        (first.parse().unwrap()..=last.parse().unwrap()).contains(&port)
    })
}

fn message(option: &str, type_and_code: u16) -> bool {
    let (message, codes) = option.split_once(':').unwrap();
    let [found, code] = type_and_code.to_be_bytes();
    let (first, last) = codes.split_once('-').unwrap_or((codes, codes));
    message.parse::<u8>().unwrap() == found
        && (first.parse().unwrap()..=last.parse().unwrap()).contains(&code)
}
