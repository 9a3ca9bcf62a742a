//! The proof for one enforcement point: its files are read, and what they mean is compared with the policy.

use std::collections::BTreeMap;

use roxmltree::{Document, Node};
use serde::Serialize;

use super::platform::{CISCO_IOS, IPTABLES, NFTABLES, PFSENSE, Platform};
use super::trace::Line;
use super::{Comparison, compare, expected};
use crate::ir::{DeviceId, Policy};
use crate::parallel::both;
use crate::read::{Family, Mistake, Model, Reading, cisco_ios, iptables, nftables, pfsense};

/// A file of an enforcement point, or a dump of what it runs.
#[derive(Clone, Copy, Debug)]
pub struct ConfigFile<'f> {
    /// Its name, as the build gives it: `ruleset.nft`, `rules.v4`.
    pub name: &'f str,
    /// What it holds.
    pub text: &'f str,
}

/// What came of proving one enforcement point.
#[derive(Clone, PartialEq, Debug)]
pub enum Verdict {
    /// Its config was compared with the policy.
    Compared(Comparison),
    /// Its config could not be read.
    Unreadable(Vec<Unreadable>),
    /// There is no reader for its target, so nothing is known.
    NoReader,
}

/// Something in a config that could not be read.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
pub struct Unreadable {
    /// The file.
    pub file: String,
    /// The line, counted from one; none if the file as a whole is meant.
    pub line: Option<usize>,
    /// What is wrong, in words.
    pub what: String,
}

/// What is done with the files of a target.
pub(super) struct Reader {
    target: &'static str,
    /// The files that are read, in the order in which `read` takes them; those in the second list may be absent.
    files: (&'static [&'static str], &'static [&'static str]),
    read: fn(&[ConfigFile]) -> Vec<(String, Reading)>,
    pub(super) platform: &'static Platform,
}

const READERS: [Reader; 4] = [
    Reader {
        target: "nftables",
        files: (&["ruleset.nft"], &[]),
        read: |files| of_first(files, nftables::read),
        platform: &NFTABLES,
    },
    Reader {
        target: "iptables",
        files: (&["rules.v4", "rules.v6"], &["sets.ipset"]),
        read: read_iptables,
        platform: &IPTABLES,
    },
    Reader {
        target: "pfsense",
        files: (&["filter.xml", "aliases.xml"], &["schedules.xml", "scheduled-rules.xml"]),
        read: read_pfsense,
        platform: &PFSENSE,
    },
    Reader {
        target: "cisco-ios",
        files: (&["acl.cfg"], &[]),
        read: |files| of_first(files, cisco_ios::read),
        platform: &CISCO_IOS,
    },
];

/// The whole config of a pfSense, in the place of its parts.
const PFSENSE_CONFIG: &str = "config.xml";

/// The names of files that a proof for a target reads, the first of them for a dump that is a single file; nothing if
/// there is no reader for it.
pub fn files_read(target: &str) -> Vec<&'static str> {
    let reader = READERS.iter().find(|reader| reader.target == target);
    reader.map_or_else(Vec::new, |reader| [reader.files.0, reader.files.1].concat())
}

/// Proves that the files of an enforcement point mean what the policy says.
pub fn prove(policy: &Policy, device: DeviceId, files: &[ConfigFile]) -> Verdict {
    let Some(reader) = reader_of(&policy[device].target) else { return Verdict::NoReader };
    let found = match reader.chosen(files) {
        Ok(found) => found,
        Err(missing) => return Verdict::Unreadable(missing),
    };
    // Neither looks at what the other makes.
    let (expected, read) = both(|| expected(policy, device, reader.platform), || reader.models(&found));
    match read {
        Ok(models) => {
            let models: Vec<Model> = models.into_iter().map(|(_, model)| model).collect();
            Verdict::Compared(compare(policy, device, expected, &models, reader.platform))
        }
        Err(mistakes) => Verdict::Unreadable(mistakes),
    }
}

/// How configs of a target are read, if they can be.
pub(super) fn reader_of(target: &str) -> Option<&'static Reader> {
    READERS.iter().find(|reader| reader.target == target)
}

impl Reader {
    /// The files that are read, in the order in which they are.
    ///
    /// # Errors
    /// What is missing.
    pub(super) fn chosen<'f>(
        &self,
        files: &[ConfigFile<'f>],
    ) -> Result<Vec<ConfigFile<'f>>, Vec<Unreadable>> {
        let whole = files.iter().find(|file| file.name == PFSENSE_CONFIG && self.target == "pfsense");
        if let Some(file) = whole {
            return Ok(vec![*file]);
        }
        let (mut missing, mut found) = (Vec::new(), Vec::new());
        for name in self.files.0.iter().chain(self.files.1) {
            match files.iter().find(|file| file.name == *name) {
                Some(file) => found.push(*file),
                None if self.files.1.contains(name) => {}
                None => missing.push(Unreadable {
                    file: (*name).to_owned(),
                    line: None,
                    what: "is missing".to_owned(),
                }),
            }
        }
        if missing.is_empty() { Ok(found) } else { Err(missing) }
    }

    /// What the files mean, each model with the name of what it was read from.
    ///
    /// # Errors
    /// What was not understood.
    pub(super) fn models(&self, files: &[ConfigFile]) -> Result<Vec<(String, Model)>, Vec<Unreadable>> {
        let readings = (self.read)(files);
        let mistakes: Vec<Unreadable> =
            readings.iter().flat_map(|(file, reading)| unreadable(file, reading)).collect();
        if !mistakes.is_empty() {
            return Err(mistakes);
        }
        Ok(readings.into_iter().map(|(file, reading)| (file, reading.model)).collect())
    }
}

