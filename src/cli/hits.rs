//! The command `hits`: how often statements were used, by what devices count.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use clap::Args;

use super::args::{Options, TableFormat, TableOptions};
use super::commands::{Checked, read_and_check};
use super::load::{MAX_TABLE_BYTES, printable, text, without_mark};
use super::terminal::{print, stage};
use super::{Failure, Outcome};
use crate::emit::OutputFile;
use crate::ir::Policy;
use crate::observe::{Compiled, Dump, Form, Given, Hits, comma_separated, detect, hits, human, read};

/// What stands below the help.
pub(super) const HELP: &str = "\
Examples:
  nft -j list ruleset > core.json && cordon hits . --from core.json
  cordon hits . --from counters/core.json counters/records.txt --unused
  cordon hits . --from core=today.json --since core=january.json --unused

A FILE is what one of these prints: `nft -j list ruleset`, `nft list ruleset`, `iptables-save -c`,
`ip6tables-save -c`, `ipset save`, `show access-lists`, `pfctl -vvsr`, `pfctl -sl`. The enforcement
point that it is of is what stands before `=`, or --device, or the name of the file up to its first
dot, or that of its folder; or there is but one that shows such a list.

Exit codes:
  0  counted; with --exit-code, all measured access was used
  1  the policy has findings; with --exit-code, some access was not used
  2  wrong usage, or a file that cannot be read";

#[derive(Args, Debug)]
pub(super) struct HitsArguments {
    /// A policy: a directory of `.cordon` files, or one such file; `-` reads one from standard input
    #[arg(default_value = ".", value_name = "PATH")]
    path: PathBuf,
    /// What enforcement points count, one FILE or several of each
    #[arg(long, required = true, num_args = 1.., value_name = "[NAME=]FILE")]
    from: Vec<String>,
    /// What they counted earlier, by the same commands: counts are then those since
    #[arg(long, num_args = 1.., value_name = "[NAME=]FILE")]
    since: Vec<String>,
    /// The enforcement point that all files are of
    #[arg(long, value_name = "NAME")]
    device: Option<String>,
    /// Only allowed access of which no use was seen: unused, or not measured
    #[arg(long)]
    unused: bool,
    /// Exit with 1 if some allowed access was not used
    #[arg(long)]
    exit_code: bool,
    #[command(flatten)]
    table: TableOptions,
}

/// Runs the command.
pub(super) fn run(arguments: &HitsArguments) -> Result<Outcome, Failure> {
    let options = arguments.table.for_policy();
    let mut checked = read_and_check(&arguments.path, &options)?;
    let files = checked.compile();
    if checked.diagnostics.has_errors() {
        checked.report(&options, "hits", &())?;
        return Ok(Outcome::Findings);
    }
    stage("reading counters");
    let given = given(arguments, &checked.policy)?;
    let compiled = compiled(&checked.policy, &files);
    let hits = hits(&checked.policy, &checked.sources, &compiled, &given);
    show(arguments, &options, &checked, &hits)?;
    let found = arguments.exit_code && hits.unused().next().is_some();
    Ok(if found { Outcome::Findings } else { Outcome::Fine })
}

/// What each enforcement point is to have, by name.
pub(super) fn compiled(policy: &Policy, files: &[OutputFile]) -> BTreeMap<String, Compiled> {
    let devices = policy.devices.iter();
    devices.map(|device| (device.name.clone(), Compiled::new(policy, device, files))).collect()
}

fn show(arguments: &HitsArguments, options: &Options, checked: &Checked, hits: &Hits) -> Result<(), Failure> {
    match arguments.table.format {
        TableFormat::Human => print(io::stdout(), &human(hits, arguments.unused)),
        TableFormat::Csv => {
            let table = comma_separated(hits, arguments.unused);
            print(io::stdout(), &table.map_err(|error| Failure(format!("cannot write: {error}")))?)
        }
        TableFormat::Json if arguments.unused => checked.report(options, "hits", &hits.only_unused()),
        TableFormat::Json => checked.report(options, "hits", hits),
    }
}

/// One device as some files show it.
struct Shown {
    form: Form,
    files: Vec<String>,
    dump: Dump,
}

