//! The command `diff`: what changes between two directories, two revisions, or a revision and the working tree.

use std::io;
use std::path::{Path, PathBuf};

use super::args::{Changes, ChangesFormat, Format, Options};
use super::commands::{Checked, read_and_check};
use super::levels::LevelFlags;
use super::revision::{Checkout, Repository};
use super::terminal::print;
use super::{Failure, Outcome, stdin};
use crate::diff::{Change, Version, change, device_changes, markdown};

/// One of the two policies to compare.
struct Place {
    /// How messages call it.
    name: String,
    path: PathBuf,
    /// Keeps the files that were read out of git.
    _checkout: Option<Checkout>,
}

/// Runs the command.
pub(super) fn run(arguments: &Changes) -> Result<Outcome, Failure> {
    let format = match arguments.format {
        ChangesFormat::Json => Format::Json,
        ChangesFormat::Human | ChangesFormat::Markdown => Format::Human,
    };
    let options = Options {
        format,
        as_of: arguments.as_of,
        deny_warnings: false,
        levels: LevelFlags::default(),
        postures: arguments.postures.clone(),
        stdin_filename: stdin::NAME.to_owned(),
    };
    let (old, new) = places(arguments)?;
    let (mut before, mut after) = (read(&old, "old", &options)?, read(&new, "new", &options)?);
    let (was, now) = (before.compile(), after.compile());
    let mut uncompared = Vec::new();
    for (checked, side) in [(&before, "old"), (&after, "new")] {
        if checked.diagnostics.has_errors() {
            uncompared.push(format!("the {side} policy cannot be compiled, so output is not compared"));
        }
    }
    let devices = if uncompared.is_empty() { device_changes(&was, &now) } else { Vec::new() };
    let [old, new] =
        [&before, &after].map(|checked| Version { policy: &checked.policy, sources: &checked.sources });
    let change = change(old, new, devices, uncompared);
    show(arguments, &options, &after, &change)?;
    let found = arguments.exit_code && change.changes_access();
    Ok(if found { Outcome::Findings } else { Outcome::Fine })
}

fn show(arguments: &Changes, options: &Options, after: &Checked, change: &Change) -> Result<(), Failure> {
    match arguments.format {
        ChangesFormat::Json => return after.report(options, "diff", change),
        ChangesFormat::Human => print(io::stdout(), &change.to_string())?,
        ChangesFormat::Markdown => print(io::stdout(), &markdown(change, arguments.text))?,
    }
    if arguments.text && arguments.format == ChangesFormat::Human {
        for device in &change.devices {
            print(io::stdout(), &format!("\n{}", device.text))?;
        }
    }
    Ok(())
}

/// Where the two policies are. Two directories that exist are directories; all else is for git.
fn places(arguments: &Changes) -> Result<(Place, Place), Failure> {
    let directory = |path: &str| Place { name: path.to_owned(), path: PathBuf::from(path), _checkout: None };
    let (old, new) = (arguments.old.as_deref(), arguments.new.as_deref());
    if let (Some(old), Some(new)) = (old, new)
        && Path::new(old).exists()
        && Path::new(new).exists()
    {
        return Ok((directory(old), directory(new)));
    }
    let repository = Repository::of(&arguments.policy)?;
    let revision = |name: &str| -> Result<Place, Failure> {
        let checkout = repository.checkout(name)?;
        Ok(Place { name: name.to_owned(), path: checkout.path.clone(), _checkout: Some(checkout) })
    };
    let working_tree =
        || Place { name: "working tree".to_owned(), path: arguments.policy.clone(), _checkout: None };
    let named = |name: &'_ str| if name.is_empty() { "HEAD".to_owned() } else { name.to_owned() };
    match (old, new) {
        (None, _) => Ok((revision("HEAD")?, working_tree())),
        (Some(old), Some(new)) => Ok((revision(old)?, revision(new)?)),
        (Some(range), None) => {
            if let Some((old, new)) = range.split_once("...") {
                let base = repository.merge_base(&named(old), &named(new))?;
                return Ok((revision(&base)?, revision(&named(new))?));
            }
            match range.split_once("..") {
                Some((old, new)) => Ok((revision(&named(old))?, revision(&named(new))?)),
                None => Ok((revision(range)?, working_tree())),
            }
        }
    }
}

/// Reads a policy; what is wrong with it is said, and then nothing is compared.
fn read(place: &Place, side: &str, options: &Options) -> Result<Checked, Failure> {
    let failed = |failure: Failure| Failure(format!("the {side} policy ({}): {}", place.name, failure.0));
    let checked = read_and_check(&place.path, options).map_err(failed)?;
    if checked.diagnostics.has_errors() {
        print(io::stderr(), &checked.in_words())?;
        let what = super::commands::count(checked.diagnostics.errors(), "error");
        return Err(failed(Failure(format!("{what}, so nothing is compared"))));
    }
    Ok(checked)
}
