//! Playbooks as loaded: plays, blocks, tasks, handlers and roles, immutable and shared. Knows no network and no host.

mod block;
mod collection;
mod context;
mod keyword;
mod keywords;
pub mod load;
mod play;
mod role;
mod task;

pub use crate::source::did_you_mean;
pub use block::{Block, Entry, RoleRun};
pub use collection::{Collections, Routed};
pub use context::Context;
pub use keyword::{Inherit, KEYWORDS, Keyword, Place, Row};
pub use keywords::Keywords;
pub use play::{Play, Playbook, VarsPrompt};
pub use role::Role;
pub use task::{
    ActionName, IncludeRole, IncludeTasks, Loop, LoopControl, Meta, ModuleCall, Register, RoleFiles, RoleId, Task, TaskArgs, Work,
    missing_handler,
};
