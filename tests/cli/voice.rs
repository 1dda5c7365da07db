//! Voice messages from a fake Telegram to a whole gateway: by a program, and by a fake provider.

use frontdesk_botapi::Content;
use frontdesk_fakemodel::{FakeModel, Script};
use rustix::process::Signal;
use serde_json::{Value, json};

use crate::program::{Daemon, NewHome, command, until};
use crate::telegram::{Person, Telegram};

const ANNA: i64 = 1001;
const KEY: &str = "agent:main:telegram:dm:1001";
/// What nothing but the agent, the chat and the database may contain.
const WORDS: &str = "open sesame";

/// A gateway with this section `[voice]`, and a person who may write to it.
struct Fixture {
    telegram: Telegram,
    home: NewHome,
}

impl Fixture {
    fn new() -> Fixture {
        Fixture { telegram: Telegram::start(), home: NewHome::new() }
    }

    fn configure(&self, voice: &str, agent: &str) {
        let config = self.telegram.config("dm_policy = \"open\"");
        self.home.write("frontdesk.toml", &format!("{config}\n{agent}\n[voice]\n{voice}\n"));
    }

    fn start(&self) -> Daemon {
        Daemon::start_with(command(&self.home.path()).args(["run", "--port", "0"]).env("RUST_LOG", "info"))
    }

    fn gateway(&self, voice: &str) -> Daemon {
        self.configure(voice, "");
        self.start()
    }

    fn anna(&self) -> Person<'_> {
        self.telegram.user(ANNA, "Anna")
    }

    /// Sends a voice message, which Telegram says lasts three seconds.
    fn says(&self, anna: &Person<'_>, sound: &str) {
        self.telegram.does(anna.user.message(&anna.user).voice(Content::of(sound.to_owned())).send());
    }

    fn messages(&self) -> Vec<Value> {
        let shown = self.home.run(&["sessions", "messages", KEY, "--json"]).json();
        shown["messages"].as_array().unwrap().clone()
    }

    /// How many lines a program has written into a file.
    fn lines(&self, name: &str) -> usize {
        std::fs::read_to_string(self.home.path().join("agents/_voice").join(name))
            .unwrap_or_default()
            .lines()
            .count()
    }
}

/// A program that is this shell script, with the recording as its first argument.
fn script(script: &str) -> String {
    format!("command = [\"sh\", \"-c\", '''{script}''', \"sh\", \"{{file}}\"]")
}

#[test]
fn a_program_hears_a_voice_message_and_the_history_shows_its_words() {
    let fixture = Fixture::new();
    let daemon = fixture.gateway(&script("echo \"I heard $(cat \"$1\").\""));
    let anna = fixture.anna();
    fixture.says(&anna, WORDS);
    let answer = anna.sees("[voice, 11 bytes]");
    assert_eq!(answer, format!("[Transcript of a voice message]\nI heard {WORDS}.\n[voice, 11 bytes]"));
    let row = &fixture.messages()[0];
    let file = &row["attachments"][0];
    assert_eq!((&row["text"], &file["kind"]), (&json!(""), &json!("voice")));
    assert_eq!(file["transcript"], format!("I heard {WORDS}."));
    let shown = fixture.home.run(&["sessions", "messages", KEY]).good().out.clone();
    assert!(shown.contains("  [Transcript of a voice message]\n  I heard open sesame.\n"), "{shown}");
    fixture.home.run(&["sessions", "delete", KEY, "--yes"]).good();
    let left = fixture.home.run(&["sessions", "messages", KEY, "--json"]).out;
    assert!(!left.contains(WORDS), "{left}");
    let log = daemon.stop().err;
    assert!(!log.contains(WORDS), "{log}");
}

#[test]
fn a_failure_is_told_to_the_agent_in_one_sentence_and_its_cause_is_logged_once() {
    let fixture = Fixture::new();
    let daemon = fixture.gateway(&script("cat \"$1\"; cat \"$1\" >&2; exit 3"));
    let anna = fixture.anna();
    fixture.says(&anna, WORDS);
    assert_eq!(anna.sees("]"), "[voice, 11 bytes; It could not be transcribed.]");
    assert!(fixture.messages()[0]["attachments"][0]["transcript"].is_null());
    let log = daemon.stop().err;
    assert_eq!(log.matches("exit code 3").count(), 1, "{log}");
    assert!(!log.contains(WORDS), "{log}");
}

#[test]
fn a_program_that_hangs_and_one_that_never_ends_its_output_cost_their_message_nothing_but_the_words() {
    let fixture = Fixture::new();
    let hang = "echo $$ >> runs; if [ $(wc -l < runs) = 1 ]; then exec sleep 1000; else exec yes; fi";
    let daemon = fixture.gateway(&format!("{}\ntimeout = 2", script(hang)));
    let anna = fixture.anna();
    fixture.says(&anna, "one");
    anna.sees("[voice, 3 bytes; It could not be transcribed in time.]");
    fixture.says(&anna, "four");
    anna.sees("[voice, 4 bytes; It could not be transcribed.]");
    let log = daemon.stop().err;
    assert_eq!(log.matches("a recording could not be transcribed").count(), 2, "{log}");
    assert!(log.contains("its output is longer than"), "{log}");
    let pids = std::fs::read_to_string(fixture.home.path().join("agents/_voice/runs")).unwrap();
    for pid in pids.lines() {
        until("the program is gone", || !std::path::Path::new(&format!("/proc/{pid}")).exists());
    }
}

