//! Putting a policy into force on a device that runs Linux: what is asked of the device, what a plan says, and how its file
//! looks. Nothing here talks to a device; `cli` does.
//!
//! In: answers of the device, a policy, its files. Out: the document of a plan, and the texts that a shell on the device runs.
//! All of those are one fixed script with data behind it, and what is put into a command is of a closed alphabet.

mod access;
mod answer;
mod destination;
mod plan;
mod script;
mod session;

pub use self::access::{Access, AccessChange, Running, access};
pub use self::answer::{Answer, BadAnswer};
pub use self::destination::{BadDestination, Destination, Directory};
pub use self::plan::{BadPlan, Overview, Plan, PlannedFile, VERSION, digest_of};
pub use self::script::{ApplyName, Order, files_of, script};
pub use self::session::{LostSession, Sessions, sessions};
