//! What each command does.

use std::fs::File;
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};

use jiff::civil::Date;
use serde::Serialize;

use super::args::{Arguments, Command, Common, Format, ListFormat, Options};
use super::load::load;
use super::targets::load_targets;
use super::verify::prove_build;
use super::{Failure, Outcome, output};
use crate::check::check;
use crate::diag::{self, Diagnostics};
use crate::emit::{self, END_SESSIONS, OutputFile, UserTargets, emit_with, end_sessions};
use crate::inventory::Inventories;
use crate::ir::Policy;
use crate::plan::plan;
use crate::query::answer;
use crate::report::{MANIFEST, Manifest, posture_summary};
use crate::source::Sources;

/// The width of messages, in columns.
pub(super) const WIDTH: usize = 100;

/// The folder of what belongs to postures.
pub(super) const POSTURES: &str = "postures";

/// The version of the JSON that commands print.
const JSON_VERSION: u32 = 1;

/// Runs a command.
pub(super) fn run(arguments: &Arguments) -> Result<Outcome, Failure> {
    match &arguments.command {
        Command::Check(common) => run_check(common),
        Command::Build { common, out, no_verify } => run_build(common, out.as_deref(), !no_verify),
        Command::Verify { common, against, device } => super::verify::run(common, against, device.as_deref()),
        Command::Splice { common, device, into, out } => {
            super::splice::run(common, device, into, out.as_deref())
        }
        Command::Report { common, out } => super::report::run(common, out.as_deref()),
        Command::Query { common, packets } => run_query(common, packets),
        Command::Explain { packet, sport, options } => super::explain::run(packet, sport, options),
        Command::WhoCanReach(arguments) => super::reach::who_can_reach(arguments),
        Command::WhatCan(arguments) => super::reach::what_can(arguments),
        Command::Inventory { common, since, inventory } => {
            super::inventory::run(common, since.as_deref(), inventory.as_deref())
        }
        Command::Diff(changes) => super::diff::run(changes),
        Command::Targets { format } => run_targets(*format),
    }
}

/// A policy that was read and checked, with all that was found.
pub(super) struct Checked {
    pub(super) policy: Policy,
    pub(super) sources: Sources,
    /// How many files state it.
    files: usize,
    users: UserTargets,
    pub(super) root: PathBuf,
    pub(super) diagnostics: Diagnostics,
}

pub(super) fn read_and_check(path: &Path, options: &Options) -> Result<Checked, Failure> {
    let mut diagnostics = Diagnostics::default();
    let mut loaded = load(path, &mut diagnostics)?;
    let folders = load_targets(&loaded.root, &mut loaded.sources, &mut diagnostics);
    let users = UserTargets::new(&folders, &mut diagnostics);
    let inventories = Inventories::read(&loaded.exports, &mut diagnostics);
    let policy = check(&loaded.files, inventories, as_of(options), &mut diagnostics);
    let postures = if diagnostics.has_errors() { &[][..] } else { &options.postures };
    let policy = under_postures(policy, postures)?;
    let files = loaded.files.len();
    Ok(Checked { policy, sources: loaded.sources, files, users, root: loaded.root, diagnostics })
}

