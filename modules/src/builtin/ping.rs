//! `ping`: says that the host can run modules.

use crate::spec::Support;
use crate::{Failure, Host, Module, Outcome, Result};
use driftless_macros::Args;

/// The module.
pub struct Ping;

/// Its options.
#[derive(Args)]
pub struct PingArgs {
    /// What to answer. `crash` makes the module fail.
    #[arg(default = "pong")]
    data: String,
}

impl Module for Ping {
    type Args = PingArgs;
    const NAME: &'static str = "ping";
    const SUMMARY: &'static str = "Try to reach a host and run a module there";
    const CHECK: Support = Support::Full;

    fn run(args: PingArgs, host: &mut Host) -> Result<Outcome> {
        if args.data == "crash" {
            return Err(Failure::raised("boom"));
        }
        Ok(host.outcome().with("ping", args.data))
    }
}

#[cfg(test)]
mod tests {
    use crate::laws::Law;
    use serde_json::json;

    #[test]
    fn answers_its_data() {
        let outcome = Law::of("ping").unchanged(json!({"data": "x"}));
        assert_eq!(outcome.get("ping"), Some(&json!("x")));
        Law::of("ping").fails(json!({"data": "crash"}), "boom");
    }
}
