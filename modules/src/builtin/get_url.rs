//! `get_url`: a file from an `http` or `file` address.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use driftless_macros::Args;

use super::http::{Get, urlopen, without_login};
use crate::host::checksum::{self, Algorithm};
use crate::host::{Change, FileCommon, FileDiff, Version, Write, path as paths};
use crate::outcome::Context;
use crate::{Failure, Host, Json, JsonMap, Module, Outcome, Result};

/// The module.
pub struct GetUrl;

/// Its options.
#[derive(Args)]
pub struct GetUrlArgs {
    /// The address.
    #[arg(required)]
    url: String,
    /// Where the file goes. In a folder it keeps the name that the server or the address gives it.
    #[arg(required)]
    dest: PathBuf,
    /// Whether a copy of the old file is kept.
    #[arg(default = false)]
    backup: bool,
    /// The checksum that the file must have: `sha256:…`, or the address of a list of them after the colon.
    #[arg(default = "")]
    checksum: String,
    /// Whether a packed answer is unpacked.
    #[arg(default = true)]
    decompress: bool,
    /// Whether a file that is there is fetched again.
    #[arg(default = false)]
    force: bool,
    /// Whether user and password are sent before the server asks.
    #[arg(default = false)]
    force_basic_auth: bool,
    /// Headers of the request.
    headers: Option<JsonMap>,
    /// What the request calls itself.
    #[arg(default = "ansible-httpget")]
    http_agent: String,
    /// For how many seconds to wait for the server.
    #[arg(default = 10)]
    timeout: i64,
    /// Headers that are not sent to where the server redirects.
    #[arg(default = [])]
    unredirected_headers: Vec<String>,
    /// The password for the server.
    #[arg(alias = "password", secret)]
    url_password: Option<String>,
    /// The user for the server.
    #[arg(alias = "username")]
    url_username: Option<String>,
    /// Whether the environment's proxy is used.
    #[arg(default = true)]
    use_proxy: bool,
    /// Owner, permissions and the like.
    #[arg(flatten)]
    common: FileCommon,
}

impl Module for GetUrl {
    type Args = GetUrlArgs;
    const NAME: &'static str = "get_url";
    const SUMMARY: &'static str = "Fetch a file from a server and put it on the host";
    const EXAMPLES: &'static [&'static str] = &[
        "- get_url:\n    url: http://releases.example.com/app-{{ release }}.tar.gz\n    dest: /srv/archives/\n    checksum: sha256:http://releases.example.com/SHA256SUMS\n",
    ];
    const MISSING: &'static [(&'static str, &'static str)] = &[
        ("ciphers", "`https` is not supported yet"),
        ("client_cert", "`https` is not supported yet"),
        ("client_key", "`https` is not supported yet"),
        ("tmp_dest", "a file is always made beside its place"),
        ("use_gssapi", "Kerberos is not supported"),
        ("use_netrc", "`.netrc` is not read yet"),
        ("validate_certs", "`https` is not supported yet"),
    ];

    fn run(args: GetUrlArgs, host: &mut Host) -> Result<Outcome> {
        let start = Instant::now();
        let told = |mut outcome: Outcome| {
            outcome.set("url", args.url.as_str());
            outcome.set("elapsed", start.elapsed().as_secs());
            outcome
        };
        let failed = |failure: Failure| failure.with("url", args.url.as_str()).with("elapsed", start.elapsed().as_secs());
        fetch(&args, host).map(told).map_err(failed)
    }
}

