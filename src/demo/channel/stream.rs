//! Ways that carry bytes one after the other: pipes, FIFOs, stream sockets of both families. A message is its bytes, as many
//! calls as it takes.

use super::names::PrivateFolder;
use super::{Level, Line, Side, Unit, broken, ended, readable};
use crate::fact::{As, Unavailable};
use nix::sys::socket::{getsockopt, sockopt};
use rustix::fs::{Mode, OFlags, fcntl_setfl};
use rustix::pipe::{PipeFlags, fcntl_getpipe_size, pipe_with};
use std::fs::File;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::sync::{PoisonError, RwLock};

/// Two directions.
#[derive(Debug)]
pub(super) struct Stream {
    what: As,
    places: [Place; 2],
}

/// The ends of one side. Each can be closed while the other is in use: one that sleeps in a read must not keep its writing
/// end open, nor one that closes be kept waiting.
#[derive(Debug)]
struct Place {
    out: RwLock<Option<End>>,
    into: RwLock<Option<End>>,
}

/// An open end.
#[derive(Debug)]
enum End {
    Pipe(File),
    Unix(UnixStream),
    Tcp(TcpStream),
}

impl End {
    fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Pipe(file) => (&*file).write(bytes),
            // The standard library sends with MSG_NOSIGNAL.
            Self::Unix(socket) => (&*socket).write(bytes),
            Self::Tcp(socket) => (&*socket).write(bytes),
        }
    }

    fn read(&self, bytes: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Pipe(file) => (&*file).read(bytes),
            Self::Unix(socket) => (&*socket).read(bytes),
            Self::Tcp(socket) => (&*socket).read(bytes),
        }
    }

    /// Ends a connection, whichever processes have copies of its descriptor. A pipe ends with its last copy.
    fn shut_down(&self) {
        // Refused where it was ended before (ENOTCONN), which is as well.
        let _ = match self {
            Self::Pipe(_) => Ok(()),
            Self::Unix(socket) => socket.shutdown(Shutdown::Both),
            Self::Tcp(socket) => socket.shutdown(Shutdown::Both),
        };
    }
}

impl AsFd for End {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Pipe(file) => file.as_fd(),
            Self::Unix(socket) => socket.as_fd(),
            Self::Tcp(socket) => socket.as_fd(),
        }
    }
}

impl Place {
    fn new(out: End, into: End) -> Self {
        Self { out: RwLock::new(Some(out)), into: RwLock::new(Some(into)) }
    }

    /// Closes what is not in use.
    fn close(&self) {
        for end in [&self.out, &self.into] {
            if let Ok(mut end) = end.try_write() {
                *end = None;
            }
        }
    }
}

/// Does something with an end, if it is still open.
fn with<T>(end: &RwLock<Option<End>>, act: impl FnOnce(&End) -> T) -> Option<T> {
    end.read().unwrap_or_else(PoisonError::into_inner).as_ref().map(act)
}

impl Stream {
    fn new(what: As, left: Place, right: Place) -> Self {
        Self { what, places: [left, right] }
    }

    fn place(&self, side: Side) -> &Place {
        &self.places[side.index()]
    }

    /// Writes all of it.
    pub(super) fn put(&self, from: Side, message: &[u8]) -> io::Result<usize> {
        let all = |end: &End| {
            let mut moved = 0;
            while moved < message.len() {
                match end.write(&message[moved..]) {
                    Ok(0) => return Err(broken()),
                    Ok(bytes) => moved += bytes,
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(error) => return Err(error),
                }
            }
            Ok(moved)
        };
        with(&self.place(from).out, all).unwrap_or_else(|| Err(broken()))
    }

    /// Reads until `into` is full.
    pub(super) fn get(&self, at: Side, into: &mut [u8]) -> io::Result<usize> {
        let all = |end: &End| {
            let mut moved = 0;
            while moved < into.len() {
                match end.read(&mut into[moved..]) {
                    Ok(0) => return Err(ended()),
                    Ok(bytes) => moved += bytes,
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(error) => return Err(error),
                }
            }
            Ok(moved)
        };
        with(&self.place(at).into, all).unwrap_or_else(|| Err(ended()))
    }
}

impl Line for Stream {
    fn send(&self, from: Side, message: &[u8]) -> io::Result<usize> {
        self.put(from, message)
    }

    fn receive(&self, at: Side, into: &mut [u8]) -> io::Result<usize> {
        self.get(at, into)
    }

    fn wait(&self, at: Side) -> io::Result<()> {
        with(&self.place(at).into, |end| readable(end)).unwrap_or(Ok(()))
    }

