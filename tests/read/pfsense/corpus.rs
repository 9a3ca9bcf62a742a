//! Configs of others: how much of each is understood. The shares may only rise.

use cordon::read::pfsense;

use crate::support::root;

/// Files, how many of their parts are understood or cannot affect filtering, and how many are mistakes. What is refused for
/// good reason: address translation, lists fetched from the network, users of tunnels and packages that bring rules of
/// their own, addresses given by the network, and settings of versions long gone.
const SHARES: &[(&str, usize, usize)] = &[
    ("apache2__opnDossier_config-2.6.x.xml", 28, 1),
    ("apache2__opnDossier_config-2.7.x.xml", 28, 0),
    ("apache2__opnDossier_config-pfSense.xml", 88, 2),
    ("apache2__opnDossier_pfsense-aliases.xml", 8, 2),
    ("mit__pfsense-redactor_default-config.xml", 46, 1),
    ("mit__pfsense-redactor_test-config1.xml", 179, 18),
    ("mit__pfsense-redactor_test-config2.xml", 88, 2),
    ("opnsense-apache2__opnDossier_opnsense-aliases.xml", 0, 1),
    ("opnsense-apache2__opnDossier_sample.config.5.xml", 0, 1),
    ("opnsense-apache2__opnDossier_sample.config.6.xml", 0, 1),
];

#[test]
fn as_much_is_understood_as_was() {
    let folder = root().join("../shared/corpus/pfsense");
    let mut found: Vec<(String, usize, usize)> = Vec::new();
    let entries = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    for entry in entries {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        let reading = pfsense::read(&[&text]);
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        // A config of OPNsense is one mistake, however much is in it.
        assert_eq!(
            text.contains("<opnsense>"),
            reading.mistakes.len() == 1 && reading.lines.understood == 0,
            "{name}"
        );
        found.push((name, reading.lines.understood + reading.lines.ignored, reading.lines.mistaken));
    }
    found.sort();
    let names: Vec<&str> = found.iter().map(|(name, _, _)| name.as_str()).collect();
    assert_eq!(names, SHARES.iter().map(|(name, _, _)| *name).collect::<Vec<_>>(), "{found:#?}");
    for ((name, understood, mistaken), (_, known, refused)) in found.iter().zip(SHARES) {
        assert!(
            understood >= known && mistaken <= refused,
            "{name}: {understood} understood, {mistaken} mistaken"
        );
    }
}
