//! The command `apply`: a plan is loaded, checked, and confirmed; or the device goes back by itself.
//!
//! What must hold however this process ends is done by the device: see `deploy/device.sh`.

use std::io::{self, BufRead, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use clap::{ArgGroup, Args};
use serde::Serialize;

use super::args::AnswerFormat;
use super::commands::{JSON_VERSION, count};
use super::config::read_config;
use super::link::Link;
use super::load::printable;
use super::terminal::{is_quiet, print};
use super::{Failure, Outcome};
use crate::deploy::{Answer, ApplyName, Order, Plan};

pub(super) const HELP: &str = "\
Examples:
  cordon apply core.plan
  cordon apply core.plan --check tcp:10.40.65.10:104 --check tcp:[2001:db8:600:310::a]:104
  cordon apply core.plan --confirm-within 5m --cut-sessions
  cordon apply core.plan --yes             for a machine: what `--check` asks for decides
  cordon apply core.plan --confirm         from a second terminal
  cordon apply core.plan --rollback        from a second terminal

Until it is confirmed over a new connection, the device itself goes back to what it had, also if this command is killed or
the connection is lost.

Exit codes:
  0  the new rules are in force, and confirmed
  1  they are not: the device has moved since the plan, refuses them, or has gone back
  2  wrong usage, a plan that cannot be read, or a device that cannot be reached";

/// The largest plan that is read, in bytes: 1 GiB.
const MAX_PLAN_BYTES: u64 = 1 << 30;

/// How long a connection to a must-work flow may take.
const CHECK_TIMEOUT: Duration = Duration::from_secs(3);

/// How much longer than its time a device is given to go back, before it is asked.
const GRACE: Duration = Duration::from_secs(3);

/// How long a device whose connection was lost is given to begin.
const BEGINNING: Duration = Duration::from_secs(5);

/// How often a device that has to go back is asked for it.
const ASKED: u32 = 5;

#[derive(Args, Debug)]
#[command(group = ArgGroup::new("decision").args(["confirm", "rollback"]))]
pub(super) struct ApplyArguments {
    /// A file that `cordon plan` wrote
    plan: PathBuf,
    /// How long the device waits before it goes back: from 2s to 60m
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = seconds)]
    confirm_within: u32,
    /// Confirm without asking, if all checks pass
    #[arg(long)]
    yes: bool,
    /// A flow that must work afterwards, from here: `tcp:ADDRESS:PORT`; given several times, all of them
    #[arg(long = "check", value_name = "FLOW", value_parser = flow)]
    checks: Vec<SocketAddr>,
    /// End the sessions that the plan lists, once it is confirmed
    #[arg(long)]
    cut_sessions: bool,
    /// Confirm an apply of this plan that waits for it
    #[arg(long)]
    confirm: bool,
    /// Take back an apply of this plan that waits to be confirmed
    #[arg(long)]
    rollback: bool,
    /// A configuration for ssh, in the place of your own
    #[arg(long, value_name = "FILE")]
    ssh_config: Option<PathBuf>,
    /// The form of the answer
    #[arg(long, value_enum, default_value_t = AnswerFormat::Human)]
    format: AnswerFormat,
}

/// How an apply ended.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Debug)]
#[serde(rename_all = "kebab-case")]
enum Ending {
    /// The new rules are in force, and stay.
    Confirmed,
    /// The old rules are in force again.
    RolledBack,
    /// Nothing was loaded.
    NotLoaded,
    /// The device goes back by itself, and could not be asked whether it has.
    GoesBack,
}

/// What `apply` says at its end.
#[derive(Serialize, Debug)]
struct Report {
    ending: Ending,
    /// Why, in words.
    said: String,
    /// How many sessions were ended; none if it was not asked for.
    sessions_cut: Option<usize>,
}

/// What `apply` prints as JSON.
#[derive(Serialize)]
struct Document<'r> {
    version: u32,
    command: &'static str,
    result: &'r Report,
}

