//! The command `init`: the policy of a small hospital to start from, with the files that check it in CI.
//!
//! The files are those of `examples/small-hospital`, which the tests check, build and read like any other example. A
//! policy that is there already is never touched, and either all files are written or none.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use jiff::civil::Date;

use super::args::{Format, Options};
use super::commands::{as_of, count};
use super::load::printable;
use super::terminal::print;
use super::{Failure, Outcome};
use crate::source::is_forbidden;

pub(super) const HELP: &str = "\
Examples:
  cordon init                                  in the current directory
  cordon init clinic --name \"Lakeside Clinic\"
  cordon init clinic --ci gitlab

A directory that holds a policy already is left as it is. Of the other files, those that are there stay as they are.";

/// What `init` takes.
#[derive(Args, Debug)]
pub(super) struct Init {
    /// Where to put the policy; made if it is not there
    #[arg(default_value = ".", value_name = "DIR")]
    directory: PathBuf,
    /// The name of the hospital
    #[arg(long, value_name = "TEXT", default_value = EXAMPLE_NAME)]
    name: String,
    /// Whose CI shall check the policy
    #[arg(long, value_enum, default_value_t = Ci::Github)]
    ci: Ci,
    /// The date on which the policy starts: what it accepts ends with the year behind [default: today]
    #[arg(long, value_name = "YYYY-MM-DD")]
    as_of: Option<Date>,
}

/// Where a policy is checked on every change.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum, Debug)]
enum Ci {
    /// GitHub Actions
    Github,
    /// GitLab CI
    Gitlab,
    /// Nowhere
    None,
}

/// The name that the example has.
const EXAMPLE_NAME: &str = "Small Hospital";

/// The last day of what the example accepts. `init` puts a later one in its place, so that no new policy starts with a
/// finding that nobody caused.
const EXAMPLE_END: &str = "until 2027-12-31";

/// A file of the example.
struct Scaffolded {
    path: &'static str,
    text: &'static str,
    /// The CI that it belongs to, if it is not for all.
    ci: Option<Ci>,
}

macro_rules! scaffolded {
    ($path:literal, $ci:expr) => {
        Scaffolded {
            path: $path,
            text: include_str!(concat!("../../examples/small-hospital/", $path)),
            ci: $ci,
        }
    };
}

const FILES: [Scaffolded; 12] = [
    scaffolded!("zones.cordon", None),
    scaffolded!("devices.cordon", None),
    scaffolded!("access.cordon", None),
    scaffolded!("never.cordon", None),
    scaffolded!("topology.cordon", None),
    scaffolded!("inventory/devices.csv", None),
    scaffolded!("tests/verdicts.csv", None),
    scaffolded!("README.md", None),
    scaffolded!(".gitignore", None),
    scaffolded!(".pre-commit-config.yaml", None),
    scaffolded!(".github/workflows/policy.yml", Some(Ci::Github)),
    scaffolded!(".gitlab-ci.yml", Some(Ci::Gitlab)),
];

/// Runs the command.
pub(super) fn run(arguments: &Init) -> Result<Outcome, Failure> {
    let Init { directory, name, ci, .. } = arguments;
    if name.trim().is_empty() || name.chars().any(|c| c == '\n' || c == '\r' || c == '\t' || is_forbidden(c))
    {
        return Err(Failure("the name of a policy is one line of text that can be seen".to_owned()));
    }
    if let Some(policy) = policy_in(directory)? {
        let place = directory.display();
        return Err(Failure(format!(
            "`{place}` holds a policy already (`{policy}`): nothing was written; name another directory"
        )));
    }
    let wanted = FILES.iter().filter(|file| file.ci.is_none_or(|own| own == *ci));
    let (left, fresh): (Vec<_>, Vec<_>) =
        wanted.partition(|file| fs::symlink_metadata(directory.join(file.path)).is_ok());
    let start = as_of(&Options::of(Format::Human, arguments.as_of, Vec::new()));
    write_all(directory, &fresh, |text| own_text(text, name, start))?;
    print(io::stdout(), &summary(directory, &fresh, &left))?;
    Ok(Outcome::Fine)
}

