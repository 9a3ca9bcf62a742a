//! A member more or less: names of a group, addresses of a class or peer, prefixes of a zone, ports of a service.

use std::net::IpAddr;

use ipnet::IpNet;
use thiserror::Error;

use super::list::{List, cut, insert};
use super::reference::{Space, references};
use super::rename::{RenameError, declaration};
use crate::diag::Diagnostics;
use crate::edit::Edit;
use crate::set::{AddressRange, AddressSet, Set};
use crate::source::{Sources, Span};
use crate::syntax::ast::{File, Group, Members, Names, ProtocolPorts, Service, Statement, Word};
use crate::syntax::parse;

/// A change of members, worked out.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Change {
    /// The keyword of what changes.
    pub kind: &'static str,
    /// What changes in the text.
    pub edits: Vec<Edit>,
}

/// Why members are left as they are.
#[derive(Clone, PartialEq, Eq, Error, Debug)]
pub enum MemberError {
    /// What shall change is not there, or not clear.
    #[error("{0}")]
    Name(#[from] RenameError),
    /// A statement that has no members.
    #[error("the {kind} `{name}` has no members; groups, classes, peers, zones and services have")]
    NoMembers {
        /// Its keyword.
        kind: &'static str,
        /// Its name.
        name: String,
    },
    /// What shall be a member can be none.
    #[error("`{what}` is not {expected}")]
    Form {
        /// The word.
        what: String,
        /// What belongs there.
        expected: &'static str,
    },
    /// It is a member.
    #[error("`{what}` is in `{name}` already: {by} at {place}")]
    There {
        /// The word.
        what: String,
        /// What it is in.
        name: String,
        /// The word that it is in by.
        by: String,
        /// Where that stands.
        place: String,
    },
    /// `except` takes it away.
    #[error("`except {by}` at {place} takes `{what}` out of `{name}`: change it there")]
    Excepted {
        /// The word.
        what: String,
        /// What it is taken out of.
        name: String,
        /// The word behind `except`.
        by: String,
        /// Where that stands.
        place: String,
    },
    /// It is not there by itself.
    #[error("`{what}` is in `{name}` by way of {by} at {place}: {help}")]
    ByWayOf {
        /// The word.
        what: String,
        /// What it is in.
        name: String,
        /// By way of what.
        by: String,
        /// Where that stands.
        place: String,
        /// What to do.
        help: &'static str,
    },
    /// It is not there at all.
    #[error("`{what}` is not in `{name}`, which is declared at {place}")]
    Absent {
        /// The word.
        what: String,
        /// Where it is not.
        name: String,
        /// Where that is declared.
        place: String,
    },
    /// Nothing would be left.
    #[error("`{what}` at {place} is the last one: {help}")]
    Last {
        /// The word.
        what: String,
        /// Where it stands.
        place: String,
        /// Why it has to stay.
        help: &'static str,
    },
    /// A statement without a list that could take it.
    #[error("`{name}` at {place} has no `{clause}` to add to: write `{clause} {what}` into it")]
    NoList {
        /// The word.
        what: String,
        /// The statement.
        name: String,
        /// Where it is declared.
        place: String,
        /// The clause that it lacks.
        clause: &'static str,
    },
}

/// Adds members, or removes them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Direction {
    /// They are added.
    Add,
    /// They are removed.
    Remove,
}

/// What is changed, and where that stands.
struct Target<'a> {
    sources: &'a Sources,
    files: &'a [File],
    name: &'a Word,
}

