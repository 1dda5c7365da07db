//! Whatever fails, neither the token nor the webhook's secret is in an error or in the log.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use frontdesk_botapi::{BotApi, Fault, TOKEN};
use frontdesk_conformance::RecordingInbox;
use frontdesk_core::config::Secret;
use frontdesk_core::message::{Attachment, FileKind};
use frontdesk_core::port::{Adapter, Stop};
use frontdesk_telegram::{Account, WebhookAccess};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tracing_subscriber::fmt::MakeWriter;

use crate::setup::{account, adapter, says, to};

const HOOK: &str = "the-hooks-own-secret";

/// Everything that was logged.
#[derive(Clone, Default)]
struct Pages(Arc<Mutex<Vec<u8>>>);

impl Pages {
    fn note(&self, line: &str) {
        self.0.lock().unwrap().extend_from_slice(format!("{line}\n").as_bytes());
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }
}

impl Write for Pages {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Pages {
    type Writer = Pages;
    fn make_writer(&'a self) -> Pages {
        self.clone()
    }
}

/// For libraries that use the `log` crate.
impl log::Log for Pages {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        self.note(&format!("{} {}", record.target(), record.args()));
    }

    fn flush(&self) {}
}

/// Calls every method of an account once and returns the errors.
async fn everything(account: Account, pages: &Pages) {
    pages.note(&format!("{account:?}"));
    let telegram = adapter(account);
    let stop = Stop::new();
    let run = telegram.run(Arc::new(RecordingInbox::default()), stop.clone());
    if let Ok(ended) = tokio::time::timeout(Duration::from_secs(3), run).await {
        pages.note(&format!(
            "{ended:?} {}",
            ended.as_ref().err().map(ToString::to_string).unwrap_or_default()
        ));
    }
    if let Err(error) = telegram.deliver(&to("telegram:1001"), says("hi")).await {
        pages.note(&format!("{error:?} {error}"));
    }
    let file = Attachment {
        reference: "x".into(),
        unique: None,
        kind: FileKind::Photo,
        name: None,
        mime: None,
        size: None,
        seconds: None,
        kept: None,
    };
    if let Err(error) = telegram.fetch(&file).await {
        pages.note(&format!("{error:?} {error}"));
    }
}

/// A server that echoes every request, as the error page of a proxy does.
async fn parrot(listener: TcpListener) {
    loop {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut asked = vec![0; 4096];
        let read = stream.read(&mut asked).await.unwrap();
        let line = String::from_utf8_lossy(&asked[..read]).lines().next().unwrap_or_default().to_owned();
        let body = format!("{{\"ok\":false,\"error_code\":400,\"description\":\"cannot do {line}\"}}");
        let answer =
            format!("HTTP/1.1 400 Bad\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len());
        stream.write_all(answer.as_bytes()).await.unwrap();
    }
}

#[tokio::test]
async fn no_error_and_no_log_line_contains_a_secret() {
    let pages = Pages::default();
    log::set_boxed_logger(Box::new(pages.clone())).unwrap();
    log::set_max_level(log::LevelFilter::Trace);
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
        .with_writer(pages.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let api = BotApi::start().await;
    let hooked = |account: Account| {
        let webhook = WebhookAccess { public_url: "http://127.0.0.1:9/tg".into(), secret: Secret::new(HOOK) };
        Account { webhook: Some(webhook), ..account }
    };
    for fault in [
        None,
        Some(Fault::silent()),
        Some(Fault::status(502)),
        Some(Fault::hangup()),
        Some(Fault::refuse(401, "Unauthorized")),
        Some(Fault::refuse(409, "Conflict: terminated by other getUpdates request").on("getUpdates")),
        Some(Fault::too_many(1)),
        Some(Fault::lost()),
    ] {
        if let Some(fault) = fault {
            api.fault(fault);
        }
        everything(account(&api), &pages).await;
        everything(hooked(account(&api)), &pages).await;
        api.clear_faults();
    }
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut parroted = account(&api);
    parroted.settings.api_url = Some(format!("http://{}", listener.local_addr().unwrap()));
    tokio::select! {
        () = parrot(listener) => {}
        () = everything(parroted.clone(), &pages) => {}
    }
    for url in ["http://127.0.0.1:9", "http://no-such-host.invalid", "https://127.0.0.1:9/api"] {
        parroted.settings.api_url = Some(url.to_owned());
        everything(parroted.clone(), &pages).await;
    }
    let text = pages.text();
    assert!(
        text.contains("cannot do") && text.contains("502") && text.contains("hyper"),
        "too little was written"
    );
    let (_, secret) = TOKEN.split_once(':').unwrap();
    for secret in [TOKEN, secret, "123456%3A", HOOK] {
        // The server under test runs in this process and may log anything.
        let lines: Vec<&str> = text.lines().filter(|line| line.contains(secret)).collect();
        assert!(lines.is_empty(), "{secret} is told:\n{}", lines.join("\n"));
    }
}
