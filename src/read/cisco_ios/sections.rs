//! The sections of a config: which command opens one, and what a line in it means.

use super::super::model::{Family, Lines, Mistake, Model};
use super::binding::{self, Bindings, Range};
use super::group::{self, Groups, Service};
use super::ignorable::{self, Verdict};
use super::line::Line;
use super::lists::{Kind, Lists};
use super::lower;
use super::storm;
use super::time::TimeRange;
use super::words::{Fault, Words};
use std::collections::BTreeMap;

/// What became of a line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Status {
    /// It is blank or a comment.
    Nothing,
    /// It is part of the model.
    Understood,
    /// It cannot affect filtering.
    Ignored,
    /// It was not understood.
    Mistaken,
}

/// The section that lines belong to.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Section<'t> {
    None,
    List(&'t str),
    Networks(&'t str),
    Services(&'t str),
    Time(&'t str),
    Interface(String),
    Terminals(Range),
    /// Lines by which no packet comes: `con`, `aux`.
    Console,
    PolicyMap,
    ControlPlane,
    /// Behind `end`.
    End,
}

/// All that a config says.
#[derive(Debug, Default)]
pub(super) struct Config<'t> {
    pub(super) lists: Lists<'t>,
    pub(super) networks: Groups<'t, (u128, u128)>,
    pub(super) services: Groups<'t, Service>,
    pub(super) times: BTreeMap<&'t str, TimeRange>,
    pub(super) bindings: Bindings<'t>,
}

/// Reads a config line by line.
#[derive(Debug)]
pub(super) struct Reader<'t> {
    config: Config<'t>,
    section: Section<'t>,
    /// A command whose deeper indented lines share its fate.
    shadow: Option<(usize, Status)>,
    statuses: Vec<Status>,
    mistakes: Vec<Mistake>,
}

impl<'t> Reader<'t> {
    /// Starts before the first of some lines.
    pub(super) fn new(lines: usize) -> Self {
        Reader {
            config: Config::default(),
            section: Section::None,
            shadow: None,
            statuses: vec![Status::Nothing; lines],
            mistakes: Vec::new(),
        }
    }

    /// Says what became of some lines.
    pub(super) fn mark(&mut self, first: usize, last: usize, status: Status) {
        for line in self.statuses.iter_mut().take(last).skip(first - 1) {
            *line = status;
        }
    }

    /// Notes a mistake.
    pub(super) fn mistake(&mut self, line: usize, what: impl Into<String>) {
        self.mark(line, line, Status::Mistaken);
        self.mistakes.push(Mistake { line, what: what.into() });
    }

    /// Reads the end of the digits of a certificate, which stand in a section that is ignored.
    pub(super) fn certificate_end(&mut self, line: usize) {
        match self.shadow {
            Some((_, status)) => self.mark(line, line, status),
            None => self.mistake(line, "`quit` ends a certificate, and there is none"),
        }
    }

    /// Reads a command.
    pub(super) fn command(&mut self, line: &Line<'t>) {
        let status = match self.inherited(line) {
            Some(outcome) => outcome,
            None if line.indent == 0 || self.section == Section::None => self.top(line),
            None => self.inner(line),
        };
        match status {
            Ok(status) => self.mark(line.number, line.number, status),
            Err(what) => {
                self.mistake(line.number, what);
                if self.section == Section::None {
                    self.shadow.get_or_insert((line.indent, Status::Mistaken));
                }
            }
        }
    }

    /// What becomes of a line that is indented deeper than a command that was ignored or not understood.
    fn inherited(&mut self, line: &Line<'t>) -> Option<Result<Status, Fault>> {
        let (indent, status) = self.shadow?;
        if line.indent <= indent {
            self.shadow = None;
            return None;
        }
        if status == Status::Ignored && ignorable::is_telling(&line.words) {
            let what =
                "affects filtering, and stands inside of a section that is ignored; write it unindented";
            return Some(Err(format!("`{}` {what}", line.text)));
        }
        Some(Ok(status))
    }

    /// Reads a line that no section holds.
    fn top(&mut self, line: &Line<'t>) -> Result<Status, Fault> {
        let before = std::mem::replace(&mut self.section, Section::None);
        if before == Section::End {
            self.section = Section::End;
            let is_prompt = matches!(line.words.as_slice(), [word] if word.ends_with(['#', '>']));
            return match is_prompt {
                true => Ok(Status::Ignored),
                false => Err("nothing of a config stands behind `end`".to_owned()),
            };
        }
        if let Some(outcome) = self.head(line) {
            return outcome;
        }
        let words = line.words.as_slice();
        if self.belongs(&before, words) {
            self.section = before;
            return self.inner(line);
        }
        // The command that printed the config: `switch#show running-config`.
        let echo = line.text.split_once(['#', '>']).filter(|(prompt, _)| !prompt.contains(' '));
        if echo.is_some_and(|(_, command)| command.starts_with("sh") || command.starts_with("more ")) {
            return Ok(Status::Ignored);
        }
        let verdict = ignorable::look_up(words, &ignorable::TOP, &ignorable::TOP_REFUSED);
        self.judge(verdict, line)
    }

    /// What a verdict of the tables means for a line.
    fn judge(&mut self, verdict: Option<Verdict>, line: &Line<'t>) -> Result<Status, Fault> {
        match verdict {
            Some(Verdict::Ignored) => {
                self.shadow = Some((line.indent, Status::Ignored));
                Ok(Status::Ignored)
            }
            Some(Verdict::Refused(why)) => {
                self.shadow = Some((line.indent, Status::Mistaken));
                Err(format!("`{}` is not understood: {why}", line.text))
            }
            None => {
                self.shadow = Some((line.indent, Status::Mistaken));
                Err(format!("`{}` is not known, so it may affect filtering", line.text))
            }
        }
    }

    /// Reads a command that opens a section or is one line of the model; `None` for all others.
    fn head(&mut self, line: &Line<'t>) -> Option<Result<Status, Fault>> {
        let section = match line.words.as_slice() {
            ["access-list", "compiled" | "rate-limit", ..] => return None,
            ["access-list", name, words @ ..] => {
                let outcome = self.numbered(name, words, line);
                return Some(outcome.map(|()| Status::Understood));
            }
            ["ip", "access-list", "extended", name] => self.open_list(name, Kind::Extended, line.number),
            ["ip", "access-list", "standard", name] => self.open_list(name, Kind::Standard, line.number),
            ["ipv6", "access-list", name] if *name != "log-update" => {
                self.open_list(name, Kind::V6, line.number)
            }
            ["object-group", "network", name] => {
                self.config.networks.open(name, line.number);
                Ok(Section::Networks(name))
            }
            ["object-group", "service", name] => {
                self.config.services.open(name, line.number);
                Ok(Section::Services(name))
            }
            ["time-range", name] => {
                self.config.times.entry(name).or_default();
                Ok(Section::Time(name))
            }
            ["interface", words @ ..] => binding::interface_name(words).map(|name| {
                self.config.bindings.open_interface(&name);
                Section::Interface(name)
            }),
            ["line", "con" | "console" | "aux" | "tty", ..] => Ok(Section::Console),
            ["line", "vty", words @ ..] => binding::terminals(words).map(|range| {
                self.config.bindings.open_terminals(range);
                Section::Terminals(range)
            }),
            ["policy-map", name] if *name != "type" => Ok(Section::PolicyMap),
            ["control-plane"] => Ok(Section::ControlPlane),
            ["end"] => Ok(Section::End),
            ["exit"] => return Some(Ok(Status::Ignored)),
            ["no", words @ ..] => return self.removal(words),
            _ => return None,
        };
        Some(section.map(|section| {
            let is_model = !matches!(
                section,
                Section::Console | Section::PolicyMap | Section::ControlPlane | Section::End
            );
            self.section = section;
            if is_model { Status::Understood } else { Status::Ignored }
        }))
    }

    fn open_list(&mut self, name: &'t str, kind: Kind, line: usize) -> Result<Section<'t>, Fault> {
        self.config.lists.open(name, kind, line)?;
        Ok(Section::List(name))
    }

    /// Reads `access-list 101 permit ...`.
    fn numbered(&mut self, name: &'t str, words: &[&'t str], line: &Line<'t>) -> Result<(), Fault> {
        let Some(kind) = Kind::of_number(name) else {
            let help = "lists for IP have the numbers 1-199 and 1300-2699; one with a name starts with `ip access-list`";
            return Err(format!("`access-list {name}` is not known: {help}"));
        };
        if let [first, ..] = words
            && first.bytes().all(|byte| byte.is_ascii_digit())
        {
            return Err(format!("`{first}` is not understood here; an entry is `permit` or `deny`"));
        }
        self.config.lists.open(name, kind, line.number)?;
        match self.config.lists.get_mut(name) {
            Some(list) => list.read(line.number, &mut Words::new(words), line.text),
            None => Ok(()),
        }
    }

    /// Reads what stands behind `no` at the top; `None` if the tables are to be asked.
    fn removal(&mut self, words: &[&'t str]) -> Option<Result<Status, Fault>> {
        let outcome = match words {
            ["ip", "access-list", "extended", name] => self.config.lists.remove(name, Kind::Extended),
            ["ip", "access-list", "standard", name] => self.config.lists.remove(name, Kind::Standard),
            ["ipv6", "access-list", name] => self.config.lists.remove(name, Kind::V6),
            ["access-list", name] => match Kind::of_number(name) {
                Some(kind) => self.config.lists.remove(name, kind),
                None => Err(format!("`{name}` is no number of a list for IP")),
            },
            ["object-group", "network", name] => {
                self.config.networks.remove(name);
                Ok(())
            }
            ["object-group", "service", name] => {
                self.config.services.remove(name);
                Ok(())
            }
            ["time-range", name] => {
                self.config.times.remove(name);
                Ok(())
            }
            _ if ignorable::is_telling(words) => {
                let known = ignorable::look_up(words, &ignorable::TOP, &ignorable::TOP_REFUSED);
                let is_feature = known.is_some()
                    && !matches!(words, ["ip" | "ipv6", "access-list", ..] | ["object-group", ..]);
                if is_feature {
                    return None;
                }
                Err(format!("`no {}` is not understood", words.join(" ")))
            }
            _ => return None,
        };
        Some(outcome.map(|()| Status::Understood))
    }

    /// True if an unindented line goes on with a section: a file of commands need not indent.
    fn belongs(&self, section: &Section, words: &[&str]) -> bool {
        let first = words.first().copied().unwrap_or_default();
        let is_number = first.bytes().all(|byte| byte.is_ascii_digit());
        match section {
            Section::List(_) => {
                is_number || matches!(first, "permit" | "deny" | "remark" | "sequence" | "evaluate")
            }
            Section::Networks(_) => {
                matches!(first, "host" | "range" | "group-object" | "any") || super::address::is_dotted(first)
            }
            Section::Services(_) => {
                is_number || matches!(first, "tcp" | "udp" | "tcp-udp" | "icmp" | "group-object")
            }
            Section::Time(_) => matches!(first, "periodic" | "absolute"),
            Section::Interface(_) => {
                let is_binding = matches!(words, ["ip", "access-group", ..] | ["ipv6", "traffic-filter", ..])
                    || matches!(
                        words,
                        ["no", "ip", "access-group", ..] | ["no", "ipv6", "traffic-filter", ..]
                    );
                let at_top = ignorable::look_up(words, &ignorable::TOP, &ignorable::TOP_REFUSED);
                let here = ignorable::look_up(words, &ignorable::INTERFACE, &ignorable::INTERFACE_REFUSED);
                is_binding || at_top.is_none() && here.is_some()
            }
            Section::Terminals(_) => matches!(words, ["access-class", ..] | ["ipv6", "access-class", ..]),
            Section::None | Section::Console | Section::PolicyMap | Section::ControlPlane | Section::End => {
                false
            }
        }
    }

    /// Reads a line within a section.
    fn inner(&mut self, line: &Line<'t>) -> Result<Status, Fault> {
        if line.words.as_slice() == ["exit"] {
            self.section = Section::None;
            return Ok(Status::Ignored);
        }
        let mut words = Words::new(&line.words);
        let section = self.section.clone();
        let outcome = match &section {
            Section::List(name) => match self.config.lists.get_mut(name) {
                Some(list) => list.read(line.number, &mut words, line.text),
                None => Err(format!("access list `{name}` has been removed")),
            },
            Section::Networks(name) => group::network(&mut self.config.networks, name, &mut words),
            Section::Services(name) => group::service(&mut self.config.services, name, &mut words),
            Section::Time(name) => self.config.times.entry(name).or_default().read(&mut words),
            Section::Interface(name) => return self.in_interface(name, line),
            Section::Terminals(range) => return self.in_terminals(*range, line),
            Section::Console => {
                let verdict =
                    ignorable::look_up(&line.words, &ignorable::TERMINAL, &ignorable::TERMINAL_REFUSED);
                let is_class =
                    matches!(line.words.as_slice(), ["access-class", ..] | ["ipv6", "access-class", ..]);
                return self.judge(if is_class { Some(Verdict::Ignored) } else { verdict }, line);
            }
            Section::PolicyMap => return self.in_policy_map(line),
            Section::ControlPlane => match line.words.as_slice() {
                ["service-policy", "input" | "output", _] => return Ok(Status::Ignored),
                _ => Err(format!("`{}` is not known here; what it filters is not in the model", line.text)),
            },
            Section::None | Section::End => Err(format!("`{}` stands in no section", line.text)),
        };
        outcome.map(|()| Status::Understood)
    }

    fn in_interface(&mut self, name: &str, line: &Line<'t>) -> Result<Status, Fault> {
        let bindings = &mut self.config.bindings;
        let words = line.words.as_slice();
        let outcome = match words {
            ["ip", "access-group", rest @ ..] => {
                bindings.bind_interface(name, line.number, Family::V4, &mut Words::new(rest))
            }
            ["ipv6", "traffic-filter", rest @ ..] => {
                bindings.bind_interface(name, line.number, Family::V6, &mut Words::new(rest))
            }
            ["no", "ip", "access-group", rest @ ..] => {
                bindings.release_interface(name, Family::V4, &mut Words::new(rest))
            }
            ["no", "ipv6", "traffic-filter", rest @ ..] => {
                bindings.release_interface(name, Family::V6, &mut Words::new(rest))
            }
            ["storm-control", rest @ ..] => {
                storm::read(bindings.storm(name), line.number, rest);
                Ok(())
            }
            ["no", "storm-control", rest @ ..] => {
                storm::remove(bindings.storm(name), rest);
                Ok(())
            }
            _ => {
                if let Some(interface) = bindings.interfaces.get_mut(name) {
                    match words {
                        ["vrf", "forwarding", _] | ["ip", "vrf", "forwarding", _] => interface.has_vrf = true,
                        ["switchport", ..] => interface.is_port = true,
                        ["no", "switchport"] => interface.is_port = false,
                        _ => {}
                    }
                }
                let verdict = ignorable::look_up(words, &ignorable::INTERFACE, &ignorable::INTERFACE_REFUSED);
                return self.judge(verdict, line);
            }
        };
        outcome.map(|()| Status::Understood)
    }

    fn in_terminals(&mut self, range: Range, line: &Line<'t>) -> Result<Status, Fault> {
        let (off, words) = match line.words.as_slice() {
            ["no", rest @ ..] => (true, rest),
            words => (false, words),
        };
        let (family, rest) = match words {
            ["access-class", rest @ ..] => (Family::V4, rest),
            ["ipv6", "access-class", rest @ ..] => (Family::V6, rest),
            _ => {
                let verdict =
                    ignorable::look_up(&line.words, &ignorable::TERMINAL, &ignorable::TERMINAL_REFUSED);
                return self.judge(verdict, line);
            }
        };
        let words = &mut Words::new(rest);
        self.config.bindings.bind_terminals(range, line.number, family, words, off)?;
        Ok(Status::Understood)
    }

    /// Reads a line of a policy map. What drops above a rate is no filter; what drops a class is.
    fn in_policy_map(&mut self, line: &Line<'t>) -> Result<Status, Fault> {
        const HARMLESS: [&str; 22] = [
            "account",
            "bandwidth",
            "class",
            "compression",
            "conform-action",
            "description",
            "estimate",
            "exceed-action",
            "fair-queue",
            "netflow-sampler",
            "no",
            "police",
            "priority",
            "queue-buffers",
            "queue-limit",
            "random-detect",
            "service-policy",
            "set",
            "shape",
            "trust",
            "violate-action",
            "dbl",
        ];
        let first = line.words.first().copied().unwrap_or_default();
        let drops_all = line.words.windows(2).any(|pair| pair == ["conform-action", "drop"]);
        if !HARMLESS.contains(&first) || drops_all {
            return Err(format!("`{}` can drop a class of packets, which is not in the model", line.text));
        }
        Ok(Status::Ignored)
    }

    /// Ends the reading: the model, the mistakes, and how many lines were understood.
    pub(super) fn finish(mut self) -> (Model, Vec<Mistake>, Lines) {
        for (line, what) in self.config.lists.finish() {
            self.mistake(line, what);
        }
        for line in self.config.bindings.on_ports() {
            self.mistake(
                line,
                "the interface is a port of a switch, where a list also filters what is not routed",
            );
        }
        let config = std::mem::take(&mut self.config);
        let (model, faults) = lower::lower(&config);
        for (line, what) in faults {
            self.mistake(line, what);
        }
        let count = |status| self.statuses.iter().filter(|found| **found == status).count();
        let lines = Lines {
            understood: count(Status::Understood),
            ignored: count(Status::Ignored),
            mistaken: count(Status::Mistaken),
        };
        (model, self.mistakes, lines)
    }
}