fn fetch(args: &GetUrlArgs, host: &mut Host) -> Result<Outcome> {
    let mut dest = host.absolute(&args.dest);
    let is_folder = dest.is_dir() && !args.dest.as_os_str().is_empty();
    let wanted = Wanted::of(args, host)?;
    let mut conditional = None;
    if dest.exists() && !is_folder && !args.force {
        match &wanted {
            Some(wanted) if wanted.is_of(&dest)? => {
                args.common.apply(host, &dest, &mut FileDiff::default())?;
                let outcome = host.outcome().with("dest", paths::shown(&args.dest)).with("msg", "file already exists");
                return Ok(outcome.with("checksum_src", Json::Null).with("checksum_dest", Json::Null));
            }
            Some(_) => {}
            None => conditional = Some(dest.metadata()?.mtime()),
        }
    }
    let at_dest = |failure: Failure, dest: &Path| failure.with("dest", paths::shown(dest));
    let mut source = open(args, host, conditional).map_err(|failure| at_dest(failure, &args.dest))?;
    if source.status == Some(304) {
        let outcome = Outcome::new(false).with("dest", paths::shown(&args.dest)).with("status_code", 304);
        return Ok(outcome.with("msg", "HTTP Error 304: Not Modified"));
    }
    if let Some(status) = source.status.filter(|status| !(200..300).contains(status)) {
        let failure = Failure::new("Request failed").with("status_code", status);
        return Err(at_dest(failure.with("response", format!("HTTP Error {status}: {}", source.reason)), &args.dest));
    }
    if is_folder {
        dest.push(&source.name);
    }
    let written = if is_folder { args.dest.join(&source.name) } else { args.dest.clone() };
    let shown = paths::shown(&written);
    // As in Ansible, a new file's folder has to be named: `./name`, not `name`.
    let parent = written.parent().unwrap_or(Path::new(""));
    let names_folder = !is_folder && args.dest.as_os_str().as_encoded_bytes().ends_with(b"/");
    let parent = if names_folder { args.dest.as_path() } else { parent };
    let is_named = !names_folder && !parent.as_os_str().is_empty() && host.absolute(parent).is_dir();
    if !is_named && (!dest.is_file() || args.dest.as_os_str().is_empty()) {
        let missing = paths::shown(parent);
        let failure = Failure::new(format!("Destination {} does not exist", missing.trim_end_matches('/'))).with("dest", shown);
        let failure = failure.with("src", unused_name(host)?).with("checksum_dest", Json::Null);
        return Err(failure.with("checksum_src", checksum::of_reader(Algorithm::Sha1, &mut source.body)?));
    }
    let path = paths::real_path(&dest);
    let version = Version::of(&path)?;
    let before = if path.is_file() { Some(checksum::of_file(Algorithm::Sha1, &path)?) } else { None };
    let change = |after: &str| {
        let before = before.as_ref().map_or_else(|| "absent".to_owned(), |sum| format!("sha1:{sum}"));
        Change::of("file", paths::shown(&dest)).from_to(before, after)
    };
    let length = source.length_text();
    if host.is_checking() {
        // A server is asked without its file, so that this is the checksum of nothing there, as in Ansible.
        let found = checksum::of_reader(Algorithm::Sha1, &mut source.body)?;
        if before.as_ref() != Some(&found) {
            host.change(change(&format!("sha1:{found}")), |_| Ok(()))?;
        }
        let outcome = host.outcome().with("dest", shown).with("src", unused_name(host)?);
        return Ok(outcome.with("checksum_dest", before).with("checksum_src", found).with("msg", length));
    }
    let staged = host.unrecorded(|door| door.stage(&path, &mut source.body, args.common.unsafe_writes))?.expect("this is no check");
    let src = paths::shown(staged.temp_path());
    let after = checksum::of_file(Algorithm::Sha1, staged.temp_path())?;
    if let Some(wanted) = &wanted {
        let found = checksum::of_file(wanted.algorithm, staged.temp_path())?;
        if found != wanted.sum {
            let failure = Failure::new(format!("The checksum for {src} did not match {}; it was {found}.", wanted.sum));
            return Err(failure.with("dest", shown).with("src", src).with("checksum_src", after).with("checksum_dest", before));
        }
    }
    let md5 = checksum::of_file(Algorithm::Md5, staged.temp_path())?;
    let mut backup = None;
    if before.as_ref() != Some(&after) {
        let write = Write { unsafe_writes: args.common.unsafe_writes, expected: Some(version), ..Write::default() };
        host.change(change(&format!("sha1:{after}")), |door| {
            if args.backup && before.is_some() {
                backup = door.backup(&path)?;
            }
            staged.commit(write)
        })?;
    }
    args.common.apply(host, &dest, &mut FileDiff::default())?;
    let mut outcome = host.outcome().with("dest", shown).with("src", src).with("checksum_src", after).with("checksum_dest", before);
    outcome.set("md5sum", md5);
    outcome.set("msg", length);
    outcome.set("status_code", source.status);
    if let Some(backup) = backup {
        outcome.set("backup_file", paths::shown(&backup));
    }
    Ok(outcome)
}

