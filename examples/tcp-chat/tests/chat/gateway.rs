//! A whole gateway with the TCP chat.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use frontdesk::clock::SystemClock;
use frontdesk::config::{More, load_with, show};
use frontdesk::core::access::ChannelAccess;
use frontdesk::core::account::AccountId;
use frontdesk::kit::Channel;
use frontdesk::{Builder, Gateway, Running, StartError};
use tcp_chat::{CHANNEL, TcpChat, TcpSection};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::conformance::{free_address, settings};
use crate::person::{Person, pause, secret};

/// A gateway on a home folder, with the chat as a section of its configuration.
struct World {
    home: TempDir,
    address: String,
}

impl World {
    /// `more` are further keys of the section.
    fn with(more: &str) -> Self {
        Self::waiting(1, more)
    }

    /// The same, whose clients have so many seconds to acknowledge a message.
    fn waiting(seconds: u32, more: &str) -> Self {
        let (home, address) = (tempfile::tempdir().unwrap(), free_address());
        let logins: String =
            ["anna", "bert"].iter().map(|name| format!("{name} = \"{}\"\n", secret(name))).collect();
        let file = format!(
            "[gateway]\nport = 0\n[channels.tcp]\nlisten = \"{address}\"\nack_seconds = {seconds}\n{more}\n\
             [channels.tcp.logins]\n{logins}"
        );
        std::fs::write(home.path().join("frontdesk.toml"), file).unwrap();
        Self { home, address }
    }

    fn builder(&self) -> Builder {
        Gateway::builder()
            .home(self.home.path().join("home"))
            .config_file(self.home.path().join("frontdesk.toml"))
            .channel(Channel::of::<TcpSection>())
    }

    async fn start(&self) -> Running {
        self.builder().start().await.unwrap()
    }

    fn person(&self, name: &'static str) -> Person {
        Person::at(&self.address, name)
    }

