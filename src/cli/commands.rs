//! What each command does.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use jiff::civil::Date;
use serde::Serialize;

use super::args::{Arguments, Command, Common, ListFormat, Options};
use super::load::{Loaded, load};
use super::messages::{Place, finding, require_place_for_answer};
use super::targets::load_targets;
use super::terminal::{clear_progress, print, stage};
use super::verify::prove_build;
use super::{Failure, Outcome, output, stdin};
use crate::check::check;
use crate::diag::Diagnostics;
use crate::edit::Rewritten;
use crate::emit::{self, END_SESSIONS, OutputFile, UserTargets, emit_with, end_sessions};
use crate::inventory::Inventories;
use crate::ir::Policy;
use crate::plan::plan;
use crate::query::answer;
use crate::report::{MANIFEST, Manifest, posture_summary};
use crate::source::Sources;
use crate::syntax::ast::File;

/// The folder of what belongs to postures.
pub(super) const POSTURES: &str = "postures";

/// The version of the JSON that commands print.
pub(super) const JSON_VERSION: u32 = 1;

/// Runs a command.
pub(super) fn run(arguments: &Arguments) -> Result<Outcome, Failure> {
    match &arguments.command {
        Command::Check(checking) => super::check::run(checking),
        Command::Build { common, out, no_verify } => run_build(common, out.as_deref(), !no_verify),
        Command::Verify { common, against, device } => super::verify::run(common, against, device.as_deref()),
        Command::Splice { common, device, into, out } => {
            super::splice::run(common, device, into, out.as_deref())
        }
        Command::Report { common, out } => super::report::run(common, out.as_deref()),
        Command::Query { common, packets } => run_query(common, packets),
        Command::Explain { words, sport, options } => super::explain::run(words, sport, options),
        Command::WhoCanReach(arguments) => super::reach::who_can_reach(arguments),
        Command::WhatCan(arguments) => super::reach::what_can(arguments),
        Command::Inventory { common, since, inventory } => {
            super::inventory::run(common, since.as_deref(), inventory.as_deref())
        }
        Command::Hits(arguments) => super::hits::run(arguments),
        Command::Logs(arguments) => super::logs::run(arguments),
        Command::Diff(changes) => super::diff::run(changes),
        Command::Fmt(formatting) => super::format::run(formatting),
        Command::Rule(arguments) => super::rule::run(arguments),
        Command::Simulate(arguments) => super::simulate::run(arguments),
        Command::Test(tests) => super::test::run(tests),
        Command::Plan(arguments) => super::plan::run(arguments),
        Command::Apply(arguments) => super::apply::run(arguments),
        Command::Rename(arguments) => super::refactor::rename(arguments),
        Command::Add(arguments) => super::refactor::add(arguments),
        Command::Remove(arguments) => super::refactor::remove(arguments),
        Command::Extract(arguments) => super::extract::run(arguments),
        Command::Init(arguments) => super::scaffold::run(arguments),
        Command::Targets { format } => run_targets(*format),
        Command::Completions(arguments) => super::shell::completions(arguments),
        Command::Man(arguments) => super::shell::man(arguments),
    }
}

/// A policy that was read and checked, with all that was found.
pub(super) struct Checked {
    pub(super) policy: Policy,
    pub(super) sources: Sources,
    /// How many files state it.
    pub(super) files: usize,
    users: UserTargets,
    pub(super) root: PathBuf,
    /// How messages name it and its files.
    pub(super) place: Place,
    pub(super) diagnostics: Diagnostics,
}

pub(super) fn read_and_check(path: &Path, options: &Options) -> Result<Checked, Failure> {
    read_and_check_with(path, &[], options)
}

/// Reads and checks a policy as it is once some of its files have changed.
pub(super) fn read_and_check_with(
    path: &Path,
    changed: &[Rewritten],
    options: &Options,
) -> Result<Checked, Failure> {
    let mut diagnostics = Diagnostics::with_levels(options.levels.levels(options.deny_warnings)?);
    let loaded = load_meant(path, changed, options, &mut diagnostics)?;
    check_loaded(loaded, options, check, diagnostics)
}

/// Reads the policy at a path, or from standard input if the path stands for that.
pub(super) fn load_meant(
    path: &Path,
    changed: &[Rewritten],
    options: &Options,
    diagnostics: &mut Diagnostics,
) -> Result<Loaded, Failure> {
    stage("reading the policy");
    match stdin::is_meant(path) {
        true => stdin::load(&options.stdin_filename, diagnostics),
        false => load(path, changed, diagnostics),
    }
}

/// A function that checks a policy: [`check`], or one that checks less.
type Check = fn(&[File], Inventories, Date, &mut Diagnostics) -> Policy;