/// A temporary file's name for results of what was not written to one.
fn unused_name(host: &Host) -> Result<String> {
    Ok(paths::shown(host.scratch().file(None, &[])?.path()))
}

/// What an address gives.
struct Source {
    /// Of servers; files have none.
    status: Option<u16>,
    reason: String,
    length: Option<u64>,
    /// The file's name in a folder.
    name: String,
    body: Box<dyn Read>,
}

impl Source {
    fn length_text(&self) -> String {
        format!("OK ({} bytes)", self.length.map_or_else(|| "unknown".to_owned(), |length| length.to_string()))
    }
}

fn open(args: &GetUrlArgs, host: &Host, newer_than: Option<i64>) -> Result<Source> {
    if let Some(path) = args.url.strip_prefix("file://") {
        let missing =
            |error: io::Error| Failure::new(format!("Request failed: <urlopen error {}: '{path}'>", crate::outcome::errno_text(&error)));
        let file = File::open(path).map_err(missing)?;
        let length = Some(file.metadata()?.len());
        return Ok(Source { status: None, reason: String::new(), length, name: base_name(path), body: Box::new(file) });
    }
    let response = get(args, host, &args.url, newer_than)?;
    let disposition = response.header("content-disposition").and_then(|value| value.split_once("filename="));
    let named = disposition.map(|(_, name)| base_name(name.split(';').next().unwrap_or_default().trim().trim_matches('"')));
    let name = named.unwrap_or_else(|| base_name(&response.url));
    let length = response.header("content-length").and_then(|length| length.parse().ok());
    Ok(Source { status: Some(response.status), reason: response.reason, length, name, body: response.body })
}

fn get(args: &GetUrlArgs, host: &Host, url: &str, newer_than: Option<i64>) -> Result<super::http::Response> {
    let (url, written_login) = without_login(url);
    let mut headers = vec![("User-Agent".to_owned(), args.http_agent.clone())];
    if let Some(seconds) = newer_than {
        let time = jiff::Timestamp::from_second(seconds).map_err(|error| Failure::new(error.to_string()))?;
        headers.push(("If-Modified-Since".to_owned(), time.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()));
    }
    for (name, value) in args.headers.iter().flatten() {
        headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
        headers.push((name.clone(), crate::spec::text(value)));
    }
    let given = args.url_username.clone().map(|user| (user, args.url_password.clone().unwrap_or_default()));
    let request = Get {
        method: if host.is_checking() && url == without_login(&args.url).0 { "HEAD" } else { "GET" },
        url: &url,
        headers,
        unredirected: &args.unredirected_headers,
        login: given.or(written_login),
        login_first: args.force_basic_auth,
        timeout: Duration::from_secs(u64::try_from(args.timeout).unwrap_or(0).max(1)),
        use_proxy: args.use_proxy,
        decompress: args.decompress,
    };
    request.send(host)
}

/// The last part of an address, without what is asked of it.
fn base_name(url: &str) -> String {
    let path = url.split(['?', '#']).next().unwrap_or_default();
    let path = path.split_once("://").map_or(path, |(_, rest)| rest.split_once('/').map_or("", |(_, path)| path));
    match path.rsplit('/').next() {
        Some(name) if !matches!(name, "" | "." | "..") => name.to_owned(),
        _ => "index.html".to_owned(),
    }
}

