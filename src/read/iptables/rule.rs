//! The words of a rule or another command, as what they ask for.
//!
//! In: words. Out: the command, and the rule with its values read but its matches not yet interpreted. Options are taken
//! as getopt(3) takes them, but for shortened names, which depend on what else is there, and letters with their value
//! behind them. `!` stands before what it negates.

use std::borrow::Cow;

use super::super::model::{Family, Interfaces};
use super::address::{Range, network};
use super::modules::{Module, module};
use super::names::{DCCP, ICMP, ICMPV6, SCTP, TCP, UDP, number, protocol};
use super::targets::{Target, target};

/// The longest name of an interface (`IFNAMSIZ` less one).
const MAX_INTERFACE_BYTES: usize = 15;

/// A value, and whether `!` stands before it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Given<T> {
    pub(super) value: T,
    pub(super) negated: bool,
}

/// An option of a match or of a target.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Choice<'w> {
    pub(super) name: &'static str,
    pub(super) negated: bool,
    pub(super) values: Vec<&'w str>,
}

/// A match with its options.
#[derive(Clone, Debug)]
pub(super) struct Instance<'w> {
    pub(super) module: &'static Module,
    pub(super) choices: Vec<Choice<'w>>,
}

/// What happens to packets that a rule matches.
#[derive(Clone, Debug)]
pub(super) enum Goal<'w> {
    Target(&'static Target, Vec<Choice<'w>>),
    Jump(&'w str),
    Goto(&'w str),
}

/// What a rule says.
#[derive(Clone, Debug, Default)]
pub(super) struct Specification<'w> {
    pub(super) source: Option<Given<Vec<Range>>>,
    pub(super) destination: Option<Given<Vec<Range>>>,
    pub(super) protocol: Option<Given<u8>>,
    pub(super) arrives: Interfaces,
    pub(super) leaves: Interfaces,
    pub(super) fragments: Option<bool>,
    pub(super) instances: Vec<Instance<'w>>,
    pub(super) goal: Option<Goal<'w>>,
    /// True if it says that it is for the other family, whose tool alone takes it.
    pub(super) is_foreign: bool,
}

