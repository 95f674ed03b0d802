//! `git`: a working copy (or a bare repository) at a version of a remote repository, by the host's `git`.

use std::path::{Path, PathBuf};

use driftless_macros::Args;

use crate::host::{Change, Command, Diff, Output, path as paths, words};
use crate::spec::Support;
use crate::{Failure, Host, Module, Outcome, Result};

/// The module.
pub struct Git;

/// Its options.
#[derive(Args)]
pub struct GitArgs {
    /// The address of the repository.
    #[arg(required, alias = "name")]
    repo: String,
    /// The folder of the working copy.
    #[arg(required)]
    dest: PathBuf,
    /// The branch, tag or commit.
    #[arg(default = "HEAD")]
    version: String,
    /// The remote's name.
    #[arg(default = "origin")]
    remote: String,
    /// What else is fetched.
    refspec: Option<String>,
    /// Whether local modifications are thrown away.
    #[arg(default = false)]
    force: bool,
    /// How many commits of history are fetched.
    depth: Option<i64>,
    /// Whether a missing working copy is made.
    #[arg(default = true)]
    clone: bool,
    /// Whether new commits are fetched.
    #[arg(default = true)]
    update: bool,
    /// Whether the repository has no working copy.
    #[arg(default = false)]
    bare: bool,
    /// Whether submodules come along.
    #[arg(default = true)]
    recursive: bool,
    /// Whether only the branch of `version` is cloned.
    #[arg(default = false)]
    single_branch: bool,
    /// The program.
    executable: Option<PathBuf>,
    /// Whether any host key is taken.
    #[arg(default = false)]
    accept_hostkey: bool,
    /// Whether new host keys are taken.
    #[arg(default = false)]
    accept_newhostkey: bool,
    /// Options for `ssh`.
    ssh_opts: Option<String>,
    /// The private key.
    key_file: Option<PathBuf>,
    /// A repository on the host whose objects are used.
    reference: Option<String>,
}

impl Module for Git {
    type Args = GitArgs;
    const NAME: &'static str = "git";
    const SUMMARY: &'static str = "Clone a git repository, or bring a clone to a version";
    const DIFF: Support = Support::Full;
    const EXAMPLES: &'static [&'static str] =
        &["- git:\n    repo: https://git.example.com/app.git\n    dest: /srv/app\n    version: v1.4\n"];
    const MISSING: &'static [(&'static str, &'static str)] = &[
        ("archive", "no archives are made of a working copy yet"),
        ("archive_prefix", "no archives are made of a working copy yet"),
        ("gpg_allowlist", "signatures are not looked at yet"),
        ("separate_git_dir", "a repository lies in its working copy"),
        ("track_submodules", "submodules stay at the commits that the repository names"),
        ("umask", "new files have the login's mask"),
        ("verify_commit", "signatures are not looked at yet"),
    ];

    fn run(args: GitArgs, host: &mut Host) -> Result<Outcome> {
        let program = match &args.executable {
            Some(executable) => executable.clone(),
            None => host.need_program("git")?,
        };
        let repo = if args.repo.starts_with('/') { format!("file://{}", args.repo) } else { args.repo.clone() };
        let dest = host.absolute(&args.dest);
        let git = GitRun { ssh: ssh_command(&args), args: &args, program, repo, dest };
        let config = if args.bare { git.dest.join("config") } else { git.dest.join(".git/config") };
        if config.exists() { git.update(host) } else { git.make(host) }
    }
}

/// What `ls-remote` says of the wanted version.
struct Remote {
    /// The branch to follow: the version, or the remote's own for `HEAD`.
    branch: Option<String>,
    is_tag: bool,
    /// The commit.
    head: String,
}

impl Remote {
    /// Whether the version is no name of the remote's and no whole commit either.
    fn is_unknown(&self) -> bool {
        let is_commit = self.head.len() >= 40 && self.head.chars().all(|letter| letter.is_ascii_hexdigit());
        self.branch.is_none() && !self.is_tag && !is_commit
    }
}