/// The edits that add `what` to the statement called `name`, or remove it, in a policy that is free of errors.
///
/// # Errors
/// [`MemberError`] if that is no such statement, or the change would change nothing or leave nothing.
pub fn change_members(
    files: &[File],
    sources: &Sources,
    (direction, what, name): (Direction, &str, &str),
    space: Option<Space>,
) -> Result<Change, MemberError> {
    let all = references(files);
    let declared = declaration(&all, sources, name, space)?;
    let kind = declared.declares.unwrap_or_default();
    let is_meant = |word: &Word| word.span == declared.span;
    for statement in files.iter().flat_map(|file| &file.statements) {
        let target = |name| Target { sources, files, name };
        let edits = match statement {
            Statement::Group(group) if is_meant(&group.name) => {
                target(&group.name).group(direction, what, group)?
            }
            Statement::Class(class) if is_meant(&class.name) => {
                target(&class.name).hosts(direction, what, &hosts_of(&class.members), "hosts")?
            }
            Statement::Peer(peer) if is_meant(&peer.name) => {
                target(&peer.name).hosts(direction, what, &hosts_of(&peer.members), "hosts")?
            }
            Statement::Zone(zone) if is_meant(&zone.name) => {
                let nets: Vec<&Names> = zone.nets.iter().collect();
                target(&zone.name).hosts(direction, what, &nets, "net")?
            }
            Statement::Service(service) if is_meant(&service.name) => {
                target(&service.name).service(direction, what, service)?
            }
            Statement::Group(_)
            | Statement::Class(_)
            | Statement::Peer(_)
            | Statement::Zone(_)
            | Statement::Service(_)
            | Statement::Policy(_)
            | Statement::Include(_)
            | Statement::Rule(_)
            | Statement::Assertion(_)
            | Statement::Manage(_)
            | Statement::Schedule(_)
            | Statement::Guard(_)
            | Statement::Posture(_)
            | Statement::Device(_)
            | Statement::Require(_)
            | Statement::Inventory(_) => continue,
        };
        return Ok(Change { kind, edits });
    }
    Err(MemberError::NoMembers { kind, name: name.to_owned() })
}

fn hosts_of(members: &[Members]) -> Vec<&Names> {
    let hosts = members.iter().filter_map(|members| match members {
        Members::Hosts(names) => Some(names),
        Members::All(_) | Members::Unclassified(_) | Members::Inventory { .. } => None,
    });
    hosts.collect()
}

fn spans(words: &[Word]) -> Vec<Span> {
    words.iter().map(|word| word.span).collect()
}

/// The addresses that a word stands for.
fn range_of(word: &str) -> Option<AddressRange> {
    if let Ok(address) = word.parse::<IpAddr>() {
        return Some(AddressRange::from(address));
    }
    if let Ok(net) = word.parse::<IpNet>() {
        return (net.addr() == net.network()).then(|| AddressRange::from(net));
    }
    let (first, last) = word.split_once('-')?;
    AddressRange::new(first.parse().ok()?, last.parse().ok()?)
}

fn set_of(word: &str) -> AddressSet {
    range_of(word).into_iter().collect()
}

