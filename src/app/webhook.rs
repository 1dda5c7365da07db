//! Posts the results of jobs to web servers, which the guard against private addresses permits.

use std::time::Duration;

use async_trait::async_trait;
use frontdesk_core::port::{WebhookFault, WebhookPost, WebhookSender};
use frontdesk_http::{Guard, HttpClient, Refusal};
use reqwest::{Method, Url};

/// Maximum time to connect.
const CONNECT: Duration = Duration::from_secs(10);
/// Maximum time of a request.
const ANSWER: Duration = Duration::from_secs(30);
/// Of a response only the status is read.
const RESPONSE: usize = 1024;

/// Posts to public addresses and to those that the operator allows.
pub struct GuardedSender {
    guard: Guard,
}

impl GuardedSender {
    /// A sender that reaches what this guard permits.
    pub fn new(guard: Guard) -> Self {
        Self { guard }
    }
}

#[async_trait]
impl WebhookSender for GuardedSender {
    async fn post(&self, url: &str, post: WebhookPost) -> Result<(), WebhookFault> {
        let refused = |why: &str| WebhookFault::Refused(why.to_owned());
        let url: Url = url.parse().map_err(|_| refused("the URL is not valid"))?;
        let (Some(host), Some(port)) = (url.host_str(), url.port_or_known_default()) else {
            return Err(refused("the URL names no host"));
        };
        let addresses = self.guard.addresses(host, port).await.map_err(|error| match error {
            Refusal::Private => {
                refused("the web server has no public address; security.ssrf.allowed_hosts can name it")
            }
            Refusal::Unknown(_) => WebhookFault::Later("the web server's name cannot be resolved".to_owned()),
        })?;
        let client = HttpClient::pinned(host, &addresses, CONNECT, RESPONSE).map_err(WebhookFault::Later)?;
        let mut request =
            client.request(Method::POST, url.clone()).header("content-type", "application/json");
        for (name, value) in post.headers {
            request = request.header(name, value);
        }
        let response = client.open(request.body(post.body), ANSWER).await;
        let status = response.map_err(|fault| WebhookFault::Later(fault.to_string()))?.status();
        match status.as_u16() {
            200..300 => Ok(()),
            408 | 429 | 500.. => Err(WebhookFault::Later(format!("the web server answered HTTP {status}"))),
            _ => Err(WebhookFault::Refused(format!("the web server answered HTTP {status}"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use frontdesk_http::Ssrf;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    fn post() -> WebhookPost {
        WebhookPost { headers: vec![("x-frontdesk-delivery", "r5".to_owned())], body: "{\"a\":1}".to_owned() }
    }

    fn sender(config: Ssrf) -> GuardedSender {
        GuardedSender::new(Guard::new(&config).unwrap())
    }

    /// Posts to a server on this machine that answers with this, and returns what it received.
    async fn posted(answers: &str) -> (Result<(), WebhookFault>, String) {
        let server = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/jobs", server.local_addr().unwrap());
        let sender = sender(Ssrf { block_localhost: false, ..Ssrf::default() });
        let serving = async {
            let (mut socket, _) = server.accept().await.unwrap();
            let mut received = Vec::new();
            while !received.ends_with(b"{\"a\":1}") {
                let mut piece = [0; 1024];
                let n = socket.read(&mut piece).await.unwrap();
                assert!(n > 0, "{}", String::from_utf8_lossy(&received));
                received.extend_from_slice(&piece[..n]);
            }
            let response = format!("HTTP/1.1 {answers}\r\ncontent-length: 0\r\n\r\n");
            socket.write_all(response.as_bytes()).await.unwrap();
            String::from_utf8(received).unwrap()
        };
        tokio::join!(sender.post(&url, post()), serving)
    }

    #[tokio::test]
    async fn a_result_is_posted_with_its_headers() {
        let (done, received) = posted("204 No Content").await;
        assert_eq!(done, Ok(()));
        assert!(received.starts_with("POST /jobs HTTP/1.1\r\n"), "{received}");
        for header in ["content-type: application/json\r\n", "x-frontdesk-delivery: r5\r\n"] {
            assert!(received.contains(header), "{received}");
        }
    }

    #[tokio::test]
    async fn a_server_that_is_busy_or_broken_is_asked_again_and_one_that_refuses_is_not() {
        for status in ["408 Timeout", "429 Too Many", "500 Broken", "503 Busy"] {
            assert!(matches!(posted(status).await.0, Err(WebhookFault::Later(_))), "{status}");
        }
        for status in
            ["302 Found\r\nlocation: http://127.0.0.1:1/", "400 Bad", "401 No", "404 None", "410 Gone"]
        {
            assert!(matches!(posted(status).await.0, Err(WebhookFault::Refused(_))), "{status}");
        }
    }

    #[tokio::test]
    async fn nothing_reaches_a_private_address() {
        let server = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = server.local_addr().unwrap().port();
        let sender = sender(Ssrf::default());
        for host in ["127.0.0.1", "localhost", "[::1]", "10.0.0.1", "169.254.169.254", "2130706433"] {
            let done = sender.post(&format!("http://{host}:{port}/"), post()).await;
            assert!(
                matches!(&done, Err(WebhookFault::Refused(why)) if why.contains("no public address")),
                "{host}: {done:?}"
            );
        }
        assert!(matches!(sender.post("nonsense", post()).await, Err(WebhookFault::Refused(_))));
    }

    #[tokio::test]
    async fn a_server_that_does_not_answer_is_asked_again() {
        let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        let sender = sender(Ssrf { block_localhost: false, ..Ssrf::default() });
        let done = sender.post(&format!("http://{nobody}/"), post()).await;
        assert!(matches!(done, Err(WebhookFault::Later(_))), "{done:?}");
    }
}
