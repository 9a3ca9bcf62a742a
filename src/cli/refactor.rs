//! The commands `rename`, `add` and `remove`: texts of a policy changed by what their words mean.
//!
//! What the files would say is read and checked before anything is written; where it has errors, or where a rename would
//! change what passes, nothing is.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use clap::Args;
use jiff::civil::Date;
use serde::Serialize;

use super::args::{AnswerFormat, Options};
use super::commands::{Checked, check_loaded, count};
use super::load::{load, printable};
use super::terminal::print;
use super::{Failure, Outcome, rewrite, stdin};
use crate::check::check;
use crate::diag::Diagnostics;
use crate::diff::{self, DeviceChange, Version, access_change, change, device_changes};
use crate::edit::{Edit, Rewritten, apply};
use crate::ir::Policy;
use crate::refactor::{self, Direction, Space, change_members, is_renamed};
use crate::syntax::ast::File;

const RENAME_HELP: &str = "\
Examples:
  cordon rename img_a imaging_a examples/general-hospital --diff
  cordon rename images archive-images . --kind rule

Zones, classes, peers and groups share their names, and so do allow, forbid, manage and assert statements. Tables of
inventories, templates of your own and texts such as notes and reasons are left as they are.

Exit codes:
  0  renamed, or shown with --diff
  1  the policy has errors, or would have; nothing was written
  2  wrong usage, a name that is unknown, taken or none, or a policy that cannot be read";

const ADD_HELP: &str = "\
Examples:
  cordon add mobile_xray to modalities                     a name to a group
  cordon add 10.40.65.11 to pacs examples/general-hospital an address, range or prefix to a class or peer
  cordon add 10.40.42.0/24 to img_a --diff                 a prefix to a zone
  cordon add tcp 2762 to dicom                             protocols and ports to a service

Exit codes:
  0  added, or shown with --diff
  1  the policy has errors, or would have; nothing was written
  2  wrong usage, what is there already, or a policy that cannot be read";

const REMOVE_HELP: &str = "\
Examples:
  cordon remove xray from modalities
  cordon remove 10.40.65.11 from pacs examples/general-hospital --diff
  cordon remove tcp 2762 from dicom

Exit codes:
  0  removed, or shown with --diff
  1  the policy has errors, or would have; nothing was written
  2  wrong usage, what is not there or the last one, or a policy that cannot be read";

/// How a change of texts is made and shown.
#[derive(Args, Debug)]
struct Manner {
    /// What it names, where the name stands for several: zone, class, peer, group, service, schedule, rule, posture, device or
    /// inventory
    #[arg(long, value_name = "KIND")]
    kind: Option<String>,
    /// Show the differences line by line, and write nothing
    #[arg(long)]
    diff: bool,
    /// The form of messages
    #[arg(long, value_enum, default_value_t = AnswerFormat::Human)]
    format: AnswerFormat,
    /// The date by which it is decided which statements have expired [default: today]
    #[arg(long, value_name = "YYYY-MM-DD")]
    as_of: Option<Date>,
}

#[derive(Args, Debug)]
#[command(after_help = RENAME_HELP)]
pub(super) struct RenameArguments {
    /// What it is called
    old: String,
    /// What it shall be called
    new: String,
    /// A policy: a directory of `.cordon` files, or one such file
    #[arg(default_value = ".", value_name = "PATH")]
    path: PathBuf,
    #[command(flatten)]
    manner: Manner,
}

#[derive(Args, Debug)]
#[command(after_help = ADD_HELP, override_usage = "cordon add [OPTIONS] MEMBER to NAME [PATH]")]
pub(super) struct AddArguments {
    /// MEMBER to NAME [PATH]: a name, an address, or protocols with a port; what it is added to; and the policy
    #[arg(required = true, num_args = 3.., value_name = "MEMBER")]
    words: Vec<String>,
    #[command(flatten)]
    manner: Manner,
}