/// Checks what was read.
pub(super) fn check_loaded(
    mut loaded: Loaded,
    options: &Options,
    check: Check,
    mut diagnostics: Diagnostics,
) -> Result<Checked, Failure> {
    // What stands in the directory that cordon happens to run in belongs to no policy from standard input.
    let folders = match &loaded.root {
        Some(root) => load_targets(root, &mut loaded.sources, &mut diagnostics),
        None => Vec::new(),
    };
    stage("checking the policy");
    let users = UserTargets::new(&folders, &mut diagnostics);
    let inventories = Inventories::read(&loaded.exports, &mut diagnostics);
    let policy = check(&loaded.files, inventories, as_of(options), &mut diagnostics);
    let postures = if diagnostics.has_errors() { &[][..] } else { &options.postures };
    let policy = under_postures(policy, postures)?;
    let Loaded { sources, files, place, root, .. } = loaded;
    let root = root.unwrap_or_else(|| PathBuf::from("."));
    Ok(Checked { policy, sources, files: files.len(), users, root, place, diagnostics })
}

/// The policy under the postures that were asked for.
pub(super) fn under_postures(policy: Policy, names: &[String]) -> Result<Policy, Failure> {
    let known = policy.postures.clone();
    names.iter().try_fold(policy, |policy, name| {
        let posture = known.iter().find(|posture| posture.name == *name).ok_or_else(|| {
            let known: Vec<&str> = known.iter().map(|posture| posture.name.as_str()).collect();
            let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
            Failure(format!("the policy has no posture `{name}`; it has {known}"))
        })?;
        Ok(policy.under(posture))
    })
}

/// The date of the build: what was asked for, or today where the machine is.
pub(super) fn as_of(options: &Options) -> Date {
    options.as_of.unwrap_or_else(|| jiff::ZonedDateTime::now().date())
}

impl Checked {
    /// Compiles the policy, if nothing is wrong with it so far.
    pub(super) fn compile(&mut self) -> Vec<OutputFile> {
        if self.diagnostics.has_errors() {
            return Vec::new();
        }
        stage(&format!("compiling for {}", count(self.policy.devices.len(), "enforcement point")));
        emit_with(&plan(&self.policy), &self.users, &mut self.diagnostics)
    }

    /// Compiles the policy under each of its postures, if nothing is wrong so far. What they warn of, the policy itself
    /// warns of too.
    ///
    /// # Errors
    /// The posture under which the policy cannot be compiled, with what is wrong among the diagnostics.
    pub(super) fn compile_postures(&mut self) -> Result<Vec<UnderPosture>, String> {
        let mut compiled = Vec::new();
        let postures = if self.diagnostics.has_errors() { &[][..] } else { &self.policy.postures };
        for posture in postures {
            stage(&format!("compiling under the posture {}", posture.name));
            let mut diagnostics = Diagnostics::with_levels(self.diagnostics.levels().clone());
            let policy = self.policy.under(posture);
            let files = emit_with(&plan(&policy), &self.users, &mut diagnostics);
            if diagnostics.has_errors() {
                self.diagnostics = diagnostics;
                return Err(posture.name.clone());
            }
            compiled.push(UnderPosture { name: posture.name.clone(), policy, files });
        }
        Ok(compiled)
    }

    /// What is written of postures: for each its configs and scripts, in a folder of each device, and what it takes away.
    fn posture_files(&self, compiled: Vec<UnderPosture>) -> Vec<OutputFile> {
        let mut files = Vec::new();
        for (UnderPosture { name, files: own, .. }, posture) in
            compiled.into_iter().zip(&self.policy.postures)
        {
            files.extend(own.into_iter().filter_map(|file| {
                let (device, rest) = file.path.split_once('/')?;
                Some(OutputFile { path: format!("{device}/{POSTURES}/{name}/{rest}"), content: file.content })
            }));
            files.extend(self.policy.devices.iter().filter_map(|device| {
                let path = format!("{}/{POSTURES}/{name}/{END_SESSIONS}", device.name);
                Some(OutputFile { path, content: end_sessions(device, posture)? })
            }));
            let content = posture_summary(&self.policy, posture);
            files.push(OutputFile { path: format!("{POSTURES}/{name}.txt"), content });
        }
        files
    }

    /// Writes what a command made, with its manifest, and gives the names of all files.
    pub(super) fn write(
        &self,
        directory: &Path,
        files: &[OutputFile],
        command: Option<&str>,
    ) -> Result<Vec<String>, Failure> {
        let manifest = Manifest::new(&self.policy, &self.sources, files);
        let manifest = command.map_or(manifest.clone(), |command| manifest.by(command));
        output::replace(directory, files, manifest)?;
        Ok(files.iter().map(|file| file.path.clone()).chain([MANIFEST.to_owned()]).collect())
    }

    /// Whether what was found stops what an error stops.
    pub(super) fn outcome(&self) -> Outcome {
        let stops = self.diagnostics.has_errors() || self.diagnostics.denied() > 0;
        if stops { Outcome::Findings } else { Outcome::Fine }
    }

    /// What was checked, in words.
    pub(super) fn size(&self) -> String {
        let (zones, rules) = (count(self.policy.zones.len(), "zone"), count(self.policy.rules.len(), "rule"));
        format!("checked {zones} and {rules} in {}", count(self.files, "file"))
    }
}

