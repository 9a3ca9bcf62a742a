//! The command `plan`: what would change on a device, and the file by which `apply` changes it.

use std::collections::BTreeSet;
use std::io;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;

use super::args::Common;
use super::commands::{Checked, count, read_and_check};
use super::link::Link;
use super::load::printable;
use super::messages::require_place_for_answer;
use super::output::replace_file;
use super::terminal::{print, stage};
use super::{Failure, Outcome};
use crate::deploy::{
    Access, AccessChange, Answer, Destination, Directory, LostSession, Order, Overview, Plan, PlannedFile,
    Running, Sessions, VERSION, access, digest_of, files_of, sessions,
};
use crate::emit::OutputFile;
use crate::ir::{DeviceId, Policy};
use crate::prove::{ConfigFile, Verdict, prove};

pub(super) const HELP: &str = "\
Examples:
  cordon plan . --device core --to ssh://root@core.example.org --out core.plan
  cordon plan . --device core --to ssh://admin@10.40.88.1:2222 --sudo --out core.plan
  cordon plan . --device core --to local

Nothing is changed on the device. `cordon apply core.plan` loads what was planned.

Exit codes:
  0  planned
  1  the policy has findings, and nothing was planned
  2  wrong usage, or a device or policy that cannot be read";

/// How many changes and sessions are shown to people; the file and `--format json` have all.
const SHOWN: usize = 10;

#[derive(Args, Debug)]
pub(super) struct PlanArguments {
    #[command(flatten)]
    common: Common,
    /// The enforcement point; its target is `nftables` or `iptables`
    #[arg(long, value_name = "NAME")]
    device: String,
    /// The way to it: `local`, or `ssh://USER@HOST:PORT`, where USER and PORT can be left out
    #[arg(long, value_name = "WAY")]
    to: String,
    /// Become root on the device with `sudo`
    #[arg(long)]
    sudo: bool,
    /// A configuration for ssh, in the place of your own
    #[arg(long, value_name = "FILE")]
    ssh_config: Option<PathBuf>,
    /// Where cordon keeps its files on the device
    #[arg(long, value_name = "DIR", default_value = "/var/lib/cordon")]
    directory: String,
    /// The file to write the plan to, as a whole or not at all; without it, the plan is only shown
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// What `plan` prints as JSON.
#[derive(Serialize)]
struct Planned<'p> {
    file: Option<&'p Path>,
    #[serde(flatten)]
    overview: &'p Overview,
}

/// Runs the command.
pub(super) fn run(arguments: &PlanArguments) -> Result<Outcome, Failure> {
    let options = &arguments.common.options;
    require_place_for_answer(options, "plan")?;
    let failed = |bad: crate::deploy::BadDestination| Failure(bad.to_string());
    let destination = Destination::try_from(arguments.to.clone()).map_err(failed)?;
    let directory = Directory::try_from(arguments.directory.clone()).map_err(failed)?;
    let mut checked = read_and_check(&arguments.common.path, options)?;
    let files = checked.compile();
    if checked.outcome() == Outcome::Findings || files.is_empty() {
        checked.report(options, "plan", &None::<Planned>)?;
        checked.summarise(options, "nothing was planned")?;
        return Ok(Outcome::Findings);
    }
    let device = find(&checked.policy, &arguments.device)?;
    let target = checked.policy[device].target.clone();
    let link = Link {
        destination,
        sudo: arguments.sudo,
        ssh_config: arguments.ssh_config.clone(),
        target,
        directory,
    };
    let files = device_files(&checked.policy, device, &files)?;
    stage(&format!("reading what {} runs", arguments.device));
    let answer = link
        .send(Order::State)
        .map_err(|problem| Failure(format!("what `{}` runs cannot be read: {problem}", arguments.device)))?;
    if answer.result() != "state" {
        let said = printable(&answer.said());
        return Err(Failure(format!("what `{}` runs cannot be read: {said}", arguments.device)));
    }
    let plan = make(&checked, device, link, files, &answer);
    if let Some(out) = &arguments.out {
        let json = plan.to_json().map_err(|error| Failure(error.to_string()))?;
        write(out, &json)?;
    }
    let planned = Planned { file: arguments.out.as_deref(), overview: &plan.overview };
    checked.report(options, "plan", &Some(planned))?;
    if options.format.is_text() {
        print(io::stdout(), &in_words(&plan.overview))?;
    }
    let text = arguments
        .out
        .as_ref()
        .map_or("nothing was written; `--out FILE` writes the plan".to_owned(), |out| {
            format!("wrote the plan to {}", out.display())
        });
    checked.summarise(options, &text)?;
    Ok(Outcome::Fine)
}

