//! Tables as a text of rules builds them, line by line.
//!
//! In: lines. Out: tables with chains of drafts. Commands do what `iptables-restore` without `--noflush` does: a table that
//! begins a second time starts from nothing but its policies, a rule goes to a chain that stands above, and chains are
//! counted from one. Policies that the text leaves out are those of a kernel that has just started, `ACCEPT`.

use std::collections::{BTreeMap, VecDeque};

use super::super::model::{Family, Interfaces, Paths};
use super::draft::{Destiny, Draft};
use super::line::{Line, parse};
use super::matching::{Context, draft};
use super::report::Report;
use super::rule::{self, Command, Specification};

/// The longest name of a chain (`XT_EXTENSION_MAXNAMELEN` less one).
const MAX_CHAIN_BYTES: usize = 28;

/// Rules that `-D` may be compared with in one text; a backstop.
const MAX_COMPARISONS: usize = 10_000_000;

/// Where packets enter a table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Hook {
    pub(super) name: &'static str,
    pub(super) paths: Paths,
    /// True if packets have an interface that they arrived on.
    pub(super) has_in: bool,
    /// True if packets have an interface that they leave by.
    pub(super) has_out: bool,
}

const fn hook(name: &'static str, (through, to_device, from_device): (bool, bool, bool)) -> Hook {
    let paths = Paths { through, to_device, from_device };
    // Only a packet that is being forwarded has both for sure: iptables refuses `-o` before routing, and `-i` behind it.
    let has_in = to_device || (through && !from_device);
    let has_out = from_device || (through && !to_device);
    Hook { name, paths, has_in, has_out }
}

const PREROUTING: Hook = hook("PREROUTING", (true, true, false));
const INPUT: Hook = hook("INPUT", (false, true, false));
const FORWARD: Hook = hook("FORWARD", (true, false, false));
const OUTPUT: Hook = hook("OUTPUT", (false, false, true));
const POSTROUTING: Hook = hook("POSTROUTING", (true, false, true));

/// The tables, with their hooks (iptables(8), tables).
const TABLES: [(&str, &[Hook]); 5] = [
    ("raw", &[PREROUTING, OUTPUT]),
    ("mangle", &[PREROUTING, INPUT, FORWARD, OUTPUT, POSTROUTING]),
    ("nat", &[PREROUTING, INPUT, OUTPUT, POSTROUTING]),
    ("filter", &[INPUT, FORWARD, OUTPUT]),
    ("security", &[INPUT, FORWARD, OUTPUT]),
];

/// A rule and the line that it stands in.
#[derive(Clone, Debug)]
pub(super) struct Placed {
    pub(super) line: usize,
    pub(super) draft: Draft,
}

/// A chain.
#[derive(Clone, Debug)]
pub(super) struct Chain {
    pub(super) name: String,
    /// The line that declares it or gives it a policy; nothing if no line does.
    pub(super) line: Option<usize>,
    /// Nothing for a chain of the user's own.
    pub(super) hook: Option<Hook>,
    pub(super) accepts: bool,
    /// Places of its rules in the table.
    pub(super) rules: VecDeque<usize>,
    /// How many rules go to it.
    references: usize,
    /// True once it held a rule that the kernel has several of.
    has_copies: bool,
}

/// A table.
#[derive(Clone, Debug)]
pub(super) struct Table {
    pub(super) name: &'static str,
    pub(super) chains: Vec<Chain>,
    /// The chains that there are, by name.
    by_name: BTreeMap<String, usize>,
    /// All rules that were ever added; chains say which are there.
    pub(super) rules: Vec<Placed>,
}

/// What a text of rules builds.
#[derive(Debug)]
pub(super) struct Tables {
    family: Family,
    pub(super) tables: Vec<Table>,
    place: Place,
    comparisons: usize,
}

/// Where in the text a line stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Place {
    Outside,
    /// In the table of this number.
    Inside(usize),
    /// In a table that is not known.
    Unknown,
}

/// Reads the rules.
pub(super) fn read(text: &str, family: Family, report: &mut Report) -> Tables {
    let mut tables = Tables { family, tables: Vec::new(), place: Place::Outside, comparisons: 0 };
    let mut last = 1;
    for (line, text) in (1..).zip(text.split('\n')) {
        if !text.is_empty() {
            last = line;
        }
        match parse(text) {
            Ok(Line::Blank) => {}
            Ok(Line::Comment(text)) => remark(text, line, report),
            Ok(parsed) => tables.line(parsed, line, report),
            Err(what) => report.mistake(line, what),
        }
    }
    if tables.place != Place::Outside {
        report.mistake(last, "the text ends before the `COMMIT` of its table");
    }
    tables
}

