//! The files by which CI checks a policy: the GitHub Action, the workflow and the GitLab job that `init` writes, and the
//! hooks of pre-commit. Their steps are run as the service would run them, with a stand-in for what only it has.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde::Deserialize;

use crate::support::{AS_OF, root, succeed};

/// A repository with a policy from `init`, on a branch that is one commit ahead of `main`.
pub(super) struct Clinic {
    place: tempfile::TempDir,
}

impl Clinic {
    /// The policy, with a statement more on the branch.
    pub(super) fn with(statement: &str) -> Clinic {
        let clinic = Clinic { place: tempfile::tempdir().unwrap() };
        succeed(&["init", &clinic.policy().to_string_lossy()], "");
        fs::create_dir(clinic.place.path().join("runner")).unwrap();
        let real = env!("CARGO_BIN_EXE_cordon");
        // The day is that of the tests; `fmt` knows none.
        let day = format!("[ \"$1\" = fmt ] || set -- \"$@\" --as-of {AS_OF}");
        let cordon = format!("#!/bin/bash\n{day}\nexec {real} \"$@\"\n");
        clinic.program("cordon", &cordon);
        clinic.program("cargo", "#!/bin/bash\necho cargo \"$@\" >> \"$RUNNER_TEMP/installed\"\n");
        clinic.program("rustup", "#!/bin/bash\necho rustup \"$@\" >> \"$RUNNER_TEMP/installed\"\n");
        clinic.program("gh", "#!/bin/bash\necho gh \"$@\" > \"$RUNNER_TEMP/gh\"\n");
        clinic.git("init --quiet --initial-branch main");
        clinic.git("add --all");
        clinic.git("commit --quiet --message start");
        clinic.git("switch --quiet --create change");
        let access = clinic.policy().join("access.cordon");
        fs::write(&access, fs::read_to_string(&access).unwrap() + statement).unwrap();
        clinic.git("commit --quiet --all --allow-empty --message change");
        clinic
    }

    pub(super) fn policy(&self) -> PathBuf {
        self.place.path().join("clinic")
    }

    /// What a file that a step wrote says; nothing if there is none.
    fn left(&self, file: &str) -> String {
        fs::read_to_string(self.place.path().join("runner").join(file)).unwrap_or_default()
    }

    fn program(&self, name: &str, script: &str) {
        write_program(&self.place.path().join("bin"), name, script);
    }

    fn git(&self, arguments: &str) {
        let script = format!("git -c user.name=a -c user.email=a@example.org {arguments}");
        let output = self.shell(&script, &BTreeMap::new());
        assert!(output.status.success(), "{script}: {}", String::from_utf8_lossy(&output.stderr));
    }

    /// Runs a script in the repository as a step of GitHub: in bash, ending at the first command that fails.
    pub(super) fn shell(&self, script: &str, environment: &BTreeMap<String, String>) -> Output {
        let runner = self.place.path().join("runner");
        let path = format!("{}:{}", self.place.path().join("bin").display(), std::env::var("PATH").unwrap());
        Command::new("bash")
            .args(["--noprofile", "--norc", "-eo", "pipefail", "-c", script])
            .current_dir(self.policy())
            .env_clear()
            .env("PATH", path)
            .env("HOME", &runner)
            .env("RUNNER_TEMP", &runner)
            .env("GITHUB_STEP_SUMMARY", runner.join("summary.md"))
            .env("GITHUB_ACTION_PATH", "/action")
            .envs(environment)
            .output()
            .unwrap()
    }
}

/// Puts a script into a folder as a program.
pub(super) fn write_program(folder: &Path, name: &str, script: &str) {
    fs::create_dir_all(folder).unwrap();
    fs::write(folder.join(name), script).unwrap();
    fs::set_permissions(folder.join(name), fs::Permissions::from_mode(0o755)).unwrap();
}

/// An opening that nothing forbids.
const HARMLESS: &str = "
service printing { tcp 515   phi none }

