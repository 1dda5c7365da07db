//! The next gateway ends programs that a killed gateway left running, and no other process.

use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use frontdesk_agents::Config;
use frontdesk_agents::command;
use frontdesk_agents::process::end_leftovers;

use crate::sandbox::{Sandbox, answer, eventually, gone, persistent, piece, read, runs, turn};

const DEAF: &str = "trap '' TERM PIPE HUP INT; echo $$ > pid; echo up; while :; do sleep 1; done";

/// The file names of all records.
fn records(home: &Path) -> Vec<String> {
    let Ok(folder) = std::fs::read_dir(home.join("run")) else { return Vec::new() };
    folder.map(|entry| entry.expect("a record").file_name().into_string().expect("a record")).collect()
}

/// A record's file name with one of its four parts replaced.
fn forged(record: &str, n: usize, piece: &str) -> String {
    let mut pieces: Vec<&str> = record.splitn(4, '.').collect();
    pieces[n] = piece;
    pieces.join(".")
}

/// Ends the leftovers while the test clock advances.
async fn end(sandbox: &Sandbox) {
    let mut tick = tokio::time::interval(std::time::Duration::from_millis(1));
    let ending = end_leftovers(sandbox.home.path(), sandbox.clock.as_ref());
    tokio::pin!(ending);
    loop {
        tokio::select! {
            ended = &mut ending => return ended.expect("they are ended"),
            _ = tick.tick() => sandbox.clock.pass(std::time::Duration::from_millis(1)),
        }
    }
}

#[tokio::test]
async fn a_program_is_on_record_before_it_gets_its_prompt_and_until_it_exits() {
    let sandbox = Sandbox::new();
    let output = answer(sandbox.per_turn("echo $$; cat > /dev/null; ls ../../run").turn(turn(7, "x"))).await;
    let (pid, record) = output.trim_end().split_once('\n').unwrap();
    assert!(record.starts_with(&format!("{pid}.")) && record.contains(".t7."), "{output}");
    eventually("it is forgotten when it has ended", || records(sandbox.home.path()).is_empty()).await;
    use std::os::unix::fs::PermissionsExt;
    let folder = std::fs::metadata(sandbox.home.path().join("run")).unwrap();
    assert_eq!(folder.permissions().mode() & 0o777, 0o700);
}

#[tokio::test]
async fn a_program_that_outlived_its_gateway_is_ended_with_its_children() {
    let sandbox = Sandbox::new();
    let agent = sandbox.per_turn(&format!("sleep 1000 & echo $! > other; {DEAF}"));
    let mut stream = agent.turn(turn(1, ""));
    piece(&mut stream).await;
    let pids = [sandbox.pid("pid").await, sandbox.pid("other").await];
    end(&sandbox).await;
    assert!(!pids.into_iter().any(runs), "it is gone when the search returns");
    drop(stream);
    eventually("nothing is on record", || records(sandbox.home.path()).is_empty()).await;
}

#[tokio::test]
async fn a_program_that_was_started_ahead_of_any_turn_is_ended_as_well() {
    let sandbox = Sandbox::new();
    let script = r#"[ "$FRONTDESK_TURN" = none ] && echo $$ > ahead; read -r p; echo '{"type":"done"}'; exec sleep 1000"#;
    let agent =
        sandbox.agent(Config::Command(command::Config { min_idle: 1, max_idle: 2, ..persistent(script) }));
    answer(agent.turn(turn(1, "x"))).await;
    let ahead = sandbox.pid("ahead").await;
    assert!(records(sandbox.home.path()).iter().any(|record| record.starts_with(&format!("{ahead}."))));
    end(&sandbox).await;
    assert!(!runs(ahead));
    let left = orphan(&sandbox, "none", "none");
    end(&sandbox).await;
    gone(left).await;
}

#[tokio::test]
async fn a_number_that_belongs_to_another_process_by_now_is_never_signalled() {
    let sandbox = Sandbox::new();
    let agent = sandbox.per_turn(DEAF);
    let mut stream = agent.turn(turn(1, ""));
    piece(&mut stream).await;
    let (pid, folder) = (sandbox.pid("pid").await, sandbox.home.path().join("run"));
    let record = records(sandbox.home.path()).remove(0);
    let began: u64 = record.split('.').nth(1).unwrap().parse().unwrap();
    for other in [
        forged(&record, 1, &(began - 1).to_string()),
        forged(&record, 1, &(began + 1).to_string()),
        forged(&record, 3, "another-boot"),
    ] {
        std::fs::rename(folder.join(&record), folder.join(&other)).unwrap();
        end(&sandbox).await;
        assert!(runs(pid), "{other}");
        assert_eq!(records(sandbox.home.path()), [""; 0], "a record of what has gone is of no more use");
        std::fs::write(folder.join(&record), "").unwrap();
    }
    std::fs::write(folder.join("notes.txt"), "").unwrap();
    end(&sandbox).await;
    gone(pid).await;
    assert_eq!(records(sandbox.home.path()), ["notes.txt"], "what is no record is left alone");
}

/// A child process whose group leader has exited, as when a program exits and leaves a child in its group. The leader
/// is on record.
fn orphan(sandbox: &Sandbox, turn: &str, recorded: &str) -> u32 {
    let home = sandbox.home.path();
    let pid: PathBuf = home.join("orphan");
    let mut leader = Command::new("sh")
        .args(["-c", "sleep 1000 & echo $! > \"$0\"; read line"])
        .arg(&pid)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").expect("an orphan"))
        .env("FRONTDESK_TURN", turn)
        .env("FRONTDESK_MEDIA", home.join("media"))
        .stdin(std::process::Stdio::piped())
        .process_group(0)
        .spawn()
        .expect("an orphan");
    let group = leader.id();
    let stat = read(Path::new(&format!("/proc/{group}/stat")));
    let began = stat.rsplit_once(')').expect("an orphan").1.split_whitespace().nth(19).expect("an orphan");
    let boot = read(Path::new("/proc/sys/kernel/random/boot_id"));
    drop(leader.stdin.take());
    leader.wait().expect("an orphan");
    std::fs::create_dir_all(home.join("run")).expect("an orphan");
    std::fs::write(home.join("run").join(format!("{group}.{began}.{recorded}.{}", boot.trim())), "")
        .expect("an orphan");
    read(&pid).trim().parse().expect("an orphan")
}

#[tokio::test]
async fn a_group_without_its_leader_is_recognised_by_its_environment() {
    let sandbox = Sandbox::new();
    let ours = orphan(&sandbox, "t1", "t1");
    assert!(runs(ours));
    end(&sandbox).await;
    gone(ours).await;
    let foreign = orphan(&sandbox, "t1", "t2");
    end(&sandbox).await;
    assert!(runs(foreign), "it may be anybody's");
    let pid = rustix::process::Pid::from_raw(i32::try_from(foreign).unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
}

#[tokio::test]
async fn a_home_without_records_has_nothing_to_end() {
    end(&Sandbox::new()).await;
}