struct GitRun<'a> {
    args: &'a GitArgs,
    program: PathBuf,
    repo: String,
    dest: PathBuf,
    ssh: String,
}

impl GitRun<'_> {
    /// There is no repository yet.
    fn make(&self, host: &mut Host) -> Result<Outcome> {
        let args = self.args;
        let remote = self.ask(host, &self.repo)?;
        if host.is_checking() && remote.is_unknown() {
            let why = format!("fatal: couldn't find remote ref {}", args.version);
            let asked = format!("{} fetch --dry-run {} {}", self.program.display(), self.repo, args.version);
            let failure = Failure::new(why.as_str()).with("rc", 128).with("stdout", "").with("stderr", format!("{why}\n"));
            return Err(failure.with("cmd", asked));
        }
        let mut after = remote.head.clone();
        let object = paths::shown(&args.dest);
        let shown = |after: &str| Diff::Prepared(format!(">> Newly checked out {after}"));
        let change = Change::of("repository", object).from_to("absent", after.as_str()).shown(shown(&after));
        if args.clone {
            let mut command = self.git(host).arg("clone");
            command = if args.bare { command.arg("--bare") } else { command.args(["--origin", &args.remote]) };
            let named = remote.branch.as_ref().filter(|_| args.version != "HEAD").or((remote.is_tag).then_some(&args.version));
            match args.depth.filter(|depth| *depth >= 1) {
                Some(depth) if args.version == "HEAD" || named.is_some() => command = command.arg(format!("--depth={depth}")),
                Some(_) if args.refspec.is_none() => host.warn(
                    "Ignoring depth argument. Shallow clones are only available for HEAD, branches, tags or in combination with refspec.",
                ),
                Some(_) | None => {}
            }
            if let (Some(named), true) = (named, args.single_branch || args.depth.is_some()) {
                command = command.args(["--branch", named]);
            }
            if args.single_branch {
                command = command.arg("--single-branch");
            }
            if let Some(reference) = &args.reference {
                command = command.args(["--reference", reference]);
            }
            command = command.arg(&self.repo).arg(&self.dest);
            host.change(change, |door| {
                if let Some(parent) = self.dest.parent() {
                    door.create_dir_all(parent)?;
                }
                self.done(&command, door.run(&command)?)
            })?;
            if args.refspec.is_some() {
                self.fetch(host, &remote)?;
            }
            self.switch(host, &remote)?;
            if !host.is_checking() {
                after = self.commit(host)?;
            }
        } else {
            // As in Ansible, a clone that is not wanted still counts.
            let mut outcome = Outcome::new(true).with("before", None::<String>).with("after", after.as_str());
            if host.shows_diff() {
                outcome.set("diff", shown(&after).into_json());
            }
            return Ok(outcome);
        }
        Ok(host.outcome().with("before", None::<String>).with("after", after))
    }

    /// There is a repository.
    fn update(&self, host: &mut Host) -> Result<Outcome> {
        let args = self.args;
        let before = self.commit(host)?;
        if !args.update {
            return Ok(Outcome::new(false).with("before", before.as_str()).with("after", before.as_str()));
        }
        let mut message = None;
        let mut is_changed = false;
        if !args.bare && self.has_modifications(host)? {
            let text = format!("Local modifications exist in the destination: {}", args.dest.display());
            if !args.force {
                return Err(Failure::new(format!("{text} (force=no).")).with("before", before));
            }
            is_changed = true;
            message = Some(text);
            let command = self.in_dest(host).args(["reset", "--hard", "HEAD"]);
            host.change(Change::of("repository", paths::shown(&args.dest)).from_to("modified", before.as_str()), |door| {
                self.done(&command, door.run(&command)?)
            })?;
        }
        let url_changed = self.correct_url(host)?;
        let remote = self.ask(host, &self.repo)?;
        if remote.head != before {
            self.fetch(host, &remote)?;
        }
        let after = if host.is_checking() {
            remote.head.clone()
        } else {
            self.switch(host, &remote)?;
            self.commit(host)?
        };
        let mut diff = None;
        if after != before {
            is_changed = true;
            diff = host.shows_diff().then(|| self.diff(host, &before, &after)).transpose()?;
            let change = Change::of("repository", paths::shown(&args.dest)).from_to(before.as_str(), after.as_str());
            // The switch has been made above; it is known only now what it came to.
            host.change(change, |_| Ok(()))?;
        }
        let mut outcome = host.outcome().with("before", before).with("after", after).with("remote_url_changed", url_changed);
        outcome.set_changed(is_changed || url_changed);
        if let Some(message) = message {
            outcome.set("msg", message);
        }
        if let Some(diff) = diff {
            outcome.set("diff", diff.into_json());
        }
        Ok(outcome)
    }

    /// What the version is on the remote.
    fn ask(&self, host: &Host, url: &str) -> Result<Remote> {
        let version = &self.args.version;
        let (branch, tag) = (format!("refs/heads/{version}"), format!("refs/tags/{version}"));
        let peeled = format!("{tag}^{{}}");
        let command = self.git(host).args(["ls-remote", "--symref", url, "HEAD", &branch, &tag, &peeled]);
        // Ansible asks in several steps; the first of them is the one that its failure names.
        let asked = format!("{} ls-remote {url} -h refs/heads/{version}", self.program.display());
        let output = self.done(&command, host.query(&command)?).map_err(|failure| failure.with("cmd", asked))?;
        let text = output.stdout();
        let find = |wanted: &str| {
            text.lines().filter_map(|line| line.split_once('\t')).find(|(value, name)| *name == wanted && !value.starts_with("ref: "))
        };
        if version == "HEAD" {
            let branch = text.lines().find_map(|line| line.strip_prefix("ref: refs/heads/")?.strip_suffix("\tHEAD")).map(str::to_owned);
            let head = find("HEAD").map(|(head, _)| head.to_owned());
            let head = head.ok_or_else(|| Failure::new(format!("the repository `{}` has no commit", self.args.repo)))?;
            return Ok(Remote { branch, is_tag: false, head });
        }
        if let Some((head, _)) = find(&branch) {
            return Ok(Remote { branch: Some(version.clone()), is_tag: false, head: head.to_owned() });
        }
        let tagged = find(&peeled).or_else(|| find(&tag));
        Ok(Remote { branch: None, is_tag: tagged.is_some(), head: tagged.map_or(version.as_str(), |(head, _)| head).to_owned() })
    }

    fn fetch(&self, host: &mut Host, remote: &Remote) -> Result<()> {
        let args = self.args;
        let mut command = self.in_dest(host).args(["fetch", "--tags", "--force"]);
        if let Some(depth) = args.depth.filter(|depth| *depth >= 1) {
            command = command.arg(format!("--depth={depth}"));
        }
        command = command.arg(&args.remote);
        if args.bare {
            command = command.arg("+refs/heads/*:refs/heads/*");
        } else {
            command = command.arg(format!("+refs/heads/*:refs/remotes/{}/*", args.remote));
            if let Some(branch) = &remote.branch {
                command = command.arg(format!("+refs/heads/{branch}:refs/remotes/{}/{branch}", args.remote));
            }
        }
        command = command.args(args.refspec.as_deref());
        host.unrecorded(|door| self.done(&command, door.run(&command)?))?;
        Ok(())
    }

    /// Makes the working copy stand at the version, with its submodules.
    fn switch(&self, host: &mut Host, remote: &Remote) -> Result<()> {
        let args = self.args;
        if args.bare || host.is_checking() {
            return Ok(());
        }
        let mut steps = Vec::new();
        match &remote.branch {
            Some(branch) => {
                let theirs = format!("{}/{branch}", args.remote);
                let local = self.in_dest(host).args(["show-ref", "--verify", "--quiet", &format!("refs/heads/{branch}")]);
                if host.query(&local)?.succeeded() {
                    steps.push((self.in_dest(host).args(["checkout", "--force", branch]), format!("Failed to checkout branch {branch}")));
                } else {
                    let command = self.in_dest(host).args(["checkout", "--track", "-b", branch, &theirs]);
                    steps.push((command, format!("Failed to checkout branch {branch}")));
                }
                let command = self.in_dest(host).args(["reset", "--hard", &theirs, "--"]);
                steps.push((command, format!("Failed to checkout branch {branch}")));
            }
            None => {
                let command = self.in_dest(host).args(["checkout", "--force", &args.version]);
                steps.push((command, format!("Failed to checkout {}", args.version)));
            }
        }
        for (command, message) in steps {
            host.unrecorded(|door| door.run(&command)?.or_fail(|_| message).map_err(|failure| failure.with("cmd", line(&command))))?;
        }
        if args.recursive && self.dest.join(".gitmodules").exists() {
            let mut update = self.in_dest(host).args(["submodule", "update", "--init", "--recursive"]);
            if args.force {
                update = update.arg("--force");
            }
            for command in [self.in_dest(host).args(["submodule", "sync"]), update] {
                host.unrecorded(|door| self.done(&command, door.run(&command)?))?;
            }
        }
        Ok(())
    }

    fn commit(&self, host: &Host) -> Result<String> {
        let command = self.in_dest(host).args(["rev-parse", "HEAD"]);
        Ok(self.done(&command, host.query(&command)?)?.stdout().trim().to_owned())
    }

    fn has_modifications(&self, host: &Host) -> Result<bool> {
        let command = self.in_dest(host).args(["status", "--porcelain"]);
        let output = self.done(&command, host.query(&command)?)?;
        Ok(output.stdout().lines().any(|line| !line.starts_with("??")))
    }

    fn correct_url(&self, host: &mut Host) -> Result<bool> {
        let args = self.args;
        let command = self.in_dest(host).args(["config", "--get", &format!("remote.{}.url", args.remote)]);
        let output = host.query(&command)?;
        let now = output.stdout().trim().to_owned();
        if now == self.repo {
            return Ok(false);
        }
        let command = self.in_dest(host).args(["remote", "set-url", &args.remote, &self.repo]);
        if !output.succeeded() {
            let why = format!("error: No such remote '{}'\n", args.remote);
            return Err(Failure::new(format!("Failed to set a new url {} for {}:  {why}", self.repo, args.remote)));
        }
        host.change(Change::of("remote", args.remote.as_str()).from_to(now, self.repo.as_str()), |door| {
            self.done(&command, door.run(&command)?)
        })?;
        Ok(true)
    }

    fn diff(&self, host: &Host, before: &str, after: &str) -> Result<Diff> {
        let output = host.query(&self.in_dest(host).args(["diff", before, after]))?;
        let text = output.stdout();
        Ok(Diff::Prepared(match (output.succeeded(), text.is_empty()) {
            (true, false) => text,
            (true, true) => format!(">> No visual differences found between {before} and {after}"),
            (false, _) => format!(">> Failed to get proper diff between {before} and {after}:\n>> {}", output.stderr()),
        }))
    }

    fn git(&self, host: &Host) -> Command {
        host.command(&self.program).env("GIT_SSH_COMMAND", &self.ssh).env("GIT_TERMINAL_PROMPT", "0")
    }

    fn in_dest(&self, host: &Host) -> Command {
        self.git(host).cwd(&self.dest)
    }

    fn done(&self, command: &Command, output: Output) -> Result<Output> {
        output.or_fail(|output| output.stderr().trim().to_owned()).map_err(|failure| failure.with("cmd", line(command)))
    }
}