fn seconds(text: &str) -> Result<u32, String> {
    let (number, unit) = match (text.strip_suffix('s'), text.strip_suffix('m')) {
        (Some(number), _) => (number, 1),
        (None, Some(number)) => (number, 60),
        (None, None) => (text, 1),
    };
    let seconds = number.parse::<u32>().ok().and_then(|number| number.checked_mul(unit));
    let fits = seconds.filter(|seconds| (2..=3600).contains(seconds));
    fits.ok_or_else(|| "write a time from 2s to 60m, such as `90s` or `5m`".to_owned())
}

fn flow(text: &str) -> Result<SocketAddr, String> {
    let address = text.strip_prefix("tcp:").and_then(|address| address.parse().ok());
    address.ok_or_else(|| {
        "write `tcp:ADDRESS:PORT`, such as `tcp:10.40.65.10:104` or `tcp:[2001:db8::a]:104`".to_owned()
    })
}

/// Runs the command.
pub(super) fn run(arguments: &ApplyArguments) -> Result<Outcome, Failure> {
    let text = read_config(&arguments.plan, MAX_PLAN_BYTES)?;
    let plan = Plan::parse(&text).map_err(|bad| Failure(format!("`{}`: {bad}", arguments.plan.display())))?;
    let link = Link {
        destination: plan.overview.to.clone(),
        sudo: plan.overview.sudo,
        ssh_config: arguments.ssh_config.clone(),
        target: plan.overview.target.clone(),
        directory: plan.overview.directory.clone(),
    };
    let name = match arguments.confirm || arguments.rollback {
        true => ApplyName::last_of(&plan),
        false => {
            let since = SystemTime::now().duration_since(UNIX_EPOCH);
            ApplyName::new(&plan, since.map_or(0, |since| since.as_nanos()))
        }
    };
    let apply = Apply { arguments, plan: &plan, name: &name, link: &link };
    let report = match (arguments.confirm, arguments.rollback) {
        (true, _) => apply.confirm()?,
        (false, true) => apply.roll_back_now()?,
        (false, false) => apply.load()?,
    };
    tell(arguments.format, &report)?;
    Ok(if report.ending == Ending::Confirmed { Outcome::Fine } else { Outcome::Findings })
}

fn tell(format: AnswerFormat, report: &Report) -> Result<(), Failure> {
    match format {
        AnswerFormat::Human => {
            let cut = report
                .sessions_cut
                .map_or_else(String::new, |number| format!("; {} ended", count(number, "session")));
            print(io::stdout(), &format!("{}{cut}\n", report.said))
        }
        AnswerFormat::Json => {
            let document = Document { version: JSON_VERSION, command: "apply", result: report };
            let json = serde_json::to_string_pretty(&document).map_err(|error| Failure(error.to_string()))?;
            print(io::stdout(), &(json + "\n"))
        }
    }
}

fn report(ending: Ending, said: impl Into<String>) -> Report {
    Report { ending, said: said.into(), sessions_cut: None }
}

/// One apply, as all of its steps see it.
struct Apply<'a> {
    arguments: &'a ApplyArguments,
    plan: &'a Plan,
    name: &'a ApplyName,
    link: &'a Link,
}

