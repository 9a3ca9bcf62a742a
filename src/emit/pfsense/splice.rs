//! Splicing: cordon's own rules, aliases and schedules into a whole config, every other byte left as it is.
//!
//! What cordon put there before is known by two marks that must both be there: a rule by its tracker and its
//! description, an alias or a schedule by its name and its description. Whole lines are cut out and put in, so that a second splice
//! gives the bytes of the first.

use std::collections::BTreeSet;
use std::ops::Range;

use roxmltree::{Document, Node};
use thiserror::Error;

use super::foreign;
use super::made::Files;
use super::text::{ALIAS_PREFIX, FIRST_TRACKER, MARK};
use crate::emit::OutputFile;

/// A config with cordon's rules, aliases and schedules in it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Spliced {
    /// The whole config.
    pub config: String,
    /// How many rules of cordon are in it.
    pub rules: usize,
    /// How many aliases of cordon are in it.
    pub aliases: usize,
    /// How many schedules of cordon are in it.
    pub schedules: usize,
    /// What the config does besides the policy, for people.
    pub warnings: Vec<String>,
}

/// Why a config takes no splice.
#[derive(Error, Clone, PartialEq, Eq, Debug)]
pub enum SpliceError {
    /// It is no XML, or XML of a kind that pfSense does not write.
    #[error("it is not XML as pfSense writes it: {0}")]
    NotXml(String),
    /// Its root is another.
    #[error("it is not a whole config of pfSense: its root is `{0}`, not `pfsense`")]
    OtherRoot(String),
    /// A section is not there.
    #[error("it has no `<{0}>`, so it is not a whole config of pfSense")]
    Missing(&'static str),
    /// A section is there more than once, which pfSense refuses.
    #[error("it has `<{0}>` more than once, or in other letters; pfSense would take no part of it")]
    Ambiguous(String),
    /// A rule, alias or schedule has one mark of cordon and lacks the other.
    #[error("{0} looks like cordon's own, but not in all; rename it, or remove it")]
    Doubtful(String),
    /// An interface of the policy is not there.
    #[error("it has no interface `{0}`, so it is not the config of this device")]
    NoInterface(String),
    /// Somebody else has a name that is needed.
    #[error("the name `{0}` is taken by something that is not cordon's")]
    Taken(String),
    /// Something that is not cordon's uses an alias or a schedule that would go away.
    #[error("something that is not cordon's uses the {kind} `{name}`, which the policy no longer has")]
    StillUsed {
        /// What it is: an alias or a schedule.
        kind: &'static str,
        /// Its name.
        name: String,
    },
    /// The device goes by another clock than the schedules.
    #[error(
        "the device goes by the clock of `{timezone}`, but the schedules of the policy by that of {clock}, so rules would \
         hold at other hours than the policy says; {help}"
    )]
    OtherClock {
        /// The time zone of the config; may be empty.
        timezone: String,
        /// The clock of the policy.
        clock: String,
        /// What to do.
        help: String,
    },
    /// The files of the build do not fit together.
    #[error(
        "the files for the device do not fit together: {0}; does a template of your own stand in for one of cordon's?"
    )]
    Unfit(String),
    /// The files of the build are not what they should be.
    #[error("this is a bug in cordon: its own files cannot be read: {0}")]
    Bug(String),
}

/// What is replaced, and by what.
type Edit = (Range<usize>, String);

