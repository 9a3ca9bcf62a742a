//! Where lists are bound: interfaces, and the lines by which people log in.

use std::collections::{BTreeMap, BTreeSet};

use super::super::model::{Family, StormControl};
use super::words::{Fault, Words};

/// The largest number of a line for logins that is looked at; devices have a few hundred at most.
const MAX_LINE: u16 = 4095;

/// Whether packets meet a list when they come or when they go.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Direction {
    In,
    Out,
}

impl Direction {
    /// The word for it.
    pub(super) fn word(self) -> &'static str {
        match self {
            Direction::In => "in",
            Direction::Out => "out",
        }
    }
}

/// A list that is bound, by name.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Binding<'t> {
    pub(super) list: &'t str,
    /// The line that says so.
    pub(super) line: usize,
    /// True with `vrf-also`.
    pub(super) vrf_also: bool,
}

/// An interface.
#[derive(Clone, Debug, Default)]
pub(super) struct Interface<'t> {
    pub(super) bound: BTreeMap<(Family, Direction), Binding<'t>>,
    /// True if it belongs to a VRF.
    pub(super) has_vrf: bool,
    /// True if it is a port of a switch, as far as the config says.
    pub(super) is_port: bool,
    /// What it does in storms.
    pub(super) storm: StormControl,
}

/// Interfaces and lines.
#[derive(Clone, Debug, Default)]
pub(super) struct Bindings<'t> {
    pub(super) interfaces: BTreeMap<String, Interface<'t>>,
    /// For each line for logins, what is bound to it.
    pub(super) terminals: BTreeMap<u16, BTreeMap<Family, Binding<'t>>>,
}

/// The lines for logins that a section is about.
pub(super) type Range = (u16, u16);

/// Reads the name of an interface behind `interface`.
pub(super) fn interface_name(words: &[&str]) -> Result<String, Fault> {
    let name = match words {
        [name @ .., "point-to-point" | "multipoint"] => name,
        _ => words,
    };
    match name {
        [name] => Ok((*name).to_owned()),
        [kind, number] if number.starts_with(|c: char| c.is_ascii_digit()) && *kind != "range" => {
            Ok(format!("{kind}{number}"))
        }
        _ => Err("`interface` is followed by the name of one interface".to_owned()),
    }
}

/// Reads the numbers behind `line vty`.
pub(super) fn terminals(words: &[&str]) -> Result<Range, Fault> {
    let number = |word: &str| word.parse::<u16>().ok().filter(|number| *number <= MAX_LINE);
    let range = match words {
        [first] => number(first).zip(number(first)),
        [first, last] => number(first).zip(number(last)),
        _ => None,
    };
    range.filter(|(first, last)| first <= last).ok_or_else(|| "lines are written `line vty 0 15`".to_owned())
}

impl<'t> Bindings<'t> {
    /// Opens the section of some lines for logins.
    pub(super) fn open_terminals(&mut self, range: Range) {
        for number in range.0..=range.1 {
            self.terminals.entry(number).or_default();
        }
    }

    /// Opens the section of an interface.
    pub(super) fn open_interface(&mut self, name: &str) {
        self.interfaces.entry(name.to_owned()).or_default();
    }

    /// What an interface does in storms.
    pub(super) fn storm(&mut self, interface: &str) -> &mut StormControl {
        &mut self.interfaces.entry(interface.to_owned()).or_default().storm
    }

    /// Binds a list to lines for logins, or takes it from them: what stands behind `access-class`.
    pub(super) fn bind_terminals(
        &mut self,
        range: Range,
        line: usize,
        family: Family,
        words: &mut Words<'_, 't>,
        off: bool,
    ) -> Result<(), Fault> {
        let list = words.required("a list")?;
        match words.next() {
            Some("in") => {}
            Some("out") => {
                return Err("`access-class` for logins that go on from here is not in the model".to_owned());
            }
            None if off && list == "in" => {}
            _ => return Err("`access-class` ends with `in`".to_owned()),
        }
        let vrf_also = words.take("vrf-also");
        words.finish()?;
        for number in range.0..=range.1 {
            let bound = self.terminals.entry(number).or_default();
            if off {
                bound.remove(&family);
            } else {
                bound.insert(family, Binding { list, line, vrf_also });
            }
        }
        Ok(())
    }

    /// Binds a list to an interface: what stands behind `ip access-group` and `ipv6 traffic-filter`.
    pub(super) fn bind_interface(
        &mut self,
        interface: &str,
        line: usize,
        family: Family,
        words: &mut Words<'_, 't>,
    ) -> Result<(), Fault> {
        let list = words.required("a list")?;
        let direction = direction(words.required("`in` or `out`")?)?;
        words.finish()?;
        if let Some(interface) = self.interfaces.get_mut(interface) {
            interface.bound.insert((family, direction), Binding { list, line, vrf_also: false });
        }
        Ok(())
    }

    /// Takes a list from an interface, by name and direction or by direction alone.
    pub(super) fn release_interface(
        &mut self,
        interface: &str,
        family: Family,
        words: &mut Words<'_, 't>,
    ) -> Result<(), Fault> {
        let first = words.required("`in` or `out`")?;
        let (list, direction) = match words.next() {
            Some(second) => (Some(first), direction(second)?),
            None => (None, direction(first)?),
        };
        words.finish()?;
        let Some(interface) = self.interfaces.get_mut(interface) else { return Ok(()) };
        let bound = interface.bound.get(&(family, direction));
        if let Some((bound, list)) = bound.zip(list).filter(|(bound, list)| bound.list != *list) {
            return Err(format!("`{list}` is not bound here, `{}` is", bound.list));
        }
        interface.bound.remove(&(family, direction));
        Ok(())
    }

    /// The names of interfaces that belong to a VRF.
    pub(super) fn with_vrf(&self) -> Vec<String> {
        let with = self.interfaces.iter().filter(|(_, interface)| interface.has_vrf);
        with.map(|(name, _)| name.clone()).collect()
    }

    /// What is bound to lines for logins in a family: each list, the lines that it is bound to, and whether these are all.
    pub(super) fn of_terminals(&self, family: Family) -> Vec<(Binding<'t>, Vec<u16>, bool)> {
        let mut found: BTreeMap<(&str, bool), (Binding<'t>, Vec<u16>)> = BTreeMap::new();
        for (number, bound) in &self.terminals {
            if let Some(binding) = bound.get(&family) {
                let key = (binding.list, binding.vrf_also);
                found.entry(key).or_insert((*binding, Vec::new())).1.push(*number);
            }
        }
        let all = self.terminals.len();
        let is_all = |lines: &[u16]| lines.len() == all;
        let found = found.into_values().map(|(binding, lines)| (binding, is_all(&lines), lines));
        let mut found: Vec<_> = found.map(|(binding, is_all, lines)| (binding, lines, is_all)).collect();
        found.sort_by_key(|(binding, ..)| binding.line);
        found
    }

    /// Lists that are bound to a port of a switch, with their lines.
    pub(super) fn on_ports(&self) -> BTreeSet<usize> {
        let ports = self.interfaces.values().filter(|interface| interface.is_port);
        ports.flat_map(|port| port.bound.values()).map(|binding| binding.line).collect()
    }
}

fn direction(word: &str) -> Result<Direction, Fault> {
    match word {
        "in" => Ok(Direction::In),
        "out" => Ok(Direction::Out),
        _ => Err(format!("`{word}` stands where `in` or `out` should")),
    }
}
