//! What an event does not say about its sender: whether they are a guest or belong to another organisation, and to which teams
//! and user groups of the configuration they belong.
//!
//! Slack is asked once for each person and hour, and for each user group every five minutes. An older answer counts for a day
//! if Slack cannot answer at the moment. Without any answer an event is neither stored nor acknowledged (`workspace`).

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use frontdesk_core::message::{Event, EventKind, SenderKind};
use frontdesk_kit::timer::{TimePoint, Timer};
use serde_json::{Value, json};

use crate::CHANNEL;
use crate::api::Api;
use crate::error::Fault;
use crate::inbound::{self, App};

/// How long an answer about a person counts, and one about a user group.
const PERSON: Duration = Duration::from_secs(60 * 60);
const GROUP: Duration = Duration::from_secs(5 * 60);
/// How long it counts if Slack cannot answer.
const STALE: Duration = Duration::from_secs(24 * 60 * 60);
/// The most people who are remembered.
const MOST: usize = 10_000;

/// Whether somebody is an ordinary member of the workspace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Standing {
    guest: bool,
    /// Of another organisation.
    outside: bool,
}

/// What Slack has said about people and user groups.
#[derive(Debug, Default)]
pub(crate) struct People {
    /// The teams and user groups that the configuration names, as it writes them.
    named: BTreeSet<String>,
    standing: Answers<Standing>,
    groups: Answers<HashSet<String>>,
}

impl People {
    pub(crate) fn new(named: BTreeSet<String>) -> Self {
        Self { named, ..Self::default() }
    }

    /// The event with the memberships of its sender, or without its contents if such people are not let in.
    pub(crate) async fn judge(
        &self,
        api: &Api,
        timer: &Timer,
        app: &App,
        event: Event,
    ) -> Result<Event, Fault> {
        let is_counted = matches!(event.kind, EventKind::Other(_) | EventKind::Undecodable(_));
        if is_counted || event.from.kind != SenderKind::Person {
            return Ok(event);
        }
        let id = event.from.id.id().to_owned();
        let is_ours = !inbound::is_of_another_team(&id);
        if is_ours && !(app.guests && app.externals) {
            let standing = self.standing(api, timer, app, &id).await?;
            if standing.outside && !app.externals {
                return Ok(inbound::shut_out(event, inbound::OUTSIDER));
            }
            if standing.guest && !app.guests {
                return Ok(inbound::shut_out(event, inbound::GUEST));
            }
        }
        let mut event = event;
        event.from.roles = self.memberships(api, timer, app, &id).await?;
        Ok(event)
    }

    async fn standing(&self, api: &Api, timer: &Timer, app: &App, id: &str) -> Result<Standing, Fault> {
        let ask = async || match api.call("users.info", json!({"user": id})).await {
            Ok(answer) => Ok(read(app, &answer["user"])),
            // Nobody can say who they are, so they are not taken for a member.
            Err(fault) if fault.is_final() && !fault.is_setup() => {
                tracing::warn!(channel = CHANNEL, account = %app.account, %fault, "Slack does not say who a person is, so they count as a guest of another organisation: to let such people in, set guests and externals");
                Ok(Standing { guest: true, outside: true })
            }
            Err(fault) => Err(fault),
        };
        self.standing.get(timer, id, PERSON, ask).await
    }

    async fn memberships(&self, api: &Api, timer: &Timer, app: &App, id: &str) -> Result<Vec<String>, Fault> {
        let mut roles = Vec::new();
        for entry in &self.named {
            let is_in = match entry.split_once(':') {
                Some(("team", team)) => inbound::is_of_team(app, id, team),
                Some((_, group)) => self.is_in_group(api, timer, app, id, group).await?,
                None => false,
            };
            if is_in {
                roles.push(entry.clone());
            }
        }
        Ok(roles)
    }

