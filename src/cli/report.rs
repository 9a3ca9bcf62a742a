//! The command `report`: a policy as pages for people.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::args::Common;
use super::commands::{count, read_and_check, shown_default};
use super::terminal::stage;
use super::{Failure, Outcome, stdin};
use crate::diag;
use crate::report::report;

/// The name of the command, and of the directory that it writes if none is named.
const NAME: &str = "report";

/// What `report` says it wrote.
#[derive(Serialize)]
struct Written {
    directory: PathBuf,
    files: Vec<String>,
}

/// Writes the report on a policy that is free of errors.
pub(super) fn run(common: &Common, out: Option<&Path>) -> Result<Outcome, Failure> {
    let options = &common.options;
    stdin::require_out(&common.path, out)?;
    let mut checked = read_and_check(&common.path, options)?;
    // What cannot be compiled is a finding too, and the pages list all warnings.
    checked.compile();
    let outcome = checked.outcome();
    if outcome == Outcome::Findings {
        checked.report(options, NAME, &None::<Written>)?;
        checked.summarise(options, "nothing was written")?;
        return Ok(outcome);
    }
    let findings = diag::records(&checked.diagnostics, &checked.sources);
    stage("writing the pages");
    let files = report(&checked.policy, &checked.sources, &findings);
    let files = files.map_err(|error| Failure(error.to_string()))?;
    let directory = out.map_or_else(|| checked.root.join(NAME), Path::to_path_buf);
    let files = checked.write(&directory, &files, Some(NAME))?;
    let written = count(files.len(), "file");
    checked.report(options, NAME, &Some(Written { directory, files }))?;
    let shown = out.map_or_else(|| shown_default(&common.path, NAME), Path::to_path_buf);
    checked.summarise(options, &format!("wrote {written} to {}", shown.display()))?;
    Ok(outcome)
}
