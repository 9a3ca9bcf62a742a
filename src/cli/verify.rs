//! The command `verify`, and the proof of a build: whether configs mean what the policy says.

use std::fs;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::Serialize;

use super::args::Common;
use super::commands::{POSTURES, count, read_and_check};
use super::config::read_config;
use super::load::printable;
use super::proved::{Proved, findings};
use super::terminal::{print, stage};
use super::{Failure, Outcome};
use crate::diag::Record;
use crate::emit::OutputFile;
use crate::ir::{DeviceId, Policy};
use crate::parallel::each;
use crate::prove::{
    Comparison, ConfigFile, Difference, Kind, StormDifference, Unreadable, Verdict, Witness, files_read,
    prove,
};
use crate::read::Family;

/// The largest config that is read, in bytes: 1 GiB.
const MAX_CONFIG_BYTES: u64 = 1 << 30;

/// How many differences are shown to people; `--format json` has all.
const SHOWN: usize = 10;

/// A config to be proved.
struct Subject {
    device: DeviceId,
    /// Where its files lie, for messages.
    place: PathBuf,
    files: Vec<(String, String)>,
}

/// What `verify` says of one enforcement point.
#[derive(Serialize)]
struct Report {
    device: String,
    /// `equal`, `different`, `unreadable` or `no reader`.
    verdict: &'static str,
    /// How many sets of packets were compared.
    compared: usize,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    differences: Vec<DifferenceReport>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    storms: Vec<StormDifference>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    unreadable: Vec<Unreadable>,
}

#[derive(Serialize)]
struct DifferenceReport {
    /// `opened` or `closed`.
    kind: &'static str,
    family: &'static str,
    arrives: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    leaves: Option<String>,
    state: &'static str,
    packets: f64,
    witnesses: Vec<WitnessReport>,
}

#[derive(Serialize)]
struct WitnessReport {
    packet: String,
    from: String,
    to: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    tcp_flags: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    second_of_week: Option<u32>,
    /// The moment as `2027-07-01 00:00:00`, by the clock of the config, where the difference depends on it.
    #[serde(skip_serializing_if = "Option::is_none")]
    moment: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    statement: Option<String>,
    /// The last day of that statement, if it has ended by then.
    #[serde(skip_serializing_if = "Option::is_none")]
    ended: Option<String>,
}

/// Proves configs against a policy, and says where they differ.
pub(super) fn run(common: &Common, against: &Path, device: Option<&str>) -> Result<Outcome, Failure> {
    let options = &common.options;
    let checked = read_and_check(&common.path, options)?;
    if checked.diagnostics.has_errors() {
        checked.report(options, "verify", &())?;
        checked.summarise(options, "nothing was proved")?;
        return Ok(Outcome::Findings);
    }
    let policy = &checked.policy;
    let subjects = subjects(policy, against, device, &options.postures)?;
    let verdicts = prove_all(policy, &subjects);
    let reports: Vec<Report> =
        verdicts.iter().map(|(subject, verdict)| report(policy, subject.device, verdict)).collect();
    let findings = match options.format.is_for_ci() {
        true => verdicts.iter().flat_map(|(subject, verdict)| for_ci(policy, subject, verdict)).collect(),
        false => Vec::new(),
    };
    checked.report_with(options, "verify", &reports, findings)?;
    if options.format.is_text() {
        let text: String =
            verdicts.iter().map(|(subject, verdict)| in_words(policy, subject, verdict)).collect();
        print(std::io::stdout(), &text)?;
    }
    let unreadable = verdicts.iter().find(|(_, verdict)| matches!(verdict, Verdict::Unreadable(_)));
    if let Some((subject, _)) = unreadable {
        return Err(Failure(format!(
            "`{}` cannot be read, so nothing is known of it",
            subject.place.display()
        )));
    }
    if verdicts.iter().all(|(_, verdict)| matches!(verdict, Verdict::NoReader)) {
        return Err(Failure("nothing was proved, since there is no reader for any of it".to_owned()));
    }
    let equal = reports.iter().all(|report| report.differences.is_empty() && report.storms.is_empty());
    Ok(if equal { Outcome::Fine } else { Outcome::Findings })
}

