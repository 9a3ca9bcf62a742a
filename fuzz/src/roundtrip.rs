//! The target `emit_then_read`.

use std::collections::BTreeSet;

use cordon::diag::records;

use super::generate::generate;
use super::judge::{Compiled, compile};

/// All targets that have a reader.
pub const PLATFORMS: [&str; 4] = ["nftables", "iptables", "cisco-ios", "pfsense"];

/// How often statements with errors are left out of a policy before it is given up. What a statement named may be the next to
/// be wrong.
const TRIES: usize = 8;

/// Takes the input as choices that make a small policy, which is compiled for each platform, read back and proved.
///
/// What is wrong with a statement leaves it out. Of the rest each enforcement point has to mean what the policy says.
pub fn emit_then_read(data: &[u8]) {
    for platform in PLATFORMS {
        proved(data, platform);
    }
}

/// Compiles what some bytes make of a policy for one platform, and proves it. Gives how many rules it has; nothing if a policy
/// without errors could not be made.
pub fn proved(data: &[u8], platform: &str) -> Option<usize> {
    let generated = generate(data);
    let mut lines = generated.statements.clone();
    lines.extend(generated.devices(platform));
    for _ in 0..TRIES {
        let compiled = compile(&[lines.join("\n")]);
        if !compiled.diagnostics.has_errors() {
            assert!(!compiled.files.is_empty(), "no error and no output\n{}", lines.join("\n"));
            compiled.assert_proved();
            return Some(compiled.policy.rules.len());
        }
        compiled.assert_shown();
        let wrong = lines_with_errors(&compiled);
        let mut number = 0;
        lines.retain(|_| {
            number += 1;
            !wrong.contains(&number)
        });
    }
    None
}

fn lines_with_errors(compiled: &Compiled) -> BTreeSet<usize> {
    let errors = records(&compiled.diagnostics, &compiled.sources);
    let errors = errors.iter().filter(|record| record.severity == "error");
    errors.filter_map(|record| record.labels.first()).map(|label| label.line).collect()
}
