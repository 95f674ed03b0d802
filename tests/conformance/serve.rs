//! A folder over HTTP on loopback, for the cases that fetch something.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};

/// Answers GET and HEAD until the test program ends.
pub struct FileServer {
    url: String,
}

impl FileServer {
    /// Starts a server for the folder; without the folder there is an address where nobody listens.
    pub fn start(folder: &Path) -> Self {
        if !folder.is_dir() {
            return Self { url: "http://127.0.0.1:9".to_owned() };
        }
        let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
        let port = listener.local_addr().expect("a bound socket has an address").port();
        let folder = folder.to_owned();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let folder = folder.clone();
                std::thread::spawn(move || answer(stream, &folder));
            }
        });
        Self { url: format!("http://127.0.0.1:{port}") }
    }

    pub fn url(&self) -> &str {
        &self.url
    }
}

/// One request per connection; a client that goes away is nobody's mistake.
fn answer(mut stream: TcpStream, folder: &Path) {
    let Ok(copy) = stream.try_clone() else { return };
    let mut lines = BufReader::new(copy).lines();
    let Some(Ok(request)) = lines.next() else { return };
    let mut known = None;
    while let Some(Ok(line)) = lines.next()
        && !line.is_empty()
    {
        known = known.or_else(|| time_of(line.strip_prefix("If-Modified-Since: ")?));
    }
    let mut words = request.split(' ');
    let (method, path) = (words.next().unwrap_or(""), words.next().unwrap_or("/"));
    let file: PathBuf = folder.join(path.trim_start_matches('/'));
    let changed = file.metadata().and_then(|found| found.modified()).ok();
    let changed = changed.and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok()).map(|since| since.as_secs());
    let is_known = known.zip(changed).is_some_and(|(known, changed)| i64::try_from(changed).is_ok_and(|changed| changed <= known));
    let (status, body) = match std::fs::read(&file) {
        Ok(_) if is_known => ("304 Not Modified", Vec::new()),
        Ok(body) => ("200 OK", body),
        Err(_) => ("404 File not found", b"not found\n".to_vec()),
    };
    let head = format!("HTTP/1.0 {status}\r\nContent-Type: text/plain\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
    let _ = stream.write_all(head.as_bytes());
    if method != "HEAD" {
        let _ = stream.write_all(&body);
    }
}

/// Seconds of a date as HTTP writes it.
fn time_of(date: &str) -> Option<i64> {
    jiff::fmt::strtime::parse("%a, %d %b %Y %H:%M:%S GMT", date.trim())
        .ok()?
        .to_datetime()
        .ok()?
        .to_zoned(jiff::tz::TimeZone::UTC)
        .ok()
        .map(|time| time.timestamp().as_second())
}