fn line(command: &Command) -> String {
    command.argv().join(" ")
}

/// The `ssh` that git is to call.
fn ssh_command(args: &GitArgs) -> String {
    let mut words = vec!["ssh".to_owned(), "-o".to_owned(), "BatchMode=yes".to_owned()];
    let key = |path: &Path| ["-i".to_owned(), paths::shown(path), "-o".to_owned(), "IdentitiesOnly=yes".to_owned()];
    let option = |text: &str| ["-o".to_owned(), text.to_owned()];
    if args.accept_hostkey {
        words.extend(option("StrictHostKeyChecking=no"));
    }
    if args.accept_newhostkey {
        words.extend(option("StrictHostKeyChecking=accept-new"));
    }
    words.extend(args.key_file.as_deref().into_iter().flat_map(key));
    let mut line = words.iter().map(|word| words::quote(word)).collect::<Vec<_>>().join(" ");
    if let Some(options) = &args.ssh_opts {
        line.push(' ');
        line.push_str(options);
    }
    line
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use crate::Json;
    use crate::laws::{Law, Mode};
    use serde_json::json;

    /// A repository `r` with a tag `v1`, a newer commit on `master` and a branch `dev` there; gives back the two commits.
    fn repository(law: &Law) -> Vec<String> {
        law.mkdir("r");
        let script = "git init -q -b master . && git config user.email a@b && git config user.name n && echo 1 > f && git add f && git commit -qm 1 \
            && git tag v1 && echo 2 > f && git commit -qam 2 && git branch dev && git rev-parse v1 master";
        let output = Command::new("sh").arg("-c").arg(script).current_dir(law.folder().join("r")).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
    }

    #[test]
    fn a_working_copy_follows_its_version() {
        let law = Law::of("git");
        let commits = repository(&law);
        let task = |version: &str| json!({"repo": law.path("r"), "dest": law.path("c"), "version": version});
        let foretold = law.run(task("HEAD"), Mode::Check).outcome;
        assert_eq!((foretold.changed(), foretold.get("after")), (true, Some(&json!(commits[1]))));
        assert!(!law.folder().join("c").exists());
        let made = law.run(task("HEAD"), Mode::RealDiff).outcome;
        assert_eq!((made.get("before"), made.get("after")), (Some(&Json::Null), Some(&json!(commits[1]))), "{made:?}");
        assert_eq!(made.get("diff"), Some(&json!({"prepared": format!(">> Newly checked out {}", commits[1])})));
        let again = law.run(task("HEAD"), Mode::Real).outcome;
        assert_eq!((again.changed(), again.get("remote_url_changed")), (false, Some(&json!(false))), "{again:?}");
        let tagged = law.run(task("v1"), Mode::RealDiff).outcome;
        assert_eq!((tagged.changed(), law.read("c/f").as_str()), (true, "1\n"), "{tagged:?}");
        assert!(tagged.get("diff").unwrap()["prepared"].as_str().unwrap().starts_with("diff --git a/f b/f"));
        assert!(law.run(task("dev"), Mode::Check).outcome.changed());
        assert!(law.run(task("dev"), Mode::Real).outcome.changed());
        assert!(!law.run(task(&commits[1]), Mode::Real).outcome.changed());
        law.fails(task("nosuch"), "Failed to checkout nosuch");
    }

    #[test]
    fn local_modifications_are_kept_unless_forced() {
        let law = Law::of("git");
        repository(&law);
        let task = |force: bool| json!({"repo": law.path("r"), "dest": law.path("c"), "version": "v1", "force": force});
        law.run(task(false), Mode::Real);
        law.write("c/f", "mine");
        law.fails(task(false), "Local modifications exist in the destination");
        let forced = law.run(task(true), Mode::Real).outcome;
        assert_eq!((forced.changed(), law.read("c/f").as_str()), (true, "1\n"), "{forced:?}");
    }

    #[test]
    fn bare_and_shallow_repositories_are_made() {
        let law = Law::of("git");
        repository(&law);
        let bare = json!({"repo": law.path("r"), "dest": law.path("b"), "bare": true});
        assert!(law.run(bare.clone(), Mode::Real).outcome.changed());
        assert!(!law.run(bare, Mode::Real).outcome.changed());
        law.run(json!({"repo": law.path("r"), "dest": law.path("s"), "depth": 1, "version": "dev"}), Mode::Real);
        assert_eq!(law.read("s/f"), "2\n");
        law.fails(json!({"repo": law.path("none"), "dest": law.path("x")}), "does not appear to be a git repository");
        let kept = law.run(json!({"repo": law.path("r"), "dest": law.path("s"), "update": false}), Mode::Real).outcome;
        assert!(!kept.changed());
    }
}