#[test]
fn what_is_too_long_is_passed_on_and_a_reload_counts_for_the_next_message() {
    let fixture = Fixture::new();
    let words = script("echo words");
    let _daemon = fixture.gateway(&format!("{words}\nmax_seconds = 2"));
    let anna = fixture.anna();
    fixture.says(&anna, "one");
    anna.sees("[voice, 3 bytes; It was not transcribed because it is longer than 2 seconds.]");
    fixture.configure(&format!("{words}\nmax_bytes = 4"), "");
    let plan = fixture.home.run(&["config", "reload", "--plan"]).good().out.clone();
    assert!(plan.contains("voice"), "{plan}");
    fixture.home.run(&["config", "reload"]).good();
    fixture.says(&anna, "four");
    anna.sees("words");
    fixture.says(&anna, "fiver");
    anna.sees("[voice, 5 bytes; It was not transcribed because it has more than 4 bytes.]");
    fixture.configure("", "");
    fixture.home.run(&["config", "reload"]).good();
    fixture.says(&anna, "sixsix");
    anna.sees("[voice, 6 bytes; This gateway transcribes no recordings.]");
}

#[test]
fn a_kill_during_the_transcription_and_one_after_it_cost_one_transcription_each() {
    let fixture = Fixture::new();
    let voice =
        script("echo $$ >> runs; [ $(wc -l < runs) != 1 ] || exec sleep 1000; echo heard; cat \"$1\"");
    let agent = "[turns]\nmax_attempts = 3\n[agents.main]\nkind = \"command\"\ncommand = [\"sh\", \"-c\", '''echo >> turns; \
                 [ $(wc -l < turns) != 1 ] || exec sleep 1000; cat''']";
    fixture.configure(&voice, agent);
    let anna = fixture.anna();
    let daemon = fixture.start();
    fixture.says(&anna, WORDS);
    until("it is transcribed", || fixture.lines("runs") == 1);
    daemon.signal(Signal::KILL);
    daemon.end();
    // The next start ends the program, transcribes again and begins the turn, which hangs.
    let daemon = fixture.start();
    let turns = || fixture.home.path().join("agents/main/turns");
    until("the turn begins", || turns().exists());
    assert_eq!(fixture.lines("runs"), 2);
    let first = std::fs::read_to_string(fixture.home.path().join("agents/_voice/runs")).unwrap();
    let first = first.lines().next().unwrap();
    assert!(!std::path::Path::new(&format!("/proc/{first}")).exists(), "{first} still runs");
    daemon.signal(Signal::KILL);
    daemon.end();
    let _daemon = fixture.start();
    assert_eq!(anna.sees(WORDS), format!("[Transcript of a voice message]\nheard\n{WORDS}"));
    assert_eq!(fixture.lines("runs"), 2, "the words were stored");
    assert_eq!(anna.texts().iter().filter(|text| text.contains("heard")).count(), 1);
}

#[test]
fn stop_and_the_end_of_the_gateway_end_a_transcription() {
    let fixture = Fixture::new();
    let voice = script("echo $$ >> runs; exec sleep 1000");
    fixture.configure(&voice, "[turns]\ndrain_seconds = 0");
    let daemon = fixture.start();
    let anna = fixture.anna();
    fixture.says(&anna, "one");
    until("it is transcribed", || fixture.lines("runs") == 1);
    anna.tells("/stop");
    anna.sees("topped");
    let pid = |n: usize| {
        let runs = std::fs::read_to_string(fixture.home.path().join("agents/_voice/runs")).unwrap();
        runs.lines().nth(n).unwrap().to_owned()
    };
    let gone = |pid: String| !std::path::Path::new(&format!("/proc/{pid}")).exists();
    until("the program is gone", || gone(pid(0)));
    fixture.says(&anna, "two");
    until("the second one is transcribed", || fixture.lines("runs") == 2);
    daemon.stop();
    assert!(gone(pid(1)), "nothing is left running");
}

/// A fake provider.
struct Provider {
    runtime: tokio::runtime::Runtime,
    model: FakeModel,
}

impl Provider {
    fn start() -> Provider {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let model = runtime.block_on(FakeModel::start()).unwrap();
        Provider { runtime, model }
    }

    fn section(&self) -> String {
        let url = self.model.url();
        format!(
            "model = \"whisper-1\"\nbase_url = \"{url}\"\napi_key = \"sk-very-secret\"\nlanguage = \"de\""
        )
    }
}

