//! The command `init`: the policy of a small hospital to start from, with the files that check it in CI.
//!
//! The files are those of `examples/small-hospital`, which the tests check, build and read like any other example. A
//! policy that is there already is never touched, and either all files are written or none.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::commands::count;
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

const FILES: [Scaffolded; 11] = [
    scaffolded!("zones.cordon", None),
    scaffolded!("devices.cordon", None),
    scaffolded!("access.cordon", None),
    scaffolded!("never.cordon", None),
    scaffolded!("topology.cordon", None),
    scaffolded!("tests/verdicts.csv", None),
    scaffolded!("README.md", None),
    scaffolded!(".gitignore", None),
    scaffolded!(".pre-commit-config.yaml", None),
    scaffolded!(".github/workflows/policy.yml", Some(Ci::Github)),
    scaffolded!(".gitlab-ci.yml", Some(Ci::Gitlab)),
];

/// Runs the command.
pub(super) fn run(arguments: &Init) -> Result<Outcome, Failure> {
    let Init { directory, name, ci } = arguments;
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
    write_all(directory, &fresh, name)?;
    let mut said = format!("wrote {} to {}:\n", count(fresh.len(), "file"), directory.display());
    for file in &fresh {
        said += &format!("  {}\n", file.path);
    }
    for file in &left {
        said += &format!("left {} as it was\n", file.path);
    }
    let into = if directory == Path::new(".") { String::new() } else { format!(" {}", directory.display()) };
    said += &format!(
        "\nnext: put in your own zones and devices, then\n  cordon check{into}\n  cordon build{into}\n"
    );
    print(io::stdout(), &said)?;
    Ok(Outcome::Fine)
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
fn write_all(directory: &Path, files: &[&Scaffolded], name: &str) -> Result<(), Failure> {
    let mut written = Vec::new();
    for file in files {
        let path = directory.join(file.path);
        let result = write_file(&path, &named(file.text, name));
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

/// A file of the example for a hospital of another name.
fn named(text: &str, name: &str) -> String {
    let statement = |name: &str| format!("policy \"{name}\"");
    let escaped = name.replace('\\', "\\\\").replace('"', "\\\"");
    text.replace(&statement(EXAMPLE_NAME), &statement(&escaped))
}
