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
    while matches!(lines.next(), Some(Ok(line)) if !line.is_empty()) {}
    let mut words = request.split(' ');
    let (method, path) = (words.next().unwrap_or(""), words.next().unwrap_or("/"));
    let file: PathBuf = folder.join(path.trim_start_matches('/'));
    let (status, body) = match std::fs::read(&file) {
        Ok(body) => ("200 OK", body),
        Err(_) => ("404 File not found", b"not found\n".to_vec()),
    };
    let head = format!("HTTP/1.0 {status}\r\nContent-Type: text/plain\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
    let _ = stream.write_all(head.as_bytes());
    if method != "HEAD" {
        let _ = stream.write_all(&body);
    }
}