#[derive(Args, Debug)]
#[command(after_help = REMOVE_HELP, override_usage = "cordon remove [OPTIONS] MEMBER from NAME [PATH]")]
pub(super) struct RemoveArguments {
    /// MEMBER from NAME [PATH]: what is in it, what it is removed from, and the policy
    #[arg(required = true, num_args = 3.., value_name = "MEMBER")]
    words: Vec<String>,
    #[command(flatten)]
    manner: Manner,
}

impl Manner {
    fn options(&self) -> Options {
        Options::of(self.format.into(), self.as_of, Vec::new())
    }

    fn space(&self) -> Result<Option<Space>, Failure> {
        let Some(kind) = &self.kind else { return Ok(None) };
        let known = "zone, class, peer, group, service, schedule, rule, posture, device or inventory";
        let unknown =
            || Failure(format!("`{}` is no kind of statement with a name; use {known}", printable(kind)));
        Space::of(kind).map(Some).ok_or_else(unknown)
    }
}

/// A policy as it stands, with its trees.
struct Standing {
    checked: Checked,
    trees: Vec<File>,
}

/// Reads and checks a policy as it is once some of its files have changed.
fn read(path: &Path, changed: &[Rewritten], options: &Options) -> Result<Standing, Failure> {
    stdin::refuse(path, "changed")?;
    let mut diagnostics = Diagnostics::default();
    let loaded = load(path, changed, &mut diagnostics)?;
    let trees = loaded.files.clone();
    Ok(Standing { checked: check_loaded(loaded, options, check, diagnostics)?, trees })
}

/// What a command says that it did, as JSON.
#[derive(Serialize)]
struct Done {
    /// The keyword and the name of what changed.
    statement: String,
    written: bool,
    files: Vec<Places>,
    /// What changes in access and output.
    change: diff::Change,
    /// What names the old name and was left as it is.
    left: Vec<String>,
    /// The texts line by line, where nothing is written.
    diff: Option<String>,
}

#[derive(Serialize)]
struct Places {
    path: String,
    places: usize,
}

/// What shall be done, with the words for it.
struct Planned<'a> {
    command: &'static str,
    manner: &'a Manner,
    path: &'a Path,
    edits: Vec<Edit>,
    /// What is renamed, added or removed: `the zone ...`
    done: String,
    /// The keyword and the name of what changes.
    statement: String,
    left: Vec<String>,
    /// Where nothing but a name changes.
    renames: Option<(Space, &'a str, &'a str)>,
}

pub(super) fn rename(arguments: &RenameArguments) -> Result<Outcome, Failure> {
    let RenameArguments { old, new, path, manner } = arguments;
    let (options, space) = (manner.options(), manner.space()?);
    let mut before = read(path, &[], &options)?;
    if refuse_errors(&mut before.checked, &options, "rename")? {
        return Ok(Outcome::Findings);
    }
    let sources = &before.checked.sources;
    let renamed = refactor::rename(&before.trees, sources, (old, new), space).map_err(|error| {
        let unnamed = unnamed(&before.checked, old);
        Failure(printable(&unnamed.unwrap_or_else(|| error.to_string())))
    })?;
    let mut left: Vec<String> = renamed
        .left
        .iter()
        .map(|span| {
            let place = sources.locate(*span);
            format!("the condition at {place} compares with what a table says, which is still `{old}`")
        })
        .collect();
    let of_table = before.checked.policy.assets.iter().filter(|asset| &*asset.zone == old.as_str()).count();
    if renamed.space == Space::Place && of_table > 0 {
        left.push(format!(
            "tables of inventories say `{old}` of {}: correct them where they come from, since C1013 compares by name",
            count(of_table, "device")
        ));
    }
    let kind = renamed.kind;
    let done = format!("the {kind} `{old}` to `{new}`");
    let (statement, edits) = (format!("{kind} {new}"), renamed.edits);
    let renames = Some((renamed.space, old.as_str(), new.as_str()));
    finish(before, Planned { command: "rename", manner, path, edits, done, statement, left, renames })
}

