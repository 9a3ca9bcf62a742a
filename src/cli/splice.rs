//! The command `splice`: a policy into the config of a pfSense.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::args::Common;
use super::commands::read_and_check;
use super::config::read_config;
use super::messages::finding;
use super::output::replace_file;
use super::terminal::print;
use super::{Failure, Outcome};
use crate::diag::Record;
use crate::emit::{Spliced, splice};
use crate::ir::Policy;

/// The largest config, in bytes: 256 MiB. Backups with traffic graphs in them have some ten.
const MAX_CONFIG_BYTES: u64 = 256 << 20;

/// What `splice` says it wrote.
#[derive(Serialize)]
struct Written {
    /// The file, unless nothing was written.
    file: Option<PathBuf>,
    rules: usize,
    aliases: usize,
    schedules: usize,
    warnings: Vec<String>,
}

/// Compiles a policy, and puts the rules, aliases and schedules of one enforcement point into its config.
pub(super) fn run(
    common: &Common,
    device: &str,
    into: &Path,
    out: Option<&Path>,
) -> Result<Outcome, Failure> {
    let options = &common.options;
    let mut checked = read_and_check(&common.path, options)?;
    if !checked.diagnostics.has_errors() {
        require_pfsense(&checked.policy, device)?;
    }
    let files = checked.compile();
    if checked.outcome() == Outcome::Findings {
        checked.report(options, "splice", &None::<Written>)?;
        checked.summarise(options, "nothing was written")?;
        return Ok(Outcome::Findings);
    }
    let refused = |what: String| Failure(format!("`{}`: {what}", into.display()));
    let config = read_config(into, MAX_CONFIG_BYTES)?;
    if !into.is_file() {
        return Err(refused("it is no file, whose rights what is written could have".to_owned()));
    }
    let Spliced { config: made, rules, aliases, schedules, warnings } =
        splice(&config, device, &files).map_err(|problem| refused(problem.to_string()))?;
    if options.format.is_text() {
        let lines: String = warnings.iter().map(|warning| format!("warning: {warning}\n")).collect();
        print(io::stderr(), &lines)?;
    }
    let findings: Vec<Record> = match options.format.is_for_ci() {
        true => warnings.iter().map(|warning| finding("spliced", "warning", warning.clone())).collect(),
        false => Vec::new(),
    };
    let file = out.unwrap_or(into);
    if options.deny_warnings && !warnings.is_empty() {
        let written = Written { file: None, rules, aliases, schedules, warnings };
        checked.report_with(options, "splice", &Some(written), findings)?;
        checked.summarise(options, "nothing was written")?;
        return Ok(Outcome::Findings);
    }
    replace(file, into, &made)?;
    let written = Written { file: Some(file.to_path_buf()), rules, aliases, schedules, warnings };
    checked.report_with(options, "splice", &Some(written), findings)?;
    let counts = match schedules {
        0 => format!("{rules} rules and {aliases} aliases"),
        _ => format!("{rules} rules, {aliases} aliases and {schedules} schedules"),
    };
    let text = format!("wrote {counts} into {}", file.display());
    checked.summarise(options, &text)?;
    Ok(Outcome::Fine)
}

fn require_pfsense(policy: &Policy, name: &str) -> Result<(), Failure> {
    let mut devices = policy.devices.iter();
    match devices.find(|device| device.name == name) {
        Some(device) if device.target == "pfsense" => Ok(()),
        Some(device) => Err(Failure(format!("`{name}` takes no pfSense config, but {}", device.target))),
        None => {
            let known: Vec<&str> = policy.devices.iter().map(|device| device.name.as_str()).collect();
            Err(Failure(format!("the policy has no enforcement point `{name}`, but {}", known.join(", "))))
        }
    }
}

/// Replaces a config, so that a reader sees the old one or the new, and a crash leaves one of the two. It has the rights of
/// `model`: a config holds secrets.
fn replace(path: &Path, model: &Path, content: &str) -> Result<(), Failure> {
    let failed = |problem: io::Error| Failure(format!("cannot write `{}`: {problem}", path.display()));
    let path = if path.exists() { fs::canonicalize(path) } else { std::path::absolute(path) };
    let path = path.map_err(failed)?;
    let parent =
        path.parent().ok_or_else(|| Failure("the output cannot be the root directory".to_owned()))?;
    let rights = fs::metadata(model).map_err(failed)?.permissions();
    replace_file(parent, &path, content, Some(rights)).map_err(failed)
}