impl Target<'_> {
    fn place(&self, span: Span) -> String {
        self.sources.locate(span).to_string()
    }

    fn there(&self, what: &str, by: &Word) -> MemberError {
        let (name, place) = (self.name.node.clone(), self.place(by.span));
        MemberError::There { what: what.to_owned(), name, by: format!("`{}`", by.node), place }
    }

    fn excepted(&self, what: &str, by: &Word) -> MemberError {
        let (name, place) = (self.name.node.clone(), self.place(by.span));
        MemberError::Excepted { what: what.to_owned(), name, by: by.node.clone(), place }
    }

    fn absent(&self, what: &str) -> MemberError {
        let (name, place) = (self.name.node.clone(), self.place(self.name.span));
        MemberError::Absent { what: what.to_owned(), name, place }
    }

    fn last(&self, what: &str, word: Span, help: &'static str) -> MemberError {
        MemberError::Last { what: what.to_owned(), place: self.place(word), help }
    }

    fn by_way_of(&self, what: &str, by: &Word, help: &'static str) -> MemberError {
        let (name, place) = (self.name.node.clone(), self.place(by.span));
        MemberError::ByWayOf { what: what.to_owned(), name, by: format!("`{}`", by.node), place, help }
    }

    fn group(&self, direction: Direction, what: &str, group: &Group) -> Result<Vec<Edit>, MemberError> {
        let lists: Vec<&Names> = group.members.iter().collect();
        if let Some(by) = lists.iter().flat_map(|names| &names.except).find(|word| word.node == what) {
            return Err(self.excepted(what, by));
        }
        let listed = lists.iter().flat_map(|names| &names.list).find(|word| word.node == what);
        match (direction, listed) {
            (Direction::Add, Some(word)) => Err(self.there(what, word)),
            (Direction::Add, None) => {
                if let Some(by) = self.inner_group(group, what) {
                    return Err(self.there(what, by));
                }
                self.append(what, &lists, "members")
            }
            (Direction::Remove, Some(word)) => self.take_out(what, word.span, &lists),
            (Direction::Remove, None) => Err(match self.inner_group(group, what) {
                Some(by) => self.by_way_of(what, by, "remove it there, or write `except` behind the list"),
                None => self.absent(what),
            }),
        }
    }

    /// The word in a group that names another group which holds `what`, however deep.
    fn inner_group(&self, group: &Group, what: &str) -> Option<&Word> {
        let find = |name: &str| {
            let statements = self.files.iter().flat_map(|file| &file.statements);
            let groups = statements.filter_map(|statement| {
                let Statement::Group(group) = statement else { return None };
                Some(group)
            });
            groups.into_iter().find(|group| group.name.node == name)
        };
        let own = find(&group.name.node)?;
        own.members.iter().flat_map(|names| &names.list).find(|word| {
            let mut waiting: Vec<&str> = vec![&word.node];
            let mut seen: Vec<&str> = Vec::new();
            while let Some(name) = waiting.pop() {
                if seen.contains(&name) {
                    continue;
                }
                seen.push(name);
                let Some(inner) = find(name) else { continue };
                for names in &inner.members {
                    if names.except.iter().any(|word| word.node == what) {
                        continue;
                    }
                    if names.list.iter().any(|word| word.node == what) {
                        return true;
                    }
                    waiting.extend(names.list.iter().map(|word| word.node.as_str()));
                }
            }
            false
        })
    }

    fn hosts(
        &self,
        direction: Direction,
        what: &str,
        lists: &[&Names],
        clause: &'static str,
    ) -> Result<Vec<Edit>, MemberError> {
        let range = set_of(what);
        let expected = match clause {
            "net" => "a prefix, such as `10.1.2.0/24`",
            _ => "an address, a range or a prefix without host bits",
        };
        if range.is_empty() || (clause == "net" && !what.contains('/')) {
            return Err(MemberError::Form { what: what.to_owned(), expected });
        }
        let excepted = lists.iter().flat_map(|names| &names.except);
        if let Some(by) = excepted.into_iter().find(|word| !set_of(&word.node).is_disjoint(&range)) {
            return Err(self.excepted(what, by));
        }
        let mut listed = lists.iter().flat_map(|names| &names.list);
        let same = listed.clone().find(|word| set_of(&word.node) == range);
        let holding = listed.find(|word| range.is_subset(&set_of(&word.node)));
        match (direction, same.or(holding)) {
            (Direction::Add, Some(by)) => Err(self.there(what, by)),
            (Direction::Add, None) => self.append(what, lists, clause),
            (Direction::Remove, None) => Err(self.absent(what)),
            (Direction::Remove, Some(by)) if same.is_none() => {
                Err(self.by_way_of(what, by, "write `except` behind that list"))
            }
            (Direction::Remove, Some(word)) => self.take_out(what, word.span, lists),
        }
    }

    /// Adds to the last list, rather one without exceptions.
    fn append(&self, what: &str, lists: &[&Names], clause: &'static str) -> Result<Vec<Edit>, MemberError> {
        let whole = lists.iter().rev().find(|names| names.except.is_empty() && !names.list.is_empty());
        match whole.or(lists.last()) {
            Some(names) => Ok(List::new(self.sources, spans(&names.list)).add(what)),
            None => {
                let (name, place) = (self.name.node.clone(), self.place(self.name.span));
                Err(MemberError::NoList { what: what.to_owned(), name, place, clause })
            }
        }
    }

    /// Takes a word out of the list that holds it; the whole clause, where it is alone in it.
    fn take_out(&self, what: &str, word: Span, lists: &[&Names]) -> Result<Vec<Edit>, MemberError> {
        let holding = |names: &&&Names| names.list.iter().any(|listed| listed.span == word);
        let Some(names) = lists.iter().find(holding) else { return Ok(Vec::new()) };
        if names.list.len() > 1 {
            let place = names.list.iter().position(|listed| listed.span == word).unwrap_or_default();
            return Ok(List::new(self.sources, spans(&names.list)).remove(place));
        }
        let help = if lists.len() == 1 {
            "a statement without any is an error, so remove the statement, or add another one first"
        } else {
            "its clause would be empty, so remove the clause by hand"
        };
        Err(self.last(what, word, help))
    }

    fn service(&self, direction: Direction, what: &str, service: &Service) -> Result<Vec<Edit>, MemberError> {
        let expected = "protocols and ports, such as `tcp 443`, `tcp/udp 53` or `icmp echo-request`";
        let form = || MemberError::Form { what: what.to_owned(), expected };
        let asked = protocol_of(what).ok_or_else(form)?;
        let same = service.protocols.iter().find(|one| is_alike(one, &asked));
        let port = match asked.ports.as_slice() {
            [] => None,
            [port] => Some(port),
            _ => return Err(MemberError::Form { what: what.to_owned(), expected: "one port or range" }),
        };
        match (direction, same, port) {
            (Direction::Add, Some(spec), Some(port)) => {
                match spec.ports.iter().find(|own| holds(own, port)) {
                    Some(by) => Err(self.there(what, by)),
                    None => Ok(List::new(self.sources, spans(&spec.ports)).add(&port.node)),
                }
            }
            (Direction::Add, Some(spec), None) => Err(self.there(what, &self.word_of(spec))),
            (Direction::Add, None, _) => {
                let last = service.protocols.last().map(|spec| self.word_of(spec));
                let Some(last) = last else { return Err(form()) };
                Ok(vec![insert(last.span.end_offset(), format!("   {what}"))])
            }
            (Direction::Remove, None, _) => Err(self.absent(what)),
            (Direction::Remove, Some(spec), Some(port)) if spec.ports.len() > 1 => {
                match spec.ports.iter().position(|own| own.node == port.node) {
                    Some(place) => Ok(List::new(self.sources, spans(&spec.ports)).remove(place)),
                    None => Err(self.not_alone(what, spec, port)),
                }
            }
            (Direction::Remove, Some(spec), _) => {
                let own = spec.ports.first();
                if let (Some(own), Some(port)) = (own, port)
                    && own.node != port.node
                {
                    return Err(self.not_alone(what, spec, port));
                }
                let word = self.word_of(spec);
                if service.protocols.len() == 1 {
                    return Err(self.last(what, word.span, "a service without any is an error"));
                }
                Ok(vec![cut(word.span.start(), word.span.end_offset())])
            }
        }
    }

    /// Why a port cannot be taken out of ports among which it does not stand by itself.
    fn not_alone(&self, what: &str, spec: &ProtocolPorts, port: &Word) -> MemberError {
        match spec.ports.iter().find(|own| holds(own, port)) {
            Some(range) => self.by_way_of(what, range, "write the rest of that range in its place first"),
            None => self.absent(what),
        }
    }

    /// Protocols with their ports, as they stand in the text.
    fn word_of(&self, spec: &ProtocolPorts) -> Word {
        let words =
            spec.protocols.iter().chain(&spec.ports).chain(&spec.message_type).chain(&spec.source_ports);
        let end = words.map(|word| word.span.end_offset()).max().unwrap_or(spec.span.end_offset());
        let span = Span::from_offsets(spec.span.start(), end.saturating_sub(spec.span.start()));
        Word { node: self.sources.text(span).to_owned(), span }
    }
}