/// A comment is left out, unless a tool says in it that it does not show all rules.
fn remark(text: &str, line: usize, report: &mut Report) {
    if text.contains("is incompatible, use 'nft' tool") {
        report.mistake(line, "the table holds rules that iptables cannot show; `nft list ruleset` does");
    } else if text.contains("iptables-legacy tables present")
        || text.contains("ip6tables-legacy tables present")
    {
        report.mistake(line, "the other variant of iptables holds rules too, which decide as well");
    }
}

impl Tables {
    fn line(&mut self, parsed: Line, line: usize, report: &mut Report) {
        match (parsed, self.place) {
            (Line::Table(name), place) => {
                if place != Place::Outside {
                    report.mistake(line, "the table above lacks its `COMMIT`");
                }
                self.begin(name, line, report);
            }
            (_, Place::Outside) => {
                report.mistake(line, "this stands in no table; a table begins with `*NAME`")
            }
            (Line::Commit, place) => {
                self.place = Place::Outside;
                self.note(place, line, report);
            }
            (_, Place::Unknown) => report.mistaken(line),
            (Line::Chain { name, policy }, Place::Inside(number)) => {
                let declared = self.table(number).and_then(|table| table.declare(name, policy, line));
                match declared {
                    Ok(()) => self.note(self.place, line, report),
                    Err(what) => report.mistake(line, what),
                }
            }
            (Line::Rule(words), Place::Inside(number)) => match self.command(&words, number, line) {
                Ok(true) => self.note(self.place, line, report),
                Ok(false) => report.ignored(line),
                Err(what) => report.mistake(line, what),
            },
            (Line::Blank | Line::Comment(_), Place::Inside(_)) => {}
        }
    }

    /// Counts a line: those of `nat` have no effect on filtering as long as nothing is translated, which is a mistake.
    fn note(&self, place: Place, line: usize, report: &mut Report) {
        let table = match place {
            Place::Inside(number) => self.tables.get(number),
            Place::Outside | Place::Unknown => None,
        };
        match table {
            Some(table) if table.name == "nat" => report.ignored(line),
            Some(_) => report.understood(line),
            None => report.mistaken(line),
        }
    }

    fn table(&mut self, number: usize) -> Result<&mut Table, String> {
        self.tables.get_mut(number).ok_or_else(|| "no such table".to_owned())
    }

    fn begin(&mut self, name: &str, line: usize, report: &mut Report) {
        let Some((name, hooks)) = TABLES.iter().find(|(known, _)| *known == name) else {
            let names = TABLES.map(|(name, _)| format!("`{name}`")).join(", ");
            report.mistake(line, format!("there is no table `{name}`; they are {names}"));
            self.place = Place::Unknown;
            return;
        };
        let number = self.tables.iter().position(|table| table.name == *name);
        let number = number.unwrap_or(self.tables.len());
        match self.tables.get_mut(number) {
            Some(table) => table.restart(),
            None => self.tables.push(Table::new(name, hooks)),
        }
        self.place = Place::Inside(number);
        self.note(self.place, line, report);
    }

    /// Takes a command; false for one that has no effect.
    fn command(
        &mut self,
        words: &[std::borrow::Cow<str>],
        number: usize,
        line: usize,
    ) -> Result<bool, String> {
        let family = self.family;
        let mut comparisons = self.comparisons;
        let table = self.table(number)?;
        let is_chain = |name: &str| table.place_of_own(name).is_some();
        let (command, specification) = rule::parse(words, family, &is_chain)?;
        if specification.is_foreign || command == Command::Zero {
            return Ok(false);
        }
        table.obey(command, &specification, family, line, &mut comparisons)?;
        self.comparisons = comparisons;
        Ok(true)
    }
}

impl Table {
    fn new(name: &'static str, hooks: &[Hook]) -> Self {
        let chain = |hook: &Hook| Chain::new(hook.name, None, Some(*hook));
        let chains: Vec<Chain> = hooks.iter().map(chain).collect();
        let mut table = Table { name, chains, by_name: BTreeMap::new(), rules: Vec::new() };
        table.index();
        table
    }

    fn index(&mut self) {
        let names = self.chains.iter().map(|chain| chain.name.clone());
        self.by_name = names.zip(0..).collect();
    }

    /// Forgets everything but policies.
    fn restart(&mut self) {
        self.chains.retain(|chain| chain.hook.is_some());
        for chain in &mut self.chains {
            chain.rules.clear();
            (chain.references, chain.has_copies) = (0, false);
        }
        self.rules.clear();
        self.index();
    }

    /// The chains that there are; those that were removed are not.
    pub(super) fn live(&self) -> impl Iterator<Item = (usize, &Chain)> {
        let mut places: Vec<usize> = self.by_name.values().copied().collect();
        places.sort_unstable();
        places.into_iter().filter_map(|place| Some((place, self.chains.get(place)?)))
    }