/// Proves configs, several at a time.
fn prove_all<'s>(policy: &Policy, subjects: &'s [Subject]) -> Vec<(&'s Subject, Verdict)> {
    let verdicts = each(subjects, |subject| {
        stage(&format!("proving {}", policy[subject.device].name));
        prove(policy, subject.device, &configs(&subject.files))
    });
    subjects.iter().zip(verdicts).collect()
}

/// Proves what is about to be written. Gives how many enforcement points were proved; those whose target has no reader
/// are not. Nothing if a config does not mean what the policy says: that is a bug in cordon, or in a template of the user,
/// which is said, and a report of it is left beside the output.
pub(super) fn prove_build(
    policy: &Policy,
    files: &[OutputFile],
    directory: &Path,
) -> Result<Option<usize>, Failure> {
    let mut proved = 0;
    let mut failed = String::new();
    let subjects: Vec<Subject> = (0..policy.devices.len())
        .map(DeviceId)
        .map(|id| Subject {
            device: id,
            place: PathBuf::from(&policy[id].name),
            files: own_files(policy, id, files),
        })
        .collect();
    for (subject, verdict) in prove_all(policy, &subjects) {
        match &verdict {
            Verdict::NoReader => {}
            Verdict::Compared(comparison) if comparison.is_equal() => proved += 1,
            Verdict::Compared(_) | Verdict::Unreadable(_) => failed += &in_words(policy, subject, &verdict),
        }
    }
    if failed.is_empty() {
        return Ok(Some(proved));
    }
    let path = directory.with_extension("proof-failed.txt");
    let name = policy.name.as_deref().unwrap_or("without a name");
    let text = format!("cordon {}, policy {name}\n\n{failed}", env!("CARGO_PKG_VERSION"));
    fs::write(&path, text)
        .map_err(|problem| Failure(format!("cannot write `{}`: {problem}", path.display())))?;
    let said = format!(
        "cordon: the output does not mean what the policy says, so nothing was written. Unless a template of your own is \
         the cause, this is a bug in cordon: please send `{}`, with the policy if you can\n{failed}",
        path.display()
    );
    print(std::io::stderr(), &said)?;
    Ok(None)
}

/// The files of one enforcement point among those of a build, by their names in its folder.
fn own_files(policy: &Policy, id: DeviceId, files: &[OutputFile]) -> Vec<(String, String)> {
    let folder = format!("{}/", policy[id].name);
    let own = files.iter().filter_map(|file| Some((file.path.strip_prefix(&folder)?, &file.content)));
    own.map(|(name, content)| (name.to_owned(), content.clone())).collect()
}

fn configs(files: &[(String, String)]) -> Vec<ConfigFile<'_>> {
    files.iter().map(|(name, text)| ConfigFile { name, text }).collect()
}

/// What is to be proved: every enforcement point of a build, or the one that is named.
fn subjects(
    policy: &Policy,
    against: &Path,
    device: Option<&str>,
    postures: &[String],
) -> Result<Vec<Subject>, Failure> {
    let all: Vec<DeviceId> = (0..policy.devices.len()).map(DeviceId).collect();
    let names = || policy.devices.iter().map(|device| device.name.as_str()).collect::<Vec<_>>().join(", ");
    let chosen: Vec<DeviceId> = match device {
        None => all,
        Some(name) => {
            let found = all.into_iter().find(|id| policy[*id].name == name);
            let missing =
                || Failure(format!("the policy has no enforcement point `{name}`, but {}", names()));
            vec![found.ok_or_else(missing)?]
        }
    };
    if against.exists() && !against.is_dir() {
        let [only] = chosen[..] else {
            return Err(Failure(format!(
                "one file is of one device: name it with `--device`, one of {}",
                names()
            )));
        };
        return Ok(vec![dump(policy, only, against)?]);
    }
    let folder_of = |id: DeviceId| {
        let folder = against.join(&policy[id].name);
        let folder = if folder.is_dir() || chosen.len() > 1 { folder } else { against.to_path_buf() };
        match postures {
            // What a build without a posture made has the configs of each in a folder of its own.
            [name] => Some(folder.join(POSTURES).join(name)).filter(|own| own.is_dir()).unwrap_or(folder),
            _ => folder,
        }
    };
    chosen.iter().map(|id| folder(policy, *id, folder_of(*id))).collect()
}

