//! A proxy that a gateway has to use, because the environment names it.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// Passes every connection on to one server, and keeps what was asked for.
pub struct Relay {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Relay {
    /// A proxy before the server at this address, such as `127.0.0.1:8080`.
    pub fn before(server: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let asked: Arc<Mutex<Vec<String>>> = Arc::default();
        let (server, seen) = (server.to_owned(), asked.clone());
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let (server, seen) = (server.clone(), seen.clone());
                // A connection may be closed by either side at any time.
                std::thread::spawn(move || pass_on(client, &server, &seen).ok());
            }
        });
        Self { address, asked }
    }

    /// The value of `HTTP_PROXY`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The first line of each request that has asked the proxy for a whole address.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

fn pass_on(mut client: TcpStream, server: &str, seen: &Mutex<Vec<String>>) -> std::io::Result<()> {
    let mut server = TcpStream::connect(server)?;
    let (mut answers, mut back) = (server.try_clone()?, client.try_clone()?);
    std::thread::spawn(move || {
        let copied = std::io::copy(&mut answers, &mut back);
        back.shutdown(Shutdown::Both).and(copied).ok()
    });
    let mut bytes = [0; 65536];
    loop {
        let read = client.read(&mut bytes)?;
        if read == 0 {
            return server.shutdown(Shutdown::Write);
        }
        let text = String::from_utf8_lossy(&bytes[..read]);
        let first = text.lines().next().unwrap_or_default();
        if first.contains(" http://") {
            seen.lock().unwrap().push(first.to_owned());
        }
        server.write_all(&bytes[..read])?;
    }
}
