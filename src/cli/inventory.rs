//! `cordon inventory`: the devices of a policy, and what changed since an earlier export.

use std::path::Path;

use super::args::Common;
use super::commands::{as_of, read_and_check};
use super::config::read_config;
use super::load::{Loaded, MAX_TABLE_BYTES, load, printable};
use super::messages::require_place_for_answer;
use super::terminal::columns;
use super::{Failure, Outcome};
use crate::check::check;
use crate::diag::{Diagnostics, human};
use crate::inventory::Inventories;
use crate::ir::Policy;
use crate::report::{Changes, Picture};

/// Runs the command.
pub(super) fn run(common: &Common, since: Option<&Path>, name: Option<&str>) -> Result<Outcome, Failure> {
    let options = &common.options;
    require_place_for_answer(options, "inventory")?;
    let checked = read_and_check(&common.path, options)?;
    if checked.diagnostics.has_errors() {
        checked.report(options, "inventory", &())?;
        return Ok(Outcome::Findings);
    }
    if checked.policy.assets.is_empty() {
        let help = "add `inventory NAME { file \"devices.csv\" }`";
        return Err(Failure(format!("the policy knows no devices of an inventory: {help}")));
    }
    match since {
        Some(since) => {
            let changes = changes(common, &checked.policy, since, name)?;
            checked.answer(options, "inventory", &changes)?;
        }
        None => {
            let picture = Picture::new(&checked.policy, &checked.sources);
            checked.answer(options, "inventory", &picture)?;
        }
    }
    Ok(checked.outcome())
}

/// What changed since an earlier export.
fn changes(common: &Common, now: &Policy, since: &Path, name: Option<&str>) -> Result<Changes, Failure> {
    let mut diagnostics = Diagnostics::default();
    let mut loaded = load(&common.path, &[], &mut diagnostics)?;
    let name = put_in_place(&mut loaded, since, name)?;
    let inventories = Inventories::read(&loaded.exports, &mut diagnostics);
    if diagnostics.has_errors() {
        let text = human(&diagnostics, &loaded.sources, columns(), false);
        return Err(Failure(format!("the earlier export cannot be compared\n{text}")));
    }
    // What is wrong with the policy as it was then, if anything, is not asked for.
    let then = check(&loaded.files, inventories, as_of(&common.options), &mut Diagnostics::default());
    Ok(Changes::new(&name, &then, now))
}

/// Puts an earlier export in the place of the table of an inventory, and says of which.
fn put_in_place(loaded: &mut Loaded, since: &Path, name: Option<&str>) -> Result<String, Failure> {
    let names = loaded.exports.iter().map(|export| export.statement.name.node.as_str());
    let mut names: Vec<&str> = names.collect();
    names.sort_unstable();
    let known = || names.join(", ");
    let name = match (name, &names[..]) {
        (Some(name), _) if names.contains(&name) => name.to_owned(),
        (Some(name), _) => {
            return Err(Failure(format!("the policy has no inventory `{name}`; it has {}", known())));
        }
        (None, [only]) => (*only).to_owned(),
        (None, _) => {
            let help = "say with `--inventory NAME` which of them this is an export of";
            return Err(Failure(format!("the policy has several inventories ({}): {help}", known())));
        }
    };
    let text = read_config(since, MAX_TABLE_BYTES)?;
    let text = text.strip_prefix('\u{feff}').map_or(text.as_str(), |rest| rest).to_owned();
    let shown = printable(&since.to_string_lossy());
    let too_large = |_| Failure("the policy and the earlier export together are too large".to_owned());
    let table = loaded.sources.add(shown, text).map_err(too_large)?.clone();
    for export in loaded.exports.iter_mut().filter(|export| export.statement.name.node == name) {
        export.table = table.clone();
    }
    Ok(name)
}
