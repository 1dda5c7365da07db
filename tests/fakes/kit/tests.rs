//! The kit with a platform of the smallest kind, whose ids are texts: one method, and events over a socket.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::extract::ws::Message;
use axum::extract::{FromRequestParts, WebSocketUpgrade};
use axum::http::Request;
use axum::response::IntoResponse;
use futures_util::StreamExt;
use hyper::body::Incoming;
use serde_json::{Map, Value, json};
use tokio_tungstenite::tungstenite;

use crate::{Call, Clock, Common, Cut, Fake, Fault, Outcome, Platform, Response, Shared, Work, response};

struct Toy {
    common: Common<String>,
    said: Vec<String>,
}

impl Platform for Toy {
    type Id = String;

    fn common(&mut self) -> &mut Common<String> {
        &mut self.common
    }

    async fn answer(shared: &Arc<Shared<Self>>, request: Request<Incoming>) -> Result<Response, Cut> {
        if request.uri().path() == "/socket" {
            let (mut parts, _) = request.into_parts();
            let upgrade = WebSocketUpgrade::from_request_parts(&mut parts, &()).await.map_err(|_| Cut)?;
            let mut cuts = shared.cuts();
            return Ok(upgrade
                .on_upgrade(|mut socket| async move {
                    socket.send(Message::text("hello")).await.unwrap();
                    cuts.changed().await.ok();
                })
                .into_response());
        }
        let text = request.uri().path().to_owned();
        let call = Call::new("bot".to_owned(), "say", "C1".to_owned(), Map::new());
        let step = move |toy: &mut Toy, call: &mut Call<String>| {
            toy.said.push(text);
            (call.outcome, call.posted) = (Outcome::Done, true);
            response(200, "text/plain", "said")
        };
        shared.serve(call, Work::Step(Box::new(step))).await
    }

    fn refusal(status: u16, words: &str, _: Option<u32>) -> Response {
        response(status, "text/plain", words.to_owned())
    }

    fn after(_: &Arc<Shared<Self>>, _: &String, _: &str) {}

    fn lift_limits(&mut self) {}

    fn act(&mut self, action: &str, _: Value) -> Result<Value, String> {
        Err(format!("there is no action {action}"))
    }

    fn shown(&mut self, _: Option<String>, chat: String) -> Value {
        json!({"chat": chat, "said": self.said})
    }
}

async fn toy() -> Fake<Toy> {
    let toy = |clock| Toy { common: Common::new(clock, 1), said: Vec::new() };
    Fake::start(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), Clock::manual(5000), toy).await.unwrap()
}

#[tokio::test]
async fn requests_meet_faults_and_are_written_down() {
    let (toy, http) = (toy().await, reqwest::Client::builder().no_proxy().build().unwrap());
    let say = async |path: &str| {
        let answer = http.get(format!("{}{path}", toy.url())).send().await.ok()?;
        Some((answer.status().as_u16(), answer.text().await.unwrap()))
    };
    toy.fault(Fault::lost().in_chat("C1").times(1));
    assert_eq!(say("/lost").await, None);
    toy.fault(Fault::too_many(3).times(1));
    assert_eq!(say("/refused").await.unwrap().0, 429);
    toy.advance(Duration::from_secs(1));
    assert_eq!(say("/done").await, Some((200, "said".to_owned())));
    let calls: Vec<_> =
        toy.journal().calls_in("C1").iter().map(|call| (call.at, call.posted, call.lost)).collect();
    assert_eq!(calls, [(5000, true, true), (5000, false, false), (6000, true, false)]);
    let (_, shown) = say("/control/chat?chat=C1").await.unwrap();
    assert_eq!(shown, json!({"chat": "C1", "said": ["/lost", "/done"]}).to_string());
    assert_eq!(say("/control/journal?since=2").await.unwrap().1.matches("\"method\"").count(), 1);
}

#[tokio::test]
async fn a_socket_lives_until_the_network_is_cut() {
    let toy = toy().await;
    let url = format!("ws://127.0.0.1:{}/socket", toy.port());
    let (mut socket, _) = tokio_tungstenite::connect_async(&url).await.unwrap();
    assert_eq!(socket.next().await.unwrap().unwrap(), tungstenite::Message::text("hello"));
    toy.cut().await;
    assert!(!matches!(socket.next().await, Some(Ok(_))), "the socket is closed");
    assert!(tokio_tungstenite::connect_async(&url).await.is_err());
    toy.restore().await.unwrap();
    assert!(tokio_tungstenite::connect_async(&url).await.is_ok());
}
