//! `driftless inventory`: what `ansible-inventory` does.

use clap::Args;

use super::flags::InventoryFlags;
use super::session::{Exit, Session};

/// What was typed.
#[derive(Args, Clone, Debug)]
pub struct InventoryArgs {
    #[command(flatten)]
    inventory: InventoryFlags,
}

/// Runs the command.
pub fn run(args: &InventoryArgs) -> u8 {
    execute(args).unwrap_or_else(|Exit(code)| code)
}

fn execute(args: &InventoryArgs) -> Result<u8, Exit> {
    let mut session = Session::start(args.inventory.verbose)?;
    Err(session.refuse("`inventory` is not there yet", 5))
}