impl Apply<'_> {
    /// Says what is being done.
    fn step(&self, text: &str) -> Result<(), Failure> {
        if is_quiet() { Ok(()) } else { print(io::stderr(), &format!("{text}\n")) }
    }

    fn device(&self) -> &str {
        &self.plan.overview.device
    }

    /// The whole of it: load, check, ask, confirm.
    fn load(&self) -> Result<Report, Failure> {
        let seconds = self.arguments.confirm_within;
        self.step(&format!("loading the new rules on {}", self.device()))?;
        let begun = Instant::now();
        let mut deadline = begun + Duration::from_secs(seconds.into());
        match self.link.send(Order::Apply { plan: self.plan, name: self.name, seconds }) {
            Ok(answer) if answer.result() == "loaded" => {
                deadline = Instant::now() + Duration::from_secs(seconds.into());
            }
            Ok(answer) => return Ok(not_loaded(self.device(), &answer)),
            // It may have begun. Whether the device can still be managed is asked next, which answers that too.
            Err(problem) => self.step(&format!("{problem}"))?,
        }
        self.step("loaded; asking the device over a new connection")?;
        if let Some(ended) = self.reach(deadline)? {
            return Ok(ended);
        }
        for check in &self.arguments.checks {
            self.step(&format!("connecting to {check}"))?;
            if !answers(*check) {
                return self.go_back(deadline, &format!("tcp:{check} does not answer"));
            }
        }
        if !self.arguments.yes && !self.is_wanted(deadline)? {
            return self.go_back(deadline, "it was not confirmed");
        }
        match self.link.send(Order::Confirm(self.name)) {
            Ok(answer) if answer.result() == "confirmed" => self.confirmed(&answer),
            Ok(answer) => self.go_back(deadline, &in_time(&answer)),
            Err(problem) => self.go_back(deadline, &problem.to_string()),
        }
    }

    /// Asks the device how it stands, over new connections, until it says that the new rules are loaded.
    fn reach(&self, deadline: Instant) -> Result<Option<Report>, Failure> {
        let begun = Instant::now();
        loop {
            let problem = match self.link.send(Order::Status(self.name)) {
                Ok(answer) => match answer.result() {
                    "loaded" => return Ok(None),
                    "confirmed" => return self.confirmed(&answer).map(Some),
                    "none" | "other" if Instant::now() < begun + BEGINNING => {
                        "the device has not begun".to_owned()
                    }
                    "none" | "other" | "refused" => {
                        let said = format!(
                            "nothing is loaded on {}: the connection was lost before; should it be yet, the device goes back \
                             by itself",
                            self.device()
                        );
                        return Ok(Some(report(Ending::NotLoaded, said)));
                    }
                    "restored" | "restoring" => {
                        return self.go_back(deadline, "the device has gone back").map(Some);
                    }
                    _ => "the device is still loading".to_owned(),
                },
                Err(problem) => problem.to_string(),
            };
            if Instant::now() >= deadline {
                return self.go_back(deadline, &problem).map(Some);
            }
            self.step(&format!("{problem}; trying again"))?;
            thread::sleep(Duration::from_secs(1));
        }
    }

    /// Asks the operator, who has until the device goes back.
    fn is_wanted(&self, deadline: Instant) -> Result<bool, Failure> {
        let left = deadline.saturating_duration_since(Instant::now());
        let question =
            format!("Keep the new rules? They are taken back in {} seconds. [yes/no] ", left.as_secs());
        print(io::stderr(), &question)?;
        let _ = io::stderr().flush();
        let (sender, receiver) = mpsc::channel();
        // A read cannot be ended, so it has a thread of its own, which ends with the process.
        thread::spawn(move || {
            let mut line = String::new();
            let _ = io::stdin().lock().read_line(&mut line);
            let _ = sender.send(line);
        });
        let answered = receiver.recv_timeout(left).unwrap_or_default();
        Ok(["y", "yes"].contains(&answered.trim().to_ascii_lowercase().as_str()))
    }

    fn confirmed(&self, answer: &Answer) -> Result<Report, Failure> {
        let warned = answer.said();
        let warned = if warned.is_empty() { warned } else { format!(", {}", printable(&warned)) };
        let mut ended = report(
            Ending::Confirmed,
            format!("the new rules are in force on {}, and confirmed{warned}", self.device()),
        );
        if self.arguments.cut_sessions {
            ended.sessions_cut = Some(self.cut()?);
        }
        Ok(ended)
    }

    fn cut(&self) -> Result<usize, Failure> {
        let sessions = &self.plan.overview.sessions.lost;
        if sessions.is_empty() {
            return Ok(0);
        }
        let not_cut = |why: String| {
            Failure(format!(
                "the new rules are in force on {}, and no session was ended: {why}",
                self.device()
            ))
        };
        let answer = self
            .link
            .send(Order::Cut { name: self.name, sessions })
            .map_err(|problem| not_cut(problem.to_string()))?;
        match (answer.result(), answer.all("number").next().and_then(|number| number.parse().ok())) {
            ("cut", Some(number)) => Ok(number),
            _ => Err(not_cut(printable(&answer.said()))),
        }
    }

    /// Has the device go back; where it cannot be reached, it does so by itself, and is asked afterwards.
    fn go_back(&self, deadline: Instant, why: &str) -> Result<Report, Failure> {
        self.step(&format!("{why}; going back"))?;
        let device = self.device();
        let mut problem = String::new();
        for attempt in 0..=ASKED {
            match self.link.send(Order::Rollback(self.name)) {
                Ok(answer) => match answer.result() {
                    "restored" => {
                        return Ok(report(
                            Ending::RolledBack,
                            format!("the old rules are in force on {device}: {why}"),
                        ));
                    }
                    "confirmed" => return self.confirmed(&answer),
                    "none" | "other" | "refused" => {
                        return Ok(report(
                            Ending::NotLoaded,
                            format!("nothing was loaded on {device}: {why}"),
                        ));
                    }
                    other => {
                        problem =
                            format!("the device says `{}` {}", printable(other), printable(&answer.said()))
                    }
                },
                Err(none) => problem = none.to_string(),
            }
            let left = (deadline + GRACE).saturating_duration_since(Instant::now());
            let is_last = attempt == ASKED;
            if !is_last {
                self.step(&format!("{problem}; asking again"))?;
                // A device that cannot be reached because of its new rules can be once it has gone back.
                thread::sleep(left.max(Duration::from_secs(1)));
            }
        }
        let said = format!(
            "{device} goes back to the old rules by itself, but could not be asked whether it has ({problem}): {why}; \
             `cordon apply {} --rollback` asks again",
            self.arguments.plan.display()
        );
        Ok(report(Ending::GoesBack, said))
    }

    fn no_answer(&self, problem: &impl std::fmt::Display) -> Failure {
        Failure(format!("{} does not answer: {problem}", self.device()))
    }

    fn confirm(&self) -> Result<Report, Failure> {
        let answer = self.link.send(Order::Confirm(self.name)).map_err(|problem| self.no_answer(&problem))?;
        match answer.result() {
            "confirmed" => self.confirmed(&answer),
            "restored" | "restoring" => Ok(report(
                Ending::RolledBack,
                format!("the old rules are in force on {}: {}", self.device(), in_time(&answer)),
            )),
            "none" | "other" => {
                Err(Failure(format!("nothing waits to be confirmed: {}", printable(&answer.said()))))
            }
            _ => Ok(report(
                Ending::NotLoaded,
                format!("nothing is confirmed on {}: {}", self.device(), in_time(&answer)),
            )),
        }
    }

    fn roll_back_now(&self) -> Result<Report, Failure> {
        let answer =
            self.link.send(Order::Rollback(self.name)).map_err(|problem| self.no_answer(&problem))?;
        match answer.result() {
            "restored" => {
                Ok(report(Ending::RolledBack, format!("the old rules are in force on {}", self.device())))
            }
            "confirmed" => Err(Failure(format!(
                "the plan is confirmed on {}, so nothing is taken back; plan and apply the policy as it was before",
                self.device()
            ))),
            "none" | "other" => {
                Err(Failure(format!("nothing can be taken back: {}", printable(&answer.said()))))
            }
            _ => Ok(report(Ending::GoesBack, format!("{}: {}", self.device(), in_time(&answer)))),
        }
    }
}

/// Why a confirmation was not taken.
fn in_time(answer: &Answer) -> String {
    match (answer.result(), answer.said()) {
        ("restored" | "restoring", _) => "the confirmation came too late".to_owned(),
        ("loading", _) => "the device is still loading".to_owned(),
        (result, said) if said.is_empty() => format!("the device says `{}`", printable(result)),
        (_, said) => printable(&said),
    }
}

/// Why a device did not load a plan.
fn not_loaded(device: &str, answer: &Answer) -> Report {
    let said = printable(&answer.said());
    let text = match answer.result() {
        "moved" => format!("nothing was loaded: {said}; look at what changed {device}, and plan anew"),
        "stuck" => return report(Ending::GoesBack, format!("{device}: {said}")),
        _ => format!("nothing was loaded on {device}: {said}"),
    };
    report(Ending::NotLoaded, text)
}

/// Whether something takes a connection.
fn answers(address: SocketAddr) -> bool {
    (0..2).any(|_| TcpStream::connect_timeout(&address, CHECK_TIMEOUT).is_ok())
}
