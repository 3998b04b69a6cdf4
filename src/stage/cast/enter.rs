//! How workers come on: as processes, as threads, and the leader itself.

use super::{Body, Entry, Settings, Stage, Worker, worker};
use crate::fact::{As, Fact, Pid, Tid, Unavailable};
use crate::stage::Role;
use crate::stage::board::SLOTS;
use crate::stage::launch::{again, cannot_start, default_signals, fork_child, leave};
use nix::sys::signal::Signal;
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;

/// The stack of a worker that is a thread. Small, so that many fit the bound on address space.
const STACK: usize = 512 * 1024;

impl Stage {
    /// Brings a worker on, named by the next letter. `body` runs in a process or a thread of its own, with `settings` in
    /// force, and ends when its orders say so. A nice value that is refused is told, and the worker goes on without it.
    ///
    /// # Errors
    /// The machine refuses another task or the CPUs, or the board is full.
    pub fn enter(
        &mut self,
        what: As,
        settings: &Settings,
        body: impl FnOnce(&Worker) + Send + 'static,
    ) -> Result<usize, Unavailable> {
        self.enter_named(&letter(self.cast.len()), what, settings, body)
    }

    /// As [`Stage::enter`], with a name of the demo's choice.
    ///
    /// # Errors
    /// As [`Stage::enter`].
    pub fn enter_named(
        &mut self,
        name: &str,
        what: As,
        settings: &Settings,
        body: impl FnOnce(&Worker) + Send + 'static,
    ) -> Result<usize, Unavailable> {
        let number = self.room()?;
        let slot = self.board.slot(number);
        slot.set_order(Worker::HOLD);
        let worker = Worker::new(name.to_owned(), slot.clone(), Arc::clone(&self.bell), Arc::clone(&self.report));
        let (tid, pid, made_of) = match what {
            As::Processes => {
                let pid = self.enter_process(worker, body)?;
                (Tid(pid.0), pid, Body::Process)
            }
            As::Threads => {
                let (tid, thread) = enter_thread(worker, body)?;
                (tid, Pid(std::process::id()), Body::Thread(Some(thread)))
            }
        };
        self.list(Entry { name: name.to_owned(), tid, pid, ended: None, slot, body: made_of }, std::process::id());
        let settled = self.settle(number, settings);
        // The worker is held and would be for ever; one that cannot be settled is sent off there and then.
        self.order(number, if settled.is_ok() { 0 } else { Worker::HALT });
        settled.map(|()| number)
    }

    /// Brings on a process that runs `program`, which takes no orders: it is sent off with TERM. What it prints goes where
    /// the demo's output goes; it reads from nowhere.
    ///
    /// # Errors
    /// As [`Stage::enter`]. A program that cannot be executed ends with code 127 and says why in the demo's output.
    pub fn enter_program(
        &mut self,
        name: &str,
        settings: &Settings,
        mut program: Command,
    ) -> Result<usize, Unavailable> {
        let number = self.enter_named(name, As::Processes, settings, move |_| {
            let error = program.stdin(Stdio::null()).exec();
            let _ = writeln!(std::io::stderr(), "{}: {error}", program.get_program().to_string_lossy());
            leave(127)
        })?;
        if let Some(entry) = self.cast.get_mut(number) {
            entry.body = Body::Program;
        }
        Ok(number)
    }

    /// This program once more, doing nothing but wait until it is ended: another instance of one file.
    #[must_use]
    pub fn another_instance() -> Command {
        again(Role::Instance)
    }

    /// Lists the leader itself among the workers, for a demo in which its process takes part. It is never sent off and
    /// takes no orders.
    ///
    /// # Errors
    /// The board is full.
    pub fn appear(&mut self, name: &str) -> Result<usize, Unavailable> {
        let number = self.room()?;
        // As for workers: a refusal is no reason to stop.
        let _ = rustix::thread::set_name(&worker::comm(name));
        let pid = Pid(std::process::id());
        let parent = rustix::process::getppid().map_or(0, |p| p.as_raw_nonzero().get().unsigned_abs());
        let slot = self.board.slot(number);
        let entry = Entry { name: name.to_owned(), tid: Tid(pid.0), pid, ended: None, slot, body: Body::Leader };
        self.list(entry, parent);
        Ok(number)
    }

    /// Lists a thread or process that a program on stage has made, and of which it has told. It takes no orders and goes with
    /// that program.
    ///
    /// # Errors
    /// The board is full.
    pub fn introduce(&mut self, name: &str, tid: Tid, pid: Pid, parent: u32) -> Result<usize, Unavailable> {
        let number = self.room()?;
        let slot = self.board.slot(number);
        let entry = Entry { name: name.to_owned(), tid, pid, ended: None, slot, body: Body::Guest };
        self.list(entry, parent);
        Ok(number)
    }

    /// The number of the next worker.
    fn room(&self) -> Result<usize, Unavailable> {
        let number = self.cast.len();
        if number < SLOTS {
            return Ok(number);
        }
        Err(Unavailable::new("cannot bring on another worker", format!("{SLOTS} have been on in this run")))
    }

    fn list(&mut self, entry: Entry, parent: u32) {
        let (tid, pid, name) = (entry.tid, entry.pid, entry.name.clone());
        self.tell(Fact::Task { tid, pid, parent, name, slot: u16::try_from(self.cast.len()).ok() });
        self.cast.push(entry);
    }

    fn settle(&mut self, number: usize, settings: &Settings) -> Result<(), Unavailable> {
        if !settings.cpus.is_empty() {
            self.pin(number, &settings.cpus)?;
        }
        if settings.nice != 0
            && let Err(refused) = self.nice(number, settings.nice)
        {
            self.tell(Fact::Refused(refused));
        }
        Ok(())
    }

    fn enter_process(&self, worker: Worker, body: impl FnOnce(&Worker)) -> Result<Pid, Unavailable> {
        let leader = rustix::process::getpid();
        let child = fork_child(move || {
            default_signals();
            let _ = nix::sys::prctl::set_pdeathsig(Signal::SIGKILL);
            if rustix::process::getppid() == Some(leader) {
                worker.play(body);
            }
            0
        });
        child.map_err(|e| cannot_start("a worker", &e.into()))
    }
}

/// Starts a worker's thread and waits for its id.
fn enter_thread(
    worker: Worker,
    body: impl FnOnce(&Worker) + Send + 'static,
) -> Result<(Tid, JoinHandle<()>), Unavailable> {
    let (send, receive) = mpsc::sync_channel(1);
    let run = move || {
        let _ = send.send(rustix::thread::gettid());
        worker.play(body);
    };
    let builder = std::thread::Builder::new().stack_size(STACK);
    let thread = builder.spawn(run).map_err(|e| cannot_start("a worker", &e))?;
    let tid = receive.recv().map_err(|_| Unavailable::new("cannot start a worker", "its thread ended at once"))?;
    Ok((Tid(tid.as_raw_nonzero().get().unsigned_abs()), thread))
}

/// The letter of the worker of this number: A to Z, then A2 and so on.
fn letter(number: usize) -> String {
    let c = char::from(b'A' + u8::try_from(number % 26).unwrap_or(0));
    if number < 26 { c.to_string() } else { format!("{c}{}", number / 26 + 1) }
}