/// One dump, under the name that a build would have given it.
fn dump(policy: &Policy, device: DeviceId, path: &Path) -> Result<Subject, Failure> {
    let name = match policy[device].target.as_str() {
        "iptables" => {
            let help = "put what iptables-save, ip6tables-save and ipset save print into one folder, as rules.v4, \
                        rules.v6 and sets.ipset, and name the folder";
            return Err(Failure(format!("`{}` is one file, and iptables has three: {help}", path.display())));
        }
        "pfsense" => "config.xml",
        target => files_read(target).first().copied().unwrap_or_default(),
    };
    let files = vec![(name.to_owned(), read_config(path, MAX_CONFIG_BYTES)?)];
    Ok(Subject { device, place: path.to_path_buf(), files })
}

/// The files in the folder of a device that a proof reads.
fn folder(policy: &Policy, device: DeviceId, place: PathBuf) -> Result<Subject, Failure> {
    let names = files_read(&policy[device].target);
    if !names.is_empty() && !place.is_dir() {
        return Err(Failure(format!("there is no folder `{}`", place.display())));
    }
    let paths = names.into_iter().map(|name| (name, place.join(name))).filter(|(_, path)| path.exists());
    let files = paths
        .map(|(name, path)| Ok((name.to_owned(), read_config(&path, MAX_CONFIG_BYTES)?)))
        .collect::<Result<_, Failure>>()?;
    Ok(Subject { device, place, files })
}

fn report(policy: &Policy, device: DeviceId, verdict: &Verdict) -> Report {
    let nothing = Comparison::default();
    let (word, comparison, unreadable) = match verdict {
        Verdict::NoReader => ("no reader", &nothing, Vec::new()),
        Verdict::Unreadable(mistakes) => ("unreadable", &nothing, mistakes.clone()),
        Verdict::Compared(comparison) if comparison.is_equal() => ("equal", comparison, Vec::new()),
        Verdict::Compared(comparison) => ("different", comparison, Vec::new()),
    };
    Report {
        device: policy[device].name.clone(),
        verdict: word,
        compared: comparison.compared,
        differences: comparison.differences.iter().map(difference).collect(),
        storms: comparison.storms.clone(),
        unreadable,
    }
}

fn difference(difference: &Difference) -> DifferenceReport {
    DifferenceReport {
        kind: kind(difference.kind),
        family: family(difference.family),
        arrives: difference.arrives.clone(),
        leaves: difference.leaves.clone(),
        state: difference.state,
        packets: difference.packets,
        witnesses: difference.witnesses.iter().map(witness).collect(),
    }
}

fn witness(witness: &Witness) -> WitnessReport {
    WitnessReport {
        packet: witness.packet.to_string(),
        from: witness.from.clone(),
        to: witness.to.clone(),
        tcp_flags: witness.flags,
        second_of_week: witness.second,
        moment: witness.moment.and_then(moment),
        line: witness.line,
        label: witness.label.clone(),
        statement: witness.statement.clone(),
        ended: witness.ended.map(|day| day.to_string()),
    }
}

/// A second since 1970 as a date with its time of day.
fn moment(second: u32) -> Option<String> {
    let moment = Timestamp::from_second(second.into()).ok()?;
    Some(moment.strftime("%Y-%m-%d %H:%M:%S").to_string())
}

fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Opened => "opened",
        Kind::Closed => "closed",
    }
}

fn family(family: Family) -> &'static str {
    match family {
        Family::V4 => "IPv4",
        Family::V6 => "IPv6",
    }
}

