//! The sets that rules look into.
//!
//! In: what `ipset restore` reads or `ipset save` writes. Out: the sets by name, and what packets a lookup in one holds
//! for. A set that could not be understood is known as such, so that rules that look into it are not reported too.

mod element;
mod kind;
mod line;
mod lookup;
mod nomatch;

use std::collections::BTreeMap;

use super::super::model::Family;
use super::address::{Range, prefix, width};
use super::names::{family_name, number};
use super::report::Report;
use element::{Element, Shape};
use kind::kind;
pub(super) use lookup::{Found, Lookups};

/// The longest name of a set (`IPSET_MAXNAMELEN` less one).
const MAX_NAME_BYTES: usize = 31;

/// How many elements a set of the kind `hash` holds unless it says so (ipset(8), maxelem).
const DEFAULT_MAXELEM: u128 = 65_536;

/// A set.
#[derive(Clone, Debug)]
struct Set {
    shape: Shape,
    elements: Vec<(Element, usize)>,
    /// Names of the sets in a list.
    members: Vec<String>,
    /// True if there was a mistake in it.
    is_broken: bool,
    /// True if an element is gone after some time.
    expires: bool,
    options: Options,
    /// How many elements the kernel makes of those above.
    count: u128,
}

/// What a set was created with.
#[derive(Clone, Debug)]
struct Options {
    maxelem: u128,
    /// The addresses or ports that elements lie in, of a set that has such a range.
    range: Range,
    /// The seconds that an element stays, 0 for ever; nothing if elements of the set cannot go.
    timeout: Option<u32>,
    counters: bool,
    comment: bool,
    skbinfo: bool,
}

/// All sets.
#[derive(Clone, Debug, Default)]
pub(super) struct Sets {
    by_name: BTreeMap<String, Set>,
}

/// Reads the sets.
pub(super) fn read(text: &str, report: &mut Report) -> Sets {
    let mut sets = Sets::default();
    for (line, text) in (1..).zip(text.split('\n')) {
        match line::parse(text) {
            Ok(words) if words.is_empty() => {}
            Ok(words) => match sets.command(&words, line) {
                Ok(true) => report.understood(line),
                Ok(false) => report.ignored(line),
                Err(what) => report.mistake(line, what),
            },
            Err(what) => report.mistake(line, what),
        }
    }
    sets.finish(report);
    sets
}

/// What sets say of their elements in comments, each with its line. Lines that cannot be read are passed over.
pub fn element_comments(text: &str) -> Vec<(usize, String)> {
    let comment = |text| {
        let words = line::parse(text).ok()?;
        let ["add", _, _, options @ ..] = &words[..] else { return None };
        let place = options.iter().position(|word| *word == "comment")?;
        options.get(place + 1).map(|comment| (*comment).to_owned())
    };
    let lines = (1..).zip(text.split('\n'));
    lines.filter_map(|(line, text)| Some((line, comment(text)?))).collect()
}

impl Sets {
    /// Takes a command; false for one that changes nothing.
    fn command(&mut self, words: &[&str], line: usize) -> Result<bool, String> {
        let is_plain = |word: &&str| !matches!(*word, "-!" | "-exist" | "--exist");
        // That what is there already is no error: it is one here, since the tool does not obey it for each line alone.
        let words: Vec<&str> = words.iter().copied().filter(is_plain).collect();
        match words.as_slice() {
            ["create" | "n" | "-N" | "--create", name, kind, options @ ..] => {
                self.create(name, kind, options)?
            }
            ["add" | "a" | "-A" | "--add", name, element, options @ ..] => {
                self.add(name, element, options, line)?
            }
            ["flush" | "f" | "-F" | "--flush", names @ ..] => self.flush(names)?,
            ["destroy" | "x" | "-X" | "--destroy", names @ ..] => self.destroy(names)?,
            ["COMMIT"] => return Ok(false),
            [command, ..] => {
                return Err(format!(
                    "`{command}` is not understood; a set is written `create NAME TYPE ...`, an element \
                     `add NAME ELEMENT ...`"
                ));
            }
            [] => return Err("no command".to_owned()),
        }
        Ok(true)
    }

    fn create(&mut self, name: &str, type_name: &str, options: &[&str]) -> Result<(), String> {
        if self.by_name.contains_key(name) {
            return Err(format!("the set `{name}` is created twice"));
        }
        if name.len() > MAX_NAME_BYTES {
            return Err(format!("the name `{name}` is longer than {MAX_NAME_BYTES} bytes"));
        }
        let created = kind(type_name).and_then(|kind| created(kind, options));
        let failure = created.as_ref().err().cloned();
        self.by_name.insert(name.to_owned(), created.unwrap_or_else(|_| Set::broken()));
        failure.map_or(Ok(()), Err)
    }

