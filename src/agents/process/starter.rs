//! The thread that starts all programs.
//!
//! The parent-death signal of Linux, which ends a sandbox with its gateway, follows the thread that started the program
//! and not the process. Threads of an async runtime may end while the gateway runs; this one does not.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::mpsc::{self, Sender};

use tokio::process::{Child, Command};
use tokio::runtime::Handle;

use crate::running_turns::lock;

type Job = Box<dyn FnOnce() + Send>;

/// `None` until the first program is started.
static THREAD: Mutex<Option<Sender<Job>>> = Mutex::new(None);

/// Starts the program. Must be called in an async runtime, which watches the child; blocks for as long as the start
/// takes.
pub(super) fn spawn(mut command: Command) -> io::Result<Child> {
    let runtime = Handle::try_current().map_err(io::Error::other)?;
    let (started, result) = mpsc::sync_channel(1);
    let job: Job = Box::new(move || {
        let _inside = runtime.enter();
        // Nobody waits any more only if the caller has panicked. The child is killed when it is dropped.
        drop(started.send(command.spawn()));
    });
    thread()?.send(job).map_err(|_| io::Error::other("the thread that starts programs has ended"))?;
    result.recv().map_err(|_| io::Error::other("the start of the program panicked"))?
}

fn thread() -> io::Result<Sender<Job>> {
    let mut thread = lock(&THREAD);
    if let Some(jobs) = &*thread {
        return Ok(jobs.clone());
    }
    let (sender, jobs) = mpsc::channel::<Job>();
    std::thread::Builder::new().name("start-programs".into()).spawn(move || {
        for job in jobs {
            // The panic has been reported by the hook; the caller gets an error.
            drop(catch_unwind(AssertUnwindSafe(job)));
        }
    })?;
    Ok(thread.insert(sender).clone())
}