/// Why what is called `name` cannot be called otherwise: it is called after what it says.
fn unnamed(checked: &Checked, name: &str) -> Option<String> {
    let policy = &checked.policy;
    let rules = policy.rules.iter().map(|rule| (&rule.id, rule.span));
    let managements = policy.managements.iter().map(|one| (&one.id, one.span));
    let assertions = policy.assertions.iter().map(|one| (&one.id, one.span));
    let (_, span) = rules.chain(managements).chain(assertions).find(|(id, _)| *id == name)?;
    let (place, text) = (checked.sources.locate(span), checked.sources.text(span));
    // Where the author gave a name, that is the place of the statement.
    (text != name).then(|| {
        format!(
            "the statement at {place} has no name and is called `{name}` after what it says: write a name into it \
             (a `reaches` becomes an `allow` for that)"
        )
    })
}

pub(super) fn add(arguments: &AddArguments) -> Result<Outcome, Failure> {
    members(Direction::Add, &arguments.words, &arguments.manner)
}

pub(super) fn remove(arguments: &RemoveArguments) -> Result<Outcome, Failure> {
    members(Direction::Remove, &arguments.words, &arguments.manner)
}

fn members(direction: Direction, words: &[String], manner: &Manner) -> Result<Outcome, Failure> {
    let (command, joint) = match direction {
        Direction::Add => ("add", "to"),
        Direction::Remove => ("remove", "from"),
    };
    let usage = || Failure(format!("usage: cordon {command} [OPTIONS] MEMBER {joint} NAME [PATH]"));
    let place = words.iter().position(|word| word == joint).ok_or_else(usage)?;
    let (what, target) = words.split_at_checked(place).ok_or_else(usage)?;
    let (name, path) = match target {
        [_, name] => (name, Path::new(".")),
        [_, name, path] => (name, Path::new(path)),
        _ => return Err(usage()),
    };
    if what.is_empty() {
        return Err(usage());
    }
    let (what, options, space) = (what.join(" "), manner.options(), manner.space()?);
    let mut before = read(path, &[], &options)?;
    if refuse_errors(&mut before.checked, &options, command)? {
        return Ok(Outcome::Findings);
    }
    let changed = change_members(&before.trees, &before.checked.sources, (direction, &what, name), space);
    let changed = changed.map_err(|error| Failure(printable(&error.to_string())))?;
    let kind = changed.kind;
    let done = format!("`{what}` {joint} the {kind} `{name}`");
    let (statement, edits) = (format!("{kind} {name}"), changed.edits);
    let (left, renames) = (Vec::new(), None);
    finish(before, Planned { command, manner, path, edits, done, statement, left, renames })
}

/// Shows the errors of a policy that has some. True if there are any.
fn refuse_errors(checked: &mut Checked, options: &Options, command: &str) -> Result<bool, Failure> {
    let has_errors = checked.diagnostics.has_errors();
    if has_errors {
        checked.report(options, command, &None::<Done>)?;
        checked.summarise(options, "nothing was written, since the policy has errors")?;
    }
    Ok(has_errors)
}

/// Checks what the files would say, and shows or writes it.
fn finish(mut before: Standing, planned: Planned) -> Result<Outcome, Failure> {
    let options = planned.manner.options();
    let sources = &before.checked.sources;
    let rewritten = apply(sources, &planned.edits).map_err(|error| Failure(error.to_string()))?;
    let mut after = read(planned.path, &rewritten, &options)?;
    let unsound = after.checked.diagnostics.has_errors();
    let (was, now) = (before.checked.compile(), after.checked.compile());
    let worse = unsound || after.checked.diagnostics.has_errors() && !before.checked.diagnostics.has_errors();
    let under = if worse { None } else { after.checked.compile_postures().err() };
    if worse || under.is_some() {
        after.checked.report(&options, planned.command, &None::<Done>)?;
        let under = under.map(|name| format!(" under the posture `{name}`")).unwrap_or_default();
        let text = format!("nothing was written, since the policy would have errors{under}");
        after.checked.summarise(&options, &text)?;
        return Ok(Outcome::Findings);
    }
    if let Some((space, old, new)) = planned.renames {
        refuse_other_meaning(&before, &after, space, (old, new))?;
    }
    let compiled = !after.checked.diagnostics.has_errors();
    let (devices, uncompared): (Vec<DeviceChange>, _) = if compiled {
        (device_changes(&was, &now), Vec::new())
    } else {
        (Vec::new(), vec!["the policy cannot be compiled, so output is not compared".to_owned()])
    };
    let [old, new] = [&before.checked, &after.checked]
        .map(|checked| Version { policy: &checked.policy, sources: &checked.sources });
    let change = change(old, new, devices, uncompared);
    let files = places(&before.checked, &planned.edits);
    if !planned.manner.diff {
        rewrite::write(&before.checked.root, &rewritten)?;
    }
    say(
        &before.checked,
        &after.checked,
        &planned,
        Done {
            statement: planned.statement.clone(),
            written: !planned.manner.diff,
            files,
            change,
            left: planned.left.clone(),
            diff: planned.manner.diff.then(|| rewrite::unified(&rewritten)),
        },
    )?;
    Ok(Outcome::Fine)
}