/// What was written, what is to be known of it, and what to do next.
fn summary(directory: &Path, fresh: &[&Scaffolded], left: &[&Scaffolded]) -> String {
    let place = printable(&directory.to_string_lossy());
    let mut said = format!("wrote {} to {place}:\n", count(fresh.len(), "file"));
    for file in fresh {
        said += &format!("  {}\n", file.path);
    }
    for file in left {
        said += &format!("left {} as it was\n", file.path);
    }
    let of_ci = fresh.iter().find(|file| file.ci.is_some());
    if let Some((file, root)) = of_ci.and_then(|file| Some((file, repository_around(directory)?))) {
        let root = printable(&root.to_string_lossy());
        said += &format!(
            "\nnote: {place} lies in the repository {root}, and CI looks for {} at the root of that only: \
             move it there, and name the policy in its commands\n",
            file.path
        );
    }
    let (before, into) = match directory.to_str() {
        Some(".") => ("", String::new()),
        Some(path) if printable(path) == path => ("", format!(" {}", quoted(path))),
        _ => (" in that directory", String::new()),
    };
    said + &format!(
        "\nnext: put in your own zones and devices, then{before}\n  cordon check{into}\n  cordon build{into}\n"
    )
}

/// The root of the git repository that a directory lies in without being it.
fn repository_around(directory: &Path) -> Option<PathBuf> {
    let whole = fs::canonicalize(directory).ok()?;
    let root = whole.ancestors().find(|folder| folder.join(".git").exists())?;
    (root != whole).then(|| root.to_owned())
}

/// A path as a shell takes it for one word, and a command for no option.
fn quoted(path: &str) -> String {
    let path = if path.starts_with('-') { format!("./{path}") } else { path.to_owned() };
    let is_plain = |c: char| c.is_alphanumeric() || "/._-+:@%".contains(c);
    if path.chars().all(is_plain) { path } else { format!("'{}'", path.replace('\'', r"'\''")) }
}

/// A policy file that lies in a directory.
fn policy_in(directory: &Path) -> Result<Option<String>, Failure> {
    let failed = |problem: io::Error| Failure(format!("cannot read `{}`: {problem}", directory.display()));
    let entries = match fs::read_dir(directory) {
        Err(problem) if problem.kind() == io::ErrorKind::NotFound => return Ok(None),
        other => other.map_err(failed)?,
    };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry.map_err(failed)?.path();
        if path.extension().is_some_and(|extension| extension == "cordon") {
            found.extend(path.file_name().map(|name| super::load::printable(&name.to_string_lossy())));
        }
    }
    found.sort();
    Ok(found.into_iter().next())
}

/// Writes files that are not there yet. What was written is taken away again if one of them cannot be.
fn write_all(directory: &Path, files: &[&Scaffolded], own: impl Fn(&str) -> String) -> Result<(), Failure> {
    let mut written = Vec::new();
    for file in files {
        let path = directory.join(file.path);
        let result = write_file(&path, &own(file.text));
        if let Err(problem) = result {
            for path in &written {
                // What cannot be removed either is named by the message below, with its directory.
                let _ = fs::remove_file(path);
            }
            return Err(Failure(format!(
                "cannot write `{}`: {problem}; nothing was written",
                path.display()
            )));
        }
        written.push(path);
    }
    Ok(())
}

fn write_file(path: &Path, text: &str) -> io::Result<()> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    let mut file = File::create_new(path)?;
    let result = file.write_all(text.as_bytes()).and_then(|()| file.sync_all());
    if result.is_err() {
        let _ = fs::remove_file(path);
    }
    result
}

/// A file of the example for a hospital of another name that starts on another day.
fn own_text(text: &str, name: &str, start: Date) -> String {
    let statement = |name: &str| format!("policy \"{name}\"");
    let escaped = name.replace('\\', "\\\\").replace('"', "\\\"");
    // A year has four digits.
    let end = format!("until {:04}-12-31", start.year().clamp(0, 9998) + 1);
    text.replace(EXAMPLE_END, &end).replace(&statement(EXAMPLE_NAME), &statement(&escaped))
}