/// Reads all files, those of one device together.
fn given(arguments: &HitsArguments, policy: &Policy) -> Result<Vec<Given>, Failure> {
    let device = arguments.device.as_deref();
    if let Some(name) = device {
        known(policy, name)?;
    }
    let now = shown(&arguments.from, device, policy)?;
    let mut then = shown(&arguments.since, device, policy)?;
    let mut given = Vec::new();
    for (device, Shown { form, files, dump }) in now {
        let since = match then.remove(&device) {
            Some(earlier) if earlier.form != form => {
                return Err(Failure(format!(
                    "the counters of `{device}` are those of `{}` now and those of `{}` before: compare what one command shows",
                    form.command(),
                    earlier.form.command()
                )));
            }
            Some(earlier) => Some(earlier.dump),
            None if arguments.since.is_empty() => None,
            None => {
                let help = format!("give it with `--since {device}=FILE`");
                return Err(Failure(format!("no file of `--since` is of `{device}`: {help}")));
            }
        };
        given.push(Given { device, form, files, now: dump, since });
    }
    match then.into_keys().next() {
        Some(device) => {
            Err(Failure(format!("no file of `--from` is of `{device}`, of which `--since` has one")))
        }
        None => Ok(given),
    }
}

fn shown(
    files: &[String],
    device: Option<&str>,
    policy: &Policy,
) -> Result<BTreeMap<String, Shown>, Failure> {
    let mut all: BTreeMap<String, Shown> = BTreeMap::new();
    for argument in files {
        let (name, path) = split(argument, policy);
        let shown_name = printable(&path.to_string_lossy());
        let failed = |problem: String| Failure(format!("`{shown_name}`: {problem}"));
        let content = without_mark(text(path, MAX_TABLE_BYTES).map_err(failed)?);
        let form = detect(&content).map_err(|problem| failed(problem.to_string()))?;
        let dump = read(form, &content).map_err(|problem| failed(problem.to_string()))?;
        let device = match name.or(device) {
            Some(name) => known(policy, name)?.to_owned(),
            None => device_of(path, form, policy).map_err(failed)?,
        };
        let target =
            policy.devices.iter().find(|known| known.name == device).map(|known| known.target.as_str());
        if target != Some(form.target()) {
            let (command, target) = (form.command(), target.unwrap_or_default());
            return Err(failed(format!(
                "this is what `{command}` prints, but `{device}` has the target {target}"
            )));
        }
        let new = || Shown { form, files: Vec::new(), dump: Dump::default() };
        let one = all.entry(device.clone()).or_insert_with(new);
        if let Some(part) = one.dump.parts.intersection(&dump.parts).next() {
            let help = "give each once";
            return Err(failed(format!("another file has counters of {part} of `{device}` too: {help}")));
        }
        one.files.push(shown_name);
        one.dump.parts.extend(dump.parts);
        one.dump.counters.extend(dump.counters);
    }
    Ok(all)
}

/// `NAME=FILE`, or a file alone. A file whose own name has such a form wins if it is there.
fn split<'a>(argument: &'a str, policy: &Policy) -> (Option<&'a str>, &'a Path) {
    let whole = Path::new(argument);
    let named = argument.split_once('=').filter(|_| !whole.exists());
    let is_name =
        |name: &str| policy.devices.iter().any(|device| device.name == name) || !name.contains(['/', '.']);
    match named.filter(|(name, _)| is_name(name)) {
        Some((name, path)) => (Some(name), Path::new(path)),
        None => (None, whole),
    }
}

pub(super) fn known<'n>(policy: &Policy, name: &'n str) -> Result<&'n str, Failure> {
    if policy.devices.iter().any(|device| device.name == name) {
        return Ok(name);
    }
    let names: Vec<&str> = policy.devices.iter().map(|device| device.name.as_str()).collect();
    let names = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
    Err(Failure(format!("the policy has no enforcement point `{name}`; it has {names}")))
}

/// The enforcement point that a file is of, by its name, its folder, or since no other shows such a list.
fn device_of(path: &Path, form: Form, policy: &Policy) -> Result<String, String> {
    let name_of = |part: Option<&std::ffi::OsStr>| part.and_then(|name| name.to_str()).map(str::to_owned);
    let file = name_of(path.file_name()).map(|name| name.split('.').next().unwrap_or_default().to_owned());
    let folder = name_of(path.parent().and_then(Path::file_name));
    for name in [file, folder].into_iter().flatten() {
        if policy.devices.iter().any(|device| device.name == name && device.target == form.target()) {
            return Ok(name);
        }
    }
    let mut fitting = policy.devices.iter().filter(|device| device.target == form.target());
    match (fitting.next(), fitting.next()) {
        (Some(only), None) => Ok(only.name.clone()),
        (None, _) => {
            Err(format!("no enforcement point has the target {}, whose counters these are", form.target()))
        }
        (Some(one), Some(other)) => Err(format!(
            "these could be counters of `{}` or `{}`: say which, as in `{}={}`",
            one.name,
            other.name,
            one.name,
            printable(&path.to_string_lossy())
        )),
    }
}