/// The policy under the postures that were asked for.
fn under_postures(policy: Policy, names: &[String]) -> Result<Policy, Failure> {
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
        emit_with(&plan(&self.policy), &self.users, &mut self.diagnostics)
    }

    /// Compiles the policy under each of its postures, if nothing is wrong so far. What they warn of, the policy itself
    /// warns of too.
    ///
    /// # Errors
    /// The posture under which the policy cannot be compiled, with what is wrong among the diagnostics.
    fn compile_postures(&mut self) -> Result<Vec<UnderPosture>, String> {
        let mut compiled = Vec::new();
        let postures = if self.diagnostics.has_errors() { &[][..] } else { &self.policy.postures };
        for posture in postures {
            let mut diagnostics = Diagnostics::default();
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

    pub(super) fn outcome(&self, options: &Options) -> Outcome {
        let warned = options.deny_warnings && self.diagnostics.warnings() > 0;
        if self.diagnostics.has_errors() || warned { Outcome::Findings } else { Outcome::Fine }
    }

    /// Says what was found: as text on standard error, or in one document with `result` on standard output.
    pub(super) fn report<T: Serialize>(
        &self,
        options: &Options,
        command: &str,
        result: &T,
    ) -> Result<(), Failure> {
        if options.format == Format::Human {
            let colour = io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
            let text = diag::human(&self.diagnostics, &self.sources, WIDTH, colour);
            return print(io::stderr(), &text);
        }
        let document = Document {
            version: JSON_VERSION,
            command,
            errors: self.diagnostics.errors(),
            warnings: self.diagnostics.warnings(),
            diagnostics: diag::records(&self.diagnostics, &self.sources),
            result,
        };
        let json = serde_json::to_string_pretty(&document).map_err(|error| Failure(error.to_string()))?;
        print(io::stdout(), &(json + "\n"))
    }

    /// Says what was found, and how it stands, in one line for people.
    pub(super) fn summarise(&self, options: &Options, text: &str) -> Result<(), Failure> {
        if options.format == Format::Json {
            return Ok(());
        }
        let (errors, warnings) = (self.diagnostics.errors(), self.diagnostics.warnings());
        print(io::stderr(), &format!("{text}: {}, {}\n", count(errors, "error"), count(warnings, "warning")))
    }
}

/// The policy as it is under a posture, compiled.
struct UnderPosture {
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

/// What a command prints as JSON.
#[derive(Serialize)]
struct Document<'a, T> {
    version: u32,
    command: &'a str,
    errors: usize,
    warnings: usize,
    diagnostics: Vec<diag::Record>,
    result: &'a T,
}

fn run_check(common: &Common) -> Result<Outcome, Failure> {
    let options = &common.options;
    let mut checked = read_and_check(&common.path, options)?;
    checked.compile();
    checked.report(options, "check", &())?;
    let (policy, files) = (&checked.policy, checked.files);
    let (zones, rules) = (count(policy.zones.len(), "zone"), count(policy.rules.len(), "rule"));
    checked.summarise(options, &format!("checked {zones} and {rules} in {}", count(files, "file")))?;
    Ok(checked.outcome(options))
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
    let mut checked = read_and_check(&common.path, options)?;
    let mut files = checked.compile();
    let postures = checked.compile_postures();
    let outcome = checked.outcome(options);
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
    let Some(proved) = proved else { return Ok(Outcome::Findings) };
    for posture in postures.iter().filter(|_| prove) {
        if prove_build(&posture.policy, &posture.files, &directory)?.is_none() {
            return Ok(Outcome::Findings);
        }
    }
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

/// A directory beside the policy, as the user would write it.
pub(super) fn shown_default(path: &Path, name: &str) -> PathBuf {
    if path.is_dir() { path.join(name) } else { path.with_file_name(name) }
}

fn run_query(common: &Common, packets: &Path) -> Result<Outcome, Failure> {
    let options = &common.options;
    let checked = read_and_check(&common.path, options)?;
    if checked.diagnostics.has_errors() {
        checked.report(options, "query", &())?;
        return Ok(Outcome::Findings);
    }
    let name = packets.display();
    let answered = if packets == Path::new("-") {
        answer(&checked.policy, io::stdin().lock(), io::stdout().lock())
    } else {
        let file =
            File::open(packets).map_err(|problem| Failure(format!("cannot read `{name}`: {problem}")))?;
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

/// Writes text; a reader that is gone is no failure.
pub(super) fn print(mut to: impl Write, text: &str) -> Result<(), Failure> {
    match to.write_all(text.as_bytes()).and_then(|()| to.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other.map_err(|error| Failure(format!("cannot write: {error}"))),
    }
}