/// What came of one enforcement point, as findings.
fn for_ci(policy: &Policy, subject: &Subject, verdict: &Verdict) -> Vec<Record> {
    let words: Vec<String> = match verdict {
        Verdict::Compared(comparison) => {
            let packets = comparison.differences.iter().map(difference_in_words);
            packets.chain(comparison.storms.iter().map(storm_in_words)).collect()
        }
        Verdict::NoReader | Verdict::Unreadable(_) => Vec::new(),
    };
    let files = subject.files.iter().map(|(name, _)| name.as_str()).collect();
    let (device, place) = (policy[subject.device].name.as_str(), subject.place.as_path());
    findings(&Proved { device, place, files, verdict }, &words)
}

/// What came of one enforcement point, for people. It quotes configs, which may hold what acts on a terminal.
fn in_words(policy: &Policy, subject: &Subject, verdict: &Verdict) -> String {
    said(policy, subject, verdict).lines().map(|line| printable(line) + "\n").collect()
}

fn said(policy: &Policy, subject: &Subject, verdict: &Verdict) -> String {
    let name = &policy[subject.device].name;
    match verdict {
        Verdict::NoReader => {
            format!("{name}: not proved, since there is no reader for `{}`\n", policy[subject.device].target)
        }
        Verdict::Unreadable(mistakes) => {
            let lines = mistakes.iter().take(SHOWN).map(|mistake| {
                let line = mistake.line.map_or_else(String::new, |line| format!(":{line}"));
                // A dump is known by the name that the user gave it, not by the one that a build would have.
                let file = match subject.place.is_file() {
                    true => subject.place.display().to_string(),
                    false => mistake.file.clone(),
                };
                format!("  {file}{line}: {}\n", mistake.what)
            });
            let more = more(mistakes.len(), "line");
            format!("{name}: unreadable\n{}{more}", lines.collect::<String>())
        }
        Verdict::Compared(comparison) if comparison.is_equal() => {
            format!("{name}: proved equal, in {}\n", count(comparison.compared, "comparison"))
        }
        Verdict::Compared(comparison) => {
            let packets = comparison.differences.iter().map(difference_in_words);
            let storms = comparison.storms.iter().map(storm_in_words);
            let all = comparison.differences.len() + comparison.storms.len();
            let shown: String = packets.chain(storms).take(SHOWN).collect();
            let number = count(all, "difference");
            format!("{name}: {number}\n{shown}{}", more(all, "difference"))
        }
    }
}

fn more(all: usize, what: &str) -> String {
    if all <= SHOWN { String::new() } else { format!("  and {} more\n", count(all - SHOWN, what)) }
}

fn difference_in_words(difference: &Difference) -> String {
    let to = difference.leaves.as_deref().map_or("the device itself".to_owned(), |name| format!("`{name}`"));
    let mut text = format!(
        "  {}: {} from `{}` to {to}, state {}, {} packets\n",
        kind(difference.kind),
        family(difference.family),
        difference.arrives,
        difference.state,
        how_many(difference.packets),
    );
    let mut lines = Vec::new();
    for witness in &difference.witnesses {
        let line = witness.line.map_or_else(String::new, |line| format!(", line {line}"));
        let label = witness.label.as_deref().map_or_else(String::new, |label| format!(" ({label})"));
        let statement = match (&witness.statement, witness.ended) {
            (Some(id), None) => format!("; the policy: `{id}`"),
            (Some(id), Some(end)) => format!("; the policy: `{id}`, which ended on {end}"),
            (None, _) => "; the policy: no statement".to_owned(),
        };
        let at = witness.moment.and_then(moment).map_or_else(String::new, |moment| format!(" at {moment}"));
        let Witness { packet, from, to, .. } = witness;
        lines.push(format!("    {packet} ({from} to {to}){at}{line}{label}{statement}\n"));
    }
    // Packets that differ in their TCP flags or in time only look alike here.
    lines.dedup();
    lines.truncate(2);
    text += &lines.concat();
    text
}

fn storm_in_words(difference: &StormDifference) -> String {
    let StormDifference { port, config, line, policy } = difference;
    let line = line.map_or_else(String::new, |line| format!(", line {line}"));
    format!("  storms: `{port}` has {config}{line}; the policy: {policy}\n")
}

/// A number of packets for people.
fn how_many(packets: f64) -> String {
    if packets < 1e6 { format!("{packets}") } else { format!("about 10^{:.0}", packets.log10()) }
}
