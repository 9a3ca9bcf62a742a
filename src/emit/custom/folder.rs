//! The files of one folder below `targets/`: do they belong together, and are they safe to use?

use super::error::CustomError;
use super::sandbox::check_form;
use super::{CustomTarget, TargetFolder, UserTemplate, VIEW_VERSION};
use crate::diag::{Diagnostics, suggestion};
use crate::emit::capability::{self, Capabilities, Kind, place_of_key};
use crate::source::{SourceFile, Span};

/// The name of capability files.
const CAPABILITY_FILE: &str = "target.yaml";

/// The longest path of an output, in bytes.
const MAX_PATH_BYTES: usize = 100;

/// The smallest limits with which names and comments can still be told apart.
const LEAST_NAME_BYTES: usize = 24;

/// The templates that stand in for those of a target that cordon comes with.
pub(super) fn overrides(folder: &TargetFolder, diagnostics: &mut Diagnostics) -> Vec<UserTemplate> {
    let target = folder.name.as_str();
    let built_in = capability::built_in();
    let Some(own) = built_in.iter().find(|own| own.name == target) else { return Vec::new() };
    let known = || own.files.iter().map(|file| file.template.as_str());
    let mut found = Vec::new();
    for file in &folder.files {
        let name = file_name(file);
        if known().any(|template| template == name) {
            check_view(file, &format!("{target} {}", own.view), diagnostics);
            let template = UserTemplate { file: name.to_owned(), source: file.clone() };
            diagnostics.extend(check_form(&template));
            found.push(template);
            continue;
        }
        let (what, help) = if name == CAPABILITY_FILE {
            let help = "remove it; to describe another platform, give the folder another name".to_owned();
            ("what this target can express is part of cordon", help)
        } else {
            let names: Vec<String> = known().map(|name| format!("`{name}`")).collect();
            let all = match names.as_slice() {
                [] => "none of its templates can be replaced".to_owned(),
                names => format!("its templates are {}", names.join(", ")),
            };
            ("it stands in for none of its templates", suggestion(name, known()).unwrap_or(all))
        };
        diagnostics.push(stray(file, target, what, help));
    }
    found
}

/// The target that a folder describes, if it can be used.
pub(super) fn target(folder: &TargetFolder, diagnostics: &mut Diagnostics) -> Option<CustomTarget> {
    let file = folder.files.iter().find(|file| file_name(file) == CAPABILITY_FILE)?;
    let capabilities = match capability::parse(file.text()) {
        Ok(capabilities) => capabilities,
        Err(mistake) => {
            diagnostics.push(CustomError::Unreadable { what: mistake.what, span: file.span(mistake.place) });
            return None;
        }
    };
    check_usable(folder, file, &capabilities, diagnostics);
    check_outputs(file, &capabilities, diagnostics);
    let mut templates = Vec::new();
    for template in folder.files.iter().filter(|other| file_name(other) != CAPABILITY_FILE) {
        if capabilities.files.iter().any(|entry| entry.template == file_name(template)) {
            check_view(template, &format!("generic {VIEW_VERSION}"), diagnostics);
            let template = UserTemplate { file: file_name(template).to_owned(), source: template.clone() };
            diagnostics.extend(check_form(&template));
            templates.push(template);
        } else {
            let help = format!("name it below `files` in {CAPABILITY_FILE}, or remove it");
            diagnostics.push(stray(template, &folder.name, "its capability file does not name it", help));
        }
    }
    for entry in &capabilities.files {
        if !templates.iter().any(|template| template.file == entry.template) {
            diagnostics.push(CustomError::Stray {
                file: entry.template.clone(),
                target: folder.name.clone(),
                what: "there is no such template in the folder",
                help: "a template lies in the folder itself, and its name ends in `.j2`".to_owned(),
                span: value_span(file, &entry.template),
            });
        }
    }
    Some(CustomTarget { capabilities, templates })
}

/// Reports what the generic view cannot serve.
fn check_usable(
    folder: &TargetFolder,
    file: &SourceFile,
    capabilities: &Capabilities,
    diagnostics: &mut Diagnostics,
) {
    let mut refuse = |key: &str, what: String, help: &'static str| {
        let span = file.span(place_of_key(file.text(), key));
        diagnostics.push(CustomError::Unusable { what, help, span });
    };
    if capabilities.name != folder.name {
        let what = format!("its name is `{}`, and that of its folder `{}`", capabilities.name, folder.name);
        refuse("name", what, "give both the same name; a policy names it with `target NAME`");
    }
    if capabilities.view != VIEW_VERSION {
        let what = format!("there is no view `generic {}`", capabilities.view);
        refuse("view", what, "the view of this cordon is version 1");
    }
    if !capabilities.stateful || capabilities.kind == Kind::Switch {
        let help = "the generic view holds who may open connections, and no rules for replies; a target without state needs an emitter in cordon itself";
        let key = if capabilities.stateful { "kind" } else { "stateful" };
        refuse(key, "it does not keep track of connections".to_owned(), help);
    }
    if capabilities.quote.is_none() {
        let help = "say how free text is written: `quote: plain`, `routeros`, `shell` or `xml`";
        refuse("name", "it has no `quote`".to_owned(), help);
    }
    if capabilities.limits.name_bytes < LEAST_NAME_BYTES {
        let what = format!("names of less than {LEAST_NAME_BYTES} bytes cannot be told apart");
        refuse(
            "name-bytes",
            what,
            "lists of addresses need names; leave them out of the template where the platform has none",
        );
    }
    if capabilities.limits.ports_per_rule.is_none_or(|ports| ports < 2) {
        let help = "say how many ports one rule may list, a range counting as two: `ports-per-rule: 15`";
        refuse("limits", "`ports-per-rule` is not 2 or more".to_owned(), help);
    }
    if capabilities.files.is_empty() {
        refuse("files", "it makes no file".to_owned(), "name a template and its output below `files`");
    }
}