fn find(policy: &Policy, name: &str) -> Result<DeviceId, Failure> {
    let names = |fits: &dyn Fn(&str) -> bool| {
        let own = policy.devices.iter().filter(|device| fits(&device.target));
        own.map(|device| device.name.as_str()).collect::<Vec<_>>().join(", ")
    };
    let Some(device) = policy.devices.iter().position(|device| device.name == name).map(DeviceId) else {
        let known = names(&|_| true);
        return Err(Failure(format!(
            "the policy has no enforcement point `{}`, but {known}",
            printable(name)
        )));
    };
    let target = &policy[device].target;
    if files_of(target).is_some() {
        return Ok(device);
    }
    let others = match names(&|target| files_of(target).is_some()) {
        names if names.is_empty() => "no enforcement point of the policy is one".to_owned(),
        names => format!("those of the policy are {names}"),
    };
    Err(Failure(format!(
        "`{name}` is a device with {target}, and cordon plans for nftables and iptables only: {others}; load what \
         `cordon build` writes by hand"
    )))
}

/// The files that the device is to load, proved to mean what the policy says.
fn device_files(
    policy: &Policy,
    device: DeviceId,
    files: &[OutputFile],
) -> Result<Vec<PlannedFile>, Failure> {
    let name = &policy[device].name;
    let mut planned = Vec::new();
    for wanted in files_of(&policy[device].target).unwrap_or_default() {
        let path = format!("{name}/{wanted}");
        let found = files.iter().find(|file| file.path == path);
        let content = found.map(|file| file.content.clone()).ok_or_else(|| {
            Failure(format!(
                "the target of `{name}` makes no `{wanted}`, without which nothing can be loaded"
            ))
        })?;
        planned.push(PlannedFile { name: (*wanted).to_owned(), content });
    }
    stage(&format!("proving {name}"));
    let configs: Vec<ConfigFile> =
        planned.iter().map(|file| ConfigFile { name: &file.name, text: &file.content }).collect();
    match prove(policy, device, &configs) {
        Verdict::Compared(comparison) if comparison.is_equal() => Ok(planned),
        Verdict::Compared(_) | Verdict::Unreadable(_) | Verdict::NoReader => Err(Failure(format!(
            "the output for `{name}` does not mean what the policy says, so nothing is planned; `cordon build` says \
             where"
        ))),
    }
}

fn make(checked: &Checked, device: DeviceId, link: Link, files: Vec<PlannedFile>, answer: &Answer) -> Plan {
    let policy = &checked.policy;
    let state = answer.text("state");
    stage("comparing it with the policy");
    let own: BTreeSet<IpAddr> = answer.all("own").filter_map(|address| address.parse().ok()).collect();
    let overview = Overview {
        device: policy[device].name.clone(),
        state_sha256: digest_of(&state),
        access: access(policy, device, &running(&link.target, &state)),
        sessions: sessions(policy, answer.all("conntrack").next().is_some(), answer.all("session"), &own),
        others: answer.all("other").map(printable).collect(),
        loads_at_boot: answer.all("boot").next().is_some(),
        target: link.target,
        to: link.destination,
        sudo: link.sudo,
        directory: link.directory,
        as_of: policy.as_of.to_string(),
    };
    Plan { version: VERSION, cordon: env!("CARGO_PKG_VERSION").to_owned(), overview, state, files }
}

/// A state as files that can be read back, by the names that a build gives them. Several stand behind lines with their names.
fn running(target: &str, state: &str) -> Vec<(String, String)> {
    let mut files: Vec<(String, String)> = Vec::new();
    for line in state.lines() {
        let name = match target {
            "iptables" => {
                line.strip_prefix("# ").filter(|name| files_of(target).is_some_and(|all| all.contains(name)))
            }
            _ if files.is_empty() => Some("ruleset.nft"),
            _ => None,
        };
        match (name, files.last_mut()) {
            (Some(name), _) if target == "iptables" => files.push((name.to_owned(), String::new())),
            (Some(name), _) => files.push((name.to_owned(), format!("{line}\n"))),
            (None, Some((_, text))) => *text += &format!("{line}\n"),
            (None, None) => {}
        }
    }
    files
}

/// Writes the plan, as a whole or not at all. Only its owner reads it: it says what a firewall lets through.
fn write(path: &Path, content: &str) -> Result<(), Failure> {
    let failed = |problem: io::Error| Failure(format!("cannot write `{}`: {problem}", path.display()));
    let path = std::path::absolute(path).map_err(failed)?;
    let parent = path.parent().ok_or_else(|| Failure("the plan cannot be the root directory".to_owned()))?;
    replace_file(parent, &path, content, None).map_err(failed)
}

