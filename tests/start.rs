//! What a new user meets first: `init`, help, completions and man pages; and the files by which a policy is checked in CI,
//! each run as far as it can be without the service that it is for.

mod ci;
mod container;
mod first;
mod guide;
mod scaffold;
mod shell;