/// Reports outputs that leave the folder of their device, or meet another one.
fn check_outputs(file: &SourceFile, capabilities: &Capabilities, diagnostics: &mut Diagnostics) {
    for (place, entry) in capabilities.files.iter().enumerate() {
        let path = entry.output.as_str();
        let earlier = capabilities.files.iter().take(place);
        let meets = earlier.map(|other| other.output.as_str()).any(|other| one_holds_other(other, path));
        let what =
            what_is_wrong_with(path).or(meets.then_some("another output has the same path, or lies in it"));
        if let Some(what) = what {
            let span = value_span(file, path);
            diagnostics.push(CustomError::BadOutput { path: entry.output.clone(), what, span });
        }
    }
}

/// Why a path is not one below the folder of a device.
fn what_is_wrong_with(path: &str) -> Option<&'static str> {
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    if path.starts_with('/') || path.contains(['\\', ':']) {
        return Some("it is not a path below a folder");
    }
    if path.len() > MAX_PATH_BYTES {
        return Some("it is longer than 100 bytes");
    }
    if path.eq_ignore_ascii_case("manifest.json") || path.to_ascii_lowercase().ends_with("/manifest.json") {
        return Some("the manifest has this name");
    }
    path.split('/').find_map(|part| match part {
        "" => Some("a part of it is empty"),
        ".." => Some("it leads out of the folder"),
        part if part.starts_with('.') => Some("it is hidden"),
        part if part.starts_with('-') => Some("a part of it reads like an option of a command"),
        part if !part.chars().all(is_allowed) => Some("it has other characters"),
        _ => None,
    })
}

/// True if two paths are the same on a file system that takes `A` for `a`, or one is a folder in the other.
fn one_holds_other(one: &str, other: &str) -> bool {
    let (one, other) = (one.to_ascii_lowercase(), other.to_ascii_lowercase());
    let leads = |start: &str, path: &str| path.strip_prefix(start).is_some_and(|rest| rest.starts_with('/'));
    one == other || leads(&one, &other) || leads(&other, &one)
}

/// Reports a template whose first line does not name the view that it will get.
fn check_view(file: &SourceFile, expected: &str, diagnostics: &mut Diagnostics) {
    let first = file.text().lines().next().unwrap_or_default();
    if first != format!("{{# view: {expected} #}}") {
        let span = file.span(0..first.len());
        diagnostics.push(CustomError::OtherView { expected: expected.to_owned(), span });
    }
}

fn stray(file: &SourceFile, target: &str, what: &'static str, help: String) -> CustomError {
    let first = file.text().lines().next().unwrap_or_default();
    let span = file.span(0..first.len());
    CustomError::Stray { file: file_name(file).to_owned(), target: target.to_owned(), what, help, span }
}

fn file_name(file: &SourceFile) -> &str {
    file.path().rsplit('/').next().unwrap_or_default()
}

/// Where a value stands in a capability file.
fn value_span(file: &SourceFile, value: &str) -> Span {
    let start = file.text().rfind(value).unwrap_or(0);
    file.span(start..start + value.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_output_stays_below_the_folder_of_its_device() {
        for good in ["rules.rsc", "a/b.conf", "a..b", "README"] {
            assert_eq!(what_is_wrong_with(good), None, "{good}");
        }
        let long = "a".repeat(101);
        for bad in [
            "",
            "/etc/passwd",
            "../x",
            "a/../../x",
            "a//b",
            "a/",
            ".profile",
            "a/.b",
            "manifest.json",
            "MANIFEST.json",
            "a/manifest.json",
            "a\\b",
            "C:x",
            "a b",
            "a\nb",
            "-rf",
            "\u{fc}",
            &long,
        ] {
            assert!(what_is_wrong_with(bad).is_some(), "{bad:?}");
        }
    }

    #[test]
    fn two_outputs_do_not_meet() {
        assert!(
            one_holds_other("a.rsc", "A.rsc") && one_holds_other("a", "a/b") && one_holds_other("a/b", "a")
        );
        assert!(!one_holds_other("a", "ab") && !one_holds_other("a/b", "a/c"));
    }
}
