//! The bodies and queries of the interface. Whoever adds one adds it to the list below.

use std::borrow::Cow;

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, SchemaGenerator};
use serde::Deserialize;
use serde_json::{Map, Value};
use utoipa::openapi::RefOr;
use utoipa::openapi::path::{Parameter, ParameterIn};
use utoipa::openapi::schema::{Ref, Schema};

use super::parameters;
use crate::ask::Ask;
use crate::completion::object::{ChatCompletion, Model};
use crate::completion::request::CompletionRequest;
use crate::endpoint::access::{AccessQuery, Blocked, GrantRequest, Granted, RevokeQuery, Revoked, Unblocked};
use crate::endpoint::ask::{Asks, AsksQuery, GivenAnswer};
use crate::endpoint::audit::{AuditLog, AuditQuery};
use crate::endpoint::budget::{Budget, BudgetRequest, Budgets, BudgetsQuery};
use crate::endpoint::channel::ChannelSwitched;
use crate::endpoint::charts::{Charts, ChartsQuery};
use crate::endpoint::chat::{AcceptedMessage, AnsweredMessage, ChatRequest};
use crate::endpoint::completion::ModelList;
use crate::endpoint::config::{ReloadReport, ReloadRequest, ShownConfig};
use crate::endpoint::dead_letter::{DeadLetterContent, DeadLetters, DroppedDeadLetters};
use crate::endpoint::event::EventsQuery;
use crate::endpoint::file::{RemovedUpload, Upload, UploadLimits, UploadQuery};
use crate::endpoint::gateway::Said;
use crate::endpoint::group::{Group, Groups, GroupsQuery};
use crate::endpoint::hook::{AcceptedEvent, EventReply};
use crate::endpoint::job::{ChangedJob, Jobs, JobsQuery, NewJob, RemovedJob, RunStarted, Runs, RunsQuery};
use crate::endpoint::login::{Identity, LoggedIn, LoggedOut, LoginRequest, Ticket, TicketRequest};
use crate::endpoint::outbox::{OutboxQuery, PartState, Parts};
use crate::endpoint::pairing::{ApprovedPairing, DeniedPairing, PairingAccount, PairingRequests};
use crate::endpoint::search::{FoundMessages, SearchQuery};
use crate::endpoint::send::{BroadcastRequest, Queued, QueuedBroadcast, SendRequest};
use crate::endpoint::session::{
    ErasedSession, HistoryQuery, Messages, ResetSession, SessionChangeRequest, Sessions, SessionsQuery,
    StoppedSession,
};
use crate::endpoint::task::{NewTask, SubmittedTask, Tasks, TasksQuery};
use crate::endpoint::timeline::{Timeline, TimelineQuery};
use crate::endpoint::token::{NewToken, RevokedToken, TokenList, TokenRotation, TokenSecret};
use crate::job::{JobDetails, Run};
use crate::list::RowsQuery;
use crate::show::access::AccessList;
use crate::show::error::ErrorBody;
use crate::show::session::{Message, SessionDetails};
use crate::show::status::{GatewayStatus, Health, Readiness};
use crate::task::{Task, TaskDetails};

/// Who sends a body: its fields with a default may be left out of a request, and are always in a response.
#[derive(Clone, Copy)]
pub(super) enum Direction {
    Request,
    Response,
}

/// Makes schemas whose definitions are the components of the description.
pub(super) fn generator(direction: Direction) -> SchemaGenerator {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.meta_schema = None;
        settings.definitions_path = "/components/schemas".into();
    });
    match direction {
        Direction::Request => settings.for_deserialize(),
        Direction::Response => settings.for_serialize(),
    }
    .into_generator()
}

macro_rules! described {
    (requests: $($request:ty),*; responses: $($response:ty),*; queries: $($query:ty),*;) => {
        /// Every schema by name.
        pub(super) fn all() -> Map<String, Value> {
            let (mut requests, mut responses) = (generator(Direction::Request), generator(Direction::Response));
            $(requests.subschema_for::<$request>();)*
            $(responses.subschema_for::<$response>();)*
            let mut all = requests.take_definitions(true);
            all.append(&mut responses.take_definitions(true));
            all
        }

        /// The names of different schemas in requests and responses.
        #[cfg(test)]
        pub(super) fn ambiguous() -> Vec<String> {
            let (mut requests, mut responses) = (generator(Direction::Request), generator(Direction::Response));
            $(requests.subschema_for::<$request>();)*
            $(responses.subschema_for::<$response>();)*
            let (sent, answered) = (requests.take_definitions(true), responses.take_definitions(true));
            sent.into_iter().filter(|(name, schema)| answered.get(name).is_some_and(|other| other != schema)).map(|(name, _)| name).collect()
        }

        $(reference!($request);)*
        $(reference!($response);)*
        $(impl utoipa::IntoParams for $query {
            fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
                parameters::of_query::<$query>()
            }
        })*
    };
}

/// Lets a handler's attribute name a body, whose schema is among the components.
macro_rules! reference {
    ($body:ty) => {
        impl utoipa::PartialSchema for $body {
            fn schema() -> RefOr<Schema> {
                Ref::from_schema_name(<$body as JsonSchema>::schema_name()).into()
            }
        }

        impl utoipa::ToSchema for $body {
            fn name() -> Cow<'static, str> {
                <$body as JsonSchema>::schema_name()
            }
        }
    };
}

/// A body without fields, `{}`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NoFields {}

described! {
    requests: BroadcastRequest, BudgetRequest, ChangedJob, ChatRequest, CompletionRequest, GivenAnswer, GrantRequest, LoginRequest, NewJob, NewTask,
        NewToken, NoFields, PairingAccount, ReloadRequest, SendRequest, SessionChangeRequest, TicketRequest, TokenRotation;
    responses: AcceptedEvent, AcceptedMessage, AccessList, AnsweredMessage, ApprovedPairing, Ask, Asks, AuditLog, Blocked, Budget, Budgets,
        ChannelSwitched, Charts, ChatCompletion, DeadLetterContent, DeadLetters, DeniedPairing, DroppedDeadLetters, ErasedSession,
        ErrorBody, EventReply, FoundMessages, GatewayStatus, Granted, Group, Groups, Health, Identity, LoggedIn, LoggedOut, Ticket, JobDetails, Jobs, Message,
        Messages, Model, ModelList, PairingRequests, PartState, Parts, Queued, QueuedBroadcast, Readiness, ReloadReport,
        RemovedJob, RemovedUpload, ResetSession, Revoked, RevokedToken, Run, RunStarted, Runs, Said, SessionDetails,
        Sessions, ShownConfig, StoppedSession, SubmittedTask, Task, TaskDetails, Tasks, Timeline, TokenList, TokenSecret, Unblocked,
        Upload, UploadLimits;
    queries: AccessQuery, AsksQuery, AuditQuery, BudgetsQuery, ChartsQuery, EventsQuery, GroupsQuery, HistoryQuery, JobsQuery, OutboxQuery, RevokeQuery, RowsQuery, RunsQuery,
        SearchQuery, SessionsQuery, TasksQuery, TimelineQuery, UploadQuery;
}