allow labels { from desk  to pacs  via printing   owner it   reason \"labels of discs\" }
";

/// An opening that an assertion of the policy denies.
const HARMFUL: &str =
    "\nallow updates { from scanner  to internet  via https   owner radiology   reason \"updates\" }\n";

#[derive(Deserialize)]
pub(super) struct Step {
    #[serde(default)]
    pub(super) name: String,
    #[serde(default)]
    pub(super) run: Option<String>,
    #[serde(default)]
    env: BTreeMap<String, String>,
}

/// The steps of the action, or of the workflow that `init` writes.
pub(super) fn steps(path: &str) -> Vec<Step> {
    #[derive(Deserialize)]
    struct Steps {
        steps: Vec<Step>,
    }
    #[derive(Deserialize)]
    struct Jobs {
        policy: Steps,
    }
    #[derive(Deserialize)]
    struct Document {
        runs: Option<Steps>,
        jobs: Option<Jobs>,
    }
    let text = fs::read_to_string(root().join(path)).unwrap();
    let document: Document = serde_saphyr::from_str(&text).unwrap();
    let steps = document.runs.or(document.jobs.map(|jobs| jobs.policy)).unwrap().steps;
    assert!(steps.len() >= 6);
    steps
}

/// What GitHub puts in the place of an expression.
fn value(expression: &str) -> &'static str {
    match expression {
        "${{ inputs.policy }}" => ".",
        "${{ inputs.base }}" | "${{ github.event.pull_request.base.sha }}" => "main",
        "${{ inputs.comment }}" => "true",
        "${{ inputs.token }}" | "${{ github.token }}" => "token",
        "${{ github.event.pull_request.number }}" => "7",
        "${{ vars.CORDON_GIT }}" => "https://git.example.org/cordon",
        "${{ vars.CORDON_REV }}" => "v0.1.0",
        other => panic!("no value for {other}"),
    }
}

/// Runs steps until one fails; gives its name, and what it printed.
fn run_steps(clinic: &Clinic, path: &str) -> Option<(String, String)> {
    for step in steps(path) {
        let Some(script) = step.run else { continue };
        assert!(!script.contains("${{"), "text from outside is part of a script: {script}");
        let environment =
            step.env.iter().map(|(name, text)| (name.clone(), value(text).to_owned())).collect();
        let output = clinic.shell(&script, &environment);
        if !output.status.success() {
            let said = [output.stdout, output.stderr].concat();
            return Some((step.name, String::from_utf8(said).unwrap()));
        }
    }
    None
}

pub(super) const OF_GITHUB: [&str; 2] =
    ["action.yml", "examples/small-hospital/.github/workflows/policy.yml"];

#[test]
fn on_github_a_harmless_change_is_green_and_its_access_is_a_comment() {
    for path in OF_GITHUB {
        let clinic = Clinic::with(HARMLESS);
        assert_eq!(run_steps(&clinic, path), None, "{path}");
        let comment = clinic.left("comment.md");
        assert!(comment.contains("labels") && comment.contains("515"), "{comment}");
        assert_eq!(clinic.left("summary.md"), comment);
        assert!(clinic.left("gh").starts_with("gh pr comment 7 --edit-last"), "{}", clinic.left("gh"));
        assert!(clinic.left("installed").contains("cargo"), "{}", clinic.left("installed"));
    }
}

#[test]
fn on_github_a_harmful_change_is_red_at_its_line() {
    for path in OF_GITHUB {
        let clinic = Clinic::with(HARMFUL);
        let (step, said) = run_steps(&clinic, path).unwrap();
        assert_eq!(step, "policy", "{said}");
        let annotation = said.lines().find(|line| line.starts_with("::error ")).unwrap();
        assert!(annotation.contains("file=") && annotation.contains("never.cordon"), "{annotation}");
        assert!(annotation.contains("C0601"), "{annotation}");
        assert_eq!(clinic.left("gh"), "");
    }
}

#[test]
fn on_github_a_comment_that_cannot_be_written_is_said_and_the_summary_stays() {
    let clinic = Clinic::with(HARMLESS);
    clinic.program("gh", "#!/bin/bash\nexit 1\n");
    for path in OF_GITHUB {
        assert_eq!(run_steps(&clinic, path), None);
        assert!(clinic.left("summary.md").contains("labels"));
    }
}

#[test]
fn the_workflow_installs_nothing_from_a_place_that_nobody_chose() {
    let clinic = Clinic::with("");
    let steps = steps(OF_GITHUB[1]);
    let install = steps.iter().find(|step| step.name == "install cordon").unwrap();
    let environment = install.env.keys().map(|name| (name.clone(), String::new())).collect();
    let output = clinic.shell(install.run.as_deref().unwrap(), &environment);
    assert!(!output.status.success());
    assert!(String::from_utf8(output.stderr).unwrap().contains("set the repository variable CORDON_GIT"));
    assert_eq!(clinic.left("installed"), "");
}