    async fn socket(&self) -> TcpStream {
        loop {
            match TcpStream::connect(&self.address).await {
                Ok(socket) => return socket,
                Err(_) => pause().await,
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_is_answered_and_strangers_are_not_let_in() {
    let world = World::with("allow = [\"anna\"]\ngroups.\"#garden\" = { require_mention = true }");
    let gateway = world.start().await;
    let (anna, bert) = (world.person("anna"), world.person("bert"));
    anna.says("bot", "good morning").await;
    let answer = anna.sees("bot", "good morning").await;
    assert_eq!((answer.reply.as_str(), answer.times), ("1", 1));
    bert.says("bot", "let me in").await;
    bert.says("bot", "please").await;
    assert!(!bert.texts("bot").iter().any(|text| text == "let me in" || text == "please"));
    // The group is listed, so everybody in it may write.
    bert.says("#garden", "bot: who is here?").await;
    anna.sees("#garden", "who is here?").await;
    bert.sees("#garden", "who is here?").await;
    assert!(anna.texts("bot").iter().all(|text| text != "who is here?"), "a group is not a private chat");
    gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_adapter_without_a_section_lets_in_whom_the_program_allows() {
    let address = free_address();
    let builder = || {
        let mut config = frontdesk::Config::default();
        config.gateway.port = 0;
        let adapter = Arc::new(TcpChat::new(settings(&address), Arc::new(SystemClock::new())));
        Gateway::builder().config(config).adapter(adapter)
    };
    let home = tempfile::tempdir().unwrap();
    let gateway = builder().home(home.path().join("home")).start().await.unwrap();
    let anna = Person::at(&address, "anna");
    anna.says("bot", "hello?").await;
    gateway.stop().await;
    assert!(!anna.texts("bot").iter().any(|text| text == "hello?"), "nobody is allowed by default");
    let allowed = ChannelAccess { allow: BTreeSet::from(["anna".to_owned()]), ..ChannelAccess::default() };
    let builder = builder().access(AccountId::default_of(CHANNEL), allowed);
    let gateway = builder.home(home.path().join("home")).start().await.unwrap();
    anna.says("bot", "hello!").await;
    anna.sees("bot", "hello!").await;
    gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_is_said_again_after_a_reconnect_is_one_turn() {
    let world = World::with("allow = [\"anna\"]");
    let gateway = world.start().await;
    for _ in 0..3 {
        let mut socket = world.socket().await;
        let lines = format!("LOGIN anna {}\nSAY bot 7 once only\n", secret("anna"));
        socket.write_all(lines.as_bytes()).await.unwrap();
        read_until(&mut socket, "OK 7\n").await;
    }
    let mut socket = world.socket().await;
    let lines = format!("LOGIN anna {}\nSAY bot 7 something else\n", secret("anna"));
    socket.write_all(lines.as_bytes()).await.unwrap();
    read_until(&mut socket, "NO 7 another message had this id\n").await;
    drop(socket);
    let anna = world.person("anna");
    anna.sees("bot", "once only").await;
    anna.says("bot", "and then").await;
    anna.sees("bot", "and then").await;
    assert_eq!(anna.texts("bot"), ["once only", "and then"]);
    gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_acknowledges_nothing_gets_the_same_message_again() {
    let world = World::with("allow = [\"anna\"]");
    let gateway = world.start().await;
    let anna = world.person("anna");
    anna.acknowledges(false);
    anna.says("bot", "are you there?").await;
    let first = anna.sees("bot", "are you there?").await;
    // It looks dead, so it is disconnected; the same message comes again, and the client shows it once.
    while anna.shown()[0].times < 2 {
        pause().await;
    }
    anna.acknowledges(true);
    anna.says("bot", "now I am").await;
    anna.sees("bot", "now I am").await;
    let ids: Vec<String> = anna.shown().into_iter().map(|shown| shown.id).collect();
    assert_eq!((ids.len(), &ids[0]), (2, &first.id));
    gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_leaves_before_it_acknowledges_is_not_waited_for() {
    let world = World::waiting(3600, "allow = [\"anna\"]");
    let gateway = world.start().await;
    let login = format!("LOGIN anna {}\n", secret("anna"));
    let mut socket = world.socket().await;
    socket.write_all(format!("{login}SAY bot 1 are you there?\n").as_bytes()).await.unwrap();
    read_until(&mut socket, "1 are you there?\n").await;
    drop(socket);
    let mut again = world.socket().await;
    again.write_all(login.as_bytes()).await.unwrap();
    // The gateway gives up a growing message after ten seconds; the adapter must be faster.
    let soon = tokio::time::timeout(Duration::from_secs(8), read_until(&mut again, "1 are you there?\n"));
    soon.await.expect("the message comes again at once");
    gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_joins_too_many_groups_is_told() {
    let world = World::with("allow = [\"anna\"]");
    let gateway = world.start().await;
    let mut socket = world.socket().await;
    socket.write_all(format!("LOGIN anna {}\n", secret("anna")).as_bytes()).await.unwrap();
    for number in 0..65 {
        socket.write_all(format!("JOIN #g{number}\n").as_bytes()).await.unwrap();
    }
    read_until(&mut socket, "BAD you are in too many groups\n").await;
    gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_not_delivered_before_a_crash_arrives_at_the_next_login() {
    let world = World::with("allow = [\"anna\"]");
    let gateway = world.start().await;
    let anna = world.person("anna");
    anna.acknowledges(false);
    anna.says("bot", "before the crash").await;
    anna.is_on(false);
    // Dropping it without `stop` is like a crash.
    drop(gateway);
    let before = anna.shown().len();
    let gateway = world.start().await;
    anna.acknowledges(true);
    anna.is_on(true);
    anna.sees("bot", "before the crash").await;
    anna.says("bot", "and after it").await;
    anna.sees("bot", "and after it").await;
    assert_eq!(anna.texts("bot"), ["before the crash", "and after it"], "{before} were shown before");
    gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_floods_or_does_not_log_in_is_disconnected_and_the_others_are_not() {
    let world = World::with("allow = [\"anna\"]");
    let gateway = world.start().await;
    let anna = world.person("anna");
    let mut flood = world.socket().await;
    flood.write_all(format!("LOGIN bert {}\n", secret("bert")).as_bytes()).await.unwrap();
    let bytes = vec![b'x'; 64 * 1024];
    let mut sent = 0;
    // The connection ends although no line does.
    while sent < 1024 * 1024 && flood.write_all(&bytes).await.is_ok() {
        sent += bytes.len();
    }
    ended(&mut flood).await;
    for lines in
        ["hello\n".to_owned(), "LOGIN anna wrong\n".to_owned(), format!("LOGIN carl {}\n", secret("carl"))]
    {
        let mut socket = world.socket().await;
        socket.write_all(lines.as_bytes()).await.unwrap();
        assert!(ended(&mut socket).await.starts_with("BYE "), "{lines:?}");
    }
    anna.says("bot", "still here").await;
    anna.sees("bot", "still here").await;
    gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn its_section_is_checked_like_all_others() {
    for (more, expected) in [
        ("lisetn = \"x\"", "did you mean `listen`?"),
        ("allow = [\"#garden\"]", "channels.tcp.allow[0]: this is a group's id"),
        ("agent = \"nobody\"", "no agent `nobody`"),
        ("dm_policy = \"all\"", "\"pairing\", \"allowlist\""),
    ] {
        let world = World::with(more);
        let error = match world.builder().start().await {
            Err(error @ StartError::Config(_)) => error.to_string(),
            Err(error) => panic!("{more}: {error}"),
            Ok(_) => panic!("{more}: it was taken"),
        };
        assert!(error.contains(expected) && error.contains("frontdesk.toml:"), "{error}");
        assert!(!error.contains(&secret("anna")), "{error}");
    }
}

#[test]
fn its_section_is_shown_without_secrets() {
    let world = World::with("allow = [\"anna\"]");
    let platforms = vec![Channel::of::<TcpSection>()];
    let more = More { platforms: platforms.clone(), ..More::default() };
    let loaded = load_with(&world.home.path().join("frontdesk.toml"), &|_| None, &more).unwrap();
    let shown = show::effective_with(&loaded.document, &platforms);
    let section = &shown["channels"]["tcp"];
    assert_eq!((&section["listen"], &section["ack_seconds"]), (&world.address.into(), &1.into()));
    assert_eq!((&section["logins"]["anna"], &section["allow"][0]), (&"***".into(), &"anna".into()));
    assert!(!format!("{:?}", loaded.config).contains(&secret("anna")));
}

/// Reads until a text arrives.
async fn read_until(socket: &mut TcpStream, text: &str) {
    let mut read = String::new();
    while !read.contains(text) {
        let mut piece = [0; 512];
        let limit = tokio::time::timeout(Duration::from_secs(20), socket.read(&mut piece));
        let length = limit.await.unwrap_or_else(|_| panic!("{text:?} does not come after {read:?}")).unwrap();
        assert!(length > 0, "the connection ended after {read:?}");
        read.push_str(std::str::from_utf8(&piece[..length]).unwrap());
    }
}

/// Everything until the end of the connection.
async fn ended(socket: &mut TcpStream) -> String {
    let mut read = Vec::new();
    let end = tokio::time::timeout(Duration::from_secs(20), socket.read_to_end(&mut read)).await;
    // A connection that is reset has ended too.
    drop(end.expect("the connection ends"));
    String::from_utf8_lossy(&read).into_owned()
}
