//! A server for many clients at once, in one thread: poll(2), and an answer to each when its time has come. It needs no
//! network but the loopback interface, and without that a socket with an abstract name, of which nothing is left.

use crate::stage::Worker;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr as UnixAddress, UnixListener, UnixStream};
use std::time::{Duration, Instant};

/// How often the server looks at its orders, and a client while it waits.
const LOOK: Duration = Duration::from_millis(50);

/// The longest wait for an answer.
const PATIENCE: Duration = Duration::from_secs(60);

/// The name that the server does not know: the third.
const UNKNOWN: usize = 2;

/// Names, as a client counts them.
const NAMES: usize = 64;

/// Bytes of a request at most.
const LONGEST: usize = 64;

/// Name `n`.
pub(super) fn name(n: usize) -> Option<String> {
    (n < NAMES).then(|| if n == UNKNOWN { "nowhere.example".to_owned() } else { format!("page-{n}.example") })
}

/// What a name is answered: its page's length, or that there is none.
fn answer(name: &str) -> String {
    let known = name.strip_prefix("page-").and_then(|rest| rest.strip_suffix(".example")?.parse::<u64>().ok());
    known.map_or_else(|| "no such name\n".to_owned(), |n| format!("{}\n", 1000 + 10 * n))
}

/// Where the server listens.
#[derive(Debug, Clone)]
pub(super) enum Address {
    /// On the loopback interface.
    Tcp(SocketAddr),
    /// On a socket with an abstract name (unix(7)).
    Unix(UnixAddress),
}

impl Address {
    /// In a word.
    pub(super) fn by(&self) -> &'static str {
        match self {
            Self::Tcp(_) => "tcp",
            Self::Unix(_) => "unix",
        }
    }

    /// Asks for the length of a page; none if there is no such name.
    ///
    /// # Errors
    /// The connection's, or `TimedOut`; `Interrupted` when it is called off.
    pub(super) fn ask(&self, name: String, called_off: impl Fn() -> bool) -> io::Result<Option<u64>> {
        match self {
            Self::Tcp(address) => {
                let stream = TcpStream::connect(address)?;
                stream.set_read_timeout(Some(LOOK))?;
                talk(stream, name, called_off)
            }
            Self::Unix(address) => {
                let stream = UnixStream::connect_addr(address)?;
                stream.set_read_timeout(Some(LOOK))?;
                talk(stream, name, called_off)
            }
        }
    }
}

fn talk(mut stream: impl Read + Write, mut name: String, called_off: impl Fn() -> bool) -> io::Result<Option<u64>> {
    name.push('\n');
    stream.write_all(name.as_bytes())?;
    let (begun, mut said) = (Instant::now(), Vec::new());
    let mut buffer = [0; LONGEST];
    while !said.ends_with(b"\n") {
        match stream.read(&mut buffer) {
            Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
            Ok(n) => said.extend_from_slice(&buffer[..n]),
            Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted) => {}
            Err(e) => return Err(e),
        }
        if called_off() {
            return Err(ErrorKind::Interrupted.into());
        }
        if begun.elapsed() > PATIENCE || said.len() > LONGEST {
            return Err(ErrorKind::TimedOut.into());
        }
    }
    Ok(String::from_utf8_lossy(&said).trim_end().parse().ok())
}

/// A connection's end.
trait End: Read + Write + AsFd + Send {}
impl<T: Read + Write + AsFd + Send> End for T {}

enum Listener {
    Tcp(TcpListener),
    Unix(UnixListener),
}

impl Listener {
    fn accept(&self) -> io::Result<Box<dyn End>> {
        match self {
            Self::Tcp(listener) => {
                let (stream, _) = listener.accept()?;
                stream.set_nonblocking(true)?;
                Ok(Box::new(stream))
            }
            Self::Unix(listener) => {
                let (stream, _) = listener.accept()?;
                stream.set_nonblocking(true)?;
                Ok(Box::new(stream))
            }
        }
    }

    fn fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Tcp(listener) => listener.as_fd(),
            Self::Unix(listener) => listener.as_fd(),
        }
    }
}

/// The server's side.
pub(super) struct Server {
    listener: Listener,
    delay: Duration,
}

/// One who has asked, or will.
struct Client {
    end: Box<dyn End>,
    asked: Vec<u8>,
    due: Option<Instant>,
    gone: bool,
}

impl Server {
    /// Opens it, on a port that nobody had; it answers after `delay`.
    ///
    /// # Errors
    /// Neither kind of socket can be had.
    pub(super) fn open(delay: Duration) -> io::Result<(Self, Address)> {
        let (listener, address) = tcp().or_else(|_| unix())?;
        Ok((Self { listener, delay }, address))
    }