/// Puts what a policy compiled to for a device into its config, in place of what an earlier splice put there.
///
/// # Errors
/// [`SpliceError`] says what is wrong with the config.
pub fn splice(config: &str, device: &str, files: &[OutputFile]) -> Result<Spliced, SpliceError> {
    let document = Document::parse(config).map_err(|error| SpliceError::NotXml(error.to_string()))?;
    let files = Files::parse(device, files)?;
    let made = files.made()?;
    let root = document.root_element();
    if root.tag_name().name() != "pfsense" {
        return Err(SpliceError::OtherRoot(root.tag_name().name().to_owned()));
    }
    let filter = section(root, "filter")?.ok_or(SpliceError::Missing("filter"))?;
    let (aliases, schedules) = (section(root, "aliases")?, section(root, "schedules")?);
    let ours = Ours {
        rules: own(Some(filter), "rule", is_own_rule)?,
        aliases: own(aliases, "alias", is_named_by_cordon)?,
        schedules: own(schedules, "schedule", is_named_by_cordon)?,
    };
    let warnings = foreign::check(root, &ours, &made)?;

    let layout = Layout { config, newline: if config.contains("\r\n") { "\r\n" } else { "\n" } };
    let old = ours.rules.iter().chain(&ours.aliases).chain(&ours.schedules);
    let mut edits: Vec<Edit> = old.map(|node| (layout.lines(node.range()), String::new())).collect();
    let first = elements(filter, "rule").find(|rule| !ours.rules.contains(rule));
    edits.push(layout.insert(filter, first, &layout.blocks(&made.rules)));
    for (name, found, new) in [("aliases", aliases, &made.aliases), ("schedules", schedules, &made.schedules)]
    {
        let blocks = layout.blocks(new);
        match found {
            Some(section) => edits.push(layout.insert(section, None, &blocks)),
            None if new.is_empty() => {}
            None => edits.push(layout.new_section(name, filter, &blocks)),
        }
    }
    let (rules, aliases, schedules) = (made.rules.len(), made.aliases.len(), made.schedules.len());
    Ok(Spliced { config: layout.apply(edits), rules, aliases, schedules, warnings })
}

/// What cordon put into a config before.
pub(super) struct Ours<'d, 'i> {
    pub(super) rules: Vec<Node<'d, 'i>>,
    pub(super) aliases: Vec<Node<'d, 'i>>,
    pub(super) schedules: Vec<Node<'d, 'i>>,
}

impl Ours<'_, '_> {
    /// True for one of them.
    pub(super) fn contains(&self, node: &Node) -> bool {
        [&self.rules, &self.aliases, &self.schedules].into_iter().any(|known| known.contains(node))
    }
}

/// The only section of this name below the root. pfSense does not tell letters of different case apart.
pub(super) fn section<'d, 'i>(parent: Node<'d, 'i>, name: &str) -> Result<Option<Node<'d, 'i>>, SpliceError> {
    let mut found = parent.children().filter(|child| child.tag_name().name().eq_ignore_ascii_case(name));
    match (found.next(), found.next()) {
        (None, _) => Ok(None),
        (Some(section), None) if section.tag_name().name() == name => Ok(Some(section)),
        (Some(_), _) => Err(SpliceError::Ambiguous(name.to_owned())),
    }
}

/// The children of a name, in whatever case.
pub(super) fn elements<'d, 'i>(parent: Node<'d, 'i>, name: &str) -> impl Iterator<Item = Node<'d, 'i>> {
    parent.children().filter(move |child| child.tag_name().name().eq_ignore_ascii_case(name))
}

/// The text of a child; empty where there is none.
pub(super) fn text<'d>(node: Node<'d, '_>, name: &str) -> &'d str {
    elements(node, name).next().and_then(|child| child.text()).unwrap_or_default().trim()
}

/// The children of a section that are cordon's own.
fn own<'d, 'i>(
    section: Option<Node<'d, 'i>>,
    name: &str,
    marks: fn(Node) -> (bool, bool),
) -> Result<Vec<Node<'d, 'i>>, SpliceError> {
    let mut found = Vec::new();
    for node in section.into_iter().flat_map(|section| elements(section, name)) {
        match marks(node) {
            (true, true) => found.push(node),
            (false, false) => {}
            (true, false) | (false, true) => {
                let shown = [text(node, "name"), text(node, "descr"), text(node, "tracker")];
                let shown = shown.into_iter().find(|text| !text.is_empty()).unwrap_or_default();
                return Err(SpliceError::Doubtful(format!("the {name} `{}`", printable(shown))));
            }
        }
    }
    Ok(found)
}

fn is_own_rule(rule: Node) -> (bool, bool) {
    let tracker = text(rule, "tracker").parse::<u64>();
    (
        tracker.is_ok_and(|tracker| tracker >= u64::from(FIRST_TRACKER)),
        text(rule, "descr").starts_with(MARK.trim()),
    )
}