/// True if two say the same but for the ports.
fn is_alike(one: &ProtocolPorts, other: &ProtocolPorts) -> bool {
    let names = |spec: &ProtocolPorts| {
        let mut names: Vec<String> = spec.protocols.iter().map(|word| word.node.clone()).collect();
        names.sort();
        names
    };
    let message = |spec: &ProtocolPorts| spec.message_type.as_ref().map(|word| word.node.clone());
    let ports = |spec: &ProtocolPorts| -> Vec<String> {
        spec.source_ports.iter().map(|word| word.node.clone()).collect()
    };
    names(one) == names(other)
        && message(one) == message(other)
        && ports(one) == ports(other)
        && one.ports.is_empty() == other.ports.is_empty()
}

/// True if a port or range holds another.
fn holds(own: &Word, other: &Word) -> bool {
    let range = |word: &Word| -> Option<(u16, u16)> {
        if word.node == super::reference::ANY {
            return Some((0, u16::MAX));
        }
        let (first, last) = word.node.split_once('-').unwrap_or((&word.node, &word.node));
        Some((first.parse().ok()?, last.parse().ok()?))
    };
    match (range(own), range(other)) {
        (Some((first, last)), Some((from, to))) => first <= from && to <= last,
        _ => own.node == other.node,
    }
}

/// Protocols and ports as somebody wrote them, read as a policy would be.
fn protocol_of(text: &str) -> Option<ProtocolPorts> {
    if text.contains(['{', '}', '#', '"', '\n']) {
        return None;
    }
    let (mut sources, mut diagnostics) = (Sources::default(), Diagnostics::default());
    let file = sources.add(String::new(), format!("service asked {{ {text} }}")).ok()?.clone();
    let tree = parse(&file, &mut diagnostics);
    let [Statement::Service(service)] = tree.statements.as_slice() else { return None };
    let [only] = service.protocols.as_slice() else { return None };
    let has_more = service.encrypted.is_some() || !service.attributes.is_empty();
    (diagnostics.is_empty() && !has_more).then(|| only.clone())
}