    async fn is_in_group(
        &self,
        api: &Api,
        timer: &Timer,
        app: &App,
        id: &str,
        group: &str,
    ) -> Result<bool, Fault> {
        let ask = async || match api.call("usergroups.users.list", json!({"usergroup": group})).await {
            Ok(answer) => Ok(members(&answer)),
            Err(fault) if fault.is_final() && !fault.is_setup() => {
                tracing::warn!(channel = CHANNEL, account = %app.account, group, %fault, "a user group of the configuration has no members");
                Ok(HashSet::new())
            }
            Err(fault) => Err(fault),
        };
        Ok(self.groups.get(timer, group, GROUP, ask).await?.contains(id))
    }
}

fn members(answer: &Value) -> HashSet<String> {
    let users = answer["users"].as_array().into_iter().flatten();
    users.filter_map(|user| user.as_str().map(str::to_owned)).collect()
}

/// Reads a person as `users.info` describes them.
fn read(app: &App, user: &Value) -> Standing {
    let team = user["team_id"].as_str().filter(|team| *team != app.team);
    let of = &user["enterprise_user"]["enterprise_id"];
    let of_ours = app.enterprise.as_deref().is_some_and(|ours| *of == ours || team == Some(ours));
    Standing {
        guest: user["is_restricted"] == true || user["is_ultra_restricted"] == true,
        outside: user["is_stranger"] == true || (team.is_some() && !of_ours),
    }
}

/// Answers of Slack, each with its time.
#[derive(Debug)]
struct Answers<A>(Mutex<HashMap<String, (A, TimePoint)>>);

impl<A> Default for Answers<A> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<A: Clone> Answers<A> {
    /// The answer about an id: the known one, or else what `ask` says.
    async fn get(
        &self,
        timer: &Timer,
        id: &str,
        fresh: Duration,
        ask: impl AsyncFnOnce() -> Result<A, Fault>,
    ) -> Result<A, Fault> {
        let known = self.known(id);
        if let Some((answer, at)) = &known
            && !timer.is_past(*at, fresh)
        {
            return Ok(answer.clone());
        }
        match (ask().await, known) {
            (Ok(answer), _) => {
                self.keep(timer, id, answer.clone(), fresh);
                Ok(answer)
            }
            (Err(fault), Some((answer, at))) if !timer.is_past(at, STALE) => {
                tracing::debug!(channel = CHANNEL, %fault, "an older answer about a person or a user group is used");
                Ok(answer)
            }
            (Err(fault), _) => Err(fault),
        }
    }