/// What a plan says, for people.
pub(super) fn in_words(overview: &Overview) -> String {
    let Overview { device, target, to, .. } = overview;
    let mut text = format!("{device} ({target}), {to}\n");
    text += &access_in_words(&overview.access);
    text += &sessions_in_words(&overview.sessions);
    if !overview.others.is_empty() {
        text += "\nWhat else may filter there; cordon leaves it alone, and the comparison above does not know it:\n";
        text.extend(overview.others.iter().map(|other| format!("  {other}\n")));
    }
    if !overview.loads_at_boot {
        let directory = overview.directory.as_str();
        text += &format!(
            "\nNothing was found on the device that runs {directory}/boot.sh at boot. Until something does, a boot loads what \
             it loads today, not what an apply confirms; see docs/apply.md.\n"
        );
    }
    text.lines().map(|line| printable(line) + "\n").collect()
}

fn access_in_words(access: &Access) -> String {
    match access.running {
        Running::Nothing => "\nThe device runs nothing of cordon. Afterwards it lets pass what the policy allows, and nothing \
             else. Until an apply is confirmed it goes back to what it does now.\n"
            .to_owned(),
        Running::Same => "\nNothing changes in access: what the device runs means what the policy says.\n".to_owned(),
        Running::Unreadable => {
            let lines: String = access.unreadable.iter().take(SHOWN).map(|line| format!("  {line}\n")).collect();
            let more = more(access.unreadable.len(), "line");
            format!("\nWhat the device runs cannot be read back, so what changes in access is not known:\n{lines}{more}")
        }
        Running::Different => {
            let side = |title: &str, changes: &[AccessChange]| {
                // What changes for packets of known connections follows from what may open them.
                let (new, known): (Vec<_>, Vec<_>) = changes.iter().partition(|change| change.state == "new");
                let first: Vec<&AccessChange> = new.into_iter().chain(known).collect();
                let shown: String = first.iter().take(SHOWN).map(|change| change_in_words(change)).collect();
                match changes.len() {
                    0 => String::new(),
                    all => format!("\n{title}\n{shown}{}", more(all, "change")),
                }
            };
            side("Opens:", &access.opens) + &side("Closes:", &access.closes)
        }
    }
}

fn change_in_words(change: &AccessChange) -> String {
    let AccessChange { family, arrives, state, packets, .. } = change;
    let to = change.leaves.as_deref().map_or("the device itself".to_owned(), |name| format!("`{name}`"));
    let packets =
        if *packets < 1e6 { packets.to_string() } else { format!("about 10^{:.0}", packets.log10()) };
    let examples: String = change.examples.iter().map(|example| format!("    {example}\n")).collect();
    format!("  {family} from `{arrives}` to {to}, state {state}, {packets} packets\n{examples}")
}

fn sessions_in_words(sessions: &Sessions) -> String {
    let Sessions { known, judged, not_judged, lost } = sessions;
    if !known {
        return "\nThe device has no `conntrack`, so sessions that the policy does not allow are not known.\n".to_owned();
    }
    let judged =
        format!("{} judged, {not_judged} of the device itself or at their end", count(*judged, "session"));
    if lost.is_empty() {
        return format!("\nNo open session loses access ({judged}).\n");
    }
    let shown: String = lost.iter().take(SHOWN).map(session_in_words).collect();
    let more = more(lost.len(), "session");
    format!(
        "\nOpen sessions that the policy does not allow ({judged}). They go on until they end, unless `cordon apply` gets \
         `--cut-sessions`:\n{shown}{more}"
    )
}

fn session_in_words(session: &LostSession) -> String {
    let LostSession { protocol, source, destination, ports, forbidden_by } = session;
    let (from, to) =
        ports.map_or_else(Default::default, |(from, to)| (format!(" port {from}"), format!(" port {to}")));
    let why =
        forbidden_by.as_ref().map_or("no rule allows it".to_owned(), |rule| format!("`{rule}` forbids it"));
    let protocol = match protocol {
        6 => "tcp".to_owned(),
        17 => "udp".to_owned(),
        other => format!("protocol {other}"),
    };
    format!("  {protocol} from {source}{from} to {destination}{to}: {why}\n")
}

fn more(all: usize, what: &str) -> String {
    if all <= SHOWN { String::new() } else { format!("  and {} more\n", count(all - SHOWN, what)) }
}