/// The checksum that the file must have.
struct Wanted {
    algorithm: Algorithm,
    sum: String,
}

impl Wanted {
    fn of(args: &GetUrlArgs, host: &Host) -> Result<Option<Self>> {
        if args.checksum.is_empty() {
            return Ok(None);
        }
        let Some((name, value)) = args.checksum.split_once(':') else {
            return Err(
                Failure::new("The checksum parameter has to be in format <algorithm>:<checksum>").with("dest", paths::shown(&args.dest))
            );
        };
        let algorithm = Algorithm::from_name(name.trim());
        let algorithm = algorithm.ok_or_else(|| Failure::new(format!("Could not hash file with algorithm '{name}'")))?;
        let value = value.trim();
        let sum = if value.contains("://") { listed(args, host, value)? } else { value.to_owned() };
        let sum: String = sum.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_lowercase();
        if sum.is_empty() || !sum.chars().all(|char| char.is_ascii_hexdigit()) {
            return Err(Failure::new("The checksum format is invalid").with("dest", paths::shown(&args.dest)));
        }
        Ok(Some(Self { algorithm, sum }))
    }

    fn is_of(&self, path: &Path) -> Result<bool> {
        Ok(checksum::of_file(self.algorithm, path)? == self.sum)
    }
}

/// The checksum of the file in a list that is fetched.
fn listed(args: &GetUrlArgs, host: &Host, url: &str) -> Result<String> {
    let mut text = String::new();
    if let Some(path) = url.strip_prefix("file://") {
        text = std::fs::read_to_string(path).context(format_args!("Unable to retrieve checksum file '{url}'"))?;
    } else {
        let mut response = get(args, host, url, None)?;
        if !(200..300).contains(&response.status) {
            return Err(Failure::new(format!("Unable to retrieve checksum file '{url}'")).with("status_code", response.status));
        }
        response.body.read_to_string(&mut text).map_err(|error| urlopen(&error))?;
    }
    let name = base_name(&args.url);
    let lines: Vec<(&str, &str)> = text
        .lines()
        .filter_map(|line| match line.split_once([' ', '\t']) {
            Some((sum, file)) => Some((sum, file.trim_start_matches([' ', '\t', '*']).trim_end().trim_start_matches("./"))),
            None => Some((line.trim(), "")).filter(|(sum, _)| !sum.is_empty()),
        })
        .collect();
    let found = match lines.as_slice() {
        [(sum, "")] => Some(*sum),
        lines => lines.iter().find(|(_, file)| *file == name).map(|(sum, _)| *sum),
    };
    found.map(str::to_owned).ok_or_else(|| Failure::new(format!("Unable to find a checksum for file '{name}' in '{url}'")))
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader, Write};
    use std::net::TcpListener;

    use crate::laws::{Law, Mode};
    use serde_json::json;

    /// A server on loopback that answers each request with the next text; gives back its address.
    fn server(answers: Vec<&'static str>) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        std::thread::spawn(move || {
            for answer in answers {
                let (mut stream, _) = listener.accept().unwrap();
                let reader = BufReader::new(stream.try_clone().unwrap());
                let _asked: Vec<String> = reader.lines().map_while(Result::ok).take_while(|line| !line.is_empty()).collect();
                stream.write_all(answer.as_bytes()).unwrap();
            }
        });
        format!("http://127.0.0.1:{port}")
    }

    const HELLO: &str = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhello\n";
    const SUM: &str = "sha256:5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03";

    #[test]
    fn a_file_is_fetched_once() {
        let law = Law::of("get_url");
        let url = server(vec![HELLO, HELLO, "HTTP/1.1 304 Not Modified\r\n\r\n"]);
        let task = json!({"url": format!("{url}/a.txt"), "dest": law.path("a"), "mode": "0600"});
        assert!(law.run(task.clone(), Mode::Check).outcome.changed());
        let ran = law.run(task.clone(), Mode::Real).outcome;
        assert_eq!((ran.get("msg"), ran.get("status_code")), (Some(&json!("OK (6 bytes)")), Some(&json!(200))), "{ran:?}");
        assert_eq!((law.read("a").as_str(), law.mode("a")), ("hello\n", 0o600));
        assert_eq!(law.unchanged(task).get("msg"), Some(&json!("HTTP Error 304: Not Modified")));
    }

    #[test]
    fn redirects_and_folders_and_chunks() {
        let law = Law::of("get_url");
        law.mkdir("d");
        let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nhello\n\r\n0\r\n\r\n";
        let url = server(vec!["HTTP/1.1 302 Found\r\nLocation: /b.txt\r\nContent-Length: 0\r\n\r\n", chunked]);
        let ran = law.run(json!({"url": format!("{url}/a"), "dest": law.path("d")}), Mode::Real).outcome;
        assert_eq!((ran.get("msg"), law.read("d/b.txt").as_str()), (Some(&json!("OK (unknown bytes)")), "hello\n"));
    }

    #[test]
    fn a_folder_that_is_named_must_be_there() {
        let law = Law::of("get_url");
        let url = server(vec![HELLO]);
        law.fails(json!({"url": format!("{url}/a"), "dest": law.path("new/")}), "/new does not exist");
        assert!(!law.folder().join("new").exists());
    }

    #[test]
    fn checksums_are_held() {
        let law = Law::of("get_url");
        let url = server(vec![HELLO, HELLO]);
        let task = |name: &str, sum: &str| json!({"url": format!("{url}/a.txt"), "dest": law.path(name), "checksum": sum});
        assert!(law.run(task("a", SUM), Mode::Real).outcome.changed());
        assert_eq!(law.unchanged(task("a", SUM)).get("msg"), Some(&json!("file already exists")));
        law.fails(task("b", "sha256:0000"), "did not match 0000; it was 5891b5");
        assert!(!law.folder().join("b").exists());
        law.fails(task("b", "0000"), "has to be in format <algorithm>:<checksum>");
    }

    #[test]
    fn checking_foretells_nothing_for_a_file_that_is_the_same() {
        let law = Law::of("get_url");
        law.write("s", "local");
        law.write("other", "another");
        let task = |dest: &str| json!({"url": format!("file://{}", law.path("s")), "dest": law.path(dest)});
        for dest in ["new", "other"] {
            let ran = law.converges(task(dest), &[("file", &format!("…/{dest}"))]).outcome;
            assert!(ran.get("src").is_some(), "{ran:?}");
            let again = law.run(task(dest), Mode::Check).outcome;
            assert!(!again.changed() && again.get("src").is_some(), "{again:?}");
        }
        let failed = law.fails(task("none/x"), "/none does not exist");
        assert!(failed.get("src").is_some() && failed.get("checksum_src").is_some(), "{failed:?}");
    }

    #[test]
    fn refusals_are_ansible_s() {
        let law = Law::of("get_url");
        let url = server(vec!["HTTP/1.1 404 File not found\r\nContent-Length: 0\r\n\r\n"]);
        let failed = law.fails(json!({"url": format!("{url}/x"), "dest": law.path("x")}), "Request failed");
        assert_eq!(failed.get("response"), Some(&json!("HTTP Error 404: File not found")));
        law.fails(json!({"url": "https://example.com/", "dest": law.path("x")}), "`https` addresses are not supported yet");
        law.fails(json!({"url": "http://127.0.0.1:9/", "dest": law.path("x")}), "[Errno 111] Connection refused");
        law.write("s", "local");
        law.run(json!({"url": format!("file://{}", law.path("s")), "dest": law.path("x"), "backup": true}), Mode::Real);
        assert_eq!(law.read("x"), "local");
    }
}
