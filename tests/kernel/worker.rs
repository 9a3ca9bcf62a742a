//! The part of the lab that runs inside the namespace: the test binary started again under `unshare`, with this
//! module's one test selected. In goes a job file, out comes a result file.
//!
//! The test process has many threads and so cannot enter a user namespace itself.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::lab::{Invocation, Lab, Step, StepOutcome};
use super::sockets::{self, Answer, Network};
use super::wire::Wire;
use super::{require, router};

/// What a worker is asked to do.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Job {
    /// Forward frames; the result is a list of step outcomes.
    Frames(Lab),
    /// Open connections; the result is a list of answers.
    Sockets(Network),
}

const DIRECTORY: &str = "CORDON_LAB_DIRECTORY";
const JOB_FILE: &str = "job.json";
const RESULT_FILE: &str = "result.json";

/// Does `job` in user and network namespaces of its own.
///
/// # Errors
/// The job's own error, or all that the worker printed if it ended without a result.
pub(super) fn in_namespace<T: DeserializeOwned>(job: &Job) -> Result<T, String> {
    let directory = tempfile::tempdir().map_err(|error| format!("no directory for the job: {error}"))?;
    let text = serde_json::to_string(job).map_err(|error| format!("job: {error}"))?;
    fs::write(directory.path().join(JOB_FILE), text).map_err(|error| format!("job file: {error}"))?;
    let binary = std::env::current_exe().map_err(|error| format!("own binary: {error}"))?;
    let (_crate_name, module) = module_path!().split_once("::").unwrap_or_default();
    let output = Command::new("unshare")
        .args([require::namespace(), "--"])
        .arg(binary)
        .args(["--exact", &format!("{module}::lab_worker"), "--ignored", "--nocapture"])
        .env(DIRECTORY, directory.path())
        .env("PATH", require::search_path())
        .env("XTABLES_LOCKFILE", directory.path().join("xtables.lock"))
        .output()
        .map_err(|error| format!("unshare: {error}"))?;
    let Ok(text) = fs::read_to_string(directory.path().join(RESULT_FILE)) else {
        let said = [&output.stdout[..], &output.stderr].map(String::from_utf8_lossy).concat();
        return Err(format!("the worker ended without a result ({}):\n{said}", output.status));
    };
    serde_json::from_str::<Result<T, String>>(&text).map_err(|error| format!("result file: {error}"))?
}

/// Calls a tool and returns its standard output.
///
/// # Errors
/// The tool is missing or failed; the text has the call and what the tool wrote to standard error.
pub(super) fn call(invocation: &Invocation) -> Result<String, String> {
    let Invocation { program, arguments, input } = invocation;
    let shown = format!("`{program} {}`", arguments.join(" "));
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| format!("{shown}: {error}"))?;
    let stdin = child.stdin.take();
    let output = std::thread::scope(|scope| {
        // A tool that ends before it has read everything is judged by its exit status.
        scope.spawn(move || stdin.map(|mut stdin| stdin.write_all(input.as_bytes())));
        child.wait_with_output()
    });
    let output = output.map_err(|error| format!("{shown}: {error}"))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let message = String::from_utf8_lossy(&output.stderr);
    Err(format!("{shown} failed ({}): {}", output.status, message.trim_end()))
}

/// Loads the configuration.
///
/// # Errors
/// As [`call`], with `load: ` in front.
pub(super) fn load(invocations: &[Invocation]) -> Result<(), String> {
    invocations.iter().try_for_each(|invocation| match call(invocation) {
        Ok(_output) => Ok(()),
        Err(message) => Err(format!("load: {message}")),
    })
}

fn frames(lab: &Lab) -> Result<Vec<StepOutcome>, String> {
    router::set_up(&lab.interfaces)?;
    load(&lab.load)?;
    let wire = Wire::open(&lab.interfaces)?;
    let step = |step: &Step| match step {
        Step::Send(packets) => wire.send(packets).map(StepOutcome::Sent),
        Step::Flush => router::flush_connections().map(|()| StepOutcome::Flushed),
        Step::Run(invocation) => call(invocation).map(StepOutcome::Output),
    };
    lab.steps.iter().map(step).collect()
}

fn work(directory: &Path) -> Result<(), Box<dyn std::error::Error>> {
    let job = serde_json::from_str(&fs::read_to_string(directory.join(JOB_FILE))?)?;
    let result = match job {
        Job::Frames(lab) => serde_json::to_string(&frames(&lab))?,
        Job::Sockets(network) => {
            serde_json::to_string::<Result<Vec<Answer>, String>>(&sockets::answers(&network))?
        }
    };
    fs::write(directory.join(RESULT_FILE), result)?;
    Ok(())
}

/// Not a test of its own: the other tests of this folder start it inside a namespace.
#[test]
#[ignore = "started by the kernel lab itself, in a namespace"]
fn lab_worker() {
    let Some(directory) = std::env::var_os(DIRECTORY) else {
        require::tell(&format!(
            "lab_worker: {DIRECTORY} is not set, so there is no job and nothing was tested"
        ));
        return;
    };
    work(Path::new(&directory)).unwrap();
}