/// The marks of an alias or a schedule. The name alone does not make it cordon's: others may have a use for the letters
/// that it starts with.
fn is_named_by_cordon(node: Node) -> (bool, bool) {
    let described = text(node, "descr").starts_with(MARK.trim());
    (described, described && text(node, "name").starts_with(ALIAS_PREFIX))
}

/// Text of a config for a message: in one line, without what would act on a terminal, and not too long.
pub(super) fn printable(text: &str) -> String {
    let shown = text.chars().take(80);
    shown.map(|c| if c.is_control() || crate::source::is_forbidden(c) { '?' } else { c }).collect()
}

/// The names of aliases or schedules.
pub(super) fn names<'d>(nodes: &[Node<'d, '_>]) -> BTreeSet<&'d str> {
    nodes.iter().map(|node| text(*node, "name")).collect()
}

/// How a config is laid out.
struct Layout<'c> {
    config: &'c str,
    newline: &'static str,
}

impl Layout<'_> {
    /// The whole lines of an element, or the element alone if it shares its lines with others.
    fn lines(&self, range: Range<usize>) -> Range<usize> {
        let (start, behind) =
            (self.line_start(range.start), self.config.get(range.end..).unwrap_or_default());
        let rest = behind.trim_start_matches([' ', '\t']);
        let end = ["\r\n", "\n"].into_iter().find(|newline| rest.starts_with(newline));
        match (start, end) {
            (Some(start), Some(newline)) => start..range.end + (behind.len() - rest.len()) + newline.len(),
            (None, _) | (_, None) => range,
        }
    }

    /// Where the line of a place starts, if nothing but white space stands in front of it.
    fn line_start(&self, place: usize) -> Option<usize> {
        let before = self.config.get(..place)?.trim_end_matches([' ', '\t']);
        (before.is_empty() || before.ends_with('\n')).then_some(before.len())
    }

    /// Elements of a file of the build, one level deeper, each on lines of its own.
    fn blocks(&self, nodes: &[Node]) -> String {
        let text =
            |node: &Node| node.document().input_text().get(node.range()).unwrap_or_default().to_owned();
        let lines = |node: &Node| format!("\t\t{}\n", text(node).replace('\n', "\n\t"));
        nodes.iter().map(lines).collect::<String>().replace('\n', self.newline)
    }

    /// Puts blocks in front of an element of a section, or at its end.
    fn insert(&self, section: Node, before: Option<Node>, blocks: &str) -> Edit {
        let whole = self.config.get(section.range()).unwrap_or_default();
        if blocks.is_empty() {
            return (section.range().start..section.range().start, String::new());
        }
        if before.is_none() && whole.ends_with("/>") {
            let name = section.tag_name().name();
            let open = whole.trim_end_matches("/>").trim_end();
            let text = format!("{open}>{}{blocks}\t</{name}>", self.newline);
            return (section.range(), text);
        }
        let end = section.range().start + whole.rfind("</").unwrap_or(whole.len());
        let place = before.map_or(end, |node| node.range().start);
        match self.line_start(place) {
            Some(start) => (start..start, blocks.to_owned()),
            None if before.is_none() => (place..place, format!("{}{blocks}\t", self.newline)),
            None => (place..place, format!("{}{blocks}", self.newline)),
        }
    }

    /// A new section in front of another.
    fn new_section(&self, name: &str, before: Node, blocks: &str) -> Edit {
        let text = format!("\t<{name}>{newline}{blocks}\t</{name}>{newline}", newline = self.newline);
        let place = before.range().start;
        match self.line_start(place) {
            Some(start) => (start..start, text),
            None => (place..place, format!("{}{text}", self.newline)),
        }
    }

    /// The config with all edits made; they do not overlap.
    fn apply(&self, mut edits: Vec<Edit>) -> String {
        edits.sort_by_key(|(range, _)| (range.start, range.end));
        let (mut result, mut done) = (String::with_capacity(self.config.len()), 0);
        for (range, text) in edits {
            result.push_str(self.config.get(done..range.start).unwrap_or_default());
            result.push_str(&text);
            done = range.end;
        }
        result.push_str(self.config.get(done..).unwrap_or_default());
        result
    }
}
