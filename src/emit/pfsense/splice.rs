//! Splicing: cordon's own rules and aliases into a whole config, every other byte left as it is.
//!
//! What cordon put there before is known by two marks that must both be there: a rule by its tracker and its
//! description, an alias by its name and its description. Whole lines are cut out and put in, so that a second splice
//! gives the bytes of the first.

use std::collections::BTreeSet;
use std::ops::Range;

use roxmltree::{Document, Node};
use thiserror::Error;

use super::foreign;
use super::text::{ALIAS_PREFIX, FIRST_TRACKER, MARK};

/// A config with cordon's rules and aliases in it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Spliced {
    /// The whole config.
    pub config: String,
    /// How many rules of cordon are in it.
    pub rules: usize,
    /// How many aliases of cordon are in it.
    pub aliases: usize,
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
    /// A rule or alias has one mark of cordon and lacks the other.
    #[error("{0} looks like cordon's own, but not in all; rename it, or remove it")]
    Doubtful(String),
    /// An interface of the policy is not there.
    #[error("it has no interface `{0}`, so it is not the config of this device")]
    NoInterface(String),
    /// Somebody else has a name that is needed.
    #[error("the name `{0}` is taken by something that is not cordon's")]
    Taken(String),
    /// Something that is not cordon's uses an alias that would go away.
    #[error("something that is not cordon's uses the alias `{0}`, which the policy no longer has")]
    StillUsed(String),
    /// The files of the build are not what they should be.
    #[error("this is a bug in cordon: its own files cannot be read: {0}")]
    Bug(String),
}

/// What is replaced, and by what.
type Edit = (Range<usize>, String);

/// Puts the rules of `filter.xml` and the aliases of `aliases.xml` into a config, in place of those of an earlier splice.
///
/// # Errors
/// [`SpliceError`] says what is wrong with the config.
pub fn splice(config: &str, filter: &str, aliases: &str) -> Result<Spliced, SpliceError> {
    let document = Document::parse(config).map_err(|error| SpliceError::NotXml(error.to_string()))?;
    let bug = |error: roxmltree::Error| SpliceError::Bug(error.to_string());
    let filter = Document::parse(filter).map_err(bug)?;
    let aliases = Document::parse(aliases).map_err(bug)?;
    let root = document.root_element();
    if root.tag_name().name() != "pfsense" {
        return Err(SpliceError::OtherRoot(root.tag_name().name().to_owned()));
    }
    let rules_section = section(root, "filter")?.ok_or(SpliceError::Missing("filter"))?;
    let aliases_section = section(root, "aliases")?;
    let old_rules = own(rules_section, "rule", is_own_rule)?;
    let old_aliases = match aliases_section {
        Some(section) => own(section, "alias", is_own_alias)?,
        None => Vec::new(),
    };
    let new_rules: Vec<Node> = elements(filter.root_element(), "rule").collect();
    let new_aliases: Vec<Node> = elements(aliases.root_element(), "alias").collect();
    let ours = Ours { rules: &old_rules, aliases: &old_aliases };
    let warnings = foreign::check(root, ours, &new_rules, &new_aliases)?;

    let layout = Layout { config, newline: if config.contains("\r\n") { "\r\n" } else { "\n" } };
    let old = old_rules.iter().chain(&old_aliases);
    let mut edits: Vec<Edit> = old.map(|node| (layout.lines(node.range()), String::new())).collect();
    let first = elements(rules_section, "rule").find(|rule| !old_rules.contains(rule));
    edits.push(layout.insert(rules_section, first, &layout.blocks(&filter, &new_rules)));
    let blocks = layout.blocks(&aliases, &new_aliases);
    match aliases_section {
        Some(section) => edits.push(layout.insert(section, None, &blocks)),
        None if new_aliases.is_empty() => {}
        None => edits.push(layout.new_section("aliases", rules_section, &blocks)),
    }
    let config = layout.apply(edits);
    Ok(Spliced { config, rules: new_rules.len(), aliases: new_aliases.len(), warnings })
}

/// What cordon put into a config before.
#[derive(Clone, Copy)]
pub(super) struct Ours<'a, 'd, 'i> {
    pub(super) rules: &'a [Node<'d, 'i>],
    pub(super) aliases: &'a [Node<'d, 'i>],
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
    section: Node<'d, 'i>,
    name: &str,
    marks: fn(Node) -> (bool, bool),
) -> Result<Vec<Node<'d, 'i>>, SpliceError> {
    let mut found = Vec::new();
    for node in elements(section, name) {
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

/// The name alone does not make an alias cordon's: others may have a use for the letters that it starts with.
fn is_own_alias(alias: Node) -> (bool, bool) {
    let described = text(alias, "descr").starts_with(MARK.trim());
    (described, described && text(alias, "name").starts_with(ALIAS_PREFIX))
}

/// Text of a config for a message: in one line, without what would act on a terminal, and not too long.
pub(super) fn printable(text: &str) -> String {
    let shown = text.chars().take(80);
    shown.map(|c| if c.is_control() || crate::source::is_forbidden(c) { '?' } else { c }).collect()
}

/// The names of aliases.
pub(super) fn names<'d>(aliases: &[Node<'d, '_>]) -> BTreeSet<&'d str> {
    aliases.iter().map(|alias| text(*alias, "name")).collect()
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
    fn blocks(&self, document: &Document, nodes: &[Node]) -> String {
        let text = |node: &Node| document.input_text().get(node.range()).unwrap_or_default().to_owned();
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