#[test]
fn a_provider_hears_voice_and_video_messages_and_a_busy_one_is_asked_once_more() {
    let (fixture, provider) = (Fixture::new(), Provider::start());
    let _daemon = fixture.gateway(&provider.section());
    let anna = fixture.anna();
    provider.model.will(Script::refusal(429, &json!({"message": "slow"})).header("retry-after", "1"));
    provider.model.will(Script::heard("good morning"));
    fixture.says(&anna, "sound");
    assert_eq!(
        anna.sees("[voice, 5 bytes]"),
        "[Transcript of a voice message]\ngood morning\n[voice, 5 bytes]"
    );
    let requests = provider.model.requests();
    assert_eq!(requests.len(), 2);
    let file = json!({"name": "recording.ogg", "mime": "audio/ogg", "text": "sound"});
    assert_eq!((&requests[1]["file"], &requests[1]["model"]), (&file, &json!("whisper-1")));
    assert_eq!(requests[1]["language"], "de");
    provider.model.will(Script::heard("on film"));
    fixture.telegram.does(anna.user.message(&anna.user).video_note(Content::of("film")).send());
    assert_eq!(
        anna.sees("[video_note, 4 bytes]"),
        "[Transcript of a video message]\non film\n[video_note, 4 bytes]"
    );
    let file = json!({"name": "recording.mp4", "mime": "video/mp4", "text": "film"});
    assert_eq!(provider.model.requests()[2]["file"], file);
}

#[test]
fn neither_the_key_nor_the_words_are_logged() {
    let (fixture, provider) = (Fixture::new(), Provider::start());
    fixture.configure(&provider.section(), "");
    let daemon = Daemon::start_with(
        command(&fixture.home.path()).args(["run", "--port", "0"]).env("RUST_LOG", "trace"),
    );
    let anna = fixture.anna();
    provider.model.will(Script::heard(WORDS));
    fixture.says(&anna, "one");
    anna.sees(WORDS);
    provider
        .model
        .will(Script::refusal(401, &json!({"message": "wrong key: sk-very-secret", "code": "bad_key"})));
    fixture.says(&anna, "four");
    anna.sees("[voice, 4 bytes; It could not be transcribed.]");
    provider.model.will(Script::status(200).raw(&format!("{WORDS} without JSON")));
    fixture.says(&anna, "fiver");
    anna.sees("[voice, 5 bytes; It could not be transcribed.]");
    provider.runtime.block_on(provider.model.cut());
    fixture.says(&anna, "sixsix");
    anna.sees("[voice, 6 bytes; It could not be transcribed.]");
    let log = daemon.stop().err;
    for secret in ["sk-very-secret", WORDS] {
        assert!(!log.contains(secret), "{secret} in {log}");
    }
    for cause in ["status 401 bad_key", "is not JSON with a `text`", "the provider cannot be reached"] {
        let told = |line: &&str| line.contains("WARN") && line.contains(cause);
        assert_eq!(log.lines().filter(told).count(), 1, "{cause}: {log}");
    }
    let shown = fixture.home.run(&["config", "show"]).good().out.clone();
    assert!(shown.contains("[voice]") && !shown.contains("sk-very-secret"), "{shown}");
}

#[test]
fn two_voice_messages_in_a_row_are_answered_in_order_and_others_do_not_wait_for_them() {
    let (fixture, provider) = (Fixture::new(), Provider::start());
    let _daemon = fixture.gateway(&provider.section());
    let (anna, ben) = (fixture.anna(), fixture.telegram.user(1002, "Ben"));
    provider.model.will(Script::heard("").hang());
    provider.model.usually(Script::heard("the second"));
    fixture.says(&anna, "one");
    provider.runtime.block_on(provider.model.asked(1)).unwrap();
    fixture.says(&anna, "two");
    ben.tells("hello");
    ben.sees("hello");
    anna.tells("/stop");
    fixture.says(&anna, "three");
    anna.sees("the second");
    assert_eq!(provider.model.requests().last().unwrap()["file"]["text"], "three");
}

#[test]
fn a_wrong_section_is_refused_with_its_place_and_a_missing_program_is_named() {
    let fixture = Fixture::new();
    let check = |voice: &str| {
        fixture.configure(voice, "");
        fixture.home.run(&["config", "check"])
    };
    check("comand = [\"x\"]").failed(78, &["voice.comand"]);
    check("command = [\"x\"]\nmodel = \"y\"").failed(78, &["voice.model", "does not go with `command`"]);
    check("model = \"m\"\nbase_url = \"nowhere\"").failed(78, &["voice.base_url: must be a URL"]);
    check("model = \"m\"\ntimeout = 0").failed(78, &["voice.timeout"]);
    let missing = "[voice] transcribes nothing: the program no-such-program is in none of the folders of PATH: \
                   install it, or correct `command` in [voice]";
    let ran = check("command = [\"no-such-program\"]");
    assert!(format!("{ran:?}").contains(missing), "{ran:?}");
    let daemon = fixture.start();
    let status = fixture.home.run(&["status", "--json"]).state();
    assert!(status["reasons"].to_string().contains(missing), "{status}");
    assert!(daemon.stop().err.contains(missing));
}