    fn level(&self, to: Side) -> Option<Level> {
        let ask = |end: &End| rustix::io::ioctl_fionread(end).ok();
        let now = with(&self.place(to).into, ask)??;
        // A pipe's room is its own; a Unix socket's is the sender's buffer (unix(7)); TCP has one at either end.
        let sent = |end: &End| match end {
            End::Pipe(pipe) => fcntl_getpipe_size(pipe).ok(),
            End::Unix(socket) => getsockopt(socket, sockopt::SndBuf).ok(),
            End::Tcp(socket) => getsockopt(socket, sockopt::SndBuf).ok(),
        };
        let received = |end: &End| match end {
            End::Pipe(_) | End::Unix(_) => Some(0),
            End::Tcp(socket) => getsockopt(socket, sockopt::RcvBuf).ok(),
        };
        // A process that is not the sender asks at its own end: a pipe has one size, whoever asks.
        let out = with(&self.place(to.other()).out, sent).or_else(|| with(&self.place(to).into, sent)).flatten();
        let into = with(&self.place(to).into, received).flatten();
        let capacity = out.zip(into).map(|(out, into)| (out + into) as u64);
        Some(Level { now, capacity, unit: Unit::Bytes })
    }

    fn take(&self, side: Side) -> io::Result<()> {
        if self.what == As::Processes {
            self.place(side.other()).close();
        }
        Ok(())
    }

    fn leave(&self) {
        if self.what == As::Processes {
            self.places.iter().for_each(Place::close);
        }
    }

    fn hang_up(&self, side: Side) {
        let place = self.place(side);
        let _ = with(&place.out, End::shut_down);
        place.close();
    }
}

/// Two pipes.
///
/// # Errors
/// The kernel's refusal: of descriptors (EMFILE, ENFILE).
pub(super) fn pipes(what: As) -> io::Result<Stream> {
    let (right_in, left_out) = pipe_with(PipeFlags::CLOEXEC)?;
    let (left_in, right_out) = pipe_with(PipeFlags::CLOEXEC)?;
    let end = |fd| End::Pipe(File::from(fd));
    Ok(Stream::new(what, Place::new(end(left_out), end(left_in)), Place::new(end(right_out), end(right_in))))
}

/// Two FIFOs. Their names are gone when this returns.
///
/// # Errors
/// The kernel's refusal, of a folder for temporary files above all.
pub(super) fn fifos(what: As) -> io::Result<Stream> {
    let folder = PrivateFolder::make("fifo")?;
    let one = |name: &str| -> io::Result<(End, End)> {
        let path = folder.path().join(name);
        nix::unistd::mkfifo(&path, nix::sys::stat::Mode::S_IRUSR | nix::sys::stat::Mode::S_IWUSR)?;
        let open = |flags| rustix::fs::open(&path, flags | OFlags::CLOEXEC, Mode::empty());
        // Without O_NONBLOCK each of the two would wait until the other is opened (fifo(7)).
        let into = open(OFlags::RDONLY | OFlags::NONBLOCK)?;
        let out = open(OFlags::WRONLY)?;
        fcntl_setfl(&into, OFlags::empty())?;
        std::fs::remove_file(&path)?;
        Ok((End::Pipe(File::from(out)), End::Pipe(File::from(into))))
    };
    let ((left_out, right_in), (right_out, left_in)) = (one("there")?, one("back")?);
    Ok(Stream::new(what, Place::new(left_out, left_in), Place::new(right_out, right_in)))
}

/// A pair of connected sockets that never had a name.
///
/// # Errors
/// The kernel's refusal: of descriptors (EMFILE, ENFILE).
pub(super) fn sockets(what: As) -> io::Result<Stream> {
    let (left, right) = UnixStream::pair()?;
    let place =
        |socket: UnixStream| -> io::Result<Place> { Ok(Place::new(End::Unix(socket.try_clone()?), End::Unix(socket))) };
    Ok(Stream::new(what, place(left)?, place(right)?))
}

/// A connection over the loopback interface. The kernel chooses a port that is free, so none that is taken can be in the way,
/// and nobody listens any more when this returns.
///
/// # Errors
/// There is no loopback interface, or it is down.
pub(super) fn tcp(what: As) -> Result<Stream, Unavailable> {
    let connected = || -> io::Result<(TcpStream, TcpStream)> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let left = TcpStream::connect(listener.local_addr()?)?;
        let ours = left.local_addr()?;
        // Anybody on this machine may connect to the port while it is open.
        let right = loop {
            let (socket, from) = listener.accept()?;
            if from == ours {
                break socket;
            }
        };
        // A message is to go at once, not to be gathered with later ones (tcp(7), Nagle).
        left.set_nodelay(true)?;
        right.set_nodelay(true)?;
        Ok((left, right))
    };
    let place =
        |socket: TcpStream| -> io::Result<Place> { Ok(Place::new(End::Tcp(socket.try_clone()?), End::Tcp(socket))) };
    let open = || {
        let (left, right) = connected()?;
        Ok(Stream::new(what, place(left)?, place(right)?))
    };
    open().map_err(|error: io::Error| {
        Unavailable::new("TCP on loopback", error.to_string())
            .remedy("The loopback interface must be up: ip link set lo up")
    })
}