    fn known(&self, id: &str) -> Option<(A, TimePoint)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(id).cloned()
    }

    fn keep(&self, timer: &Timer, id: &str, answer: A, fresh: Duration) {
        let mut answers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if answers.len() >= MOST {
            answers.retain(|_, (_, at)| !timer.is_past(*at, fresh));
        }
        if answers.len() >= MOST {
            answers.clear();
        }
        answers.insert(id.to_owned(), (answer, timer.now()));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};

    use async_trait::async_trait;
    use chrono::{DateTime, Utc};
    use frontdesk_core::account::AccountId;
    use frontdesk_core::config::Secret;
    use frontdesk_core::message::{Conversation, Sender};
    use frontdesk_core::port::{Clock, Mono};

    use super::*;
    use crate::config::{Account, Events};
    use crate::inbound::DmSessions;

    /// A clock that a test sets, in minutes.
    #[derive(Default)]
    struct Minutes(AtomicU64);

    #[async_trait]
    impl Clock for Minutes {
        fn wall(&self) -> DateTime<Utc> {
            DateTime::UNIX_EPOCH + self.elapsed()
        }

        fn mono(&self) -> Mono {
            Mono(self.elapsed())
        }

        fn elapsed(&self) -> Duration {
            Duration::from_secs(self.0.load(Ordering::Relaxed) * 60)
        }

        async fn sleep_until(&self, _: Mono) {}
    }

    async fn asked(answers: &Answers<u32>, timer: &Timer, id: &str, says: Result<u32, Fault>) -> Option<u32> {
        answers.get(timer, id, PERSON, async || says).await.ok()
    }

    fn down() -> Result<u32, Fault> {
        Err(Fault::Foreign(502))
    }

    #[tokio::test]
    async fn an_answer_counts_for_an_hour_and_for_a_day_if_slack_cannot_answer() {
        let clock = Arc::new(Minutes::default());
        let (answers, timer) = (Answers::default(), Timer::new(clock.clone()));
        assert_eq!(asked(&answers, &timer, "U1", down()).await, None);
        for (minute, says, expected) in [
            (0, Ok(1), Some(1)),
            (59, Ok(2), Some(1)),
            (60, Ok(2), Some(2)),
            (60 + 60, down(), Some(2)),
            (60 + 23 * 60, down(), Some(2)),
            (60 + 24 * 60, down(), None),
            (60 + 24 * 60, Ok(3), Some(3)),
        ] {
            clock.0.store(minute, Ordering::Relaxed);
            assert_eq!(asked(&answers, &timer, "U1", says).await, expected, "minute {minute}");
        }
    }

    #[tokio::test]
    async fn the_number_of_people_who_are_remembered_is_bounded() {
        let clock = Arc::new(Minutes::default());
        let (answers, timer) = (Answers::default(), Timer::new(clock.clone()));
        for n in 0..MOST {
            asked(&answers, &timer, &format!("U{n}"), Ok(1)).await;
        }
        clock.0.store(61, Ordering::Relaxed);
        asked(&answers, &timer, "UNEW", Ok(2)).await;
        assert_eq!(answers.0.lock().unwrap().len(), 1, "what is older than an hour is forgotten first");
    }

    fn app(enterprise: Option<&str>) -> App {
        App {
            account: AccountId::default_of(CHANNEL),
            app: "A1".to_owned(),
            team: "T1".to_owned(),
            enterprise: enterprise.map(str::to_owned),
            user: "U0".to_owned(),
            bot: "B0".to_owned(),
            dm_sessions: DmSessions::Auto,
            has_agent_view: false,
            externals: false,
            guests: false,
        }
    }

    #[tokio::test]
    async fn slack_is_not_asked_about_bots() {
        let app_token = Secret::new("xapp-1-A1-a");
        let mut account = Account::new("default", "xoxb-1-a", Events::SocketMode { app_token });
        // Nobody answers there.
        account.settings.api_url = Some("http://127.0.0.1:1/api/".to_owned());
        let (api, timer) = (Api::new(&account).unwrap(), Timer::new(Arc::new(Minutes::default())));
        let judged = async |kind| {
            let from = Sender::new("slack:B0123".parse().unwrap(), kind);
            let (address, channel) =
                ("slack:C1".parse().unwrap(), Conversation::Channel { chat: "C1".to_owned() });
            let event = Event::new("1", EventKind::Message, from, address, channel);
            People::default().judge(&api, &timer, &app(None), event).await
        };
        assert!(judged(SenderKind::Bot).await.is_ok());
        assert!(judged(SenderKind::Person).await.is_err());
    }

    #[test]
    fn people_of_the_organisation_are_no_strangers() {
        let outside = |enterprise: Option<&str>, user: Value| read(&app(enterprise), &user).outside;
        assert!(!outside(None, json!({"team_id": "T1"})) && !outside(None, json!({})));
        assert!(outside(None, json!({"team_id": "T2"})) && outside(None, json!({"is_stranger": true})));
        let of =
            |enterprise: &str| json!({"team_id": "T2", "enterprise_user": {"enterprise_id": enterprise}});
        assert!(!outside(Some("E1"), of("E1")) && !outside(Some("E1"), json!({"team_id": "E1"})));
        assert!(outside(Some("E1"), of("E2")) && outside(None, of("E2")));
    }
}