    fn add(&mut self, name: &str, text: &str, options: &[&str], line: usize) -> Result<(), String> {
        let known = |sets: &Sets, name: &str| sets.by_name.get(name).map(|set| set.shape.kind.is_list());
        let member = known(self, text);
        let set = self.by_name.get_mut(name).ok_or_else(|| format!("there is no set `{name}` above"))?;
        if set.is_unknown() {
            return Ok(());
        }
        let added = if set.shape.kind.is_list() {
            set.add_member(text, member, options)
        } else {
            set.add_element(text, options, line)
        };
        set.is_broken |= added.is_err();
        added
    }

    fn flush(&mut self, names: &[&str]) -> Result<(), String> {
        for set in self.named(names)? {
            set.elements.clear();
            set.members.clear();
            (set.count, set.expires) = (0, false);
        }
        Ok(())
    }

    fn named(&mut self, names: &[&str]) -> Result<Vec<&mut Set>, String> {
        match names {
            [] => Ok(self.by_name.values_mut().collect()),
            [name] => {
                let set =
                    self.by_name.get_mut(*name).ok_or_else(|| format!("there is no set `{name}` above"))?;
                Ok(vec![set])
            }
            [_, word, ..] => Err(format!("`{word}` fits nowhere")),
        }
    }

    fn destroy(&mut self, names: &[&str]) -> Result<(), String> {
        self.named(names)?;
        let is_member =
            |name: &str| self.by_name.values().any(|set| set.members.iter().any(|member| member == name));
        match names {
            [name, ..] if is_member(name) => return Err(format!("the set `{name}` is part of another")),
            [name, ..] => drop(self.by_name.remove(*name)),
            [] => self.by_name.clear(),
        }
        Ok(())
    }

    /// Finds elements that stand twice, and works out exceptions.
    fn finish(&mut self, report: &mut Report) {
        for set in self.by_name.values_mut() {
            set.elements.sort_by_key(|(element, line)| (Element { nomatch: false, ..*element }, *line));
            for pair in set.elements.windows(2) {
                if let [(one, _), (other, line)] = pair
                    && (Element { nomatch: other.nomatch, ..*one }) == *other
                {
                    report.mistake(*line, "the element is in the set already");
                    set.is_broken = true;
                }
            }
            // In the order of the file again, in which neighbours are close to each other.
            set.elements.sort_by_key(|(_, line)| *line);
            let exception = set.elements.iter().find(|(element, _)| element.nomatch).map(|(_, line)| *line);
            if let (Some(line), false) = (exception, set.is_broken) {
                let elements: Vec<Element> = set.elements.iter().map(|(element, _)| *element).collect();
                match nomatch::resolve(&elements, set.shape) {
                    Ok(found) => set.elements = found.into_iter().map(|element| (element, line)).collect(),
                    Err(what) => {
                        report.mistake(line, what);
                        set.is_broken = true;
                    }
                }
            }
        }
    }
}

impl Set {
    fn new(shape: Shape, options: Options) -> Self {
        let (elements, members) = (Vec::new(), Vec::new());
        Set { shape, elements, members, is_broken: false, expires: false, options, count: 0 }
    }

    /// A set whose creation was not understood: its elements are not looked at.
    fn broken() -> Self {
        let shape = Shape { kind: kind::unknown(), family: Family::V4, netmask: 0 };
        Set { is_broken: true, ..Set::new(shape, Options::default()) }
    }

    fn is_unknown(&self) -> bool {
        std::ptr::eq(self.shape.kind, kind::unknown())
    }

    fn add_element(&mut self, text: &str, options: &[&str], line: usize) -> Result<(), String> {
        let mut element = element::parse(text, self.shape)?;
        element.nomatch = self.added(options)?;
        if self.shape.kind.ranged {
            let ports = element.ports.map(|ports| (u128::from(ports.range.0), u128::from(ports.range.1)));
            let [addresses, _] = element.addresses;
            let (first, last) = ports.unwrap_or(addresses);
            if first < self.options.range.0 || last > self.options.range.1 {
                return Err(format!("`{text}` is outside the range of the set"));
            }
        }
        self.count = self.count.saturating_add(element.count(self.shape));
        if self.count > self.options.maxelem {
            return Err(format!(
                "with `{text}` the set has {} elements, more than its `maxelem` of {}",
                self.count, self.options.maxelem
            ));
        }
        self.elements.push((element, line));
        Ok(())
    }

    /// Adds a set to a list. `is_list` tells what kind of set it is, if there is one of its name.
    fn add_member(&mut self, name: &str, is_list: Option<bool>, options: &[&str]) -> Result<(), String> {
        match is_list {
            None => return Err(format!("there is no set `{name}` above")),
            Some(true) => return Err(format!("`{name}` is a list of sets, and cannot be in one")),
            Some(false) => {}
        }
        // Where in the list it stands makes no difference to a lookup.
        let options = match options {
            ["before" | "after", _, rest @ ..] => rest,
            options => options,
        };
        self.added(options)?;
        if self.members.iter().any(|member| member == name) {
            return Err(format!("`{name}` is in the list already"));
        }
        self.members.push(name.to_owned());
        Ok(())
    }

