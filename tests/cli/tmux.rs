//! A terminal for programs that draw the whole screen: tmux, which also tells what is on it.

use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::program::until;

/// A terminal with a shell in it. It is closed when it is dropped.
pub struct Tmux {
    folder: TempDir,
}

/// What the shell shows when it waits for a command.
const PROMPT: &str = "ready>";

impl Tmux {
    /// A shell in a terminal of this size, in which `frontdesk` is a command and uses this home folder.
    pub fn start(home: &Path, columns: u16, lines: u16) -> Tmux {
        Tmux::start_with(home, columns, lines, "")
    }

    /// The same with more environment variables, `A=b`.
    pub fn start_with(home: &Path, columns: u16, lines: u16, environment: &str) -> Tmux {
        let tmux = Tmux { folder: tempfile::tempdir().unwrap() };
        let program = Path::new(env!("CARGO_BIN_EXE_frontdesk")).parent().unwrap();
        let shell = format!(
            "exec env -i PATH={}:/usr/bin:/bin TERM=screen-256color LC_ALL=C.UTF-8 FRONTDESK_HOME={} PS1='{PROMPT} ' {environment} sh -i",
            program.display(),
            home.display()
        );
        let (columns, lines) = (columns.to_string(), lines.to_string());
        tmux.tmux(&["new-session", "-d", "-x", &columns, "-y", &lines, &shell]);
        tmux.sees(PROMPT);
        tmux
    }

    fn tmux(&self, arguments: &[&str]) -> String {
        let mut command = Command::new("tmux");
        let socket = self.folder.path().join("tmux");
        command.env_clear().env("PATH", "/usr/bin:/bin").env("LC_ALL", "C.UTF-8");
        command.arg("-u").arg("-S").arg(socket).args(["-f", "/dev/null"]).args(arguments);
        let output = command.output().expect("tmux is installed");
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Types a text.
    pub fn types(&self, text: &str) {
        self.tmux(&["send-keys", "-l", "--", text]);
    }

    /// Presses keys by tmux's names: `Enter`, `C-c`, `M-Enter`.
    pub fn presses(&self, keys: &[&str]) {
        for key in keys {
            self.tmux(&["send-keys", key]);
        }
    }

    /// Types a line and ends it.
    pub fn enters(&self, line: &str) {
        self.types(line);
        self.presses(&["Enter"]);
    }

    /// Pastes a text as terminals do.
    pub fn pastes(&self, text: &str) {
        self.tmux(&["set-buffer", "--", text]);
        self.tmux(&["paste-buffer", "-p", "-r"]);
    }

    /// Changes the size.
    pub fn resizes(&self, columns: u16, lines: u16) {
        self.tmux(&["resize-window", "-x", &columns.to_string(), "-y", &lines.to_string()]);
    }

    /// What is on the screen.
    pub fn screen(&self) -> String {
        self.tmux(&["capture-pane", "-p"])
    }

    /// The same with the sequences for colours and emphasis.
    pub fn styled_screen(&self) -> String {
        self.tmux(&["capture-pane", "-p", "-e"])
    }

    /// A fact about the terminal, as tmux calls it.
    pub fn tells(&self, format: &str) -> String {
        self.tmux(&["display-message", "-p", format]).trim_end().to_owned()
    }

    /// Waits until all of this is on the screen.
    #[track_caller]
    pub fn sees_all(&self, wanted: &[&str]) -> String {
        let mut screen = String::new();
        let is_there = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            until(&format!("{wanted:?} is on the screen"), || {
                screen = self.screen();
                wanted.iter().all(|wanted| screen.contains(wanted))
            });
        }));
        assert!(is_there.is_ok(), "{wanted:?} is not on the screen:\n{screen}");
        screen
    }

    /// Waits until this is on the screen.
    #[track_caller]
    pub fn sees(&self, wanted: &str) -> String {
        self.sees_all(&[wanted])
    }

    /// Waits until this is not on the screen.
    #[track_caller]
    pub fn sees_no(&self, unwanted: &str) {
        until(&format!("{unwanted:?} is gone"), || !self.screen().contains(unwanted));
    }

    /// Waits until the shell has the terminal as it was: the normal screen, no mouse, lines that are edited by the
    /// system, and a visible cursor.
    #[track_caller]
    pub fn is_restored(&self) {
        until("the terminal is restored", || {
            self.tells("#{alternate_on} #{mouse_any_flag} #{cursor_flag}") == "0 0 1"
        });
        self.enters("clear; stty -a | tr ' ' '\\n' | grep -c -x -e icanon -e echo -e 'isig'");
        self.sees(&format!("3\n{PROMPT}"));
    }

    /// The process id of the program that the shell runs.
    pub fn running(&self) -> i32 {
        let shell = self.tells("#{pane_pid}");
        let mut pid = None;
        until("the shell runs a program", || {
            let children = std::fs::read_to_string(format!("/proc/{shell}/task/{shell}/children")).unwrap();
            pid = children.split_whitespace().last().and_then(|pid| pid.parse().ok());
            pid.is_some()
        });
        pid.unwrap()
    }
}

impl Drop for Tmux {
    fn drop(&mut self) {
        let socket = self.folder.path().join("tmux");
        drop(Command::new("tmux").arg("-S").arg(socket).arg("kill-server").output());
    }
}