/// Runs the lines of the GitLab job until one fails, and gives that line.
fn run_gitlab(clinic: &Clinic) -> Option<String> {
    #[derive(Deserialize)]
    struct Job {
        script: Vec<String>,
    }
    #[derive(Deserialize)]
    struct Document {
        policy: Job,
    }
    let text = fs::read_to_string(clinic.policy().join("../gitlab.yml")).unwrap();
    let document: Document = serde_saphyr::from_str(&text).unwrap();
    let environment = BTreeMap::from([("CI_MERGE_REQUEST_DIFF_BASE_SHA".to_owned(), "main".to_owned())]);
    let fails = |line: &String| !clinic.shell(line, &environment).status.success();
    document.policy.script.into_iter().find(fails)
}

#[test]
fn on_gitlab_a_harmless_change_is_green_and_a_harmful_one_leaves_its_findings() {
    let job = root().join("examples/small-hospital/.gitlab-ci.yml");
    let read =
        |clinic: &Clinic, file: &str| fs::read_to_string(clinic.policy().join(file)).unwrap_or_default();
    let clinic = Clinic::with(HARMLESS);
    fs::copy(&job, clinic.policy().join("../gitlab.yml")).unwrap();
    assert_eq!(run_gitlab(&clinic), None);
    assert!(read(&clinic, "access.md").contains("labels"));
    assert_eq!(read(&clinic, "gl-code-quality-report.json").trim(), "[]");
    assert!(read(&clinic, "junit.xml").contains("<testsuites"));

    let clinic = Clinic::with(HARMFUL);
    fs::copy(&job, clinic.policy().join("../gitlab.yml")).unwrap();
    let line = run_gitlab(&clinic).unwrap();
    assert!(line.starts_with("cordon check --format gitlab"), "{line}");
    let findings: Vec<serde_json::Value> =
        serde_json::from_str(&read(&clinic, "gl-code-quality-report.json")).unwrap();
    assert!(findings.iter().any(|finding| finding["check_name"] == "C0601"), "{findings:?}");
}

#[derive(Deserialize)]
struct Hook {
    entry: String,
    files: String,
    #[serde(default = "passes_filenames")]
    pass_filenames: bool,
}

/// What pre-commit takes for said where a hook does not say it.
fn passes_filenames() -> bool {
    true
}

#[test]
fn the_hooks_pass_a_sound_policy_and_stop_a_harmful_one() {
    #[derive(Deserialize)]
    struct Repository {
        hooks: Vec<Hook>,
    }
    #[derive(Deserialize)]
    struct Document {
        repos: Vec<Repository>,
    }
    let read = |path: &str| fs::read_to_string(root().join(path)).unwrap();
    let own: Vec<Hook> = serde_saphyr::from_str(&read(".pre-commit-hooks.yaml")).unwrap();
    let local: Document =
        serde_saphyr::from_str(&read("examples/small-hospital/.pre-commit-config.yaml")).unwrap();
    let local = local.repos.into_iter().flat_map(|repository| repository.hooks);
    let hooks: Vec<Hook> = own.into_iter().chain(local).collect();
    assert_eq!(hooks.len(), 4);
    let (sound, harmful) = (Clinic::with(HARMLESS), Clinic::with(HARMFUL));
    for Hook { entry, files, pass_filenames } in &hooks {
        assert!(files.contains("cordon"), "{entry}");
        assert_eq!(
            *pass_filenames,
            entry == "cordon fmt",
            "{entry}: the others look at the policy as a whole"
        );
        let given = if *pass_filenames { " access.cordon" } else { "" };
        let output = sound.shell(&format!("{entry}{given}"), &BTreeMap::new());
        assert!(output.status.success(), "{entry}: {}", String::from_utf8_lossy(&output.stderr));
    }
    let stopped: Vec<&str> = hooks
        .iter()
        .map(|hook| hook.entry.as_str())
        .filter(|entry| harmful.shell(entry, &BTreeMap::new()).status.code() == Some(1))
        .collect();
    assert_eq!(stopped, ["cordon check", "cordon test", "cordon check"]);
}

/// No file of CI that GitHub reads may lie elsewhere than where it looks.
#[test]
fn the_files_lie_where_the_services_look_for_them() {
    for path in ["action.yml", ".pre-commit-hooks.yaml", "Containerfile"] {
        assert!(Path::new(root()).join(path).is_file(), "{path}");
    }
}
