//! The command `fmt`: policies in one style, or what would change for that.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use clap::Args;

use super::commands::count;
use super::load::{Form, MARK, load_files, policy_text, printable, without_mark};
use super::messages::Place;
use super::rewrite::{unified, write};
use super::terminal::{self, print};
use super::{Failure, Outcome, stdin};
use crate::diag::Diagnostics;
use crate::edit::Rewritten;
use crate::format::format;
use crate::source::{SourceFile, Sources};
use crate::syntax::parse;

pub(super) const HELP: &str = "\
Examples:
  cordon fmt                             the policy in the current directory, with all that it includes
  cordon fmt policy imaging.cordon       a policy and one more file
  cordon fmt --check                     for CI: names the files that would change
  cordon fmt --diff                      shows what would change
  cordon fmt - < old.cordon > new.cordon

The names of the files that change go to standard output. A file that cannot be read as a policy is left as it is, and the
others are written all the same. docs/formatting.md says what the style is.

Exit codes:
  0  all is written in the one style
  1  with --check or --diff: a file would change
  2  wrong usage, or a file that cannot be read or has mistakes in its form";

#[derive(Args, Debug)]
pub(super) struct Formatting {
    /// Policies, each a directory of `.cordon` files with what they include; or files, each by itself; or `-` for standard
    /// input
    #[arg(default_value = ".", value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Write nothing, and name the files that would change
    #[arg(long)]
    check: bool,
    /// Write nothing, and show what would change
    #[arg(long, conflicts_with = "check")]
    diff: bool,
    /// How messages call standard input
    #[arg(long, value_name = "NAME", default_value = stdin::NAME)]
    stdin_filename: String,
}

/// What was read, and how it should be.
#[derive(Default)]
struct Formatted {
    /// The files seen, each once, however it was named.
    seen: BTreeSet<PathBuf>,
    files: usize,
    changes: Vec<Rewritten>,
    /// How many files are left as they are for what is wrong with them.
    broken: usize,
    /// True if an include leads nowhere, so that files may be missing.
    is_partial: bool,
}

/// Runs the command.
pub(super) fn run(arguments: &Formatting) -> Result<Outcome, Failure> {
    if arguments.paths.iter().any(|path| stdin::is_meant(path)) {
        if arguments.paths.len() > 1 {
            return Err(Failure(
                "standard input is formatted by itself: name no other files beside `-`".into(),
            ));
        }
        return run_input(arguments);
    }
    let mut formatted = Formatted::default();
    for path in &arguments.paths {
        if path.is_dir() { formatted.policy(path)? } else { formatted.file(path)? }
    }
    let writes = !arguments.check && !arguments.diff;
    if writes {
        write(Path::new(""), &formatted.changes)?;
    }
    if arguments.diff {
        print(io::stdout(), &formatted.difference())?;
    } else {
        let names: String = formatted.changes.iter().map(|file| printable(&file.path) + "\n").collect();
        print(io::stdout(), &names)?;
    }
    let (changed, files) = (formatted.changes.len(), count(formatted.files, "file"));
    let verb = if writes { "formatted" } else { "would format" };
    if !terminal::is_quiet() {
        print(io::stderr(), &format!("{verb} {changed} of {files}\n"))?;
    }
    formatted.outcome(!writes)
}

/// From standard input to standard output.
fn run_input(arguments: &Formatting) -> Result<Outcome, Failure> {
    let name = &arguments.stdin_filename;
    let text = stdin::read()?;
    let mut formatted = Formatted::default();
    let after = formatted.alone(name, text)?;
    if arguments.diff {
        print(io::stdout(), &formatted.difference())?;
    } else if arguments.check {
        let name = printable(name) + "\n";
        print(io::stdout(), if formatted.changes.is_empty() { "" } else { &name })?;
    } else {
        print(io::stdout(), &after.unwrap_or_default())?;
    }
    formatted.outcome(arguments.check || arguments.diff)
}

impl Formatted {
    /// Formats the files of a policy.
    fn policy(&mut self, path: &Path) -> Result<(), Failure> {
        let mut diagnostics = Diagnostics::default();
        let loaded = load_files(path, &mut diagnostics)?;
        let broken = loaded.forms.iter().filter(|form| form.is_broken).count();
        self.is_partial |= diagnostics.has_errors() && broken == 0;
        print(io::stderr(), &Place::of(path).human(&diagnostics, &loaded.sources))?;
        for (source, form) in loaded.sources.files().iter().zip(&loaded.forms) {
            let real = fs::canonicalize(loaded.root.join(source.path()));
            if real.is_ok_and(|real| !self.seen.insert(real)) {
                continue;
            }
            let shown = path.join(source.path());
            let shown = shown.strip_prefix(".").unwrap_or(&shown);
            self.add(&shown.to_string_lossy(), source, *form)?;
        }
        Ok(())
    }

    /// Formats a file by itself.
    fn file(&mut self, path: &Path) -> Result<(), Failure> {
        let shown = path.to_string_lossy();
        let failed = |problem: String| Failure(format!("cannot read `{}`: {problem}", printable(&shown)));
        let real = fs::canonicalize(path).map_err(|problem| failed(problem.to_string()))?;
        if self.seen.insert(real) {
            let text = policy_text(path).map_err(failed)?;
            self.alone(&shown, text)?;
        }
        Ok(())
    }

    /// Formats one text, and gives what it is then.
    fn alone(&mut self, name: &str, text: String) -> Result<Option<String>, Failure> {
        let (mut sources, mut diagnostics) = (Sources::default(), Diagnostics::default());
        let has_mark = text.starts_with(MARK);
        let too_large = |_| Failure(format!("the policy is larger than {} bytes", Sources::MAX_BYTES));
        let source = sources.add(printable(name), without_mark(text)).map_err(too_large)?.clone();
        parse(&source, &mut diagnostics);
        print(io::stderr(), &Place::stdin(name).human(&diagnostics, &sources))?;
        self.add(name, &source, Form { is_broken: diagnostics.has_errors(), has_mark })
    }

    /// Formats a file that was parsed, unless it is broken, and gives its text.
    fn add(&mut self, path: &str, source: &SourceFile, form: Form) -> Result<Option<String>, Failure> {
        self.files += 1;
        if form.is_broken {
            self.broken += 1;
            return Ok(None);
        }
        let after = format(source)
            .map_err(|problem| Failure(format!("`{}` cannot be formatted: {problem}", printable(path))))?;
        let mark = if form.has_mark { MARK.to_string() } else { String::new() };
        let before = mark + source.text();
        if before != after {
            self.changes.push(Rewritten { path: path.to_owned(), before, after: after.clone() });
        }
        Ok(Some(after))
    }

    /// What changes, line by line.
    fn difference(&self) -> String {
        let shown = |file: &Rewritten| Rewritten { path: printable(&file.path), ..file.clone() };
        unified(&self.changes.iter().map(shown).collect::<Vec<_>>())
    }

    /// How the command ends.
    fn outcome(&self, only_looks: bool) -> Result<Outcome, Failure> {
        match self.broken {
            0 if self.is_partial => {
                Err(Failure("the files that cannot be included were not formatted".into()))
            }
            0 if only_looks && !self.changes.is_empty() => Ok(Outcome::Findings),
            0 => Ok(Outcome::Fine),
            1 => Err(Failure("1 file has mistakes in its form, and is left as it is".to_owned())),
            broken => {
                Err(Failure(format!("{broken} files have mistakes in their form, and are left as they are")))
            }
        }
    }
}
