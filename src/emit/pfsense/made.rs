//! The files of a build, read again for a splice: all rules of the device in the order in which they are evaluated.

use std::collections::BTreeMap;

use roxmltree::{Document, Node};

use super::splice::{SpliceError, elements, names, text};
use super::{ALIASES, FILTER, SCHEDULED_RULES, SCHEDULES};
use crate::emit::OutputFile;

/// The files for one device, parsed. Those for schedules are there only if rules have some.
pub(super) struct Files<'f> {
    filter: Document<'f>,
    aliases: Document<'f>,
    scheduled: Option<(Document<'f>, Document<'f>)>,
}

/// What they put into a config.
pub(super) struct Made<'d, 'f> {
    pub(super) rules: Vec<Node<'d, 'f>>,
    pub(super) aliases: Vec<Node<'d, 'f>>,
    pub(super) schedules: Vec<Node<'d, 'f>>,
    /// The clock by which the hours of the schedules are meant; `None` without schedules.
    pub(super) clock: Option<&'d str>,
}

impl<'f> Files<'f> {
    /// Finds and parses the files of a device.
    pub(super) fn parse(device: &str, files: &'f [OutputFile]) -> Result<Self, SpliceError> {
        let parsed = |name: &str| {
            let path = format!("{device}/{name}");
            let file = files.iter().find(|file| file.path == path)?;
            Some(Document::parse(&file.content).map_err(|error| SpliceError::Bug(error.to_string())))
        };
        let missing = |name: &str| SpliceError::Bug(format!("there is no `{name}`"));
        let scheduled = match (parsed(SCHEDULED_RULES), parsed(SCHEDULES)) {
            (Some(rules), Some(schedules)) => Some((rules?, schedules?)),
            (None, None) => None,
            (Some(_), None) => return Err(missing(SCHEDULES)),
            (None, Some(_)) => return Err(missing(SCHEDULED_RULES)),
        };
        Ok(Files {
            filter: parsed(FILTER).ok_or_else(|| missing(FILTER))??,
            aliases: parsed(ALIASES).ok_or_else(|| missing(ALIASES))??,
            scheduled,
        })
    }

    /// What they put into a config.
    pub(super) fn made(&self) -> Result<Made<'_, 'f>, SpliceError> {
        let rules = elements(self.filter.root_element(), "rule").collect();
        let aliases = elements(self.aliases.root_element(), "alias").collect();
        let Some((scheduled, schedules)) = &self.scheduled else {
            return Ok(Made { rules, aliases, schedules: Vec::new(), clock: None });
        };
        let root = schedules.root_element();
        let schedules: Vec<Node> = elements(root, "schedule").collect();
        let clock = root.attribute("clock").ok_or_else(|| {
            SpliceError::Unfit(format!("`{SCHEDULES}` does not say by which clock its hours are meant"))
        })?;
        let rules = merged(rules, scheduled.root_element())?;
        has_its_schedules(&rules, &schedules)?;
        Ok(Made { rules, aliases, schedules, clock: Some(clock) })
    }
}

/// Rules that always hold, and behind each those with a schedule that belong there.
fn merged<'d, 'f>(
    always: Vec<Node<'d, 'f>>,
    scheduled: Node<'d, 'f>,
) -> Result<Vec<Node<'d, 'f>>, SpliceError> {
    let mut groups: BTreeMap<&str, Vec<Node>> = BTreeMap::new();
    let mut behind = "";
    for node in scheduled.children().filter(Node::is_element) {
        if node.has_tag_name("behind") {
            behind = node.text().unwrap_or_default().trim();
        } else {
            groups.entry(behind).or_default().push(node);
        }
    }
    let mut rules = Vec::new();
    for rule in always {
        rules.push(rule);
        rules.extend(groups.remove(text(rule, "tracker")).into_iter().flatten());
    }
    match groups.into_keys().next() {
        None => Ok(rules),
        Some(tracker) => Err(SpliceError::Unfit(format!(
            "`{FILTER}` has no rule with the tracker `{tracker}`, behind which others belong"
        ))),
    }
}

/// Refuses a rule whose schedule is not there, since pfSense would let it hold at all times.
fn has_its_schedules(rules: &[Node], schedules: &[Node]) -> Result<(), SpliceError> {
    let known = names(schedules);
    let mut named =
        rules.iter().flat_map(|rule| elements(*rule, "sched")).map(|sched| sched.text().unwrap_or_default());
    match named.find(|name| !known.contains(name.trim())) {
        None => Ok(()),
        Some(name) => Err(SpliceError::Unfit(format!("`{SCHEDULES}` has no schedule `{name}`"))),
    }
}
