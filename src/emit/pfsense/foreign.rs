//! What a config holds besides cordon's own: what stands against a splice, and what a reader of the policy must know.

use std::collections::BTreeSet;

use roxmltree::Node;

use super::splice::{Ours, SpliceError, elements, names, printable, section, text};

/// The versions of configs that the output was made for: of pfSense 2.7.2, and of the development branch.
const VERSIONS: (f64, f64) = (23.3, 24.5);

/// Refuses what a splice would break, and gives warnings for people.
pub(super) fn check(
    root: Node,
    ours: Ours,
    rules: &[Node],
    aliases: &[Node],
) -> Result<Vec<String>, SpliceError> {
    let interfaces: BTreeSet<&str> = rules.iter().map(|rule| text(*rule, "interface")).collect();
    let assigned = section(root, "interfaces")?.ok_or(SpliceError::Missing("interfaces"))?;
    for interface in &interfaces {
        if section(assigned, interface)?.is_none() {
            return Err(SpliceError::NoInterface((*interface).to_owned()));
        }
    }
    check_names(root, assigned, ours, aliases)?;
    let mut warnings = Vec::new();
    let version = text(root, "version");
    if !version.parse::<f64>().is_ok_and(|version| (VERSIONS.0..=VERSIONS.1).contains(&version)) {
        warnings.push(format!(
            "the config has the version `{}`; cordon knows {} (pfSense 2.7.2) to {}",
            printable(version),
            VERSIONS.0,
            VERSIONS.1
        ));
    }
    for interface in assigned.children().filter(Node::is_element) {
        let name = interface.tag_name().name();
        let shown = printable(name);
        match (interfaces.contains(name), has(interface, "enable")) {
            (true, false) => {
                warnings.push(format!("the interface `{shown}` is switched off, and the policy for it too"));
            }
            (false, true) => warnings.push(format!(
                "the policy does not name the interface `{shown}`; what its own rules let pass, passes"
            )),
            (true, true) | (false, false) => {}
        }
    }
    if let Some(filter) = section(root, "filter")? {
        let foreign = elements(filter, "rule").filter(|rule| !ours.rules.contains(rule));
        warnings.extend(foreign.filter_map(|rule| warning(root, rule, &interfaces)));
    }
    Ok(warnings)
}

/// Refuses names that others have, and the loss of those that others use.
fn check_names(root: Node, assigned: Node, ours: Ours, aliases: &[Node]) -> Result<(), SpliceError> {
    let (old, new) = (names(ours.aliases), names(aliases));
    let listed = section(root, "aliases")?.into_iter().flat_map(|section| elements(section, "alias"));
    let foreign = listed.filter(|alias| !ours.aliases.contains(alias)).map(|alias| text(alias, "name"));
    let groups = section(root, "ifgroups")?.into_iter().flat_map(|groups| elements(groups, "ifgroupentry"));
    let described = assigned.children().filter(Node::is_element).map(|interface| text(interface, "descr"));
    let taken = foreign.chain(groups.map(|group| text(group, "ifname"))).chain(described);
    for name in taken {
        if let Some(found) = new.iter().find(|known| known.eq_ignore_ascii_case(name)) {
            return Err(SpliceError::Taken((*found).to_owned()));
        }
    }
    let gone: BTreeSet<&str> = old.difference(&new).copied().collect();
    let is_ours = |node: &Node| ours.rules.contains(node) || ours.aliases.contains(node);
    let mut waiting = vec![root];
    while let Some(node) = waiting.pop() {
        if node.is_text() {
            let mut words = node.text().unwrap_or_default().split([' ', ',', '\n', '\t', '\r']);
            if let Some(word) = words.find(|word| gone.contains(word)) {
                return Err(SpliceError::StillUsed(word.to_owned()));
            }
        }
        waiting.extend(node.children().filter(|child| !is_ours(child)));
    }
    Ok(())
}

fn has(node: Node, name: &str) -> bool {
    elements(node, name).next().is_some()
}

/// What is to be known of a rule that is not cordon's.
fn warning(root: Node, rule: Node, interfaces: &BTreeSet<&str>) -> Option<String> {
    if has(rule, "disabled") {
        return None;
    }
    let (interface, descr) = (text(rule, "interface"), printable(text(rule, "descr")));
    let opens = !matches!(text(rule, "type"), "block" | "reject");
    let ours = |list: &str| list.split([',', ' ']).any(|name| interfaces.contains(name));
    if has(rule, "floating") {
        let meant = interface.is_empty() || interface == "any" || ours(interface);
        return (meant && opens).then(|| {
            format!("the floating rule `{descr}` comes before the policy and can let more pass than it does")
        });
    }
    if interfaces.contains(interface) {
        return Some(format!(
            "the rule `{descr}` on `{interface}` is never reached, since the policy decides before it"
        ));
    }
    let groups = elements(root, "ifgroups").flat_map(|groups| elements(groups, "ifgroupentry"));
    let mut groups = groups.filter(|group| text(*group, "ifname") == interface);
    let meant = groups.any(|group| ours(text(group, "members")));
    (meant && opens).then(|| {
        format!(
            "the rule `{descr}` of the group `{}` comes before the policy and can let more pass than it does",
            printable(interface)
        )
    })
}
