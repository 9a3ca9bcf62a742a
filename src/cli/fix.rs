//! `cordon check`, and what it corrects with `--fix`.
//!
//! Fixes are applied to texts in memory until none is left, and the result is checked like any policy. It is written only
//! if it has no finding that was not there before, and compiles to the same bytes if the policy compiled before.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use serde::Serialize;

use super::args::{Common, Options};
use super::commands::{Checked, count, read_and_check, read_and_check_with};
use super::rewrite::{unified, write};
use super::terminal::print;
use super::{Failure, Outcome};
use crate::diag::{Diagnostics, Record, records};
use crate::edit::{Edit, Rewritten, apply, widened};
use crate::emit::OutputFile;
use crate::source::Sources;

/// After so many rounds of fixes there are none left, or they do not come to an end.
const MAX_ROUNDS: usize = 100;

/// What `--fix` or `--diff` did, as JSON.
#[derive(Serialize)]
struct Fixed {
    /// How many findings have a fix that was applied.
    fixed: usize,
    /// The files that change.
    files: Vec<String>,
    /// True if they were written.
    written: bool,
    /// The changes, as `diff -u` writes them.
    diff: String,
    /// Findings that the fixes would bring about, for which nothing was written.
    brought_about: Vec<Record>,
    /// True if the output would change, for which nothing was written.
    output_changes: bool,
}

/// A policy after all fixes.
struct Corrected {
    checked: Checked,
    output: Vec<OutputFile>,
    files: Vec<Rewritten>,
    fixed: usize,
}

/// Checks a policy, and corrects it if asked to.
pub(super) fn check(common: &Common, fix: bool, diff: bool) -> Result<Outcome, Failure> {
    let options = &common.options;
    let mut checked = read_and_check(&common.path, options)?;
    let output = checked.compile();
    if !fix && !diff {
        checked.report(options, "check", &())?;
        checked.summarise(options, &checked.size())?;
        return Ok(checked.outcome());
    }
    let before = (checked.diagnostics.has_errors(), said(&checked.diagnostics, &checked.sources), output);
    let corrected = correct(&common.path, options, checked)?;
    let (had_errors, found, output) = before;
    let brought_about = brought_about(&corrected.checked, had_errors, found);
    let output_changes = !had_errors && corrected.output != output;
    let mut result = Fixed {
        fixed: corrected.fixed,
        files: corrected.files.iter().map(|file| file.path.clone()).collect(),
        written: false,
        diff: unified(&corrected.files),
        brought_about,
        output_changes,
    };
    if output_changes || !result.brought_about.is_empty() {
        return refuse(common, &result);
    }
    if diff {
        return show(options, &corrected, &result);
    }
    if !corrected.files.is_empty() {
        write(&corrected.checked.root, &corrected.files)?;
        result.written = true;
    }
    corrected.checked.report(options, "check", &result)?;
    let fixed = match result.fixed {
        0 => "nothing to fix".to_owned(),
        fixed => format!("fixed {} in {}", count(fixed, "finding"), result.files.join(", ")),
    };
    corrected.checked.summarise(options, &format!("{fixed}; {}", corrected.checked.size()))?;
    Ok(corrected.checked.outcome())
}

/// Applies fixes until none is left.
fn correct(path: &Path, options: &Options, checked: Checked) -> Result<Corrected, Failure> {
    let mut corrected = Corrected { checked, output: Vec::new(), files: Vec::new(), fixed: 0 };
    for _ in 0..MAX_ROUNDS {
        let (edits, fixed) = apart(&corrected.checked.diagnostics, &corrected.checked.sources);
        let rewritten = apply(&corrected.checked.sources, &edits);
        let rewritten = rewritten.map_err(|error| Failure(format!("{error}; nothing was changed")))?;
        if rewritten.is_empty() {
            if corrected.files.is_empty() {
                corrected.output = corrected.checked.compile();
            }
            return Ok(corrected);
        }
        corrected.fixed += fixed;
        for file in rewritten {
            match corrected.files.iter_mut().find(|known| known.path == file.path) {
                Some(known) => known.after = file.after,
                None => corrected.files.push(file),
            }
        }
        corrected.checked = read_and_check_with(path, &corrected.files, options)?;
        corrected.output = corrected.checked.compile();
    }
    Err(Failure(format!("fixes do not come to an end after {MAX_ROUNDS} rounds; nothing was changed")))
}

/// The edits of as many fixes as do not meet, and how many these are. The others have their turn in the next round.
fn apart(diagnostics: &Diagnostics, sources: &Sources) -> (Vec<Edit>, usize) {
    let mut taken: BTreeMap<usize, usize> = BTreeMap::new();
    let (mut edits, mut fixed) = (Vec::new(), 0);
    for fix in diagnostics.fixes() {
        let places: Vec<(usize, usize)> = fix
            .iter()
            .map(|edit| widened(sources, edit))
            .map(|span| (span.start(), span.end_offset()))
            .collect();
        let meets = |(start, end): &(usize, usize)| {
            let before = taken.range(..=*end).next_back();
            before.is_some_and(|(_, taken_end)| taken_end >= start)
        };
        if !places.iter().any(meets) {
            taken.extend(places);
            edits.extend(fix.iter().cloned());
            fixed += 1;
        }
    }
    (edits, fixed)
}

/// How often each finding was there, by severity, code and message: places move.
type Said = BTreeMap<(&'static str, String, String), usize>;

fn said(diagnostics: &Diagnostics, sources: &Sources) -> Said {
    let mut said = Said::new();
    for record in records(diagnostics, sources) {
        *said.entry((record.severity, record.code, record.message)).or_default() += 1;
    }
    said
}

/// The findings that were not there before. Where there were errors, much was not looked at yet, so only errors count then.
fn brought_about(checked: &Checked, had_errors: bool, mut before: Said) -> Vec<Record> {
    let mut fresh = Vec::new();
    for record in records(&checked.diagnostics, &checked.sources) {
        let key = (record.severity, record.code.clone(), record.message.clone());
        match before.get_mut(&key) {
            Some(left) if *left > 0 => *left -= 1,
            _ if had_errors && record.severity != "error" => {}
            _ => fresh.push(record),
        }
    }
    fresh
}

/// Says why nothing is written, beside what is found in the policy as it is.
fn refuse(common: &Common, result: &Fixed) -> Result<Outcome, Failure> {
    let options = &common.options;
    let mut checked = read_and_check(&common.path, options)?;
    checked.compile();
    checked.report(options, "check", result)?;
    let mut text = String::new();
    for Record { code, message, .. } in &result.brought_about {
        text += &format!("the fixes would bring about {code}: {message}\n");
    }
    if result.output_changes {
        text += "the fixes would change the output\n";
    }
    if options.format.is_text() {
        print(io::stderr(), &text)?;
    }
    checked.summarise(options, "nothing was changed; correct it by hand")?;
    Ok(Outcome::Findings)
}

/// Shows what would be written.
fn show(options: &Options, corrected: &Corrected, result: &Fixed) -> Result<Outcome, Failure> {
    let checked = &corrected.checked;
    if options.format.is_text() {
        print(io::stdout(), &result.diff)?;
    } else {
        checked.report(options, "check", result)?;
    }
    if result.files.is_empty() {
        checked.summarise(options, &format!("nothing to fix; {}", checked.size()))?;
        return Ok(checked.outcome());
    }
    let (fixed, files) = (count(result.fixed, "finding"), count(result.files.len(), "file"));
    checked.summarise(options, &format!("would fix {fixed} in {files}, which leaves"))?;
    Ok(Outcome::Findings)
}