/// A command.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Command<'w> {
    Append(&'w str),
    /// At a place counted from one.
    Insert(&'w str, usize),
    Replace(&'w str, usize),
    /// The rule at a place counted from one, or the first that says the same.
    Delete(&'w str, Option<usize>),
    New(&'w str),
    Remove(Option<&'w str>),
    Flush(Option<&'w str>),
    Policy(&'w str, &'w str),
    /// It sets counters to zero.
    Zero,
}

/// Reads the words of a command. `is_chain` tells the chains of the user's own.
///
/// # Errors
/// What is wrong with them.
pub(super) fn parse<'w>(
    words: &'w [Cow<'w, str>],
    family: Family,
    is_chain: &dyn Fn(&str) -> bool,
) -> Result<(Command<'w>, Specification<'w>), String> {
    let mut ctx =
        Ctx { words, family, is_chain, negated: false, command: None, rule: Specification::default() };
    while let Some((word, rest)) = ctx.words.split_first() {
        ctx.words = rest;
        ctx.word(word)?;
    }
    if ctx.negated {
        return Err("`!` stands before nothing".to_owned());
    }
    let command = ctx.command.ok_or("no command; a rule is written `-A CHAIN ...`")?;
    Ok((command, ctx.rule))
}

struct Ctx<'w, 'c> {
    words: &'w [Cow<'w, str>],
    family: Family,
    is_chain: &'c dyn Fn(&str) -> bool,
    negated: bool,
    command: Option<Command<'w>>,
    rule: Specification<'w>,
}

impl<'w> Ctx<'w, '_> {
    fn word(&mut self, word: &'w str) -> Result<(), String> {
        if word == "!" {
            if self.negated {
                return Err("`!` stands twice".to_owned());
            }
            self.negated = true;
            return Ok(());
        }
        let (name, inline) = match word.split_once('=') {
            Some((name, value)) if word.starts_with("--") => (name, Some(value)),
            _ => (word, None),
        };
        let negated = std::mem::take(&mut self.negated);
        if self.of_target(name, inline, negated)? || self.of_module(name, inline, negated)? {
            return Ok(());
        }
        self.own(name, inline, negated)
    }

    /// Takes an option of the target.
    fn of_target(&mut self, name: &str, inline: Option<&'w str>, negated: bool) -> Result<bool, String> {
        let Some(Goal::Target(target, _)) = self.rule.goal else { return Ok(false) };
        let Some(arity) = target.arity(name) else { return Ok(false) };
        let choice = self.choice(target.options, name, inline, (arity, negated))?;
        if negated {
            return Err(format!("`{name}` cannot be negated"));
        }
        if let Some(Goal::Target(_, choices)) = &mut self.rule.goal {
            choices.push(choice);
        }
        Ok(true)
    }

    /// Takes an option of a match: the latest that has it, or that of the protocol, which is then there without `-m`.
    fn of_module(&mut self, name: &str, inline: Option<&'w str>, negated: bool) -> Result<bool, String> {
        let has = |instance: &Instance| instance.module.arity(name).is_some();
        if !self.rule.instances.iter().any(has)
            && let Some(module) = self.implied().filter(|module| module.arity(name).is_some())
        {
            self.rule.instances.push(Instance { module, choices: Vec::new() });
        }
        let Some(place) = self.rule.instances.iter().rposition(has) else { return Ok(false) };
        let Some(module) = self.rule.instances.get(place).map(|instance| instance.module) else {
            return Ok(false);
        };
        let arity = module.arity(name).unwrap_or_default();
        let choice = self.choice(module.options, name, inline, (arity, negated))?;
        let Some(instance) = self.rule.instances.get_mut(place) else { return Ok(false) };
        // `policy` describes several elements, and `bpf`, `string` and the like say each thing once.
        if module.name != "policy" && instance.choices.iter().any(|known| known.name == choice.name) {
            return Err(format!("`{name}` stands twice; for two of them, write `-m {}` twice", module.name));
        }
        instance.choices.push(choice);
        Ok(true)
    }

    /// The match that `-p` brings with it.
    fn implied(&self) -> Option<&'static Module> {
        let protocol = self.rule.protocol.as_ref().filter(|protocol| !protocol.negated)?;
        let name = match (protocol.value, self.family) {
            (TCP, _) => "tcp",
            (UDP, _) => "udp",
            (SCTP, _) => "sctp",
            (DCCP, _) => "dccp",
            (ICMP, Family::V4) => "icmp",
            (ICMPV6, Family::V6) => "icmp6",
            _ => return None,
        };
        module(name)
    }

    fn choice(
        &mut self,
        options: &'static [(&'static str, usize)],
        name: &str,
        inline: Option<&'w str>,
        (arity, negated): (usize, bool),
    ) -> Result<Choice<'w>, String> {
        let name = options.iter().map(|(known, _)| *known).find(|known| *known == name).unwrap_or_default();
        let mut values = Vec::new();
        if inline.is_some() && arity == 0 {
            return Err(format!("`{name}` takes no value"));
        }
        values.extend(inline);
        while values.len() < arity {
            values.push(self.value(name)?);
        }
        Ok(Choice { name: canonical(name), negated, values })
    }

    fn value(&mut self, option: &str) -> Result<&'w str, String> {
        let (value, rest) = self.words.split_first().ok_or_else(|| format!("`{option}` lacks a value"))?;
        self.words = rest;
        Ok(value)
    }

    /// Takes a value that may be missing: a word that is no option.
    fn optional(&mut self) -> Option<&'w str> {
        let (value, rest) = self.words.split_first()?;
        if value.starts_with('-') || value == "!" {
            return None;
        }
        self.words = rest;
        Some(value)
    }

    /// Takes an option of iptables itself.
    fn own(&mut self, name: &'w str, inline: Option<&'w str>, negated: bool) -> Result<(), String> {
        if self.test(name, inline, negated)? {
            return Ok(());
        }
        if negated {
            return Err(format!("`!` cannot stand before `{name}`"));
        }
        match name {
            "-m" | "--match" => {
                let wanted = self.one(name, inline)?;
                let module =
                    module(wanted).ok_or_else(|| format!("the match `{wanted}` is not understood"))?;
                self.rule.instances.push(Instance { module, choices: Vec::new() });
            }
            "-j" | "--jump" | "-g" | "--goto" => self.goal(name, inline)?,
            "-4" | "--ipv4" => self.rule.is_foreign |= self.family == Family::V6,
            "-6" | "--ipv6" => self.rule.is_foreign |= self.family == Family::V4,
            "-c" | "--set-counters" => {
                for value in [self.one(name, inline)?, self.value(name)?] {
                    number::<u64>(value)
                        .ok_or_else(|| format!("`{value}` is not a number of packets or bytes"))?;
                }
            }
            _ => self.command(name, inline)?,
        }
        Ok(())
    }

    fn one(&mut self, name: &str, inline: Option<&'w str>) -> Result<&'w str, String> {
        inline.map_or_else(|| self.value(name), Ok)
    }

    /// Takes one of the options that can be negated.
    fn test(&mut self, name: &str, inline: Option<&'w str>, negated: bool) -> Result<bool, String> {
        let twice = || Err(format!("`{name}` stands twice"));
        match name {
            "-s" | "--source" | "--src" | "-d" | "--destination" | "--dst" => {
                let value = networks(self.one(name, inline)?, negated, self.family)?;
                let is_source = matches!(name, "-s" | "--source" | "--src");
                let slot = if is_source { &mut self.rule.source } else { &mut self.rule.destination };
                if slot.replace(Given { value, negated }).is_some() {
                    return twice();
                }
            }
            "-p" | "--protocol" | "--proto" => {
                if self.rule.protocol.is_some() {
                    return twice();
                }
                let value = self.one(name, inline)?;
                self.rule.protocol = any_protocol(value, negated, self.family)?;
            }
            "-i" | "--in-interface" | "-o" | "--out-interface" => {
                let found = interfaces(self.one(name, inline)?, negated)?;
                let is_in = matches!(name, "-i" | "--in-interface");
                let slot = if is_in { &mut self.rule.arrives } else { &mut self.rule.leaves };
                if std::mem::replace(slot, found) != Interfaces::Any {
                    return twice();
                }
            }
            "-f" | "--fragments" | "--fragment" => {
                if self.family == Family::V6 {
                    return Err(format!("`{name}` is for IPv4 only"));
                }
                if self.rule.fragments.replace(!negated).is_some() {
                    return twice();
                }
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn goal(&mut self, name: &str, inline: Option<&'w str>) -> Result<(), String> {
        let wanted = self.one(name, inline)?;
        if self.rule.goal.is_some() {
            return Err("a rule has one `-j` or `-g`".to_owned());
        }
        let goes = matches!(name, "-g" | "--goto");
        self.rule.goal = Some(match ((self.is_chain)(wanted), goes) {
            (true, true) => Goal::Goto(wanted),
            (true, false) => Goal::Jump(wanted),
            (false, true) => {
                return Err(format!("`{wanted}` is no chain of this table that stands above"));
            }
            (false, false) => Goal::Target(target(wanted)?, Vec::new()),
        });
        Ok(())
    }

    fn command(&mut self, name: &'w str, inline: Option<&'w str>) -> Result<(), String> {
        let command = match name {
            "-A" | "--append" => Command::Append(self.one(name, inline)?),
            "-I" | "--insert" => Command::Insert(self.one(name, inline)?, self.place()?.unwrap_or(1)),
            "-D" | "--delete" => Command::Delete(self.one(name, inline)?, self.place()?),
            "-R" | "--replace" => {
                let chain = self.one(name, inline)?;
                let place = self.place()?.ok_or("`-R` is written `-R CHAIN NUMBER ...`")?;
                Command::Replace(chain, place)
            }
            "-N" | "--new-chain" => Command::New(self.one(name, inline)?),
            "-X" | "--delete-chain" => Command::Remove(inline.or_else(|| self.optional())),
            "-F" | "--flush" => Command::Flush(inline.or_else(|| self.optional())),
            "-P" | "--policy" => Command::Policy(self.one(name, inline)?, self.value(name)?),
            "-Z" | "--zero" => {
                let _chain = inline.or_else(|| self.optional());
                let _place = self.place()?;
                Command::Zero
            }
            _ if name.starts_with('-') => {
                return Err(format!("the option `{name}` is not understood here"));
            }
            _ => return Err(format!("`{name}` fits nowhere")),
        };
        match self.command.replace(command) {
            None => Ok(()),
            Some(_) => Err(format!("`{name}` is a second command")),
        }
    }

    /// Takes the number of a rule, if there is one.
    fn place(&mut self) -> Result<Option<usize>, String> {
        let Some(word) = self.optional() else { return Ok(None) };
        let place = number(word).filter(|place| *place > 0);
        place.map(Some).ok_or_else(|| format!("`{word}` is not the number of a rule, counted from 1"))
    }
}

/// One name for an option that has two.
fn canonical(name: &'static str) -> &'static str {
    match name {
        "--source-port" => "--sport",
        "--destination-port" => "--dport",
        "--source-ports" => "--sports",
        "--destination-ports" => "--dports",
        "--localtz" => "--kerneltz",
        other => other,
    }
}

fn networks(text: &str, negated: bool, family: Family) -> Result<Vec<Range>, String> {
    let ranges = text.split(',').map(|part| network(part, family)).collect::<Result<Vec<_>, _>>()?;
    if negated && ranges.len() > 1 {
        return Err(
            "`!` cannot stand before several addresses, since each makes a rule of its own".to_owned()
        );
    }
    Ok(ranges)
}

/// The protocol that `-p` names; nothing for all of them.
fn any_protocol(text: &str, negated: bool, family: Family) -> Result<Option<Given<u8>>, String> {
    let is_all = text.eq_ignore_ascii_case("all");
    let value = if is_all { 0 } else { protocol(text, family)? };
    match (value, negated) {
        (0, true) => Err("the rule would match no protocol, since 0 stands for all".to_owned()),
        (0, false) => Ok(None),
        (value, negated) => Ok(Some(Given { value, negated })),
    }
}

fn interfaces(text: &str, negated: bool) -> Result<Interfaces, String> {
    if text.is_empty() || text.len() > MAX_INTERFACE_BYTES {
        return Err(format!("`{text}` is not the name of an interface, of 1 to {MAX_INTERFACE_BYTES} bytes"));
    }
    if text.contains('*') {
        return Err(format!("the interface `{text}` is not understood; `+` at the end stands for any end"));
    }
    if text == "+" {
        return match negated {
            // The legacy variant loads this as a rule for all interfaces, the other as one for none.
            true => {
                Err("`! +` means all interfaces to one variant of iptables, and none to the other".to_owned())
            }
            false => Ok(Interfaces::Any),
        };
    }
    let name = match text.strip_suffix('+') {
        Some(start) => format!("{start}*"),
        None => text.to_owned(),
    };
    let names = [name].into();
    Ok(if negated { Interfaces::Except(names) } else { Interfaces::Only(names) })
}
