//! `async_status`: what became of a job that was started with `async`, from its status file.

use std::path::PathBuf;

use driftless_macros::{Args, Choice};

use crate::{Failure, Host, Json, JsonMap, Module, Outcome, Result};

/// The module.
pub struct AsyncStatus;

/// Its options.
#[derive(Args)]
pub struct AsyncStatusArgs {
    /// The job's id, `ansible_job_id` of the task that started it.
    #[arg(required)]
    jid: String,
    /// Whether to answer the job's state or to remove its status file.
    #[arg(default = "status")]
    mode: Mode,
    /// The folder of the status files.
    #[arg(name = "_async_dir", default = "~/.ansible_async")]
    folder: PathBuf,
}

/// What to do.
#[derive(Choice, PartialEq)]
enum Mode {
    Cleanup,
    Status,
}

impl Module for AsyncStatus {
    type Args = AsyncStatusArgs;
    const NAME: &'static str = "async_status";
    const SUMMARY: &'static str = "Tell how far a task is that was started with `async`";
    const EXAMPLES: &'static [&'static str] =
        &["- async_status:\n    jid: \"{{ started.ansible_job_id }}\"\n  register: job\n  until: job.finished\n  retries: 30\n"];

    fn run(args: AsyncStatusArgs, host: &mut Host) -> Result<Outcome> {
        let path = host.absolute(&args.folder).join(&args.jid);
        let shown = path.to_string_lossy().into_owned();
        let base = |started: bool, finished: bool| {
            let mut map = JsonMap::new();
            map.insert("ansible_job_id".to_owned(), args.jid.clone().into());
            map.insert("results_file".to_owned(), shown.clone().into());
            map.insert("started".to_owned(), started.into());
            map.insert("finished".to_owned(), finished.into());
            map.insert("stdout".to_owned(), "".into());
            map.insert("stderr".to_owned(), "".into());
            map
        };
        let failure = |message: String| {
            let failure = Failure::new(message);
            base(true, true).into_iter().fold(failure, |failure, (key, value)| failure.with(&key, value))
        };
        // A job is one file of that folder, whatever its id says.
        if args.jid.contains('/') || !path.exists() {
            return Err(failure("could not find job".to_owned()));
        }
        let mut outcome = host.outcome();
        if args.mode == Mode::Cleanup {
            host.unrecorded(|door| door.remove_file(&path))?;
            outcome.extend(base(false, false));
            outcome.remove("results_file");
            outcome.set("erased", shown.clone());
            return Ok(outcome);
        }
        let text = std::fs::read(&path)?;
        let data: JsonMap = match serde_json::from_slice(&text) {
            Ok(data) => data,
            Err(_) if text.is_empty() => running(&args.jid),
            Err(_) => return Err(failure(format!("Could not parse job output: {}", String::from_utf8_lossy(&text)))),
        };
        let finished = match data.get("started") {
            // Only the first status has the key: a module's result took its place.
            None => true,
            Some(_) => data.get("finished").and_then(Json::as_bool).unwrap_or(false),
        };
        outcome.extend(base(true, finished));
        outcome.extend(data);
        outcome.set("started", true);
        outcome.set("finished", finished);
        Ok(outcome)
    }
}

fn running(jid: &str) -> JsonMap {
    JsonMap::from_iter([
        ("ansible_job_id".to_owned(), jid.into()),
        ("started".to_owned(), true.into()),
        ("finished".to_owned(), false.into()),
    ])
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::laws::{Law, Mode};

    #[test]
    fn tells_running_finished_and_unknown_jobs_apart() {
        let law = Law::of("async_status");
        law.write("jobs/j1.2", r#"{"started": true, "finished": false, "ansible_job_id": "j1.2"}"#);
        law.write("jobs/j1.3", r#"{"changed": true, "rc": 0, "stdout": "out"}"#);
        law.write("jobs/j1.4", "");
        law.write("j1.5", "{}");
        let status = |jid: &str| law.run(json!({"jid": jid, "_async_dir": law.path("jobs")}), Mode::Real).outcome;
        let running = status("j1.2");
        assert_eq!((running.get("finished"), running.get("started")), (Some(&json!(false)), Some(&json!(true))));
        assert!(!running.failed());
        let finished = status("j1.3");
        assert_eq!((finished.get("finished"), finished.get("stdout")), (Some(&json!(true)), Some(&json!("out"))));
        assert!(finished.changed());
        assert_eq!(status("j1.4").get("finished"), Some(&json!(false)));
        for jid in ["j9.9", "../j1.5"] {
            let unknown = status(jid);
            assert!(unknown.failed());
            assert_eq!((unknown.get("msg"), unknown.get("finished")), (Some(&json!("could not find job")), Some(&json!(true))));
        }
    }

    #[test]
    fn cleanup_removes_the_status_file() {
        let law = Law::of("async_status");
        law.write("jobs/j1.2", "{}");
        let args = json!({"jid": "j1.2", "mode": "cleanup", "_async_dir": law.path("jobs")});
        let outcome = law.run(args, Mode::Real).outcome;
        assert_eq!(outcome.get("erased"), Some(&json!(law.path("jobs/j1.2"))));
        assert!(!law.folder().join("jobs/j1.2").exists());
    }
}