    /// Its part: answers until it is sent off.
    pub(super) fn serve(&self, worker: &Worker) {
        let mut clients = Vec::new();
        let mut answered = 0;
        while worker.order() != Worker::HALT {
            self.turn(&mut clients, &mut answered);
            worker.set_work(answered);
        }
    }

    /// Waits for whatever comes first: a client, a request, or the time of an answer.
    fn turn(&self, clients: &mut Vec<Client>, answered: &mut u64) {
        let now = Instant::now();
        let next = clients.iter().filter_map(|client| client.due).map(|due| due.saturating_duration_since(now)).min();
        let patience = next.unwrap_or(LOOK).min(LOOK) + Duration::from_micros(999);
        let mut fds = vec![PollFd::new(self.listener.fd(), PollFlags::POLLIN)];
        let waiting = clients.iter().filter(|client| client.due.is_none());
        fds.extend(waiting.map(|client| PollFd::new(client.end.as_fd(), PollFlags::POLLIN)));
        // A signal or the time: the same to what follows.
        let _ = poll(&mut fds, PollTimeout::try_from(patience).unwrap_or(PollTimeout::ZERO));
        let came = fds.first().and_then(PollFd::any).unwrap_or(false);
        if came && let Ok(end) = self.listener.accept() {
            clients.push(Client { end, asked: Vec::new(), due: None, gone: false });
        }
        for client in clients.iter_mut() {
            *answered += u64::from(client.serve(self.delay));
        }
        clients.retain(|client| !client.gone);
    }
}

impl Client {
    /// Reads what has come, or answers if it is time. Whether it answered.
    fn serve(&mut self, delay: Duration) -> bool {
        if let Some(due) = self.due {
            if due > Instant::now() {
                return false;
            }
            let name = String::from_utf8_lossy(&self.asked).trim_end().to_owned();
            self.gone = true;
            // A client that is gone needs no answer; a few bytes always have room.
            return self.end.write_all(answer(&name).as_bytes()).is_ok();
        }
        let mut buffer = [0; LONGEST];
        match self.end.read(&mut buffer) {
            Ok(0) => self.gone = true,
            Ok(n) => self.asked.extend_from_slice(&buffer[..n]),
            Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {}
            Err(_) => self.gone = true,
        }
        if self.asked.ends_with(b"\n") || self.asked.len() > LONGEST {
            self.due = Some(Instant::now() + delay);
        }
        false
    }
}

fn tcp() -> io::Result<(Listener, Address)> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    listener.set_nonblocking(true)?;
    let address = listener.local_addr()?;
    // An interface that is down takes a bind and no connection.
    drop(TcpStream::connect_timeout(&address, LOOK)?);
    Ok((Listener::Tcp(listener), Address::Tcp(address)))
}

fn unix() -> io::Result<(Listener, Address)> {
    let address = UnixAddress::from_abstract_name(format!("forklore-bound-{}", std::process::id()))?;
    let listener = UnixListener::bind_addr(&address)?;
    listener.set_nonblocking(true)?;
    Ok((Listener::Unix(listener), Address::Unix(address)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicBool;
    use std::sync::atomic::Ordering::Relaxed;

    /// Who asked, and what came.
    fn asked(listener: Listener, address: &Address, names: &[usize]) -> Vec<Option<u64>> {
        let (server, over) = (Server { listener, delay: Duration::from_millis(1) }, AtomicBool::new(false));
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let (mut clients, mut answered) = (Vec::new(), 0);
                while !over.load(Relaxed) {
                    server.turn(&mut clients, &mut answered);
                }
            });
            let ask = |n: &usize| {
                let name = name(*n).expect("a name");
                scope.spawn(move || address.ask(name, || false))
            };
            let clients: Vec<_> = names.iter().map(ask).collect();
            let answers = clients.into_iter().map(|client| client.join().expect("no panic").expect("an answer"));
            let answers = answers.collect();
            over.store(true, Relaxed);
            answers
        })
    }

    #[test]
    fn all_names_are_known_but_one_by_whatever_socket() {
        for (listener, address) in [tcp().ok(), unix().ok()].into_iter().flatten() {
            assert_eq!(asked(listener, &address, &[0, UNKNOWN, 5]), [Some(1000), None, Some(1050)], "{}", address.by());
        }
    }

    #[test]
    fn there_is_an_end_to_names() {
        assert_eq!(name(NAMES), None);
        assert_eq!(answer("page-x.example"), "no such name\n");
    }
}