    fn place_of(&self, name: &str) -> Result<usize, String> {
        self.by_name.get(name).copied().ok_or_else(|| format!("the table has no chain `{name}` above"))
    }

    /// The place of a chain of the user's own.
    fn place_of_own(&self, name: &str) -> Option<usize> {
        let place = self.by_name.get(name).copied()?;
        self.chains.get(place).filter(|chain| chain.hook.is_none()).map(|_| place)
    }

    fn chain(&mut self, name: &str) -> Result<&mut Chain, String> {
        let place = self.place_of(name)?;
        self.chains.get_mut(place).ok_or_else(|| "no such chain".to_owned())
    }

    fn declare(&mut self, name: &str, policy: &str, line: usize) -> Result<(), String> {
        let is_own = !self.by_name.get(name).is_some_and(|place| self.is_hook(*place));
        if is_own {
            if policy != "-" {
                return Err(format!("`{name}` is a chain of one's own, whose policy is written `-`"));
            }
            return self.add_chain(name, line);
        }
        if policy != "-" {
            self.set_policy(name, policy, line)?;
        }
        self.chain(name)?.line = Some(line);
        Ok(())
    }

    fn is_hook(&self, place: usize) -> bool {
        self.chains.get(place).is_some_and(|chain| chain.hook.is_some())
    }

    fn add_chain(&mut self, name: &str, line: usize) -> Result<(), String> {
        if self.by_name.contains_key(name) {
            return Err(format!("the chain `{name}` is declared twice"));
        }
        if name.is_empty() || name.len() > MAX_CHAIN_BYTES || name.starts_with(['-', '!']) {
            return Err(format!("`{name}` is not the name of a chain, of 1 to {MAX_CHAIN_BYTES} bytes"));
        }
        self.by_name.insert(name.to_owned(), self.chains.len());
        self.chains.push(Chain::new(name, Some(line), None));
        Ok(())
    }

    fn set_policy(&mut self, name: &str, policy: &str, line: usize) -> Result<(), String> {
        let is_nat = self.name == "nat";
        let chain = self.chain(name)?;
        if chain.hook.is_none() {
            return Err(format!("`{name}` is a chain of one's own, which has no policy"));
        }
        chain.accepts = match policy {
            "ACCEPT" => true,
            "DROP" if is_nat => return Err("`DROP` is refused in the table `nat`".to_owned()),
            "DROP" => false,
            _ => return Err(format!("`{policy}` is no policy; they are `ACCEPT` and `DROP`")),
        };
        chain.line.get_or_insert(line);
        Ok(())
    }

    fn obey(
        &mut self,
        command: Command,
        rule: &Specification,
        family: Family,
        line: usize,
        comparisons: &mut usize,
    ) -> Result<(), String> {
        match command {
            Command::Append(chain) => {
                let rule = self.understand(chain, rule, family, line)?;
                self.insert(chain, usize::MAX, rule)
            }
            Command::Insert(chain, place) => {
                self.check_place(chain, place, 1)?;
                let rule = self.understand(chain, rule, family, line)?;
                self.insert(chain, place - 1, rule)
            }
            Command::Replace(chain, place) => {
                self.check_place(chain, place, 0)?;
                let rule = self.understand(chain, rule, family, line)?;
                self.take(chain, place - 1)?;
                self.insert(chain, place - 1, rule)
            }
            Command::Delete(chain, Some(place)) => {
                self.check_place(chain, place, 0)?;
                self.take(chain, place - 1)
            }
            Command::Delete(chain, None) => {
                let rule = self.understand(chain, rule, family, line)?;
                let place = self.find(chain, &rule.draft, comparisons)?;
                self.take(chain, place)
            }
            Command::New(name) => self.add_chain(name, line),
            Command::Remove(name) => self.remove(name),
            Command::Flush(name) => self.flush(name),
            Command::Policy(name, policy) => self.set_policy(name, policy, line),
            Command::Zero => Ok(()),
        }
    }

    /// The draft of a rule for a chain.
    fn understand(
        &self,
        chain: &str,
        rule: &Specification,
        family: Family,
        line: usize,
    ) -> Result<Placed, String> {
        let place = self.place_of(chain)?;
        let context = Context { family, table: self.name };
        let draft = draft(rule, context, &|name| self.place_of_own(name))?;
        if let Some(hook) = self.chains.get(place).and_then(|chain| chain.hook) {
            unseen_interface(&draft, hook)?;
        }
        Ok(Placed { line, draft })
    }

