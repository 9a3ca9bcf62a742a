//! The target `policy`.

use super::judge::compile;
use super::texts;

/// Reads the input as the files of a policy.
///
/// Whatever they hold, nothing panics; all that is found lies in the texts and can be shown, to people and to programs, also
/// on a narrow terminal; a second run says the same; cordon never gives up and never finds a bug in itself. What has no
/// errors becomes configs that are proved to mean the same.
pub fn policy(data: &[u8]) {
    let texts = texts(data);
    let compiled = compile(&texts);
    compiled.assert_shown();
    let again = compile(&texts);
    assert_eq!(again.said(), compiled.said());
    assert_eq!(again.files, compiled.files);
    if !compiled.diagnostics.has_errors() {
        compiled.assert_proved();
    }
}
