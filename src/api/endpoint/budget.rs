//! Budgets: what people, chats and agents have used today, their limits, and an admin's changes.

use std::time::Duration;

use frontdesk_core::budget::{BudgetOverride, BudgetScope, DayLimits, Most};
use frontdesk_runtime::BudgetView;
use frontdesk_store::row::BudgetRow;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::error::ApiError;
use crate::list;
use crate::request::{ApiRequest, ApiResponse};
use crate::show;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct BudgetsQuery {
    scope: Option<String>,
    after: Option<String>,
    limit: Option<u32>,
}

/// Limits in place of the configured ones. What is left out stays as configured; 0 is no limit. Without any limit the
/// configuration holds again.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct BudgetRequest {
    scope: String,
    subject: String,
    turns: Option<u64>,
    tokens: Option<u64>,
    cost_micro: Option<u64>,
    /// How long they hold; until they are changed, if it is left out.
    for_s: Option<u64>,
}

/// The budgets of people, chats or agents that have used something today or have limits of their own, by their names.
pub(crate) async fn list(request: ApiRequest) -> Result<ApiResponse, ApiError> {
    let query: BudgetsQuery = request.query()?;
    let scope = query.scope.as_deref().map_or(Ok(BudgetScope::Agent), scope)?;
    let limit = list::row_limit(query.limit);
    let after = query.after.unwrap_or_default();
    let views = request.server.handle.budgets(scope, &after, limit).await?;
    let next = views.last().filter(|_| views.len() >= limit as usize).map(|view| view.subject.clone());
    let shown: Vec<Value> = views.iter().map(shown).collect();
    Ok(ApiResponse::ok(json!({"budgets": shown, "next": next})))
}

/// Sets limits for one person, chat or agent, or leaves them to the configuration.
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
    Ok(ApiResponse::ok(shown(&view)))
}

fn scope(name: &str) -> Result<BudgetScope, ApiError> {
    BudgetScope::named(name).ok_or_else(|| ApiError::bad_request("scope: there are person, chat and agent"))
}

fn shown(view: &BudgetView) -> Value {
    let spent = &view.spent;
    json!({
        "scope": view.scope.name(),
        "subject": view.subject,
        "turns": spent.turns,
        "input_tokens": spent.input,
        "output_tokens": spent.output,
        "cost_micro": spent.cost_micro,
        "limits": limits(&view.limits),
        "set": view.set.as_ref().map(|row: &BudgetRow| json!({
            "by": show::escaped(&row.by), "until": row.until.map(show::time),
        })),
    })
}

fn limits(limits: &DayLimits) -> Value {
    json!({"turns": limits.turns, "tokens": limits.tokens, "cost_micro": limits.cost_micro})
}
