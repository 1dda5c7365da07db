//! Budgets: what people, chats and agents have used today, their limits, and an admin's changes.

use std::time::Duration;

use frontdesk_core::budget::{BudgetOverride, BudgetScope, Most};
use frontdesk_runtime::BudgetView;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::ApiError;
use crate::list;
use crate::request::{ApiRequest, ApiResponse};
use crate::show::{Timestamp, escaped, maybe};

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct BudgetsQuery {
    /// Unset means `agent`.
    #[schemars(extend("enum" = BudgetScope::ALL.map(BudgetScope::name)))]
    scope: Option<String>,
    /// `next` of the page before.
    after: Option<String>,
    #[schemars(range(min = 1, max = 200))]
    limit: Option<u32>,
}

/// Limits in place of the configured ones. What is left out stays as configured; 0 is no limit. Without any limit the
/// configuration holds again.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct BudgetRequest {
    #[schemars(extend("enum" = BudgetScope::ALL.map(BudgetScope::name)))]
    scope: String,
    /// The person, the address of the chat, or the name of the agent.
    subject: String,
    turns: Option<u64>,
    tokens: Option<u64>,
    cost_micro: Option<u64>,
    /// How long they hold; until they are changed, if it is left out.
    for_s: Option<u64>,
}

/// What people, chats or agents have used today.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Budgets {
    budgets: Vec<Budget>,
    next: Option<String>,
}

/// What a person, a chat or an agent has used today, with the limits that apply.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Budget {
    #[schemars(extend("enum" = BudgetScope::ALL.map(BudgetScope::name)))]
    scope: &'static str,
    subject: String,
    turns: u64,
    input_tokens: u64,
    output_tokens: u64,
    /// In millionths of the currency in which the agent counts.
    cost_micro: u64,
    limits: BudgetLimits,
    /// What an admin has set.
    set: Option<BudgetSetting>,
}

/// The limits of a day; null is no limit.
#[derive(Debug, Serialize, JsonSchema)]
struct BudgetLimits {
    turns: Option<u64>,
    tokens: Option<u64>,
    cost_micro: Option<u64>,
}

/// Who has set limits in place of the configured ones.
#[derive(Debug, Serialize, JsonSchema)]
struct BudgetSetting {
    by: String,
    /// Until when they hold; until they are changed, if it is null.
    until: Option<Timestamp>,
}

/// Lists the budgets of people, chats or agents that have used something today or have limits of their own, by their names.
#[utoipa::path(get, path = "/api/budgets", params(BudgetsQuery), responses((status = 200, body = Budgets)))]
pub(crate) async fn list(request: ApiRequest) -> Result<ApiResponse, ApiError> {
    let query: BudgetsQuery = request.query()?;
    let scope = query.scope.as_deref().map_or(Ok(BudgetScope::Agent), scope)?;
    let limit = list::row_limit(query.limit)?;
    let after = query.after.unwrap_or_default();
    let views = request.server.handle.budgets(scope, &after, limit).await?;
    let next = views.last().filter(|_| views.len() >= limit as usize).map(|view| view.subject.clone());
    Ok(ApiResponse::ok(Budgets { budgets: views.iter().map(Budget::from).collect(), next }))
}

/// Sets limits for one person, chat or agent, or leaves them to the configuration.
#[utoipa::path(post, path = "/api/budgets", request_body = BudgetRequest, responses((status = 200, body = Budget)))]
pub(crate) async fn set(request: ApiRequest) -> Result<ApiResponse, ApiError> {
    let BudgetRequest { scope: name, subject, turns, tokens, cost_micro, for_s } = request.json()?;
    let most = |n: u64| if n == 0 { Most::Unlimited } else { Most::At(n) };
    let set = BudgetOverride {
        turns: turns.map(most),
        tokens: tokens.map(most),
        cost_micro: cost_micro.map(most),
        warn_percent: None,
    };
    let set = (set != BudgetOverride::default()).then_some(set);
    let handle = &request.server.handle;
    let view = handle
        .set_budget(scope(&name)?, &subject, set, for_s.map(Duration::from_secs), request.author()?)
        .await?;
    Ok(ApiResponse::ok(Budget::from(&view)))
}

fn scope(name: &str) -> Result<BudgetScope, ApiError> {
    BudgetScope::named(name).ok_or_else(|| ApiError::bad_request("scope: there are person, chat and agent"))
}

impl From<&BudgetView> for Budget {
    fn from(view: &BudgetView) -> Self {
        let (spent, limits) = (&view.spent, &view.limits);
        Self {
            scope: view.scope.name(),
            subject: view.subject.clone(),
            turns: spent.turns,
            input_tokens: spent.input,
            output_tokens: spent.output,
            cost_micro: spent.cost_micro,
            limits: BudgetLimits {
                turns: limits.turns,
                tokens: limits.tokens,
                cost_micro: limits.cost_micro,
            },
            set: view.set.as_ref().map(|row| BudgetSetting { by: escaped(&row.by), until: maybe(row.until) }),
        }
    }
}