/// How many places change in each file.
fn places(checked: &Checked, edits: &[Edit]) -> Vec<Places> {
    let mut files: BTreeMap<String, usize> = BTreeMap::new();
    for edit in edits {
        *files.entry(checked.sources.locate(edit.span).path).or_default() += 1;
    }
    files.into_iter().map(|(path, places)| Places { path, places }).collect()
}

/// Says what was done.
fn say(before: &Checked, after: &Checked, planned: &Planned, done: Done) -> Result<(), Failure> {
    let options = planned.manner.options();
    if planned.manner.format == AnswerFormat::Json {
        return after.report(&options, planned.command, &done);
    }
    let mut text = String::new();
    let total: usize = done.files.iter().map(|file| file.places).sum();
    let (places, files) = (count(total, "place"), count(done.files.len(), "file"));
    let verb = match planned.command {
        command if !done.written => format!("would {command}"),
        "add" => "added".to_owned(),
        command => format!("{command}d"),
    };
    text += &format!("{verb} {}: {places} in {files}\n", planned.done);
    for file in &done.files {
        text += &format!("  {}: {}\n", file.path, count(file.places, "place"));
    }
    for left in &done.left {
        text += &format!("left as it is: {left}\n");
    }
    if planned.renames.is_some() {
        text += "access is unchanged\n";
        for device in &done.change.devices {
            text += &format!(
                "output of {}: {} added, {} removed\n",
                device.device,
                count(device.added, "line"),
                count(device.removed, "line")
            );
        }
    } else {
        text += &format!("{}", done.change);
    }
    let (was, now) = (before.diagnostics.warnings(), after.diagnostics.warnings());
    if was != now {
        text += &format!("warnings: {was} before, {now} now; `cordon check` shows them\n");
    }
    if let Some(diff) = &done.diff {
        print(io::stdout(), diff)?;
        text += "nothing was written, since `--diff` only shows\n";
    }
    print(io::stderr(), &text)
}

/// Refuses a rename after which something else would pass, or be named.
fn refuse_other_meaning(
    before: &Standing,
    after: &Standing,
    space: Space,
    names: (&str, &str),
) -> Result<(), Failure> {
    let [old, new] = [&before.checked, &after.checked]
        .map(|checked| Version { policy: &checked.policy, sources: &checked.sources });
    let same_words = is_renamed(&before.trees, &after.trees, space, names);
    let same_access = access_change(old, new).is_empty();
    if same_words
        && same_access
        && administered(old.policy, space, names) == administered(new.policy, space, names)
    {
        return Ok(());
    }
    let what = if same_words { "what passes would change" } else { "other words would change their meaning" };
    Err(Failure(format!("`{}` cannot be the new name: {what}; nothing was written", names.1)))
}

/// Who may administer what, with the new name for the old one.
fn administered(policy: &Policy, space: Space, (old, new): (&str, &str)) -> Vec<String> {
    let called =
        |name: &String| if space == Space::Device && name == old { new.to_owned() } else { name.clone() };
    let mut all: Vec<String> = policy
        .managements
        .iter()
        .map(|one| {
            let mut devices: Vec<String> = one.devices.iter().map(called).collect();
            devices.sort();
            format!("{:?} {devices:?} {:?}", one.from.addresses, one.services)
        })
        .collect();
    all.sort();
    all
}