    fn insert(&mut self, chain: &str, place: usize, rule: Placed) -> Result<(), String> {
        if let Some(target) = self.target(&rule.draft) {
            target.references += 1;
        }
        let (number, copies) = (self.rules.len(), rule.draft.copies);
        self.rules.push(rule);
        let chain = self.chain(chain)?;
        chain.has_copies |= copies != 1;
        chain.rules.insert(place.min(chain.rules.len()), number);
        Ok(())
    }

    /// Takes a rule away.
    fn take(&mut self, chain: &str, place: usize) -> Result<(), String> {
        let number = self.chain(chain)?.rules.remove(place);
        let draft = number.and_then(|number| self.rules.get(number)).map(|placed| placed.draft.clone());
        if let Some(draft) = draft
            && let Some(target) = self.target(&draft)
        {
            target.references = target.references.saturating_sub(1);
        }
        Ok(())
    }

    /// The chain that a rule goes to.
    fn target(&mut self, draft: &Draft) -> Option<&mut Chain> {
        match draft.destiny {
            Destiny::Jump(place) | Destiny::Goto(place) => self.chains.get_mut(place),
            Destiny::Accept | Destiny::Drop | Destiny::Return | Destiny::Continue => None,
        }
    }

    /// Refuses the number of a rule beyond the end of its chain, or where numbers do not count lines.
    fn check_place(&self, chain: &str, place: usize, beyond: usize) -> Result<(), String> {
        let known = self.chains.get(self.place_of(chain)?);
        let count = known.map_or(0, |chain| chain.rules.len());
        if place > count + beyond {
            return Err(format!("the chain `{chain}` has {count} rules, and no place {place}"));
        }
        // To insert at the first place is the same whatever stands behind it, and is the usual case.
        let is_first = place == 1 && beyond > 0;
        if !is_first && known.is_some_and(|chain| chain.has_copies) {
            return Err(format!(
                "place {place} cannot be told: a rule with several addresses is several rules"
            ));
        }
        Ok(())
    }

    fn find(&self, chain: &str, draft: &Draft, comparisons: &mut usize) -> Result<usize, String> {
        let rules = self.chains.get(self.place_of(chain)?).map(|chain| &chain.rules);
        for (place, number) in rules.into_iter().flatten().enumerate() {
            *comparisons += 1;
            if *comparisons > MAX_COMPARISONS {
                return Err("too many rules are compared to delete others".to_owned());
            }
            if self.rules.get(*number).is_some_and(|placed| placed.draft == *draft) {
                return Ok(place);
            }
        }
        Err(format!("the chain `{chain}` has no such rule"))
    }

    fn flush(&mut self, name: Option<&str>) -> Result<(), String> {
        let places: Vec<usize> = match name {
            Some(name) => vec![self.place_of(name)?],
            None => self.by_name.values().copied().collect(),
        };
        for place in places {
            let Some(chain) = self.chains.get_mut(place) else { continue };
            for number in std::mem::take(&mut chain.rules) {
                let draft = self.rules.get(number).map(|placed| placed.draft.clone());
                if let Some(target) = draft.and_then(|draft| self.target(&draft)) {
                    target.references = target.references.saturating_sub(1);
                }
            }
        }
        Ok(())
    }

    fn remove(&mut self, name: Option<&str>) -> Result<(), String> {
        let names: Vec<String> = match name {
            Some(name) => vec![name.to_owned()],
            None => self
                .live()
                .filter(|(_, chain)| chain.hook.is_none())
                .map(|(_, chain)| chain.name.clone())
                .collect(),
        };
        for name in names {
            let chain = self.chain(&name)?;
            if chain.hook.is_some() {
                return Err(format!("the chain `{name}` cannot be removed"));
            }
            if chain.references > 0 || !chain.rules.is_empty() {
                return Err(format!("the chain `{name}` has rules, or rules go to it; it cannot be removed"));
            }
            self.by_name.remove(&name);
        }
        Ok(())
    }
}

impl Chain {
    fn new(name: &str, line: Option<usize>, hook: Option<Hook>) -> Self {
        Chain {
            name: name.to_owned(),
            line,
            hook,
            accepts: true,
            rules: VecDeque::new(),
            references: 0,
            has_copies: false,
        }
    }
}

/// Refuses a rule that asks for an interface which packets of a hook do not have.
///
/// # Errors
/// It does.
pub(super) fn unseen_interface(draft: &Draft, hook: Hook) -> Result<(), String> {
    if draft.arrives != Interfaces::Any && !hook.has_in {
        return Err(format!("`-i` fits nothing that comes from `{}`", hook.name));
    }
    if draft.leaves != Interfaces::Any && !hook.has_out {
        return Err(format!("`-o` fits nothing that comes from `{}`", hook.name));
    }
    Ok(())
}