/// The policy as it is under a posture, compiled.
pub(super) struct UnderPosture {
    name: String,
    policy: Policy,
    files: Vec<OutputFile>,
}

/// A number of things, in words.
pub(super) fn count(number: usize, word: &str) -> String {
    match number {
        1 => format!("1 {word}"),
        number => format!("{number} {word}s"),
    }
}

/// What `build` says it wrote.
#[derive(Serialize)]
struct Built {
    directory: PathBuf,
    files: Vec<String>,
    /// How many enforcement points were proved to mean what the policy says.
    proved: usize,
}

fn run_build(common: &Common, out: Option<&Path>, prove: bool) -> Result<Outcome, Failure> {
    let options = &common.options;
    stdin::require_out(&common.path, out)?;
    let mut checked = read_and_check(&common.path, options)?;
    let mut files = checked.compile();
    let postures = checked.compile_postures();
    let outcome = checked.outcome();
    let postures = match postures {
        Ok(postures) if outcome == Outcome::Fine && !files.is_empty() => postures,
        other => {
            checked.report(options, "build", &None::<Built>)?;
            let under = other.err().map(|name| format!(", for what is wrong under the posture `{name}`"));
            checked.summarise(options, &format!("nothing was written{}", under.unwrap_or_default()))?;
            return Ok(Outcome::Findings);
        }
    };
    let directory = out.map_or_else(|| checked.root.join("build"), Path::to_path_buf);
    let proved = if prove { prove_build(&checked.policy, &files, &directory)? } else { Some(0) };
    let Some(proved) = proved else { return not_proved(&checked, options) };
    for posture in postures.iter().filter(|_| prove) {
        if prove_build(&posture.policy, &posture.files, &directory)?.is_none() {
            return not_proved(&checked, options);
        }
    }
    stage("writing");
    let written_postures = postures.len();
    files.extend(checked.posture_files(postures));
    files.sort();
    let names = checked.write(&directory, &files, None)?;
    let number = names.len();
    checked.report(options, "build", &Some(Built { directory, files: names, proved }))?;
    let shown = out.map_or_else(|| shown_default(&common.path, "build"), Path::to_path_buf);
    let proved = match proved {
        0 => String::new(),
        devices if written_postures == 0 => format!(", proved for {}", count(devices, "enforcement point")),
        devices => {
            let (devices, postures) =
                (count(devices, "enforcement point"), count(written_postures, "posture"));
            format!(", proved for {devices}, without a posture and under {postures}")
        }
    };
    let written = count(number, "file");
    checked.summarise(options, &format!("wrote {written} to {}{proved}", shown.display()))?;
    Ok(outcome)
}

/// Closes a build whose output does not mean what the policy says, which was said in words.
fn not_proved(checked: &Checked, options: &Options) -> Result<Outcome, Failure> {
    let message = "the output does not mean what the policy says, so nothing was written";
    let finding = finding("C0999", "error", message.to_owned());
    checked.report_with(options, "build", &None::<Built>, vec![finding])?;
    Ok(Outcome::Findings)
}

/// A directory beside the policy, as the user would write it.
pub(super) fn shown_default(path: &Path, name: &str) -> PathBuf {
    if path.is_dir() { path.join(name) } else { path.with_file_name(name) }
}

fn run_query(common: &Common, packets: &Path) -> Result<Outcome, Failure> {
    let options = &common.options;
    require_place_for_answer(options, "query")?;
    if stdin::is_meant(&common.path) && stdin::is_meant(packets) {
        return Err(Failure("standard input holds the policy or the packets, not both".to_owned()));
    }
    let checked = read_and_check(&common.path, options)?;
    if checked.diagnostics.has_errors() {
        checked.report(options, "query", &())?;
        return Ok(Outcome::Findings);
    }
    clear_progress();
    let name = packets.display();
    let answered = if stdin::is_meant(packets) {
        answer(&checked.policy, io::stdin().lock(), io::stdout().lock())
    } else {
        let file =
            fs::File::open(packets).map_err(|problem| Failure(format!("cannot read `{name}`: {problem}")))?;
        answer(&checked.policy, file, io::stdout().lock())
    };
    answered.map_err(|problem| Failure(format!("`{name}`: {problem}")))?;
    Ok(Outcome::Fine)
}

fn run_targets(format: ListFormat) -> Result<Outcome, Failure> {
    let targets = emit::built_in();
    let text = match format {
        ListFormat::Human => emit::human(&targets),
        ListFormat::Markdown => emit::markdown(&targets),
        ListFormat::Json => {
            let document = TargetList { version: JSON_VERSION, command: "targets", targets };
            let json = serde_json::to_string_pretty(&document);
            json.map_err(|error| Failure(error.to_string()))? + "\n"
        }
    };
    print(io::stdout(), &text)?;
    Ok(Outcome::Fine)
}

/// What `targets` prints as JSON.
#[derive(Serialize)]
struct TargetList {
    version: u32,
    command: &'static str,
    targets: Vec<emit::Capabilities>,
}