    /// Takes the options of an element; true if it is an exception.
    fn added(&mut self, mut options: &[&str]) -> Result<bool, String> {
        let (mut nomatch, mut timeout) = (false, self.options.timeout.unwrap_or(0));
        loop {
            options = match options {
                [] => break,
                ["nomatch", rest @ ..] if self.shape.kind.has_nomatch() => {
                    nomatch = true;
                    rest
                }
                ["timeout", text, rest @ ..] if self.options.timeout.is_some() => {
                    timeout = seconds(text)?;
                    rest
                }
                ["packets" | "bytes", text, rest @ ..] if self.options.counters => {
                    number::<u64>(text).ok_or_else(|| format!("`{text}` is not a number"))?;
                    rest
                }
                ["comment", _, rest @ ..] if self.options.comment => rest,
                ["skbmark" | "skbprio" | "skbqueue", _, rest @ ..] if self.options.skbinfo => rest,
                [option, ..] => {
                    return Err(format!(
                        "`{option}` is not understood here, or the set was created without it"
                    ));
                }
            };
        }
        self.expires |= timeout != 0;
        Ok(nomatch)
    }
}

impl Default for Options {
    fn default() -> Self {
        Options {
            maxelem: DEFAULT_MAXELEM,
            range: (0, u128::MAX),
            timeout: None,
            counters: false,
            comment: false,
            skbinfo: false,
        }
    }
}

fn seconds(text: &str) -> Result<u32, String> {
    number(text).ok_or_else(|| format!("`{text}` is not a number of seconds"))
}

fn created(kind: &'static kind::Kind, mut words: &[&str]) -> Result<Set, String> {
    let (mut family, mut netmask, mut range, mut options) = (Family::V4, None, None, Options::default());
    loop {
        words = match words {
            [] => break,
            ["family", name, rest @ ..] if !kind.ranged && !kind.is_list() => {
                family = match *name {
                    "inet" => Family::V4,
                    "inet6" => Family::V6,
                    name => return Err(format!("`{name}` is no family; they are `inet` and `inet6`")),
                };
                rest
            }
            ["maxelem", text, rest @ ..] => {
                let maxelem =
                    number::<u32>(text).ok_or_else(|| format!("`{text}` is not a number of elements"))?;
                options.maxelem = u128::from(maxelem);
                rest
            }
            ["netmask", text, rest @ ..] if matches!(kind.name, "hash:ip" | "bitmap:ip") => {
                netmask = Some(*text);
                rest
            }
            ["range", text, rest @ ..] if kind.ranged => {
                range = Some(*text);
                rest
            }
            ["timeout", text, rest @ ..] => {
                options.timeout = Some(seconds(text)?);
                rest
            }
            ["counters", rest @ ..] => {
                options.counters = true;
                rest
            }
            ["comment", rest @ ..] => {
                options.comment = true;
                rest
            }
            ["skbinfo", rest @ ..] => {
                options.skbinfo = true;
                rest
            }
            // How the set is kept in memory.
            ["hashsize" | "bucketsize" | "initval" | "size", _, rest @ ..] => rest,
            ["forceadd", rest @ ..] => rest,
            [option, ..] => {
                return Err(format!("`{option}` is not understood for sets of the type `{}`", kind.name));
            }
        };
    }
    let longest = width(family);
    let netmask = match netmask {
        Some(text) => number(text)
            .filter(|length| (1..=longest).contains(length))
            .ok_or_else(|| format!("`{text}` is not the length of a prefix, from 1 to {longest}"))?,
        None => longest,
    };
    let shape = Shape { kind, family, netmask };
    if kind.ranged {
        let text = range.ok_or_else(|| format!("a set of the type `{}` needs a `range`", kind.name))?;
        options.range = bounds(text, shape)?;
        options.maxelem = u128::MAX;
    }
    Ok(Set::new(shape, options))
}

/// The range of a bitmap: like an element, but that a prefix may hold the address 0.
fn bounds(text: &str, shape: Shape) -> Result<Range, String> {
    let element = element::parse(text, shape)?;
    let [addresses, _] = element.addresses;
    Ok(match element.ports {
        Some(ports) => (u128::from(ports.range.0), u128::from(ports.range.1)),
        None => {
            let (first, last) = addresses;
            (prefix(first, shape.netmask, shape.family).0, prefix(last, shape.netmask, shape.family).1)
        }
    })
}

/// The mistake of a lookup in a set of the other family.
fn of_other_family(name: &str, family: Family) -> String {
    format!("the set `{name}` is for {}, and iptables refuses it here", family_name(family))
}