/// The lines of sets that lie in a file of their own, each with what it says of its element: in a model one rule stands for
/// all that its set holds.
pub(super) fn labelled_elements(files: &[ConfigFile]) -> Vec<Line> {
    let sets = files.iter().filter(|file| file.name == "sets.ipset");
    let lines = sets.flat_map(|sets| {
        let comments = iptables::element_comments(sets.text).into_iter();
        comments.map(|(line, label)| Line { file: sets.name.to_owned(), line, label: Some(label) })
    });
    lines.collect()
}

fn unreadable(file: &str, reading: &Reading) -> impl Iterator<Item = Unreadable> {
    reading.mistakes.iter().map(|mistake| Unreadable {
        file: file.to_owned(),
        line: Some(mistake.line),
        what: mistake.what.clone(),
    })
}

fn of_first(files: &[ConfigFile], read: fn(&str) -> Reading) -> Vec<(String, Reading)> {
    files.iter().take(1).map(|file| (file.name.to_owned(), read(file.text))).collect()
}

fn read_iptables(files: &[ConfigFile]) -> Vec<(String, Reading)> {
    let text = |name: &str| files.iter().find(|file| file.name == name).map_or("", |file| file.text);
    let families = [("rules.v4", Family::V4), ("rules.v6", Family::V6)];
    let read = |(name, family): (&str, Family)| {
        (name.to_owned(), iptables::read(text(name), text("sets.ipset"), family))
    };
    let [v4, v6] = families;
    let (v4, v6) = both(|| read(v4), || read(v6));
    vec![v4, v6]
}

/// The areas of a config, with rules that have a schedule where `cordon splice` puts them.
fn read_pfsense(files: &[ConfigFile]) -> Vec<(String, Reading)> {
    let name = files.iter().map(|file| file.name).collect::<Vec<_>>().join(", ");
    let text = |name: &str| files.iter().find(|file| file.name == name).map(|file| file.text);
    let whole = match (text("filter.xml"), text("scheduled-rules.xml")) {
        (Some(filter), Some(scheduled)) => match joined(filter, scheduled) {
            Ok((whole, _)) => Some(whole),
            Err(what) => {
                let mistakes = vec![Mistake { line: 1, what }];
                return vec![(name, Reading { mistakes, ..Reading::default() })];
            }
        },
        _ => None,
    };
    let joined_files = ["filter.xml", "scheduled-rules.xml"];
    let others = files.iter().filter(|file| whole.is_none() || !joined_files.contains(&file.name));
    let texts: Vec<&str> = whole.iter().map(String::as_str).chain(others.map(|file| file.text)).collect();
    vec![(name, pfsense::read(&texts))]
}

/// Where the lines of a text come from: the first line of each stretch, the file, and the line in it.
pub(super) type Origins = Vec<(usize, &'static str, usize)>;

/// Where the lines that models count come from, for files of which several are read as one text; none where a model is
/// read from the file of its name.
pub(super) fn origins(files: &[ConfigFile]) -> Option<Origins> {
    let text = |name: &str| files.iter().find(|file| file.name == name).map(|file| file.text);
    let filter = text("filter.xml")?;
    match text("scheduled-rules.xml") {
        Some(scheduled) => joined(filter, scheduled).ok().map(|(_, origins)| origins),
        None => Some(vec![(1, "filter.xml", 1)]),
    }
}

/// `filter.xml` with each rule of `scheduled-rules.xml` behind the rule whose tracker stands before it, on a line of its
/// own; and where its lines come from.
fn joined(filter: &str, scheduled: &str) -> Result<(String, Origins), String> {
    let [filter_tree, scheduled_tree] =
        [filter, scheduled].map(|text| Document::parse(text).map_err(|error| error.to_string()));
    let (filter_tree, scheduled_tree) = (filter_tree?, scheduled_tree?);
    let child = |node: Node, name: &str| {
        let found = node.children().find(|child| child.has_tag_name(name));
        found.and_then(|child| child.text()).unwrap_or_default().trim().to_owned()
    };
    let rules = filter_tree.root_element().children().filter(|node| node.has_tag_name("rule"));
    let ends: BTreeMap<String, usize> =
        rules.map(|rule| (child(rule, "tracker"), rule.range().end)).collect();
    let mut insertions: BTreeMap<usize, Vec<Node>> = BTreeMap::new();
    let mut behind = None;
    for node in scheduled_tree.root_element().children().filter(Node::is_element) {
        if node.has_tag_name("behind") {
            let tracker = node.text().unwrap_or_default().trim();
            let end =
                ends.get(tracker).ok_or_else(|| format!("there is no rule with the tracker `{tracker}`"))?;
            behind = Some(*end);
        } else {
            let place = behind.ok_or("a scheduled rule stands behind no tracker")?;
            insertions.entry(place).or_default().push(node);
        }
    }
    let lines = |text: &str| 1 + text.matches('\n').count();
    let (mut whole, mut done) = (String::new(), 0);
    let mut origins = vec![(1, "filter.xml", 1)];
    for (place, nodes) in insertions {
        whole.push_str(filter.get(done..place).unwrap_or_default());
        for node in nodes {
            whole.push('\n');
            let line = lines(scheduled.get(..node.range().start).unwrap_or_default());
            origins.push((lines(&whole), "scheduled-rules.xml", line));
            whole.push_str(scheduled.get(node.range()).unwrap_or_default());
        }
        whole.push('\n');
        origins.push((lines(&whole), "filter.xml", lines(filter.get(..place).unwrap_or_default())));
        done = place;
    }
    whole.push_str(filter.get(done..).unwrap_or_default());
    Ok((whole, origins))
}
