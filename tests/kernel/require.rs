//! Whether this machine can run the lab. A test that cannot run says so by name on the real standard error, and fails
//! instead where `CORDON_REQUIRE_KERNEL=1`.

use std::ffi::OsString;
use std::io::Write;
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

/// True if namespaces, `ip` and all of `tools` are there; the caller returns early if not.
///
/// # Panics
/// Something is missing and `CORDON_REQUIRE_KERNEL=1`.
#[must_use]
pub(crate) fn ready(test: &str, tools: &[&str]) -> bool {
    missing(tools).is_none_or(|missing| unavailable(test, &missing))
}

/// Says that `test` cannot run; false, unless that is a failure.
fn unavailable(test: &str, missing: &str) -> bool {
    let required = std::env::var_os("CORDON_REQUIRE_KERNEL").is_some_and(|value| value == "1");
    assert!(!required, "{test} cannot run: {missing}");
    tell(&format!("{test} did not run: {missing}"));
    false
}

/// Writes a line where the test harness does not capture it.
pub(super) fn tell(line: &str) {
    // Nobody is left to tell when standard error is closed.
    let _closed = std::io::stderr().write_all(format!("\n{line}\n").as_bytes());
}

/// `PATH` with the directories of the administrator's tools, which ordinary users lack on some distributions.
pub(super) fn search_path() -> OsString {
    let mut path = std::env::var_os("PATH").unwrap_or_default();
    path.push(":/usr/sbin:/sbin");
    path
}

fn missing(tools: &[&str]) -> Option<String> {
    let directories: Vec<PathBuf> = std::env::split_paths(&search_path()).collect();
    let found = |tool: &str| directories.iter().any(|directory| directory.join(tool).is_file());
    let mut needed = ["unshare", "ip"].iter().chain(tools);
    needed
        .find(|tool| !found(tool))
        .map(|tool| format!("`{tool}` is not installed"))
        .or_else(namespace_problem)
}

/// The option that gives `unshare` a network namespace in which this user may load rules: a plain one for root, and
/// one inside a user namespace for everyone else.
pub(super) fn namespace() -> &'static str {
    if is_root() { "-n" } else { "-rn" }
}

/// True if large rulesets can be loaded too. A ruleset is one netlink message; without root it must fit into the default
/// send buffer of a socket, since only root may ask for a larger one (`SO_SNDBUFFORCE`).
#[must_use]
pub(crate) fn ready_for_large(test: &str, tools: &[&str], bytes: u64) -> bool {
    if !ready(test, tools) {
        return false;
    }
    let default = std::fs::read_to_string("/proc/sys/net/core/wmem_default").unwrap_or_default();
    let fits = is_root() || default.trim().parse().is_ok_and(|limit: u64| limit >= bytes);
    fits || unavailable(test, &format!("it needs root, or `sysctl net.core.wmem_default={bytes}`"))
}

/// True if this is root, too: one who may enter namespaces that another process made, and run a server for ssh in them.
#[must_use]
pub(crate) fn ready_as_root(test: &str, tools: &[&str]) -> bool {
    ready(test, tools) && (is_root() || unavailable(test, "it needs root"))
}

fn is_root() -> bool {
    nix::unistd::geteuid().is_root()
}

fn namespace_problem() -> Option<String> {
    static PROBLEM: OnceLock<Option<String>> = OnceLock::new();
    let option = namespace();
    let probe = || match Command::new("unshare").args([option, "true"]).output() {
        Ok(output) if output.status.success() => None,
        Ok(output) => {
            Some(format!("`unshare {option}` failed: {}", String::from_utf8_lossy(&output.stderr).trim_end()))
        }
        Err(error) => Some(format!("`unshare {option}` failed: {error}")),
    };
    PROBLEM.get_or_init(probe).clone()
}
