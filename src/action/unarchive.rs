//! `unarchive`: an archive of the control machine, or of the host itself, unpacked there.

use driftless_modules::registry;

use super::content::Source;
use super::{Action, Call, Failure, Plan};

/// The action.
pub(super) struct Unarchive;

impl Action for Unarchive {
    fn names(&self) -> &'static [&'static str] {
        &["unarchive"]
    }

    fn plan(&self, call: &Call<'_>) -> Result<Plan, Failure> {
        let module = registry::find("unarchive").ok_or_else(|| Failure::new("the module `unarchive` is not supported yet"))?;
        let mut checked = call.args.check(module.spec(), "unarchive")?;
        let src = call.args.text(&["src"]).ok_or_else(|| Failure::new("src (or content) and dest are required"))?;
        let is_on_host = call.args.flag(&["remote_src"], false)? || !call.args.flag(&["copy"], true)?;
        if is_on_host || src.contains("://") {
            return Ok(Plan::Send(Box::new(call.request("unarchive", checked))));
        }
        let path = call.find_file("files", &src, "src").map_err(|failure| failure.prefixed("Task failed: "))?;
        checked.args.insert("_content".to_owned(), 0.into());
        let mut request = call.request("unarchive", checked);
        request.contents.push(Source::of_file(call, path)?.into_content());
        Ok(Plan::Send(Box::new(request)))
    }
}
