//! The `cordon` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    cordon::cli::main()
}
